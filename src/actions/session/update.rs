//! Changes the fields of a session.

use super::input::check_texts;
use super::lock::lock_session;
use super::participants::named_participants;
use crate::actions::history::{Counted, record_session_change, take_part};
use crate::actions::write::refuse_ended;
use crate::actions::{Actions, Result};
use crate::domain::change::SessionChange;
use crate::domain::event::SessionRow;
use crate::domain::policy::{self, Verb};
use crate::domain::refused::Refused;
use crate::domain::viewer::Viewer;
use crate::store::{Tx, sessions};
use entity::{ActorId, SessionId, Timestamp};

/// Changes to a session's own fields.
#[derive(Clone, Debug)]
pub struct UpdateSession {
    /// The session to change.
    pub session_id: SessionId,
    /// `None` keeps the title, `Some(None)` removes it.
    pub title: Option<Option<String>>,
    /// The new audio or video room.
    pub call_room: Option<String>,
    /// `None` keeps the planned time, `Some(None)` removes it.
    pub scheduled_at: Option<Option<Timestamp>>,
    /// The actors to call from now on. Those who created, started or accepted the session always stay.
    pub participant_ids: Option<Vec<ActorId>>,
}

impl Actions {
    /// Changes a session's title, room, time or participants. Fails if the session is over.
    pub async fn update_session(&self, viewer: &Viewer, input: UpdateSession) -> Result<SessionRow> {
        let permit = self.permit(viewer, Verb::UseSessions)?;
        Ok(permit.write_to(input.session_id, update, input).await?.value)
    }
}

async fn update(tx: &mut Tx, viewer: Viewer, input: UpdateSession) -> Result<SessionRow> {
    let UpdateSession { session_id, mut title, mut call_room, scheduled_at, participant_ids } = input;
    check_texts(title.as_mut().and_then(Option::as_mut), call_room.as_mut(), None)?;
    let (mut row, _) = lock_session(tx, &viewer, session_id).await?;
    refuse_ended(tx)?;
    if !policy::changes_session(&viewer, &row) {
        return Err(Refused::NotParticipant.into());
    }
    let state = row.session.state;
    if state.is_over() {
        return Err(Refused::Invalid { field: "chatSessionId".into(), reason: "The session is over." }.into());
    }
    let before = row.clone();
    if let Some(title) = title {
        row.session.title = title;
    }
    if let Some(call_room) = call_room {
        row.session.call_room = call_room;
    }
    if let Some(scheduled_at) = scheduled_at {
        row.session.scheduled_at = scheduled_at;
    }
    let by = Some(viewer.actor_id);
    if let Some(ids) = participant_ids {
        let participants = named_participants(tx, &viewer, &ids, &row.stays()).await?;
        if participants.len() < 2 {
            let reason = "A session must have at least one participant other than its creator.";
            return Err(Refused::Invalid { field: "participantIds".into(), reason }.into());
        }
        for participant in &participants {
            take_part(tx, participant, Counted::Yes, by).await?;
        }
        row.participant_ids = participants.iter().map(|actor| actor.id).collect();
        sessions::replace_participants(tx, session_id, &row.participant_ids).await?;
    }
    if row != before {
        sessions::update_from(tx, &mut row.session, state).await?;
        record_session_change(tx, SessionChange::Changed, &row, &before.participant_ids, by).await?;
    }
    Ok(row)
}
