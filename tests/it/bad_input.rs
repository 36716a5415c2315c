//! Invalid input is refused with the right code and field, and nothing is stored: every field of every
//! mutation in `schema.graphql`. Values at a limit are accepted.

mod attachments;
mod lists;

use crate::harness::calls::{Call, calls, outcome};
use crate::harness::client::Client;
use crate::harness::scene::Scene;
use crate::harness::sdl;
use crate::harness::stored::{Stored, Tables, assert_unchanged, twin};
use crate::harness::world::{Person, text};
use crate::harness::{Engine, TestApp};
use crate::on_both;
use anteroom::domain::limits;
use lists::{
    attributes, long_url, products, spoilt_attributes, spoilt_origins, spoilt_pages, spoilt_products,
};
use serde_json::{Value, json};

on_both!(
    invalid_field_values_are_rejected,
    texts_at_their_limit_are_accepted,
    lists_at_their_limit_are_accepted,
    contradictory_arguments_are_rejected,
    ended_objects_reject_changes,
);

/// A spoilt call, and what must come of it.
type Case = (Call, String);

/// The rule for a text.
struct Rule {
    limit: usize,
    /// Values within the limit that are refused.
    refused: &'static [&'static str],
}

const NAMES: &[&str] = &["", " ", "\u{3000}\t", "a\nb", "a\0b", "a\u{7f}", "\u{85}"];
const IDS: &[&str] = &["", "a\nb", "a\0b"];
const TAGS: &[&str] = &["", " ", "\u{3000}\t", "a\nb", "a\0b", "a\u{7f}"];
const NOTES: &[&str] = &["a\0b", "a\u{1b}[0m", "\u{9f}"];
const URLS: &[&str] =
    &["", "example.org", "http://example.org/", "https://127.0.0.1/", "https://x.org/#y", "a\nb"];
const HEADERS: &[&str] = &["", " ", "a b", "a\nb", "a\tb", "\u{e4}", "a\u{7f}"];
const TOKENS: &[&str] = &["", "a b", "nonsense", "a.b.c", "rt_", "eyJhbGciOiJub25lIn0.e30."];
const MEDIA_TYPES: &[&str] = &["", " ", "png", "image/", "/png", "image/p ng", "image/png\n", "\u{e4}/b"];
const EMOJIS: &[&str] = &["", "a", "👍👍", "👍 ", "1", "\u{200d}"];
const TEXTS: &[&str] = &["", "a\0b", "a\u{8}b", "\u{9f}"];

/// The rule of a field, whichever input it is in. A new field needs an answer here.
fn rule(field: &str) -> Rule {
    let (limit, refused) = match field {
        "name" | "customName" | "publicName" | "displayName" | "title" | "callRoom" => (limits::NAME, NAMES),
        "apiClientName" => (limits::EXTERNAL_ID, NAMES),
        "externalId" | "requestId" => (limits::EXTERNAL_ID, IDS),
        "tags" => (limits::TAG, TAGS),
        "description" | "customDescription" => (limits::DETAIL, NOTES),
        "reason" => (limits::REASON, NOTES),
        "text" | "message" => (limits::TEXT, TEXTS),
        "mediaType" => (limits::MEDIA_TYPE, MEDIA_TYPES),
        "url" => (limits::WEBHOOK_URL, URLS),
        "refreshToken" | "identityToken" => (limits::SECRET_TOKEN, TOKENS),
        "emoji" => (limits::EMOJI, EMOJIS),
        "apiKey" | "apiSecret" => (limits::WEBHOOK_KEY, HEADERS),
        other => panic!("how long may {other} be?"),
    };
    Rule { limit, refused }
}

/// The smallest and the largest number that a field takes.
fn range(field: &str) -> (i64, i64) {
    match field {
        "editWindowMinutes" => (limits::EDIT_WINDOW_MINUTES.0.into(), limits::EDIT_WINDOW_MINUTES.2.into()),
        "resumeWindowMinutes" => (0, limits::RESUME_MINUTES.2.into()),
        "endAfterIdleMinutes" => (0, limits::IDLE_MINUTES.1.into()),
        "size" => (1, i64::from(i32::MAX)),
        "throughSequence" => (0, i64::from(i32::MAX)),
        "ringSeconds" => (limits::RING_SECONDS.0.into(), limits::RING_SECONDS.2.into()),
        "expiresInSeconds" => (limits::TOKEN_SECONDS.0.into(), limits::TOKEN_SECONDS.2.into()),
        other => panic!("the range of {other} is unknown"),
    }
}

