//! Every list in pages, in both directions: the pages are the whole list, nothing is skipped or repeated for
//! equal times, and invalid cursors are refused.

use crate::harness::client::error_code;
use crate::harness::hooks::hook;
use crate::harness::world::{Person, World, text};
use crate::harness::{Engine, TestApp, sdl};
use crate::on_both;
use anteroom::clock::Clock;
use serde_json::{Value, json};
use std::ops::Range;
use std::time::Duration;

on_both!(
    pages_cover_every_list,
    a_window_between_two_cursors_is_exact,
    invalid_page_arguments_are_rejected,
    a_cursor_of_another_list_is_refused,
    chats_are_sorted_by_requested_field,
    messages_are_read_around_one_and_by_their_types,
    a_variable_that_is_left_out_counts_as_no_argument,
    page_cost_uses_requested_size,
);

/// Rows of each list at least.
const ROWS: usize = 5;

/// A list: the thing that has it, and the field with the arguments that make it this list.
struct List {
    of: String,
    on: &'static str,
    field: &'static str,
    arguments: String,
}

impl List {
    fn document(&self) -> String {
        let Self { of: _, on, field, arguments } = self;
        format!(
            "query($of: ID!, $first: Int, $after: String, $last: Int, $before: String) {{ node(id: $of) {{
                ... on {on} {{ list: {field}({arguments} first: $first, after: $after, last: $last,
                before: $before) {{ totalCount edges {{ cursor node {{ id }} }} nodes {{ id }}
                pageInfo {{ hasNextPage hasPreviousPage startCursor endCursor }} }} }} }} }}"
        )
    }

    fn variables(&self, page: &Value) -> Value {
        let mut variables = page.clone();
        variables["of"] = json!(self.of);
        variables
    }

    async fn page(&self, viewer: &Person, page: Value) -> Value {
        let answer = viewer.query(&self.document(), self.variables(&page)).await;
        let list = answer["node"]["list"].clone();
        assert!(list.is_object(), "{} {page}: {answer:#}", self.field);
        list
    }

    async fn refusal(&self, viewer: &Person, page: Value) -> String {
        error_code(&viewer.ask(&self.document(), self.variables(&page)).await)
    }

    /// All edges; there are enough to page through.
    async fn whole(&self, viewer: &Person) -> Vec<Value> {
        let all = self.page(viewer, json!({ "first": 100 })).await;
        let edges = all["edges"].as_array().expect("edges").clone();
        assert!(edges.len() >= ROWS, "{}.{} {} has too few rows", self.on, self.field, self.arguments);
        self.assert_page(&all, &edges, 0..edges.len());
        edges
    }

    /// Asserts that a page is exactly this part of the whole list, and says so.
    fn assert_page(&self, page: &Value, whole: &[Value], part: Range<usize>) {
        let what = format!("{}.{} {} {part:?}", self.on, self.field, self.arguments);
        let cursor = |edge: Option<&Value>| edge.map_or(Value::Null, |edge| edge["cursor"].clone());
        let edges = &whole[part.clone()];
        assert_eq!(page["edges"], json!(edges), "{what}");
        assert_eq!(page["nodes"], edges.iter().map(|edge| edge["node"].clone()).collect::<Value>(), "{what}");
        assert_eq!(page["totalCount"], whole.len(), "{what}");
        let info = json!({
            "hasPreviousPage": part.start > 0,
            "hasNextPage": part.end < whole.len(),
            "startCursor": cursor(edges.first()),
            "endCursor": cursor(edges.last()),
        });
        assert_eq!(page["pageInfo"], info, "{what}");
    }
}

