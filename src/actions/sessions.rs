//! Sessions: create them and move them on.

use super::{Actions, Result};
use crate::domain::directive::Directive;
use crate::domain::event::SessionRow;
use crate::domain::viewer::Viewer;
use entity::{ActorId, ChatId, SessionId, SessionType, Timestamp};

#[derive(Clone, Debug)]
pub struct CreateSession {
    /// Exactly one of this and `participant_ids` finds the chat.
    pub chat_id: Option<ChatId>,
    /// With `chat_id`: who of the chat is called, everybody where absent.
    pub participant_ids: Option<Vec<ActorId>>,
    pub title: Option<String>,
    pub session_type: SessionType,
    pub call_room: Option<String>,
    pub scheduled_at: Option<Timestamp>,
    /// Start it at once.
    pub start: bool,
    pub ring_seconds: Option<i32>,
    pub request_id: Option<String>,
}

#[derive(Clone, Debug)]
pub struct UpdateSession {
    pub session_id: SessionId,
    /// `None` leaves it, `Some(None)` takes it away.
    pub title: Option<Option<String>>,
    pub call_room: Option<String>,
    pub scheduled_at: Option<Option<Timestamp>>,
    pub participant_ids: Option<Vec<ActorId>>,
}

#[derive(Clone, Debug)]
pub struct GiveDirective {
    pub session_id: SessionId,
    pub directive: Directive,
    /// Of REJECT and FINISH.
    pub reason: Option<String>,
    /// Of START.
    pub ring_seconds: Option<i32>,
    /// Of ACCEPT.
    pub request_id: Option<String>,
}

impl Actions {
    pub async fn create_session(&self, _viewer: &Viewer, _input: CreateSession) -> Result<SessionRow> {
        todo!()
    }
    pub async fn update_session(&self, _viewer: &Viewer, _input: UpdateSession) -> Result<SessionRow> {
        todo!()
    }
    pub async fn give_directive(&self, _viewer: &Viewer, _input: GiveDirective) -> Result<SessionRow> {
        todo!()
    }
}
