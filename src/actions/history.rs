//! Steps shared by actions: participations, presences and history entries. Each writes its row, updates the
//! chat's counters and records its event. The caller holds the chat's lock.

use super::Result;
use crate::domain::change::{MessageChange, ParticipationChange, PresenceChange, SessionChange};
use crate::domain::event::{Change, MessageRow, SessionRow};
use crate::domain::policy;
use crate::store::tx::Fact;
use crate::store::{Tx, messages, participations, presences};
use entity::{
    ActorId, ActorType, Audience, ChatType, MessageId, MessageType, ParticipationId, PresenceEndReason,
    PresenceId, Timestamp, WebPage, actor, chat, message, participation, presence,
};

/// Whether a participation counts in the chat's counters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Counted {
    /// The actor was added by name or has written.
    Yes,
    /// The actor has only joined.
    NotYet,
}

/// Makes the actor a participant if they are not one yet. Returns the participation.
pub(super) async fn take_part(
    tx: &mut Tx,
    actor: &actor::Model,
    counted: Counted,
    by: Option<ActorId>,
) -> Result<participation::Model> {
    let (now, chat_id) = (tx.now(), tx.chat()?.id);
    let found = participations::find_of_actor(tx, chat_id, actor.id).await?;
    let is_counted = counted == Counted::Yes;
    let (row, change) = match found {
        None => {
            let id = ParticipationId(tx.new_id());
            let new = participation::Model::new(id, chat_id, actor.id, actor.actor_type, now);
            let row = participation::Model { is_counted, active_at: tx.chat()?.active_at, ..new };
            participations::insert(tx, &row).await?;
            if is_counted {
                count_participation(tx.chat_mut()?, actor.actor_type, 1);
            }
            (row, ParticipationChange::Added)
        }
        Some(mut row) => {
            let counts_now = row.is_counted || is_counted;
            if row.is_current() && row.is_counted == counts_now {
                return Ok(row);
            }
            let change =
                if row.is_current() { ParticipationChange::Changed } else { ParticipationChange::Added };
            if counts_now && !(row.is_counted && row.is_current()) {
                count_participation(tx.chat_mut()?, row.actor_type, 1);
            }
            if !row.is_current() {
                (row.hidden_sequence, row.active_at) = (None, tx.chat()?.active_at);
            }
            (row.ended_at, row.is_counted, row.updated_at) = (None, counts_now, now);
            participations::update(tx, &row).await?;
            (row, change)
        }
    };
    record_participation(tx, change, &row, by)?;
    Ok(row)
}

pub(super) async fn end_participation(
    tx: &mut Tx,
    mut row: participation::Model,
    by: Option<ActorId>,
) -> Result<participation::Model> {
    let now = tx.now();
    (row.ended_at, row.updated_at) = (Some(now), now);
    participations::update(tx, &row).await?;
    if row.is_counted {
        count_participation(tx.chat_mut()?, row.actor_type, -1);
    }
    record_participation(tx, ParticipationChange::Ended, &row, by)?;
    Ok(row)
}

fn record_participation(
    tx: &mut Tx,
    change: ParticipationChange,
    row: &participation::Model,
    by: Option<ActorId>,
) -> Result<()> {
    let change = Change::Participation(change, row.clone());
    tx.record(Fact { change, actor_id: by, audience: Audience::All })?;
    Ok(())
}

fn count_participation(chat: &mut chat::Model, actor_type: ActorType, by: i32) {
    chat.participation_count += by;
    match actor_type {
        ActorType::User => chat.user_participation_count += by,
        ActorType::Visitor => chat.visitor_participation_count += by,
        ActorType::ApiClient => {}
    }
}

pub(super) async fn begin_presence(
    tx: &mut Tx,
    user_id: ActorId,
    lease_ends: Timestamp,
) -> Result<presence::Model> {
    let now = tx.now();
    let row = presence::Model {
        id: PresenceId(tx.new_id()),
        chat_id: tx.chat()?.id,
        user_id,
        created_at: now,
        last_seen_at: now,
        expires_at: lease_ends,
        ended_at: None,
        end_reason: None,
    };
    presences::insert(tx, &row).await?;
    tx.chat_mut()?.present_user_count += 1;
    record_presence(tx, PresenceChange::Added, &row, Some(user_id))?;
    Ok(row)
}

/// Ends a presence. The caller adds the LEAVE entry after all presence events.
pub(super) async fn end_presence(
    tx: &mut Tx,
    mut row: presence::Model,
    reason: PresenceEndReason,
    by: Option<ActorId>,
) -> Result<presence::Model> {
    (row.ended_at, row.end_reason) = (Some(tx.now()), Some(reason));
    presences::update(tx, &row).await?;
    tx.chat_mut()?.present_user_count -= 1;
    record_presence(tx, PresenceChange::Ended, &row, by)?;
    Ok(row)
}

fn record_presence(
    tx: &mut Tx,
    change: PresenceChange,
    row: &presence::Model,
    by: Option<ActorId>,
) -> Result<()> {
    let change = Change::Presence(change, row.clone());
    tx.record(Fact { change, actor_id: by, audience: Audience::All })?;
    Ok(())
}

