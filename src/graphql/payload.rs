//! The errors in the payloads of mutations.

use super::error::Fault;
use super::id::Halt;
use crate::domain::refused::Refused;
use async_graphql::parser::types::Field;
use async_graphql::registry::Registry;
use async_graphql::{ContextSelectionSet, Enum, OutputType, Positioned, ServerResult, SimpleObject, Value};
use std::borrow::Cow;

/// An error that prevented a mutation. Nothing was changed.
#[derive(SimpleObject, Clone, Debug)]
pub(super) struct UserError {
    /// The kind of error.
    code: UserErrorCode,
    /// A sentence for people, in English.
    message: String,
    /// The path of the input field that caused the error, down to the item of a list, such as
    /// `["input", "products", "7", "name"]`. Null if no single field did.
    field: Option<Vec<String>>,
}

/// The kinds of refusal.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum UserErrorCode {
    /// An id names nothing, or nothing that the viewer can see.
    NotFound,
    /// A value cannot be taken; the message says why.
    Invalid,
    /// A text has too many characters.
    TooLong,
    /// A list has too many items.
    TooMany,
    /// The time in which it can be changed is over.
    TooLate,
    /// A file has too many bytes.
    TooLarge,
    /// Browsers would run a file of this media type; `application/octet-stream` takes any bytes.
    UnsupportedMedia,
    /// The quota of uploaded bytes is used up: the visitor's within 24 hours, or the organization's.
    QuotaExceeded,
    /// The chat is over.
    ChatEnded,
    /// Another user is present, and the join was to be exclusive.
    ChatTaken,
    /// The viewer is not present in the chat.
    NotPresent,
    /// The viewer does not take part.
    NotParticipant,
    /// The session's state does not allow it, or somebody else was faster.
    InvalidTransition,
    /// The chat already has a session that rings or runs.
    SessionOpen,
    /// The same `externalId` or `requestId` was used before, for something else.
    Conflict,
}

impl From<Refused> for UserError {
    fn from(refused: Refused) -> Self {
        let code = match &refused {
            Refused::NotFound { .. } => UserErrorCode::NotFound,
            Refused::Invalid { .. } => UserErrorCode::Invalid,
            Refused::TooLong { .. } => UserErrorCode::TooLong,
            Refused::TooMany { .. } => UserErrorCode::TooMany,
            Refused::TooLate { .. } => UserErrorCode::TooLate,
            Refused::TooLarge { .. } => UserErrorCode::TooLarge,
            Refused::UnsupportedMedia { .. } => UserErrorCode::UnsupportedMedia,
            Refused::QuotaExceeded { .. } => UserErrorCode::QuotaExceeded,
            Refused::ChatEnded => UserErrorCode::ChatEnded,
            Refused::ChatTaken => UserErrorCode::ChatTaken,
            Refused::NotPresent => UserErrorCode::NotPresent,
            Refused::NotParticipant => UserErrorCode::NotParticipant,
            Refused::InvalidTransition { .. } => UserErrorCode::InvalidTransition,
            Refused::SessionOpen => UserErrorCode::SessionOpen,
            Refused::Conflict { .. } => UserErrorCode::Conflict,
        };
        let field = refused.field().map(|field| {
            let mut path = field.segments();
            path.insert(0, "input".to_owned());
            path
        });
        Self { code, message: refused.to_string(), field }
    }
}

/// The errors of a payload. Only [`settle`] makes them, so that no payload forgets its errors.
#[derive(Clone, Debug)]
pub(super) struct UserErrors(Vec<UserError>);

impl OutputType for UserErrors {
    fn type_name() -> Cow<'static, str> {
        Vec::<UserError>::type_name()
    }

    fn qualified_type_name() -> String {
        Vec::<UserError>::qualified_type_name()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        Vec::<UserError>::create_type_info(registry)
    }

    async fn resolve(
        &self,
        context: &ContextSelectionSet<'_>,
        field: &Positioned<Field>,
    ) -> ServerResult<Value> {
        self.0.resolve(context, field).await
    }
}

/// Splits the outcome of a mutation into its value, absent if the mutation was refused, and the errors of its payload. A
/// failure is a GraphQL error.
pub(super) fn settle<T>(done: Result<T, Halt>) -> Result<(Option<T>, UserErrors), Fault> {
    match done {
        Ok(value) => Ok((Some(value), UserErrors(Vec::new()))),
        Err(Halt::Refused(refused)) => Ok((None, UserErrors(vec![refused.into()]))),
        Err(Halt::Fault(fault)) => Err(fault),
    }
}
