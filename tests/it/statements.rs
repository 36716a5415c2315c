//! A page costs a fixed number of SQL statements, whatever its length and selection.

use crate::harness::client::Client;
use crate::harness::files::upload;
use crate::harness::hooks::hook;
use crate::harness::sdl;
use crate::harness::world::{Person, World, text};
use crate::harness::{Engine, TestApp};
use crate::on_both;
use anteroom::clock::Clock;
use serde_json::{Value, json};
use std::time::Duration;

on_both!(
    message_page_statement_count_is_constant,
    chat_page_statement_count_is_constant,
    nested_page_statement_count_is_constant,
    session_page_statement_count_is_constant,
    actor_and_room_page_statement_count_is_constant,
    nodes_statement_count_is_constant,
    webhook_page_statement_count_is_constant,
    nested_pages_of_a_thousand_chats_succeed,
);

/// An app in which nothing happens by itself, so that every statement is one of a request.
async fn quiet(engine: Engine) -> World {
    let app = TestApp::start_with(engine, Clock::system(), |config| {
        config.tick = Duration::from_hours(1);
        config.sweep = Duration::from_hours(1);
        config.webhooks.tick = Duration::from_hours(1);
        // A busy machine may take long for a thousand lists; these tests count statements.
        config.limits.operation_within = Duration::from_mins(1);
    });
    World::on(app.await).await
}

/// The answer to a query, and the number of its statements.
async fn counted(world: &World, client: &Client, query: &str, variables: Value) -> (Value, u64) {
    let store = world.app.app.actions().store();
    let before = store.statements();
    let answer = client.query(query, variables).await;
    (answer, store.statements() - before)
}

/// Asserts that a page of 2 items and one of this size need the same number of statements. `nodes` is
/// the path to the items.
async fn assert_fixed(
    world: &World,
    client: &Client,
    query: &str,
    variables: Value,
    nodes: &str,
    many: usize,
) {
    let page = |length: usize| {
        let mut variables = variables.clone();
        variables["n"] = json!(length);
        variables
    };
    let (few, few_cost) = counted(world, client, query, page(2)).await;
    let (all, all_cost) = counted(world, client, query, page(many)).await;
    for (answer, length) in [(&few, 2), (&all, many)] {
        assert_eq!(answer.pointer(nodes).and_then(Value::as_array).map(Vec::len), Some(length), "{answer:#}");
    }
    assert_eq!(few_cost, all_cost, "2 and {many} nodes do not cost the same: {query}");
}

/// Chats of different visitors in different rooms, with everything in them that a list shows; and who answers.
async fn busy(engine: Engine, chats: usize) -> (World, Person) {
    let world = quiet(engine).await;
    let olga = world.operator("Olga").await;
    for number in 0..chats {
        let vera = world.visitor(&format!("vera-{number}")).await;
        let odile = world.operator(&format!("Odile {number}")).await;
        let name = json!({ "name": format!("Room {number}") });
        let room = world.admin.done("createRoom", "room { id }", name).await["room"]["id"].clone();
        let started = json!({ "roomId": room, "message": "Hello" });
        let chat = vera.done("startChat", "chat { id }", started).await["chat"]["id"].clone();
        for operator in [&olga, &odile] {
            operator.done("joinChat", "", json!({ "chatId": chat })).await;
        }
        odile.done("sendMessage", "", json!({ "chatId": chat, "text": "Good morning" })).await;
        let cart = json!({
            "externalId": number.to_string(), "visitorId": vera.id, "chatId": chat, "currency": "EUR",
            "products": [{ "externalId": "p", "name": "Pad", "price": "1.50" }]
        });
        world.admin.done("upsertShoppingCart", "", cart).await;
        let session = json!({ "in": { "chat": { "id": chat } }, "start": true });
        odile.done("createChatSession", "", session).await;
        let group = json!({ "participantIds": [vera.id, odile.id] });
        olga.done("createGroupChat", "", group).await;
    }
    (world, olga)
}

