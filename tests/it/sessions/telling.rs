//! Subscribers receive the changes of a session step by step, always in the same order.

use super::{Clinic, create, done, give};
use crate::harness::Engine;
use crate::harness::socket::Socket;
use crate::harness::world::Person;
use crate::on_both;
use serde_json::{Value, json};

on_both!(events_of_an_action_are_ordered, subscriber_receives_each_step_once_and_no_refusals,);

const EVENTS: &str = "subscription($id: ID!) { chatEvents(chatId: $id) { change { __typename
    ... on ParticipationAddedEvent { participation { actor { id } } }
    ... on ChatSessionChangedEvent { action } ... on MessageAddedEvent { messageEdge { node { type } } } } } }";

/// A stream of what follows. The first event says that it stands.
async fn follow(person: &Person, url: &str, chat: &str) -> Socket {
    let mut socket = Socket::connect(url, &person.token).await;
    socket.subscribe("1", EVENTS, json!({ "id": chat }), None).await;
    assert_eq!(socket.data().await["chatEvents"]["change"]["__typename"], "ChatResetEvent");
    socket
}

/// The next changes: their type, with the action or the type of the message.
async fn next_changes(socket: &mut Socket, count: usize) -> Vec<String> {
    let mut told = Vec::new();
    for _ in 0..count {
        let change = socket.data().await["chatEvents"]["change"].clone();
        let kind = change["__typename"].as_str().unwrap();
        let more = [&change["action"], &change["messageEdge"]["node"]["type"]];
        let more = more.into_iter().find_map(Value::as_str);
        told.push(more.map_or_else(|| kind.to_owned(), |more| format!("{kind} {more}")));
    }
    told
}

async fn events_of_an_action_are_ordered(engine: Engine) {
    let clinic = Clinic::new(engine).await;
    let Clinic { world, olga, odile, vera, .. } = &clinic;
    let chat = world.chat(vera).await;
    let mut socket = follow(vera, &world.app.url, &chat).await;

    let input =
        json!({ "in": { "chat": { "id": chat, "participantIds": [odile.id, vera.id] } }, "start": true });
    let session = create(olga, input).await;
    let expected = [
        "ParticipationAddedEvent",
        "ParticipationAddedEvent",
        "ChatSessionAddedEvent",
        "ChatSessionChangedEvent START",
        "MessageAddedEvent SESSION",
    ];
    assert_eq!(next_changes(&mut socket, 5).await, expected);

    olga.done("updateChatSession", "", json!({ "chatSessionId": session, "title": "Knee" })).await;
    assert_eq!(next_changes(&mut socket, 1).await, ["ChatSessionChangedEvent"]);
    done(vera, "ACCEPT", &session).await;
    assert_eq!(
        next_changes(&mut socket, 2).await,
        ["ChatSessionChangedEvent ACCEPT", "MessageAddedEvent SESSION"]
    );

    odile.done("joinChat", "", json!({ "chatId": chat })).await;
    assert_eq!(next_changes(&mut socket, 2).await, ["PresenceAddedEvent", "MessageAddedEvent JOIN"]);
    olga.done("endChat", "", json!({ "chatId": chat })).await;
    let expected = [
        "PresenceEndedEvent",
        "ChatSessionChangedEvent FINISH",
        "MessageAddedEvent LEAVE",
        "MessageAddedEvent SESSION",
        "ChatChangedEvent",
    ];
    assert_eq!(next_changes(&mut socket, 5).await, expected);
    clinic.stop().await;
}

async fn subscriber_receives_each_step_once_and_no_refusals(engine: Engine) {
    let clinic = Clinic::new(engine).await;
    let Clinic { world, olga, odile, vera, .. } = &clinic;
    let session = clinic.session().await;
    let mut socket = Socket::connect(&world.app.url, &vera.token).await;
    let changes = "subscription($id: ID!) { chatSessionChanged(chatSessionId: $id) { action chatSession { outcome } } }";
    socket.subscribe("1", changes, json!({ "id": session }), None).await;
    socket.subscribe("2", "{ viewer { role } }", json!({}), None).await;
    assert_eq!(socket.data().await["viewer"]["role"], "VISITOR");
    assert_eq!(socket.receive().await["type"], "complete");

    // Refusals, retries and changes that change nothing are between the steps.
    give(vera, "ACCEPT", &session).await;
    done(odile, "START", &session).await;
    done(odile, "START", &session).await;
    give(odile, "REJECT", &session).await;
    olga.done("updateChatSession", "", json!({ "chatSessionId": session })).await;
    world.pass(45);
    for action in ["START", "FINISH"] {
        let change = socket.data().await["chatSessionChanged"].clone();
        assert_eq!(change["action"], action);
        assert!(change["chatSession"]["outcome"] == "MISSED" || action == "START", "{change:#}");
    }
    clinic.stop().await;
}
