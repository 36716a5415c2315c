//! The errors in the payloads of mutations.

use super::error::Fault;
use super::id::Halt;
use crate::domain::refused::Refused;
use async_graphql::parser::types::Field;
use async_graphql::registry::Registry;
use async_graphql::{ContextSelectionSet, Enum, OutputType, Positioned, ServerResult, SimpleObject, Value};
use std::borrow::Cow;

/// An error that prevented a mutation, which then changed nothing.
#[derive(SimpleObject, Clone, Debug)]
pub(super) struct UserError {
    /// The code of the error, for your code to handle.
    code: UserErrorCode,
    /// A description of the error in English, for developers. It can change in any release.
    message: String,
    /// The path of the input field that caused the error, including indexes of lists, such as `["input",
    /// "products", "7", "name"]`. Null if no single field caused it.
    field: Option<Vec<String>>,
}

/// The codes of errors that prevent a mutation. `docs/errors.md` says what to do for each.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum UserErrorCode {
    /// An object does not exist, or the viewer cannot see it.
    NotFound,
    /// A value is not allowed. The message says which values are.
    Invalid,
    /// A text has too many characters.
    TooLong,
    /// A list has too many items.
    TooMany,
    /// The edit window of the message has closed.
    TooLate,
    /// A file has too many bytes.
    TooLarge,
    /// Browsers can execute files of this media type. Use `application/octet-stream` instead.
    UnsupportedMedia,
    /// The upload quota is exceeded: a visitor's quota for 24 hours, or the organization's quota.
    QuotaExceeded,
    /// The chat has ended, so it does not allow this change.
    ChatEnded,
    /// Another user is present, and `exclusive` was true.
    ChatTaken,
    /// The viewer is not present in the chat.
    NotPresent,
    /// The viewer is not a participant of the chat or chat session.
    NotParticipant,
    /// The state of the chat session does not allow the action, often because another caller acted first.
    InvalidTransition,
    /// The chat already has a chat session that is ringing or in progress.
    SessionOpen,
    /// The same `externalId` or `requestId` was used before with different input, or a value that must be
    /// unique is already in use.
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
