//! A first conversation, live on both sides.

use crate::harness::Engine;
use crate::harness::socket::Socket;
use crate::harness::world::{World, text};
use crate::on_both;
use serde_json::json;

on_both!(a_visitors_message_reaches_an_operator, a_session_is_seen_live_by_both);

async fn a_visitors_message_reaches_an_operator(engine: Engine) {
    let world = World::new(engine).await;
    let (olga, vera) = (world.operator("Olga").await, world.visitor("vera").await);
    let chat = world.chat(&vera).await;

    let mut desk = Socket::connect(&world.app.url, &olga.token).await;
    let added = "subscription($chat: ID!) { messageAdded(chatId: $chat) { node { text senderName } } }";
    desk.subscribe("1", added, json!({ "chat": chat }), None).await;
    // The answer to another operation on the socket says that the subscription stands.
    desk.subscribe("2", "{ viewer { role } }", json!({}), None).await;
    assert_eq!(desk.data().await, json!({ "viewer": { "role": "OPERATOR" } }));
    assert_eq!(desk.receive().await, json!({ "type": "complete", "id": "2" }));

    let sent = vera
        .done("sendMessage", "messageEdge { cursor node { id } }", json!({ "chatId": chat, "text": "Hello" }))
        .await;

    let next = desk.next().await;
    assert_eq!(
        next["data"]["messageAdded"]["node"],
        json!({ "text": "Hello", "senderName": "Visitor vera" })
    );
    assert_eq!(next["extensions"]["cursor"], sent["messageEdge"]["cursor"]);
    world.app.stop().await;
}

async fn a_session_is_seen_live_by_both(engine: Engine) {
    let world = World::new(engine).await;
    let (olga, vera) = (world.operator("Olga").await, world.visitor("vera").await);
    let chat = world.chat(&vera).await;
    let mut sockets = Vec::new();
    for person in [&olga, &vera] {
        let mut socket = Socket::connect(&world.app.url, &person.token).await;
        let events = "subscription($chat: ID!) { chatEvents(chatId: $chat) { change { __typename \
                      ... on ChatSessionChangedEvent { action chatSession { state viewerActions } } } } }";
        socket.subscribe("chat", events, json!({ "chat": chat }), None).await;
        assert_eq!(socket.data().await["chatEvents"]["change"]["__typename"], "ChatResetEvent");
        sockets.push(socket);
    }

    let input = json!({ "in": { "chat": { "id": chat, "participantIds": [vera.id] } } });
    let created = olga.done("createChatSession", "chatSession { id state callRoom }", input).await;
    let session = text(&created["chatSession"]["id"]);
    assert_eq!(created["chatSession"]["state"], "CREATED");
    let id = json!({ "chatSessionId": session });
    olga.done("startChatSession", "chatSession { state ringsUntil }", id.clone()).await;
    vera.done("acceptChatSession", "chatSession { state }", id.clone()).await;
    vera.done("finishChatSession", "chatSession { state outcome }", id).await;

    let expected = [
        ("START", "STARTED", [json!(["FINISH"]), json!(["ACCEPT", "REJECT", "FINISH"])]),
        ("ACCEPT", "ACCEPTED", [json!(["FINISH"]), json!(["FINISH"])]),
        ("FINISH", "FINISHED", [json!([]), json!([])]),
    ];
    for (who, socket) in sockets.iter_mut().enumerate() {
        let mut seen = Vec::new();
        while seen.len() < expected.len() {
            let change = socket.data().await["chatEvents"]["change"].clone();
            if change["__typename"] == "ChatSessionChangedEvent" {
                seen.push((change["action"].clone(), change["chatSession"].clone()));
            }
        }
        for ((action, session), (wanted, state, actions)) in seen.into_iter().zip(&expected) {
            assert_eq!(action, *wanted);
            assert_eq!(session, json!({ "state": state, "viewerActions": actions[who] }));
        }
    }
    world.app.stop().await;
}
