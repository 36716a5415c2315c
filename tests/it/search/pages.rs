//! Pages of hits in both directions, and from a hit to its neighbors.

use super::{By, WAYS, clinic, in_chat, in_organization, say, search_by, texts};
use crate::harness::Engine;
use crate::harness::client::Client;
use crate::harness::world::text;
use crate::on_both;
use serde_json::{Value, json};

on_both!(
    paging_visits_each_hit_once,
    a_page_says_exactly_whether_there_are_others,
    hit_leads_to_its_neighbors_and_is_not_repeated,
    foreign_or_malformed_cursor_is_rejected,
    counting_stops_at_a_thousand,
);

/// Every hit of a chat, or of the organization, page by page.
async fn walked(client: &Client, chat: Option<&str>, end: &str, size: usize) -> Vec<String> {
    let (side, cursor, more) = match end {
        "first" => ("after", "endCursor", "hasNextPage"),
        _ => ("before", "startCursor", "hasPreviousPage"),
    };
    let (mut found, mut from) = (Vec::new(), Value::Null);
    loop {
        let mut variables = json!({ "query": "needle" });
        variables[end] = json!(size);
        variables[side] = from;
        let page = match chat {
            Some(chat) => in_chat(client, chat, variables).await,
            None => in_organization(client, variables).await,
        };
        if end == "first" {
            found.extend(texts(&page));
        } else {
            found.splice(0..0, texts(&page));
        }
        if page["pageInfo"][more] == false {
            return found;
        }
        from = page["pageInfo"][cursor].clone();
    }
}

async fn paging_visits_each_hit_once(engine: Engine) {
    let (world, olga, vera, chat) = clinic(engine).await;
    // Given hits among others in two chats, all of one moment,
    let other = world.chat(&vera).await;
    let (mut expected, mut in_first) = (Vec::new(), Vec::new());
    for number in 0..23 {
        let place = if number % 3 == 0 { &other } else { &chat };
        let needle = format!("needle {number}");
        say(&vera, place, &needle).await;
        say(&olga, place, &format!("hay {number}")).await;
        if number % 3 != 0 {
            in_first.insert(0, needle.clone());
        }
        expected.insert(0, needle);
    }
    for by in WAYS {
        search_by(&world.app, by);
        for size in [1, 2, 7, 100] {
            for end in ["first", "last"] {
                let found = walked(&olga, None, end, size).await;
                assert_eq!(found, expected, "{end} {size} by {by:?}");
                let found = walked(&vera, Some(&chat), end, size).await;
                assert_eq!(found, in_first, "{end} {size} in the chat by {by:?}");
            }
        }
    }
    world.app.stop().await;
}

async fn a_page_says_exactly_whether_there_are_others(engine: Engine) {
    let (world, olga, vera, chat) = clinic(engine).await;
    for number in 0..3 {
        say(&vera, &chat, &format!("needle {number}")).await;
        say(&vera, &chat, "hay").await;
    }
    for by in WAYS {
        search_by(&world.app, by);
        for chat in [Some(&chat), None] {
            let page = async |variables: Value| {
                let mut all = json!({ "query": "needle" });
                for (name, value) in variables.as_object().expect("variables") {
                    all[name] = value.clone();
                }
                match chat {
                    Some(chat) => in_chat(&olga, chat, all).await,
                    None => in_organization(&olga, all).await,
                }
            };
            let others = |page: &Value| {
                let info = &page["pageInfo"];
                (info["hasPreviousPage"] == true, info["hasNextPage"] == true)
            };
            let all = page(json!({})).await;
            assert_eq!((others(&all), all["totalCount"].clone()), ((false, false), json!(3)));
            let cursors: Vec<_> =
                all["edges"].as_array().expect("edges").iter().map(|edge| text(&edge["cursor"])).collect();
            let cases = [
                (json!({ "first": 2 }), vec!["needle 2", "needle 1"], (false, true)),
                (json!({ "first": 2, "after": cursors[0] }), vec!["needle 1", "needle 0"], (true, false)),
                (json!({ "first": 1, "after": cursors[0] }), vec!["needle 1"], (true, true)),
                (json!({ "first": 9, "after": cursors[2] }), vec![], (true, false)),
                (json!({ "last": 1 }), vec!["needle 0"], (true, false)),
                (json!({ "last": 1, "before": cursors[2] }), vec!["needle 1"], (true, true)),
                (json!({ "last": 9, "before": cursors[0] }), vec![], (false, true)),
                (json!({ "first": 0 }), vec![], (false, true)),
                (
                    json!({ "first": 9, "after": cursors[0], "before": cursors[2] }),
                    vec!["needle 1"],
                    (true, true),
                ),
                (
                    json!({ "last": 9, "after": cursors[0], "before": cursors[2] }),
                    vec!["needle 1"],
                    (true, true),
                ),
            ];
            for (variables, expected, sides) in cases {
                let found = page(variables.clone()).await;
                assert_eq!(texts(&found), expected, "{variables} by {by:?}");
                assert_eq!(others(&found), sides, "{variables} by {by:?}");
            }
        }
    }
    world.app.stop().await;
}

