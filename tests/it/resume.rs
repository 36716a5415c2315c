//! A subscriber that keeps its cursor sees each message once and in order, however often it is cut off.

use crate::harness::seed::seed;
use crate::harness::socket::Socket;
use crate::harness::world::{Person, World, text};
use crate::harness::{Engine, TestApp};
use crate::on_both;
use anteroom::clock::Clock;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::{Value, json};
use std::time::Duration;

on_both!(
    subscribers_that_are_cut_at_random_see_each_message_once_and_in_order,
    readers_that_always_lag_see_each_message_once_and_in_order,
    foreign_or_malformed_cursor_is_rejected,
    chat_events_reset_or_resume,
);

const MESSAGES: usize = 2_000;
const WRITERS: usize = 4;
const SUBSCRIBERS: u64 = 5;
const ADDED: &str =
    "subscription($chat: ID!) { messageAdded(chatId: $chat) { cursor node { text sequence } } }";

async fn subscribers_that_are_cut_at_random_see_each_message_once_and_in_order(engine: Engine) {
    storm(World::new(engine).await).await;
}

/// With a ring of a few hints, everybody is behind all the time: what they see is read from the log.
async fn readers_that_always_lag_see_each_message_once_and_in_order(engine: Engine) {
    let app = TestApp::start_with(engine, Clock::system(), |config| config.hub_capacity = 4).await;
    storm(World::on(app).await).await;
}

async fn storm(world: World) {
    let (olga, vera) = (world.operator("Olga").await, world.visitor("vera").await);
    let chat = world.chat(&vera).await;
    let first =
        vera.done("sendMessage", "messageEdge { cursor }", json!({ "chatId": chat, "text": "0" })).await;
    let start = text(&first["messageEdge"]["cursor"]);

    let seed = seed();
    let subscribers: Vec<_> = (0..SUBSCRIBERS)
        .map(|number| {
            let who = if number % 2 == 0 { olga.clone() } else { vera.clone() };
            let cuts = (number > 0).then(|| StdRng::seed_from_u64(seed ^ number));
            tokio::spawn(follow(who, chat.clone(), start.clone(), cuts))
        })
        .collect();
    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| {
            let who = if writer % 2 == 0 { olga.clone() } else { vera.clone() };
            tokio::spawn(write(who, chat.clone(), writer))
        })
        .collect();
    for writer in writers {
        writer.await.expect("the writer ends");
    }

    let mut stories = Vec::new();
    for subscriber in subscribers {
        stories.push(subscriber.await.expect("the subscriber ends"));
    }
    let sequences: Vec<i64> = stories[0].iter().map(|(sequence, _)| *sequence).collect();
    assert!(sequences.windows(2).all(|pair| pair[0] < pair[1]), "out of order");
    let mut texts: Vec<_> = stories[0].iter().map(|(_, text)| text.clone()).collect();
    texts.sort();
    texts.dedup();
    assert_eq!(texts.len(), MESSAGES, "lost or repeated");
    assert!(stories.iter().all(|story| *story == stories[0]), "the subscribers saw different stories");
    world.app.stop().await;
}

async fn write(who: Person, chat: String, writer: usize) {
    for number in 0..MESSAGES / WRITERS {
        let input = json!({ "chatId": chat, "text": format!("{writer}/{number}") });
        who.done("sendMessage", "", input).await;
    }
}

/// Follows the chat until all messages were seen, and is cut off at random where there are `cuts`.
async fn follow(who: Person, chat: String, start: String, mut cuts: Option<StdRng>) -> Vec<(i64, String)> {
    let mut story = Vec::new();
    let mut cursor = start;
    while story.len() < MESSAGES {
        let mut socket = Socket::connect(&who.url, &who.token).await;
        socket.subscribe("1", ADDED, json!({ "chat": chat }), Some(&cursor)).await;
        let until_cut = cuts.as_mut().map_or(usize::MAX, |random| random.random_range(1..200));
        for _ in 0..until_cut {
            if story.len() == MESSAGES {
                break;
            }
            let next = socket.next().await;
            let node = &next["data"]["messageAdded"]["node"];
            story.push((node["sequence"].as_i64().expect("a sequence"), text(&node["text"])));
            cursor = text(&next["extensions"]["cursor"]);
        }
        // Dropping the socket cuts the connection without a word.
    }
    story
}

async fn foreign_or_malformed_cursor_is_rejected(engine: Engine) {
    let world = World::new(engine).await;
    let vera = world.visitor("vera").await;
    let (chat, other) = (world.chat(&vera).await, world.chat(&vera).await);
    let sent =
        vera.done("sendMessage", "messageEdge { cursor }", json!({ "chatId": other, "text": "Hi" })).await;
    let foreign = text(&sent["messageEdge"]["cursor"]);

    let mut socket = Socket::connect(&world.app.url, &vera.token).await;
    for (id, after) in [("1", foreign.as_str()), ("2", "nonsense"), ("3", "")] {
        socket.subscribe(id, ADDED, json!({ "chat": chat }), Some(after)).await;
        let answer = socket.receive().await;
        assert_eq!((&answer["type"], &answer["id"]), (&json!("error"), &json!(id)), "{answer:#}");
        assert_eq!(answer["payload"][0]["extensions"]["code"], "CURSOR_INVALID");
    }
    world.app.stop().await;
}

async fn chat_events_reset_or_resume(engine: Engine) {
    let world = World::new(engine).await;
    let (olga, vera) = (world.operator("Olga").await, world.visitor("vera").await);
    let chat = world.chat(&vera).await;
    let events = "subscription($chat: ID!) { chatEvents(chatId: $chat) { cursor change { __typename \
                  ... on MessageAddedEvent { messageEdge { node { text } } } } } }";
    let kind = |payload: &Value| payload["data"]["chatEvents"]["change"]["__typename"].clone();

    let mut socket = Socket::connect(&world.app.url, &olga.token).await;
    socket.subscribe("1", events, json!({ "chat": chat }), None).await;
    let reset = socket.next().await;
    assert_eq!(kind(&reset), "ChatResetEvent");
    let cursor = text(&reset["extensions"]["cursor"]);
    drop(socket);

    vera.done("sendMessage", "", json!({ "chatId": chat, "text": "while you were away" })).await;
    olga.done("joinChat", "", json!({ "chatId": chat })).await;

    let mut socket = Socket::connect(&world.app.url, &olga.token).await;
    socket.subscribe("1", events, json!({ "chat": chat }), Some(&cursor)).await;
    let mut kinds = Vec::new();
    for _ in 0..4 {
        kinds.push(kind(&socket.next().await));
    }
    let expected =
        ["MessageAddedEvent", "ParticipationAddedEvent", "PresenceAddedEvent", "MessageAddedEvent"];
    assert_eq!(kinds, expected.map(|kind| json!(kind)));
    drop(socket);
    tokio::time::sleep(Duration::from_millis(10)).await;
    world.app.stop().await;
}
