//! Participations.

pub(super) mod mutation;

use super::actor::Actor;
use super::caller::caller;
use super::chat::Chat;
use super::connection::{List, PageArguments, connection};
use super::enums::ActorType;
use super::error::{Fault, Result};
use super::id::Kind;
use super::loaders::{PageOf, UnreadOf};
use super::order::{ParticipationOrderField, ParticipationOrderInput};
use super::scalar::DateTime;
use crate::actions::{ListedParticipations, ParticipationOrder};
use crate::domain::policy;
use async_graphql::{Context, ID, InputObject, Object};
use entity::{ActorId, ChatId, participation};
use std::fmt::Display;

/// The membership of an actor in a chat, with the actor's own settings for it. It remains after the actor
/// leaves.
#[derive(Clone)]
pub(super) struct Participation(pub participation::Model);

impl Participation {
    fn is_own(&self, context: &Context<'_>) -> bool {
        caller(context).is_ok_and(|caller| caller.viewer.actor_id == self.0.actor_id)
    }
}

/// The membership of an actor in a chat, with the actor's own settings for it. It remains after the actor
/// leaves.
#[Object]
impl Participation {
    /// The global id, for `node(id:)`.
    pub(super) async fn id(&self) -> ID {
        Kind::Participation.encode(self.0.id.0)
    }

    /// The chat that the actor participates in.
    async fn chat(&self, context: &Context<'_>) -> Result<Chat> {
        Ok(Chat::new(caller(context)?.chat_of(self.0.chat_id).await?))
    }

    /// The participant of the chat.
    async fn actor(&self, context: &Context<'_>) -> Result<Actor> {
        let row = caller(context)?.need(self.0.actor_id).await?;
        Actor::new(row).ok_or_else(|| Fault::internal("a participant is no actor"))
    }

    /// The time since which the actor has been a participant.
    async fn created_at(&self) -> DateTime {
        DateTime(self.0.created_at)
    }

    /// The time at which the participation ended. Null while the actor is a participant.
    async fn ended_at(&self) -> Option<DateTime> {
        self.0.ended_at.map(DateTime)
    }

    /// The actor's own name for the chat. Null for everybody else.
    async fn custom_name(&self, context: &Context<'_>) -> Result<Option<&str>> {
        Ok(self.0.name.as_deref().filter(|_| self.is_own(context)))
    }

    /// The actor's own description of the chat. Null for everybody else.
    async fn custom_description(&self, context: &Context<'_>) -> Result<Option<&str>> {
        Ok(self.0.detail.as_deref().filter(|_| self.is_own(context)))
    }

    /// True if the actor has hidden the chat from their inbox. The chat reappears with the next message of type
    /// MESSAGE. Null unless the viewer is the actor or an admin.
    async fn is_hidden(&self, context: &Context<'_>) -> Result<Option<bool>> {
        let caller = caller(context)?;
        if !policy::reads_own_views(&caller.viewer, self.0.actor_id) {
            return Ok(None);
        }
        if self.0.hidden_sequence.is_none() {
            return Ok(Some(false));
        }
        Ok(Some(caller.load(self.0.chat_id).await?.is_some_and(|chat| self.0.is_hidden(&chat))))
    }

    /// The number of messages of type MESSAGE that the actor sent in the chat, including deleted ones.
    async fn message_count(&self) -> i32 {
        self.0.message_count
    }

    /// The time of the actor's first message in the chat. Null if there is none.
    async fn first_message_at(&self) -> Option<DateTime> {
        self.0.first_message_at.map(DateTime)
    }

    /// The sequence up to which the actor has read the chat. Sending a message also moves it; no
    /// `ParticipationChangedEvent` is sent for that.
    async fn last_read_sequence(&self) -> Result<i32> {
        i32::try_from(self.0.last_read_sequence).map_err(|_| Fault::internal("a sequence is too large"))
    }

    /// The time at which `lastReadSequence` last moved. Null if it never did.
    async fn last_read_at(&self) -> Option<DateTime> {
        self.0.last_read_at.map(DateTime)
    }

    /// The number of messages by others that the actor has not read. Deleted messages are not counted. Counted
    /// up to 100, so show 100 as "99+".
    async fn unread_count(&self, context: &Context<'_>) -> Result<i32> {
        let unread = caller(context)?.load(UnreadOf(self.0.id)).await?.unwrap_or_default();
        Ok(i32::try_from(unread).unwrap_or(i32::MAX))
    }
}

connection! {
    /// A page of participations.
    ParticipationConnection,
    /// A participation in a list.
    ParticipationEdge of Participation,
    fields {}
}

/// A filter for participations.
#[derive(InputObject, Clone, Debug)]
#[graphql(name = "ParticipationFilter")]
pub(super) struct ParticipationFilterInput {
    /// Matches participations of actors of this type.
    actor_type: Option<ActorType>,
}

/// The arguments of a list of participations.
pub(super) struct ParticipationArguments {
    pub filter: Option<ParticipationFilterInput>,
    pub order_by: Option<ParticipationOrderInput>,
    pub include_hidden: bool,
    pub page: PageArguments,
}

impl ParticipationArguments {
    fn decode(self, default: ParticipationOrderInput) -> (ListedParticipations, PageArguments) {
        let Self { filter, order_by, include_hidden, page } = self;
        let actor_type = filter.and_then(|filter| filter.actor_type).map(Into::into);
        let order = order_by.unwrap_or(default).decode();
        (ListedParticipations { actor_type, order, include_hidden }, page)
    }
}

/// The participations of an actor. `None` if the viewer may not see them.
pub(super) async fn participations_of(
    context: &Context<'_>,
    actor_id: ActorId,
    arguments: ParticipationArguments,
) -> Result<Option<ParticipationConnection>> {
    let caller = caller(context)?;
    let default = ParticipationOrderInput::descending(ParticipationOrderField::ActiveAt);
    let (asked, page) = arguments.decode(default);
    let list = in_order("participationsOfActor", actor_id, asked.order);
    let page = page.request(context, list)?;
    let page = caller.actions.participations_of(&caller.viewer, actor_id, asked, &page).await?;
    Ok(page.map(|page| ParticipationConnection::new(page, |_, key| list.cursor(key), Participation)))
}

/// The participations in a chat that the viewer sees.
pub(super) async fn participations_in(
    context: &Context<'_>,
    chat_id: ChatId,
    arguments: ParticipationArguments,
) -> Result<ParticipationConnection> {
    let default = ParticipationOrderInput::ascending(ParticipationOrderField::CreatedAt);
    let (arguments, page) = arguments.decode(default);
    let list = in_order("participations", chat_id, arguments.order);
    let page = page.request(context, list)?;
    let page = caller(context)?.need(PageOf { chat_id, arguments, page }).await?;
    Ok(ParticipationConnection::new(page, |_, key| list.cursor(key), Participation))
}

fn in_order(name: &str, id: impl Display, order: ParticipationOrder) -> List {
    List::ordered(name, id, order.field.as_str(), order.is_descending)
}