/// A clinic in which many things happened in the same moment, who looks at it, and all lists that she sees.
async fn clinic(engine: Engine) -> (World, Person, Vec<List>) {
    let app = TestApp::start_with(engine, Clock::frozen(Clock::system().now()), |_| {}).await;
    let world = World::on(app).await;
    let (vera, olga) = (world.visitor("vera").await, world.operator("Olga").await);
    // Olga is an admin too, so that she sees every list there is.
    world.admin.done("updateUser", "", json!({ "userId": olga.id, "role": "ADMIN" })).await;
    let webhook = hook(&olga, "https://hooks.example.org/", &["CHAT_STARTED"]).await;
    let chat = world.chat(&vera).await;
    for number in 0..ROWS {
        // Two things share each moment.
        if number % 2 == 0 {
            world.app.clock.advance(Duration::from_millis(1));
        }
        visit(&world, &vera, &olga, &chat, number).await;
    }
    let viewer = olga.query("{ viewer { id organization { id } } }", json!({})).await;
    let (organization, viewer) =
        (text(&viewer["viewer"]["organization"]["id"]), text(&viewer["viewer"]["id"]));
    let mut lists = Vec::new();
    let mut add = |of: &str, on, field, arguments: &str| {
        lists.push(List { of: of.to_owned(), on, field, arguments: arguments.to_owned() });
    };
    for field in ["rooms", "users", "visitors", "chatSessions", "webhooks"] {
        add(&organization, "Organization", field, "");
    }
    for (of, on) in [(&world.room, "Room"), (&olga.id, "User"), (&vera.id, "Visitor")] {
        add(of, on, "chats", "");
        add(of, on, "chats", "orderBy: { field: LAST_MESSAGE_AT, direction: DESC },");
    }
    for field in sdl::orders("Organization", "chats") {
        for direction in ["ASC", "DESC"] {
            let order = format!("orderBy: {{ field: {field}, direction: {direction} }},");
            add(&organization, "Organization", "chats", &order);
        }
    }
    add(&olga.id, "User", "currentChats", "");
    add(&olga.id, "User", "rooms", "");
    add(&world.room, "Room", "members", "");
    add(&viewer, "Viewer", "inbox", "");
    add(&viewer, "Viewer", "inbox", "includeHidden: true,");
    for (of, on, field) in [
        (&organization, "Organization", "chatSessions"),
        (&chat, "Chat", "chatSessions"),
        (&olga.id, "User", "participations"),
        (&chat, "Chat", "participations"),
        (&chat, "Chat", "presences"),
        (&vera.id, "Visitor", "shoppingCarts"),
        (&chat, "Chat", "shoppingCarts"),
        (&webhook.id, "Webhook", "deliveries"),
        (&viewer, "Viewer", "inbox"),
    ] {
        for order in sdl::orders(on, field) {
            for direction in ["ASC", "DESC"] {
                let order = format!("orderBy: {{ field: {order}, direction: {direction} }},");
                add(of, on, field, &order);
            }
        }
    }
    add(&olga.id, "User", "participations", "includeHidden: true,");
    add(&chat, "Chat", "participations", "includeHidden: false,");
    add(&organization, "Organization", "chats", "includeHidden: false,");
    for field in ["messages", "presences", "participations", "chatSessions"] {
        add(&chat, "Chat", field, "");
    }
    add(&chat, "Chat", "messages", "types: [JOIN, LEAVE],");
    add(&chat, "Chat", "searchMessages", "query: \"morning\",");
    add(&organization, "Organization", "searchMessages", "query: \"hello\",");
    add(&chat, "Chat", "presences", "includeEnded: true,");
    add(&chat, "Chat", "participations", "filter: { actorType: USER },");
    add(&vera.id, "Visitor", "shoppingCarts", "");
    add(&chat, "Chat", "shoppingCarts", "");
    add(&webhook.id, "Webhook", "deliveries", "");
    add(&webhook.id, "Webhook", "deliveries", "states: [PENDING],");
    for (on, field) in sdl::connections() {
        assert!(lists.iter().any(|list| list.on == on && list.field == field), "{on}.{field} is not paged");
    }
    (world, olga, lists)
}

