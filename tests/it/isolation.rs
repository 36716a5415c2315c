//! Objects that a viewer may not see do not exist for them. Every operation is tried with the ids of another
//! organization, and with the ids of others' chats. The answers equal those for unknown ids, and nothing is
//! stored.

use crate::harness::client::{Client, mutation};
use crate::harness::scene::{Place, Scene};
use crate::harness::sdl;
use crate::harness::socket::Socket;
use crate::harness::stored::{Stored, assert_unchanged, twin};
use crate::harness::{Engine, TestApp};
use crate::on_both;
use serde_json::{Value, json};

on_both!(
    mutations_do_not_find_another_organizations_things,
    mutations_do_not_find_others_chats,
    queries_do_not_find_another_organizations_things,
    queries_do_not_find_others_chats,
    filters_do_not_reach_into_another_organization,
    subscriptions_are_isolated,
);

/// A mutation, its input with an id that is not the caller's, and the field that carries it.
type Case = (&'static str, &'static str, Value);

/// The ids of a suggestion.
fn suggestions(own: &Scene, their: &Scene) -> Vec<Case> {
    vec![
        ("suggestMessage", "chatId", json!({ "chatId": their.public.chat, "text": "x" })),
        (
            "suggestMessage",
            "senderId",
            json!({ "chatId": own.public.chat, "text": "x", "senderId": their.olga.id }),
        ),
        (
            "suggestMessage",
            "attachmentIds",
            json!({ "chatId": own.public.chat, "attachmentIds": [their.upload] }),
        ),
        (
            "suggestMessage",
            "replyToId",
            json!({ "chatId": own.public.chat, "text": "x", "replyToId": their.public.message }),
        ),
    ]
}

/// Every mutation with every id of the other organization where it takes one.
fn across(own: &Scene, their: &Scene) -> Vec<Case> {
    let theirs = &their.public;
    let mut cases = in_chat(theirs, &own.olga.id);
    cases.extend(suggestions(own, their));
    cases.extend([
        (
            "sendMessage",
            "senderId",
            json!({ "chatId": own.public.chat, "text": "x", "senderId": their.olga.id }),
        ),
        (
            "sendMessage",
            "senderId",
            json!({ "chatId": own.public.chat, "text": "x", "senderId": their.vera.id }),
        ),
        (
            "sendMessage",
            "attachmentIds",
            json!({ "chatId": own.public.chat, "attachmentIds": [their.upload] }),
        ),
        (
            "sendMessage",
            "contacts",
            json!({ "chatId": own.public.chat, "contacts": [{ "actorId": their.olga.id }] }),
        ),
        (
            "sendMessage",
            "replyToId",
            json!({ "chatId": own.public.chat, "text": "x", "replyToId": theirs.message }),
        ),
        ("createGroupChat", "participantIds", json!({ "participantIds": [own.olga.id, their.olga.id] })),
        ("createDirectChat", "participantId", json!({ "participantId": their.vera.id })),
        (
            "createGroupChat",
            "ownerId",
            json!({ "participantIds": [own.olga.id, their.olga.id], "ownerId": their.olga.id }),
        ),
        (
            "createChatSession",
            "in",
            json!({ "in": { "chat": { "id": own.public.chat, "participantIds": [their.olga.id] } } }),
        ),
        ("createChatSession", "in", json!({ "in": { "participantIds": [their.olga.id] } })),
        (
            "addParticipants",
            "participantIds",
            json!({ "chatId": own.group.chat, "participantIds": [own.otto.id, their.olga.id] }),
        ),
        (
            "removeParticipant",
            "participantId",
            json!({ "chatId": own.group.chat, "participantId": their.olga.id }),
        ),
        (
            "updateChatSession",
            "participantIds",
            json!({ "chatSessionId": own.public.session, "participantIds": [own.vera.id, their.olga.id] }),
        ),
        ("startChat", "roomId", json!({ "roomId": their.room, "visitorId": own.vera.id, "message": "x" })),
        ("startChat", "visitorId", json!({ "roomId": own.room, "visitorId": their.vera.id })),
        (
            "startChat",
            "autoResumeUserId",
            json!({ "roomId": own.room, "visitorId": own.vera.id, "autoResumeUserId": their.olga.id }),
        ),
        ("upsertShoppingCart", "visitorId", cart(&json!({ "visitorId": their.vera.id }))),
        (
            "upsertShoppingCart",
            "chatId",
            cart(&json!({ "visitorId": own.vera.id, "chatId": their.public.chat })),
        ),
        ("issueToken", "actorId", json!({ "subject": { "actorId": their.olga.id } })),
        ("issueToken", "actorId", json!({ "subject": { "actorId": their.vera.id } })),
        ("revokeTokens", "actorId", json!({ "actorId": their.olga.id })),
        ("revokeTokens", "actorId", json!({ "actorId": their.vera.id })),
        ("updateRoom", "roomId", json!({ "roomId": their.room, "name": "Ours" })),
        ("addRoomMembers", "roomId", json!({ "roomId": their.room, "userIds": [own.olga.id] })),
        ("addRoomMembers", "userIds", json!({ "roomId": own.room, "userIds": [their.olga.id] })),
        ("removeRoomMembers", "roomId", json!({ "roomId": their.room, "userIds": [own.olga.id] })),
        ("removeRoomMembers", "userIds", json!({ "roomId": own.room, "userIds": [their.olga.id] })),
        ("rotateWidgetKey", "roomId", json!({ "roomId": their.room })),
        ("rotateIdentitySecret", "roomId", json!({ "roomId": their.room })),
        ("rotateSigningSecret", "webhookId", json!({ "webhookId": their.webhook })),
        ("updateUser", "userId", json!({ "userId": their.olga.id, "name": "Ours" })),
        (
            "updateWebhook",
            "webhookId",
            json!({ "webhookId": their.webhook, "url": "https://ours.example.org/" }),
        ),
        ("deleteWebhook", "webhookId", json!({ "webhookId": their.webhook })),
        ("redeliverWebhook", "deliveryId", json!({ "deliveryId": their.delivery })),
    ]);
    cases
}

