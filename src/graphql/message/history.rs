//! The history of a chat, page by page.

use super::super::caller::{caller, live};
use super::super::connection::PageArguments;
use super::super::enums::MessageType;
use super::super::error::{Fault, Result};
use super::super::id::Kind;
use super::super::loaders::PageOf;
use super::{Message, MessageConnection, decode_cursor};
use crate::actions::MessageFilter;
use crate::domain::page::{Key, Page};
use async_graphql::{Context, ID};
use entity::{MessageId, chat};

/// The arguments of `Chat.messages`.
pub(in crate::graphql) struct HistoryArguments {
    pub types: Option<Vec<MessageType>>,
    pub include_archived: bool,
    pub around: Option<ID>,
    pub page: PageArguments,
}

/// The messages of a chat that the viewer can see.
pub(in crate::graphql) async fn history_of(
    context: &Context<'_>,
    chat: &chat::Model,
    arguments: HistoryArguments,
) -> Result<MessageConnection> {
    let HistoryArguments { types, include_archived, around, page } = arguments;
    if around.is_some() && (page.after.is_some() || page.before.is_some()) {
        return Err(Fault::bad_input("`around` cannot be combined with `after` or `before`."));
    }
    let cursors = live(context)?.cursors();
    let page = page.request_by(context, |cursor| decode_cursor(cursors, chat.id, cursor))?;
    // Taken from the chat's row, which was read before the messages, so that changes in between are sent again.
    let event_cursor = cursors.encode_chat(chat.id, chat.last_sequence);
    let around = around.map(|id| Kind::Message.decode(&id)).transpose()?;
    if matches!(around, Some(None)) {
        return Ok(MessageConnection::new(Page::nothing(), event_cursor, |_, _| String::new(), Message));
    }
    let arguments = MessageFilter {
        types: types.map(|types| types.into_iter().map(Into::into).collect()),
        include_archived,
        around: around.flatten().map(MessageId),
    };
    let is_around = arguments.around.is_some();
    let mut page = caller(context)?.need(PageOf { chat_id: chat.id, arguments, page }).await?;
    if is_around {
        // Nothing is counted if the message is not in this chat.
        page.total.get_or_insert(0);
    }
    let place = |_: &_, key: Key| cursors.encode_chat(chat.id, key.value);
    Ok(MessageConnection::new(page, event_cursor, place, Message))
}
