//! Refusals never repeat the input, and have the right code and location.

use crate::harness::Engine;
use crate::harness::client::error_code;
use crate::harness::widget::Widget;
use crate::harness::world::World;
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn refused_values_are_not_repeated() {
    let world = World::new(Engine::Sqlite).await;
    let secret = "s3cr3t";
    let filter = "query($filter: ChatFilter) { organization { chats(filter: $filter) { totalCount } } }";
    let literal = |value: &str| {
        (format!("{{ organization {{ chats(filter: {{ {value} }}) {{ totalCount }} }} }}"), json!({}))
    };
    let cases = [
        literal(&format!("type: {secret}")),
        literal(&format!("isEnded: \"{secret}\"")),
        literal(&format!("minMessageCount: \"{secret}\"")),
        literal(&format!("startedFrom: \"{secret}\"")),
        literal(&format!("{secret}: 1")),
        (filter.to_owned(), json!({ "filter": { "type": secret } })),
        (filter.to_owned(), json!({ "filter": { "isEnded": secret } })),
        (filter.to_owned(), json!({ "filter": { "startedFrom": secret } })),
        (filter.to_owned(), json!({ "filter": { "minMessageCount": secret } })),
        (filter.to_owned(), json!({ "filter": { secret: 1 } })),
        (filter.to_owned(), json!({ "filter": secret })),
    ];
    for (document, variables) in cases {
        let answer = world.admin.ask(&document, variables.clone()).await;
        assert_eq!(error_code(&answer), "BAD_USER_INPUT", "{document} {variables}");
        assert!(!answer.to_string().contains(secret), "{answer}");
        assert!(answer["errors"][0]["locations"][0]["line"].is_number(), "{answer}");
    }
    let default = format!(
        "query($a: ChatType = {secret}) {{ organization {{ chats(filter: {{ type: $a }}) {{ totalCount }} }} }}"
    );
    let answer = world.admin.ask(&default, json!({})).await;
    assert!(!answer.to_string().contains(secret), "{answer}");
    world.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn invalid_variables_and_directives_are_validation_errors() {
    let world = World::new(Engine::Sqlite).await;
    for document in [
        "query { node(id: $id) { id } }",
        "query($id: ID!) { viewer { id } }",
        "query($id: ID!, $other: Int) { node(id: $id) { id } }",
        "query($id: [Nothing] = [1]) { viewer { id } }",
        "{ __typename @nothing viewer { id } }",
        "{ viewer { __typename @deprecated id } }",
        "{ __schema { types { name @nothing } } }",
        "{ __typename(id: 1) }",
        "{ viewer { nothing } }",
        "{ ...nothing }",
    ] {
        let answer = world.admin.ask(document, json!({ "id": 1, "other": 1 })).await;
        let errors = answer["errors"].as_array().unwrap_or_else(|| panic!("{document}: {answer}"));
        for error in errors {
            assert_eq!(error["extensions"]["code"], "GRAPHQL_VALIDATION_FAILED", "{document}: {answer}");
            assert!(error["locations"][0]["line"].is_number(), "{document}: {answer}");
        }
        assert_eq!(answer.get("data"), None, "{document}");
    }
    world.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn widget_key_can_only_sign_in() {
    let world = World::new(Engine::Sqlite).await;
    let widget = Widget::of(&world.admin, &world.room).await;
    let sign_in = "signInVisitor(input: {}) { token }";
    for document in [
        "{ viewer { role } }".to_owned(),
        "{ __typename }".into(),
        "{ __schema { types { name fields { name } } } }".into(),
        "{ nothing { of { this } } }".into(),
        "mutation { signOut(input: {}) { userErrors { code } } }".into(),
        format!("mutation {{ {sign_in} signOut(input: {{}}) {{ userErrors {{ code }} }} }}"),
        format!("mutation {{ ...a }} fragment a on Mutation {{ {sign_in} ... {{ nothing }} }}"),
    ] {
        let answer = widget.client.ask(&document, json!({})).await;
        assert_eq!(error_code(&answer), "FORBIDDEN", "{document}: {answer}");
    }
    // The selection of the sign-in is limited too.
    let wide =
        "mutation { signInVisitor(input: {}) { viewer { inbox(first: 100) { nodes { messages(first: 100) {
        nodes { text } } } } } } }";
    assert_eq!(error_code(&widget.client.ask(wide, json!({})).await), "LIMIT_EXCEEDED");
    let answer = widget.client.ask(&format!("mutation {{ __typename {sign_in} }}"), json!({})).await;
    assert!(answer["data"]["signInVisitor"]["token"].is_string(), "{answer}");
    world.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_selected_operation_is_checked() {
    let world = World::new(Engine::Sqlite).await;
    let wide = "fragment wide on Query { organization { rooms { nodes { id } } users { nodes { id } } } }";
    let others: String = (0..150).map(|at| format!("query q{at} {{ ...wide }} ")).collect();
    let broken = "query broken($a: Int) { nothing }";
    let document = format!("query Mine {{ viewer {{ role }} }} {others} {broken} {wide}");
    let body = json!({ "query": document, "operationName": "Mine" });
    let answer: Value =
        world.admin.request().json(&body).send().await.expect("an answer").json().await.expect("JSON");
    assert_eq!(answer, json!({ "data": { "viewer": { "role": "ADMIN" } } }));
    world.app.stop().await;
}
