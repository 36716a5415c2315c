//! Suggestions: messages to a visitor in the name of a user, before the visitor has written. They count
//! neither as messages nor as answers, and do not make the user a participant.

use crate::actions::Result;
use crate::actions::history::{NewEntry, Said, add_entry};
use crate::domain::event::MessageRow;
use crate::domain::refused::Refused;
use crate::store::{Tx, actors};
use entity::{ActorId, ActorType, ChatType, MessageType, WebPage, actor, chat};

/// Adds a message of type AUTOSUGGEST. The caller has checked that it may be sent.
pub(super) async fn suggest(
    tx: &mut Tx,
    sender: &actor::Model,
    said: Said,
    by: Option<ActorId>,
) -> Result<MessageRow> {
    let Said { text, external_id, page, is_internal: _, reply_to } = said;
    let chat = tx.chat()?;
    if chat.chat_type != ChatType::Visitor {
        let reason = "`chatId` must name a chat of type VISITOR.";
        return Err(Refused::Invalid { field: "chatId".into(), reason }.into());
    }
    if sender.actor_type != ActorType::User {
        return Err(
            Refused::Invalid { field: "senderId".into(), reason: "`senderId` must name a user." }.into()
        );
    }
    let page = match (page, chat.visitor_id) {
        (Some(page), _) => Some(page),
        (None, Some(visitor_id)) if !chat.is_autosuggested => {
            let visitor = actors::find_in_organization(tx, chat.organization_id, visitor_id).await?;
            visitor.and_then(|visitor| visitor.page())
        }
        (None, _) => None,
    };
    keep_first_page(tx.chat_mut()?, page);
    let notice = NewEntry::notice(MessageType::Autosuggest, Some(sender));
    add_entry(tx, NewEntry { text, external_id, reply_to, ..notice }, by).await
}

/// Stores the page of the first suggestion with the chat.
fn keep_first_page(chat: &mut chat::Model, page: Option<WebPage>) {
    if !chat.is_autosuggested
        && let Some(WebPage { url, title }) = page
    {
        (chat.autosuggest_url, chat.autosuggest_title) = (Some(url), title);
    }
    chat.is_autosuggested = true;
}