/// Adds a waiting chat, an ended one, and one more colleague in the long chat.
async fn visit(world: &World, vera: &Person, olga: &Person, chat: &str, number: usize) {
    let created = json!({ "name": format!("Room {number}") });
    let created = world.admin.done("createRoom", "room { id }", created).await;
    let member = json!({ "roomId": created["room"]["id"], "userIds": [olga.id] });
    world.admin.done("addRoomMembers", "", member).await;
    world.visitor(&format!("visitor {number}")).await;
    hook(olga, "https://hooks.example.org/", &["CHAT_ENDED"]).await;
    for is_ended in [false, true] {
        let start = json!({ "roomId": world.room, "message": "Hello" });
        let started = vera.done("startChat", "chat { id }", start).await["chat"]["id"].clone();
        olga.done("joinChat", "", json!({ "chatId": started })).await;
        if is_ended {
            olga.done("endChat", "", json!({ "chatId": started })).await;
        }
    }
    let colleague = world.operator(&format!("Operator {number}")).await;
    let member = json!({ "roomId": world.room, "userIds": [colleague.id] });
    world.admin.done("addRoomMembers", "", member).await;
    for _ in 0..2 {
        colleague.done("joinChat", "", json!({ "chatId": chat })).await;
        colleague.done("leaveChat", "", json!({ "chatId": chat })).await;
    }
    colleague.done("joinChat", "", json!({ "chatId": chat })).await;
    colleague.done("sendMessage", "", json!({ "chatId": chat, "text": "Good morning" })).await;
    let cart = json!({
        "externalId": format!("cart {number}"), "visitorId": vera.id, "chatId": chat, "currency": "EUR",
        "products": []
    });
    world.admin.done("upsertShoppingCart", "", cart).await;
    let session = json!({
        "in": { "chat": { "id": chat, "participantIds": [vera.id] } },
        "scheduledAt": format!("2030-01-01T00:00:0{}Z", number / 2)
    });
    colleague.done("createChatSession", "", session).await;
}

async fn pages_cover_every_list(engine: Engine) {
    let (world, olga, lists) = clinic(engine).await;
    for list in &lists {
        let whole = list.whole(&olga).await;
        for length in [1, 3] {
            let (mut start, mut after) = (0, Value::Null);
            while start < whole.len() {
                let page = list.page(&olga, json!({ "first": length, "after": after })).await;
                let end = (start + length).min(whole.len());
                list.assert_page(&page, &whole, start..end);
                (start, after) = (end, page["pageInfo"]["endCursor"].clone());
            }
            let (mut end, mut before) = (whole.len(), Value::Null);
            while end > 0 {
                let page = list.page(&olga, json!({ "last": length, "before": before })).await;
                let start = end.saturating_sub(length);
                list.assert_page(&page, &whole, start..end);
                (end, before) = (start, page["pageInfo"]["startCursor"].clone());
            }
        }
    }
    world.app.stop().await;
}

async fn a_window_between_two_cursors_is_exact(engine: Engine) {
    let (world, olga, lists) = clinic(engine).await;
    for list in &lists {
        let whole = list.whole(&olga).await;
        let total = whole.len();
        let cursor = |at: usize| whole[at]["cursor"].clone();
        let between =
            |more: (&str, usize)| json!({ "after": cursor(0), "before": cursor(4), more.0: more.1 });
        let cases = [
            (between(("first", 2)), 1..3),
            (between(("first", 3)), 1..4),
            (between(("first", 100)), 1..4),
            (between(("last", 2)), 2..4),
            (between(("last", 100)), 1..4),
            (json!({ "first": 2, "before": cursor(4) }), 0..2),
            (json!({ "first": 100, "before": cursor(4) }), 0..4),
            (json!({ "last": 2, "after": cursor(0) }), total - 2..total),
            (json!({ "last": 100, "after": cursor(0) }), 1..total),
            (json!({ "first": 2, "after": cursor(total - 1) }), total..total),
            (json!({ "last": 2, "before": cursor(0) }), 0..0),
            (json!({ "first": 0 }), 0..0),
            (json!({ "last": 0 }), total..total),
            (json!({ "first": 0, "after": cursor(1) }), 2..2),
            (json!({ "last": 0, "before": cursor(1) }), 1..1),
            (json!({}), 0..total.min(25)),
        ];
        for (page, part) in cases {
            list.assert_page(&list.page(&olga, page).await, &whole, part);
        }
    }
    world.app.stop().await;
}

