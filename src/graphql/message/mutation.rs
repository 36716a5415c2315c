//! Sending messages, and reading them.

use super::super::attachment::input::{ContactInput, LinkInput, attached};
use super::super::caller::{caller, live};
use super::super::chat::Chat;
use super::super::chat::mutation::chat_or_current;
use super::super::error::Result;
use super::super::id::{Kind, expect_actor};
use super::super::participation::Participation;
use super::super::payload::{UserErrors, settle};
use super::super::viewer::Viewer;
use super::super::web_page::WebPageInput;
use super::{Message, MessageEdge};
use crate::actions::{MarkRead, SendMessage};
use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use entity::{ChatId, MessageId, MessageType};

/// A message to send.
#[derive(InputObject)]
struct SendMessageInput {
    /// The chat.
    chat_id: ID,
    /// The text: 1–2000 characters (Unicode scalar values), kept as it is; no control characters but
    /// newline, carriage return and tab. May be absent when something is attached.
    text: Option<String>,
    /// Files to attach: complete uploads of the viewer for this chat, each to be sent once. With links and
    /// contacts 10
    /// at most.
    attachment_ids: Option<Vec<ID>>,
    /// Links to attach.
    links: Option<Vec<LinkInput>>,
    /// Contacts to attach.
    contacts: Option<Vec<ContactInput>>,
    /// In whose name: a visitor or a user who could have written it. For admins and API clients.
    sender_id: Option<ID>,
    /// The page that the visitor is on. With a visitor's message it becomes their `currentPage`, and the chat
    /// keeps the
    /// page of their first message. Default: the visitor's `currentPage`.
    page: Option<WebPageInput>,
    /// Makes sending again safe: 1 to 128 characters, unique for the sender in the chat. The same message under
    /// the same id is answered with the first one; another message is a CONFLICT.
    external_id: Option<String>,
    /// A note among colleagues: for users, in chats with a visitor. Visitors never learn of it, in no list, number or
    /// stream; it makes nobody a participant, ends no waiting and counts as no message but in what is unread for
    /// colleagues. Do not tell that you type while you write one.
    #[graphql(default)]
    is_internal: bool,
    /// The message of the same chat that it answers. A note is answered by notes alone.
    reply_to_id: Option<ID>,
}

/// The result of `sendMessage`.
#[derive(SimpleObject)]
struct SendMessagePayload {
    /// The message. Once it is answered it is on disk.
    message_edge: Option<MessageEdge>,
    /// The current state of the chat.
    chat: Option<Chat>,
    /// Errors that prevented the mutation. Empty on success.
    user_errors: UserErrors,
}

/// A suggestion to send.
#[derive(InputObject)]
struct SuggestMessageInput {
    /// The chat, of type VISITOR.
    chat_id: ID,
    /// The text: 1–2000 characters, with the rules of `SendMessageInput.text`. Optional if something is attached.
    text: Option<String>,
    /// Files to attach: complete uploads of the viewer for this chat, each sent once. At most 10 attachments in all.
    attachment_ids: Option<Vec<ID>>,
    /// Links to attach.
    links: Option<Vec<LinkInput>>,
    /// Contacts to attach.
    contacts: Option<Vec<ContactInput>>,
    /// The user who suggests. Required for API clients; admins can name any user. Default: the viewer.
    sender_id: Option<ID>,
    /// The page that the visitor is on. The chat keeps the page of the first suggestion. Default: the visitor's
    /// `currentPage`.
    page: Option<WebPageInput>,
    /// Makes retries safe: 1–128 characters, unique for the sender in the chat. The same suggestion under the same id
    /// returns the first one; another one is a CONFLICT.
    external_id: Option<String>,
    /// The message of the same chat that the suggestion replies to.
    reply_to_id: Option<ID>,
}

/// The result of `suggestMessage`.
#[derive(SimpleObject)]
struct SuggestMessagePayload {
    /// The suggestion, a message of type AUTOSUGGEST. It is on disk once it is returned.
    message_edge: Option<MessageEdge>,
    /// The current state of the chat.
    chat: Option<Chat>,
    /// Errors that prevented the mutation. Empty on success.
    user_errors: UserErrors,
}

/// The position up to which the viewer has read.
#[derive(InputObject)]
struct MarkReadInput {
    /// The chat.
    chat_id: ID,
    /// The sequence of the last message that was read, 0 or more. A value beyond the chat's last message counts as
    /// that one.
    through_sequence: i32,
}

/// The result of `markRead`.
#[derive(SimpleObject)]
struct MarkReadPayload {
    /// The viewer's participation, as it now stands; null if they never took part in the chat.
    participation: Option<Participation>,
    /// The viewer, with what is unread now.
    viewer: Viewer,
    /// Errors that prevented the mutation. Empty on success.
    user_errors: UserErrors,
}