/// A text of this number of characters, each of more than one byte.
fn long(characters: usize) -> String {
    "ä".repeat(characters)
}

/// The longest text that a field takes, another one for each number.
fn longest(field: &str, number: usize) -> String {
    if field == "currency" {
        return "EUR".to_owned();
    }
    let limit = rule(field).limit;
    let (start, letter) = match field {
        "url" => (format!("https://hooks.example.org/{number:02}"), "x"),
        "mediaType" => (format!("application/octet-stream; x={number:02}"), "x"),
        "apiKey" | "apiSecret" => (format!("{number:02}"), "x"),
        // No emoji is as long as the limit: this is one of the longest.
        "emoji" => return "👩🏽‍❤️‍💋‍👨🏿".to_owned(),
        _ => (format!("{number:02}"), "ä"),
    };
    format!("{start}{}", letter.repeat(limit - start.len()))
}

/// Every way to spoil a field of a call.
fn spoilt(scene: &Scene, call: &Call, field: &str, kind: &str) -> Vec<Case> {
    let case = |value: Value, outcome: &str| (call.with(field, value), outcome.to_owned());
    let blamed = |value: Value, code: &str| case(value, &format!("{code} {field}"));
    let bad = "BAD_USER_INPUT";
    let mut cases = vec![case(json!({ "no": "such" }), bad), case(json!([[]]), bad)];
    if kind.trim_end().ends_with('!') {
        cases.push(case(Value::Null, bad));
    }
    let kind = kind.split(" = ").next().unwrap_or_default();
    match kind.trim_start_matches('[').trim_end_matches([']', '!', ' ']) {
        "String" if field == "tags" => {
            let rule = rule(field);
            cases.push(blamed(json!([long(rule.limit + 1)]), "TOO_LONG"));
            cases.extend(rule.refused.iter().map(|value| blamed(json!(["fine", value]), "INVALID")));
            let many = (0..=limits::TAGS).map(|number| number.to_string()).collect::<Vec<_>>();
            cases.push(blamed(json!(many), "TOO_MANY"));
            cases.push(case(json!([7]), bad));
        }
        "String" if kind.starts_with('[') => cases.extend(spoilt_origins(call, field)),
        "String" if field == "currency" => {
            let none = ["", "eur", "EURO", "E1R", "€"];
            cases.extend(none.map(|code| blamed(json!(code), "INVALID")));
        }
        "String" => {
            let rule = rule(field);
            cases.push(blamed(json!(long(rule.limit + 1)), "TOO_LONG"));
            cases.extend(rule.refused.iter().map(|value| blamed(json!(value), "INVALID")));
            if field == "mediaType" {
                cases.push(blamed(json!("text/html"), "UNSUPPORTED_MEDIA"));
            }
            cases.push(case(json!(7), bad));
        }
        "Int" => {
            let (least, most) = range(field);
            cases.push(blamed(json!(least - 1), "INVALID"));
            let too_much = json!(most + 1);
            cases.push(if most < i64::from(i32::MAX) {
                blamed(too_much, "INVALID")
            } else {
                case(too_much, bad)
            });
            if field == "size" {
                let most = limits::FILE_BYTES;
                cases.push(blamed(json!(most + 1), "TOO_LARGE"));
            }
            cases.extend([json!(i64::MAX), json!(0.5), json!("5")].map(|value| case(value, bad)));
        }
        "ID" => cases.extend(spoilt_ids(scene, call, field)),
        "DateTime" => {
            let values = ["", "tomorrow", "2030-01-01", "2030-02-30T00:00:00Z", "9999-12-31T23:59:59-01:00"];
            cases.extend(values.map(|value| case(json!(value), bad)));
        }
        "Boolean" | "ChatSessionType" | "RoomAccess" | "UserRole" => {
            cases.extend([json!("NO_SUCH"), json!(1)].map(|value| case(value, bad)));
        }
        "TokenSubjectInput" => {
            let (otto, unknown) = (&scene.otto.id, twin(&scene.otto.id));
            cases.push(case(json!({}), bad));
            cases.push(case(json!({ "actorId": otto, "apiClientName": "x" }), bad));
            cases.push(case(json!({ "actorId": null }), bad));
            cases.push(case(json!({ "actorId": "?" }), bad));
            cases.push(case(json!({ "actorId": scene.room }), "NOT_FOUND subject"));
            cases.push(case(json!({ "actorId": unknown }), "NOT_FOUND subject"));
        }
        "CreateChatSessionInInput" => {
            let (chat, unknown) = (&scene.public.chat, twin(&scene.public.chat));
            let (otto, nobody) = (&scene.otto.id, twin(&scene.otto.id));
            let in_chat = |id: &str, people: Value| json!({ "chat": { "id": id, "participantIds": people } });
            cases.push(case(json!({}), bad));
            cases.push(case(json!({ "chat": { "id": chat }, "participantIds": [otto] }), bad));
            cases.push(case(json!({ "chat": null }), bad));
            cases.push(case(json!({ "chat": {} }), bad));
            cases.push(case(json!({ "chat": { "id": "?" } }), bad));
            cases.push(case(json!({ "participantIds": null }), bad));
            cases.push(case(json!({ "participantIds": ["?"] }), bad));
            cases.push(case(json!({ "participantIds": [] }), "INVALID in"));
            cases.push(case(json!({ "participantIds": [scene.room] }), "NOT_FOUND in"));
            cases.push(case(json!({ "participantIds": [nobody] }), "NOT_FOUND in"));
            cases.push(case(json!({ "chat": { "id": scene.room } }), "NOT_FOUND in"));
            cases.push(case(json!({ "chat": { "id": unknown } }), "NOT_FOUND in"));
            cases.push(case(in_chat(chat, json!([])), "INVALID in"));
            cases.push(case(in_chat(chat, json!([nobody])), "NOT_FOUND in"));
        }
        "WebPageInput" => cases.extend(spoilt_pages(call, field)),
        "WebhookEvent" => {
            cases.push(blamed(json!([]), "INVALID"));
            cases.extend([json!(["NO_SUCH"]), json!(["CHAT_ENDED", null])].map(|value| case(value, bad)));
        }
        "LinkInput" => cases.extend(attachments::spoilt_links(call)),
        "ContactInput" => cases.extend(attachments::spoilt_contacts(scene, call)),
        "ShoppingCartProductInput" => cases.extend(spoilt_products(call)),
        "AttributeInput" => cases.extend(spoilt_attributes(call)),
        other => panic!("no invalid values for {other}"),
    }
    cases
}

