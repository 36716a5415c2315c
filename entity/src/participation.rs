//! The membership of an actor in a chat, with the actor's own settings for it. One row per chat and actor; it
//! remains after the actor leaves.

use crate::{ActorId, ActorType, ChatId, ParticipationId, Timestamp};
use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "participation")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ParticipationId,
    pub chat_id: ChatId,
    pub actor_id: ActorId,
    /// The actor's type, copied here so that a chat's participants can be listed by it.
    pub actor_type: ActorType,
    pub created_at: Timestamp,
    pub ended_at: Option<Timestamp>,
    /// Whether the chat's participation counters include it. A user who only joined is counted from their
    /// first message on.
    pub is_counted: bool,
    pub message_count: i32,
    pub first_message_at: Option<Timestamp>,
    pub last_read_sequence: i64,
    pub last_read_at: Option<Timestamp>,
    /// The actor's own name for the chat.
    pub name: Option<String>,
    /// The actor's own note about the chat.
    pub detail: Option<String>,
    /// The head of the log when the actor hid the chat. The chat stays hidden until a later message.
    pub hidden_sequence: Option<i64>,
    /// The time at which the actor last changed the three fields above, or read more. Their other devices use
    /// it to read the row again.
    pub viewed_at: Option<Timestamp>,
    /// The time of the last change of any field above. A returning reader uses it to read the row again.
    pub updated_at: Timestamp,
    /// The chat's own value, copied here so that an actor's list of chats can be read in its order.
    pub active_at: Timestamp,
}

impl Model {
    /// A new, counted participation of an actor who has not done anything in the chat.
    #[must_use]
    pub fn new(
        id: ParticipationId,
        chat_id: ChatId,
        actor_id: ActorId,
        actor_type: ActorType,
        now: Timestamp,
    ) -> Self {
        Self {
            id,
            chat_id,
            actor_id,
            actor_type,
            created_at: now,
            ended_at: None,
            is_counted: true,
            message_count: 0,
            first_message_at: None,
            last_read_sequence: 0,
            last_read_at: None,
            name: None,
            detail: None,
            hidden_sequence: None,
            viewed_at: None,
            updated_at: now,
            active_at: now,
        }
    }

    /// Whether the actor participates in the chat now.
    #[must_use]
    pub fn is_current(&self) -> bool {
        self.ended_at.is_none()
    }

    /// Whether the actor has hidden the chat and nobody has written since.
    #[must_use]
    pub fn is_hidden(&self, chat: &super::chat::Model) -> bool {
        self.hidden_sequence
            .is_some_and(|hidden| chat.last_message_sequence.is_none_or(|last| last <= hidden))
    }
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    #[sea_orm(belongs_to = "super::chat::Entity", from = "Column::ChatId", to = "super::chat::Column::Id")]
    Chat,
    #[sea_orm(belongs_to = "super::actor::Entity", from = "Column::ActorId", to = "super::actor::Column::Id")]
    Actor,
}

impl Related<super::actor::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Actor.def()
    }
}

impl Related<super::chat::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Chat.def()
    }
}

impl ActiveModelBehavior for ActiveModel {}
