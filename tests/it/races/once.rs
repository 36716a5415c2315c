//! Concurrent calls create a unique object only once.

use super::{at_once, call, chat, operators, won};
use crate::harness::Engine;
use crate::harness::client::mutation;
use crate::harness::world::{Person, World, ids, text};
use crate::on_both;
use serde_json::{Value, json};
use std::collections::HashSet;
use std::time::Duration;

on_both!(
    a_pair_that_creates_its_chat_from_both_sides_gets_one,
    a_group_that_calls_from_all_sides_gets_one_chat,
    starting_a_chat_many_times_with_one_request_id_starts_one,
    fifty_resumes_of_one_visitor_at_once_make_one_chat,
    two_changes_of_a_visitor_at_once_both_stay,
    a_hundred_sends_with_one_external_id_make_one_message,
    a_thousand_retries_of_one_send_make_one_message,
);

async fn a_pair_that_creates_its_chat_from_both_sides_gets_one(engine: Engine) {
    let world = World::new(engine).await;
    for round in 0..10 {
        let pair = [world.operator("Olga").await, world.visitor(&format!("vera {round}")).await];
        let (olga, vera) = (&pair[0], &pair[1]);
        let odile = world.operator("Odile").await;
        let create = |person: &Person, other: &Person| {
            let input = json!({ "participantId": other.id });
            call(person.client.clone(), "createDirectChat", "chat { id } isExisting", input)
        };
        let calls = (0..3).flat_map(|_| [create(olga, &odile), create(&odile, olga), create(olga, vera)]);
        let payloads = at_once(calls).await;
        assert_eq!(won(&payloads).len(), 9);
        let chats: HashSet<_> = payloads.iter().map(|payload| text(&payload["chat"]["id"])).collect();
        assert_eq!(chats.len(), 2, "one with Odile, one with Vera");
        let new = payloads.iter().filter(|payload| payload["isExisting"] == false).count();
        assert_eq!(new, 2);
    }
    world.app.stop().await;
}

async fn a_group_that_calls_from_all_sides_gets_one_chat(engine: Engine) {
    let world = World::new(engine).await;
    for _ in 0..10 {
        let people = operators(&world, 3).await;
        let all: Vec<_> = people.iter().map(|person| person.id.clone()).collect();
        let calls = people.iter().cycle().take(9).map(|person| {
            let input = json!({ "in": { "participantIds": all } });
            call(person.client.clone(), "createChatSession", "chatSession { id } chat { id }", input)
        });
        let payloads = at_once(calls).await;
        let chats: HashSet<_> = payloads.iter().map(|payload| text(&payload["chat"]["id"])).collect();
        let sessions: HashSet<_> =
            payloads.iter().map(|payload| text(&payload["chatSession"]["id"])).collect();
        assert_eq!((chats.len(), sessions.len()), (1, 9));
    }
    world.app.stop().await;
}

async fn starting_a_chat_many_times_with_one_request_id_starts_one(engine: Engine) {
    let world = World::new(engine).await;
    let (olga, vera) = (world.operator("Olga").await, world.visitor("vera").await);
    for round in 0..10 {
        let own = json!({ "roomId": world.room, "message": "Hello", "requestId": format!("round {round}") });
        let mut for_vera = own.clone();
        for_vera["visitorId"] = json!(vera.id);
        let start = |person: &Person, input: &Value| {
            let selection = "chat { id } messageEdge { node { id } }";
            call(person.client.clone(), "startChat", selection, input.clone())
        };
        let calls = (0..10).flat_map(|_| [start(&vera, &own), start(&olga, &for_vera)]);
        let payloads = at_once(calls).await;
        assert_eq!(won(&payloads).len(), 20);
        // One for each caller, and each with the one message.
        for caller in 0..2 {
            let own: HashSet<_> = payloads.iter().skip(caller).step_by(2).map(Value::to_string).collect();
            assert_eq!(own.len(), 1, "{own:#?}");
        }
    }
    let chats = world.admin.query("{ organization { chats { totalCount } } }", json!({})).await;
    assert_eq!(chats["organization"]["chats"]["totalCount"], 20);
    // Without an id there is nothing to know them by: each starts one.
    let plain = json!({ "roomId": world.room });
    let payloads =
        at_once((0..10).map(|_| call(vera.client.clone(), "startChat", "chat { id }", plain.clone()))).await;
    let chats: HashSet<_> = payloads.iter().map(|payload| text(&payload["chat"]["id"])).collect();
    assert_eq!(chats.len(), 10);
    world.app.stop().await;
}

