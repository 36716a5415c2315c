//! Sends messages.

use super::say::say;
use super::suggest::suggest;
use crate::actions::attachment::attach::{attach, is_same};
use crate::actions::history::Said;
use crate::actions::presence::lease::Lease;
use crate::actions::write::{lock_visible_chat, refuse_ended};
use crate::actions::{Actions, Error, Result};
use crate::domain::attachment::Attached;
use crate::domain::event::MessageRow;
use crate::domain::message::was_sent_as;
use crate::domain::policy::{self, Verb};
use crate::domain::refused::Refused;
use crate::domain::text;
use crate::domain::viewer::Viewer;
use crate::store::{Tx, actors, messages, participations};
use entity::{ActorId, ActorType, ChatId, ChatType, MessageId, MessageType, WebPage, actor, chat, message};
use std::sync::Arc;

/// A message to send.
#[derive(Clone, Debug)]
pub struct SendMessage {
    /// The chat to send to.
    pub chat_id: ChatId,
    /// The text, 1 to 2000 characters. Optional if something is attached.
    pub text: Option<String>,
    /// The attachments. Uploads must be the viewer's own.
    pub attached: Attached,
    /// The sender, if not the viewer; for admins and API clients only.
    pub sender_id: Option<ActorId>,
    /// MESSAGE or AUTOSUGGEST.
    pub message_type: MessageType,
    /// The page that the visitor is on.
    pub page: Option<WebPage>,
    /// The id under which a retry returns the same message.
    pub external_id: Option<String>,
    /// Whether the message is a note for colleagues; for users only.
    pub is_internal: bool,
    /// The message that this one replies to.
    pub reply_to_id: Option<MessageId>,
}

/// A committed message.
pub struct SentMessage {
    pub message: MessageRow,
    /// The chat after the message was added.
    pub chat: Arc<chat::Model>,
}

impl Actions {
    /// Sends a message. A retry with the same `external_id` returns the first message.
    pub async fn send_message(&self, viewer: &Viewer, input: SendMessage) -> Result<SentMessage> {
        if input.sender_id.is_none() && policy::must_name_sender(viewer) {
            return Err(Refused::Invalid {
                field: "senderId".into(),
                reason: "An API client must set `senderId`.",
            }
            .into());
        }
        let is_for_another = input.sender_id.is_some_and(|sender_id| sender_id != viewer.actor_id);
        let verb = if is_for_another { Verb::SendMessageFor } else { Verb::SendMessage };
        let permit = self.permit(viewer, verb)?;
        if input.message_type == MessageType::Autosuggest {
            policy::may(viewer.role, Verb::SuggestMessage)?;
        }
        if input.is_internal {
            policy::may(viewer.role, Verb::WriteNote)?;
        }
        let written = permit.write_to(input.chat_id, send, (input, self.lease())).await?;
        let (message, chat) = written.with_chat()?;
        Ok(SentMessage { message, chat })
    }
}

async fn send(tx: &mut Tx, viewer: Viewer, (input, lease): (SendMessage, Lease)) -> Result<MessageRow> {
    let SendMessage {
        chat_id,
        text,
        mut attached,
        sender_id,
        message_type,
        mut page,
        external_id,
        is_internal,
        reply_to_id,
    } = input;
    attached.normalize();
    if let Some(external_id) = &external_id {
        text::external_id("externalId", external_id)?;
    }
    if let Some(page) = &mut page {
        text::page("page", page)?;
    }
    let sender_id = sender_id.unwrap_or(viewer.actor_id);
    if page.is_some() {
        // The sender's row may be written, and must be locked before the chat's.
        actors::lock_in_organization(tx, viewer.organization_id, &[sender_id]).await?;
    }
    let place = lock_visible_chat(tx, &viewer, chat_id).await?;
    let mut sender = sender(tx, &viewer, sender_id).await?;
    let answered = match reply_to_id {
        Some(id) => Some(answered(tx, &viewer, id).await?),
        None => None,
    };
    let reply_to = answered.as_ref().map(|message| message.sequence);
    if let Some(external_id) = &external_id
        && let Some(first) =
            messages::find_by_external_id(tx, viewer.organization_id, chat_id, sender.id, external_id).await?
    {
        let content =
            Content { message_type, text: text.as_deref(), is_internal, reply_to, attached: &attached };
        return same_content(tx, first, &content).await;
    }
    check_content(text.as_deref(), &attached)?;
    if !place.access.sends() {
        return Err(Refused::NotParticipant.into());
    }
    refuse_ended(tx)?;
    if let Some(answered) = &answered {
        may_be_answered(answered, is_internal)?;
    }
    if is_internal {
        may_be_noted(tx, &sender, message_type)?;
    }
    if let Some(page) = page.clone()
        && sender.actor_type == ActorType::Visitor
    {
        sender.set_page(page);
        actors::update(tx, &sender).await?;
    }
    let (said, by) = (Said { text, external_id, page, is_internal, reply_to }, Some(viewer.actor_id));
    let sent = if message_type == MessageType::Autosuggest {
        suggest(tx, &sender, said, by).await?
    } else {
        say(tx, &sender, said, by, lease).await?
    };
    attach(tx, &viewer, &sent.message, &attached).await?;
    Ok(sent)
}

