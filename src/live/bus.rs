//! The bus: hints between nodes, over NATS. A single node needs none.
//!
//! It carries ids and sequences, never content. It may lose, repeat or reorder messages, or be down, because
//! a message only makes a node read the store before the next sweep would.

use super::Tasks;
use entity::{ActorId, ChatId, OrganizationId, ParticipationId, PresenceId};
use futures_util::StreamExt;
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;
use uuid::Uuid;

/// The maximum number of queued outgoing messages. While NATS is down, further ones are dropped.
const QUEUE: usize = 4_096;

/// The connection between nodes.
#[derive(Clone, Default)]
pub struct Bus(Option<async_nats::Client>);

/// The address of the bus is invalid.
#[derive(Debug, thiserror::Error)]
#[error("the bus cannot be used: {0}")]
pub struct BusError(async_nats::ConnectError);

/// A message from one node to the others.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Message {
    /// A chat's log grew by the events from `first` to `last`.
    Log {
        organization_id: OrganizationId,
        chat_id: ChatId,
        first: i64,
        last: i64,
        /// Actors who stopped typing because of these events. Older nodes do not send it.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        stopped_typing: Vec<ActorId>,
    },
    /// A participation changed without an event.
    Participation { chat_id: ChatId, id: ParticipationId },
    /// A participant changed their own view of a chat.
    View { organization_id: OrganizationId, chat_id: ChatId, id: ParticipationId, was_hidden: bool },
    /// A participant's read mark moved.
    Read { organization_id: OrganizationId, chat_id: ChatId, id: ParticipationId },
    /// A presence changed without an event.
    Presence { chat_id: ChatId, id: PresenceId },
    /// The actors typing in a chat through the sending node.
    Typing { chat_id: ChatId, actor_ids: Vec<ActorId> },
    /// An actor's role or status changed.
    Actor { id: ActorId, auth_version: i64 },
}

#[derive(Serialize, Deserialize)]
struct Envelope<M> {
    node: Uuid,
    message: M,
}

/// This node's end of the bus.
pub(super) struct Link(Option<mpsc::Sender<Message>>);

impl Bus {
    /// No bus, or the NATS server at a URL. Returns at once and reconnects without end to a server that is
    /// down.
    pub async fn connect(url: Option<&str>) -> Result<Self, BusError> {
        let Some(url) = url else { return Ok(Self(None)) };
        let client = async_nats::ConnectOptions::new()
            .name("anteroom")
            .retry_on_initial_connect()
            .max_reconnects(None)
            .no_echo()
            .event_callback(|event| async move { tracing::info!(%event, "bus") })
            .connect(url)
            .await
            .map_err(BusError)?;
        Ok(Self(Some(client)))
    }

    /// Whether there may be other nodes.
    pub(super) fn is_there(&self) -> bool {
        self.0.is_some()
    }

    /// Starts sending and receiving. `hear` is called with messages of other nodes, and must not block.
    pub(super) fn open(
        self,
        (epoch, node): (Uuid, Uuid),
        tasks: &Tasks,
        hear: impl Fn(Uuid, Message) + Send + 'static,
    ) -> Link {
        let Some(client) = self.0 else { return Link(None) };
        let (sender, queue) = mpsc::channel(QUEUE);
        tasks.spawn(send_all(client.clone(), epoch, node, queue));
        tasks.spawn(hear_all(client, epoch, node, hear));
        Link(Some(sender))
    }
}

impl Link {
    /// Sends a message to the other nodes on a best-effort basis.
    pub(super) fn send(&self, message: Message) {
        if let Some(sender) = &self.0
            && sender.try_send(message).is_err()
        {
            tracing::debug!("the bus is behind; dropped a hint");
        }
    }
}

impl Message {
    fn kind(&self) -> &'static str {
        match self {
            Self::Log { .. } => "log",
            Self::Participation { .. } => "participation",
            Self::View { .. } => "view",
            Self::Read { .. } => "read",
            Self::Presence { .. } => "presence",
            Self::Typing { .. } => "typing",
            Self::Actor { .. } => "actor",
        }
    }
}

async fn send_all(client: async_nats::Client, epoch: Uuid, node: Uuid, mut queue: mpsc::Receiver<Message>) {
    while let Some(message) = queue.recv().await {
        let subject = format!("anteroom.{epoch}.{}", message.kind());
        match serde_json::to_vec(&Envelope { node, message }) {
            Ok(payload) => {
                if let Err(error) = client.publish(subject, payload.into()).await {
                    tracing::debug!(%error, "could not send a hint");
                }
            }
            Err(error) => tracing::error!(%error, "could not encode a hint"),
        }
    }
}

