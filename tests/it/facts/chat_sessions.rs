//! Facts of the chat session API.

use crate::harness::Engine;
use crate::harness::sdl;
use crate::harness::world::{World, text};
use crate::on_both;
use serde_json::{Value, json};

on_both!(
    create_returns_complete_session,
    telemed_is_the_only_type,
    a_session_starts_by_an_action,
    session_and_chat_link_to_each_other,
);

const SESSION: &str = "id type title state createdAt createdBy { id } scheduledAt startedAt startedBy { id } acceptedAt
    acceptedBy { id } rejectedAt rejectedBy { id } rejectReason finishedAt finishedBy { id } finishReason outcome
    chat { id } participants { status actor { id } }";

async fn create_returns_complete_session(engine: Engine) {
    let world = World::frozen(engine).await;
    let (olga, odile) = (world.operator("Olga").await, world.operator("Odile").await);
    let document = format!(
        "mutation($input: CreateChatSessionInput!) {{ createChatSession(input: $input) {{
            chatSession {{ {SESSION} }} chat {{ id }} userErrors {{ code }} }} }}"
    );
    let input = json!({
        "in": { "participantIds": [odile.id] },
        "title": "Knee", "scheduledAt": "2026-11-21T08:00:00.000Z"
    });
    let body = json!({ "query": document, "variables": { "input": input } });
    let answer = olga.request().json(&body).send().await.expect("an answer");
    assert_eq!(answer.status(), 200);
    let made = answer.json::<Value>().await.expect("JSON")["data"]["createChatSession"].clone();
    assert_eq!(made["userErrors"], json!([]));
    let session = &made["chatSession"];
    let mut expected = json!({
        "id": session["id"], "type": "TELEMED", "title": "Knee", "state": "CREATED",
        "createdAt": "2026-11-20T12:00:00.000Z", "createdBy": { "id": olga.id },
        "scheduledAt": "2026-11-21T08:00:00.000Z", "rejectReason": null, "finishReason": null, "outcome": null,
        "chat": made["chat"], "participants": session["participants"],
    });
    for step in ["started", "accepted", "rejected", "finished"] {
        expected[format!("{step}At")] = Value::Null;
        expected[format!("{step}By")] = Value::Null;
    }
    assert_eq!(session, &expected);
    let called: Vec<_> = session["participants"].as_array().expect("participants").iter().collect();
    assert_eq!(called.len(), 2);
    for person in [&olga, &odile] {
        assert!(called.iter().any(|one| one["actor"]["id"] == person.id));
    }
    // What was answered is what is there.
    let query = format!("query($id: ID!) {{ node(id: $id) {{ ... on ChatSession {{ {SESSION} }} }} }}");
    assert_eq!(odile.query(&query, json!({ "id": session["id"] })).await["node"], *session);
    world.app.stop().await;
}

async fn telemed_is_the_only_type(engine: Engine) {
    let world = World::new(engine).await;
    let (olga, odile) = (world.operator("Olga").await, world.operator("Odile").await);
    let document = "mutation($input: CreateChatSessionInput!) { createChatSession(input: $input) {
        chatSession { type } userErrors { code } } }";
    for (kind, is_taken) in [
        (None, true),
        (Some("TELEMED"), true),
        (Some("telemed"), false),
        (Some("VIDEO"), false),
        (Some(""), false),
    ] {
        let mut input = json!({ "in": { "participantIds": [odile.id] } });
        if let Some(kind) = kind {
            input["type"] = json!(kind);
        }
        let answer = olga.ask(document, json!({ "input": input })).await;
        if is_taken {
            assert_eq!(answer["data"]["createChatSession"]["chatSession"]["type"], "TELEMED", "{kind:?}");
        } else {
            assert!(answer["errors"][0]["extensions"]["code"].is_string(), "{kind:?}: {answer}");
            assert!(answer["data"]["createChatSession"]["chatSession"].is_null());
        }
    }
    let count = "{ organization { chatSessions { totalCount } } }";
    assert_eq!(olga.query(count, json!({})).await["organization"]["chatSessions"]["totalCount"], 2);
    world.app.stop().await;
}

async fn a_session_starts_by_an_action(engine: Engine) {
    let world = World::frozen(engine).await;
    let (olga, odile) = (world.operator("Olga").await, world.operator("Odile").await);
    let create = async |start: Value| {
        let mut input = json!({ "in": { "participantIds": [odile.id] } });
        if start.is_boolean() {
            input["start"] = start;
        }
        let made = olga.done("createChatSession", "chatSession { id state startedAt }", input).await;
        made["chatSession"].clone()
    };
    for start in [Value::Null, json!(false)] {
        let made = create(start).await;
        assert_eq!((&made["state"], &made["startedAt"]), (&json!("CREATED"), &Value::Null));
    }
    let made = create(json!(false)).await;
    let input = json!({ "chatSessionId": made["id"] });
    let started = olga.done("startChatSession", "chatSession { state startedAt }", input).await;
    assert_eq!(
        started["chatSession"],
        json!({ "state": "STARTED", "startedAt": "2026-11-20T12:00:00.000Z" })
    );
    let names: Vec<_> = sdl::fields("CreateChatSessionInput").into_keys().collect();
    assert!(!names.iter().any(|name| name.to_lowercase().contains("directive")), "{names:?}");
    world.app.stop().await;
}

