//! Facts of giosg's chat API.

use crate::harness::Engine;
use crate::harness::client::error_code;
use crate::harness::sdl;
use crate::harness::world::{NOON, World, ids, text};
use crate::on_both;
use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use std::collections::BTreeSet;

on_both!(
    ids_and_tokens_are_opaque_and_distinct,
    times_have_milliseconds_and_a_zone,
    values_need_no_encoding,
    a_chat_shows_its_times_flags_and_counters,
    current_chats_are_those_with_presence,
    presences_name_user_and_chat_and_are_sorted_by_join_time,
    participations_name_visitors_and_users,
    only_messages_and_suggestions_can_be_sent,
    sender_name_depends_on_viewer,
    a_message_has_a_text_and_a_join_has_none,
);

fn is_opaque(id: &str) -> bool {
    id.len() >= 16 && id.chars().all(|letter| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_'))
}

async fn ids_and_tokens_are_opaque_and_distinct(engine: Engine) {
    let world = World::new(engine).await;
    let olga = world.operator("Olga").await;
    // A visitor's own id is whatever string the organization has, as 32 hexadecimal digits.
    let external_id = "0b7e151628aed2a6abf7158809cf4f3c";
    let vera = world.visitor(external_id).await;
    let (first, second) = (world.chat(&vera).await, world.chat(&vera).await);
    olga.done("joinChat", "", json!({ "chatId": first })).await;
    olga.done("sendMessage", "", json!({ "chatId": first, "text": "Hello" })).await;
    let query =
        "query($ids: [ID!]!) { nodes(ids: $ids) { ... on Chat { id publicId room { id } organization { id }
        visitor { id externalId } presences { nodes { id user { id } } } participations { nodes { id } }
        messages { nodes { id } } } } }";
    let chats = olga.query(query, json!({ "ids": [first, second] })).await["nodes"].clone();
    let mut found = Vec::new();
    for chat in chats.as_array().expect("chats") {
        assert_eq!(chat["visitor"]["externalId"], external_id);
        found.extend([text(&chat["id"]), text(&chat["publicId"])]);
        for list in ["presences", "participations", "messages"] {
            found.extend(ids(&chat[list]["nodes"]));
        }
    }
    found.extend([
        text(&chats[0]["room"]["id"]),
        text(&chats[0]["organization"]["id"]),
        text(&chats[0]["visitor"]["id"]),
        text(&chats[0]["presences"]["nodes"][0]["user"]["id"]),
    ]);
    assert!(found.iter().all(|id| is_opaque(id)), "{found:?}");
    assert_eq!(found.iter().collect::<BTreeSet<_>>().len(), found.len(), "each has its own: {found:?}");
    assert!(!found.contains(&external_id.to_owned()));
    // A token is no id, and of 128 random bits at least.
    let token = text(&chats[0]["publicId"]);
    assert!(token.len() >= 22, "{token}");
    let answer = olga.ask("query($id: ID!) { node(id: $id) { id } }", json!({ "id": token })).await;
    assert_eq!(error_code(&answer), "BAD_USER_INPUT");
    world.app.stop().await;
}