fn cart(whose: &Value) -> Value {
    with(json!({ "externalId": "theirs", "currency": "EUR", "products": [] }), whose.clone())
}

/// Every mutation of a chat or of a session, on a place that is not the caller's, with somebody whom they know.
fn in_chat(place: &Place, known: &str) -> Vec<Case> {
    let chat = |more: Value| with(json!({ "chatId": place.chat }), more);
    let session = |more: Value| with(json!({ "chatSessionId": place.session }), more);
    let none = || json!({});
    vec![
        ("acceptChatSession", "chatSessionId", session(none())),
        ("finishChatSession", "chatSessionId", session(none())),
        ("rejectChatSession", "chatSessionId", session(none())),
        ("startChatSession", "chatSessionId", session(none())),
        ("updateChatSession", "chatSessionId", session(json!({ "title": "x" }))),
        ("createChatSession", "in", json!({ "in": { "chat": { "id": place.chat } } })),
        ("addParticipants", "chatId", chat(json!({ "participantIds": [known] }))),
        ("removeParticipant", "chatId", chat(json!({ "participantId": known }))),
        ("updateParticipation", "chatId", chat(json!({ "customName": "Mine" }))),
        ("deleteChat", "chatId", chat(none())),
        ("tagChat", "chatId", chat(json!({ "tags": ["ours"] }))),
        ("untagChat", "chatId", chat(json!({ "tags": ["ours"] }))),
        ("endChat", "chatId", chat(none())),
        ("joinChat", "chatId", chat(none())),
        ("joinChat", "chatId", chat(json!({ "exclusive": true }))),
        ("keepPresence", "chatId", chat(none())),
        ("leaveChat", "chatId", chat(none())),
        ("markRead", "chatId", chat(json!({ "throughSequence": 1 }))),
        ("sendMessage", "chatId", chat(json!({ "text": "x" }))),
        ("createUpload", "chatId", chat(json!({ "name": "a", "mediaType": "text/plain", "size": 1 }))),
        ("setTyping", "chatId", chat(json!({ "isTyping": true }))),
        ("updateChat", "chatId", chat(json!({ "name": "Ours" }))),
        ("archiveMessages", "chatId", chat(json!({ "before": "2030-01-01T00:00:00Z" }))),
        ("restoreMessages", "chatId", chat(none())),
        ("editMessage", "messageId", json!({ "messageId": place.message, "text": "Ours" })),
        ("deleteMessage", "messageId", json!({ "messageId": place.message })),
        ("addReaction", "messageId", json!({ "messageId": place.message, "emoji": "👍" })),
        ("removeReaction", "messageId", json!({ "messageId": place.message, "emoji": "👍" })),
    ]
}