#[test]
fn callers_cannot_set_transition_fields() {
    for input in ["CreateChatSessionInput", "UpdateChatSessionInput"] {
        let forged: Vec<_> = sdl::fields(input)
            .into_keys()
            .filter(|name| {
                name.ends_with("At") || name.ends_with("By") || name.to_lowercase().contains("reason")
            })
            .collect();
        // When it is to be is the caller's to say; what has happened is not.
        assert_eq!(forged, ["scheduledAt"], "{input}");
    }
}

async fn session_and_chat_link_to_each_other(engine: Engine) {
    let world = World::new(engine).await;
    let (olga, odile) = (world.operator("Olga").await, world.operator("Odile").await);
    let (otto, vera) = (world.operator("Otto").await, world.visitor("vera").await);
    // At least one besides the creator, who is added.
    assert_eq!(
        olga.refused("createChatSession", json!({ "in": { "participantIds": [] } })).await,
        ["INVALID"]
    );
    assert_eq!(
        olga.refused("createChatSession", json!({ "in": { "participantIds": [olga.id] } })).await,
        ["INVALID"]
    );
    let selection = "chatSession { id } chat { id name description participations { nodes { actor { id } lastReadSequence } } }";
    let make = async |who: &crate::harness::client::Client, others: &[&str]| {
        who.done("createChatSession", selection, json!({ "in": { "participantIds": others } })).await
    };
    let first = make(&olga, &[&odile.id, &otto.id]).await;
    let chat = text(&first["chat"]["id"]);
    let mut people: Vec<_> = first["chat"]["participations"]["nodes"]
        .as_array()
        .expect("participations")
        .iter()
        .map(|row| text(&row["actor"]["id"]))
        .collect();
    people.sort();
    let mut expected = vec![olga.id.clone(), odile.id.clone(), otto.id.clone()];
    expected.sort();
    assert_eq!(people, expected);
    // Exactly the same people have the same chat, whichever of them calls; other people have another chat.
    assert_eq!(make(&otto, &[&olga.id, &odile.id]).await["chat"]["id"], chat.as_str());
    assert_ne!(make(&olga, &[&odile.id]).await["chat"]["id"], chat.as_str());
    assert_ne!(make(&olga, &[&odile.id, &otto.id, &vera.id]).await["chat"]["id"], chat.as_str());
    // Only participants see it.
    let query = "query($id: ID!) { chat(id: $id) { id } }";
    assert_eq!(vera.query(query, json!({ "id": chat })).await["chat"], Value::Null);
    assert_eq!(odile.query(query, json!({ "id": chat })).await["chat"]["id"], chat.as_str());
    let outsider = world.operator("Ottilie").await;
    assert_eq!(outsider.query(query, json!({ "id": chat })).await["chat"], Value::Null);
    // A session has its chat; a message has its chat, perhaps its session, and who has seen it.
    let session = text(&first["chatSession"]["id"]);
    olga.done("startChatSession", "", json!({ "chatSessionId": session })).await;
    let sent = olga
        .done(
            "sendMessage",
            "messageEdge { node { sequence text chat { id } chatSession { id } attachments { id } } }",
            json!({ "chatId": chat, "text": "Hello" }),
        )
        .await["messageEdge"]["node"]
        .clone();
    assert_eq!((&sent["chat"]["id"], &sent["chatSession"]), (&json!(chat), &Value::Null));
    let query = "query($id: ID!) { node(id: $id) { ... on ChatSession { chat { id
        messages(types: [SESSION]) { nodes { chatSession { id } chatSessionState } } } } } }";
    let found = odile.query(query, json!({ "id": session })).await["node"]["chat"].clone();
    assert_eq!(found["id"], chat.as_str());
    assert_eq!(
        found["messages"]["nodes"],
        json!([{ "chatSession": { "id": session }, "chatSessionState": "STARTED" }])
    );
    odile.done("markRead", "", json!({ "chatId": chat, "throughSequence": sent["sequence"] })).await;
    let query =
        "query($id: ID!) { chat(id: $id) { participations { nodes { actor { id } lastReadSequence } } } }";
    let rows = olga.query(query, json!({ "id": chat })).await["chat"]["participations"]["nodes"].clone();
    for row in rows.as_array().expect("participations") {
        let has_seen = row["lastReadSequence"].as_i64() >= sent["sequence"].as_i64();
        assert_eq!(has_seen, row["actor"]["id"] != otto.id.as_str(), "{row}");
    }
    world.app.stop().await;
}
