//! Tokens that are signed with the server's secret and still refused.

use crate::harness::client::Client;
use crate::harness::widget::under;
use crate::harness::world::World;
use crate::harness::{Engine, TestApp};
use serde_json::{Value, json};

async fn status(app: &TestApp, token: &str) -> u16 {
    let request = reqwest::Client::new().post(format!("{}/graphql", app.url)).bearer_auth(token);
    request
        .json(&json!({ "query": "{ viewer { __typename } }" }))
        .send()
        .await
        .expect("an answer")
        .status()
        .as_u16()
}

#[tokio::test(flavor = "multi_thread")]
async fn token_with_an_unsupported_header_is_rejected() {
    let world = World::frozen(Engine::Sqlite).await;
    let secret = std::fs::read_to_string(world.app.config.data.join("secret")).expect("the secret");
    let token = &world.admin.token;
    // Signed anew as it was, it is taken: what follows is refused for its header alone.
    let same = under(&json!({ "typ": "JWT", "alg": "HS256" }), token, &secret);
    assert_eq!(status(&world.app, &same).await, 200);
    let client = Client::new(&world.app.url, &same);
    assert_ne!(client.query("{ viewer { __typename } }", json!({})).await["viewer"], Value::Null);
    for header in [
        json!({ "alg": "HS256", "crit": ["exp"] }),
        json!({ "alg": "HS256", "crit": ["b64"], "b64": false }),
        json!({ "alg": "HS256", "crit": [] }),
        json!({ "alg": "HS256", "b64": false }),
        json!({ "alg": "HS256", "zip": "DEF" }),
        json!({ "alg": "none" }),
    ] {
        assert_eq!(status(&world.app, &under(&header, token, &secret)).await, 401, "{header}");
    }
    world.app.stop().await;
}
