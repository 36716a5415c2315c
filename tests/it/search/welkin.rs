//! The search walk-through of the patient chat that Anteroom replaces, on its own seven messages: two pages of
//! hits, and the neighbours of the first.

use super::{WAYS, in_chat, say, search_by, texts};
use crate::harness::Engine;
use crate::harness::world::World;
use crate::on_both;
use serde_json::{Value, json};

on_both!(reference_walkthrough_gives_same_results);

const MESSAGES: [&str; 7] = ["Hello0", "Hello1", "Test1", "Test2", "Hello2", "Test3", "Test4"];

async fn reference_walkthrough_gives_same_results(engine: Engine) {
    let world = World::frozen(engine).await;
    let (root, patient) = (world.operator("Root Root").await, world.visitor("c4f64a1a").await);
    let chat = world.chat(&patient).await;
    for message in MESSAGES {
        say(&root, &chat, message).await;
        // As in the reference some are of one moment: nothing may be skipped for it.
        world.pass(u64::from(message.starts_with("Hello")));
    }
    for by in WAYS {
        search_by(&world.app, by);
        // chat/search?query=hello&pageSize=2&contentPageSize=1&includeArchived=true
        let first = json!({ "query": "hello", "first": 2, "archived": true });
        let first = in_chat(&root, &chat, first).await;
        assert_eq!(texts(&first), ["Hello2", "Hello1"]);
        assert_eq!((has(&first, "hasPreviousPage"), has(&first, "hasNextPage")), (false, true));
        // chat/search?pageToken=…
        let next = first["pageInfo"]["endCursor"].clone();
        let second = json!({ "query": "hello", "first": 2, "archived": true, "after": next });
        let second = in_chat(&root, &chat, second).await;
        assert_eq!(texts(&second), ["Hello0"]);
        assert_eq!((has(&second, "hasPreviousPage"), has(&second, "hasNextPage")), (true, false));
        // And back, which the reference's token offers too.
        let previous = second["pageInfo"]["startCursor"].clone();
        let back = json!({ "query": "hello", "last": 2, "archived": true, "before": previous });
        assert_eq!(in_chat(&root, &chat, back).await, first);
        // chat?pageToken=… of the hit, and on from there in both directions, one at a time.
        let hit = first["edges"][0]["node"]["cursor"].clone();
        assert_eq!(
            neighbours(&root, &chat, "older", hit.clone()).await,
            ["Test2", "Test1", "Hello1", "Hello0"]
        );
        assert_eq!(neighbours(&root, &chat, "newer", hit).await, ["Test3", "Test4"]);
    }
    world.app.stop().await;
}

fn has(page: &Value, side: &str) -> bool {
    page["pageInfo"][side] == true
}

/// The texts of the messages on one side of a place, page by page of one.
async fn neighbours(
    viewer: &crate::harness::client::Client,
    chat: &str,
    side: &str,
    mut cursor: Value,
) -> Vec<String> {
    let page = if side == "older" { "last: 1, before: $at" } else { "first: 1, after: $at" };
    let query = format!(
        "query($chat: ID!, $at: String) {{ chat(id: $chat) {{ messages(types: [MESSAGE], {page}) {{
            edges {{ cursor node {{ text }} }} }} }} }}"
    );
    let mut found = Vec::new();
    loop {
        let seen = viewer.query(&query, json!({ "chat": chat, "at": cursor })).await;
        let Some(edge) = seen["chat"]["messages"]["edges"].get(0) else { return found };
        found.push(crate::harness::world::text(&edge["node"]["text"]));
        cursor = edge["cursor"].clone();
    }
}
