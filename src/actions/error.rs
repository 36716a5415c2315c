//! The errors of actions. The GraphQL layer maps each to what a client sees.

use crate::domain::policy::Forbidden;
use crate::domain::refused::Refused;
use crate::store;

/// Why an action did not do what was asked.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Error {
    /// Understood and refused: a `UserError`.
    #[error("{0}")]
    Refused(Refused),
    /// What the caller's role may never do.
    #[error("forbidden")]
    Forbidden,
    /// The database cannot serve now; the same call may succeed later.
    #[error("unavailable: {0}")]
    Unavailable(String),
    /// A bug; the text is for the log.
    #[error("failed: {0}")]
    Failed(String),
}

/// What every action returns.
pub type Result<T> = std::result::Result<T, Error>;

/// Why a token was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuthFailure {
    /// It is not a token of ours, or its subject may not act any more.
    Invalid,
    /// It was one, and has ended.
    Expired,
    /// It is a widget key, which is not for pages of that site, nor for whoever names none.
    WrongOrigin,
    /// Nobody can tell now.
    Unavailable,
}

impl From<Refused> for Error {
    fn from(refused: Refused) -> Self {
        Self::Refused(refused)
    }
}

impl From<Forbidden> for Error {
    fn from(Forbidden: Forbidden) -> Self {
        Self::Forbidden
    }
}

impl From<store::Error> for Error {
    fn from(error: store::Error) -> Self {
        match error {
            store::Error::Unavailable(cause) => Self::Unavailable(cause),
            store::Error::Taken(cause) | store::Error::Failed(cause) => Self::Failed(cause),
        }
    }
}