/// An id that is none, that names nothing, and that names something else.
fn spoilt_ids(scene: &Scene, call: &Call, field: &str) -> Vec<Case> {
    let is_list = call.input[field].is_array();
    let valid = if is_list { text(&call.input[field][0]) } else { text(&call.input[field]) };
    let value = |id: &str| if is_list { json!([valid, id]) } else { json!(id) };
    let none = ["", " ", "?", "Q2hhdDox", "AAAAAAAAAAAAAAAAAAAAAAA", &format!("{valid}A"), &valid[1..]];
    let mut cases: Vec<_> =
        none.into_iter().map(|id| (call.with(field, value(id)), "BAD_USER_INPUT".to_owned())).collect();
    let is_actor = ["participantIds", "participantId", "ownerId", "senderId", "actorId"].contains(&field);
    let of_all_types =
        [&scene.organization, &scene.room, &scene.otto.id, &scene.victor.id, &scene.public.chat]
            .into_iter()
            .chain([&scene.public.message, &scene.public.session])
            .chain([&scene.public.presence, &scene.public.participation]);
    let kind = |id: &str| id[..2].to_owned();
    for id in of_all_types {
        let is_fine =
            kind(id) == kind(&valid) || is_actor && [&scene.otto.id, &scene.victor.id].contains(&id);
        if !is_fine {
            cases.push((call.with(field, value(id)), format!("NOT_FOUND {field}")));
        }
    }
    let unknown = if field == "ownerId" { "INVALID" } else { "NOT_FOUND" };
    cases.push((call.with(field, value(&twin(&valid))), format!("{unknown} {field}")));
    cases
}

async fn assert_outcome((call, expected): &Case) {
    let shown = call.input.to_string().chars().take(300).collect::<String>();
    assert_eq!(call.outcome().await, *expected, "{} {shown}", call.name);
}

