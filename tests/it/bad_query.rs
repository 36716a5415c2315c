//! Invalid queries are refused with a code, and searches match their query literally.

use crate::harness::client::error_code;
use crate::harness::scene::Scene;
use crate::harness::{Engine, TestApp};
use crate::on_both;
use anteroom::domain::limits;
use serde_json::json;

on_both!(
    invalid_query_arguments_are_rejected,
    invalid_filters_are_rejected,
    visitor_search_matches_literally,
);

async fn invalid_query_arguments_are_rejected(engine: Engine) {
    let app = TestApp::start(engine).await;
    let scene = Scene::new(&app, "clinic").await;
    for field in ["chat", "chatSession", "room", "user", "visitor", "node"] {
        for id in ["", "?", "Q2hhdDox"] {
            let argument = if field == "visitor" { "by: { id: $id }" } else { "id: $id" };
            let query = format!("query($id: ID!) {{ {field}({argument}) {{ id }} }}");
            let answer = scene.olga.ask(&query, json!({ "id": id })).await;
            assert_eq!(error_code(&answer), "BAD_USER_INPUT", "{field} {id}");
        }
    }
    let many = vec![scene.room.as_str(); 101];
    let nodes = "query($ids: [ID!]!) { nodes(ids: $ids) { id } }";
    let answer = scene.olga.ask(nodes, json!({ "ids": many })).await;
    assert_eq!(error_code(&answer), "LIMIT_EXCEEDED");
    let both = "query($id: ID!) { visitor(by: { id: $id, externalId: \"v\" }) { id } }";
    assert_eq!(error_code(&scene.olga.ask(both, json!({ "id": scene.vera.id })).await), "BAD_USER_INPUT");
    let none = scene.olga.ask("{ visitor { id } }", json!({})).await;
    assert_eq!(error_code(&none), "GRAPHQL_VALIDATION_FAILED");
    app.stop().await;
}

async fn invalid_filters_are_rejected(engine: Engine) {
    let app = TestApp::start(engine).await;
    let scene = Scene::new(&app, "clinic").await;
    let chats = "query($filter: ChatFilter) { organization { chats(filter: $filter) { totalCount } } }";
    let bad = [
        json!({ "roomIds": vec![&scene.room; 101] }),
        json!({ "visitorId": "?" }),
        json!({ "roomIds": ["?"] }),
        json!({ "startedFrom": "tomorrow" }),
        json!({ "minMessageCount": 0.5 }),
        json!({ "type": "NO_SUCH" }),
        json!({ "noSuchField": 1 }),
    ];
    for filter in bad {
        let answer = scene.olga.ask(chats, json!({ "filter": filter })).await;
        assert_eq!(error_code(&answer), "BAD_USER_INPUT", "{filter}");
    }
    app.stop().await;
}

async fn visitor_search_matches_literally(engine: Engine) {
    let app = TestApp::start(engine).await;
    let scene = Scene::new(&app, "clinic").await;
    let find = "query($query: String) { organization { visitors(query: $query) { totalCount } } }";
    for query in ["x".repeat(limits::NAME + 1), "a\0b".into(), "\n".into()] {
        let answer = scene.olga.ask(find, json!({ "query": query })).await;
        assert_eq!(error_code(&answer), "BAD_USER_INPUT", "{query:?}");
    }
    let input = json!({ "externalId": "o'neill", "displayName": "Ärztin 100%_\\" });
    scene.admin.done("upsertVisitor", "", input).await;
    for (query, found) in [("%", 1), ("_", 1), ("\\", 1), ("0%_", 1), ("_%", 0), ("'", 0), ("o'neill", 1)] {
        let visitors = scene.olga.query(find, json!({ "query": query })).await;
        assert_eq!(visitors["organization"]["visitors"]["totalCount"], found, "{query}");
    }
    for query in ["Ärztin", "ÄR", "RZTIN", "arzt", &"x".repeat(limits::NAME)] {
        let visitors = scene.olga.query(find, json!({ "query": query })).await;
        let found = u8::from(query.len() < limits::NAME);
        assert_eq!(visitors["organization"]["visitors"]["totalCount"], found, "{query}");
    }
    // A text that cannot be an id finds nothing.
    let by_name = "query($id: String) { visitor(by: { externalId: $id }) { id } }";
    for nobody in ["", "\0", "a\0b", "%", &"x".repeat(limits::EXTERNAL_ID + 1)] {
        let found = scene.olga.query(by_name, json!({ "id": nobody })).await;
        assert_eq!(found, json!({ "visitor": null }), "{nobody:?}");
    }
    app.stop().await;
}
