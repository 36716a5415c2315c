//! Messages.

pub(super) mod archive;
pub(super) mod edit;
pub(super) mod history;
pub(super) mod mutation;
pub(super) mod reaction;
pub(super) mod search;

use super::actor::{Actor, name_shown};
use super::attachment::Attachment;
use super::caller::{caller, live};
use super::chat::Chat;
use super::connection::connection;
use super::enums::{ChatSessionState, MessageAction, MessageType};
use super::error::Result;
use super::id::Kind;
use super::loaders::{AttachmentsOf, MessageAt, ReactionsTo, RevisionsOf};
use super::scalar::DateTime;
use super::session::ChatSession;
use crate::domain::event::MessageRow;
use crate::domain::message::{Handled, MessageAction as Action};
use crate::domain::page::Key;
use crate::domain::policy;
use crate::live::{CursorError, Cursors, Live};
use async_graphql::{Context, ID, Object};
use edit::MessageRevision;
use entity::{ChatId, chat, organization};
use reaction::Reaction;
use uuid::Uuid;

/// A message or a system message in a chat's history.
#[derive(Clone)]
pub(super) struct Message(pub MessageRow);

impl Message {
    /// The message with its cursor.
    pub(super) fn edge(self, live: &Live) -> MessageEdge {
        let cursor = live.cursors().encode_chat(self.0.message.chat_id, self.0.message.sequence);
        MessageEdge { cursor, node: self }
    }
}

/// A message or a system message in a chat's history.
#[Object]
impl Message {
    /// The global id, for `node(id:)`.
    pub(super) async fn id(&self) -> ID {
        Kind::Message.encode(self.0.message.id.0)
    }

    /// The chat that the message belongs to.
    async fn chat(&self, context: &Context<'_>) -> Result<Chat> {
        Ok(Chat::new(caller(context)?.chat_of(self.0.message.chat_id).await?))
    }

    /// True if the message is a note, which visitors cannot see.
    async fn is_internal(&self) -> bool {
        self.0.message.is_internal
    }

    /// The type of the message.
    #[graphql(name = "type")]
    async fn message_type(&self) -> MessageType {
        self.0.message.message_type.into()
    }

    /// The cursor of the message in `Chat.messages`. Pass it as `after` or `before`.
    async fn cursor(&self, context: &Context<'_>) -> Result<String> {
        Ok(live(context)?.cursors().encode_chat(self.0.message.chat_id, self.0.message.sequence))
    }

    /// The position of the message in the chat. It increases from message to message, but not always by one.
    async fn sequence(&self) -> Result<i32> {
        i32::try_from(self.0.message.sequence)
            .map_err(|_| super::error::Fault::internal("a sequence is too large"))
    }

    /// The actor who sent the message, joined, left, or changed the state of the chat session. Null if the
    /// server acted.
    async fn sender(&self) -> Option<Actor> {
        self.0.sender.clone().and_then(Actor::new)
    }

    /// The receiver, if it is one person: the visitor for messages by users in a VISITOR chat, or the other
    /// participant of a DIRECT chat. Null for messages by visitors to staff, for notes, and in GROUP chats.
    async fn receiver(&self, context: &Context<'_>) -> Result<Option<Actor>> {
        let Some(sender) = &self.0.sender else { return Ok(None) };
        match self.0.message.message_type {
            _ if self.0.message.is_internal => return Ok(None),
            entity::MessageType::Message | entity::MessageType::Autosuggest => {}
            entity::MessageType::Join | entity::MessageType::Leave | entity::MessageType::Session => {
                return Ok(None);
            }
        }
        let caller = caller(context)?;
        let chat: chat::Model = caller.need(self.0.message.chat_id).await?;
        match chat.receiver_of(sender.id) {
            Some(id) => Ok(caller.load(id).await?.and_then(Actor::new)),
            None => Ok(None),
        }
    }

    /// The name of the sender to show to this viewer. Visitors see the `publicName` of users. Null for the
    /// server, or for a visitor without a name.
    async fn sender_name(&self, context: &Context<'_>) -> Result<Option<String>> {
        let names = policy::names(&caller(context)?.viewer);
        Ok(self.0.sender.as_ref().and_then(|sender| name_shown(names, sender)).cloned())
    }

    /// The attachments: files, then links, then contacts, each in the order in which they were sent. At most
    /// 10. Empty once the message is deleted.
    async fn attachments(&self, context: &Context<'_>) -> Result<Vec<Attachment>> {
        let found = caller(context)?.load(AttachmentsOf(self.0.message.id)).await?;
        Ok(found.unwrap_or_default().into_iter().map(Attachment::new).collect())
    }

    /// The text as it was sent or last edited. Null for system messages, for messages that only have
    /// attachments, and once the message is deleted.
    async fn text(&self) -> Option<&str> {
        self.0.message.text.as_deref()
    }