/// Every text of an answer under a name that ends in `At`.
fn times(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                match value {
                    Value::String(time) if name.ends_with("At") || name.ends_with("Since") => {
                        found.push(time.clone());
                    }
                    other @ (Value::Null
                    | Value::Bool(_)
                    | Value::Number(_)
                    | Value::String(_)
                    | Value::Array(_)
                    | Value::Object(_)) => times(other, found),
                }
            }
        }
        Value::Array(values) => values.iter().for_each(|value| times(value, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

async fn times_have_milliseconds_and_a_zone(engine: Engine) {
    let world = World::new(engine).await;
    let (olga, vera) = (world.operator("Olga").await, world.visitor("vera").await);
    let chat = world.chat(&vera).await;
    vera.done("sendMessage", "", json!({ "chatId": chat, "text": "Hello" })).await;
    olga.done("joinChat", "", json!({ "chatId": chat })).await;
    olga.done(
        "createChatSession",
        "",
        json!({ "in": { "chat": { "id": chat, "participantIds": [vera.id] } }, "start": true }),
    )
    .await;
    let query = "query($id: ID!) { organization { createdAt } chat(id: $id) { startedAt updatedAt endedAt waitingSince
        room { createdAt } visitor { createdAt lastSeenAt } presences { nodes { createdAt lastSeenAt expiresAt } }
        participations { nodes { createdAt lastReadAt } } messages { nodes { createdAt } }
        openChatSession { createdAt startedAt ringsUntil } } viewer { tokenExpiresAt } }";
    let answer = olga.query(query, json!({ "id": chat })).await;
    let mut found = Vec::new();
    times(&answer, &mut found);
    assert!(found.len() > 15, "{found:?}");
    for time in found {
        assert!(time.len() == 24 && time.ends_with('Z') && time.as_bytes()[19] == b'.', "{time}");
        let parsed: DateTime<Utc> = time.parse().expect("a time");
        assert_eq!(parsed.format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string(), time);
    }
    // A time that is sent says its zone, too; with or without milliseconds, in any zone, it is the same moment.
    let started = text(&answer["chat"]["startedAt"]).parse::<DateTime<Utc>>().expect("a time");
    let query =
        "query($from: DateTime) { organization { chats(filter: { startedFrom: $from }) { totalCount } } }";
    let count = async |from: String| {
        let found = olga.query(query, json!({ "from": from })).await;
        found["organization"]["chats"]["totalCount"].clone()
    };
    let offset = chrono::FixedOffset::east_opt(2 * 3600).expect("an offset");
    for (shift, expected) in [(-2, 1), (2, 0)] {
        let moment = started + chrono::TimeDelta::seconds(shift);
        for written in [
            moment.format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string(),
            moment.format("%Y-%m-%dT%H:%M:%SZ").to_string(),
            moment.with_timezone(&offset).to_rfc3339(),
        ] {
            assert_eq!(count(written.clone()).await, expected, "{written}");
        }
    }
    let answer = olga.ask(query, json!({ "from": "2026-11-20T12:00:00" })).await;
    assert_eq!(error_code(&answer), "BAD_USER_INPUT", "without a zone it is no moment");
    world.app.stop().await;
}

async fn values_need_no_encoding(engine: Engine) {
    let world = World::new(engine).await;
    let olga = world.operator("Olga").await;
    for value in
        ["a&b=c?d", "100% #1", "a+b c/d\\e", "%2F%00", "äöü 名前 👍", "\"quoted\" 'too'", "{}[]<>;:@"]
    {
        let input = json!({ "externalId": value, "displayName": value });
        let made = world.admin.done("upsertVisitor", "visitor { id }", input).await["visitor"]["id"].clone();
        let started = json!({ "roomId": world.room, "visitorId": made, "message": value });
        olga.done("startChat", "", started).await;
        let query =
            "query($value: String!) { visitor(by: { externalId: $value }) { id externalId } organization {
            visitors(query: $value) { nodes { id displayName } }
            searchMessages(query: $value, match: EXACT) { nodes { text } } } }";
        let found = olga.query(query, json!({ "value": value })).await;
        assert_eq!(found["visitor"], json!({ "id": made, "externalId": value }));
        assert_eq!(found["organization"]["visitors"]["nodes"], json!([{ "id": made, "displayName": value }]));
        assert_eq!(found["organization"]["searchMessages"]["nodes"], json!([{ "text": value }]), "{value}");
    }
    world.app.stop().await;
}

/// The fields of a chat, as both of the reference's shapes of it have them.
const CHAT: &str = "id startedAt endedAt updatedAt isPrivate isRealConversation isAutosuggested isWaiting
    messageCount userMessageCount visitorMessageCount participationCount userParticipationCount
    visitorParticipationCount presentUserCount tags room { id } visitor { id }";

