//! Hundreds of subscribers reconnect at the same moment, as after a restart, on a small pool of connections.

use crate::harness::socket::Socket;
use crate::harness::world::{Person, World, text};
use crate::harness::{Engine, TestApp};
use crate::on_both;
use anteroom::clock::Clock;
use serde_json::json;
use std::time::Duration;

on_both!(five_hundred_subscribers_come_back_at_once_and_miss_nothing);

const CHATS: usize = 25;
const MISSED: usize = 12;
const LIVE: usize = 3;
/// Each has two subscriptions of every chat: 500 together, and no more sockets than one actor may have.
const SOCKETS: usize = 10;
const ADDED: &str =
    "subscription($chat: ID!) { messageAdded(chatId: $chat) { node { text sender { id } } } }";
const EVENTS: &str = "subscription($chat: ID!) { chatEvents(chatId: $chat) { change { \
                      ... on MessageAddedEvent { messageEdge { node { text chat { id } } } } } } }";

async fn five_hundred_subscribers_come_back_at_once_and_miss_nothing(engine: Engine) {
    let app = TestApp::start_with(engine, Clock::system(), |config| config.database_connections = 4).await;
    let world = World::on(app).await;
    let mut chats = Vec::new();
    for number in 0..CHATS {
        let visitor = world.visitor(&format!("v{number}")).await;
        let chat = world.chat(&visitor).await;
        let cursor = say(&visitor, &chat, 0).await;
        chats.push((visitor, chat, cursor));
    }
    let writing = chats.iter().map(|(visitor, chat, _)| async move {
        for number in 1..=MISSED {
            say(visitor, chat, number).await;
        }
    });
    futures_util::future::join_all(writing).await;

    let places = [ADDED, EVENTS].into_iter().flat_map(|document| {
        chats.iter().map(move |(_, chat, cursor)| Place {
            document,
            chat: chat.clone(),
            cursor: cursor.clone(),
            story: Vec::new(),
        })
    });
    let places: Vec<_> = places.collect();
    let followers: Vec<_> =
        (0..SOCKETS).map(|_| tokio::spawn(follow(world.admin.clone(), places.clone()))).collect();
    let writing = chats.iter().map(|(visitor, chat, _)| async move {
        for number in MISSED + 1..=MISSED + LIVE {
            say(visitor, chat, number).await;
        }
    });
    futures_util::future::join_all(writing).await;
    let expected: Vec<_> = (1..=MISSED + LIVE).map(|number| number.to_string()).collect();
    for follower in followers {
        let stories = tokio::time::timeout(Duration::from_mins(5), follower).await.expect("in time");
        for place in stories.expect("the stories") {
            assert_eq!(place.story, expected);
        }
    }
    world.app.stop().await;
}

async fn say(who: &Person, chat: &str, number: usize) -> String {
    let mutation = crate::harness::client::mutation("sendMessage", "messageEdge { cursor }");
    let words = number.to_string();
    let input = json!({ "chatId": chat, "text": words, "externalId": words });
    loop {
        let answer = who.ask(&mutation, json!({ "input": input })).await;
        let cursor = &answer["data"]["sendMessage"]["messageEdge"]["cursor"];
        if cursor.is_string() {
            return text(cursor);
        }
        // Busy: clients repeat what has an id of its own.
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// A subscription of a chat, where it stands, and what it was told.
#[derive(Clone)]
struct Place {
    document: &'static str,
    chat: String,
    cursor: String,
    story: Vec<String>,
}

/// Follows all places on one socket, and comes back with its cursors where it closes for now. Nothing else may end a
/// subscription.
async fn follow(who: Person, mut places: Vec<Place>) -> Vec<Place> {
    loop {
        let mut socket = Socket::open(&who.url).await;
        let payload = json!({ "Authorization": format!("Bearer {}", who.token) });
        socket.send(json!({ "type": "connection_init", "payload": payload })).await;
        match socket.try_receive().await {
            Ok(message) => assert_eq!(message["type"], "connection_ack"),
            Err(code) => {
                assert_eq!(code, 1013);
                continue;
            }
        }
        for (number, place) in places.iter().enumerate() {
            let variables = json!({ "chat": place.chat });
            socket.subscribe(&number.to_string(), place.document, variables, Some(&place.cursor)).await;
        }
        loop {
            if places.iter().all(|place| place.story.len() == MISSED + LIVE) {
                return places;
            }
            let message = match socket.try_receive().await {
                Ok(message) => message,
                Err(code) => {
                    assert_eq!(code, 1013);
                    break;
                }
            };
            assert_eq!(message["type"], "next", "{message:#}");
            let payload = &message["payload"];
            assert_eq!(payload.get("errors"), None, "{payload:#}");
            let place = &mut places[text(&message["id"]).parse::<usize>().expect("a number")];
            place.cursor = text(&payload["extensions"]["cursor"]);
            let data = &payload["data"];
            let node = match data.get("messageAdded") {
                Some(added) => &added["node"],
                None => &data["chatEvents"]["change"]["messageEdge"]["node"],
            };
            if node.is_object() {
                place.story.push(text(&node["text"]));
            }
        }
    }
}
