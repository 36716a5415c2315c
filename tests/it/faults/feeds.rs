//! Feeds of a run: fetch the state of many chats, then follow it.

use super::context::{Caller, Context};
use super::journal::{Change, Stream};
use serde_json::{Value, json};

/// The document of a feed, and its variables.
pub fn request(kind: Stream, room: &str) -> Value {
    let query = if kind == Stream::Room {
        "subscription($room: ID!) { chatChanged(in: { roomId: $room }) { cursor chat { id messageCount } } }"
    } else {
        "subscription($room: ID!) { viewerEvents(roomIds: [$room]) { cursor change { __typename \
         ... on ChatChangedEvent { chat { id messageCount } } \
         ... on InboxChatAddedEvent { chatEdge { node { id messageCount } } } \
         ... on QueueChatAddedEvent { chatEdge { node { id messageCount } } } } } }"
    };
    json!({ "query": query, "variables": { "room": room } })
}

/// Fetches the list that a feed goes on from: its cursor, and the chats in it.
pub async fn fetch(
    context: &Context,
    caller: &Caller,
    kind: Stream,
    node: usize,
) -> Option<(String, Vec<Change>)> {
    let query = "query($room: ID!) { room(id: $room) { chats(first: 100) { eventCursor nodes { id messageCount } } } \
                 viewer { inbox(first: 100) { eventCursor nodes { id messageCount } } } }";
    let data = context.ask_until_answered(caller, node, query, &json!({ "room": context.room })).await?;
    let list = if kind == Stream::Room { &data["room"]["chats"] } else { &data["viewer"]["inbox"] };
    let states = list["nodes"].as_array()?.iter().filter_map(|chat| state(context, chat)).collect();
    Some((list["eventCursor"].as_str()?.to_owned(), states))
}

/// The content of a frame.
pub fn change(context: &Context, kind: Stream, data: &Value) -> Change {
    let name = data["viewerEvents"]["change"]["__typename"].as_str();
    let change = &data["viewerEvents"]["change"];
    let chat = match (kind, name) {
        (_, Some("ViewerResetEvent")) => return Change::Reset { is_first: false },
        (_, Some("ChatChangedEvent")) => &change["chat"],
        (_, Some(_)) => &change["chatEdge"]["node"],
        (_, None) => &data["chatChanged"]["chat"],
    };
    state(context, chat).unwrap_or_else(|| Change::Entry(name.unwrap_or("ChatChangedPayload").to_owned()))
}

fn state(context: &Context, chat: &Value) -> Option<Change> {
    let number = context.chats.iter().position(|known| chat["id"] == known.id.as_str())?;
    let message_count = usize::try_from(chat["messageCount"].as_u64()?).ok()?;
    Some(Change::State { chat: number, message_count })
}
