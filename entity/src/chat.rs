//! A chat: its own fields, its counters and the head of its log.

use crate::{ActorId, ChatId, ChatType, OrganizationId, RoomId, Timestamp};
use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "chat")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ChatId,
    pub organization_id: OrganizationId,
    #[sea_orm(column_name = "type")]
    pub chat_type: ChatType,
    /// Chats of type VISITOR only.
    pub room_id: Option<RoomId>,
    /// Chats of type VISITOR only.
    pub visitor_id: Option<ActorId>,
    pub owner_id: Option<ActorId>,
    /// The two actors of a DIRECT chat, smaller id first: unique in the organization.
    pub pair_key: Option<String>,
    pub name: Option<String>,
    pub detail: Option<String>,
    /// A public handle; grants nothing.
    pub token: String,
    pub is_private: bool,
    /// The sequence of the newest event: the head of the log.
    pub last_sequence: i64,
    /// The time of the newest event; no later event is earlier.
    pub logged_at: Timestamp,
    pub started_at: Timestamp,
    pub ended_at: Option<Timestamp>,
    pub updated_at: Timestamp,
    /// Since when a visitor waits for an answer.
    pub waiting_since: Option<Timestamp>,
    /// When the newest message of type MESSAGE was sent, or else when the chat started.
    pub active_at: Timestamp,
    /// The sequence of the newest message of type MESSAGE.
    pub last_message_sequence: Option<i64>,
    /// The sequence of the newest archived message; 0 where none is. All messages up to it are archived.
    pub archived_sequence: i64,
    /// When that mark was last moved; absent where nothing is archived.
    pub archived_at: Option<Timestamp>,
    pub message_count: i32,
    pub user_message_count: i32,
    pub visitor_message_count: i32,
    pub participation_count: i32,
    pub user_participation_count: i32,
    pub visitor_participation_count: i32,
    pub present_user_count: i32,
}

impl Model {
    /// At least two messages by users and one by the visitor.
    #[must_use]
    pub fn is_real_conversation(&self) -> bool {
        self.user_message_count >= 2 && self.visitor_message_count >= 1
    }

    /// Who a message of this sender is said to, where that is one actor.
    #[must_use]
    pub fn receiver_of(&self, sender_id: ActorId) -> Option<ActorId> {
        match self.chat_type {
            ChatType::Visitor => self.visitor_id.filter(|visitor_id| *visitor_id != sender_id),
            ChatType::Direct => {
                let ids = self.pair_key.as_deref()?.split(':').filter_map(|id| id.parse().ok()).map(ActorId);
                ids.into_iter().find(|id| *id != sender_id)
            }
            ChatType::Group => None,
        }
    }

    /// Whether the message at this place is archived.
    #[must_use]
    pub fn is_archived(&self, sequence: i64) -> bool {
        sequence <= self.archived_sequence
    }
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