async fn hear_all(client: async_nats::Client, epoch: Uuid, node: Uuid, hear: impl Fn(Uuid, Message)) {
    let mut heard = match client.subscribe(format!("anteroom.{epoch}.*")).await {
        Ok(heard) => heard,
        Err(error) => {
            tracing::error!(%error, "could not subscribe to the bus; events of other nodes wait for the sweep");
            return;
        }
    };
    while let Some(raw) = heard.next().await {
        match serde_json::from_slice::<Envelope<Message>>(&raw.payload) {
            Ok(envelope) if envelope.node == node => {}
            Ok(envelope) => hear(envelope.node, envelope.message),
            // A newer node may send messages that this version does not know.
            Err(error) => tracing::debug!(%error, "could not decode a hint"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[tokio::test]
    async fn a_bus_that_is_down_holds_nothing_up() {
        let connecting = Bus::connect(Some("nats://127.0.0.1:1"));
        let bus = tokio::time::timeout(Duration::from_secs(5), connecting).await;
        assert!(bus.is_ok_and(|bus| bus.is_ok_and(|bus| bus.is_there())));
        assert!(Bus::connect(Some("not a url at all")).await.is_err());
        assert!(Bus::connect(None).await.is_ok_and(|bus| !bus.is_there()));
    }

    #[test]
    fn bytes_between_nodes_stay_the_same() -> Result<(), serde_json::Error> {
        let id = Uuid::from_u128(1);
        let (organization_id, chat_id) = (OrganizationId(id), ChatId(id));
        let participation_id = ParticipationId(id);
        let own = format!(r#""organization_id":"{id}","chat_id":"{id}","id":"{id}""#);
        let messages = [
            (
                Message::Log { organization_id, chat_id, first: 3, last: 4, stopped_typing: Vec::new() },
                format!(r#"{{"Log":{{"organization_id":"{id}","chat_id":"{id}","first":3,"last":4}}}}"#),
            ),
            (
                Message::Participation { chat_id, id: participation_id },
                format!(r#"{{"Participation":{{"chat_id":"{id}","id":"{id}"}}}}"#),
            ),
            (
                Message::View { organization_id, chat_id, id: participation_id, was_hidden: true },
                format!(r#"{{"View":{{{own},"was_hidden":true}}}}"#),
            ),
            (
                Message::Read { organization_id, chat_id, id: participation_id },
                format!(r#"{{"Read":{{{own}}}}}"#),
            ),
            (
                Message::Presence { chat_id, id: PresenceId(id) },
                format!(r#"{{"Presence":{{"chat_id":"{id}","id":"{id}"}}}}"#),
            ),
            (
                Message::Typing { chat_id, actor_ids: vec![ActorId(id)] },
                format!(r#"{{"Typing":{{"chat_id":"{id}","actor_ids":["{id}"]}}}}"#),
            ),
            (
                Message::Actor { id: ActorId(id), auth_version: 5 },
                format!(r#"{{"Actor":{{"id":"{id}","auth_version":5}}}}"#),
            ),
        ];
        for (message, expected) in messages {
            let expected = format!(r#"{{"node":"{id}","message":{expected}}}"#);
            assert_eq!(serde_json::to_string(&Envelope { node: id, message })?, expected);
        }
        Ok(())
    }

    #[test]
    fn a_message_says_ids_and_sequences() -> Result<(), serde_json::Error> {
        let id = Uuid::from_u128(1);
        let message = Message::Log {
            organization_id: OrganizationId(id),
            chat_id: ChatId(id),
            first: 3,
            last: 4,
            stopped_typing: vec![ActorId(id)],
        };
        let payload = serde_json::to_string(&Envelope { node: id, message: message.clone() })?;
        let envelope: Envelope<Message> = serde_json::from_str(&payload)?;
        assert_eq!(envelope.message, message);
        let older = payload.replace(&format!(",\"stopped_typing\":[\"{id}\"]"), "");
        assert_ne!(older, payload);
        let envelope: Envelope<Message> = serde_json::from_str(&older)?;
        assert!(matches!(envelope.message, Message::Log { stopped_typing, .. } if stopped_typing.is_empty()));
        Ok(())
    }
}