async fn a_chat_shows_its_times_flags_and_counters(engine: Engine) {
    let world = World::frozen(engine).await;
    let (olga, vera) = (world.operator("Olga").await, world.visitor("vera").await);
    let chat = world.chat(&vera).await;
    let seen = async || {
        let query = format!(
            "query($id: ID!) {{ chat(id: $id) {{ {CHAT} publicId }} organization {{ chats {{ nodes {{ {CHAT} publicId }} }} }} }}"
        );
        let found = olga.query(&query, json!({ "id": chat })).await;
        assert_eq!(
            found["organization"]["chats"]["nodes"],
            json!([found["chat"]]),
            "in a list and alone the same"
        );
        let mut chat = found["chat"].clone();
        assert!(is_opaque(&text(&chat["publicId"])));
        chat.as_object_mut().expect("a chat").remove("publicId");
        chat
    };
    let mut expected = json!({
        "id": chat, "startedAt": NOON, "endedAt": null, "updatedAt": NOON, "isPrivate": false,
        "isRealConversation": false, "isAutosuggested": false, "isWaiting": false, "messageCount": 0,
        "userMessageCount": 0, "visitorMessageCount": 0, "participationCount": 1, "userParticipationCount": 0,
        "visitorParticipationCount": 1, "presentUserCount": 0, "tags": [], "room": { "id": world.room },
        "visitor": { "id": vera.id },
    });
    assert_eq!(seen().await, expected);
    let mut second = 0;
    let mut step = async |changes: Value| {
        for (name, value) in changes.as_object().expect("changes") {
            expected[name] = value.clone();
        }
        let now = format!("2026-11-20T12:00:{second:02}.000Z");
        if changes.get("tags").is_none() {
            expected["updatedAt"] = json!(now);
        }
        assert_eq!(seen().await, expected, "{changes}");
        world.pass(1);
        second += 1;
    };
    let say = |words: &str| json!({ "chatId": chat, "text": words });
    vera.done("sendMessage", "", say("Hello")).await;
    step(json!({ "messageCount": 1, "visitorMessageCount": 1, "isWaiting": true })).await;
    olga.done("joinChat", "", json!({ "chatId": chat })).await;
    step(json!({ "presentUserCount": 1 })).await;
    olga.done("sendMessage", "", say("Good morning")).await;
    step(json!({ "messageCount": 2, "userMessageCount": 1, "participationCount": 2, "userParticipationCount": 1,
        "isWaiting": false }))
    .await;
    olga.done("sendMessage", "", say("What is it about?")).await;
    step(json!({ "messageCount": 3, "userMessageCount": 2, "isRealConversation": true })).await;
    olga.done("tagChat", "", json!({ "chatId": chat, "tags": ["vip", "knee"] })).await;
    step(json!({ "tags": ["vip", "knee"] })).await;
    let suggestion = json!({ "chatId": chat, "text": "And now?" });
    olga.done("suggestMessage", "", suggestion).await;
    step(json!({ "isAutosuggested": true })).await;
    olga.done("updateChat", "", json!({ "chatId": chat, "isPrivate": true })).await;
    step(json!({ "isPrivate": true })).await;
    olga.done("endChat", "", json!({ "chatId": chat })).await;
    step(json!({ "endedAt": "2026-11-20T12:00:07.000Z", "presentUserCount": 0 })).await;
    world.app.stop().await;
}

async fn current_chats_are_those_with_presence(engine: Engine) {
    let world = World::frozen(engine).await;
    let (olga, vera) = (world.operator("Olga").await, world.visitor("vera").await);
    let mut chats = Vec::new();
    for _ in 0..5 {
        chats.push(world.chat(&vera).await);
        world.pass(1);
    }
    // She wrote in one that is over, left one, is present in two, and has nothing to do with the last.
    let chat = |place: usize| json!({ "chatId": chats[place] });
    olga.done("sendMessage", "", json!({ "chatId": chats[0], "text": "Hello" })).await;
    olga.done("endChat", "", chat(0)).await;
    olga.done("joinChat", "", chat(1)).await;
    olga.done("leaveChat", "", chat(1)).await;
    olga.done("joinChat", "", chat(3)).await;
    olga.done("joinChat", "", chat(2)).await;
    let query = "query($id: ID!, $after: String) { user(id: $id) { chats { totalCount nodes { id } }
        currentChats(first: 1, after: $after) { totalCount pageInfo { endCursor hasNextPage } nodes { id } } } }";
    for viewer in [&olga, &world.admin] {
        let found = viewer.query(query, json!({ "id": olga.id })).await["user"].clone();
        assert_eq!(ids(&found["chats"]["nodes"]), chats[..4]);
        assert_eq!(found["chats"]["totalCount"], 4);
        let current = &found["currentChats"];
        assert_eq!((&current["totalCount"], &current["pageInfo"]["hasNextPage"]), (&json!(2), &json!(true)));
        let after = json!({ "id": olga.id, "after": current["pageInfo"]["endCursor"] });
        let rest = viewer.query(query, after).await["user"]["currentChats"].clone();
        let mut both = ids(&current["nodes"]);
        both.extend(ids(&rest["nodes"]));
        assert_eq!(both.iter().collect::<BTreeSet<_>>(), chats[2..4].iter().collect::<BTreeSet<_>>());
    }
    // Once she leaves one she is not there any more, and it is hers still.
    olga.done("leaveChat", "", chat(3)).await;
    let found = olga.query(query, json!({ "id": olga.id })).await["user"].clone();
    assert_eq!(ids(&found["currentChats"]["nodes"]), chats[2..3]);
    assert_eq!(ids(&found["chats"]["nodes"]), chats[..4]);
    world.app.stop().await;
}

