//! Writes a message with all its effects.

use crate::actions::Result;
use crate::actions::history::{Counted, NewEntry, Said, add_entry, take_part};
use crate::actions::presence::lease::Lease;
use crate::domain::event::MessageRow;
use crate::store::{Tx, own_views, participations, presences};
use entity::{ActorId, ActorType, ChatType, MessageType, WebPage, actor, chat};

/// Adds a message of type MESSAGE with all its effects. Notes have none that a visitor could see. The caller
/// has checked that it may be sent.
pub(in crate::actions) async fn say(
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
        // A reply implies that the sender has read the chat so far.
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

/// Stores the page of the visitor's first message with the chat.
fn keep_first_page(chat: &mut chat::Model, page: Option<WebPage>) {
    if let (0, Some(WebPage { url, title })) = (chat.visitor_message_count, page) {
        (chat.first_visitor_message_url, chat.first_visitor_message_title) = (Some(url), title);
    }
}

/// Renews the sender's presence: sending shows that they are there.
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
