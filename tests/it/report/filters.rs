//! Each filter matches exactly the chats that it describes, alone and combined.

use crate::harness::client::error_code;
use crate::harness::world::{Person, World, ids, text};
use crate::harness::{Engine, sdl};
use crate::on_both;
use serde_json::{Value, json};

on_both!(each_filter_lists_matching_chats, a_list_goes_on_after_a_chat, invalid_filter_is_rejected);

/// Lists chats as [`listed`] tells them.
const CHATS: &str = "query($filter: ChatFilter, $order: ChatOrder) { organization {
    chats(filter: $filter, orderBy: $order) { totalCount nodes { id } } } }";

/// The names of the chats that the filter matches, in the list's order.
async fn listed(by: &Person, chats: &[(&'static str, String)], filter: Value) -> Vec<&'static str> {
    let found = by.query(CHATS, json!({ "filter": filter })).await["organization"]["chats"].clone();
    let found_ids = ids(&found["nodes"]);
    assert_eq!(found["totalCount"], found_ids.len(), "{filter}");
    let name = |id: &String| chats.iter().find(|(_, chat)| chat == id).expect("a known chat").0;
    found_ids.iter().map(name).collect()
}

#[allow(clippy::too_many_lines)]
async fn each_filter_lists_matching_chats(engine: Engine) {
    let world = World::frozen(engine).await;
    let (vera, victor) = (world.visitor("vera").await, world.visitor("victor").await);
    let (olga, otto) = (world.operator("Olga").await, world.operator("Otto").await);
    let admin = &world.admin;
    let other = admin.done("createRoom", "room { id }", json!({ "name": "Billing" })).await;
    let other = text(&other["room"]["id"]);
    let start = async |name: &'static str, visitor: &Person, more: Value| {
        world.pass(60);
        let mut input = json!({ "roomId": world.room });
        for (field, value) in more.as_object().unwrap() {
            input[field] = value.clone();
        }
        (name, text(&visitor.done("startChat", "chat { id }", input).await["chat"]["id"]))
    };
    let silent = start("silent", &vera, json!({})).await;
    let waiting = start("waiting", &victor, json!({ "message": "Hello", "roomId": other })).await;
    let real = start("real", &vera, json!({ "message": "Hello" })).await;
    let ended = start("ended", &victor, json!({})).await;
    let private = start("private", &olga, json!({ "visitorId": vera.id, "isPrivate": true })).await;
    world.pass(60);
    let group = json!({ "participantIds": [otto.id] });
    let group = ("group", text(&olga.done("createGroupChat", "chat { id }", group).await["chat"]["id"]));
    for _ in 0..2 {
        olga.done("sendMessage", "", json!({ "chatId": real.1, "text": "Hi" })).await;
    }
    olga.done("tagChat", "", json!({ "chatId": real.1, "tags": ["vip", "knee"] })).await;
    olga.done("tagChat", "", json!({ "chatId": group.1, "tags": ["knee"] })).await;
    otto.done("joinChat", "", json!({ "chatId": silent.1 })).await;
    victor.done("endChat", "", json!({ "chatId": ended.1 })).await;
    let chats = [silent, waiting, real, ended, private, group];
    let cases: Vec<(Value, &[&str])> = vec![
        (json!({}), &["silent", "waiting", "real", "ended", "private", "group"]),
        (json!({ "type": "GROUP" }), &["group"]),
        (json!({ "type": "DIRECT" }), &[]),
        (json!({ "roomIds": [other] }), &["waiting"]),
        (json!({ "roomIds": [other, world.room] }), &["silent", "waiting", "real", "ended", "private"]),
        (json!({ "roomIds": [] }), &[]),
        (json!({ "visitorId": victor.id }), &["waiting", "ended"]),
        (json!({ "participantIds": [otto.id] }), &["silent", "group"]),
        (json!({ "participantIds": [vera.id] }), &["silent", "real", "private"]),
        (json!({ "participantIds": [vera.id, otto.id] }), &["silent"]),
        (json!({ "participantIds": [vera.id, victor.id] }), &[]),
        (json!({ "participantIds": [] }), &["silent", "waiting", "real", "ended", "private", "group"]),
        (json!({ "presentUserId": otto.id }), &["silent"]),
        (json!({ "presentUserId": olga.id }), &[]),
        (json!({ "tags": ["vip"] }), &["real"]),
        (json!({ "tags": ["knee"] }), &["real", "group"]),
        (json!({ "tags": ["knee", "vip"] }), &["real"]),
        (json!({ "tags": ["vip", "vip"] }), &["real"]),
        (json!({ "tags": ["vip", "elbow"] }), &[]),
        (json!({ "tags": [] }), &["silent", "waiting", "real", "ended", "private", "group"]),
        (json!({ "startedFrom": "2026-11-20T12:04:00Z" }), &["ended", "private", "group"]),
        (json!({ "startedFrom": "2026-11-20T12:04:00.001Z" }), &["private", "group"]),
        (json!({ "endedBefore": "2026-11-20T12:06:00Z" }), &[]),
        (json!({ "endedBefore": "2026-11-20T12:06:00.001Z" }), &["ended"]),
        (json!({ "sinceId": chats[2].1 }), &["ended", "private", "group"]),
        (json!({ "sinceId": chats[5].1 }), &[]),
        (json!({ "isEnded": true }), &["ended"]),
        (json!({ "isEnded": false }), &["silent", "waiting", "real", "private", "group"]),
        (json!({ "isWaiting": true }), &["waiting"]),
        (json!({ "isWaiting": false }), &["silent", "real", "ended", "private", "group"]),
        (json!({ "isRealConversation": true }), &["real"]),
        (json!({ "isRealConversation": false }), &["silent", "waiting", "ended", "private", "group"]),
        (json!({ "isPrivate": true }), &["private"]),
        (json!({ "isPrivate": false, "visitorId": vera.id }), &["silent", "real"]),
        (json!({ "minMessageCount": 3 }), &["real"]),
        (json!({ "minMessageCount": 4 }), &[]),
        (json!({ "minMessageCount": 1, "isRealConversation": false }), &["waiting"]),
        (json!({ "tags": ["vip"], "visitorId": vera.id, "sinceId": chats[1].1 }), &["real"]),
        (json!({ "tags": ["vip"], "sinceId": chats[2].1 }), &[]),
    ];
    for (filter, expected) in cases {
        assert_eq!(listed(admin, &chats, filter.clone()).await, expected, "{filter}");
    }
    // Each condition is in every order, whichever of them leads to the chats.
    for field in sdl::orders("Organization", "chats") {
        let query = "query($filter: ChatFilter, $order: ChatOrder) { organization { chats(filter: $filter,
            orderBy: $order) { nodes { id } } } }";
        let filter = json!({ "tags": ["knee", "vip"], "participantIds": [vera.id, olga.id] });
        let order = json!({ "field": field, "direction": "DESC" });
        let found = admin.query(query, json!({ "filter": filter, "order": order })).await;
        let expected =
            if ["ENDED_AT", "WAITING_SINCE"].contains(&field.as_str()) { vec![] } else { vec![&chats[2].1] };
        assert_eq!(
            ids(&found["organization"]["chats"]["nodes"]).iter().collect::<Vec<_>>(),
            expected,
            "{field}"
        );
    }
    let eleven: Vec<_> = (0..11).map(|number| number.to_string()).collect();
    let people: Vec<_> = (0..11).map(|_| &vera.id).collect();
    for filter in [json!({ "tags": eleven }), json!({ "participantIds": people })] {
        let answer = admin.ask(CHATS, json!({ "filter": filter })).await;
        assert_eq!(error_code(&answer), "BAD_USER_INPUT", "{filter}");
    }
    // An operator's list leaves out what is others' alone.
    assert_eq!(
        listed(&otto, &chats, json!({})).await,
        ["silent", "waiting", "real", "ended", "group"],
        "Otto"
    );
    world.app.stop().await;
}