async fn invalid_field_values_are_rejected(engine: Engine) {
    let app = TestApp::quiet(engine).await;
    let scene = Scene::new(&app, "clinic").await;
    let stored = Stored::of(&app).await;
    for call in calls(&scene) {
        let before = stored.tables().await;
        // Given a call that would be accepted, when one of its fields is spoilt,
        for (field, text) in sdl::fields(&sdl::input_of(call.name)) {
            let kind = text.split_once(": ").expect("a type").1;
            if call.input.get(&field).is_some() {
                for case in spoilt(&scene, &call, &field, kind) {
                    assert_outcome(&case).await;
                }
            }
        }
        assert_outcome(&(call.with("noSuchField", json!(1)), "BAD_USER_INPUT".to_owned())).await;
        let nothing = Call { input: Value::Null, ..call.clone() };
        assert_outcome(&(nothing, "BAD_USER_INPUT".to_owned())).await;
        // then nothing is stored,
        assert_unchanged(&before, &stored.tables().await, call.name);
        // and unspoilt it is still accepted.
        assert_outcome(&(call, "done".to_owned())).await;
    }
    app.stop().await;
}

async fn texts_at_their_limit_are_accepted(engine: Engine) {
    let app = TestApp::quiet(engine).await;
    let scene = Scene::new(&app, "clinic").await;
    for (number, mut call) in calls(&scene).into_iter().enumerate() {
        for (field, text) in sdl::fields(&sdl::input_of(call.name)) {
            // What was given cannot be as long as one likes.
            let is_given = ["refreshToken", "identityToken"].contains(&field.as_str())
                || (call.name == "revokeTokens" && field == "apiClientName");
            if text.contains(": String") && call.input.get(&field).is_some() && !is_given {
                call.input[&field] = json!(longest(&field, number));
            }
        }
        if call.input.get("page").is_some() {
            let page = json!({ "url": long_url(limits::PAGE_URL), "title": long(limits::NAME) });
            call.input["page"] = page;
        }
        if call.name == "upsertVisitor" {
            let longest = json!([{ "name": long(limits::NAME), "value": long(limits::DETAIL) }]);
            call.input["attributes"] = longest;
        }
        if call.name == "createUser" || call.name == "sendMessage" {
            // A retry under the longest id is recognised too.
            assert_outcome(&(call.clone(), "done".to_owned())).await;
            let again = if call.name == "createUser" { "CONFLICT externalId" } else { "done" };
            assert_outcome(&(call, again.to_owned())).await;
        } else {
            assert_outcome(&(call, "done".to_owned())).await;
        }
    }
    app.stop().await;
}

async fn lists_at_their_limit_are_accepted(engine: Engine) {
    let app = TestApp::quiet(engine).await;
    let scene = Scene::new(&app, "clinic").await;
    let visitor = |count| json!({ "externalId": "v", "attributes": attributes(count) });
    scene.admin.done("upsertVisitor", "", visitor(limits::ATTRIBUTES)).await;
    let many: Vec<_> = (0..limits::PRODUCTS).map(|number| number.to_string()).collect();
    let cart = json!({
        "externalId": "c", "visitorId": scene.vera.id, "currency": "EUR", "products": products(&many)
    });
    scene.admin.done("upsertShoppingCart", "", cart).await;
    // Olga is a participant of the chats that she creates, in addition to those whom she names.
    let mut ids = Vec::new();
    for number in 0..limits::PARTICIPANTS {
        let input = json!({ "externalId": format!("guest-{number}") });
        ids.push(text(&scene.admin.done("upsertVisitor", "visitor { id }", input).await["visitor"]["id"]));
    }
    let (most, more) = (&ids[1..], &ids[..]);
    let group = |ids: &[String]| json!({ "participantIds": ids });
    let chat = scene.olga.done("createGroupChat", "chat { id }", group(most)).await["chat"]["id"].clone();
    let session = |ids: &[String]| json!({ "in": { "chat": { "id": chat, "participantIds": ids } } });
    let created = scene.olga.done("createChatSession", "chatSession { id }", session(most)).await;
    let update = json!({ "chatSessionId": created["chatSession"]["id"], "participantIds": more });
    let stored = Stored::of(&app).await;
    let before = stored.tables().await;
    let too_many = [
        ("createGroupChat", group(more)),
        ("createChatSession", session(more)),
        ("createChatSession", json!({ "in": { "participantIds": more } })),
        ("updateChatSession", update),
    ];
    for (name, input) in too_many {
        let field = if name == "createChatSession" { "in" } else { "participantIds" };
        assert_eq!(outcome(&scene.olga, name, &input).await, format!("TOO_MANY {field}"), "{name}");
    }
    assert_unchanged(&before, &stored.tables().await, "too many participants");
    app.stop().await;
}

