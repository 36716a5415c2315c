//! An argument whose variable is absent has its default (section 6.4.1 of the GraphQL specification): every
//! argument and input field with a default.

use crate::harness::Engine;
use crate::harness::TestApp;
use crate::harness::client::error_code;
use crate::harness::scene::Scene;
use async_graphql::parser::parse_schema;
use async_graphql::parser::types::{TypeKind, TypeSystemDefinition};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// A default in the schema.
struct Default {
    /// The object or the input that it is in.
    on: String,
    /// The field, if it is an argument of one.
    field: Option<String>,
    name: String,
    of_type: String,
    value: Value,
    /// The same as a document has it.
    literal: String,
}

fn defaults() -> Vec<Default> {
    let schema = parse_schema(anteroom::graphql::sdl()).expect("the schema parses");
    let mut found = Vec::new();
    for definition in schema.definitions {
        let TypeSystemDefinition::Type(definition) = definition else { continue };
        let on = definition.node.name.node.to_string();
        let mut add = |field: Option<String>, values: Vec<async_graphql::Positioned<_>>| {
            for value in values {
                let value: async_graphql::parser::types::InputValueDefinition = value.node;
                let Some(default) = value.default_value else { continue };
                let of_type = value.ty.node.to_string().trim_end_matches('!').to_owned();
                let (on, name) = (on.clone(), value.name.node.to_string());
                let literal = default.node.to_string();
                let value = default.node.into_json().expect("JSON");
                found.push(Default { on, field: field.clone(), name, of_type, value, literal });
            }
        };
        match definition.node.kind {
            TypeKind::Object(object) => {
                for field in object.fields {
                    add(Some(field.node.name.node.to_string()), field.node.arguments);
                }
            }
            TypeKind::InputObject(input) => add(None, input.fields),
            TypeKind::Scalar | TypeKind::Interface(_) | TypeKind::Union(_) | TypeKind::Enum(_) => {}
        }
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn an_argument_without_its_variable_has_its_default() {
    let app = TestApp::start(Engine::Sqlite).await;
    let scene = Scene::new(&app, "clinic").await;
    let cart = json!({ "externalId": "c", "visitorId": scene.vera.id, "currency": "EUR", "products": [] });
    let cart = scene.admin.done("upsertShoppingCart", "shoppingCart { id }", cart).await;
    let cart = cart["shoppingCart"]["id"].as_str().expect("an id");
    let node = |on, id: &str| (on, format!("node(id: \"{id}\") {{ ... on {on} {{"));
    // How an object of each type is reached.
    let reached = BTreeMap::from([
        node("Chat", &scene.public.chat),
        node("User", &scene.olga.id),
        node("Visitor", &scene.vera.id),
        node("Room", &scene.room),
        node("Webhook", &scene.webhook),
        node("ShoppingCart", cart),
        ("Organization", "organization {".to_owned()),
        ("Viewer", "viewer {".to_owned()),
    ]);
    let arguments: Vec<_> = defaults().into_iter().filter(|default| default.field.is_some()).collect();
    assert!(arguments.len() >= 6, "only {} arguments have defaults", arguments.len());
    for Default { on, field, name, of_type, value, literal } in arguments {
        let path = reached.get(on.as_str()).unwrap_or_else(|| panic!("how is a {on} reached?"));
        let field = field.expect("an argument");
        let more = if field == "searchMessages" { "query: \"good\", " } else { "" };
        let selection = if field == "products" { "id" } else { "totalCount" };
        let close = "}".repeat(path.matches('{').count());
        let with = |declared: &str, argument: &str| {
            format!("query{declared} {{ {path} {field}({more}{argument}) {{ {selection} }} {close} }}")
        };
        let nullable = with(&format!("($a: {of_type})"), &format!("{name}: $a"));
        let written = with("", &format!("{name}: {literal}"));
        let expected = scene.admin.query(&written, json!({})).await;
        assert_eq!(scene.admin.query(&nullable, json!({})).await, expected, "{on}.{field}({name})");
        assert_eq!(
            scene.admin.query(&nullable, json!({ "a": value })).await,
            expected,
            "{on}.{field}({name})"
        );
        // In a fragment too, and with a default of the variable's own.
        let own = with(&format!("($a: {of_type} = {literal})"), &format!("{name}: $a"));
        assert_eq!(scene.admin.query(&own, json!({})).await, expected, "{on}.{field}({name})");
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_input_field_without_its_variable_has_its_default() {
    let app = TestApp::start(Engine::Sqlite).await;
    let scene = Scene::new(&app, "clinic").await;
    let send = "mutation($chat: ID!, $internal: Boolean) { sendMessage(input: {
        chatId: $chat, text: \"Hello\", isInternal: $internal }) {
        messageEdge { node { isInternal type } } userErrors { code } } }";
    let sent = scene.olga.query(send, json!({ "chat": scene.public.chat })).await;
    assert_eq!(
        sent["sendMessage"]["messageEdge"]["node"],
        json!({ "isInternal": false, "type": "MESSAGE" }),
        "the defaults of the input"
    );
    let given = json!({ "chat": scene.public.chat, "internal": true });
    let sent = scene.olga.query(send, given).await;
    assert_eq!(sent["sendMessage"]["messageEdge"]["node"]["isInternal"], true);
    // The default of every input field is the value that it has if it is absent.
    for Default { on, name, value, .. } in defaults().into_iter().filter(|default| default.field.is_none()) {
        let is_known = value.is_boolean()
            || value.is_i64()
            || [json!("TELEMED"), json!("OPEN"), json!([])].contains(&value);
        assert!(is_known, "{on}.{name}: {value}");
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_null_or_a_missing_required_value_is_still_refused() {
    let app = TestApp::start(Engine::Sqlite).await;
    let scene = Scene::new(&app, "clinic").await;
    let page = "query($id: ID!, $a: Boolean) { chat(id: $id) { messages(first: 1, includeArchived: $a) { totalCount } } }";
    let answer = scene.vera.ask(page, json!({ "id": scene.public.chat, "a": null })).await;
    assert_eq!(error_code(&answer), "BAD_USER_INPUT", "null is not absent");
    // An argument that is required and has no default cannot be left out.
    let by_id = "query($id: ID) { chat(id: $id) { id } }";
    assert_eq!(error_code(&scene.vera.ask(by_id, json!({})).await), "GRAPHQL_VALIDATION_FAILED");
    // @skip and @include take the default of their variable.
    let included = "query($yes: Boolean! = true, $no: Boolean! = false) {
        viewer { role @include(if: $yes) id @skip(if: $yes) user @include(if: $no) { id } } }";
    let viewer = scene.olga.query(included, json!({})).await;
    assert_eq!(viewer["viewer"], json!({ "role": "OPERATOR" }));
    app.stop().await;
}
