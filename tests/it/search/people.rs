//! Searching visitors by name, folded like messages, with the same results on both databases.

use crate::harness::Engine;
use crate::harness::stored::Stored;
use crate::harness::world::World;
use crate::on_both;
use sea_orm::ConnectionTrait;
use serde_json::{Value, json};

on_both!(
    visitor_is_found_in_any_case_and_without_accents,
    visitor_search_can_be_exact,
    store_of_an_older_folding_is_folded_again_at_start,
);

const NAMES: [&str; 10] = [
    "Jürgen MÜLLER",
    "Łukasz Żółć",
    "Nguyễn Văn Đức",
    "Søren Ærø",
    "Ёлкин Пётр",
    "ΣΊΣΥΦΟΣ",
    "İpek Işık",
    "José 100%_",
    "מֹשֶׁה",
    "がく",
];

async fn made(world: &World, names: &[&str]) {
    for (number, name) in names.iter().enumerate() {
        let input = json!({ "externalId": format!("v{number}"), "displayName": name });
        world.admin.done("upsertVisitor", "", input).await;
    }
}

async fn found(world: &World, query: &str, matching: &str) -> Vec<String> {
    let document = "query($query: String!, $match: TextMatch!) { organization {
        visitors(query: $query, match: $match) { totalCount nodes { displayName } } } }";
    let variables = json!({ "query": query, "match": matching });
    let page = world.admin.query(document, variables).await["organization"]["visitors"].clone();
    let nodes = page["nodes"].as_array().expect("nodes");
    assert_eq!(page["totalCount"], nodes.len());
    nodes.iter().map(|node| node["displayName"].as_str().unwrap_or_default().to_owned()).collect()
}

async fn visitor_is_found_in_any_case_and_without_accents(engine: Engine) {
    let world = World::new(engine).await;
    made(&world, &NAMES).await;
    for (query, expected) in [
        ("müller", &NAMES[0..1]),
        ("MÜLLER", &NAMES[0..1]),
        ("Muller", &NAMES[0..1]),
        ("jurgen m", &NAMES[0..1]),
        ("zolc", &NAMES[1..2]),
        ("LUKASZ", &NAMES[1..2]),
        ("nguyen van duc", &NAMES[2..3]),
        ("aero", &NAMES[3..4]),
        ("SØREN", &NAMES[3..4]),
        ("елкин петр", &NAMES[4..5]),
        ("σισυφος", &NAMES[5..6]),
        ("ipek isik", &NAMES[6..7]),
        ("0%_", &NAMES[7..8]),
        ("jose", &NAMES[7..8]),
        ("משה", &NAMES[8..9]),
        ("がく", &NAMES[9..10]),
        ("かく", &[]),
        ("%", &NAMES[7..8]),
        ("ü", &["Jürgen MÜLLER", "Łukasz Żółć", "Nguyễn Văn Đức"]),
        ("v3", &NAMES[3..4]),
        ("V3", &[]),
        ("\u{301}", &[]),
        ("", &NAMES),
    ] {
        assert_eq!(found(&world, query, "FOLDED").await, expected, "{query:?}");
    }
    // A name that changes is found by what it is now.
    made(&world, &["Zoë"]).await;
    assert_eq!(found(&world, "ZOE", "FOLDED").await, ["Zoë"]);
    assert!(found(&world, "müller", "FOLDED").await.is_empty());
    world.app.stop().await;
}

async fn visitor_search_can_be_exact(engine: Engine) {
    let world = World::new(engine).await;
    made(&world, &NAMES).await;
    for (query, expected) in [
        ("MÜLLER", &NAMES[0..1]),
        ("Müller", &[]),
        ("MULLER", &[]),
        ("v3", &NAMES[3..4]),
        ("%_", &NAMES[7..8]),
        ("", &NAMES),
    ] {
        assert_eq!(found(&world, query, "EXACT").await, expected, "{query:?}");
    }
    world.app.stop().await;
}

async fn store_of_an_older_folding_is_folded_again_at_start(engine: Engine) {
    let world = World::new(engine).await;
    let vera = world.visitor("vera").await;
    let chat = world.chat(&vera).await;
    made(&world, &["Zoë Zürcher"]).await;
    for message in ["Zürich im März", "plain words", "gone"] {
        vera.done("sendMessage", "", json!({ "chatId": chat, "text": message })).await;
    }
    let World { app, admin, room } = world;
    let stored = Stored::of(&app).await;
    for statement in [
        "UPDATE store_meta SET value = '1' WHERE name = 'folding'",
        "UPDATE message_text SET folded = 'zürich im märz' WHERE folded LIKE 'zurich%'",
        "UPDATE actor SET folded_name = ''",
    ] {
        stored.0.execute_unprepared(statement).await.expect(statement);
    }
    drop(stored);
    let app = app.restarted_after(|| {}).await;
    let admin = World::at(&admin, &app.url);
    let world = World { app, admin, room };
    assert_eq!(found(&world, "zoe zur", "FOLDED").await, ["Zoë Zürcher"]);
    for walked in [5_000, 0] {
        world.app.app.actions().store().set_walked(walked);
        let document =
            "query($query: String!) { organization { searchMessages(query: $query) { nodes { text } } } }";
        for query in ["zurich", "MÄRZ", "plain"] {
            let found = world.admin.query(document, json!({ "query": query })).await;
            let nodes: &Value = &found["organization"]["searchMessages"]["nodes"];
            assert_eq!(nodes.as_array().map(Vec::len), Some(1), "{query} {walked}");
        }
    }
    let stored = Stored::of(&world.app).await;
    let row = stored.0.query_one_raw(sea_orm::Statement::from_string(
        stored.0.get_database_backend(),
        "SELECT value FROM store_meta WHERE name = 'folding'",
    ));
    let value: String = row.await.expect("a row").expect("a row").try_get("", "value").expect("a value");
    assert_eq!(value, "2");
    world.app.stop().await;
}
