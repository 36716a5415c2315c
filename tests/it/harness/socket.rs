//! A client over a WebSocket, with several subscriptions, disconnects, resumption and raw frames.

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

/// The timeout for anything that should happen.
const SOON: Duration = Duration::from_mins(1);

/// An open socket.
pub struct Socket {
    pub raw: WebSocketStream<MaybeTlsStream<TcpStream>>,
}

impl Socket {
    /// Opens a socket without sending anything.
    pub async fn open(url: &str) -> Self {
        let mut request =
            format!("{}/graphql", url.replace("http:", "ws:")).into_client_request().expect("a request");
        let protocol = "graphql-transport-ws".parse().expect("a header");
        request.headers_mut().insert("sec-websocket-protocol", protocol);
        let (raw, _) = tokio_tungstenite::connect_async(request).await.expect("a socket");
        Self { raw }
    }

    /// Opens a socket and authenticates.
    pub async fn connect(url: &str, token: &str) -> Self {
        let mut socket = Self::open(url).await;
        socket.send(json!({ "type": "connection_init", "payload": { "Authorization": format!("Bearer {token}") } })).await;
        assert_eq!(socket.receive().await["type"], "connection_ack");
        socket
    }

    pub async fn send(&mut self, message: Value) {
        self.raw.send(Message::text(message.to_string())).await.expect("sent");
    }

    /// Starts an operation. `after` is the cursor to resume from.
    pub async fn subscribe(&mut self, id: &str, query: &str, variables: Value, after: Option<&str>) {
        let mut payload = json!({ "query": query, "variables": variables });
        if let Some(after) = after {
            payload["extensions"] = json!({ "after": after });
        }
        self.send(json!({ "type": "subscribe", "id": id, "payload": payload })).await;
    }

    /// The next message of the protocol.
    pub async fn receive(&mut self) -> Value {
        self.try_receive().await.expect("the socket is open")
    }

    /// The next message of the protocol, or the code with which the socket closed. The server's pings do not count: they
    /// keep coming when nothing else does.
    pub async fn try_receive(&mut self) -> Result<Value, u16> {
        tokio::time::timeout(SOON, self.next_message()).await.expect("a message in time")
    }

    async fn next_message(&mut self) -> Result<Value, u16> {
        loop {
            match self.raw.next().await {
                Some(Ok(Message::Text(text))) => return Ok(serde_json::from_str(&text).expect("JSON")),
                Some(Ok(Message::Close(frame))) => return Err(frame.map_or(1005, |frame| frame.code.into())),
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                Some(Ok(other)) => panic!("an unexpected frame: {other:?}"),
                Some(Err(_)) | None => return Err(1006),
            }
        }
    }

    /// The payload of the next message of type `next`.
    pub async fn next(&mut self) -> Value {
        let message = self.receive().await;
        assert_eq!(message["type"], "next", "{message:#}");
        message["payload"].clone()
    }

    /// The data of the next message of type `next`, which must have no errors.
    pub async fn data(&mut self) -> Value {
        let payload = self.next().await;
        assert_eq!(payload.get("errors"), None, "{payload:#}");
        payload["data"].clone()
    }

    /// Waits until the subscriptions are active: until a later operation on the socket is answered.
    pub async fn wait_until_subscribed(&mut self) {
        self.subscribe("subscribed", "{ viewer { role } }", json!({}), None).await;
        assert_eq!(self.receive().await["type"], "next");
        assert_eq!(self.receive().await, json!({ "type": "complete", "id": "subscribed" }));
    }

    /// Whether no message except pings arrives for a while.
    pub async fn is_quiet(&mut self, duration: Duration) -> bool {
        tokio::time::timeout(duration, self.next_message()).await.is_err()
    }
}
