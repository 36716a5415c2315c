//! Messages: sends them, and moves read marks.

use super::attachments::{attach, is_same};
use super::history::{Counted, NewEntry, Said, add_entry, take_part};
use super::presences::Lease;
use super::suggesting::suggest;
use super::write::{lock_visible_chat, refuse_ended};
use super::{Actions, Error, Result};
use crate::domain::attachment::Attached;
use crate::domain::event::{MessageRow, ViewChange};
use crate::domain::message::was_sent_as;
use crate::domain::policy::{self, Verb};
use crate::domain::refused::Refused;
use crate::domain::text;
use crate::domain::viewer::{Viewer, ViewerRole};
use crate::store::{Tx, actors, messages, own_views, participations, presences};
use entity::{
    ActorId, ActorType, ChatId, ChatType, MessageId, MessageType, WebPage, actor, chat, message,
    participation,
};
use futures_util::FutureExt;
use std::sync::Arc;

/// A message to send.
#[derive(Clone, Debug)]
pub struct SendMessage {
    /// Where.
    pub chat_id: ChatId,
    /// 1 to 2000 characters; may be absent when something is attached.
    pub text: Option<String>,
    /// What is attached, uploaded by the viewer.
    pub attached: Attached,
    /// In whose name; admins and API clients only.
    pub sender_id: Option<ActorId>,
    /// MESSAGE, or AUTOSUGGEST.
    pub message_type: MessageType,
    /// Where the visitor is.
    pub page: Option<WebPage>,
    /// Makes sending again safe.
    pub external_id: Option<String>,
    /// A note among colleagues; users only.
    pub is_internal: bool,
    /// The message that it answers.
    pub reply_to_id: Option<MessageId>,
}

/// A message that is on disk.
pub struct SentMessage {
    /// The message.
    pub message: MessageRow,
    /// The chat with it.
    pub chat: Arc<chat::Model>,
}

/// How far a participant has read.
#[derive(Clone, Debug)]
pub struct MarkRead {
    /// Where.
    pub chat_id: ChatId,
    /// The sequence of the last message that was read.
    pub through_sequence: i64,
}

impl Actions {
    /// Sends a message. Sending it again under the same `external_id` answers the first one.
    pub async fn send_message(&self, viewer: &Viewer, input: SendMessage) -> Result<SentMessage> {
        if input.sender_id.is_none() && viewer.role == ViewerRole::ApiClient {
            return Err(Refused::Invalid {
                field: "senderId".into(),
                reason: "An API client must set `senderId`.",
            }
            .into());
        }
        let is_for_another = input.sender_id.is_some_and(|sender_id| sender_id != viewer.actor_id);
        let verb = if is_for_another { Verb::SendMessageFor } else { Verb::SendMessage };
        policy::may(viewer.role, verb)?;
        if input.message_type == MessageType::Autosuggest {
            policy::may(viewer.role, Verb::SuggestMessage)?;
        }
        if input.is_internal {
            policy::may(viewer.role, Verb::WriteNote)?;
        }
        let (viewer, lease) = (viewer.clone(), self.lease());
        let written = self.write_to(input.chat_id, move |tx| send(tx, viewer, input, lease).boxed()).await?;
        let (message, chat) = written.with_chat()?;
        Ok(SentMessage { message, chat })
    }

    /// Moves the viewer's read mark on; it never moves back. Nothing happens in a chat that the viewer sees and does not
    /// take part in: they have no mark there.
    pub async fn mark_read(&self, viewer: &Viewer, input: MarkRead) -> Result<Option<participation::Model>> {
        policy::may(viewer.role, Verb::ActInChat)?;
        let viewer = viewer.clone();
        Ok(self.write_to(input.chat_id, move |tx| mark(tx, viewer, input).boxed()).await?.value)
    }
}

