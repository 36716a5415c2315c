//! The rules for webhooks: the events of a change, their bodies, and the retry schedule.

use super::change::MessageChange;
use super::event::{Change, Event, MessageRow, SessionRow};
use super::global_id;
use chrono::{SecondsFormat, TimeDelta};
use entity::{
    ActorType, Audience, ChatType, MessageType, Timestamp, WebhookEvent, actor, chat, organization,
};
use serde::Serialize;
use url::Url;

/// The waits after failed attempts: the schedule of the Standard Webhooks specification 1.0.0,
/// "Deliverability and reliability". With the immediate first attempt, there are ten attempts.
const DELAYS: [TimeDelta; 9] = [
    TimeDelta::seconds(5),
    TimeDelta::minutes(5),
    TimeDelta::minutes(30),
    TimeDelta::hours(2),
    TimeDelta::hours(5),
    TimeDelta::hours(10),
    TimeDelta::hours(14),
    TimeDelta::hours(20),
    TimeDelta::hours(24),
];

/// The maximum jitter, as a fraction of the delay that is added to it. It keeps failed deliveries from being
/// retried all at once.
pub const JITTER: f64 = 0.1;

/// The range of waits that a receiver can request with `Retry-After`.
pub const RETRY_AFTER: (TimeDelta, TimeDelta) = (TimeDelta::seconds(1), TimeDelta::hours(24));

/// How long after the first 429 or 503 such responses do not use up attempts.
pub const DEFERRED_FOR: TimeDelta = TimeDelta::hours(24);

/// The longest wait after a 429 or 503 without `Retry-After`.
const DEFERRAL_MOST: TimeDelta = TimeDelta::hours(1);

/// How long a webhook may fail without a single success before it is disabled.
pub const FAILING_MOST: TimeDelta = TimeDelta::days(5);

/// How long the previous secret still signs after a rotation.
pub const PREVIOUS_SECRET: TimeDelta = TimeDelta::hours(24);

/// How long finished deliveries are kept.
pub const LEDGER: TimeDelta = TimeDelta::days(30);

/// The error of a delivery whose webhook was disabled.
pub const DISABLED: &str = "The webhook was disabled.";

/// The wait after the attempt with this number. `None` after the last one. `jitter` is 0 to 1.
#[must_use]
pub fn delay_after(attempts: i32, jitter: f64) -> Option<TimeDelta> {
    Some(jittered(*DELAYS.get(usize::try_from(attempts - 1).ok()?)?, jitter))
}

/// The wait after a 429 or 503 without `Retry-After`: the time for which the receiver has been giving such
/// responses, between 5 seconds and an hour. `jitter` is 0 to 1.
#[must_use]
pub fn delay_while_deferred(deferred_for: TimeDelta, jitter: f64) -> TimeDelta {
    jittered(deferred_for.clamp(DELAYS[0], DEFERRAL_MOST), jitter)
}

fn jittered(delay: TimeDelta, jitter: f64) -> TimeDelta {
    #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "milliseconds of a day")]
    let more = (delay.num_milliseconds() as f64 * JITTER * jitter.clamp(0.0, 1.0)) as i64;
    delay + TimeDelta::milliseconds(more)
}

/// An event that webhooks can receive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Happening<'a> {
    /// The kind of event.
    pub event: WebhookEvent,
    /// The position in the chat's log.
    pub sequence: i64,
    /// The time of the event.
    pub at: Timestamp,
    /// The object that the event is about, besides the chat.
    pub about: About<'a>,
}

/// The object that an event is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum About<'a> {
    /// The chat itself.
    Chat,
    /// A message in the chat.
    Message(&'a MessageRow),
    /// A session in the chat.
    Session(&'a SessionRow),
}

/// The webhook events of the entries that a transaction adds to a chat's log, in order. `before` is the
/// chat's row before the transaction, or absent for a new chat.
#[must_use]
pub fn happenings<'a>(
    before: Option<&chat::Model>,
    chat: &chat::Model,
    log: &'a [Event],
) -> Vec<Happening<'a>> {
    let mut found = Vec::new();
    let (Some(first), Some(last)) = (log.first(), log.last()) else { return found };
    let happening = |event, entry: &Event, about| Happening {
        event,
        sequence: entry.sequence,
        at: entry.created_at,
        about,
    };
    if before.is_none() {
        found.push(happening(WebhookEvent::ChatStarted, first, About::Chat));
    }
    for entry in log {
        match &entry.change {
            Change::Message(MessageChange::Added, row)
                if row.message.message_type == MessageType::Message && !row.message.is_internal =>
            {
                found.push(happening(WebhookEvent::MessageAdded, entry, About::Message(row)));
                if is_to_visitor(chat, entry, row) {
                    found.push(happening(WebhookEvent::MessageToVisitor, entry, About::Message(row)));
                }
            }
            Change::Session(_, row) => {
                found.push(happening(WebhookEvent::ChatSessionChanged, entry, About::Session(row)));
            }
            Change::Chat
            | Change::History { .. }
            | Change::Message(MessageChange::Added | MessageChange::Changed, _)
            | Change::Presence(..)
            | Change::Participation(..) => {}
        }
    }
    let was_open = before.is_none_or(|before| before.ended_at.is_none());
    if was_open && chat.ended_at.is_some() {
        found.push(happening(WebhookEvent::ChatEnded, last, About::Chat));
    }
    found
}