async fn presences_name_user_and_chat_and_are_sorted_by_join_time(engine: Engine) {
    let world = World::frozen(engine).await;
    let vera = world.visitor("vera").await;
    let chat = world.chat(&vera).await;
    let mut users = Vec::new();
    for name in ["Olga", "Otto", "Odile"] {
        users.push(world.operator(name).await);
    }
    for place in [2, 0, 1] {
        let joined = users[place].done("joinChat", "presence { createdAt }", json!({ "chatId": chat })).await;
        let second = [1, 2, 0][place];
        assert_eq!(joined["presence"]["createdAt"], format!("2026-11-20T12:00:0{second}.000Z"));
        world.pass(1);
    }
    let query =
        "query($id: ID!, $after: String) { chat(id: $id) { presences(first: 1, after: $after) { totalCount
        pageInfo { endCursor hasNextPage } nodes { createdAt user { id displayName } chat { id } } } } }";
    let (mut found, mut after) = (Vec::new(), Value::Null);
    loop {
        let page =
            users[0].query(query, json!({ "id": chat, "after": after })).await["chat"]["presences"].clone();
        assert_eq!(page["totalCount"], 3);
        found.extend(page["nodes"].as_array().expect("presences").clone());
        after = page["pageInfo"]["endCursor"].clone();
        if page["pageInfo"]["hasNextPage"] == false {
            break;
        }
    }
    let expected: Vec<_> = [(2, "Odile"), (0, "Olga"), (1, "Otto")]
        .into_iter()
        .enumerate()
        .map(|(second, (place, name))| {
            json!({ "createdAt": format!("2026-11-20T12:00:0{second}.000Z"), "chat": { "id": chat },
                "user": { "id": users[place].id, "displayName": name } })
        })
        .collect();
    assert_eq!(found, expected);
    // `joinChat` takes only the chat; the user is the caller.
    assert!(sdl::fields("JoinChatInput")["chatId"].contains("ID!"));
    let given: Vec<_> = sdl::fields("JoinChatInput").into_keys().collect();
    assert_eq!(given, ["chatId", "exclusive"]);
    world.app.stop().await;
}

async fn participations_name_visitors_and_users(engine: Engine) {
    let world = World::frozen(engine).await;
    let (olga, otto) = (world.operator("Olga").await, world.operator("Otto").await);
    let vera = world.visitor("vera").await;
    let chat = world.chat(&vera).await;
    olga.done("sendMessage", "", json!({ "chatId": chat, "text": "Hello" })).await;
    let other = world.chat(&vera).await;
    otto.done("sendMessage", "", json!({ "chatId": other, "text": "Hello" })).await;
    let query = "query($id: ID!) { chat(id: $id) { viewerParticipation { actor { id } chat { id } }
        all: participations { nodes { actor { __typename id } chat { id } } }
        users: participations(filter: { actorType: USER }) { nodes { actor { __typename id } } }
        visitors: participations(filter: { actorType: VISITOR }) { nodes { actor { __typename id } } } } }";
    let found = olga.query(query, json!({ "id": chat })).await["chat"].clone();
    let user = json!({ "__typename": "User", "id": olga.id });
    let visitor = json!({ "__typename": "Visitor", "id": vera.id });
    let in_chat = |actor: &Value| json!({ "actor": actor, "chat": { "id": chat } });
    assert_eq!(found["all"]["nodes"], json!([in_chat(&visitor), in_chat(&user)]));
    assert_eq!(found["users"]["nodes"], json!([{ "actor": user }]));
    assert_eq!(found["visitors"]["nodes"], json!([{ "actor": visitor }]));
    assert_eq!(found["viewerParticipation"], json!({ "actor": { "id": olga.id }, "chat": { "id": chat } }));
    // That of one user in one chat: of oneself in the chat, of others by their lists.
    assert_eq!(otto.query(query, json!({ "id": chat })).await["chat"]["viewerParticipation"], Value::Null);
    let of_user =
        "query($id: ID!) { user(id: $id) { participations { nodes { actor { id } chat { id } } } } }";
    let found = world.admin.query(of_user, json!({ "id": olga.id })).await;
    let expected = json!([{ "actor": { "id": olga.id }, "chat": { "id": chat } }]);
    assert_eq!(found["user"]["participations"]["nodes"], expected);
    world.app.stop().await;
}

