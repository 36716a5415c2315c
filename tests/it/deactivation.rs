//! A user who is deactivated hears why their connections end. Nothing looks like a stream that came to its end.

use crate::harness::event_stream::EventStream;
use crate::harness::socket::Socket;
use crate::harness::world::{Person, World, text};
use crate::harness::{Engine, TestApp};
use crate::on_both;
use serde_json::{Value, json};
use std::time::Duration;

on_both!(
    deactivation_closes_socket_with_4403_without_complete,
    event_streams_of_a_deactivated_user_end_with_an_error
);

/// A socket of Olga's on a node, which follows everything there is to follow.
async fn following(olga: &Person, url: &str, variables: &Value) -> Socket {
    let mut socket = Socket::connect(url, &olga.token).await;
    let chat = ["messageAdded { cursor }", "presenceChanged { cursor }", "chatEvents { cursor }"];
    for (number, root) in chat.iter().enumerate() {
        let root = root.replace(" {", "(chatId: $chat) {");
        let document = format!("subscription($chat: ID!) {{ {root} }}");
        socket.subscribe(&format!("chat {number}"), &document, variables.clone(), None).await;
    }
    let session = "subscription($session: ID!) { chatSessionChanged(chatSessionId: $session) { cursor } }";
    socket.subscribe("session", session, variables.clone(), None).await;
    socket.subscribe("viewer", "subscription { viewerEvents { cursor } }", json!({}), None).await;
    let changed = "subscription($room: ID!) { chatChanged(in: { roomId: $room }) { cursor } }";
    socket.subscribe("room", changed, variables.clone(), None).await;
    // The two that start with a reset.
    for _ in 0..2 {
        assert_eq!(socket.receive().await["type"], "next");
    }
    socket.wait_until_subscribed().await;
    socket
}

async fn deactivation_closes_socket_with_4403_without_complete(engine: Engine) {
    let world = World::new(engine).await;
    let (olga, vera) = (world.operator("Olga").await, world.visitor("vera").await);
    let chat = world.chat(&vera).await;
    let input = json!({ "in": { "chat": { "id": chat, "participantIds": [vera.id] } } });
    let session =
        text(&olga.done("createChatSession", "chatSession { id }", input).await["chatSession"]["id"]);
    let variables = json!({ "chat": chat, "session": session, "room": world.room });
    let second = if engine == Engine::Postgres { Some(world.app.second_node().await) } else { None };
    let mut sockets = vec![following(&olga, &world.app.url, &variables).await];
    if let Some(second) = &second {
        sockets.push(following(&olga, &second.url, &variables).await);
    }
    // A slow query is under way.
    let page =
        "query($chat: ID!) { chat(id: $chat) { messages(first: 50) { nodes { reactions { emoji } } } } }";
    for socket in &mut sockets {
        for number in 0..10 {
            socket.subscribe(&format!("query {number}"), page, variables.clone(), None).await;
        }
    }
    world.admin.done("updateUser", "", json!({ "userId": olga.id, "isActive": false })).await;
    for socket in &mut sockets {
        let code = loop {
            match socket.try_receive().await {
                Ok(message) => {
                    let is_of_query = text(&message["id"]).starts_with("query");
                    assert!(is_of_query || message["type"] == "next", "{message:#}");
                }
                Err(code) => break code,
            }
        };
        assert_eq!(code, 4403);
    }
    if let Some(second) = second {
        TestApp::stop(second).await;
    }
    world.app.stop().await;
}

async fn event_streams_of_a_deactivated_user_end_with_an_error(engine: Engine) {
    let world = World::new(engine).await;
    let (olga, vera) = (world.operator("Olga").await, world.visitor("vera").await);
    let chat = world.chat(&vera).await;
    let variables = json!({ "chat": chat });
    let mut streams = Vec::new();
    for document in [
        "subscription($chat: ID!) { messageAdded(chatId: $chat) { cursor } }",
        "subscription($chat: ID!) { presenceChanged(chatId: $chat) { cursor } }",
    ] {
        streams.push(EventStream::open(&olga, document, &variables, None).await);
    }
    streams
        .push(EventStream::open(&olga, "subscription { viewerEvents { cursor } }", &json!({}), None).await);
    assert_eq!(streams[2].next().await.expect("a reset").name, "next");
    world.admin.done("updateUser", "", json!({ "userId": olga.id, "isActive": false })).await;
    for stream in &mut streams {
        let last = tokio::time::timeout(Duration::from_secs(30), stream.next()).await.expect("in time");
        let last = last.expect("a last word");
        assert_eq!(last.name, "next", "{last:?}");
        assert_eq!(last.data["errors"][0]["extensions"]["code"], "UNAUTHENTICATED", "{last:?}");
    }
    world.app.stop().await;
}
