//! Pages are stable while others write: reading a list from start to end returns each chat that existed.

use crate::harness::Engine;
use crate::harness::world::{World, ids};
use crate::on_both;
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

on_both!(concurrent_writes_do_not_hide_chats_from_report);

async fn concurrent_writes_do_not_hide_chats_from_report(engine: Engine) {
    let world = World::new(engine).await;
    let (vera, olga) = (world.visitor("vera").await, world.operator("Olga").await);
    let mut before = Vec::new();
    for _ in 0..30 {
        let chat = world.chat(&vera).await;
        olga.done("tagChat", "", json!({ "chatId": chat, "tags": ["vip"] })).await;
        before.push(chat);
    }
    // Given others who write into these chats, start new ones and end some,
    let is_over = Arc::new(AtomicBool::new(false));
    let writer = {
        let (is_over, vera, olga) = (Arc::clone(&is_over), vera.clone(), olga.clone());
        let (room, before) = (world.room.clone(), before.clone());
        tokio::spawn(async move {
            let mut number = 0;
            while !is_over.load(Ordering::SeqCst) {
                let chat = &before[number % 20];
                olga.done("sendMessage", "", json!({ "chatId": chat, "text": "Hello" })).await;
                vera.done("startChat", "", json!({ "roomId": room, "message": "Hello" })).await;
                if number < 10 {
                    vera.done("endChat", "", json!({ "chatId": before[20 + number] })).await;
                }
                number += 1;
            }
        })
    };
    // when the list is read page by page, from either end, then each of them comes once.
    let query = "query($first: Int, $after: String, $last: Int, $before: String, $filter: ChatFilter) {
        organization { chats(filter: $filter, first: $first, after: $after, last: $last, before: $before) {
            nodes { id } pageInfo { hasNextPage endCursor hasPreviousPage startCursor } } } }";
    for filter in [json!({}), json!({ "tags": ["vip"] })] {
        for is_forwards in [true, false] {
            let (mut found, mut cursor) = (Vec::new(), json!(null));
            loop {
                let page = if is_forwards {
                    json!({ "first": 4, "after": cursor, "filter": filter })
                } else {
                    json!({ "last": 4, "before": cursor, "filter": filter })
                };
                let page = olga.query(query, page).await["organization"]["chats"].clone();
                found.extend(ids(&page["nodes"]));
                let (more, next) = if is_forwards {
                    ("hasNextPage", "endCursor")
                } else {
                    ("hasPreviousPage", "startCursor")
                };
                cursor = page["pageInfo"][next].clone();
                // New chats come after these: read forwards, until one comes that was not there before.
                let is_past = is_forwards && found.iter().any(|id| !before.contains(id));
                if page["pageInfo"][more] == false || is_past {
                    break;
                }
            }
            let mut old: Vec<_> = found.iter().filter(|id| before.contains(id)).cloned().collect();
            if !is_forwards {
                let newest_first = |ids: &[String]| ids.len();
                assert_eq!(newest_first(&old), before.len(), "{filter}");
                old.sort_by_key(|id| before.iter().position(|other| other == id));
            }
            assert_eq!(old, before, "{filter}");
        }
    }
    is_over.store(true, Ordering::SeqCst);
    writer.await.unwrap();
    world.app.stop().await;
}
