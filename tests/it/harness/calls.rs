//! One accepted call of every mutation, to run in order on a fresh scene. Tests make one part of a call invalid.

use super::client::{Client, mutation};
use super::scene::Scene;
use super::sdl;
use serde_json::{Value, json};

/// A mutation with its caller and its input.
#[derive(Clone, Debug)]
pub struct Call {
    pub name: &'static str,
    pub by: Client,
    pub input: Value,
}

impl Call {
    /// The same call with another value in one field.
    pub fn with(&self, field: &str, value: Value) -> Self {
        let mut call = self.clone();
        call.input[field] = value;
        call
    }

    /// The outcome of the call: see [`outcome`].
    pub async fn outcome(&self) -> String {
        outcome(&self.by, self.name, &self.input).await
    }
}

/// The outcome of a mutation: `done`, the code of a refusal with the input field that caused it, or the
/// code of a GraphQL error.
pub async fn outcome(by: &Client, name: &str, input: &Value) -> String {
    let answer = by.ask(&mutation(name, ""), json!({ "input": input })).await;
    let (errors, code) = match answer.get("errors") {
        Some(errors) => (errors, "/extensions/code"),
        None => (&answer["data"][name]["userErrors"], "/code"),
    };
    let Some(error) = errors.as_array().expect("a list of errors").first() else { return "done".into() };
    assert_eq!(errors.as_array().map(Vec::len), Some(1), "{name} {input}: {answer:#}");
    let code = error.pointer(code).and_then(Value::as_str);
    let code = code.unwrap_or_else(|| panic!("{name} {input}: no code in {answer:#}"));
    assert!(!error["message"].as_str().expect("a message").is_empty(), "{name} {input}");
    match error["field"].as_array().map(Vec::as_slice) {
        None => code.to_owned(),
        Some([input, field, ..]) if input == "input" => format!("{code} {}", field.as_str().expect("a name")),
        Some(other) => panic!("{name}: no path of an input field: {other:?}"),
    }
}

/// Calls that are accepted in this order. Together they set every field of every input.
pub fn calls(scene: &Scene) -> Vec<Call> {
    let mut calls = of_tokens(scene);
    calls.extend(in_organization(scene));
    calls.extend(in_chats(scene));
    calls.extend(of_webhooks(scene));
    for name in sdl::fields("Mutation").keys() {
        for field in sdl::fields(&sdl::input_of(name)).keys() {
            let carries = |call: &Call| call.name == name && call.input.get(field).is_some();
            assert!(calls.iter().any(carries), "no call of {name} carries {field}");
        }
    }
    calls
}

fn call(by: &Client, name: &'static str, input: Value) -> Call {
    Call { name, by: by.clone(), input }
}

fn in_organization(scene: &Scene) -> Vec<Call> {
    let admin = |name, input| call(&scene.admin, name, input);
    vec![
        admin("updateOrganization", json!({ "name": "Clinic", "editWindowMinutes": 525_600 })),
        admin(
            "createRoom",
            json!({ "name": "Billing", "allowedOrigins": ["https://bills.example"],
            "resumeWindowMinutes": 10_080, "endAfterIdleMinutes": 43_200, "access": "MEMBERS" }),
        ),
        admin(
            "updateRoom",
            json!({
                "roomId": scene.room, "name": "Front desk", "allowedOrigins": ["https://shop.example"],
                "resumeWindowMinutes": 30, "endAfterIdleMinutes": 0, "access": "OPEN"
            }),
        ),
        admin("addRoomMembers", json!({ "roomId": scene.spare_room, "userIds": [scene.otto.id] })),
        admin("removeRoomMembers", json!({ "roomId": scene.spare_room, "userIds": [scene.otto.id] })),
        admin("rotateWidgetKey", json!({ "roomId": scene.room, "requestId": "widget-key" })),
        admin("rotateIdentitySecret", json!({ "roomId": scene.room, "requestId": "identity-secret" })),
        admin(
            "createUser",
            json!({ "name": "Oda", "publicName": "O.", "role": "OPERATOR", "externalId": "u" }),
        ),
        admin(
            "updateUser",
            json!({
                "userId": scene.otto.id, "name": "Otto", "publicName": "O.", "role": "OPERATOR", "isActive": true
            }),
        ),
        admin(
            "upsertShoppingCart",
            json!({
                "externalId": "cart", "visitorId": scene.vera.id, "chatId": scene.public.chat, "currency": "EUR",
                "openedAt": "2026-11-20T12:00:00Z", "lockedAt": "2026-11-20T12:30:00Z",
                "products": [{ "externalId": "p", "name": "Pad", "price": "499.90", "quantity": 1 }]
            }),
        ),
        admin(
            "upsertVisitor",
            json!({ "externalId": "v", "displayName": "Vic", "attributes": [{ "name": "a", "value": "b" }] }),
        ),
        admin("issueToken", json!({ "subject": { "actorId": scene.otto.id }, "expiresInSeconds": 60 })),
        admin(
            "issueToken",
            json!({ "subject": { "apiClientName": "archive" }, "expiresInSeconds": 31_536_000 }),
        ),
    ]
}