#[derive(Default)]
pub(in crate::graphql) struct MessageMutation;

#[Object]
impl MessageMutation {
    /// Sends a message, or a note. The sender of a message takes part in the chat from then on, no longer counts as
    /// typing, and has read the chat up to the message, unless somebody else sent it in their name. A note moves
    /// no read
    /// mark: visitors would see it move.
    async fn send_message(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The message.")] input: SendMessageInput,
    ) -> Result<Option<SendMessagePayload>> {
        let caller = caller(context)?;
        let SendMessageInput {
            chat_id: id,
            text,
            attachment_ids,
            links,
            contacts,
            sender_id,
            page,
            external_id,
            is_internal,
            reply_to_id,
        } = input;
        let sent = async {
            let chat_id = ChatId(Kind::Chat.expect(&id, "chat", "chatId")?);
            let sender_id = sender_id.map(|id| expect_actor(&id, "senderId")).transpose()?;
            let attached = attached(attachment_ids, links, contacts)?;
            let page = page.map(Into::into);
            let reply_to_id = reply_to_id.map(|id| Kind::Message.expect(&id, "message", "replyToId"));
            let reply_to_id = reply_to_id.transpose()?.map(MessageId);
            let input = SendMessage {
                chat_id,
                text,
                attached,
                sender_id,
                message_type: MessageType::Message,
                page,
                external_id,
                is_internal,
                reply_to_id,
            };
            Ok(caller.actions.send_message(&caller.viewer, input).await?)
        };
        let (sent, user_errors) = settle(sent.await)?;
        let (row, chat) = sent.map(|sent| (sent.message, sent.chat)).unzip();
        let live = live(context)?;
        Ok(Some(SendMessagePayload {
            message_edge: row.map(|row| Message(row).edge(live)),
            chat: chat_or_current(caller, chat, &id).await?,
            user_errors,
        }))
    }

    /// Suggests a message to a visitor in a user's name, by the user, an admin or an API client. The message has type
    /// AUTOSUGGEST: it is not counted, answers nobody and makes nobody a participant.
    async fn suggest_message(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The suggestion.")] input: SuggestMessageInput,
    ) -> Result<Option<SuggestMessagePayload>> {
        let caller = caller(context)?;
        let SuggestMessageInput {
            chat_id: id,
            text,
            attachment_ids,
            links,
            contacts,
            sender_id,
            page,
            external_id,
            reply_to_id,
        } = input;
        let sent = async {
            let reply_to_id = reply_to_id.map(|id| Kind::Message.expect(&id, "message", "replyToId"));
            let input = SendMessage {
                chat_id: ChatId(Kind::Chat.expect(&id, "chat", "chatId")?),
                text,
                sender_id: sender_id.map(|id| expect_actor(&id, "senderId")).transpose()?,
                attached: attached(attachment_ids, links, contacts)?,
                message_type: MessageType::Autosuggest,
                page: page.map(Into::into),
                external_id,
                is_internal: false,
                reply_to_id: reply_to_id.transpose()?.map(MessageId),
            };
            Ok(caller.actions.send_message(&caller.viewer, input).await?)
        };
        let (sent, user_errors) = settle(sent.await)?;
        let (row, chat) = sent.map(|sent| (sent.message, sent.chat)).unzip();
        let live = live(context)?;
        Ok(Some(SuggestMessagePayload {
            message_edge: row.map(|row| Message(row).edge(live)),
            chat: chat_or_current(caller, chat, &id).await?,
            user_errors,
        }))
    }

    /// Moves the viewer's read mark forward; it never moves back. Others see it as
    /// `Participation.lastReadSequence`, and
    /// `viewerEvents` tells the viewer's other devices. Sending a message moves the mark by itself. Does nothing in a
    /// chat that the viewer may see but does not take part in.
    async fn mark_read(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The extent.")] input: MarkReadInput,
    ) -> Result<Option<MarkReadPayload>> {
        let caller = caller(context)?;
        let MarkReadInput { chat_id, through_sequence } = input;
        let marked = async {
            let chat_id = ChatId(Kind::Chat.expect(&chat_id, "chat", "chatId")?);
            let input = MarkRead { chat_id, through_sequence: i64::from(through_sequence) };
            Ok(caller.actions.mark_read(&caller.viewer, input).await?)
        };
        let (row, user_errors) = settle(marked.await)?;
        Ok(Some(MarkReadPayload {
            participation: row.flatten().map(Participation),
            viewer: Viewer,
            user_errors,
        }))
    }
}