/// Finds the message to reply to, which must be in the locked chat and visible to the viewer.
async fn answered(tx: &Tx, viewer: &Viewer, id: MessageId) -> Result<message::Model> {
    let found = messages::find_many_by_id(tx, viewer.organization_id, &[id]).await?.pop();
    let chat_id = tx.chat()?.id;
    found
        .filter(|row| row.message.chat_id == chat_id && policy::sees_message(viewer, row))
        .map(|row| row.message)
        .ok_or_else(|| Refused::NotFound { what: "message", field: "replyToId".into() }.into())
}

/// Checks that a message can be replied to: it was written by an actor and not deleted. Only notes reply to
/// notes.
fn may_be_answered(message: &message::Model, is_internal: bool) -> Result<()> {
    let reason = if !message.is_written() {
        "System messages cannot be replied to."
    } else if message.deleted_at.is_some() {
        "The message was deleted."
    } else if message.is_internal && !is_internal {
        "Only a note can reply to a note."
    } else {
        return Ok(());
    };
    Err(Refused::Invalid { field: "replyToId".into(), reason }.into())
}

/// Checks that a note can be added: only users write notes, and only in chats with a visitor.
fn may_be_noted(tx: &Tx, sender: &actor::Model, message_type: MessageType) -> Result<()> {
    if message_type != MessageType::Message {
        return Err(
            Refused::Invalid { field: "type".into(), reason: "A note must have the type MESSAGE." }.into()
        );
    }
    let chat = tx.chat()?;
    let has_visitor = match chat.chat_type {
        ChatType::Visitor => true,
        ChatType::Direct | ChatType::Group => chat.visitor_participation_count > 0,
    };
    let reason = match (sender.actor_type, has_visitor) {
        (ActorType::User, true) => return Ok(()),
        (ActorType::User, false) => "Notes are only for VISITOR chats.",
        (ActorType::Visitor | ActorType::ApiClient, _) => "Only users can write notes.",
    };
    Err(Refused::Invalid { field: "isInternal".into(), reason }.into())
}

/// Checks that the message has a text or an attachment.
fn check_content(text: Option<&str>, attached: &Attached) -> Result<()> {
    match text {
        Some(text) => text::message("text", text)?,
        None if attached.is_empty() => {
            let reason = "`text` is required if the message has no attachments.";
            return Err(Refused::Invalid { field: "text".into(), reason }.into());
        }
        None => {}
    }
    Ok(attached.check()?)
}

/// The sender of the message: the viewer, or another actor who could have sent it.
async fn sender(tx: &Tx, viewer: &Viewer, sender_id: ActorId) -> Result<actor::Model> {
    let not_found = || Error::from(Refused::NotFound { what: "sender", field: "senderId".into() });
    let sender =
        actors::find_in_organization(tx, viewer.organization_id, sender_id).await?.ok_or_else(not_found)?;
    if sender_id == viewer.actor_id {
        return Ok(sender);
    }
    let chat = tx.chat()?;
    let ties = participations::ties_of(tx, chat.id, sender_id).await?;
    if policy::can_be_involved(&sender, chat, ties) { Ok(sender) } else { Err(not_found()) }
}

/// The content by which a retry is recognized.
struct Content<'a> {
    message_type: MessageType,
    text: Option<&'a str>,
    is_internal: bool,
    reply_to: Option<i64>,
    attached: &'a Attached,
}

/// Returns the first message if its content is the same; otherwise, refuses.
async fn same_content(tx: &Tx, first: MessageRow, content: &Content<'_>) -> Result<MessageRow> {
    let (message, Content { message_type, text, is_internal, reply_to, attached }) =
        (&first.message, content);
    let is_same_text = message.message_type == *message_type
        && message.is_internal == *is_internal
        && message.reply_to_sequence == *reply_to
        && was_sent_as(message, *text);
    // The attachments of a deleted message are gone and cannot be compared.
    let is_deleted = message.deleted_at.is_some();
    if is_same_text && (is_deleted || is_same(tx, tx.chat()?.organization_id, message.id, attached).await?) {
        Ok(first)
    } else {
        Err(Refused::Conflict { field: "externalId".into() }.into())
    }
}