async fn message_page_statement_count_is_constant(engine: Engine) {
    let world = quiet(engine).await;
    let vera = world.visitor("vera").await;
    let chat = world.chat(&vera).await;
    for number in 0..12 {
        let operator = world.operator(&format!("Operator {number}")).await;
        operator.done("joinChat", "", json!({ "chatId": chat })).await;
        operator.done("sendMessage", "", json!({ "chatId": chat, "text": "Hello" })).await;
        let file = upload(&operator, &chat, "a.txt", "text/plain", vec![b'a']).await;
        let attached = json!({
            "chatId": chat, "attachmentIds": [file], "links": [{ "url": "https://example.org/" }],
            "contacts": [{ "actorId": operator.id }, { "card": { "address": "+1 555 0100" } }]
        });
        operator.done("sendMessage", "", attached).await;
        let session = json!({ "in": { "chat": { "id": chat, "participantIds": [vera.id] } }, "start": true });
        let session = operator.done("createChatSession", "chatSession { id }", session).await;
        let id = json!({ "chatSessionId": session["chatSession"]["id"] });
        operator.done("finishChatSession", "", id).await;
    }
    // The shortest page has something of all that a page can show.
    let olga = world.operator("Olga").await;
    let file = upload(&world.admin, &chat, "a.txt", "text/plain", vec![b'a']).await;
    let first =
        "query($chat: ID!) { chat(id: $chat) { messages(types: [MESSAGE], first: 1) { nodes { id } } } }";
    let first = world.admin.query(first, json!({ "chat": chat })).await;
    let first = &first["chat"]["messages"]["nodes"][0]["id"];
    let input = json!({
        "chatId": chat, "text": "Hello", "replyToId": first, "attachmentIds": [file],
        "links": [{ "url": "https://example.org/" }],
        "contacts": [{ "actorId": olga.id }, { "card": { "address": "+1 555 0100" } }]
    });
    let sent = world.admin.done("sendMessage", "messageEdge { node { id } }", input).await;
    let input = json!({ "messageId": sent["messageEdge"]["node"]["id"], "text": "Goodbye" });
    world.admin.done("editMessage", "", input).await;
    let id = &sent["messageEdge"]["node"]["id"];
    world.admin.done("addReaction", "", json!({ "messageId": id, "emoji": "👍" })).await;
    let query = "query($chat: ID!, $n: Int!) { chat(id: $chat) { messages(last: $n) {
        totalCount eventCursor pageInfo { hasPreviousPage hasNextPage startCursor endCursor }
        edges { cursor node {
            id type text cursor sequence senderName createdAt externalId chatSessionState archivedAt chat { id title }
            isInternal replyTo { text sender { displayName } } reactions { emoji count viewerHasReacted } editedAt deletedAt revisions { text createdAt } viewerActions
            sender { id displayName isOnline } receiver { id displayName isOnline }
            chatSession { id state viewerActions createdBy { displayName } startedBy { id } acceptedBy { id }
                participants { status actor { id displayName } } }
            attachments { id name ... on FileAttachment { url previewUrl width }
                ... on ContactAttachment { address actor { id displayName } } } } } } } }";
    for client in [&world.admin.client, &vera.client] {
        assert_fixed(&world, client, query, json!({ "chat": chat }), "/chat/messages/edges", 60).await;
    }
    world.app.stop().await;
}

/// All that a list can show of a chat.
const CHAT: &str =
    "id type title name description publicId isPrivate isAutosuggested isRealConversation isWaiting startedAt
    endedAt updatedAt waitingSince messageCount userMessageCount visitorMessageCount participationCount
    userParticipationCount visitorParticipationCount presentUserCount viewerActions viewerParticipation { customName customDescription isHidden unreadCount }
    organization { id name } room { name isStaffed waitingChatCount organization { name } }
    visitor { displayName isOnline currentPage { url } } owner { displayName }
    tags autosuggestPage { url } firstVisitorMessagePage { url title }
    lastMessage { text senderName sender { displayName } chat { id } }
    presences(last: 1) { nodes { expiresAt user { displayName } chat { id } } }
    participations(first: 2) { nodes { unreadCount actor { displayName } chat { title } } }
    viewerParticipation { unreadCount lastReadSequence actor { id } }
    openChatSession { state createdBy { id } participants { status actor { displayName } } }
    chatSessions(last: 1) { nodes { id startedBy { displayName } participants { status actor { id } } } }
    messages(last: 2) { nodes { text sender { displayName } chatSession { id } } }
    shoppingCarts(first: 1) { nodes { id totalPrice products { id } } } typing { actor { id } }";

