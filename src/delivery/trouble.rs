//! The errors of an attempt, as fixed texts. Admins read them in the list of deliveries, so they reveal
//! nothing about the server's network.

use std::fmt::{Display, Formatter};

/// The error of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// The URL is no longer permitted.
    BadUrl,
    /// The name has no address.
    NoAddress,
    /// The name resolves to an address that is not public.
    NotPublic,
    /// The connection was refused or failed.
    NoConnection,
    /// The certificate is not trusted, or has another name.
    Certificate,
    /// The TLS handshake failed for another reason.
    Tls,
    /// The attempt exceeded its time limit.
    Timeout,
    /// The response was not a complete HTTP response.
    NoAnswer,
    /// The response's status was not 2xx.
    Status(u16),
}

impl Trouble {
    /// The HTTP status, if there was a complete response.
    pub(super) fn status(self) -> Option<u16> {
        if let Self::Status(status) = self { Some(status) } else { None }
    }
}

impl Display for Trouble {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::BadUrl => formatter.write_str("The server does not send to this URL."),
            Self::NoAddress => formatter.write_str("The host name has no address."),
            Self::NotPublic => {
                formatter.write_str("The host name resolves to an address that is not public.")
            }
            Self::NoConnection => formatter.write_str("The connection was refused."),
            Self::Certificate => formatter.write_str("The certificate is not trusted."),
            Self::Tls => formatter.write_str("The TLS handshake failed."),
            Self::Timeout => formatter.write_str("The receiver did not answer in time."),
            Self::NoAnswer => formatter.write_str("The HTTP response was incomplete."),
            Self::Status(status @ 300..400) => {
                write!(formatter, "The receiver answered {status}. Redirects are not followed.")
            }
            Self::Status(status) => write!(formatter, "The receiver answered {status}."),
        }
    }
}
