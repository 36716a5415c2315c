//! Refusals of the domain, with the data to explain them.

use super::field_path::FieldPath;
use super::session_action::SessionAction;
use entity::SessionState;

/// A limit on uploaded bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quota {
    /// The bytes of one visitor within 24 hours.
    Visitor {
        /// The quota in bytes.
        limit: u64,
    },
    /// All stored bytes of an organization.
    Organization {
        /// The quota in bytes.
        limit: u64,
    },
}

/// A refusal: the call was understood and nothing was changed. Becomes a `UserError`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refused {
    /// The object does not exist, or the caller may not see it. The two are indistinguishable.
    NotFound {
        /// The type of the missing object, such as "chat".
        what: &'static str,
        /// The input field with its id.
        field: FieldPath,
    },
    /// A value is invalid.
    Invalid {
        /// The input field.
        field: FieldPath,
        /// The explanation, a sentence.
        reason: &'static str,
    },
    /// A text has too many characters.
    TooLong {
        /// The input field.
        field: FieldPath,
        /// The maximum number of characters.
        limit: usize,
    },
    /// A list has too many items.
    TooMany {
        /// The input field.
        field: FieldPath,
        /// The maximum number of items.
        limit: usize,
    },
    /// The time window for the change has passed.
    TooLate {
        /// The input field with the id of the object.
        field: FieldPath,
    },
    /// A file has too many bytes.
    TooLarge {
        /// The input field.
        field: FieldPath,
        /// The maximum number of bytes.
        limit: u64,
    },
    /// Files of this media type cannot be uploaded.
    UnsupportedMedia {
        /// The input field.
        field: FieldPath,
    },
    /// An upload quota is used up.
    QuotaExceeded {
        /// The input field.
        field: FieldPath,
        /// The quota that was exceeded.
        quota: Quota,
    },
    /// The chat has ended.
    ChatEnded,
    /// Another user is present, and the join was exclusive.
    ChatTaken,
    /// The caller is not present in the chat.
    NotPresent,
    /// The caller does not participate in the chat.
    NotParticipant,
    /// The session's state does not allow the action, or another caller acted first.
    InvalidTransition {
        /// The current state.
        from: SessionState,
        /// The action that was requested.
        action: SessionAction,
        /// The actions that the caller may take instead.
        allowed: Vec<SessionAction>,
    },
    /// The chat has a session that is ringing or in progress.
    SessionOpen,
    /// The same id was used before with different input, or a value that must be unique is already in use.
    Conflict {
        /// The input field with the id or value.
        field: FieldPath,
    },
}

impl Refused {
    /// The same refusal for another field.
    #[must_use]
    pub fn blaming(mut self, other: FieldPath) -> Self {
        match &mut self {
            Self::NotFound { field, .. }
            | Self::Invalid { field, .. }
            | Self::TooLong { field, .. }
            | Self::TooMany { field, .. }
            | Self::TooLate { field }
            | Self::TooLarge { field, .. }
            | Self::UnsupportedMedia { field }
            | Self::QuotaExceeded { field, .. }
            | Self::Conflict { field } => *field = other,
            Self::ChatEnded
            | Self::ChatTaken
            | Self::NotPresent
            | Self::NotParticipant
            | Self::InvalidTransition { .. }
            | Self::SessionOpen => {}
        }
        self
    }

    /// The input field that caused the refusal, if there is one.
    #[must_use]
    pub fn field(&self) -> Option<&FieldPath> {
        match self {
            Self::NotFound { field, .. }
            | Self::Invalid { field, .. }
            | Self::TooLong { field, .. }
            | Self::TooMany { field, .. }
            | Self::TooLate { field }
            | Self::TooLarge { field, .. }
            | Self::UnsupportedMedia { field }
            | Self::QuotaExceeded { field, .. }
            | Self::Conflict { field } => Some(field),
            Self::ChatEnded
            | Self::ChatTaken
            | Self::NotPresent
            | Self::NotParticipant
            | Self::InvalidTransition { .. }
            | Self::SessionOpen => None,
        }
    }
}

impl std::fmt::Display for Refused {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NotFound { what, .. } => {
                write!(formatter, "There is no such {what}, or you cannot see it.")
            }
            Self::Invalid { reason, .. } => formatter.write_str(reason),
            Self::TooLong { field, limit } => {
                write!(formatter, "`{}` must have at most {limit} characters.", field.name())
            }
            Self::TooMany { field, limit } => {
                write!(formatter, "`{}` must have at most {limit} items.", field.name())
            }
            Self::TooLate { .. } => formatter.write_str("The edit window of the message has closed."),
            Self::TooLarge { limit, .. } => write!(formatter, "A file must have at most {limit} bytes."),
            Self::UnsupportedMedia { .. } => formatter.write_str(
                "Browsers can execute files of this media type. Upload it as `application/octet-stream`.",
            ),
            Self::QuotaExceeded { quota: Quota::Visitor { limit }, .. } => {
                write!(formatter, "A visitor can upload at most {} MiB in 24 hours.", limit / (1024 * 1024))
            }
            Self::QuotaExceeded { quota: Quota::Organization { limit }, .. } => {
                write!(
                    formatter,
                    "The organization can store at most {} GiB of files.",
                    limit / (1024 * 1024 * 1024)
                )
            }
            Self::ChatEnded => formatter.write_str("The chat has ended."),
            Self::ChatTaken => formatter.write_str("Another user is present in the chat."),
            Self::NotPresent => formatter.write_str("You are not present in the chat."),
            Self::NotParticipant => formatter.write_str("You are not a participant."),
            Self::InvalidTransition { from, action, allowed } => {
                let (from, action) = (from.as_str(), action.as_str());
                write!(formatter, "The chat session is {from}, which does not allow {action}")?;
                match allowed.as_slice() {
                    [] => formatter.write_str("."),
                    allowed => {
                        let names: Vec<_> = allowed.iter().map(|action| action.as_str()).collect();
                        write!(formatter, ". Allowed: {}.", names.join(", "))
                    }
                }
            }
            Self::SessionOpen => formatter.write_str("The chat already has an open chat session."),
            Self::Conflict { field } => {
                write!(
                    formatter,
                    "`{}` was already used with different input, or belongs to another object.",
                    field.name()
                )
            }
        }
    }
}