async fn chat_page_statement_count_is_constant(engine: Engine) {
    // Searching each chat of a page is as many searches: its complexity says so.
    for field in sdl::fields("Chat").keys().filter(|field| *field != "searchMessages") {
        assert!(CHAT.split_whitespace().any(|word| word.starts_with(field)), "{field} is never counted");
    }
    let (world, olga) = busy(engine, 13).await;
    let inbox = format!(
        "query($n: Int!) {{ viewer {{ unreadCount inbox(first: $n) {{ totalCount eventCursor pageInfo {{
            hasNextPage hasPreviousPage }} nodes {{ {CHAT} }} }} }} }}"
    );
    assert_fixed(&world, &olga, &inbox, json!({}), "/viewer/inbox/nodes", 25).await;
    let all = format!(
        "query($n: Int!) {{ organization {{ chats(last: $n, orderBy: {{ field: UPDATED_AT, direction: DESC }}) {{
            totalCount nodes {{ {CHAT} }} }} }} }}"
    );
    assert_fixed(&world, &world.admin, &all, json!({}), "/organization/chats/nodes", 25).await;
    world.app.stop().await;
}

async fn nested_page_statement_count_is_constant(engine: Engine) {
    let (world, olga) = busy(engine, 13).await;
    let lists = ["messages", "presences", "participations", "chatSessions", "shoppingCarts"];
    for list in lists {
        let query = format!(
            "query($n: Int!) {{ organization {{ chats(first: $n) {{ nodes {{ {list}(first: 1) {{
                totalCount pageInfo {{ hasNextPage }} nodes {{ id }} }} }} }} }} }}"
        );
        assert_fixed(&world, &olga, &query, json!({}), "/organization/chats/nodes", 25).await;
    }
    world.app.stop().await;
}

async fn session_page_statement_count_is_constant(engine: Engine) {
    let (world, olga) = busy(engine, 9).await;
    let query = "query($n: Int!) { organization { chatSessions(first: $n) { totalCount nodes {
        id state callRoom viewerActions chat { title room { name isStaffed } } createdBy { displayName }
        startedBy { displayName } participants { status actor { displayName } } } } } }";
    assert_fixed(&world, &olga, query, json!({}), "/organization/chatSessions/nodes", 9).await;
    world.app.stop().await;
}

async fn actor_and_room_page_statement_count_is_constant(engine: Engine) {
    let (world, olga) = busy(engine, 9).await;
    let fields = [
        ("rooms", "id name isStaffed waitingChatCount organization { id }"),
        ("users", "id displayName isOnline"),
        (
            "visitors",
            "id displayName isOnline attributes { name } shoppingCarts(first: 1) { totalCount nodes {
            totalPrice monthlyTotalPrice visitor { id } chat { id } products { id name price } } }",
        ),
    ];
    for (list, fields) in fields {
        let query = format!(
            "query($n: Int!) {{ organization {{ {list}(first: $n) {{ totalCount nodes {{ {fields} }} }} }} }}"
        );
        assert_fixed(&world, &olga, &query, json!({}), &format!("/organization/{list}/nodes"), 9).await;
    }
    world.app.stop().await;
}