async fn hit_leads_to_its_neighbors_and_is_not_repeated(engine: Engine) {
    let (world, olga, vera, chat) = clinic(engine).await;
    for message in ["one", "two", "needle", "four", "five"] {
        say(&vera, &chat, message).await;
    }
    let query = "query($chat: ID!, $at: String, $id: ID) { chat(id: $chat) {
        older: messages(last: 1, before: $at) { nodes { text } pageInfo { hasPreviousPage hasNextPage } }
        newer: messages(first: 1, after: $at) { nodes { text } pageInfo { hasPreviousPage hasNextPage } }
        from: messages(first: 2, around: $id) { nodes { text } }
        to: messages(last: 2, around: $id) { nodes { text } }
        middle: messages(first: 3, around: $id) { nodes { text } } } }";
    // A hit of either search carries its own place in its chat.
    let in_chat = in_chat(&olga, &chat, json!({ "query": "needle" })).await;
    let in_organization = in_organization(&olga, json!({ "query": "needle" })).await;
    for hit in [&in_chat["edges"][0]["node"], &in_organization["edges"][0]["node"]] {
        let variables = json!({ "chat": chat, "at": hit["cursor"], "id": hit["id"] });
        let seen = olga.query(query, variables).await["chat"].clone();
        let both = json!({ "hasPreviousPage": true, "hasNextPage": true });
        assert_eq!(seen["older"], json!({ "nodes": [{ "text": "two" }], "pageInfo": both }));
        assert_eq!(seen["newer"], json!({ "nodes": [{ "text": "four" }], "pageInfo": both }));
        assert_eq!(seen["from"]["nodes"], json!([{ "text": "needle" }, { "text": "four" }]));
        assert_eq!(seen["to"]["nodes"], json!([{ "text": "two" }, { "text": "needle" }]));
        assert_eq!(
            seen["middle"]["nodes"],
            json!([{ "text": "two" }, { "text": "needle" }, { "text": "four" }])
        );
    }
    world.app.stop().await;
}

async fn foreign_or_malformed_cursor_is_rejected(engine: Engine) {
    let (world, olga, vera, chat) = clinic(engine).await;
    say(&vera, &chat, "needle").await;
    let other = world.chat(&vera).await;
    let foreign = text(&say(&vera, &other, "needle").await["cursor"]);
    let query = "query($id: ID!, $after: String!) { chat(id: $id) {
        searchMessages(query: \"needle\", after: $after) { nodes { id } } } }";
    for after in [foreign.as_str(), "nonsense", ""] {
        let answer = olga.ask(query, json!({ "id": chat, "after": after })).await;
        assert_eq!(answer["errors"][0]["extensions"]["code"], "CURSOR_INVALID", "{after}");
    }
    let query = "query($after: String!) { organization {
        searchMessages(query: \"needle\", after: $after) { nodes { id } } } }";
    for after in [foreign.as_str(), "nonsense", ""] {
        let answer = olga.ask(query, json!({ "after": after })).await;
        assert_eq!(answer["errors"][0]["extensions"]["code"], "CURSOR_INVALID", "{after}");
    }
    world.app.stop().await;
}

async fn counting_stops_at_a_thousand(engine: Engine) {
    let (world, olga, vera, chat) = clinic(engine).await;
    let senders: Vec<_> = (0..4)
        .map(|_| {
            let (vera, chat) = (vera.clone(), chat.clone());
            tokio::spawn(async move {
                for _ in 0..251 {
                    say(&vera, &chat, "needle").await;
                }
            })
        })
        .collect();
    for sender in senders {
        sender.await.expect("the sender ends");
    }
    for by in [By::Walk, By::Index] {
        search_by(&world.app, by);
        let found = in_chat(&olga, &chat, json!({ "query": "needle", "first": 1 })).await;
        assert_eq!(found["totalCount"], 1_000, "by {by:?}");
        let found = in_organization(&olga, json!({ "query": "needle", "last": 1 })).await;
        assert_eq!(found["totalCount"], 1_000, "by {by:?}");
    }
    world.app.stop().await;
}
