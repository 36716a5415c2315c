//! The one door for errors: what an action or a stream could not do becomes a GraphQL error with a code of
//! ours. `?` cannot let a text of a library through, because nothing else converts.

use super::door::{Code, Refusal};
use crate::actions;
use crate::domain::page::BadPage;
use crate::live::{CursorError, LiveError};
use async_graphql::{Error, ErrorExtensions};

/// Why a field has no value.
#[derive(Debug)]
pub(super) struct Fault(Refusal);

/// What a resolver returns.
pub(super) type Result<T> = std::result::Result<T, Fault>;

impl Fault {
    pub(super) fn new(code: Code, message: impl Into<String>) -> Self {
        Self(Refusal::new(code, message))
    }

    pub(super) fn bad_input(message: impl Into<String>) -> Self {
        Self::new(Code::BadUserInput, message)
    }

    /// A list with more items than it may have.
    pub(super) fn too_many(field: &str, limit: usize) -> Self {
        Self::bad_input(format!("`{field}` takes at most {limit} items."))
    }

    /// What the role may never do.
    pub(super) fn forbidden() -> Self {
        Self::new(Code::Forbidden, "Your role may never do this.")
    }

    /// A bug: logged here, hidden from the client.
    pub(super) fn internal(cause: &str) -> Self {
        tracing::error!(cause, "an operation failed");
        Self(Refusal::internal())
    }
}

impl From<Fault> for Error {
    fn from(Fault(refusal): Fault) -> Self {
        Self::new(refusal.message).extend_with(|_, extensions| extensions.set("code", refusal.code.as_str()))
    }
}

impl From<actions::Error> for Fault {
    fn from(error: actions::Error) -> Self {
        match error {
            actions::Error::Refused(refused) => Self::bad_input(refused.to_string()),
            actions::Error::Forbidden => Self::forbidden(),
            actions::Error::Unavailable(cause) => {
                tracing::warn!(cause, "an operation could not be served");
                Self::new(Code::Unavailable, "Try again in a moment.")
            }
            actions::Error::Failed(cause) => Self::internal(&cause),
        }
    }
}

impl From<LiveError> for Fault {
    fn from(error: LiveError) -> Self {
        match error {
            LiveError::NotFound => Self::new(Code::NotFound, "There is no such thing to follow."),
            LiveError::CursorInvalid => CursorError::Invalid.into(),
            LiveError::CursorExpired => CursorError::Expired.into(),
            LiveError::Unavailable => Self::new(Code::Unavailable, "Try again in a moment."),
            LiveError::Failed => Self(Refusal::internal()),
        }
    }
}

impl From<CursorError> for Fault {
    fn from(error: CursorError) -> Self {
        match error {
            CursorError::Invalid => {
                Self::new(Code::CursorInvalid, "This is not a cursor of this list or stream.")
            }
            CursorError::Expired => {
                Self::new(Code::CursorExpired, "What came after the cursor is not kept any more: start over.")
            }
        }
    }
}

impl From<BadPage> for Fault {
    fn from(bad: BadPage) -> Self {
        Self::bad_input(bad.to_string())
    }
}
