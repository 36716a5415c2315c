//! Sending messages, and marking them as read.

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

/// A message or note to send.
#[derive(InputObject)]
struct SendMessageInput {
    /// The id of the chat.
    chat_id: ID,
    /// The text: 1–2,000 characters (Unicode code points), kept as it is. Of the control characters, only
    /// newline, carriage return and tab are allowed. Optional if something is attached.
    text: Option<String>,
    /// The ids of files to attach: completed uploads by the viewer to this chat, each sent only once. A
    /// message can have 10 attachments, including links and contacts.
    attachment_ids: Option<Vec<ID>>,
    /// Web pages to attach as links.
    links: Option<Vec<LinkInput>>,
    /// Contacts to attach to the message.
    contacts: Option<Vec<ContactInput>>,
    /// The id of the visitor or user to send the message for, who must be able to send messages in the chat.
    /// For admins and API clients. Default: the viewer.
    sender_id: Option<ID>,
    /// The page of the website that the visitor is on. A visitor's message sets their `currentPage`, and the
    /// chat keeps the page of the first one. Default: the visitor's `currentPage`.
    page: Option<WebPageInput>,
    /// Makes retries safe: 1–128 characters, unique per sender and chat. Sending the same message again with
    /// this id returns the first one. A different message is refused with `CONFLICT`.
    external_id: Option<String>,
    /// True to send a note, which visitors cannot see. For users, in VISITOR chats. A note does not make its
    /// sender a participant, and does not count as a message or an answer. It is unread only for other staff.
    /// Do not call `setTyping` while the viewer writes a note.
    #[graphql(default)]
    is_internal: bool,
    /// The id of the message to reply to, in the same chat. Only a note can reply to a note.
    reply_to_id: Option<ID>,
}

/// The result of `sendMessage`.
#[derive(SimpleObject)]
struct SendMessagePayload {
    /// The new message. It is stored on disk before the response is sent.
    message_edge: Option<MessageEdge>,
    /// The current state of the chat.
    chat: Option<Chat>,
    /// Errors that prevented the mutation. Empty on success.
    user_errors: UserErrors,
}

/// A suggestion to send to a visitor.
#[derive(InputObject)]
struct SuggestMessageInput {
    /// The id of a VISITOR chat.
    chat_id: ID,
    /// The text: 1–2,000 characters, with the rules of `SendMessageInput.text`. Optional if something is
    /// attached.
    text: Option<String>,
    /// The ids of files to attach: completed uploads by the viewer to this chat, each sent only once. A
    /// message can have 10 attachments, including links and contacts.
    attachment_ids: Option<Vec<ID>>,
    /// Web pages to attach as links.
    links: Option<Vec<LinkInput>>,
    /// Contacts to attach to the message.
    contacts: Option<Vec<ContactInput>>,
    /// The id of the user who makes the suggestion. Required for API clients. Admins can give any user.
    /// Default: the viewer.
    sender_id: Option<ID>,
    /// The page of the website that the visitor is on. The chat keeps the page of the first suggestion.
    /// Default: the visitor's `currentPage`.
    page: Option<WebPageInput>,
    /// Makes retries safe: 1–128 characters, unique per sender and chat. Sending the same suggestion again with
    /// this id returns the first one. A different one is refused with `CONFLICT`.
    external_id: Option<String>,
    /// The id of the message to reply to, in the same chat.
    reply_to_id: Option<ID>,
}

/// The result of `suggestMessage`.
#[derive(SimpleObject)]
struct SuggestMessagePayload {
    /// The suggestion, as a message of type AUTOSUGGEST. It is stored on disk before the response is sent.
    message_edge: Option<MessageEdge>,
    /// The current state of the chat.
    chat: Option<Chat>,
    /// Errors that prevented the mutation. Empty on success.
    user_errors: UserErrors,
}

/// The position up to which the viewer has read a chat.
#[derive(InputObject)]
struct MarkReadInput {
    /// The id of the chat.
    chat_id: ID,
    /// The `sequence` of the last message that was read, 0 or more. A value beyond the last message of the
    /// chat counts as that message.
    through_sequence: i32,
}

/// The result of `markRead`.
#[derive(SimpleObject)]
struct MarkReadPayload {
    /// The viewer's participation in its current state. Null if they have never been a participant.
    participation: Option<Participation>,
    /// The viewer, with the new `unreadCount`.
    viewer: Viewer,
    /// Errors that prevented the mutation. Empty on success.
    user_errors: UserErrors,
}

#[derive(Default)]
pub(in crate::graphql) struct MessageMutation;

#[Object]
impl MessageMutation {
    /// Sends a message or a note. The sender of a message becomes a participant, and their typing indicator
    /// ends. Unless somebody else sent the message for them, they have also read the chat up to it. A note does
    /// not change what its sender has read. Errors: `INVALID`, `TOO_LONG`, `TOO_MANY`, `CHAT_ENDED`,
    /// `NOT_PARTICIPANT`, `CONFLICT`.
    async fn send_message(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The message to send.")] input: SendMessageInput,
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

    /// Suggests a message to a visitor in the name of a user. For users and API clients. The message has the
    /// type AUTOSUGGEST. It does not count as a message or an answer, and does not make the user a participant.
    /// Errors: as for `sendMessage`.
    async fn suggest_message(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The suggestion to send.")] input: SuggestMessageInput,
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

    /// Marks the messages of a chat as read by the viewer, up to a message. The mark only moves forward. Other
    /// participants see it in `Participation.lastReadSequence`, and `viewerEvents` informs the viewer's other
    /// devices. Sending a message also moves the mark. Changes nothing in a chat that the viewer can see
    /// without being a participant.
    async fn mark_read(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The chat, and the position in it.")] input: MarkReadInput,
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
