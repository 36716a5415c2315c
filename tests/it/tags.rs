//! Tags: users add them and find chats by them, and visitors cannot detect them.

use crate::harness::Engine;
use crate::harness::client::Client;
use crate::harness::scene::program;
use crate::harness::socket::Socket;
use crate::harness::stored::{Stored, assert_unchanged};
use crate::harness::world::{Person, World, ids};
use crate::on_both;
use anteroom::domain::limits;
use serde_json::{Value, json};

on_both!(
    tags_of_a_chat_are_limited,
    tags_are_kept_as_written_each_once_in_their_order,
    tags_are_hidden_from_visitors,
    chats_are_found_by_their_tags_page_by_page,
    chat_changed_filters_by_tag,
);

async fn tag(by: &Client, chat: &str, tags: Value) -> Value {
    let tagged = by.done("tagChat", "chat { tags updatedAt }", json!({ "chatId": chat, "tags": tags })).await;
    tagged["chat"]["tags"].clone()
}

async fn untag(by: &Client, chat: &str, tags: Value) -> Value {
    let tagged = by.done("untagChat", "chat { tags }", json!({ "chatId": chat, "tags": tags })).await;
    tagged["chat"]["tags"].clone()
}

async fn tags_of_a_chat_are_limited(engine: Engine) {
    let world = World::frozen(engine).await;
    let (vera, olga) = (world.visitor("vera").await, world.operator("Olga").await);
    let chat = world.chat(&vera).await;
    let many = |count: usize| (0..count).map(|number| format!("tag {number}")).collect::<Vec<_>>();
    let refused = async |tags: Value| {
        let input = json!({ "chatId": chat, "tags": tags });
        let payload = olga.mutate("tagChat", "chat { tags }", input).await;
        (payload["userErrors"][0]["code"].clone(), payload["chat"]["tags"].as_array().unwrap().len())
    };
    assert_eq!(refused(json!(many(limits::TAGS + 1))).await, (json!("TOO_MANY"), 0));
    assert_eq!(tag(&olga, &chat, json!(many(limits::TAGS))).await, json!(many(limits::TAGS)));
    // Those that are there are no more.
    tag(&olga, &chat, json!(many(limits::TAGS))).await;
    assert_eq!(refused(json!(["one more"])).await, (json!("TOO_MANY"), limits::TAGS));
    untag(&olga, &chat, json!(["tag 7"])).await;
    tag(&olga, &chat, json!(["one more"])).await;
    world.app.stop().await;
}

async fn tags_are_kept_as_written_each_once_in_their_order(engine: Engine) {
    let world = World::frozen(engine).await;
    let (vera, olga) = (world.visitor("vera").await, world.operator("Olga").await);
    let chat = world.chat(&vera).await;
    let tags = json!([" Premium ", "premium", "Ärger", "Premium"]);
    assert_eq!(tag(&olga, &chat, tags).await, json!(["Premium", "premium", "Ärger"]));
    let stored = Stored::of(&world.app).await;
    let before = stored.tables().await;
    tag(&olga, &chat, json!(["Premium"])).await;
    untag(&olga, &chat, json!(["never"])).await;
    tag(&olga, &chat, json!([])).await;
    assert_unchanged(&before, &stored.tables().await, "nothing new");
    assert_eq!(untag(&olga, &chat, json!(["premium", "never"])).await, json!(["Premium", "Ärger"]));
    // Ended chats can be tagged too, and API clients can read tags.
    vera.done("endChat", "", json!({ "chatId": chat })).await;
    tag(&olga, &chat, json!(["done"])).await;
    let query = "query($id: ID!) { chat(id: $id) { tags viewerActions } }";
    let program = program(&world.app, &world.admin).await;
    let seen = program.query(query, json!({ "id": chat })).await["chat"].clone();
    assert_eq!(seen, json!({ "tags": ["Premium", "Ärger", "done"], "viewerActions": [] }));
    let actions = olga.query(query, json!({ "id": chat })).await["chat"]["viewerActions"].clone();
    assert!(actions.as_array().unwrap().contains(&json!("TAG")), "{actions}");
    world.app.stop().await;
}

