//! A message or a system message in a chat's history. Clustered by chat and sequence.

use crate::{ActorId, ChatId, MessageId, MessageType, SessionId, SessionState, Timestamp};
use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "message")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub chat_id: ChatId,
    /// The sequence of the event that added it.
    #[sea_orm(primary_key, auto_increment = false)]
    pub sequence: i64,
    pub id: MessageId,
    #[sea_orm(column_name = "type")]
    pub message_type: MessageType,
    /// Absent if the server itself acted, for example when a session was missed.
    pub sender_id: Option<ActorId>,
    pub text: Option<String>,
    /// Unique per sender in the chat.
    pub external_id: String,
    pub created_at: Timestamp,
    /// Messages of type SESSION only: the chat session.
    pub session_id: Option<SessionId>,
    /// Messages of type SESSION only: the state that the session reached.
    pub session_state: Option<SessionState>,
    /// The time at which the text last changed.
    pub edited_at: Option<Timestamp>,
    /// The time at which the content was deleted. A tombstone remains.
    pub deleted_at: Option<Timestamp>,
    /// A digest of the text as it was sent, set once the text is edited or deleted. Retries are recognized by
    /// it.
    pub sent_digest: Option<String>,
    /// Whether the message is a note, which visitors cannot see.
    pub is_internal: bool,
    /// The sequence of the message that this one replies to, in the same chat.
    pub reply_to_sequence: Option<i64>,
}

impl Model {
    /// Whether the message was written by an actor. All others are system messages.
    #[must_use]
    pub fn is_written(&self) -> bool {
        match self.message_type {
            MessageType::Message | MessageType::Autosuggest => true,
            MessageType::Join | MessageType::Leave | MessageType::Session => false,
        }
    }
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    #[sea_orm(
        belongs_to = "super::actor::Entity",
        from = "Column::SenderId",
        to = "super::actor::Column::Id"
    )]
    Sender,
}

impl Related<super::actor::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Sender.def()
    }
}

impl ActiveModelBehavior for ActiveModel {}
