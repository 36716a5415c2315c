//! The rules for actions on an existing message. Mutations and `viewerActions` share them.

use super::policy::{self, ChatAccess};
use super::refused::Refused;
use super::viewer::Viewer;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::TimeDelta;
use entity::{MessageId, Timestamp, chat, message};
use sha2::{Digest, Sha256};

/// The input field that names the message.
const FIELD: &str = "messageId";

/// A message that the viewer sees, with everything that determines their permitted actions.
#[derive(Clone, Copy, Debug)]
pub struct Handled<'a> {
    pub viewer: &'a Viewer,
    pub chat: &'a chat::Model,
    /// The viewer's access to the chat.
    pub access: ChatAccess,
    /// The message to act on.
    pub message: &'a message::Model,
    /// The current time.
    pub now: Timestamp,
    /// The number of minutes in which senders can change a message.
    pub window_minutes: i32,
}

/// An action on a message that a viewer can take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MessageAction {
    /// Edit its text.
    Edit,
    /// Delete its content.
    Delete,
    /// Reply to it with a message.
    Reply,
    /// React to it with an emoji.
    React,
}

impl MessageAction {
    /// All actions, in the order in which they are listed.
    pub const ALL: [Self; 4] = [Self::Edit, Self::Delete, Self::Reply, Self::React];
}

impl Handled<'_> {
    /// Checks that the viewer may take the action now. Mutations may still accept a call that changes
    /// nothing.
    pub fn may(&self, action: MessageAction) -> Result<(), Refused> {
        self.takes(action)?;
        match action {
            MessageAction::Edit => {
                self.is_there()?;
                self.is_open()?;
                self.is_in_time()
            }
            MessageAction::Delete => {
                self.is_there()?;
                if policy::deletes_messages_of_others(self.viewer) { Ok(()) } else { self.is_in_time() }
            }
            MessageAction::Reply | MessageAction::React => {
                self.is_there()?;
                self.is_open()
            }
        }
    }

    /// Checks that the action is possible for this message and viewer at any time.
    pub fn takes(&self, action: MessageAction) -> Result<(), Refused> {
        if !self.access.acts() {
            return Err(Refused::NotParticipant);
        }
        if !self.message.is_written() {
            return Err(refused("A system message cannot be edited, deleted or reacted to."));
        }
        let is_own = self.message.sender_id == Some(self.viewer.actor_id);
        match action {
            MessageAction::Edit if !is_own => Err(refused("Only the sender can edit a message.")),
            MessageAction::Edit if self.message.deleted_at.is_none() && self.message.text.is_none() => {
                Err(refused("The message has no text to edit."))
            }
            MessageAction::Delete if !is_own && !policy::deletes_messages_of_others(self.viewer) => {
                Err(refused("A message is deleted by its sender or an admin."))
            }
            MessageAction::Edit | MessageAction::Delete | MessageAction::Reply | MessageAction::React => {
                Ok(())
            }
        }
    }

    fn is_there(&self) -> Result<(), Refused> {
        if self.message.deleted_at.is_some() { Err(refused("The message was deleted.")) } else { Ok(()) }
    }

    fn is_open(&self) -> Result<(), Refused> {
        if self.chat.ended_at.is_some() { Err(Refused::ChatEnded) } else { Ok(()) }
    }

    fn is_in_time(&self) -> Result<(), Refused> {
        let window = TimeDelta::minutes(self.window_minutes.into());
        if self.now < self.message.created_at.plus(window) {
            Ok(())
        } else {
            Err(Refused::TooLate { field: FIELD.into() })
        }
    }
}

fn refused(reason: &'static str) -> Refused {
    Refused::Invalid { field: FIELD.into(), reason }
}

/// Whether the message was originally sent with this text, even if it was edited or deleted since.
#[must_use]
pub fn was_sent_as(message: &message::Model, text: Option<&str>) -> bool {
    match &message.sent_digest {
        Some(sent) => *sent == digest(message.id, text),
        None => message.text.as_deref() == text,
    }
}

/// A digest of a text as it was sent. For deleted messages, only the digest is kept.
#[must_use]
pub fn digest(id: MessageId, text: Option<&str>) -> String {
    let digest = Sha256::new().chain_update(id.0.as_bytes()).chain_update(text.unwrap_or_default());
    URL_SAFE_NO_PAD.encode(digest.finalize())
}