/// Mutations that only users can call. Visitors are refused, regardless of the id.
const FOR_USERS: [&str; 9] = [
    "addParticipants",
    "archiveMessages",
    "deleteChat",
    "joinChat",
    "keepPresence",
    "restoreMessages",
    "updateChat",
    "tagChat",
    "untagChat",
];

fn with(mut input: Value, more: Value) -> Value {
    for (name, value) in more.as_object().unwrap() {
        input[name] = value.clone();
    }
    input
}

/// The same text with each of these ids replaced by one that names nothing.
fn with_twins(value: &Value, ids: &[&str]) -> Value {
    let mut text = value.to_string();
    for id in ids {
        text = text.replace(id, &twin(id));
    }
    serde_json::from_str(&text).unwrap()
}

/// The answer without what differs from request to request.
async fn answer(client: &Client, name: &str, input: &Value) -> Value {
    let selection =
        if sdl::fields(&format!("{}Payload", &sdl::input_of(name)[..name.len()])).contains_key("chat") {
            "chat { id }"
        } else {
            ""
        };
    client.ask(&mutation(name, selection), json!({ "input": input })).await
}

#[track_caller]
fn assert_not_found(name: &str, input: &Value, answer: &Value) {
    let payload = &answer["data"][name];
    assert_eq!(answer.get("errors"), None, "{name} {input}: {answer:#}");
    let errors = payload["userErrors"].as_array().unwrap();
    assert_eq!(errors.len(), 1, "{name} {input}: {answer:#}");
    assert_eq!(errors[0]["code"], "NOT_FOUND", "{name} {input}: {answer:#}");
}

async fn mutations_do_not_find_another_organizations_things(engine: Engine) {
    let app = TestApp::quiet(engine).await;
    let (own, their) = (Scene::new(&app, "clinic").await, Scene::new(&app, "hospital").await);
    let cases = across(&own, &their);
    // Given the published schema, no mutation and no id of an input is left out.
    for name in sdl::fields("Mutation").keys() {
        for field in sdl::id_fields(&sdl::input_of(name)) {
            let is_tried = cases.iter().any(|(mutation, tried, _)| mutation == name && *tried == field);
            assert!(is_tried, "{name} takes {field}, which is never tried with another organization's id");
        }
    }
    let ids = all_ids(&their);
    let ids: Vec<_> = ids.iter().map(String::as_str).collect();
    let stored = Stored::of(&app).await;
    let before = stored.tables().await;
    for (name, _, input) in &cases {
        // When the admin, who may do the most, names what is another organization's,
        let answered = answer(&own.admin, name, input).await;
        // then it is not found,
        assert_not_found(name, input, &answered);
        // and nobody can tell it from what was never there.
        assert_eq!(answered, answer(&own.admin, name, &with_twins(input, &ids)).await, "{name} {input}");
    }
    assert_unchanged(&before, &stored.tables().await, "mutations across organizations");
    app.stop().await;
}

async fn mutations_do_not_find_others_chats(engine: Engine) {
    let app = TestApp::quiet(engine).await;
    let scene = Scene::new(&app, "clinic").await;
    let stored = Stored::of(&app).await;
    let before = stored.tables().await;
    for (kind, place) in scene.places() {
        let mut strangers = vec![("visitor", &scene.victor)];
        if kind != "public" {
            strangers.push(("operator", &scene.otto));
        }
        for (who, stranger) in strangers {
            for (name, _, input) in in_chat(place, &scene.olga.id) {
                let answered = answer(stranger, name, &input).await;
                let unknown = with_twins(&input, &[&place.chat, &place.session, &place.message]);
                assert_eq!(answered, answer(stranger, name, &unknown).await, "{who}, {kind}: {name}");
                if who == "visitor" && FOR_USERS.contains(&name) {
                    assert_eq!(answered["errors"][0]["extensions"]["code"], "FORBIDDEN", "{name}");
                } else {
                    assert_not_found(name, &input, &answered);
                }
            }
        }
    }
    assert_unchanged(&before, &stored.tables().await, "mutations in others' chats");
    app.stop().await;
}

/// Everything of a scene that has an id.
fn all_ids(scene: &Scene) -> Vec<String> {
    let people = [&scene.admin, &scene.olga, &scene.odile, &scene.otto, &scene.vera, &scene.victor];
    let mut ids =
        vec![scene.organization.clone(), scene.room.clone(), scene.webhook.clone(), scene.delivery.clone()];
    ids.push(scene.upload.clone());
    ids.extend(people.map(|person| person.id.clone()));
    ids.extend(scene.places().into_iter().flat_map(|(_, place)| ids_of(place)));
    ids
}