async fn send(tx: &mut Tx, viewer: Viewer, input: SendMessage, lease: Lease) -> Result<MessageRow> {
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
        // The sender's row may be written, and is locked before the chat's.
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
    let acts = viewer.role == ViewerRole::ApiClient
        || policy::acts_in_chat(&viewer, tx.chat()?, place.participates());
    if !acts {
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

/// The message that is to be answered: of the chat that is locked, and seen by the viewer.
async fn answered(tx: &Tx, viewer: &Viewer, id: MessageId) -> Result<message::Model> {
    let found = messages::find_many_by_id(tx, viewer.organization_id, &[id]).await?.pop();
    let chat_id = tx.chat()?.id;
    found
        .filter(|row| row.message.chat_id == chat_id && policy::sees_message(viewer, row))
        .map(|row| row.message)
        .ok_or_else(|| Refused::NotFound { what: "message", field: "replyToId".into() }.into())
}

/// What was written and is there is answered; a note by notes alone.
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

/// A note is a user's, where there is a visitor to keep it from.
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

/// A message says something, or has something attached.
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

/// Adds a message of type MESSAGE with all that follows from it; nothing follows from a note that a visitor could
/// see. The caller has checked that it may be.
pub(super) async fn say(
    tx: &mut Tx,
    sender: &actor::Model,
    said: Said,
    by: Option<ActorId>,
    lease: Lease,
) -> Result<MessageRow> {
    let Said { text, external_id, page, is_internal, reply_to } = said;
    let entry = NewEntry {
        text,
        external_id,
        is_internal,
        reply_to,
        ..NewEntry::notice(MessageType::Message, Some(sender))
    };
    if is_internal {
        return add_entry(tx, entry, by).await;
    }
    let mut participation = take_part(tx, sender, Counted::Yes, by).await?;
    let (now, sequence) = (tx.now(), tx.next_sequence()?);
    participation.message_count += 1;
    participation.first_message_at.get_or_insert(now);
    participation.updated_at = now;
    if by == Some(sender.id) {
        // Who answers has read.
        (participation.last_read_sequence, participation.last_read_at) = (sequence, Some(now));
    }
    participations::update(tx, &participation).await?;
    own_views::be_active(tx, participation.chat_id, now).await?;
    let chat = tx.chat_mut()?;
    chat.last_message_sequence = Some(sequence);
    chat.message_count += 1;
    chat.active_at = now;
    match sender.actor_type {
        ActorType::Visitor => {
            if chat.chat_type == ChatType::Visitor {
                chat.waiting_since.get_or_insert(now);
                keep_first_page(chat, page.or_else(|| sender.page()));
            }
            chat.visitor_message_count += 1;
        }
        ActorType::User | ActorType::ApiClient => {
            chat.user_message_count += 1;
            chat.waiting_since = None;
        }
    }
    if sender.actor_type == ActorType::User && by == Some(sender.id) {
        renew_lease(tx, sender.id, lease).await?;
    }
    add_entry(tx, entry, by).await
}

/// The chat keeps the page of the visitor's first message.
fn keep_first_page(chat: &mut chat::Model, page: Option<WebPage>) {
    if let (0, Some(WebPage { url, title })) = (chat.visitor_message_count, page) {
        (chat.first_visitor_message_url, chat.first_visitor_message_title) = (Some(url), title);
    }
}

/// Who sends is plainly there.
async fn renew_lease(tx: &mut Tx, user_id: ActorId, lease: Lease) -> Result<()> {
    let chat = tx.chat()?;
    if chat.present_user_count == 0 {
        return Ok(());
    }
    let (chat_id, now) = (chat.id, tx.clock_time());
    let present = presences::list_now(tx, chat_id).await?;
    let own = present.into_iter().find(|presence| presence.user_id == user_id);
    if let Some(presence) = own.filter(|presence| !lease.is_over(presence, now)) {
        lease.renew(tx, presence).await?;
    }
    Ok(())
}

/// In whose name the message is: the viewer's own, or that of somebody who could have written it.
async fn sender(tx: &Tx, viewer: &Viewer, sender_id: ActorId) -> Result<actor::Model> {
    let not_found = || Error::from(Refused::NotFound { what: "sender", field: "senderId".into() });
    let sender =
        actors::find_in_organization(tx, viewer.organization_id, sender_id).await?.ok_or_else(not_found)?;
    if sender_id == viewer.actor_id {
        return Ok(sender);
    }
    let chat = tx.chat()?;
    let takes_part = participations::find_of_actor(tx, chat.id, sender_id)
        .await?
        .is_some_and(|participation| participation.ended_at.is_none());
    let could = match (sender.actor_type, chat.chat_type) {
        (ActorType::User, ChatType::Visitor) => true,
        (ActorType::User | ActorType::Visitor, ChatType::Visitor | ChatType::Direct | ChatType::Group) => {
            takes_part
        }
        (ActorType::ApiClient, ChatType::Visitor | ChatType::Direct | ChatType::Group) => false,
    };
    if could && sender.deactivated_at.is_none() { Ok(sender) } else { Err(not_found()) }
}

/// What makes two messages the same one, sent twice.
struct Content<'a> {
    message_type: MessageType,
    text: Option<&'a str>,
    is_internal: bool,
    reply_to: Option<i64>,
    attached: &'a Attached,
}

/// The first message, if this is the same one again.
async fn same_content(tx: &Tx, first: MessageRow, content: &Content<'_>) -> Result<MessageRow> {
    let (message, Content { message_type, text, is_internal, reply_to, attached }) =
        (&first.message, content);
    let is_same_text = message.message_type == *message_type
        && message.is_internal == *is_internal
        && message.reply_to_sequence == *reply_to
        && was_sent_as(message, *text);
    // What was attached to a message that was deleted is gone, and cannot be compared.
    let is_deleted = message.deleted_at.is_some();
    if is_same_text && (is_deleted || is_same(tx, tx.chat()?.organization_id, message.id, attached).await?) {
        Ok(first)
    } else {
        Err(Refused::Conflict { field: "externalId".into() }.into())
    }
}

async fn mark(tx: &mut Tx, viewer: Viewer, input: MarkRead) -> Result<Option<participation::Model>> {
    let MarkRead { chat_id, through_sequence } = input;
    if through_sequence < 0 {
        let reason = "`throughSequence` must be 0 or more.";
        return Err(Refused::Invalid { field: "throughSequence".into(), reason }.into());
    }
    let place = lock_visible_chat(tx, &viewer, chat_id).await?;
    let is_taking_part = place.participates();
    let Some(mut row) = place.participation else { return Ok(None) };
    let sequence = through_sequence.min(tx.chat()?.last_sequence);
    if is_taking_part && sequence > row.last_read_sequence {
        let now = tx.now();
        (row.last_read_sequence, row.last_read_at) = (sequence, Some(now));
        (row.updated_at, row.viewed_at) = (now, Some(now));
        participations::update(tx, &row).await?;
        tx.view_changed(row.clone(), ViewChange::Read)?;
    }
    Ok(Some(row))
}