async fn only_messages_and_suggestions_can_be_sent(engine: Engine) {
    let world = World::new(engine).await;
    let (olga, vera) = (world.operator("Olga").await, world.visitor("vera").await);
    let chat = world.chat(&vera).await;
    olga.done("joinChat", "", json!({ "chatId": chat })).await;
    let selection = "messageEdge { node { type } }";
    for (name, expected) in
        [("sendMessage", "MESSAGE"), ("sendMessage", "MESSAGE"), ("suggestMessage", "AUTOSUGGEST")]
    {
        let sent = olga.done(name, selection, json!({ "chatId": chat, "text": "Hello" })).await;
        assert_eq!(sent["messageEdge"]["node"]["type"], expected);
    }
    olga.done("leaveChat", "", json!({ "chatId": chat })).await;
    let query = "query($id: ID!) { chat(id: $id) { messages { nodes { type } } } }";
    let found = olga.query(query, json!({ "id": chat })).await["chat"]["messages"]["nodes"].clone();
    let types: Vec<_> = found.as_array().expect("messages").iter().map(|node| text(&node["type"])).collect();
    assert_eq!(types, ["JOIN", "MESSAGE", "MESSAGE", "AUTOSUGGEST", "LEAVE"]);
    world.app.stop().await;
}

async fn sender_name_depends_on_viewer(engine: Engine) {
    let world = World::new(engine).await;
    let olga = world.operator("Olga").await;
    let made = world.admin.done("upsertVisitor", "visitor { id }", json!({ "externalId": "nameless" })).await;
    let unnamed = text(&made["visitor"]["id"]);
    let issued = world.admin.done("issueToken", "token", json!({ "subject": { "actorId": unnamed } })).await;
    let visitor = crate::harness::client::Client::new(&world.app.url, &text(&issued["token"]));
    let started = json!({ "roomId": world.room, "message": "Hello" });
    let chat = visitor.done("startChat", "chat { id }", started).await["chat"]["id"].clone();
    olga.done("sendMessage", "", json!({ "chatId": chat, "text": "Good morning" })).await;
    let query = "query($id: ID!) { chat(id: $id) { messages(types: [MESSAGE]) { nodes { senderName
        sender { displayName ... on User { name publicName } } } } } }";
    let names = async |reader: &crate::harness::client::Client| {
        reader.query(query, json!({ "id": chat })).await["chat"]["messages"]["nodes"].clone()
    };
    // A visitor without a name has none; what is displayed says what they are.
    let unnamed = json!({ "senderName": null, "sender": { "displayName": "Visitor" } });
    let public = "Olga in public";
    let seen = |name: &str, own: Value| json!({ "senderName": name, "sender": { "displayName": name, "name": own, "publicName": public } });
    assert_eq!(names(&olga).await, json!([unnamed, seen("Olga", json!("Olga"))]));
    assert_eq!(names(&visitor).await, json!([unnamed, seen(public, Value::Null)]));
    world.app.stop().await;
}

async fn a_message_has_a_text_and_a_join_has_none(engine: Engine) {
    let world = World::new(engine).await;
    let (olga, vera) = (world.operator("Olga").await, world.visitor("vera").await);
    let chat = world.chat(&vera).await;
    for (words, code) in [(String::new(), "INVALID"), ("ä".repeat(2_001), "TOO_LONG")] {
        assert_eq!(vera.refused("sendMessage", json!({ "chatId": chat, "text": words })).await, [code]);
    }
    assert_eq!(vera.refused("sendMessage", json!({ "chatId": chat })).await, ["INVALID"]);
    assert_eq!(vera.refused("sendMessage", json!({ "chatId": chat, "text": null })).await, ["INVALID"]);
    for words in ["x".to_owned(), "ä".repeat(2_000)] {
        let sent = vera
            .done("sendMessage", "messageEdge { node { text } }", json!({ "chatId": chat, "text": words }))
            .await;
        assert_eq!(sent["messageEdge"]["node"]["text"], words);
    }
    olga.done("joinChat", "", json!({ "chatId": chat })).await;
    olga.done("leaveChat", "", json!({ "chatId": chat })).await;
    let query =
        "query($id: ID!) { chat(id: $id) { messages(types: [JOIN, LEAVE]) { nodes { type text } } } }";
    let found = olga.query(query, json!({ "id": chat })).await;
    let expected = json!([{ "type": "JOIN", "text": null }, { "type": "LEAVE", "text": null }]);
    assert_eq!(found["chat"]["messages"]["nodes"], expected);
    world.app.stop().await;
}

#[test]
fn counters_of_participations_have_one_name_each() {
    let fields = sdl::fields("Chat");
    for name in ["participationCount", "userParticipationCount", "visitorParticipationCount"] {
        assert_eq!(fields.get(name).map(|text| text.trim()), Some(format!("{name}: Int!").as_str()));
    }
    let schema =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/schema.graphql")).expect("the schema");
    assert!(!schema.to_lowercase().contains("participantcount"));
}
