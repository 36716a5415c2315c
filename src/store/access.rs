//! The visibility rules of `domain::policy` as SQL conditions on rows. No other module of the store states
//! them; `tests/it/access.rs` compares them with the rules.

use crate::domain::policy::{self, Ground};
use crate::domain::viewer::Viewer;
use entity::{ActorId, ChatType, chat, chat_session, chat_session_participant, message, participation, room};
use sea_orm::sea_query::{Expr, ExprTrait, Func, SelectStatement};
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, QuerySelect, QueryTrait};

/// Whether the viewer sees the chat of the row, as [`policy::sees_chat`] says.
pub(super) fn sees_chat(viewer: &Viewer) -> Condition {
    Condition::all()
        .add(chat::Column::OrganizationId.eq(viewer.organization_id))
        .add(sees_chat_of_own_organization(viewer))
}

/// Like [`sees_chat`], for chats that are found by their ids. It avoids the index of the organization's
/// chats, which SQLite would choose because it lacks statistics.
pub(super) fn sees_chat_among(viewer: &Viewer) -> Condition {
    let organization_id = || Expr::col((chat::Entity, chat::Column::OrganizationId));
    let of_organization = Expr::from(Func::coalesce([organization_id(), organization_id()]));
    Condition::all()
        .add(of_organization.eq(viewer.organization_id))
        .add(sees_chat_of_own_organization(viewer))
}

fn sees_chat_of_own_organization(viewer: &Viewer) -> Condition {
    Condition::all()
        .add(chat::Column::DeletedAt.is_null())
        .add(any_of(viewer, policy::grounds(viewer.role).iter().copied()))
}

fn any_of(viewer: &Viewer, grounds: impl Iterator<Item = Ground>) -> Condition {
    let mut any = None;
    for ground in grounds {
        let holds = match ground {
            Ground::Any => return Condition::all(),
            Ground::Public => {
                let is_public =
                    chat::Column::ChatType.eq(ChatType::Visitor).and(chat::Column::IsPrivate.eq(false));
                match viewer.rooms.closed() {
                    [] => is_public,
                    closed => is_public.and(chat::Column::RoomId.is_not_in(closed.iter().copied())),
                }
            }
            Ground::OwnRoom if viewer.rooms.own().is_empty() => continue,
            Ground::OwnRoom => chat::Column::RoomId.is_in(viewer.rooms.own().iter().copied()),
            Ground::Visitor => chat::Column::VisitorId.eq(viewer.actor_id),
            Ground::Participation => chat::Column::Id.in_subquery(participated_in_by(viewer.actor_id)),
        };
        any = Some(any.unwrap_or_else(Condition::any).add(holds));
    }
    any.unwrap_or_else(|| Condition::all().add(Expr::cust("1 = 0")))
}

/// Whether the viewer sees the room of the row, as [`policy::sees_room`] says.
pub(super) fn sees_room(viewer: &Viewer) -> Condition {
    let condition = Condition::all().add(room::Column::OrganizationId.eq(viewer.organization_id));
    match viewer.rooms.closed() {
        closed if policy::is_bound_to_rooms(viewer.role) && !closed.is_empty() => {
            condition.add(room::Column::Id.is_not_in(closed.iter().copied()))
        }
        _ => condition,
    }
}

/// Whether the viewer sees the session of the row and its chat. Both have the same organization.
pub(super) fn sees_session_and_chat(viewer: &Viewer) -> Condition {
    let seen = chat::Entity::find()
        .select_only()
        .column(chat::Column::Id)
        .filter(
            Expr::col((chat::Entity, chat::Column::Id))
                .equals((chat_session::Entity, chat_session::Column::ChatId)),
        )
        .filter(sees_chat_of_own_organization(viewer))
        .into_query();
    Condition::all()
        .add(chat_session::Column::OrganizationId.eq(viewer.organization_id))
        .add(Expr::exists(seen))
        .add(sees_session(viewer))
}

/// Whether the viewer sees the session of the row, as [`policy::sees_session`] says. The viewer must see its
/// chat.
pub(super) fn sees_session(viewer: &Viewer) -> Condition {
    if policy::sees_all_sessions(viewer) {
        return Condition::all();
    }
    Condition::all().add(chat_session::Column::Id.in_subquery(sessions_calling(viewer.actor_id)))
}

/// Whether the viewer sees the message of the row, as [`policy::sees_message`] says. The viewer must see its
/// chat.
pub(super) fn sees_message(viewer: &Viewer) -> Condition {
    let mut seen = Condition::all();
    if !policy::sees_notes(viewer) {
        seen = seen.add(message::Column::IsInternal.eq(false));
    }
    if !policy::sees_all_sessions(viewer) {
        let session_id = || Expr::col((message::Entity, message::Column::SessionId));
        let is_called = session_id().in_subquery(sessions_calling(viewer.actor_id));
        seen = seen.add(session_id().is_null().or(is_called));
    }
    seen
}

/// Whether the viewer sees a text, given the column that says whether it is a note. The viewer must see its
/// chat. Messages of sessions have no text, so they need no check.
pub(super) fn sees_text(viewer: &Viewer, is_internal: Expr) -> Condition {
    if policy::sees_notes(viewer) {
        return Condition::all();
    }
    Condition::all().add(is_internal.eq(false))
}

/// The column with the time of the last event of a chat that the viewer may see, as [`policy::changed_at`]
/// says.
pub(super) fn changed_at(viewer: &Viewer) -> chat::Column {
    if policy::sees_all_events(viewer) { chat::Column::LoggedAt } else { chat::Column::UpdatedAt }
}

/// Whether the actor of the participation of the row participates now.
pub(super) fn participates() -> Expr {
    participation::Column::EndedAt.is_null()
}

/// The chats in which the actor participates now.
pub(super) fn participated_in_by(actor_id: ActorId) -> SelectStatement {
    participation::Entity::find()
        .select_only()
        .column(participation::Column::ChatId)
        .filter(participation::Column::ActorId.eq(actor_id))
        .filter(participates())
        .into_query()
}

/// The sessions to which the actor is called.
pub(super) fn sessions_calling(actor_id: ActorId) -> SelectStatement {
    chat_session_participant::Entity::find()
        .select_only()
        .column(chat_session_participant::Column::SessionId)
        .filter(chat_session_participant::Column::ActorId.eq(actor_id))
        .into_query()
}