fn in_chats(scene: &Scene) -> Vec<Call> {
    let (public, private) = (&scene.public, &scene.private);
    let admin = |name, input| call(&scene.admin, name, input);
    let olga = |name, input| call(&scene.olga, name, input);
    let vera = |name, input| call(&scene.vera, name, input);
    let page = json!({ "url": "https://clinic.example.org/", "title": "Clinic" });
    let others = json!([scene.olga.id, scene.vera.id]);
    vec![
        admin(
            "startChat",
            json!({
                "roomId": scene.room, "visitorId": scene.victor.id, "isPrivate": true, "message": "Hello",
                "requestId": "one", "autoResumeUserId": scene.olga.id, "page": page
            }),
        ),
        vera("startChat", json!({ "roomId": scene.room, "autoResume": true, "message": "Hello again" })),
        admin(
            "createDirectChat",
            json!({
                "participantId": scene.vera.id, "name": "Vera", "description": "The two of us", "requestId": "five"
            }),
        ),
        admin(
            "createGroupChat",
            json!({
                "participantIds": others, "ownerId": scene.olga.id, "name": "Team",
                "description": "All of us", "requestId": "two"
            }),
        ),
        olga(
            "updateChat",
            json!({ "chatId": public.chat, "name": "Knee", "description": "Left", "isPrivate": false }),
        ),
        olga("addParticipants", json!({ "chatId": scene.group.chat, "participantIds": [scene.otto.id] })),
        olga("removeParticipant", json!({ "chatId": scene.group.chat, "participantId": scene.otto.id })),
        olga("tagChat", json!({ "chatId": public.chat, "tags": ["vip", "knee"] })),
        olga("untagChat", json!({ "chatId": public.chat, "tags": ["vip"] })),
        olga("joinChat", json!({ "chatId": public.chat, "exclusive": true })),
        olga("keepPresence", json!({ "chatId": public.chat })),
        olga("setTyping", json!({ "chatId": public.chat, "isTyping": true })),
        admin(
            "sendMessage",
            json!({
                "chatId": public.chat, "text": "It hurts", "senderId": scene.vera.id, "externalId": "m",
                "page": page,
                "attachmentIds": [scene.upload], "links": [{ "url": "https://example.org/", "name": "Map" }],
                "contacts": [{ "actorId": scene.olga.id }, { "card": { "address": "+1 555 0100" } }]
            }),
        ),
        olga(
            "sendMessage",
            json!({ "chatId": public.chat, "text": "Among us", "isInternal": true, "replyToId": public.message }),
        ),
        admin(
            "suggestMessage",
            json!({
                "chatId": public.chat, "text": "May I help?", "senderId": scene.olga.id, "externalId": "s", "page": page,
                "replyToId": public.message, "attachmentIds": [scene.suggested], "links": [{ "url": "https://example.org/", "name": "Map" }],
                "contacts": [{ "actorId": scene.olga.id }]
            }),
        ),
        vera(
            "createUpload",
            json!({ "chatId": public.chat, "name": "knee.png", "mediaType": "image/png", "size": 1 }),
        ),
        olga("markRead", json!({ "chatId": public.chat, "throughSequence": 1 })),
        olga("addReaction", json!({ "messageId": public.message, "emoji": "👍" })),
        olga("removeReaction", json!({ "messageId": public.message, "emoji": "👍" })),
        vera("editMessage", json!({ "messageId": public.message, "text": "Good day" })),
        vera("deleteMessage", json!({ "messageId": public.message })),
        olga(
            "updateParticipation",
            json!({ "chatId": public.chat, "customName": "Mine", "customDescription": "For me", "isHidden": true }),
        ),
        olga("archiveMessages", json!({ "chatId": public.chat, "before": "2030-01-01T00:00:00Z" })),
        olga("restoreMessages", json!({ "chatId": public.chat })),
        olga("leaveChat", json!({ "chatId": public.chat })),
        olga(
            "createChatSession",
            json!({
                "in": { "chat": { "id": public.chat, "participantIds": others } }, "title": "Check",
                "type": "TELEMED", "callRoom": "room", "scheduledAt": "2030-01-01T00:00:00Z", "start": false,
                "ringSeconds": 5, "requestId": "three"
            }),
        ),
        olga(
            "updateChatSession",
            json!({
                "chatSessionId": public.session, "title": "Check", "callRoom": "room",
                "scheduledAt": "2030-01-01T00:00:00Z", "participantIds": others
            }),
        ),
        olga("startChatSession", json!({ "chatSessionId": public.session, "ringSeconds": 180 })),
        vera("acceptChatSession", json!({ "chatSessionId": public.session, "requestId": "four" })),
        olga("finishChatSession", json!({ "chatSessionId": public.session, "reason": "Done" })),
        vera("rejectChatSession", json!({ "chatSessionId": private.session, "reason": "Not now" })),
        olga("endChat", json!({ "chatId": private.chat })),
    ]
}

