//! Each actor's budget of cost: an actor who spends it has to wait, and nobody else notices. The clock is frozen.

use crate::harness::Engine;
use crate::harness::client::error_code;
use crate::harness::socket::Socket;
use crate::harness::world::{Person, World};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

async fn limited() -> World {
    World::frozen_with(Engine::Sqlite, |config| config.rate_limit = 1).await
}

/// An operation of some thousand units, however little there is to find.
const DEAR: &str =
    "query($ids: [ID!]!) { nodes(ids: $ids) { ... on Chat { messages(last: 100) { nodes { id } } } } }";

async fn ask(person: &Person, chat: &str) -> reqwest::Response {
    let body = json!({ "query": DEAR, "variables": { "ids": vec![chat; 30] } });
    person.request().json(&body).send().await.expect("an answer")
}

#[tokio::test(flavor = "multi_thread")]
async fn queries_over_budget_are_refused_until_it_refills() {
    let world = limited().await;
    let (vera, victor) = (world.visitor("vera").await, world.visitor("victor").await);
    let chat = world.chat(&vera).await;
    // Two of these at once are within the budget.
    let answers = futures_util::future::join_all((0..8).map(|_| ask(&vera, &chat))).await;
    let answered = answers.iter().filter(|answer| answer.status() == 200).count();
    assert!((2..8).contains(&answered), "{answered} were answered");
    // Another visitor has a budget of their own.
    victor.query("{ viewer { id } }", json!({})).await;
    let refused = ask(&vera, &chat).await;
    assert_eq!(refused.status(), 429);
    assert!(refused.headers().contains_key("retry-after"));
    let wait = wait_of(refused).await;
    assert!((1..=5_000).contains(&wait), "{wait} ms");
    world.app.clock.advance(Duration::from_millis(wait));
    assert_eq!(ask(&vera, &chat).await.status(), 200);
    world.app.stop().await;
}

/// The milliseconds for which a refused caller is told to wait.
async fn wait_of(refused: reqwest::Response) -> u64 {
    let refused: Value = refused.json().await.expect("JSON");
    assert_eq!(error_code(&refused), "RATE_LIMITED");
    refused["errors"][0]["extensions"]["retryAfterMs"].as_u64().expect("how long to wait")
}

