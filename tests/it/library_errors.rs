//! The error texts of async-graphql that the server recognizes. Each is provoked through the real schema, so that an
//! update of the library that words one differently fails here instead of turning bad input into INTERNAL.

use crate::harness::Engine;
use crate::harness::world::World;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::Path;

/// An operation that makes the library fail, and the error that the client gets when its text is recognized.
struct Case {
    /// The text of the library that is recognized, as it stands in the code.
    text: &'static str,
    document: &'static str,
    variables: fn() -> Value,
    code: &'static str,
    message: &'static str,
}

const NONE: fn() -> Value = || json!({});

const CASES: [Case; 14] = [
    Case {
        text: "Invalid value for argument ",
        document: "{ chat(id: true) { id } }",
        variables: NONE,
        code: "BAD_USER_INPUT",
        message: r#"Invalid value for argument "id": expected type "ID"."#,
    },
    Case {
        text: "expected type ",
        document: "{ viewer { inbox(first: \"ten\") { totalCount } } }",
        variables: NONE,
        code: "BAD_USER_INPUT",
        message: r#"Invalid value for argument "first": expected type "Int"."#,
    },
    Case {
        text: "field ",
        document: "mutation { createRoom(input: {}) { room { id } } }",
        variables: NONE,
        code: "BAD_USER_INPUT",
        message: r#"Invalid value for argument "input": field "name" of type "String!" is required but not provided."#,
    },
    Case {
        text: "enumeration type ",
        document: "{ organization { chats(filter: { type: SECRET }) { totalCount } } }",
        variables: NONE,
        code: "BAD_USER_INPUT",
        message: r#"Invalid value for argument "filter.type": enumeration type "ChatType" does not contain this value."#,
    },
    Case {
        text: "Invalid value for argument ",
        document: "{ organization { chats(filter: { secret: 1 }) { totalCount } } }",
        variables: NONE,
        code: "BAD_USER_INPUT",
        message: r#"Invalid value for argument "filter": see the schema for the fields of this input."#,
    },
    Case {
        text: "Invalid value for argument ",
        document: "{ visitor(by: {}) { id } }",
        variables: NONE,
        code: "BAD_USER_INPUT",
        message: r#"Invalid value for argument "by": see the schema for the fields of this input."#,
    },
    Case {
        text: "Failed to parse ",
        document: "{ organization { chats(filter: { minMessageCount: 3000000000 }) { totalCount } } }",
        variables: NONE,
        code: "BAD_USER_INPUT",
        message: r#"Invalid value of type "Int"."#,
    },
    Case {
        text: "expected ",
        document: "query($from: DateTime!) { organization { chats(filter: { startedFrom: $from }) { totalCount } } }",
        variables: || json!({ "from": "tomorrow" }),
        code: "BAD_USER_INPUT",
        message: r#"Invalid value of type "DateTime": expected an RFC 3339 date-time."#,
    },
    Case {
        text: " (occurred",
        document: "{ organization { chats(filter: { startedFrom: \"tomorrow\" }) { totalCount } } }",
        variables: NONE,
        code: "BAD_USER_INPUT",
        message: r#"Invalid value of type "DateTime": expected an RFC 3339 date-time."#,
    },
    Case {
        text: "Expected input type ",
        document: "{ organization { chats(filter: 1) { totalCount } } }",
        variables: NONE,
        code: "BAD_USER_INPUT",
        message: r#"Expected a value of type "ChatFilter"."#,
    },
    Case {
        text: "Invalid default value",
        document: "query($first: Int = \"secret\") { viewer { inbox(first: $first) { totalCount } } }",
        variables: NONE,
        code: "GRAPHQL_VALIDATION_FAILED",
        message: "The default value of a variable does not match its type.",
    },
    Case {
        text: "Unknown field ",
        document: "{ viewer { rolle } }",
        variables: NONE,
        code: "GRAPHQL_VALIDATION_FAILED",
        message: r#"Unknown field "rolle" on type "Viewer". Did you mean "role"?"#,
    },
    Case {
        text: "Unknown argument ",
        document: "{ viewer { inbox(frist: 1) { totalCount } } }",
        variables: NONE,
        code: "GRAPHQL_VALIDATION_FAILED",
        message: r#"Unknown argument "frist" on field "inbox" of type "Viewer". Did you mean "first"?"#,
    },
    Case {
        text: "\\\" on field \\\"",
        document: "{ viewer { inbox(firts: 1) { totalCount } } }",
        variables: NONE,
        code: "GRAPHQL_VALIDATION_FAILED",
        message: r#"Unknown argument "firts" on field "inbox" of type "Viewer". Did you mean "first"?"#,
    },
];

#[tokio::test(flavor = "multi_thread")]
async fn texts_of_the_library_are_recognized() {
    let world = World::new(Engine::Sqlite).await;
    for Case { text, document, variables, code, message } in &CASES {
        let answer = world.admin.ask(document, variables()).await;
        let errors = answer["errors"].as_array().unwrap_or_else(|| panic!("{document}: {answer:#}"));
        let expected = |error: &Value| error["extensions"]["code"] == *code && error["message"] == *message;
        assert!(errors.iter().any(expected), "{text:?} of {document}: {answer:#}");
        assert!(!answer.to_string().contains("secret"), "{document} repeats a value: {answer:#}");
    }
    world.app.stop().await;
}

/// A nullable field that fails is recognized by the `!` at the end of the library's type names.
#[tokio::test(flavor = "multi_thread")]
async fn types_of_fields_are_recognized() {
    let world = World::new(Engine::Sqlite).await;
    // `chat` is nullable and becomes null alone. `nodes` is not, so the whole response is null.
    let answer = world.admin.ask("{ chat(id: \"?\") { id } viewer { role } }", json!({})).await;
    assert_eq!(answer["data"], json!({ "chat": null, "viewer": { "role": "ADMIN" } }), "{answer:#}");
    assert_eq!(answer["errors"].as_array().map(Vec::len), Some(1), "{answer:#}");
    let answer = world.admin.ask("{ nodes(ids: [\"?\"]) { id } viewer { role } }", json!({})).await;
    assert_eq!(answer["data"], Value::Null, "{answer:#}");
    world.app.stop().await;
}

/// The texts that a function compares with the library's.
fn texts(source: &str, function: &str) -> BTreeSet<String> {
    let (_, rest) = source.split_once(&format!("fn {function}(")).expect("the function");
    let body = rest.split("\n}\n").next().expect("its end");
    let calls = ["strip_prefix(\"", "starts_with(\"", "contains(\"", "split(\""];
    let found = calls.iter().flat_map(|call| body.split(call).skip(1));
    found.filter_map(|rest| rest.split("\")").next()).map(str::to_owned).collect()
}

#[test]
fn every_text_that_is_recognized_is_tested() {
    let tested: BTreeSet<_> = CASES.iter().map(|case| case.text.to_owned()).collect();
    let mut recognized = BTreeSet::new();
    for (file, function) in [("door.rs", "told"), ("guard/suggestion.rs", "suggestion")] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/graphql").join(file);
        recognized.extend(texts(&std::fs::read_to_string(path).expect("the file"), function));
    }
    assert_eq!(recognized, tested);
}
