//! A client for server-sent events.

use super::client::Client;
use serde_json::{Value, json};
use std::time::Duration;

/// The timeout for anything that should happen.
const PATIENCE: Duration = Duration::from_mins(1);

/// An open event stream.
pub struct EventStream {
    response: reqwest::Response,
    read: String,
}

/// An event of a stream.
#[derive(Debug)]
pub struct Event {
    pub name: String,
    pub id: Option<String>,
    pub data: Value,
}

/// Sends a subscription, and returns the response with any status.
pub async fn request(
    client: &Client,
    query: &str,
    variables: &Value,
    after: Option<&str>,
) -> reqwest::Response {
    let mut request = client.request().header("accept", "text/event-stream");
    if let Some(after) = after {
        request = request.header("last-event-id", after);
    }
    let body = json!({ "query": query, "variables": variables });
    request.json(&body).send().await.expect("a response")
}

impl EventStream {
    pub async fn open(client: &Client, query: &str, variables: &Value, after: Option<&str>) -> Self {
        Self::of(request(client, query, variables, after).await)
    }

    pub fn of(response: reqwest::Response) -> Self {
        assert_eq!(response.status(), 200);
        Self { response, read: String::new() }
    }

    /// The next event; `None` at the end of the body. Heartbeats do not count: they keep coming when nothing else does.
    pub async fn next(&mut self) -> Option<Event> {
        tokio::time::timeout(PATIENCE, self.next_event()).await.expect("an event in time")
    }

    async fn next_event(&mut self) -> Option<Event> {
        loop {
            while let Some(end) = self.read.find("\n\n") {
                let block: String = self.read.drain(..end + 2).collect();
                if let Some(event) = event(&block) {
                    return Some(event);
                }
            }
            match self.response.chunk().await {
                Ok(Some(chunk)) => self.read.push_str(&String::from_utf8_lossy(&chunk)),
                Ok(None) | Err(_) => return None,
            }
        }
    }
}

fn event(block: &str) -> Option<Event> {
    let field = |name: &str| block.lines().find_map(|line| line.strip_prefix(name)).map(str::to_owned);
    let data = field("data:").unwrap_or_default();
    Some(Event {
        name: field("event: ")?,
        id: field("id: "),
        data: serde_json::from_str(data.trim()).unwrap_or(Value::Null),
    })
}
