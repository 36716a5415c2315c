//! The errors of actions. The GraphQL layer maps each to an error of the API.

use crate::domain::policy::Forbidden;
use crate::domain::refused::Refused;
use crate::store;

/// An action's failure.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Error {
    /// The action was refused. Becomes a `UserError`.
    #[error("{0}")]
    Refused(Refused),
    /// The caller's role does not permit the action.
    #[error("forbidden")]
    Forbidden,
    /// The database is unavailable. A retry may succeed.
    #[error("unavailable: {0}")]
    Unavailable(String),
    /// A bug. The text is for the log.
    #[error("failed: {0}")]
    Failed(String),
}

pub type Result<T> = std::result::Result<T, Error>;

/// The reason why a token was rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuthFailure {
    /// The token was not issued here, or its subject is deactivated.
    Invalid,
    /// The token has expired.
    Expired,
    /// The token is a widget key, and the request's `Origin` is missing or not allowed.
    WrongOrigin,
    /// The token cannot be checked now.
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
