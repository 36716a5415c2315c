//! Of many concurrent calls one wins, and the others learn the winner.

use super::{at_once, call, chat, code, operators, ringing, won};
use crate::harness::Engine;
use crate::harness::client::Client;
use crate::harness::world::{Person, World, text};
use crate::on_both;
use serde_json::json;

on_both!(
    fifty_concurrent_accepts_have_one_winner,
    one_of_fifty_tabs_accepts,
    concurrent_exclusive_joins_have_one_winner,
    one_of_a_hundred_operators_gets_the_chat,
    accept_and_chat_end_are_consistent,
    concurrent_starts_have_one_winner,
    concurrent_accept_and_reject_have_one_winner,
);

const ACCEPTED: &str = "chatSession { state acceptedBy { id } }";

/// The states that the history of the chat tells of, oldest first.
async fn history(client: &Client, chat: &str) -> Vec<String> {
    let query = "query($id: ID!, $after: String) { chat(id: $id) { messages(types: [SESSION], first: 100, after: $after) {
        nodes { chatSessionState } pageInfo { hasNextPage endCursor } } } }";
    let (mut states, mut after) = (Vec::new(), json!(null));
    loop {
        let page = client.query(query, json!({ "id": chat, "after": after })).await;
        let page = &page["chat"]["messages"];
        states.extend(page["nodes"].as_array().unwrap().iter().map(|node| text(&node["chatSessionState"])));
        if page["pageInfo"]["hasNextPage"] == false {
            return states;
        }
        after = page["pageInfo"]["endCursor"].clone();
    }
}