async fn fifty_resumes_of_one_visitor_at_once_make_one_chat(engine: Engine) {
    let world = World::new(engine).await;
    let vera = world.visitor("vera").await;
    let people = operators(&world, 10).await;
    for round in 0..5 {
        // Of fifty tabs, and of ten operators among them, who all go on with whatever there is,
        let own = (0..40).map(|_| (vera.client.clone(), json!({ "roomId": world.room, "autoResume": true })));
        let users = people.iter().map(|person| {
            let input = json!({ "roomId": world.room, "visitorId": vera.id, "autoResumeUserId": person.id });
            (person.client.clone(), input)
        });
        let selection = "chat { id } isResumed presence { user { id } }";
        let calls = own.chain(users).map(|(client, input)| call(client, "startChat", selection, input));
        let payloads = at_once(calls).await;
        assert_eq!(won(&payloads).len(), 50, "{payloads:#?}");
        // one makes the chat, and all are in it.
        let chats: HashSet<_> = payloads.iter().map(|payload| text(&payload["chat"]["id"])).collect();
        assert_eq!(chats.len(), 1, "round {round}");
        let new = payloads.iter().filter(|payload| payload["isResumed"] == false).count();
        assert_eq!(new, 1);
        let chat = chats.into_iter().next().unwrap();
        let query =
            "query($id: ID!) { chat(id: $id) { presentUserCount messages(types: [JOIN]) { totalCount } } }";
        let seen = vera.query(query, json!({ "id": chat })).await["chat"].clone();
        assert_eq!(seen, json!({ "presentUserCount": 10, "messages": { "totalCount": 10 } }));
        vera.done("endChat", "", json!({ "chatId": chat })).await;
    }
    world.app.stop().await;
}

async fn two_changes_of_a_visitor_at_once_both_stay(engine: Engine) {
    let world = World::new(engine).await;
    world.visitor("vera").await;
    for round in 0..20 {
        let attributes = json!([{ "name": "round", "value": round.to_string() }]);
        let changes = [
            json!({ "externalId": "vera", "displayName": format!("Vera {round}") }),
            json!({ "externalId": "vera", "attributes": attributes }),
        ];
        let admin = &world.admin.client;
        at_once(changes.map(|change| call(admin.clone(), "upsertVisitor", "", change))).await;
        let visitor = "{ visitor(by: { externalId: \"vera\" }) { displayName attributes { name value } } }";
        let visitor = world.admin.query(visitor, json!({})).await["visitor"].clone();
        assert_eq!(visitor, json!({ "displayName": format!("Vera {round}"), "attributes": attributes }));
    }
    world.app.stop().await;
}

async fn a_hundred_sends_with_one_external_id_make_one_message(engine: Engine) {
    let world = World::new(engine).await;
    let olga = world.operator("Olga").await;
    let (vera, chat) = chat(&world, "vera").await;
    let input = json!({ "chatId": chat, "text": "Hello", "externalId": "one" });
    let sends = (0..100).map(|_| {
        let selection = "messageEdge { cursor node { id sequence createdAt } }";
        call(vera.client.clone(), "sendMessage", selection, input.clone())
    });
    let payloads: HashSet<_> = at_once(sends).await.iter().map(Value::to_string).collect();
    assert_eq!(payloads.len(), 1, "{payloads:#?}");
    let query = "query($id: ID!) { chat(id: $id) { messageCount messages(first: 100) { nodes { id } } } }";
    let seen = olga.query(query, json!({ "id": chat })).await;
    assert_eq!(seen["chat"]["messageCount"], 1);
    assert_eq!(ids(&seen["chat"]["messages"]["nodes"]).len(), 1);
    // The same id by somebody else, or in another chat, is another message.
    let others = olga.done("sendMessage", "messageEdge { node { id } }", input).await;
    assert_ne!(ids(&seen["chat"]["messages"]["nodes"])[0], text(&others["messageEdge"]["node"]["id"]));
    world.app.stop().await;
}

/// As many clients as a network that fails at the wrong moment makes of one: each asks until it is answered.
async fn a_thousand_retries_of_one_send_make_one_message(engine: Engine) {
    let world = World::new(engine).await;
    let (vera, chat) = chat(&world, "vera").await;
    let input = json!({ "chatId": chat, "text": "Only once", "externalId": "one" });
    let document = mutation("sendMessage", "messageEdge { cursor node { id sequence text createdAt } }");
    let sends = (0..1_000).map(|_| {
        let (client, document, variables) =
            (vera.client.clone(), document.clone(), json!({ "input": input }));
        async move {
            loop {
                let answer = client.ask(&document, variables.clone()).await;
                match answer["errors"][0]["extensions"]["code"].as_str() {
                    None => return answer["data"]["sendMessage"].to_string(),
                    Some(code) => assert_eq!(code, "UNAVAILABLE", "{answer:#}"),
                }
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        }
    });
    let payloads: HashSet<_> = at_once(sends).await.into_iter().collect();
    assert_eq!(payloads.len(), 1, "{payloads:#?}");
    let query = "query($id: ID!) { chat(id: $id) { messageCount
        messages { totalCount nodes { externalId } } searchMessages(query: \"only once\") { totalCount } } }";
    let seen = vera.query(query, json!({ "id": chat })).await["chat"].clone();
    assert_eq!((&seen["messageCount"], &seen["searchMessages"]["totalCount"]), (&json!(1), &json!(1)));
    assert_eq!(seen["messages"], json!({ "totalCount": 1, "nodes": [{ "externalId": "one" }] }));
    world.app.stop().await;
}
