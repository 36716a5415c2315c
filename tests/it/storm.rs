//! Hundreds of subscribers who come back at the same moment, as after a restart, on a small pool of connections.

use crate::harness::socket::Socket;
use crate::harness::world::{Person, World, text};
use crate::harness::{Engine, TestApp};
use crate::on_both;
use anteroom::clock::Clock;
use serde_json::json;
use std::collections::HashMap;
use std::time::Duration;

on_both!(five_hundred_subscribers_come_back_at_once_and_miss_nothing);

const CHATS: usize = 25;
const MISSED: usize = 12;
const LIVE: usize = 3;
const SOCKETS: usize = 25;
const ADDED: &str =
    "subscription($chat: ID!) { messageAdded(chatId: $chat) { node { text sender { id } } } }";
const EVENTS: &str = "subscription($chat: ID!) { chatEvents(chatId: $chat) { change { \
                      ... on MessageAdded { messageEdge { node { text chat { id } } } } } } }";

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

    // Each socket follows 20 of the 25 chats.
    let places: Vec<_> = chats.iter().map(|(_, chat, cursor)| (chat.clone(), cursor.clone())).collect();
    let followers: Vec<_> = (0..SOCKETS)
        .map(|number| {
            let mut places = places.clone();
            places.rotate_left(number);
            places.truncate(500 / SOCKETS);
            tokio::spawn(follow(world.admin.clone(), places, if number % 2 == 0 { ADDED } else { EVENTS }))
        })
        .collect();
    let writing = chats.iter().map(|(visitor, chat, _)| async move {
        for number in MISSED + 1..=MISSED + LIVE {
            say(visitor, chat, number).await;
        }
    });
    futures_util::future::join_all(writing).await;
    let expected: Vec<_> = (1..=MISSED + LIVE).map(|number| number.to_string()).collect();
    for follower in followers {
        let stories = tokio::time::timeout(Duration::from_mins(5), follower).await.expect("in time");
        for story in stories.expect("the stories").values() {
            assert_eq!(*story, expected);
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

/// Follows all places on one socket, and comes back with its cursors where it closes for now. Nothing else may end a
/// subscription.
async fn follow(
    who: Person,
    mut places: Vec<(String, String)>,
    document: &str,
) -> HashMap<String, Vec<String>> {
    let mut stories: HashMap<String, Vec<String>> =
        places.iter().map(|(chat, _)| (chat.clone(), Vec::new())).collect();
    loop {
        let mut socket = Socket::connect(&who.url, &who.token).await;
        for (number, (chat, cursor)) in places.iter().enumerate() {
            let variables = json!({ "chat": chat });
            socket.subscribe(&number.to_string(), document, variables, Some(cursor)).await;
        }
        loop {
            if stories.values().all(|story| story.len() == MISSED + LIVE) {
                return stories;
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
            place.1 = text(&payload["extensions"]["cursor"]);
            let data = &payload["data"];
            let node = match data.get("messageAdded") {
                Some(added) => &added["node"],
                None => &data["chatEvents"]["change"]["messageEdge"]["node"],
            };
            if node.is_object() {
                stories.get_mut(&place.0).expect("a story").push(text(&node["text"]));
            }
        }
    }
}
