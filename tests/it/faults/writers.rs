//! Clients that write as the documentation says: each message under an `externalId` of its own, sent again after
//! a lost connection, a timeout or `UNAVAILABLE` until it is answered.

use super::context::{Backoff, Caller, Context, Reply, SENT, shown};
use super::journal::{Attempt, Call, Outcome, Walk};
use crate::harness::client::mutation;
use rand::RngExt;
use serde_json::{Value, json};
use std::sync::atomic::Ordering;
use std::time::Duration;

/// Messages in a page.
const PAGE: usize = 100;

/// Sends messages into some of the chats until the run stops.
pub async fn write(context: Context, caller: Caller, chats: Vec<usize>, pace: Duration) -> Vec<Call> {
    let mut calls = Vec::new();
    let mut number = 0_usize;
    while !context.stop.is_cancelled() {
        number += 1;
        let chat = chats[number % chats.len()];
        let mut call =
            Call { chat, external_id: format!("{SENT}{}-{number}", caller.name), attempts: Vec::new() };
        send(&context, &caller, &mut call, number).await;
        if rand::rng().random_bool(0.05) {
            // As a client does that lost the answer: the second one has to be the same.
            send(&context, &caller, &mut call, number + 1).await;
        }
        calls.push(call);
        // Programs do not read and type.
        if number.is_multiple_of(7) && !caller.id.is_empty() {
            signal(&context, &caller, chat, number).await;
        }
        let wait = rand::rng().random_range(pace / 4..=pace * 2);
        context.pause(wait).await;
    }
    calls
}

/// Sends a message until it is answered, or the run gives up.
pub async fn send(context: &Context, caller: &Caller, call: &mut Call, first: usize) {
    let query = mutation("sendMessage", "messageEdge { node { id sequence text } }");
    // As long as its number says, so that messages differ and the same one is always sent.
    let padding = "word ".repeat(call.external_id.bytes().map(usize::from).sum::<usize>() % 40);
    let text = format!("{} {padding}", call.external_id);
    let input =
        json!({ "chatId": context.chats[call.chat].id, "text": text, "externalId": call.external_id });
    let variables = json!({ "input": input });
    let mut waits = Backoff::default();
    for node in first.. {
        let started = context.now();
        let reply = context.ask(caller, node, &query, &variables).await;
        let outcome = outcome(reply);
        let is_answered = !matches!(outcome, Outcome::Unknown { .. });
        if is_answered {
            context.acknowledged.fetch_add(1, Ordering::Relaxed);
        } else {
            context.unanswered.fetch_add(1, Ordering::Relaxed);
        }
        call.attempts.push(Attempt { started, ended: context.now(), outcome });
        if is_answered || context.give_up.is_cancelled() {
            return;
        }
        waits.wait().await;
    }
}

fn outcome(reply: Reply) -> Outcome {
    let data = match reply {
        Reply::Unknown(cause) => return Outcome::Unknown { cause },
        Reply::Data(data) => data,
    };
    let payload = &data["sendMessage"];
    match (payload["userErrors"][0]["code"].as_str(), shown(&payload["messageEdge"]["node"])) {
        (Some(code), _) => Outcome::Refused { code: code.to_owned() },
        (None, Some(shown)) => Outcome::Acknowledged { id: shown.id, sequence: shown.sequence },
        (None, None) => Outcome::Unknown { cause: "an answer without a message".into() },
    }
}

/// Read marks and typing, which have no place in the log; an answer is not waited for twice.
async fn signal(context: &Context, caller: &Caller, chat: usize, number: usize) {
    let chat = &context.chats[chat].id;
    let (name, input) = if number.is_multiple_of(2) {
        ("markRead", json!({ "chatId": chat, "throughSequence": i32::MAX }))
    } else {
        ("setTyping", json!({ "chatId": chat, "isTyping": true }))
    };
    let _ = context.ask(caller, number, &mutation(name, ""), &json!({ "input": input })).await;
}

/// Reads chats page by page until the run stops, each time from a little before the newest message.
pub async fn read(context: Context, caller: Caller, chats: usize) -> Vec<Walk> {
    let mut walks = Vec::new();
    // Where the walk before the last one ended, by chat.
    let mut bookmarks = vec![vec![(Value::Null, 0); 2]; chats];
    for number in 0.. {
        if !context.pause(Duration::from_millis(700)).await {
            break;
        }
        let chat = number % chats;
        let (after, from) = bookmarks[chat][0].clone();
        if let Some((walk, end)) = walk(&context, &caller, chat, (after, from), number).await {
            let newest = walk.shown.last().map_or(from, |last| last.sequence);
            bookmarks[chat].rotate_left(1);
            bookmarks[chat][1] = (end, newest);
            walks.push(walk);
        }
    }
    walks
}

/// Reads a chat from a cursor to the newest message; also answers the last cursor.
pub async fn walk(
    context: &Context,
    caller: &Caller,
    chat: usize,
    (mut after, from): (Value, i64),
    node: usize,
) -> Option<(Walk, Value)> {
    let query = "query($chat: ID!, $after: String, $first: Int!) { chat(id: $chat) { messages(first: $first, \
                 after: $after) { nodes { id sequence text } pageInfo { hasNextPage endCursor } } } }";
    let mut walk = Walk { chat, from, started: context.now(), ended: 0, shown: Vec::new() };
    loop {
        let variables = json!({ "chat": context.chats[chat].id, "after": after, "first": PAGE });
        let data = context.ask_until_answered(caller, node, query, &variables).await?;
        let page = &data["chat"]["messages"];
        let Some(nodes) = page["nodes"].as_array() else {
            context.note_broken(format!("a page without nodes: {data}"));
            return None;
        };
        walk.shown.extend(nodes.iter().filter_map(shown));
        if let Some(end) = page["pageInfo"]["endCursor"].as_str() {
            after = json!(end);
        }
        if page["pageInfo"]["hasNextPage"] != json!(true) {
            walk.ended = context.now();
            return Some((walk, after));
        }
    }
}