async fn tags_are_hidden_from_visitors(engine: Engine) {
    let world = World::frozen(engine).await;
    let (vera, olga) = (world.visitor("vera").await, world.operator("Olga").await);
    let chat = world.chat(&vera).await;
    let follow = async |person: &Person| {
        let mut socket = Socket::connect(&world.app.url, &person.token).await;
        let query =
            "subscription($id: ID!) { chatEvents(chatId: $id) { change { __typename } chat { tags } } }";
        socket.subscribe("s", query, json!({ "id": chat }), None).await;
        assert!(socket.receive().await.to_string().contains("ChatResetEvent"));
        socket
    };
    let (mut hers, mut ours) = (follow(&vera).await, follow(&olga).await);
    let query = "query($id: ID!) { chat(id: $id) { tags updatedAt } viewer {
        inbox(filter: { tags: [\"vip\"] }) { totalCount } } organization { chats(filter: { tags: [\"vip\"] }) { totalCount } } }";
    let before = vera.query(query, json!({ "id": chat })).await;
    world.pass(5);
    tag(&olga, &chat, json!(["vip"])).await;
    // Nothing that Vera can ask for is another,
    assert_eq!(vera.query(query, json!({ "id": chat })).await, before);
    assert_eq!(before["chat"]["tags"], json!(null));
    let seen = olga.query(query, json!({ "id": chat })).await;
    assert_eq!(seen["chat"]["tags"], json!(["vip"]));
    assert_eq!(seen["chat"]["updatedAt"], before["chat"]["updatedAt"]);
    assert_eq!(seen["organization"]["chats"]["totalCount"], 1);
    // and the next event that she receives is the following one, while Olga receives both.
    olga.done("sendMessage", "", json!({ "chatId": chat, "text": "Hello" })).await;
    let told = ours.receive().await.to_string();
    assert!(told.contains("ChatChangedEvent") && told.contains("vip"), "{told}");
    let told = hers.receive().await.to_string();
    assert!(!told.contains("ChatChangedEvent") && !told.contains("vip"), "{told}");
    world.app.stop().await;
}

async fn chats_are_found_by_their_tags_page_by_page(engine: Engine) {
    let world = World::frozen(engine).await;
    let (vera, olga) = (world.visitor("vera").await, world.operator("Olga").await);
    let mut all = Vec::new();
    for number in 0..5 {
        world.pass(number % 2);
        let chat = world.chat(&vera).await;
        let tags = if number == 2 { json!(["other"]) } else { json!(["vip", "other"]) };
        tag(&olga, &chat, tags).await;
        all.push(chat);
    }
    all.remove(2);
    let query = "query($n: Int, $m: Int, $after: String, $before: String, $order: ChatOrder, $tag: String!) {
        organization { chats(filter: { tags: [$tag] }, first: $n, last: $m, after: $after, before: $before, orderBy: $order) {
            totalCount nodes { id } pageInfo { hasNextPage hasPreviousPage endCursor startCursor } } } }";
    let page = async |variables: Value| olga.query(query, variables).await["organization"]["chats"].clone();
    let order = |field: &str, direction: &str| json!({ "field": field, "direction": direction });
    for (field, direction) in [("STARTED_AT", "ASC"), ("STARTED_AT", "DESC"), ("UPDATED_AT", "ASC")] {
        let order = order(field, direction);
        let mut expected = ids(&page(json!({ "tag": "vip", "order": order })).await["nodes"]);
        let (mut found, mut after) = (Vec::new(), json!(null));
        loop {
            let page = page(json!({ "tag": " vip", "order": order, "n": 3, "after": after })).await;
            assert_eq!(page["totalCount"], 4);
            assert_eq!(page["pageInfo"]["hasPreviousPage"], json!(!after.is_null()));
            found.extend(ids(&page["nodes"]));
            after = page["pageInfo"]["endCursor"].clone();
            if page["pageInfo"]["hasNextPage"] == false {
                let before = json!({ "tag": "vip", "order": order, "m": 2, "before": page["pageInfo"]["startCursor"] });
                assert_eq!(ids(&last(&olga, query, before).await), found[1..3]);
                break;
            }
        }
        assert_eq!(found, expected);
        found.sort();
        expected.clone_from(&all);
        expected.sort();
        assert_eq!(found, expected);
    }
    for (wanted, count) in [("other", 5), ("VIP", 0), ("", 0)] {
        assert_eq!(page(json!({ "tag": wanted })).await["totalCount"], count, "{wanted}");
    }
    untag(&olga, &all[0], json!(["vip"])).await;
    assert_eq!(ids(&page(json!({ "tag": "vip" })).await["nodes"]), all[1..]);
    world.app.stop().await;
}

async fn last(by: &Client, query: &str, variables: Value) -> Value {
    by.query(query, variables).await["organization"]["chats"]["nodes"].clone()
}

async fn chat_changed_filters_by_tag(engine: Engine) {
    let world = World::new(engine).await;
    let (vera, olga) = (world.visitor("vera").await, world.operator("Olga").await);
    let chat = world.chat(&vera).await;
    let query = "subscription($room: ID!) { chatChanged(in: { roomId: $room }, filter: { tags: [\"vip\"] }) {
        action chatId chat { tags } } }";
    let mut socket = Socket::connect(&world.app.url, &olga.token).await;
    socket.subscribe("s", query, json!({ "room": world.room }), None).await;
    // The subscription is there once it answers for another one on the same socket.
    let ready = "subscription($id: ID!) { chatEvents(chatId: $id) { change { __typename } } }";
    socket.subscribe("ready", ready, json!({ "id": chat }), None).await;
    assert!(socket.receive().await.to_string().contains("ChatResetEvent"));
    let mut expect_action = async |action: &str| loop {
        let frame = socket.receive().await.to_string();
        if frame.contains("chatChanged") {
            assert!(frame.contains(action), "{action}: {frame}");
            break;
        }
    };
    tag(&olga, &chat, json!(["other"])).await;
    tag(&olga, &chat, json!(["vip"])).await;
    expect_action("ADDED").await;
    tag(&olga, &chat, json!(["third"])).await;
    expect_action("CHANGED").await;
    untag(&olga, &chat, json!(["vip"])).await;
    expect_action("REMOVED").await;
    world.app.stop().await;
}