/// Asserts what comes of each, and that nothing is stored.
async fn assert_refused(stored: &Stored, cases: Vec<(&Client, &str, Value, &str)>) {
    let before: Tables = stored.tables().await;
    for (by, name, input, expected) in cases {
        assert_eq!(outcome(by, name, &input).await, expected, "{name} {input}");
        assert_unchanged(&before, &stored.tables().await, name);
    }
}

async fn contradictory_arguments_are_rejected(engine: Engine) {
    let app = TestApp::quiet(engine).await;
    let scene = Scene::new(&app, "clinic").await;
    let Scene { admin, olga, odile, vera, victor, program, room, .. } = &scene;
    let (public, direct, group) = (&scene.public, &scene.direct, &scene.group);
    let ids = |people: &[&Person]| people.iter().map(|person| person.id.clone()).collect::<Vec<_>>();
    let owned = json!({ "participantIds": ids(&[odile]), "ownerId": vera.id });
    let cases = vec![
        (&**admin, "issueToken", json!({}), "BAD_USER_INPUT"),
        (admin, "revokeTokens", json!({}), "BAD_USER_INPUT"),
        (admin, "revokeTokens", json!({ "actorId": vera.id, "apiClientName": "x" }), "BAD_USER_INPUT"),
        (admin, "revokeTokens", json!({ "apiClientName": "nobody" }), "NOT_FOUND apiClientName"),
        (&scene.guests[0], "renewToken", json!({}), "INVALID refreshToken"),
        (
            &scene.guests[0],
            "renewToken",
            json!({ "refreshToken": scene.guests[1].refresh_token }),
            "INVALID refreshToken",
        ),
        (
            admin,
            "issueToken",
            json!({ "subject": { "actorId": vera.id, "apiClientName": "x" } }),
            "BAD_USER_INPUT",
        ),
        (olga, "startChat", json!({ "roomId": room }), "INVALID visitorId"),
        (program, "startChat", json!({ "roomId": room }), "INVALID visitorId"),
        (vera, "startChat", json!({ "roomId": room, "visitorId": victor.id }), "NOT_FOUND visitorId"),
        (olga, "createDirectChat", json!({ "participantId": olga.id }), "INVALID participantId"),
        (olga, "createGroupChat", owned, "INVALID ownerId"),
        (olga, "updateChat", json!({ "chatId": direct.chat, "isPrivate": true }), "INVALID isPrivate"),
        (olga, "updateChat", json!({ "chatId": group.chat, "isPrivate": true }), "INVALID isPrivate"),
        (olga, "endChat", json!({ "chatId": direct.chat }), "INVALID chatId"),
        (odile, "endChat", json!({ "chatId": group.chat }), "INVALID chatId"),
        (olga, "createChatSession", json!({ "in": { "participantIds": [] } }), "INVALID in"),
        (olga, "createChatSession", json!({ "in": { "participantIds": [olga.id] } }), "INVALID in"),
        (
            olga,
            "createChatSession",
            json!({ "in": { "chat": { "id": public.chat, "participantIds": [] } } }),
            "INVALID in",
        ),
        (
            olga,
            "updateChatSession",
            json!({ "chatSessionId": public.session, "participantIds": [olga.id] }),
            "INVALID participantIds",
        ),
        (vera, "createChatSession", json!({ "in": { "participantIds": [olga.id] } }), "INVALID in"),
        (program, "sendMessage", json!({ "chatId": public.chat, "text": "x" }), "INVALID senderId"),
        (olga, "sendMessage", json!({ "chatId": public.chat }), "INVALID text"),
        (
            olga,
            "sendMessage",
            json!({ "chatId": public.chat, "links": [], "attachmentIds": [] }),
            "INVALID text",
        ),
        (
            admin,
            "sendMessage",
            json!({ "chatId": public.chat, "text": "x", "senderId": victor.id }),
            "NOT_FOUND senderId",
        ),
        (
            admin,
            "sendMessage",
            json!({ "chatId": direct.chat, "text": "x", "senderId": vera.id }),
            "NOT_FOUND senderId",
        ),
        (admin, "updateUser", json!({ "userId": admin.id, "role": "OPERATOR" }), "INVALID role"),
        (admin, "updateUser", json!({ "userId": admin.id, "isActive": false }), "INVALID isActive"),
        (odile, "joinChat", json!({ "chatId": public.chat, "exclusive": true }), "CHAT_TAKEN"),
        (odile, "keepPresence", json!({ "chatId": public.chat }), "NOT_PRESENT"),
        (
            odile,
            "markRead",
            json!({ "chatId": public.chat, "throughSequence": -1 }),
            "INVALID throughSequence",
        ),
        (vera, "acceptChatSession", json!({ "chatSessionId": public.session }), "INVALID_TRANSITION"),
        (olga, "acceptChatSession", json!({ "chatSessionId": public.session }), "INVALID_TRANSITION"),
        (olga, "rejectChatSession", json!({ "chatSessionId": public.session }), "INVALID_TRANSITION"),
        (odile, "startChatSession", json!({ "chatSessionId": public.session }), "NOT_PARTICIPANT"),
    ];
    assert_refused(&Stored::of(&app).await, cases).await;
    // A user is no visitor, although their ids differ in one letter alone.
    let forged = forged(&vera.id, &olga.id);
    let input = json!({ "userId": forged, "name": "x" });
    let refused = admin.mutate("updateUser", "user { id name }", input).await;
    assert_eq!((&refused["userErrors"][0]["code"], &refused["user"]), (&json!("NOT_FOUND"), &Value::Null));
    app.stop().await;
}

