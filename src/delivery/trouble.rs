//! What can go wrong with an attempt, in fixed words: an admin reads them in the ledger, so they say nothing of
//! the network behind this server.

use std::fmt::{Display, Formatter};

/// Why an attempt failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// The URL may no longer be a webhook's.
    BadUrl,
    /// The name has no address.
    NoAddress,
    /// The name leads to an address that is not public.
    NotPublic,
    /// Nobody took the connection.
    NoConnection,
    /// The certificate is not trusted, or for somebody else.
    Certificate,
    /// No encrypted connection came about for another reason.
    Tls,
    /// It took too long.
    Timeout,
    /// What came was not a whole HTTP answer.
    NoAnswer,
    /// The answer was not 2xx.
    Status(u16),
}

impl Trouble {
    /// The HTTP status, where there was a whole answer.
    pub(super) fn status(self) -> Option<u16> {
        if let Self::Status(status) = self { Some(status) } else { None }
    }
}

impl Display for Trouble {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::BadUrl => formatter.write_str("The URL is not one that this server sends to."),
            Self::NoAddress => formatter.write_str("The host name has no address."),
            Self::NotPublic => formatter.write_str("The host name leads to an address that is not public."),
            Self::NoConnection => formatter.write_str("The connection was not taken."),
            Self::Certificate => formatter.write_str("The certificate is not trusted."),
            Self::Tls => formatter.write_str("No encrypted connection came about."),
            Self::Timeout => formatter.write_str("It took too long."),
            Self::NoAnswer => formatter.write_str("There was no whole HTTP answer."),
            Self::Status(status @ 300..400) => {
                write!(formatter, "The answer was {status}: redirects are not followed.")
            }
            Self::Status(status) => write!(formatter, "The answer was {status}."),
        }
    }
}