/// The content of a message to add.
#[derive(Default)]
pub(super) struct Said {
    pub text: Option<String>,
    pub external_id: Option<String>,
    /// The page that the visitor is on. Defaults to their last one.
    pub page: Option<WebPage>,
    /// Whether the message is a note for colleagues.
    pub is_internal: bool,
    /// The sequence of the message that this one replies to.
    pub reply_to: Option<i64>,
}

/// The content of a history entry to add.
pub(super) struct NewEntry<'a> {
    pub message_type: MessageType,
    pub sender: Option<&'a actor::Model>,
    pub text: Option<String>,
    pub external_id: Option<String>,
    /// Whether the message is a note for colleagues.
    pub is_internal: bool,
    /// The sequence of the message that this one replies to.
    pub reply_to: Option<i64>,
    pub session: Option<&'a SessionRow>,
}

impl<'a> NewEntry<'a> {
    /// An entry without text: an actor joined or left, or a session changed state.
    pub(super) fn notice(message_type: MessageType, sender: Option<&'a actor::Model>) -> Self {
        Self {
            message_type,
            sender,
            text: None,
            external_id: None,
            is_internal: false,
            reply_to: None,
            session: None,
        }
    }
}

pub(super) async fn add_entry(tx: &mut Tx, entry: NewEntry<'_>, by: Option<ActorId>) -> Result<MessageRow> {
    let NewEntry { message_type, sender, text, external_id, is_internal, reply_to, session } = entry;
    let id = MessageId(tx.new_id());
    let message = message::Model {
        chat_id: tx.chat()?.id,
        sequence: tx.next_sequence()?,
        id,
        message_type,
        sender_id: sender.map(|sender| sender.id),
        text,
        external_id: external_id.unwrap_or_else(|| id.0.simple().to_string()),
        created_at: tx.now(),
        session_id: session.map(|row| row.session.id),
        session_state: session.map(|row| row.session.state),
        edited_at: None,
        deleted_at: None,
        sent_digest: None,
        is_internal,
        reply_to_sequence: reply_to,
    };
    messages::insert(tx, &message).await?;
    let called_ids = session.map(|row| row.participant_ids.clone()).unwrap_or_default();
    let audience = match session {
        Some(row) => audience_of_session(tx, &row.participant_ids).await?,
        None => audience_of(&message),
    };
    let row = MessageRow { message, sender: sender.cloned(), called_ids };
    tx.record(Fact { change: Change::Message(MessageChange::Added, row.clone()), actor_id: by, audience })?;
    Ok(row)
}

/// The audience of a message's events.
pub(super) fn audience_of(message: &message::Model) -> Audience {
    if message.is_internal { Audience::Staff } else { Audience::All }
}

/// Records an event of a session.
pub(super) async fn record_session(
    tx: &mut Tx,
    change: SessionChange,
    row: &SessionRow,
    by: Option<ActorId>,
) -> Result<()> {
    record_session_change(tx, change, row, &row.participant_ids, by).await
}

/// Records a session event, given the actors who were called before it.
pub(super) async fn record_session_change(
    tx: &mut Tx,
    change: SessionChange,
    row: &SessionRow,
    called_before: &[ActorId],
    by: Option<ActorId>,
) -> Result<()> {
    let audience = audience_of_session(tx, &[&row.participant_ids[..], called_before].concat()).await?;
    tx.record(Fact { change: Change::Session(change, row.clone()), actor_id: by, audience })?;
    Ok(())
}

/// The audience of an event of a session in the locked chat: the actors who are or were called.
async fn audience_of_session(tx: &Tx, called_ids: &[ActorId]) -> Result<Audience> {
    let chat = tx.chat()?;
    let visitor_ids: Vec<_> = match chat.chat_type {
        ChatType::Visitor => chat.visitor_id.into_iter().collect(),
        ChatType::Direct | ChatType::Group if chat.visitor_participation_count == 0 => Vec::new(),
        ChatType::Direct | ChatType::Group => {
            let taking_part = participations::list_now(tx, chat.id).await?;
            let visitors = taking_part.into_iter().filter(|row| row.actor_type == ActorType::Visitor);
            visitors.map(|row| row.actor_id).collect()
        }
    };
    Ok(policy::audience_of_session(&visitor_ids, called_ids))
}

/// Records a change of the chat's own fields.
pub(super) fn record_chat(tx: &mut Tx, by: Option<ActorId>) -> Result<()> {
    record_chat_to(tx, by, Audience::All)
}

/// Records a change of chat fields that visitors cannot see.
pub(super) fn record_chat_among_staff(tx: &mut Tx, by: Option<ActorId>) -> Result<()> {
    record_chat_to(tx, by, Audience::Staff)
}

fn record_chat_to(tx: &mut Tx, by: Option<ActorId>, audience: Audience) -> Result<()> {
    tx.record(Fact { change: Change::Chat, actor_id: by, audience })?;
    Ok(())
}