fn of_tokens(scene: &Scene) -> Vec<Call> {
    let [first, second] = &scene.guests;
    let page = json!({ "url": "https://shop.example/cart", "title": "Cart" });
    let soon = anteroom::clock::Clock::system().now().0 / 1_000 + 600;
    let identity = scene.widget.identity(&scene.widget.claims("known", soon));
    vec![
        call(
            &scene.widget.client,
            "signInVisitor",
            json!({ "refreshToken": first.refresh_token, "displayName": "Gast", "page": page }),
        ),
        call(&scene.widget.client, "signInVisitor", json!({ "identityToken": identity })),
        call(second, "renewToken", json!({ "refreshToken": second.refresh_token })),
        call(second, "signOut", json!({ "everywhere": false })),
        call(&scene.admin, "revokeTokens", json!({ "actorId": scene.otto.id })),
        call(&scene.admin, "revokeTokens", json!({ "apiClientName": "records" })),
    ]
}

fn of_webhooks(scene: &Scene) -> Vec<Call> {
    let admin = |name, input| call(&scene.admin, name, input);
    vec![
        admin(
            "createWebhook",
            json!({
                "url": "https://hooks.example.org/", "events": ["CHAT_ENDED", "MESSAGE_ADDED"], "apiKey": "key",
                "apiSecret": "secret"
            }),
        ),
        admin(
            "updateWebhook",
            json!({
                "webhookId": scene.webhook, "url": "https://hooks.example.org/b", "events": ["CHAT_ENDED"],
                "apiKey": "key", "apiSecret": "secret", "isEnabled": true
            }),
        ),
        admin("rotateSigningSecret", json!({ "webhookId": scene.webhook, "requestId": "signing-secret" })),
        admin("deleteChat", json!({ "chatId": scene.direct.chat })),
        admin("redeliverWebhook", json!({ "deliveryId": scene.delivery })),
        admin("deleteWebhook", json!({ "webhookId": scene.webhook })),
    ]
}
