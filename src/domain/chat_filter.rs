//! Filters for lists and live updates of chats.

use super::description::Description;
use super::page::Order;
use entity::{ActorId, ChatId, ChatType, RoomId, Timestamp, chat};

/// Conditions on chats. All that are given must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChatFilter {
    /// Chats of this type.
    pub chat_type: Option<ChatType>,
    /// Chats in one of these rooms.
    pub room_ids: Option<Vec<RoomId>>,
    /// Chats with this visitor.
    pub visitor_id: Option<ActorId>,
    /// Chats in which all of these actors participate now.
    pub participant_ids: Vec<ActorId>,
    /// Chats in which this user is present now.
    pub present_user_id: Option<ActorId>,
    /// Chats that have all of these tags.
    pub tags: Vec<String>,
    /// Chats after this start and id, in the order of starts.
    pub since: Option<(Timestamp, ChatId)>,
    /// Chats that started at or after this time.
    pub started_from: Option<Timestamp>,
    /// Chats that ended before this time.
    pub ended_before: Option<Timestamp>,
    /// Whether the chat has ended.
    pub is_ended: Option<bool>,
    /// Whether the visitor waits for an answer.
    pub is_waiting: Option<bool>,
    /// Whether it is a real conversation.
    pub is_real_conversation: Option<bool>,
    /// Whether it is private.
    pub is_private: Option<bool>,
    /// Whether a related cart was bought.
    pub has_sales: Option<bool>,
    /// The minimum number of messages.
    pub min_message_count: Option<i32>,
}

impl ChatFilter {
    /// Adds the conditions to a description.
    #[must_use]
    pub fn describe(&self, description: Description) -> Description {
        let Self {
            chat_type,
            room_ids,
            visitor_id,
            participant_ids,
            present_user_id,
            tags,
            since,
            started_from,
            ended_before,
            is_ended,
            is_waiting,
            is_real_conversation,
            is_private,
            has_sales,
            min_message_count,
        } = self;
        description
            .with("type", chat_type.map(ChatType::as_str))
            .with("roomCount", room_ids.as_ref().map(Vec::len))
            .with_each("roomIds", room_ids.iter().flatten())
            .with("visitorId", *visitor_id)
            .with_each("participantIds", participant_ids)
            .with("presentUserId", *present_user_id)
            .with_each("tags", tags)
            .with("sinceAt", since.map(|(at, _)| at.0))
            .with("sinceId", since.map(|(_, id)| id))
            .with("startedFrom", started_from.map(|at| at.0))
            .with("endedBefore", ended_before.map(|at| at.0))
            .with("isEnded", *is_ended)
            .with("isWaiting", *is_waiting)
            .with("isRealConversation", *is_real_conversation)
            .with("isPrivate", *is_private)
            .with("hasSales", *has_sales)
            .with("minMessageCount", *min_message_count)
    }
}

/// The members of a chat at a given time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Members {
    /// The actors who participate.
    pub participants: Vec<ActorId>,
    /// The users who are present.
    pub present_users: Vec<ActorId>,
    /// The participants who hid the chat, each with the head of the log at that time.
    hidden: Vec<(ActorId, i64)>,
}

impl Members {
    /// Sets whether an actor hides the chat, and since which head of the log.
    pub fn set_hidden(&mut self, actor_id: ActorId, hidden_sequence: Option<i64>) {
        self.hidden.retain(|(other, _)| *other != actor_id);
        self.hidden.extend(hidden_sequence.map(|hidden| (actor_id, hidden)));
    }

    /// Whether the actor participates or is present.
    #[must_use]
    pub fn contains(&self, actor_id: ActorId) -> bool {
        self.participants.contains(&actor_id) || self.present_users.contains(&actor_id)
    }

    /// Whether the actor hides the chat: they hid it, and nobody has written since.
    #[must_use]
    pub fn hides(&self, actor_id: ActorId, chat: &chat::Model) -> bool {
        let hidden = self.hidden.iter().find(|(other, _)| *other == actor_id);
        hidden.is_some_and(|(_, hidden)| chat.last_message_sequence.is_none_or(|last| last <= *hidden))
    }
}

/// The sort field of chats. If a field can be absent, sorting by it lists only chats that have it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ChatOrderField {
    /// The start of the chat.
    StartedAt,
    /// The end of the chat.
    EndedAt,
    /// The last change of the chat.
    UpdatedAt,
    /// The time since which the visitor waits.
    WaitingSince,
    /// The time of the newest message.
    LastMessageAt,
    /// When its newest message was sent, or when it started where nobody has written.
    ActiveAt,
}

impl ChatOrderField {
    /// The name in the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::StartedAt => "STARTED_AT",
            Self::EndedAt => "ENDED_AT",
            Self::UpdatedAt => "UPDATED_AT",
            Self::WaitingSince => "WAITING_SINCE",
            Self::LastMessageAt => "LAST_MESSAGE_AT",
            Self::ActiveAt => "ACTIVE_AT",
        }
    }
}

/// The sort order of chats.
pub type ChatOrder = Order<ChatOrderField>;

impl ChatFilter {
    /// Whether a chat with these members matches the filter.
    #[must_use]
    pub fn matches(&self, chat: &chat::Model, members: &Members) -> bool {
        let Self {
            chat_type,
            room_ids,
            visitor_id,
            participant_ids,
            present_user_id,
            tags,
            since,
            started_from,
            ended_before,
            is_ended,
            is_waiting,
            is_real_conversation,
            is_private,
            has_sales,
            min_message_count,
        } = self;
        is_or_absent(chat_type.as_ref(), &chat.chat_type)
            && room_ids
                .as_ref()
                .is_none_or(|room_ids| chat.room_id.is_some_and(|room_id| room_ids.contains(&room_id)))
            && visitor_id.is_none_or(|visitor_id| chat.visitor_id == Some(visitor_id))
            && participant_ids.iter().all(|actor_id| members.participants.contains(actor_id))
            && present_user_id.is_none_or(|user_id| members.present_users.contains(&user_id))
            && tags.iter().all(|tag| chat.tags.0.contains(tag))
            && since.is_none_or(|since| (chat.started_at, chat.id) > since)
            && started_from.is_none_or(|from| chat.started_at >= from)
            && ended_before.is_none_or(|before| chat.ended_at.is_some_and(|ended_at| ended_at < before))
            && is_or_absent(is_ended.as_ref(), &chat.ended_at.is_some())
            && is_or_absent(is_waiting.as_ref(), &chat.waiting_since.is_some())
            && is_or_absent(is_real_conversation.as_ref(), &chat.is_real_conversation())
            && is_or_absent(is_private.as_ref(), &chat.is_private)
            && is_or_absent(has_sales.as_ref(), &chat.has_sales)
            && min_message_count.is_none_or(|count| chat.message_count >= count)
    }
}

fn is_or_absent<T: PartialEq>(wanted: Option<&T>, value: &T) -> bool {
    wanted.is_none_or(|wanted| wanted == value)
}
