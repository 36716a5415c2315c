//! Maps the errors of actions and streams to GraphQL errors with our codes. Nothing else converts to
//! [`Fault`], so `?` cannot pass on a library's text.

use super::door::{Code, Refusal};
use crate::actions;
use crate::domain::page::BadPage;
use crate::live::{CursorError, LiveError};
use async_graphql::{Error, ErrorExtensions};

/// The reason why a field has no value.
#[derive(Debug)]
pub(super) struct Fault(Refusal);

/// The result of a resolver.
pub(super) type Result<T> = std::result::Result<T, Fault>;

impl Fault {
    pub(super) fn new(code: Code, message: impl Into<String>) -> Self {
        Self(Refusal::new(code, message))
    }

    pub(super) fn bad_input(message: impl Into<String>) -> Self {
        Self::new(Code::BadUserInput, message)
    }

    /// A list with more items than its limit.
    pub(super) fn too_many(field: &str, limit: usize) -> Self {
        Self::bad_input(format!("`{field}` must have at most {limit} items."))
    }

    /// The caller's role can never do this.
    pub(super) fn forbidden() -> Self {
        Self::new(Code::Forbidden, "Your role is not allowed to do this.")
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
                tracing::warn!(cause, "the database could not serve an operation");
                Self::new(Code::Unavailable, "The server cannot answer at the moment. Try again later.")
            }
            actions::Error::Failed(cause) => Self::internal(&cause),
        }
    }
}

impl From<LiveError> for Fault {
    fn from(error: LiveError) -> Self {
        match error {
            LiveError::NotFound => {
                Self::new(Code::NotFound, "The object to subscribe to does not exist, or you cannot see it.")
            }
            LiveError::CursorInvalid => CursorError::Invalid.into(),
            LiveError::CursorExpired => CursorError::Expired.into(),
            LiveError::Unavailable => {
                Self::new(Code::Unavailable, "The server cannot answer at the moment. Try again later.")
            }
            LiveError::Failed => Self(Refusal::internal()),
        }
    }
}

impl From<CursorError> for Fault {
    fn from(error: CursorError) -> Self {
        match error {
            CursorError::Invalid => {
                Self::new(Code::CursorInvalid, "This is not a cursor of this list or subscription.")
            }
            CursorError::Expired => Self::new(
                Code::CursorExpired,
                "The events after the cursor are no longer stored. Run the query again, and subscribe from its `eventCursor`.",
            ),
        }
    }
}

impl From<BadPage> for Fault {
    fn from(bad: BadPage) -> Self {
        Self::bad_input(bad.to_string())
    }
}