async fn invalid_page_arguments_are_rejected(engine: Engine) {
    let (world, olga, lists) = clinic(engine).await;
    for list in &lists {
        for page in [
            json!({ "first": 1, "last": 1 }),
            json!({ "first": -1 }),
            json!({ "last": -1 }),
            json!({ "first": 101 }),
            json!({ "last": 101 }),
            json!({ "first": 0.5 }),
            json!({ "first": i64::MAX }),
            json!({ "after": 7 }),
        ] {
            let refusal = list.refusal(&olga, page.clone()).await;
            assert_eq!(refusal, "BAD_USER_INPUT", "{}.{} {page}", list.on, list.field);
        }
        for (end, cursor) in
            [("after", ""), ("before", " "), ("after", "x"), ("before", "MTIz"), ("after", "💬")]
        {
            let refusal = list.refusal(&olga, json!({ end: cursor })).await;
            assert_eq!(refusal, "CURSOR_INVALID", "{}.{} {cursor}", list.on, list.field);
        }
    }
    world.app.stop().await;
}

async fn a_cursor_of_another_list_is_refused(engine: Engine) {
    let (world, olga, lists) = clinic(engine).await;
    let chat = world.chat(&world.visitor("vera").await).await;
    let mut cursors = Vec::new();
    for list in &lists {
        cursors.push(list.page(&olga, json!({ "first": 1 })).await["edges"][0]["cursor"].clone());
    }
    for (list, own) in lists.iter().zip(&cursors) {
        // A filter keeps its list's cursors, an order does not.
        let is_other = |other: &List| {
            let has_other_order = [other, list].iter().all(|one| one.arguments.contains("orderBy"))
                && other.arguments != list.arguments;
            (other.on, other.field) != (list.on, list.field) || has_other_order
        };
        let others = lists.iter().zip(&cursors).filter(|(other, cursor)| is_other(other) && *cursor != own);
        for (_, cursor) in others.step_by(4) {
            let refusal = list.refusal(&olga, json!({ "after": cursor })).await;
            assert_eq!(refusal, "CURSOR_INVALID", "{}.{} {}", list.on, list.field, list.arguments);
        }
        if list.on == "Chat" {
            let List { on, field, .. } = list;
            let arguments = list.arguments.clone();
            let other = List { of: chat.clone(), on, field, arguments };
            let refusal = other.refusal(&olga, json!({ "after": own })).await;
            assert_eq!(refusal, "CURSOR_INVALID", "another chat's {field}");
        }
    }
    world.app.stop().await;
}

async fn chats_are_sorted_by_requested_field(engine: Engine) {
    let (world, olga, _) = clinic(engine).await;
    let fields = [
        ("STARTED_AT", "/startedAt"),
        ("ENDED_AT", "/endedAt"),
        ("UPDATED_AT", "/updatedAt"),
        ("WAITING_SINCE", "/waitingSince"),
        ("LAST_MESSAGE_AT", "/lastMessage/createdAt"),
    ];
    let query =
        "query($order: ChatOrder!) { room: organization { chats(first: 100, orderBy: $order) { nodes {
        id startedAt endedAt updatedAt waitingSince lastMessage { createdAt } } } } }";
    for (field, place) in fields {
        let sorted = |direction: &str| {
            let order = json!({ "order": { "field": field, "direction": direction } });
            let olga = &olga;
            async move { olga.query(query, order).await["room"]["chats"]["nodes"].as_array().unwrap().clone() }
        };
        let (ascending, mut descending) = (sorted("ASC").await, sorted("DESC").await);
        let values: Vec<_> =
            ascending.iter().map(|chat| text(chat.pointer(place).expect("a value"))).collect();
        assert!(values.is_sorted(), "{field}: {values:?}");
        descending.reverse();
        assert_eq!(ascending, descending, "{field}");
    }
    world.app.stop().await;
}