    /// The id that the sender gave the message, or one that the server generated. It is unique per sender and
    /// chat.
    async fn external_id(&self) -> &str {
        &self.0.message.external_id
    }

    /// The time of creation. It is never earlier than that of the previous message.
    async fn created_at(&self) -> DateTime {
        DateTime(self.0.message.created_at)
    }

    /// The time of the last edit. Null if the message was never edited.
    async fn edited_at(&self) -> Option<DateTime> {
        self.0.message.edited_at.map(DateTime)
    }

    /// The time of deletion. Null if the message was not deleted. A deleted message keeps only its position,
    /// its sender and its times.
    async fn deleted_at(&self) -> Option<DateTime> {
        self.0.message.deleted_at.map(DateTime)
    }

    /// The previous texts, oldest first, at most 50. Empty once the message is deleted. Null unless the viewer is
    /// staff or the sender.
    async fn revisions(&self, context: &Context<'_>) -> Result<Option<Vec<MessageRevision>>> {
        let (caller, message) = (caller(context)?, &self.0.message);
        if !policy::sees_revisions(&caller.viewer, message) {
            return Ok(None);
        }
        if message.edited_at.is_none() {
            return Ok(Some(Vec::new()));
        }
        let found = caller.load(RevisionsOf(message.id)).await?.unwrap_or_default();
        Ok(Some(found.into_iter().map(Into::into).collect()))
    }

    /// The message that this one replies to, in its current state; it may be deleted. Null if this is not a
    /// reply.
    async fn reply_to(&self, context: &Context<'_>) -> Result<Option<Self>> {
        let message = &self.0.message;
        match message.reply_to_sequence {
            Some(place) => Ok(caller(context)?.load(MessageAt((message.chat_id, place))).await?.map(Message)),
            None => Ok(None),
        }
    }

    /// The reactions in the order in which each emoji was first used, with at most 20 different emojis.
    async fn reactions(&self, context: &Context<'_>) -> Result<Vec<Reaction>> {
        let message = &self.0.message;
        if !message.is_written() || message.deleted_at.is_some() {
            return Ok(Vec::new());
        }
        let found = caller(context)?.load(ReactionsTo(message.id)).await?.unwrap_or_default();
        Ok(found.into_iter().map(Into::into).collect())
    }

    /// The actions that the viewer can take on the message now. Show a button only if its action is listed.
    async fn viewer_actions(&self, context: &Context<'_>) -> Result<Vec<MessageAction>> {
        let (caller, message) = (caller(context)?, &self.0.message);
        if !message.is_written() || message.deleted_at.is_some() {
            return Ok(Vec::new());
        }
        let chat: chat::Model = caller.need(message.chat_id).await?;
        let organization: organization::Model = caller.need(caller.viewer.organization_id).await?;
        let handled = Handled {
            viewer: &caller.viewer,
            chat: &chat,
            access: caller.access(&chat).await?,
            message,
            now: caller.actions.now().max(chat.logged_at),
            window_minutes: organization.edit_window_minutes,
        };
        let allowed = Action::ALL.into_iter().filter(|action| handled.may(*action).is_ok());
        Ok(allowed.map(Into::into).collect())
    }

    /// The time at which messages of the chat were last archived. Null if this message is not archived.
    async fn archived_at(&self, context: &Context<'_>) -> Result<Option<DateTime>> {
        let chat: chat::Model = caller(context)?.need(self.0.message.chat_id).await?;
        Ok(chat.archived_at.filter(|_| chat.is_archived(self.0.message.sequence)).map(DateTime))
    }

    /// The chat session of a message of type SESSION, in its current state. Null for other types, or if the
    /// viewer cannot see the session.
    async fn chat_session(&self, context: &Context<'_>) -> Result<Option<ChatSession>> {
        match self.0.message.session_id {
            Some(id) => Ok(caller(context)?.load(id).await?.map(ChatSession)),
            None => Ok(None),
        }
    }

    /// The state that the chat session reached with this message. Null unless the type is SESSION.
    async fn chat_session_state(&self) -> Option<ChatSessionState> {
        self.0.message.session_state.map(Into::into)
    }
}

connection! {
    /// A page of messages of a chat.
    MessageConnection,
    /// A message in a chat's history.
    MessageEdge of Message,
    fields { event_cursor: String }

    /// The position of the chat's events immediately before this page was read. Pass it as `after` of `chatEvents`
    /// or `messageAdded` to miss no event. An event during the read can be both in the page and in the
    /// subscription, so update messages by id.
    async fn event_cursor(&self) -> &str {
        &self.event_cursor
    }
}

/// The key of a cursor in the history of a chat.
pub(super) fn decode_cursor(cursors: &Cursors, chat_id: ChatId, cursor: &str) -> Result<Key> {
    match cursors.decode_chat(chat_id, cursor) {
        Ok(sequence) => Ok(Key { value: sequence, id: Uuid::nil() }),
        Err(error @ (CursorError::Invalid | CursorError::Expired)) => Err(error.into()),
    }
}