async fn fifty_concurrent_accepts_have_one_winner(engine: Engine) {
    let world = World::new(engine).await;
    let called = operators(&world, 50).await;
    let (vera, chat) = chat(&world, "vera").await;
    for _ in 0..100 {
        let session = ringing(&vera, &chat, &called).await;
        let id = json!({ "chatSessionId": session });
        let accepts = called
            .iter()
            .map(|person| call(person.client.clone(), "acceptChatSession", ACCEPTED, id.clone()));
        let payloads = at_once(accepts).await;

        let winner = called.iter().zip(&payloads).filter(|(_, payload)| code(payload).is_none());
        let winner: Vec<_> = winner.map(|(person, _)| person).collect();
        assert_eq!(winner.len(), 1, "{payloads:#?}");
        // The winner and the losers receive the same state.
        let expected = json!({ "state": "ACCEPTED", "acceptedBy": { "id": winner[0].id } });
        for payload in &payloads {
            assert_eq!(payload["chatSession"], expected);
            assert!(code(payload).is_none_or(|code| code == "INVALID_TRANSITION"));
        }
        vera.done("finishChatSession", "", id).await;
    }
    // The history tells of each once.
    let accepted = history(&vera, &chat).await.iter().filter(|state| *state == "ACCEPTED").count();
    assert_eq!(accepted, 100);
    world.app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn concurrent_accepts_on_two_nodes_have_one_winner() {
    let world = World::new(Engine::Postgres).await;
    let node = world.app.second_node().await;
    let called = operators(&world, 20).await;
    let (vera, chat) = chat(&world, "vera").await;
    for _ in 0..20 {
        let session = ringing(&vera, &chat, &called).await;
        let id = json!({ "chatSessionId": session });
        let accepts = called.iter().enumerate().map(|(number, person)| {
            let person = if number % 2 == 0 { person.clone() } else { World::at(person, &node.url) };
            call(person.client, "acceptChatSession", ACCEPTED, id.clone())
        });
        let payloads = at_once(accepts).await;
        assert_eq!(won(&payloads).len(), 1, "{payloads:#?}");
        let session = &won(&payloads)[0]["chatSession"];
        assert!(payloads.iter().all(|payload| payload["chatSession"] == *session), "{payloads:#?}");
        vera.done("finishChatSession", "", id).await;
    }
    node.stop().await;
    world.app.stop().await;
}

async fn one_of_fifty_tabs_accepts(engine: Engine) {
    let world = World::new(engine).await;
    let olga = world.operator("Olga").await;
    let (vera, chat) = chat(&world, "vera").await;
    for _ in 0..5 {
        let session = ringing(&vera, &chat, std::slice::from_ref(&olga)).await;
        let accept = |tab: usize| {
            let input = json!({ "chatSessionId": session, "requestId": format!("tab {tab}") });
            call(olga.client.clone(), "acceptChatSession", ACCEPTED, input)
        };
        // Each tab asks twice, as one that lost its connection would.
        let payloads = at_once((0..100).map(|number| accept(number / 2))).await;
        assert_eq!(won(&payloads).len(), 2);
        let winner = payloads.iter().position(|payload| code(payload).is_none()).unwrap();
        assert_eq!(code(&payloads[winner ^ 1]), None, "the same tab wins both times");
        vera.done("finishChatSession", "", json!({ "chatSessionId": session })).await;
    }
    world.app.stop().await;
}

async fn concurrent_exclusive_joins_have_one_winner(engine: Engine) {
    exclusive_joins(engine, 8, 20).await;
}

async fn one_of_a_hundred_operators_gets_the_chat(engine: Engine) {
    exclusive_joins(engine, 100, 3).await;
}

/// Repeatedly, this number of operators join a chat at once: one succeeds, and the others receive the winner.
async fn exclusive_joins(engine: Engine, operator_count: usize, rounds: usize) {
    let world = World::new(engine).await;
    let people = operators(&world, operator_count).await;
    let (_vera, chat) = chat(&world, "vera").await;
    let selection = "presence { user { id } } chat { presentUserCount presences { nodes { user { id } } } }";
    for _ in 0..rounds {
        let join = json!({ "chatId": chat, "exclusive": true });
        let joins =
            people.iter().map(|person| call(person.client.clone(), "joinChat", selection, join.clone()));
        let payloads = at_once(joins).await;
        let winners = won(&payloads);
        assert_eq!(winners.len(), 1, "{payloads:#?}");
        let winner = winners[0]["presence"]["user"]["id"].clone();
        let there =
            json!({ "presentUserCount": 1, "presences": { "nodes": [{ "user": { "id": winner } }] } });
        assert!(payloads.iter().all(|payload| payload["chat"] == there), "{payloads:#?}");
        let refused = payloads.iter().filter(|payload| code(payload) == Some("CHAT_TAKEN")).count();
        assert_eq!(refused, operator_count - 1);
        let winner = people.iter().find(|person| winner == person.id).unwrap();
        winner.done("leaveChat", "", json!({ "chatId": chat })).await;
    }
    world.app.stop().await;
}

async fn accept_and_chat_end_are_consistent(engine: Engine) {
    let world = World::new(engine).await;
    let olga = world.operator("Olga").await;
    let vera = world.visitor("vera").await;
    for _ in 0..30 {
        let chat = world.chat(&vera).await;
        let session = ringing(&vera, &chat, std::slice::from_ref(&olga)).await;
        let accept = json!({ "chatSessionId": session });
        let payloads = at_once([
            call(olga.client.clone(), "acceptChatSession", "", accept),
            call(vera.client.clone(), "endChat", "", json!({ "chatId": chat })),
        ])
        .await;
        assert_eq!(code(&payloads[1]), None);
        let query = "query($id: ID!) { chatSession(id: $id) { state outcome } }";
        let ended = vera.query(query, json!({ "id": session })).await["chatSession"].clone();
        let (outcome, states) = match code(&payloads[0]) {
            None => ("COMPLETED", vec!["STARTED", "ACCEPTED", "FINISHED"]),
            Some("INVALID_TRANSITION") => ("CANCELLED", vec!["STARTED", "FINISHED"]),
            Some(other) => panic!("refused as {other}"),
        };
        assert_eq!(ended, json!({ "state": "FINISHED", "outcome": outcome }));
        assert_eq!(history(&vera, &chat).await, states);
    }
    world.app.stop().await;
}

async fn concurrent_starts_have_one_winner(engine: Engine) {
    let world = World::new(engine).await;
    let olga = world.operator("Olga").await;
    let (vera, chat) = chat(&world, "vera").await;
    for _ in 0..20 {
        let input = json!({ "in": { "chat": { "id": chat, "participantIds": [vera.id] } } });
        let mut created = Vec::new();
        for _ in 0..2 {
            let payload = olga.done("createChatSession", "chatSession { id }", input.clone()).await;
            created.push(text(&payload["chatSession"]["id"]));
        }
        let start = |person: &Person, session: &String| {
            let input = json!({ "chatSessionId": session });
            call(person.client.clone(), "startChatSession", "chatSession { id }", input)
        };
        let (one, other) = (&created[0], &created[1]);
        let starts = [start(&olga, one), start(&vera, one), start(&olga, other), start(&vera, other)];
        let payloads = at_once(starts).await;
        assert_eq!(won(&payloads).len(), 1, "{payloads:#?}");
        let rings = &won(&payloads)[0]["chatSession"]["id"];
        for payload in payloads.iter().filter(|payload| code(payload).is_some()) {
            let is_same = payload["chatSession"]["id"] == *rings;
            assert_eq!(code(payload), Some(if is_same { "INVALID_TRANSITION" } else { "SESSION_OPEN" }));
        }
        for session in &created {
            olga.done("finishChatSession", "", json!({ "chatSessionId": session })).await;
        }
    }
    world.app.stop().await;
}

async fn concurrent_accept_and_reject_have_one_winner(engine: Engine) {
    let world = World::new(engine).await;
    let called = operators(&world, 4).await;
    let (vera, chat) = chat(&world, "vera").await;
    for _ in 0..20 {
        let session = ringing(&vera, &chat, &called).await;
        let id = json!({ "chatSessionId": session });
        let actions = ["acceptChatSession", "rejectChatSession", "acceptChatSession", "rejectChatSession"];
        let calls = called
            .iter()
            .zip(actions)
            .map(|(person, name)| call(person.client.clone(), name, "chatSession { state }", id.clone()));
        let payloads = at_once(calls).await;
        assert_eq!(won(&payloads).len(), 1, "{payloads:#?}");
        let state = &won(&payloads)[0]["chatSession"]["state"];
        assert!(payloads.iter().all(|payload| payload["chatSession"]["state"] == *state));
        if state == "ACCEPTED" {
            vera.done("finishChatSession", "", id).await;
        }
    }
    world.app.stop().await;
}
