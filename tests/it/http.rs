//! GraphQL over HTTP: authentication, refusals, and responses that reveal nothing more than they should.

use crate::harness::Engine;
use crate::harness::client::error_code;
use crate::harness::world::World;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

async fn world() -> World {
    World::new(Engine::Sqlite).await
}

fn request(world: &World, method: Method) -> reqwest::RequestBuilder {
    reqwest::Client::new()
        .request(method, format!("{}/graphql", world.app.url))
        .bearer_auth(&world.admin.token)
}

async fn get(world: &World, document: &str) -> reqwest::Response {
    let url = format!("{}/graphql", world.app.url);
    let url = reqwest::Url::parse_with_params(&url, [("query", document)]).expect("a URL");
    reqwest::Client::new().get(url).bearer_auth(&world.admin.token).send().await.expect("an answer")
}

#[tokio::test(flavor = "multi_thread")]
async fn missing_or_invalid_token_is_rejected() {
    let world = world().await;
    let url = format!("{}/graphql", world.app.url);
    let http = reqwest::Client::new();
    for authorization in ["", "Basic YTpi", "Bearer", "Bearer x", &format!("Bearer {}x", world.admin.token)] {
        let sent = http.post(&url).header("authorization", authorization).body("not even JSON").send().await;
        let answer = sent.expect("an answer");
        assert_eq!(answer.status(), StatusCode::UNAUTHORIZED, "{authorization}");
        assert_eq!(answer.headers()["www-authenticate"], "Bearer");
        assert_eq!(error_code(&answer.json().await.expect("JSON")), "UNAUTHENTICATED");
    }
    // A token in the URL is no token.
    let in_url = http.get(format!("{url}?query={{viewer{{id}}}}&token={}", world.admin.token)).send().await;
    assert_eq!(in_url.expect("an answer").status(), StatusCode::UNAUTHORIZED);
    world.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn malformed_requests_get_status_and_code() {
    let world = world().await;
    let query = json!({ "query": "{ viewer { role } }" }).to_string();
    let json = "application/json";
    let cases = [
        (Method::POST, "text/plain", query.clone(), StatusCode::UNSUPPORTED_MEDIA_TYPE),
        (Method::POST, "multipart/form-data; boundary=x", query.clone(), StatusCode::UNSUPPORTED_MEDIA_TYPE),
        (Method::POST, json, "{".into(), StatusCode::BAD_REQUEST),
        (Method::POST, json, format!("[{query}]"), StatusCode::BAD_REQUEST),
        (Method::POST, json, "{\"query\": 1}".into(), StatusCode::BAD_REQUEST),
        (
            Method::POST,
            json,
            "{\"query\": \"{ viewer { id } }\", \"variables\": []}".into(),
            StatusCode::BAD_REQUEST,
        ),
        (Method::POST, json, "x".repeat(256 * 1024 + 1), StatusCode::PAYLOAD_TOO_LARGE),
        (Method::PUT, json, query.clone(), StatusCode::METHOD_NOT_ALLOWED),
        (Method::DELETE, json, query, StatusCode::METHOD_NOT_ALLOWED),
    ];
    for (method, media_type, body, status) in cases {
        let about = format!("{method} {media_type} {}", &body[..body.len().min(40)]);
        let sent = request(&world, method).header("content-type", media_type).body(body).send().await;
        let answer = sent.expect("an answer");
        assert_eq!(answer.status(), status, "{about}");
        let answer: Value = answer.json().await.expect("JSON");
        assert!(
            ["BAD_USER_INPUT", "LIMIT_EXCEEDED"].contains(&error_code(&answer).as_str()),
            "{about}: {answer:#}"
        );
    }
    world.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_has_its_fields_in_the_order_in_which_they_were_asked_for() {
    let world = world().await;
    let text = get(&world, "{ viewer { role id } organization { tenantName name instanceName } }").await;
    let text = text.text().await.expect("text");
    let places: Vec<_> = ["viewer", "role", "id", "organization", "tenantName", "name", "instanceName"]
        .map(|field| text.find(&format!("\"{field}\":")).expect("the field"))
        .into();
    assert!(places.is_sorted(), "{text}");
    world.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn get_cannot_run_mutations() {
    let world = world().await;
    let asked: Value = get(&world, "{ viewer { role } }").await.json().await.expect("JSON");
    assert_eq!(asked, json!({ "data": { "viewer": { "role": "ADMIN" } } }));

    let mutation = "mutation { createRoom(input: { name: \"By GET\" }) { room { id } } }";
    assert_eq!(get(&world, mutation).await.status(), StatusCode::METHOD_NOT_ALLOWED);
    let rooms = world.admin.query("{ organization { rooms { totalCount } } }", json!({})).await;
    assert_eq!(rooms["organization"]["rooms"]["totalCount"], 1);
    world.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_document_that_would_cost_too_much_is_refused_at_once() {
    let world = world().await;
    let mut bomb = String::from("{ ...f0 }");
    for level in 0..40 {
        let next = level + 1;
        bomb.push_str(&format!(" fragment f{level} on Query {{ ...f{next} ...f{next} }}"));
    }
    bomb.push_str(" fragment f40 on Query { viewer { id } }");
    let deep = format!("{}id{}", "{ viewer { organization { chats { nodes ".repeat(4), "} } } } ".repeat(4));
    let wide = "{ organization { chats(first: 100) { nodes { messages(first: 100) { nodes { id } } } } } }";
    let many = format!("{{ {} }}", "a: viewer { id } ".repeat(31));
    for (what, document) in [("bomb", bomb), ("deep", deep), ("wide", wide.to_owned()), ("many", many)] {
        let answer = world.admin.ask(&document, json!({})).await;
        assert_eq!(error_code(&answer), "LIMIT_EXCEEDED", "{what}: {answer:#}");
        assert_eq!(answer.get("data"), None, "{what}");
    }
    let cycle = "{ ...a } fragment a on Query { ...a }";
    assert_eq!(error_code(&world.admin.ask(cycle, json!({})).await), "GRAPHQL_VALIDATION_FAILED");
    world.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn introspection_returns_full_schema() {
    let world = world().await;
    // The depth of the introspection query that GraphiQL sends.
    let of_type = "ofType { kind name ".repeat(9);
    let query = format!(
        "{{ __schema {{ types {{ kind name fields(includeDeprecated: true) {{ name args {{ name type {{ kind name \
         {of_type} {} }} }} type {{ kind name {of_type} {} }} }} }} }} }}",
        "}".repeat(9),
        "}".repeat(9)
    );
    let schema = world.admin.query(&query, json!({})).await;
    assert!(schema["__schema"]["types"].as_array().is_some_and(|types| types.len() > 50));
    world.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_nullable_field_leaves_the_rest_of_the_answer() {
    let world = world().await;
    let document = r#"{ organization { name searchMessages(query: "a") { totalCount } } viewer { role } }"#;
    let answer = world.admin.ask(document, json!({})).await;
    assert_eq!(error_code(&answer), "BAD_USER_INPUT");
    assert_eq!(answer["errors"][0]["path"], json!(["organization", "searchMessages"]));
    let expected = json!({ "organization": { "name": "clinic", "searchMessages": null }, "viewer": { "role": "ADMIN" } });
    assert_eq!(answer["data"], expected);
    world.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_listed_sites_may_call_from_a_browser() {
    let app =
        crate::harness::TestApp::start_with(Engine::Sqlite, anteroom::clock::Clock::system(), |config| {
            config.allowed_origins = vec!["https://desk.example".into()];
        })
        .await;
    let preflight = |origin: &'static str| {
        reqwest::Client::new()
            .request(Method::OPTIONS, format!("{}/graphql", app.url))
            .header("origin", origin)
            .header("access-control-request-method", "POST")
            .header("access-control-request-headers", "authorization,content-type")
            .send()
    };
    let listed = preflight("https://desk.example").await.expect("an answer");
    assert_eq!(listed.headers()["access-control-allow-origin"], "https://desk.example");
    let other = preflight("https://evil.example").await.expect("an answer");
    assert!(!other.headers().contains_key("access-control-allow-origin"));
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn health_and_readiness_need_no_token() {
    let world = world().await;
    for path in ["healthz", "readyz"] {
        let answer = reqwest::get(format!("{}/{path}", world.app.url)).await.expect("an answer");
        assert_eq!(answer.status(), StatusCode::OK, "{path}");
    }
    world.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn events_stream_over_http_with_their_cursors_as_ids() {
    let world = world().await;
    let vera = world.visitor("vera").await;
    let chat = world.chat(&vera).await;
    let body = json!({
        "query": "subscription($chat: ID!) { messageAdded(chatId: $chat) { node { text } } }",
        "variables": { "chat": chat },
    });
    let first =
        vera.done("sendMessage", "messageEdge { cursor }", json!({ "chatId": chat, "text": "1" })).await;
    vera.done("sendMessage", "", json!({ "chatId": chat, "text": "2" })).await;
    let stream = request(&world, Method::POST)
        .header("accept", "text/event-stream")
        .header("last-event-id", first["messageEdge"]["cursor"].as_str().expect("a cursor"))
        .json(&body)
        .send();
    let mut stream = stream.await.expect("a stream");
    assert_eq!(stream.headers()["content-type"], "text/event-stream; charset=utf-8");
    vera.done("sendMessage", "", json!({ "chatId": chat, "text": "3" })).await;
    let mut text = String::new();
    while text.matches("event: next").count() < 2 {
        let chunk = stream.chunk().await.expect("a chunk").expect("more");
        text.push_str(&String::from_utf8_lossy(&chunk));
    }
    let seen: Vec<_> = text
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line.strip_prefix("data: ")?).ok())
        .map(|next| next["data"]["messageAdded"]["node"]["text"].clone())
        .collect();
    assert_eq!(seen, [json!("2"), json!("3")]);
    assert_eq!(text.matches("\nid: ").count(), 2, "{text}");
    world.app.stop().await;
}