fn ids_of(place: &Place) -> [String; 5] {
    let Place { chat, session, message, presence, participation } = place.clone();
    [chat, session, message, presence, participation]
}

/// One document that asks for everything by id; what of it is tried is asserted against the schema.
const BY_ID: &str = "query($id: ID!) {
    chat(id: $id) { id } chatSession(id: $id) { id } room(id: $id) { id } user(id: $id) { id }
    visitor(by: { id: $id }) { id } node(id: $id) { id __typename } nodes(ids: [$id, $id]) { id } }";

async fn assert_nothing_by(client: &Client, ids: &[String]) {
    let nothing = json!({
        "chat": null, "chatSession": null, "room": null, "user": null,
        "visitor": null, "node": null, "nodes": [null, null]
    });
    for id in ids {
        assert_eq!(client.query(BY_ID, json!({ "id": id })).await, nothing, "{id}");
    }
}

async fn queries_do_not_find_another_organizations_things(engine: Engine) {
    let app = TestApp::quiet(engine).await;
    let (own, their) = (Scene::new(&app, "clinic").await, Scene::new(&app, "hospital").await);
    for (name, text) in sdl::fields("Query") {
        if text.contains(": ID") || text.contains(": [ID") {
            assert!(BY_ID.contains(&format!("{name}(id")), "{name} is never tried with another's id");
        }
    }
    let mut ids = all_ids(&their);
    let viewer = their.olga.query("{ viewer { id } }", json!({})).await;
    ids.push(viewer["viewer"]["id"].as_str().unwrap().to_owned());
    for client in [&own.admin.client, &own.olga.client, &own.vera.client, &own.program] {
        assert_nothing_by(client, &ids).await;
        let by_name = "{ visitor(by: { externalId: \"vera-hospital\" }) { id } }";
        assert_eq!(client.query(by_name, json!({})).await, json!({ "visitor": null }));
    }
    app.stop().await;
}

async fn queries_do_not_find_others_chats(engine: Engine) {
    let app = TestApp::quiet(engine).await;
    let scene = Scene::new(&app, "clinic").await;
    for (kind, place) in scene.places() {
        assert_nothing_by(&scene.victor, &ids_of(place)).await;
        if kind != "public" {
            assert_nothing_by(&scene.otto, &ids_of(place)).await;
            assert_nothing_by(&scene.program, &ids_of(place)).await;
        }
    }
    // A visitor finds no other visitor either.
    assert_nothing_by(&scene.victor, std::slice::from_ref(&scene.vera.id)).await;
    let by_name = "{ visitor(by: { externalId: \"vera-clinic\" }) { id } }";
    assert_eq!(scene.victor.query(by_name, json!({})).await, json!({ "visitor": null }));
    app.stop().await;
}

async fn filters_do_not_reach_into_another_organization(engine: Engine) {
    let app = TestApp::quiet(engine).await;
    let (own, their) = (Scene::new(&app, "clinic").await, Scene::new(&app, "hospital").await);
    let filters = [
        json!({ "visitorId": their.vera.id }),
        json!({ "participantIds": [own.olga.id, their.olga.id] }),
        json!({ "presentUserId": their.olga.id }),
        json!({ "roomIds": [their.room] }),
        json!({ "sinceId": their.public.chat }),
    ];
    for field in sdl::id_fields("ChatFilter") {
        assert!(
            filters.iter().any(|filter| filter.get(&field).is_some()),
            "ChatFilter.{field} is never tried"
        );
    }
    let lists = "query($filter: ChatFilter, $room: ID!, $user: ID!, $visitor: ID!) {
        organization { chats(filter: $filter) { totalCount } } viewer { inbox(filter: $filter) { totalCount } }
        room(id: $room) { chats(filter: $filter) { totalCount } }
        user(id: $user) { chats(filter: $filter) { totalCount } }
        visitor(by: { id: $visitor }) { chats(filter: $filter) { totalCount } } }";
    let empty = json!({ "totalCount": 0 });
    for filter in &filters {
        let variables =
            json!({ "filter": filter, "room": own.room, "user": own.olga.id, "visitor": own.vera.id });
        let found = own.admin.query(lists, variables).await;
        assert_eq!(found["organization"]["chats"], empty, "{filter}");
        assert_eq!(found["viewer"]["inbox"], empty, "{filter}");
        for place in ["room", "user", "visitor"] {
            assert_eq!(found[place]["chats"], empty, "{place} {filter}");
        }
    }
    let sessions =
        "query($filter: ChatSessionFilter) { organization { chatSessions(filter: $filter) { totalCount } } }";
    for (field, ids) in
        [("chatId", json!(their.public.chat)), ("participantIds", json!([own.olga.id, their.olga.id]))]
    {
        assert!(sdl::id_fields("ChatSessionFilter").contains(&field.to_owned()));
        let found = own.admin.query(sessions, json!({ "filter": { field: ids } })).await;
        assert_eq!(found["organization"]["chatSessions"], empty, "{field}");
    }
    assert_eq!(sdl::id_fields("ChatSessionFilter").len(), 2);
    // A message of another chat is no place in this one.
    let around = "query($chat: ID!, $message: ID!) { chat(id: $chat) { messages(around: $message, first: 5) {
        nodes { id } pageInfo { hasNextPage hasPreviousPage } } } }";
    for message in [&their.public.message, &own.private.message] {
        let found = own.admin.query(around, json!({ "chat": own.public.chat, "message": message })).await;
        assert_eq!(found["chat"]["messages"]["nodes"], json!([]));
    }
    app.stop().await;
}