/// Whether a user wrote this to the visitor of the chat.
fn is_to_visitor(chat: &chat::Model, entry: &Event, row: &MessageRow) -> bool {
    let by_user = row.sender.as_ref().is_some_and(|sender| sender.actor_type == ActorType::User);
    chat.chat_type == ChatType::Visitor
        && chat.visitor_id.is_some()
        && entry.audience == Audience::All
        && by_user
}

/// The body of `MESSAGE_TO_VISITOR`: the common fields, with the message and its receiving visitor.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct MessageToVisitor<'a> {
    #[serde(flatten)]
    thin: Thin,
    patient_id: &'a str,
    patient_url: String,
    tenant_name: &'a str,
    instance_name: &'a str,
    message: &'a str,
}

/// The common body of all events: the type and time, the cursor from which `chatEvents` continues after the
/// event, and the ids of the objects, which can be fetched from the API.
#[derive(Serialize)]
struct Thin {
    r#type: &'static str,
    timestamp: String,
    cursor: String,
    data: Ids,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Ids {
    organization_id: String,
    chat_id: String,
    sequence: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    message_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    chat_session_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<String>,
}

/// The body of an event that holds only ids. `cursor` is the position of the event in the chat's log.
#[must_use]
pub fn thin_body(happening: Happening<'_>, chat: &chat::Model, cursor: String) -> String {
    json(&thin(happening, chat, cursor))
}

fn thin(happening: Happening<'_>, chat: &chat::Model, cursor: String) -> Thin {
    let mut data = Ids {
        organization_id: global_id::encode(global_id::ORGANIZATION, chat.organization_id.0),
        chat_id: global_id::encode(global_id::CHAT, chat.id.0),
        sequence: happening.sequence,
        message_id: None,
        chat_session_id: None,
        state: None,
    };
    match happening.about {
        About::Chat => {}
        About::Message(row) => {
            data.message_id = Some(global_id::encode(global_id::MESSAGE, row.message.id.0));
        }
        About::Session(row) => {
            data.chat_session_id = Some(global_id::encode(global_id::CHAT_SESSION, row.session.id.0));
            data.state = Some(row.session.state.as_str().to_owned());
        }
    }
    let timestamp = happening.at.to_chrono().to_rfc3339_opts(SecondsFormat::Millis, true);
    Thin { r#type: happening.event.as_str(), timestamp, cursor, data }
}

/// The visitor who receives a message, with the data that identifies them to their organization.
pub struct Recipient<'a> {
    /// The visitor.
    pub visitor: &'a actor::Model,
    /// Their organization.
    pub organization: &'a organization::Model,
    /// The base URL of patients.
    pub patients: &'a Url,
}

/// The body of a user's message to a visitor. The visitor is identified by their external id or, if they have
/// none, by their global id.
#[must_use]
pub fn message_body(
    happening: Happening<'_>,
    chat: &chat::Model,
    row: &MessageRow,
    to: &Recipient<'_>,
    cursor: String,
) -> String {
    let Recipient { visitor, organization, patients } = *to;
    let global = || global_id::encode(global_id::VISITOR, visitor.id.0);
    let patient_id = visitor.external_id.clone().unwrap_or_else(global);
    let (tenant_name, instance_name) = (&*organization.tenant_name, &*organization.instance_name);
    let mut patient_url = Url::clone(patients);
    if let Ok(mut path) = patient_url.path_segments_mut() {
        path.pop_if_empty().extend([tenant_name, instance_name, "patients", &patient_id]);
    }
    json(&MessageToVisitor {
        thin: thin(happening, chat, cursor),
        patient_id: &patient_id,
        patient_url: patient_url.into(),
        tenant_name,
        instance_name,
        message: row.message.text.as_deref().unwrap_or_default(),
    })
}

/// Serializes a struct of texts and numbers, which cannot fail.
fn json(body: &impl Serialize) -> String {
    serde_json::to_string(body).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_attempts_are_made_over_three_days() {
        let delays: Vec<_> = (1..=10).map(|attempts| delay_after(attempts, 0.0)).collect();
        assert_eq!(delays[0], Some(TimeDelta::seconds(5)));
        assert_eq!(delays[8], Some(TimeDelta::hours(24)));
        assert_eq!(delays[9], None);
        let all: TimeDelta = delays.into_iter().flatten().sum();
        assert_eq!(all, TimeDelta::seconds(5) + TimeDelta::minutes(35) + TimeDelta::hours(75));
    }

    #[test]
    fn waits_double_while_a_receiver_asks_for_patience() {
        let delay = |seconds| delay_while_deferred(TimeDelta::seconds(seconds), 0.0).num_seconds();
        assert_eq!([0, 5, 10, 20, 5_000].map(delay), [5, 5, 10, 20, 3_600]);
    }

    #[test]
    fn jitter_makes_a_delay_longer_by_a_tenth_at_most() {
        assert_eq!(delay_after(2, 1.0), Some(TimeDelta::seconds(330)));
        assert_eq!(delay_after(2, 0.5), Some(TimeDelta::seconds(315)));
        assert_eq!(delay_after(2, 7.0), Some(TimeDelta::seconds(330)));
    }
}