async fn a_list_goes_on_after_a_chat(engine: Engine) {
    let world = World::frozen(engine).await;
    let (vera, olga) = (world.visitor("vera").await, world.operator("Olga").await);
    let odile = world.operator("Odile").await;
    // Of the same moment, so that the ids settle what comes after what.
    for _ in 0..4 {
        world.chat(&vera).await;
    }
    let list = async |filter: Value| {
        let order = json!({ "field": "STARTED_AT", "direction": "ASC" });
        let found = olga.query(CHATS, json!({ "filter": filter, "order": order })).await;
        ids(&found["organization"]["chats"]["nodes"])
    };
    let all = list(json!({})).await;
    for (place, chat) in all.iter().enumerate() {
        assert_eq!(list(json!({ "sinceId": chat })).await, all[place + 1..]);
    }
    // The list after a chat that Olga cannot see, or after another type of object, is empty.
    let private = json!({ "roomId": world.room, "visitorId": vera.id, "isPrivate": true });
    let private = odile.done("startChat", "chat { id }", private).await["chat"]["id"].clone();
    let direct = json!({ "participantId": vera.id });
    let direct = odile.done("createDirectChat", "chat { id }", direct).await["chat"]["id"].clone();
    world.pass(1);
    world.chat(&vera).await;
    for nothing in [private, direct, json!(world.room)] {
        assert_eq!(list(json!({ "sinceId": nothing })).await, Vec::<String>::new());
    }
    world.app.stop().await;
}

async fn invalid_filter_is_rejected(engine: Engine) {
    let world = World::frozen(engine).await;
    for filter in [json!({ "sinceId": "?" }), json!({ "minMessageCount": "1" }), json!({ "tag": "vip" })] {
        let answer = world.admin.ask(CHATS, json!({ "filter": filter })).await;
        assert_eq!(error_code(&answer), "BAD_USER_INPUT", "{filter}");
    }
    world.app.stop().await;
}