async fn messages_are_read_around_one_and_by_their_types(engine: Engine) {
    let world = World::new(engine).await;
    let (vera, olga) = (world.visitor("vera").await, world.operator("Olga").await);
    let chats = [world.chat(&vera).await, world.chat(&vera).await];
    for chat in &chats {
        for number in 0..4 {
            vera.done("sendMessage", "", json!({ "chatId": chat, "text": number.to_string() })).await;
            olga.done("joinChat", "", json!({ "chatId": chat })).await;
            olga.done("leaveChat", "", json!({ "chatId": chat })).await;
        }
    }
    let read = |arguments: String| {
        let query = format!(
            "query($id: ID!) {{ chat(id: $id) {{ messages({arguments}) {{ totalCount nodes {{ id type text }}
                pageInfo {{ hasNextPage hasPreviousPage }} edges {{ cursor }} }} }} }}"
        );
        let (olga, id) = (&olga, &chats[0]);
        async move { olga.query(&query, json!({ "id": id })).await["chat"]["messages"].clone() }
    };
    let types = |list: &Value| {
        let nodes = list["nodes"].as_array().expect("nodes");
        nodes.iter().map(|node| text(&node["type"])).collect::<Vec<_>>()
    };
    let all = read("first: 100".into()).await;
    assert_eq!(types(&all), ["MESSAGE", "JOIN", "LEAVE"].repeat(4));
    let (ids, fifth) = (all["nodes"].as_array().expect("nodes"), text(&all["nodes"][5]["id"]));
    // The message in the middle; near an end the other side fills the page.
    for (place, page, part) in [
        (5, "first: 3", 4..7),
        (5, "last: 3", 4..7),
        (5, "first: 4", 4..8),
        (5, "last: 4", 3..7),
        (5, "first: 1", 5..6),
        (5, "last: 1", 5..6),
        (5, "first: 0", 5..5),
        (5, "first: 10", 1..11),
        (5, "last: 11", 0..11),
        (5, "first: 12", 0..12),
        (5, "first: 100", 0..12),
        (0, "first: 5", 0..5),
        (1, "last: 5", 0..5),
        (11, "first: 5", 7..12),
        (10, "last: 5", 7..12),
    ] {
        let message = text(&ids[place]["id"]);
        let found = read(format!("around: \"{message}\", {page}")).await;
        assert_eq!(found["nodes"], json!(ids[part.clone()]), "{place}, {page}");
        let info = json!({ "hasPreviousPage": part.start > 0, "hasNextPage": part.end < ids.len() });
        assert_eq!(found["pageInfo"], info, "{place}, {page}");
        assert_eq!(found["totalCount"], ids.len());
        // The pages before and after it go on where it ends.
        let cursors: Vec<_> =
            found["edges"].as_array().expect("edges").iter().map(|edge| text(&edge["cursor"])).collect();
        if let (Some(first), Some(last)) = (cursors.first(), cursors.last()) {
            let before = read(format!("last: 100, before: \"{first}\"")).await;
            let after = read(format!("first: 100, after: \"{last}\"")).await;
            assert_eq!(before["nodes"], json!(ids[..part.start]));
            assert_eq!(after["nodes"], json!(ids[part.end..]));
        }
    }
    // Only some types: in the page, around a message of another type, and in the count.
    let some = read("types: [JOIN, LEAVE], last: 3".into()).await;
    assert_eq!(types(&some), ["LEAVE", "JOIN", "LEAVE"]);
    assert_eq!((&some["totalCount"], &some["pageInfo"]["hasPreviousPage"]), (&json!(8), &json!(true)));
    let some = read(format!("types: [MESSAGE], around: \"{fifth}\", first: 100")).await;
    assert_eq!((types(&some), &some["totalCount"]), (vec!["MESSAGE".into(); 4], &json!(4)));
    for (page, expected) in [("first: 2", [6, 9]), ("last: 2", [3, 6])] {
        let some = read(format!("types: [MESSAGE], around: \"{fifth}\", {page}")).await;
        assert_eq!(some["nodes"], json!(expected.map(|place| &ids[place])), "{page}");
    }
    assert_eq!(read("types: [], first: 5".into()).await["totalCount"], 0);
    // A message is a place in its own chat alone, also where many chats are read at once.
    let query = "query($id: ID!) { viewer { inbox { nodes { id messages(around: $id, first: 2) {
        totalCount nodes { id } } } } } }";
    let found = olga.query(query, json!({ "id": fifth })).await;
    for chat in found["viewer"]["inbox"]["nodes"].as_array().expect("chats") {
        let expected = if chat["id"] == chats[0] { (2, 12) } else { (0, 0) };
        let length = chat["messages"]["nodes"].as_array().map(Vec::len);
        assert_eq!((length, &chat["messages"]["totalCount"]), (Some(expected.0), &json!(expected.1)));
    }
    let cursor = &all["edges"][0]["cursor"];
    let query = "query($id: ID!, $message: ID!, $cursor: String) { chat(id: $id) {
        messages(around: $message, after: $cursor) { totalCount } } }";
    let both = json!({ "id": chats[0], "message": fifth, "cursor": cursor });
    assert_eq!(error_code(&olga.ask(query, both).await), "BAD_USER_INPUT");
    world.app.stop().await;
}