/// The id of one thing, with the type of another.
fn forged(id: &str, of_type: &str) -> String {
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let (mut bytes, other) = (URL_SAFE_NO_PAD.decode(id).unwrap(), URL_SAFE_NO_PAD.decode(of_type).unwrap());
    bytes[0] = other[0];
    URL_SAFE_NO_PAD.encode(bytes)
}

async fn ended_objects_reject_changes(engine: Engine) {
    let app = TestApp::quiet(engine).await;
    let scene = Scene::new(&app, "clinic").await;
    let Scene { admin, olga, vera, group, .. } = &scene;
    let public = &scene.public;
    let sent = json!({ "chatId": public.chat, "text": "Bye", "externalId": "last" });
    vera.done("sendMessage", "", sent.clone()).await;
    olga.done("endChat", "", json!({ "chatId": public.chat })).await;
    olga.done("finishChatSession", "", json!({ "chatSessionId": group.session })).await;
    admin.done("updateUser", "", json!({ "userId": scene.otto.id, "isActive": false })).await;
    let chat = |more: Value| merged(json!({ "chatId": public.chat }), more);
    let session = |more: Value| merged(json!({ "chatSessionId": group.session }), more);
    let cases = vec![
        (&**vera, "sendMessage", chat(json!({ "text": "x" })), "CHAT_ENDED"),
        (admin, "sendMessage", chat(json!({ "text": "x", "senderId": vera.id })), "CHAT_ENDED"),
        (vera, "sendMessage", chat(json!({ "text": "x", "externalId": "last" })), "CONFLICT externalId"),
        (vera, "sendMessage", sent, "done"),
        (
            vera,
            "createUpload",
            chat(json!({ "name": "a", "mediaType": "text/plain", "size": 1 })),
            "CHAT_ENDED",
        ),
        (olga, "joinChat", chat(json!({})), "CHAT_ENDED"),
        (olga, "keepPresence", chat(json!({})), "NOT_PRESENT"),
        (olga, "leaveChat", chat(json!({})), "done"),
        (olga, "setTyping", chat(json!({ "isTyping": true })), "CHAT_ENDED"),
        (olga, "createChatSession", json!({ "in": { "chat": { "id": public.chat } } }), "CHAT_ENDED"),
        (olga, "endChat", chat(json!({})), "done"),
        (olga, "updateChatSession", json!({ "chatSessionId": public.session, "title": "x" }), "CHAT_ENDED"),
        (olga, "startChatSession", json!({ "chatSessionId": public.session }), "INVALID_TRANSITION"),
        (olga, "startChatSession", session(json!({})), "INVALID_TRANSITION"),
        (vera, "acceptChatSession", session(json!({})), "INVALID_TRANSITION"),
        (vera, "rejectChatSession", session(json!({})), "INVALID_TRANSITION"),
        (vera, "finishChatSession", session(json!({})), "done"),
        (olga, "updateChatSession", session(json!({ "title": "x" })), "INVALID chatSessionId"),
        (admin, "issueToken", json!({ "subject": { "actorId": scene.otto.id } }), "NOT_FOUND subject"),
        (olga, "createDirectChat", json!({ "participantId": scene.otto.id }), "NOT_FOUND participantId"),
    ];
    assert_refused(&Stored::of(&app).await, cases).await;
    app.stop().await;
}

fn merged(mut input: Value, more: Value) -> Value {
    if let (Some(input), Value::Object(more)) = (input.as_object_mut(), more) {
        input.extend(more);
    }
    input
}