#[tokio::test(flavor = "multi_thread")]
async fn caller_that_waits_as_long_as_it_is_told_is_admitted() {
    let world = limited().await;
    let vera = world.visitor("vera").await;
    let chat = world.chat(&vera).await;
    // Some thousand units, so that now its units are spent and now its changes.
    let selection = "messageEdge { node { chat { a: messages(last: 100) { nodes { id chat { id title } } }
        b: messages(first: 100) { nodes { id chat { id title } } } } } }";
    let document = crate::harness::client::mutation("sendMessage", selection);
    let body = json!({ "query": document, "variables": { "input": { "chatId": chat, "text": "Hello" } } });
    let attempt = async |is_mutation: bool| {
        if is_mutation {
            vera.request().json(&body).send().await.expect("an answer")
        } else {
            ask(&vera, &chat).await
        }
    };
    for round in 0..20 {
        for is_mutation in [false, true] {
            let refused = loop {
                let answer = attempt(is_mutation).await;
                if answer.status() != 200 {
                    break answer;
                }
            };
            let wait = wait_of(refused).await;
            world.app.clock.advance(Duration::from_millis(wait));
            let status = attempt(is_mutation).await.status();
            assert_eq!(status, 200, "round {round}, mutation: {is_mutation}, after {wait} ms");
        }
    }
    world.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn stream_over_budget_slows_down_without_loss() {
    let world = limited().await;
    let (olga, vera) = (world.operator("Olga").await, world.visitor("vera").await);
    let chat = world.chat(&vera).await;
    let mut socket = Socket::connect(&vera.url, &vera.token).await;
    // Some 8,000 units for each message.
    let document = "subscription($chat: ID!) { messageAdded(chatId: $chat) { cursor node { sequence chat {
        a: messages(last: 100) { ...page } b: messages(first: 100) { ...page } } } } }
        fragment page on MessageConnection { nodes { id type text createdAt sequence sender { id displayName } viewerActions
        reactions { emoji count } attachments { id name } chat { id title } } }";
    socket.subscribe("1", document, json!({ "chat": chat }), None).await;
    socket.wait_until_subscribed().await;
    let mut sent = Vec::new();
    for number in 0..20 {
        let selection = "messageEdge { node { sequence } }";
        let input = json!({ "chatId": chat, "text": number.to_string() });
        let done = olga.done("sendMessage", selection, input).await;
        sent.push(done["messageEdge"]["node"]["sequence"].clone());
    }
    // A dozen are within the budget at once, and no more until time passes.
    let mut seen = Vec::new();
    while let Ok(item) = tokio::time::timeout(Duration::from_secs(2), socket.data()).await {
        seen.push(item["messageAdded"]["node"]["sequence"].clone());
    }
    assert!(seen.len() < sent.len(), "the stream was not slowed");
    for _ in 0..sent.len() {
        world.pass(5);
        while seen.len() < sent.len()
            && let Ok(item) = tokio::time::timeout(Duration::from_secs(2), socket.data()).await
        {
            seen.push(item["messageAdded"]["node"]["sequence"].clone());
        }
    }
    assert_eq!(seen, sent, "each once and in order");
    // Meanwhile and afterwards requests have a budget of their own.
    vera.query("{ viewer { id } }", json!({})).await;
    world.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn mutations_within_fragments_count_as_changes() {
    let world = limited().await;
    let vera = world.visitor("vera").await;
    let chat = world.chat(&vera).await;
    let sends = (0..5).map(|at| format!("m{at}: sendMessage(input: $input) {{ userErrors {{ code }} }} "));
    let sends: String = sends.collect();
    let inline = format!("mutation($input: SendMessageInput!) {{ ... {{ {sends} }} }}");
    let spread =
        format!("mutation($input: SendMessageInput!) {{ ...all }} fragment all on Mutation {{ {sends} }}");
    let skipped = format!("mutation($input: SendMessageInput!) {{ ... @skip(if: true) {{ {sends} }} }}");
    for document in [inline, spread, skipped] {
        let mut taken = 0;
        let refused = loop {
            let input = json!({ "input": { "chatId": chat, "text": taken.to_string() } });
            let answer = vera.ask(&document, input).await;
            if answer.get("errors").is_some() {
                break answer;
            }
            taken += 5;
            assert!(taken < 100, "{taken} at once were taken: {document}");
        };
        assert_eq!(error_code(&refused), "RATE_LIMITED", "{document}");
    }
    let count = "query($chat: ID!) { chat(id: $chat) { messageCount } }";
    // The chat and five messages were within the ten at once; each other five were not.
    assert_eq!(vera.query(count, json!({ "chat": chat })).await["chat"]["messageCount"], 5);
    world.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn expensive_operations_do_not_starve_other_actors() {
    let world = World::new(Engine::Sqlite).await;
    let (vera, victor) = (world.visitor("vera").await, world.visitor("victor").await);
    let chat = world.chat(&vera).await;
    for number in 0..40 {
        vera.done("sendMessage", "", json!({ "chatId": chat, "text": number.to_string() })).await;
    }
    let asked = Instant::now();
    assert_eq!(ask(&vera, &chat).await.status(), 200);
    let dear = asked.elapsed();
    // Given a visitor who has twenty dear queries under way at any time,
    let mut floods = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let (vera, chat) = (vera.clone(), chat.clone());
        floods.spawn(async move {
            loop {
                let answer = ask(&vera, &chat).await;
                let _ = answer.bytes().await;
            }
        });
    }
    tokio::time::sleep(Duration::from_millis(500)).await;
    // another visitor's small queries and messages are all answered, and do not wait for the dear ones to end.
    let own = world.chat(&victor).await;
    let mut waits = Vec::new();
    for _ in 0..60 {
        let asked = Instant::now();
        victor.query("{ viewer { id role } }", json!({})).await;
        waits.push(asked.elapsed());
    }
    waits.sort_unstable();
    eprintln!("dear {dear:?}, waits {waits:?}");
    assert!(waits[54] < dear, "a tenth of the small ones takes {:?}, a dear one alone {dear:?}", waits[54]);
    let input = json!({ "chatId": own, "text": "Hello" });
    victor.done("sendMessage", "", input).await;
    floods.shutdown().await;
    world.app.stop().await;
}
