//! A suggestion reaches the visitor, and changes nothing else in the chat but the page of the suggestion.

use super::start;
use crate::harness::Engine;
use crate::harness::client::error_code;
use crate::harness::scene::program;
use crate::harness::world::{World, text};
use crate::on_both;
use serde_json::{Value, json};

on_both!(
    suggestion_is_not_counted_and_stores_page,
    suggestions_require_user_and_visitor_chat,
    a_suggestion_is_sent_once,
);

const COUNTERS: &str = "chat { messageCount userMessageCount visitorMessageCount participationCount
    userParticipationCount visitorParticipationCount isWaiting isRealConversation lastMessage { id }
    isAutosuggested autosuggestPage { url title } firstVisitorMessagePage { url } }";

async fn suggestion_is_not_counted_and_stores_page(engine: Engine) {
    let world = World::frozen(engine).await;
    let (vera, olga) = (world.visitor("vera").await, world.operator("Olga").await);
    let page = json!({ "url": "https://shop.example.org/tents", "title": "Tents" });
    let chat = start(&vera, &world, json!({ "page": page })).await["chat"]["id"].clone();
    let suggest = |text: &str| json!({ "chatId": chat, "text": text });
    let selection = format!("messageEdge {{ node {{ type text senderName receiver {{ id }} }} }} {COUNTERS}");
    let sent = olga.done("suggestMessage", &selection, suggest("May I help you?")).await;
    assert_eq!(
        sent["messageEdge"]["node"],
        json!({ "type": "AUTOSUGGEST", "text": "May I help you?", "senderName": "Olga", "receiver": { "id": vera.id } })
    );
    let counters = |page: &Value| {
        json!({ "messageCount": 0, "userMessageCount": 0, "visitorMessageCount": 0, "participationCount": 1,
            "userParticipationCount": 0, "visitorParticipationCount": 1, "isWaiting": false,
            "isRealConversation": false, "lastMessage": null, "isAutosuggested": true, "autosuggestPage": page,
            "firstVisitorMessagePage": null })
    };
    assert_eq!(sent["chat"], counters(&page));
    // Olga need not follow it: nothing of it is in her inbox.
    let inbox = olga.query("{ viewer { inbox { totalCount } unreadCount } }", json!({})).await;
    assert_eq!(inbox["viewer"], json!({ "inbox": { "totalCount": 0 }, "unreadCount": 0 }));
    // The first page stays; the visitor's answer is the first message, and it waits.
    let mut other = suggest("Or here?");
    other["page"] = json!({ "url": "https://shop.example.org/other" });
    assert_eq!(olga.done("suggestMessage", COUNTERS, other).await["chat"], counters(&page));
    let answer = vera.done("sendMessage", COUNTERS, json!({ "chatId": chat, "text": "Yes" })).await;
    let answer = &answer["chat"];
    assert_eq!((&answer["isWaiting"], &answer["messageCount"]), (&json!(true), &json!(1)));
    assert_eq!(answer["firstVisitorMessagePage"]["url"], page["url"]);
    // Another suggestion answers nobody.
    let sent = olga.done("suggestMessage", COUNTERS, suggest("Some more?")).await;
    assert_eq!(sent["chat"]["isWaiting"], true);
    let history = vera
        .query("query($id: ID!) { chat(id: $id) { messages { nodes { type } } } }", json!({ "id": chat }))
        .await;
    let types: Vec<_> = history["chat"]["messages"]["nodes"].as_array().unwrap().clone();
    let types: Vec<_> = types.iter().map(|node| text(&node["type"])).collect();
    assert_eq!(types, ["AUTOSUGGEST", "AUTOSUGGEST", "MESSAGE", "AUTOSUGGEST"]);
    world.app.stop().await;
}

async fn suggestions_require_user_and_visitor_chat(engine: Engine) {
    let world = World::frozen(engine).await;
    let (vera, olga) = (world.visitor("vera").await, world.operator("Olga").await);
    let chat = world.chat(&vera).await;
    let suggest = |more: Value| {
        let mut input = json!({ "chatId": chat, "text": "May I?" });
        for (name, value) in more.as_object().unwrap() {
            input[name] = value.clone();
        }
        input
    };
    let query =
        "mutation($input: SuggestMessageInput!) { suggestMessage(input: $input) { userErrors { code } } }";
    let answer = vera.ask(query, json!({ "input": suggest(json!({})) })).await;
    assert_eq!(error_code(&answer), "FORBIDDEN");
    let program = program(&world.app, &world.admin).await;
    for by in [&program, &world.admin.client] {
        assert_eq!(by.refused("suggestMessage", suggest(json!({ "senderId": vera.id }))).await, ["INVALID"]);
        by.done("suggestMessage", "", suggest(json!({ "senderId": olga.id }))).await;
    }
    let direct = json!({ "participantId": vera.id });
    let direct = olga.done("createDirectChat", "chat { id }", direct).await["chat"]["id"].clone();
    assert_eq!(olga.refused("suggestMessage", suggest(json!({ "chatId": direct }))).await, ["INVALID"]);
    world.app.stop().await;
}

async fn a_suggestion_is_sent_once(engine: Engine) {
    let world = World::frozen(engine).await;
    let (vera, olga) = (world.visitor("vera").await, world.operator("Olga").await);
    let chat = world.chat(&vera).await;
    let input = json!({ "chatId": chat, "text": "May I?", "externalId": "one" });
    let edge = "messageEdge { node { id } }";
    let first = olga.done("suggestMessage", edge, input.clone()).await;
    assert_eq!(olga.done("suggestMessage", edge, input.clone()).await, first);
    // The same words as a message are something else.
    assert_eq!(olga.refused("sendMessage", input).await, ["CONFLICT"]);
    world.app.stop().await;
}