async fn a_variable_that_is_left_out_counts_as_no_argument(engine: Engine) {
    let world = World::new(engine).await;
    let (vera, olga) = (world.visitor("vera").await, world.operator("Olga").await);
    let chat = world.chat(&vera).await;
    olga.done("joinChat", "", json!({ "chatId": chat })).await;
    olga.done("leaveChat", "", json!({ "chatId": chat })).await;
    let query =
        "query($id: ID!, $first: Int, $last: Int, $after: String, $ended: Boolean, $type: ActorType) {
        chat(id: $id) {
            presences(includeEnded: $ended, first: $first, last: $last, after: $after) { totalCount }
            participations(filter: { actorType: $type }, first: $first, last: $last, after: $after) { totalCount } } }";
    let found = olga.query(query, json!({ "id": chat })).await;
    assert_eq!(found["chat"]["presences"]["totalCount"], 0);
    assert_eq!(found["chat"]["participations"]["totalCount"], 2);
    let found = olga.query(query, json!({ "id": chat, "ended": true, "type": "USER" })).await;
    assert_eq!(found["chat"]["presences"]["totalCount"], 1);
    assert_eq!(found["chat"]["participations"]["totalCount"], 1);
    world.app.stop().await;
}

async fn page_cost_uses_requested_size(engine: Engine) {
    let world = World::new(engine).await;
    for (declared, given, is_fine) in [
        ("$n: Int", json!({}), true),
        ("$n: Int", json!({ "n": 40 }), true),
        ("$n: Int", json!({ "n": 100 }), false),
        ("$n: Int = 100", json!({}), false),
        ("$n: Int = 100", json!({ "n": 2 }), true),
    ] {
        let query = format!(
            "query({declared}) {{ organization {{ chats(first: $n) {{ nodes {{
                messages(last: $n) {{ nodes {{ id }} }} }} }} }} }}"
        );
        let answer = world.admin.ask(&query, given.clone()).await;
        let is_answered = answer.get("errors").is_none() || error_code(&answer) != "LIMIT_EXCEEDED";
        assert_eq!(is_answered, is_fine, "{declared} {given}: {answer:#}");
    }
    world.app.stop().await;
}
