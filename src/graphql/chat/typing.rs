//! Typing indicators.

use super::super::actor::Actor;
use super::super::caller::live;
use super::super::error::{Fault, Result};
use super::super::scalar::DateTime;
use super::Chat;
use async_graphql::{Context, SimpleObject};
use entity::ChatId;
use futures_util::future::try_join_all;

/// A typing indicator: an actor who is typing.
#[derive(SimpleObject)]
pub(in crate::graphql) struct Typing {
    /// The actor who is typing.
    pub actor: Actor,
    /// The time at which the indicator expires, unless the actor renews it.
    pub expires_at: DateTime,
}

/// The typing indicators of a chat that the viewer can see.
pub(super) async fn typing_in(context: &Context<'_>, chat_id: ChatId) -> Result<Vec<Typing>> {
    let load = |(actor_id, expires_at)| async move {
        let actor = Chat::actor(context, Some(actor_id)).await?;
        Ok::<_, Fault>(actor.map(|actor| Typing { actor, expires_at: DateTime(expires_at) }))
    };
    let typing = try_join_all(live(context)?.typing(chat_id).into_iter().map(load)).await?;
    Ok(typing.into_iter().flatten().collect())
}