/// Subscriptions with an id that is not the viewer's.
fn subscriptions(place: &Place) -> Vec<(&'static str, Value)> {
    vec![
        ("subscription($id: ID!) { chatEvents(chatId: $id) { at } }", json!({ "id": place.chat })),
        ("subscription($id: ID!) { messageAdded(chatId: $id) { cursor } }", json!({ "id": place.chat })),
        ("subscription($id: ID!) { presenceChanged(chatId: $id) { at } }", json!({ "id": place.chat })),
        (
            "subscription($id: ID!) { chatSessionChanged(chatSessionId: $id) { at } }",
            json!({ "id": place.session }),
        ),
    ]
}

async fn assert_none_follows(app: &TestApp, client: &Client, cases: &[(&str, Value)]) {
    let mut socket = Socket::connect(&app.url, &client.token).await;
    for (query, variables) in cases {
        socket.subscribe("s", query, variables.clone(), None).await;
        let refused = socket.receive().await;
        assert_eq!(refused["type"], "error", "{query} {variables}: {refused:#}");
        assert_eq!(
            refused["payload"][0]["extensions"]["code"], "NOT_FOUND",
            "{query} {variables}: {refused:#}"
        );
    }
}

async fn subscriptions_are_isolated(engine: Engine) {
    let app = TestApp::quiet(engine).await;
    let (own, their) = (Scene::new(&app, "clinic").await, Scene::new(&app, "hospital").await);
    let stored = Stored::of(&app).await;
    let before = stored.tables().await;
    let place = "subscription($in: ChatScope!) { chatChanged(in: $in) { at } }";
    let rooms = "subscription($ids: [ID!]) { viewerEvents(roomIds: $ids) { at } }";
    let mut cases = subscriptions(&their.public);
    cases.extend([
        (place, json!({ "in": { "roomId": their.room } })),
        (place, json!({ "in": { "visitorId": their.vera.id } })),
        (place, json!({ "in": { "userId": their.olga.id } })),
        (place, json!({ "in": { "presentUserId": their.olga.id } })),
        (rooms, json!({ "ids": [own.room, their.room] })),
        ("subscription($id: ID!) { roomChanged(roomId: $id) { at } }", json!({ "id": their.room })),
    ]);
    for name in sdl::fields("Subscription").keys() {
        assert!(cases.iter().any(|(query, _)| query.contains(&format!(" {name}("))), "{name} is never tried");
    }
    for field in sdl::fields("ChatScope").keys() {
        assert!(cases.iter().any(|(_, variables)| variables["in"].get(field).is_some()), "{field}");
    }
    for client in [&own.admin.client, &own.olga.client, &own.vera.client] {
        assert_none_follows(&app, client, &cases).await;
    }
    for (kind, place) in own.places() {
        assert_none_follows(&app, &own.victor, &subscriptions(place)).await;
        if kind != "public" {
            assert_none_follows(&app, &own.otto, &subscriptions(place)).await;
        }
    }
    assert_none_follows(&app, &own.victor, &[(place, json!({ "in": { "visitorId": own.vera.id } }))]).await;
    assert_unchanged(&before, &stored.tables().await, "subscriptions");
    app.stop().await;
}