async fn nodes_statement_count_is_constant(engine: Engine) {
    let (world, olga) = busy(engine, 9).await;
    let ids = "{ organization { chats { nodes { id
            messages(first: 1) { nodes { id } } presences(first: 1) { nodes { id } }
            participations(first: 1) { nodes { id } } chatSessions(first: 1) { nodes { id } }
            shoppingCarts(first: 1) { nodes { id products { id } } } } }
        rooms { nodes { id } } users { nodes { id } } visitors { nodes { id } } } }";
    let found = olga.query(ids, json!({})).await;
    let organization = &found["organization"];
    let chats = organization["chats"]["nodes"].as_array().expect("chats");
    let mut kinds = vec![chats.iter().map(|chat| text(&chat["id"])).collect::<Vec<_>>()];
    for list in ["rooms", "users", "visitors"] {
        let nodes = organization[list]["nodes"].as_array().expect("nodes");
        kinds.push(nodes.iter().map(|node| text(&node["id"])).collect());
    }
    for list in ["messages", "presences", "participations", "chatSessions", "shoppingCarts"] {
        let nodes = chats.iter().filter_map(|chat| chat[list]["nodes"].get(0));
        kinds.push(nodes.map(|node| text(&node["id"])).collect());
    }
    let carts = chats.iter().filter_map(|chat| chat["shoppingCarts"]["nodes"].get(0));
    kinds.push(carts.map(|cart| text(&cart["products"][0]["id"])).collect());
    let query = "query($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }";
    for ids in kinds {
        assert!(ids.len() >= 9, "{ids:?}");
        let (_, two) = counted(&world, &olga, query, json!({ "ids": ids[..2] })).await;
        let (found, nine) = counted(&world, &olga, query, json!({ "ids": ids[..9] })).await;
        assert_eq!(two, nine, "nodes of {}", found["nodes"][0]["__typename"]);
    }
    world.app.stop().await;
}

async fn webhook_page_statement_count_is_constant(engine: Engine) {
    let world = quiet(engine).await;
    let mut ids = Vec::new();
    for number in 0..9 {
        ids.push(
            hook(&world.admin, &format!("https://hooks.example.org/{number}"), &["CHAT_ENDED"]).await.id,
        );
    }
    let query = "query($n: Int!) { organization { webhooks(first: $n) { totalCount nodes { id url events isEnabled
        deliveries(last: 1, states: [PENDING, FAILED]) { totalCount nodes { id body } pageInfo { hasPreviousPage } }
    } } } }";
    assert_fixed(&world, &world.admin, query, json!({}), "/organization/webhooks/nodes", 9).await;
    let query =
        "query($ids: [ID!]!) { nodes(ids: $ids) { id ... on Webhook { deliveries { totalCount } } } }";
    let (_, two) = counted(&world, &world.admin, query, json!({ "ids": ids[..2] })).await;
    let (_, nine) = counted(&world, &world.admin, query, json!({ "ids": ids })).await;
    assert_eq!(two, nine, "webhooks by their ids");
    world.app.stop().await;
}

async fn nested_pages_of_a_thousand_chats_succeed(engine: Engine) {
    let world = quiet(engine).await;
    for number in 1..10 {
        world.admin.done("createRoom", "", json!({ "name": format!("Room {number}") })).await;
    }
    let rooms = world.admin.query("{ organization { rooms { nodes { id } } } }", json!({})).await;
    let fill = async |room: &Value| {
        let vera = world.visitor(&format!("vera in {room}")).await;
        for _ in 0..100 {
            vera.done("startChat", "", json!({ "roomId": room["id"], "message": "Hello" })).await;
        }
    };
    let rooms = rooms["organization"]["rooms"]["nodes"].as_array().expect("rooms").clone();
    futures_util::future::join_all(rooms.iter().map(fill)).await;
    for (of_chat, shown) in [
        ("lastMessage { text }", "\"text\":\"Hello\""),
        ("messages(first: 1) { nodes { text } }", "\"text\":\"Hello\""),
        ("title viewerActions", "\"SEND\""),
    ] {
        let query = format!(
            "{{ organization {{ rooms(first: 10) {{ nodes {{ chats(first: 100) {{ nodes {{ {of_chat} }} }} }} }} }} }}"
        );
        let found = world.admin.query(&query, json!({})).await.to_string();
        assert_eq!(found.matches(shown).count(), 1_000, "{of_chat}");
    }
    world.app.stop().await;
}
