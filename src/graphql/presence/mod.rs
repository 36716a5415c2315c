//! Presences.

pub(super) mod mutation;

use super::actor::User;
use super::caller::caller;
use super::chat::Chat;
use super::connection::{List, PageArguments, connection};
use super::enums::PresenceEndReason;
use super::error::Result;
use super::id::Kind;
use super::loaders::{PageOf, PresencesOf};
use super::order::PresenceOrderInput;
use super::scalar::DateTime;
use async_graphql::{Context, ID, Object};
use entity::{ChatId, presence};

/// The presence of a user who has joined a chat. It ends when the user leaves, signs out, or stops renewing it.
#[derive(Clone)]
pub(super) struct Presence(pub presence::Model);

/// The presence of a user who has joined a chat. It ends when the user leaves, signs out, or stops renewing it.
#[Object]
impl Presence {
    /// The global id, for `node(id:)`.
    pub(super) async fn id(&self) -> ID {
        Kind::Presence.encode(self.0.id.0)
    }

    /// The chat that the user has joined.
    async fn chat(&self, context: &Context<'_>) -> Result<Chat> {
        Ok(Chat::new(caller(context)?.chat_of(self.0.chat_id).await?))
    }

    /// The user who has joined the chat.
    async fn user(&self, context: &Context<'_>) -> Result<User> {
        Ok(User(caller(context)?.need(self.0.user_id).await?))
    }

    /// The time at which the user joined.
    async fn created_at(&self) -> DateTime {
        DateTime(self.0.created_at)
    }

    /// The time at which the presence was last renewed.
    async fn last_seen_at(&self) -> DateTime {
        DateTime(self.0.last_seen_at)
    }

    /// The time at which the presence expires unless it is renewed. Null once it has ended. Sending a
    /// message, `keepPresence`, and an open `chatEvents` or `viewerEvents` subscription renew it.
    async fn expires_at(&self) -> Option<DateTime> {
        Some(DateTime(self.0.expires_at)).filter(|_| self.0.ended_at.is_none())
    }

    /// The time at which the presence ended. Null while the user is present.
    async fn ended_at(&self) -> Option<DateTime> {
        self.0.ended_at.map(DateTime)
    }

    /// The reason why the presence ended. Null while the user is present.
    async fn end_reason(&self) -> Option<PresenceEndReason> {
        self.0.end_reason.map(Into::into)
    }
}

connection! {
    /// A page of presences.
    PresenceConnection,
    /// A presence in a list.
    PresenceEdge of Presence,
    fields {}
}

/// The presences in a chat that the viewer sees.
pub(super) async fn presences_of(
    context: &Context<'_>,
    chat_id: ChatId,
    include_ended: bool,
    order: Option<PresenceOrderInput>,
    page: PageArguments,
) -> Result<PresenceConnection> {
    let is_descending = order.is_some_and(PresenceOrderInput::is_descending);
    let list = List::ordered("presences", chat_id, "CREATED_AT", is_descending);
    let page = page.request(context, list)?;
    let arguments = PresencesOf { include_ended, is_descending };
    let page = caller(context)?.need(PageOf { chat_id, arguments, page }).await?;
    Ok(PresenceConnection::new(page, |_, key| list.cursor(key), Presence))
}
