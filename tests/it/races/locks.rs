//! Calls that need the same rows lock them in one order, so that none waits forever.

use super::{at_once, call, code, operators, won};
use crate::harness::Engine;
use crate::harness::world::{World, text};
use crate::on_both;
use serde_json::json;

on_both!(
    concurrent_calls_and_messages_do_not_deadlock,
    concurrent_mutual_calls_do_not_deadlock,
    concurrent_user_updates_and_calls_do_not_deadlock,
    concurrent_joins_and_chat_end_do_not_deadlock,
);

async fn concurrent_calls_and_messages_do_not_deadlock(engine: Engine) {
    let world = World::new(engine).await;
    let pair = operators(&world, 2).await;
    let input = json!({ "participantId": pair[1].id });
    let chat = text(&pair[0].done("createDirectChat", "chat { id }", input).await["chat"]["id"]);
    for round in 0..10 {
        let calls = (0..20).map(|number| {
            let (own, other) = (&pair[number % 2], &pair[(number + 1) % 2]);
            let client = own.client.clone();
            if number % 4 < 2 {
                let input = json!({ "chatId": chat, "text": format!("{round}.{number}") });
                call(client, "sendMessage", "", input)
            } else {
                call(client, "createChatSession", "", json!({ "in": { "participantIds": [other.id] } }))
            }
        });
        let payloads = at_once(calls).await;
        assert_eq!(won(&payloads).len(), 20, "{payloads:#?}");
    }
    world.app.stop().await;
}

async fn concurrent_mutual_calls_do_not_deadlock(engine: Engine) {
    let world = World::new(engine).await;
    let pair = operators(&world, 2).await;
    for round in 0..10 {
        let calls = (0..20).map(|number| {
            let (own, other) = (&pair[number % 2], &pair[(number + 1) % 2]);
            let request_id = format!("{round}.{}", number / 2);
            if number < 10 {
                let input = json!({ "in": { "participantIds": [other.id] }, "requestId": request_id });
                call(own.client.clone(), "createChatSession", "", input)
            } else {
                let input = json!({ "participantId": other.id, "requestId": request_id });
                call(own.client.clone(), "createDirectChat", "", input)
            }
        });
        let payloads = at_once(calls).await;
        assert_eq!(won(&payloads).len(), 20, "{payloads:#?}");
    }
    world.app.stop().await;
}

async fn concurrent_user_updates_and_calls_do_not_deadlock(engine: Engine) {
    let world = World::new(engine).await;
    // One is older than the second admin, one younger: whatever the order of locks, one is on the other side.
    let older = world.operator("Olga").await;
    let input = json!({ "name": "Ann", "role": "ADMIN" });
    let second = text(&world.admin.done("createUser", "user { id }", input).await["user"]["id"]);
    let younger = world.operator("Odile").await;
    let caller = world.operator("Otto").await;
    for round in 0..10 {
        let calls = (0..24).map(|number| {
            let user = if number % 2 == 0 { &older } else { &younger };
            if number % 4 < 2 {
                let input = json!({ "userId": user.id, "name": format!("{round}.{number}") });
                call(world.admin.client.clone(), "updateUser", "", input)
            } else {
                let input = json!({ "in": { "participantIds": [user.id, second] } });
                call(caller.client.clone(), "createChatSession", "", input)
            }
        });
        let payloads = at_once(calls).await;
        assert_eq!(won(&payloads).len(), 24, "{payloads:#?}");
    }
    world.app.stop().await;
}

async fn concurrent_joins_and_chat_end_do_not_deadlock(engine: Engine) {
    let world = World::new(engine).await;
    let people = operators(&world, 4).await;
    let vera = world.visitor("vera").await;
    for _ in 0..10 {
        let chat = world.chat(&vera).await;
        let id = json!({ "chatId": chat });
        let mut calls = Vec::new();
        for person in &people {
            for name in ["joinChat", "keepPresence", "leaveChat", "joinChat"] {
                calls.push(call(person.client.clone(), name, "", id.clone()));
            }
        }
        calls.insert(8, call(vera.client.clone(), "endChat", "", id.clone()));
        for payload in at_once(calls).await {
            assert!(matches!(code(&payload), None | Some("CHAT_ENDED" | "NOT_PRESENT")), "{payload:#}");
        }
        // Every user who joined is gone, and the history has an entry for each join and leave.
        let query = "query($id: ID!) { chat(id: $id) { presentUserCount presences { nodes { id } }
            messages(first: 100) { nodes { type sender { id } } } } }";
        let ended = vera.query(query, json!({ "id": chat })).await["chat"].clone();
        assert_eq!((&ended["presentUserCount"], &ended["presences"]["nodes"]), (&json!(0), &json!([])));
        for person in &people {
            let nodes = ended["messages"]["nodes"].as_array().unwrap();
            let own = nodes.iter().filter(|node| node["sender"]["id"] == person.id);
            let own: Vec<_> = own.map(|node| text(&node["type"])).collect();
            assert!(own.chunks(2).all(|pair| *pair == ["JOIN", "LEAVE"]), "{own:?}");
        }
    }
    world.app.stop().await;
}
