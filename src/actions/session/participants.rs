//! Determines who is called to a session.

use crate::actions::Result;
use crate::domain::field_path::FieldPath;
use crate::domain::limits;
use crate::domain::policy::{self, Ties};
use crate::domain::refused::Refused;
use crate::domain::viewer::Viewer;
use crate::store::{Tx, actors, participations};
use entity::{ActorId, actor};

/// The caller and all current participants of the chat who can be called.
pub(super) async fn everybody(tx: &Tx, viewer: &Viewer) -> Result<Vec<actor::Model>> {
    let taking_part = participations::list_now(tx, tx.chat()?.id).await?;
    let mut ids: Vec<_> = taking_part.into_iter().map(|participation| participation.actor_id).collect();
    ids.push(viewer.actor_id);
    ids.sort_unstable();
    ids.dedup();
    if ids.len() > limits::PARTICIPANTS {
        return Err(Refused::TooMany { field: "participantIds".into(), limit: limits::PARTICIPANTS }.into());
    }
    let mut found = actors::find_many_in_organization(tx, viewer.organization_id, &ids).await?;
    found.retain(|actor| actor.deactivated_at.is_none());
    Ok(found)
}

/// The named actors, if they may be called to this chat. Users may be called to any chat with a visitor,
/// everybody else only to chats in which they participate. The actors in `stays` are always included.
pub(super) async fn named_participants(
    tx: &Tx,
    viewer: &Viewer,
    ids: &[ActorId],
    stays: &[ActorId],
) -> Result<Vec<actor::Model>> {
    let given = ids;
    let mut ids = [ids, stays].concat();
    ids.sort_unstable();
    ids.dedup();
    if ids.len() > limits::PARTICIPANTS {
        return Err(Refused::TooMany { field: "participantIds".into(), limit: limits::PARTICIPANTS }.into());
    }
    let chat = tx.chat()?;
    let taking_part = participations::list_now(tx, chat.id).await?;
    let found = actors::find_many_in_organization(tx, viewer.organization_id, &ids).await?;
    let may_be_called = |actor: &actor::Model| {
        let own = taking_part.iter().find(|participation| participation.actor_id == actor.id);
        policy::can_be_involved(actor, chat, Ties::of(own))
    };
    if found.len() == ids.len() && found.iter().all(|actor| stays.contains(&actor.id) || may_be_called(actor))
    {
        Ok(found)
    } else {
        let is_there = |id: &ActorId| {
            found.iter().any(|actor| actor.id == *id && (stays.contains(id) || may_be_called(actor)))
        };
        let field = FieldPath::of("participantIds");
        let field = given.iter().position(|id| !is_there(id)).map_or(field.clone(), |at| field.item(at));
        Err(Refused::NotFound { what: "participant", field }.into())
    }
}
