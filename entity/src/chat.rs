//! A chat: its own fields, its counters and the head of its log.

use crate::{ActorId, ChatId, ChatType, OrganizationId, RoomId, Timestamp, WebPage};
use sea_orm::FromJsonQueryResult;
use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

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
    /// The two actors of a DIRECT chat, smaller id first. Unique in the organization.
    pub pair_key: Option<String>,
    pub name: Option<String>,
    pub detail: Option<String>,
    /// The public id. Grants no access.
    pub token: String,
    pub is_private: bool,
    /// The sequence of the newest event: the head of the log.
    pub last_sequence: i64,
    /// The time of the newest event. Later events never have an earlier time.
    pub logged_at: Timestamp,
    pub started_at: Timestamp,
    pub ended_at: Option<Timestamp>,
    pub updated_at: Timestamp,
    /// The time since which a visitor has been waiting for an answer.
    pub waiting_since: Option<Timestamp>,
    /// The time of the newest message of type MESSAGE. If there is none, the start of the chat.
    pub active_at: Timestamp,
    /// The sequence of the newest message of type MESSAGE.
    pub last_message_sequence: Option<i64>,
    /// The sequence of the newest archived message. All messages up to it are archived. 0 if none is.
    pub archived_sequence: i64,
    /// The time at which the archive mark last moved. Absent if nothing is archived.
    pub archived_at: Option<Timestamp>,
    pub message_count: i32,
    pub user_message_count: i32,
    pub visitor_message_count: i32,
    pub participation_count: i32,
    pub user_participation_count: i32,
    pub visitor_participation_count: i32,
    pub present_user_count: i32,
    /// Whether a related cart was bought.
    pub has_sales: bool,
    /// Whether a message was suggested to the visitor.
    pub is_autosuggested: bool,
    /// The page that the visitor was on when they wrote their first message.
    pub first_visitor_message_url: Option<String>,
    pub first_visitor_message_title: Option<String>,
    /// The page that the visitor was on at the first suggestion.
    pub autosuggest_url: Option<String>,
    pub autosuggest_title: Option<String>,
    /// The time of deletion. The row is kept for audits.
    pub deleted_at: Option<Timestamp>,
    pub deleted_by: Option<ActorId>,
    /// The tags in the order in which they were added. Visitors cannot see them.
    pub tags: Tags,
}

/// Tags of a chat, without duplicates.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult)]
pub struct Tags(pub Vec<String>);

impl Model {
    /// A new chat without content or token.
    #[must_use]
    pub fn new(id: ChatId, organization_id: OrganizationId, chat_type: ChatType, now: Timestamp) -> Self {
        Self {
            id,
            organization_id,
            chat_type,
            room_id: None,
            visitor_id: None,
            owner_id: None,
            pair_key: None,
            name: None,
            detail: None,
            token: String::new(),
            is_private: false,
            last_sequence: 0,
            logged_at: now,
            started_at: now,
            ended_at: None,
            updated_at: now,
            waiting_since: None,
            active_at: now,
            last_message_sequence: None,
            archived_sequence: 0,
            archived_at: None,
            message_count: 0,
            user_message_count: 0,
            visitor_message_count: 0,
            participation_count: 0,
            user_participation_count: 0,
            visitor_participation_count: 0,
            present_user_count: 0,
            has_sales: false,
            is_autosuggested: false,
            first_visitor_message_url: None,
            first_visitor_message_title: None,
            autosuggest_url: None,
            autosuggest_title: None,
            deleted_at: None,
            deleted_by: None,
            tags: Tags::default(),
        }
    }

    /// Whether the chat has at least two messages by users and one by the visitor.
    #[must_use]
    pub fn is_real_conversation(&self) -> bool {
        self.user_message_count >= 2 && self.visitor_message_count >= 1
    }

    /// The page that the visitor was on when they wrote their first message.
    #[must_use]
    pub fn first_visitor_message_page(&self) -> Option<WebPage> {
        WebPage::of(self.first_visitor_message_url.as_ref(), self.first_visitor_message_title.as_ref())
    }

    /// The page that the visitor was on at the first suggestion.
    #[must_use]
    pub fn autosuggest_page(&self) -> Option<WebPage> {
        WebPage::of(self.autosuggest_url.as_ref(), self.autosuggest_title.as_ref())
    }

    /// The receiver of a message by this sender, if it is a single actor.
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

    /// Whether the message with this sequence is archived.
    #[must_use]
    pub fn is_archived(&self, sequence: i64) -> bool {
        sequence <= self.archived_sequence
    }
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
