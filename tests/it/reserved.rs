//! Reserved fields: for callers who cannot read one, it is null without an error. The description of each field is the
//! one place that names its readers, and no field is null for some callers without saying so.

use crate::harness::client::{Client, error_code};
use crate::harness::files::upload;
use crate::harness::scene::Scene;
use crate::harness::stored::Stored;
use crate::harness::world::text;
use crate::harness::{Engine, TestApp, sdl};
use crate::on_both;
use entity::{ActorId, actor};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde_json::{Value, json};

on_both!(reserved_fields_are_null_for_others_without_an_error);

const STAFF: &[&str] = &["admin", "olga", "otto", "program"];

/// What a description says of a field's readers, and who they are. In every object below, Olga is the user or the actor,
/// and Vera the visitor.
const READERS: &[(&str, &[&str])] = &[
    ("for visitors.", STAFF),
    ("for other visitors.", &["admin", "olga", "otto", "program", "vera"]),
    ("Null unless the viewer is staff.", STAFF),
    ("Null unless the viewer is staff; ", STAFF),
    ("Null unless the viewer is staff or the sender.", STAFF),
    ("Null unless the viewer is an admin.", &["admin"]),
    ("Null unless the viewer is this user or an admin.", &["admin", "olga"]),
    ("Null unless the viewer is the actor or an admin.", &["admin", "olga"]),
    ("Null unless the viewer is a participant of the session.", &["olga", "vera"]),
    ("Null for everybody else.", &["olga"]),
];

/// Fields that are about the viewer, or about what the viewer can see: each viewer has a value of their own.
const OF_VIEWER: &[&str] = &[
    // A visitor sees the public name, and nobody sees a name that is not there.
    "Message.senderName",
    // Visitors learn of the sessions that they are called to.
    "Chat.openChatSession",
    "Chat.viewerParticipation",
];

/// Types that only admins see at all.
const OF_ADMINS: &[&str] = &["Webhook", "WebhookDelivery"];

/// A field that can be null, with the selection that asks for it, and its readers where it is reserved.
struct Field {
    name: String,
    selection: String,
    readers: Option<&'static [&'static str]>,
}

/// The readers of a field, by its description.
fn readers(description: &str) -> Option<&'static [&'static str]> {
    let words: Vec<_> = description.split_whitespace().collect();
    let description = words.join(" ");
    READERS.iter().find(|(phrase, _)| description.contains(phrase)).map(|(_, readers)| *readers)
}

/// The fields of a type that can be null.
fn nullable_fields(of: &str) -> Vec<Field> {
    let descriptions = sdl::descriptions(of);
    let fields = sdl::fields(of).into_iter().filter_map(|(name, text)| {
        let text = text.trim();
        let readers = readers(&descriptions[&name]);
        if text.ends_with('!') {
            assert!(readers.is_none(), "{of}.{name} is reserved, and never null");
            return None;
        }
        let kind = text.rsplit(": ").next().unwrap_or_default().trim_matches(['[', ']', '!', ' ']);
        let is_leaf = sdl::is_leaf(kind);
        let arguments = if name == "searchMessages" { "(query: \"morning\")" } else { "" };
        let selection = format!("{name}{arguments}{}", if is_leaf { "" } else { " { __typename }" });
        Some(Field { name, selection, readers })
    });
    fields.collect()
}

/// An object of each type, and the way to it: a document with a place for a selection, and where its answer has it.
fn objects(
    scene: &Scene,
    chat: &str,
    message: &str,
    file: &str,
    cart: &Value,
) -> Vec<(&'static str, String, String)> {
    let node = |of: &'static str, id: &str| {
        (of, format!("{{ node(id: \"{id}\") {{ ... on {of} {{ SELECTION }} }} }}"), "/node".to_owned())
    };
    let attachment = |of: &'static str| {
        let document = format!(
            "{{ node(id: \"{message}\") {{ ... on Message {{ attachments {{ ... on {of} {{ SELECTION }} }} }} }} }}"
        );
        let at = if of == "LinkAttachment" { 1 } else { 2 };
        (of, document, format!("/node/attachments/{at}"))
    };
    vec![
        node("Organization", &scene.organization),
        node("Room", &scene.room),
        node("User", &scene.olga.id),
        (
            "Visitor",
            format!(
                "{{ chat(id: \"{chat}\") {{ messages(first: 1, types: [MESSAGE]) {{ nodes {{ sender {{
                    ... on Visitor {{ SELECTION }} }} }} }} }} }}"
            ),
            "/chat/messages/nodes/0/sender".to_owned(),
        ),
        node("Chat", chat),
        node("Message", message),
        node("Presence", &scene.group.presence),
        node("Participation", &scene.group.participation),
        node("ChatSession", &scene.public.session),
        node("FileAttachment", file),
        attachment("LinkAttachment"),
        attachment("ContactAttachment"),
        node("ShoppingCart", &text(&cart["id"])),
        node("ShoppingCartProduct", &text(&cart["products"][0]["id"])),
        node("Webhook", &scene.webhook),
        node("WebhookDelivery", &scene.delivery),
    ]
}

/// Gives a user an id in the organization's own systems, which is otherwise given when they are created.
async fn name_outside(app: &TestApp, id: &str, external_id: &str) {
    let id = ActorId(anteroom::graphql::actor_of_id(id).expect("a user"));
    let users = actor::Entity::update_many()
        .col_expr(actor::Column::ExternalId, Expr::value(external_id))
        .filter(actor::Column::Id.eq(id));
    users.exec(&Stored::of(app).await.0).await.expect("a named user");
}

async fn reserved_fields_are_null_for_others_without_an_error(engine: Engine) {
    let app = TestApp::quiet(engine).await;
    let scene = Scene::new(&app, "clinic").await;
    let Scene { admin, olga, otto, vera, victor, group, public, .. } = &scene;
    let chat = &group.chat;
    olga.done("addParticipants", "", json!({ "chatId": chat, "participantIds": [victor.id] })).await;
    name_outside(&app, &olga.id, "olga-1").await;
    let page = json!({ "url": "https://clinic.example.org/" });
    let input = json!({ "chatId": public.chat, "text": "Good morning", "page": page });
    vera.done("sendMessage", "", input).await;
    let own = json!({ "chatId": chat, "customName": "Mine", "customDescription": "For me" });
    olga.done("updateParticipation", "", own).await;
    let file = upload(olga, chat, "card.txt", "text/plain", b"Bring your card".to_vec()).await;
    let input = json!({
        "chatId": chat, "text": "Good morning", "attachmentIds": [file],
        "links": [{ "url": "https://example.org/" }], "contacts": [{ "actorId": olga.id }]
    });
    let sent = olga.done("sendMessage", "messageEdge { node { id } }", input).await;
    let message = text(&sent["messageEdge"]["node"]["id"]);
    let input = json!({
        "externalId": "cart", "visitorId": vera.id, "chatId": public.chat, "currency": "EUR",
        "products": [{ "externalId": "p", "name": "Pad", "price": "499.90", "quantity": 1 }]
    });
    let cart = admin.done("upsertShoppingCart", "shoppingCart { id products { id } }", input).await;
    let people: [(&str, &Client); 6] = [
        ("admin", admin),
        ("olga", olga),
        ("otto", otto),
        ("program", &scene.program),
        ("vera", vera),
        ("victor", victor),
    ];
    let objects = objects(&scene, chat, &message, &file, &cart["shoppingCart"]);
    for of in sdl::nodes() {
        assert!(of == "Viewer" || objects.iter().any(|(name, ..)| *name == of), "{of} is not walked");
    }
    let mut broken = Vec::new();
    for (of, document, place) in &objects {
        let fields = nullable_fields(of);
        let selection: Vec<_> = fields.iter().map(|field| field.selection.clone()).collect();
        let document = document.replace("SELECTION", &format!("__typename {}", selection.join(" ")));
        let mut seen = Vec::new();
        for (name, person) in people {
            let answer = person.ask(&document, json!({})).await;
            if !answer["errors"].is_null() {
                broken.push(format!("{of} for {name}: {} {answer}", error_code(&answer)));
                continue;
            }
            if let Some(object) = answer["data"].pointer(place).filter(|object| object.is_object()) {
                seen.push((name, object.clone()));
            }
        }
        assert_eq!(seen.iter().all(|(name, _)| *name == "admin"), OF_ADMINS.contains(of), "who sees {of}");
        for Field { name, readers, .. } in &fields {
            let what = format!("{of}.{name}");
            let (given, withheld): (Vec<_>, Vec<_>) =
                seen.iter().map(|(who, object)| (*who, !object[name].is_null())).partition(|(_, is)| *is);
            let names =
                |who: &[(&str, bool)]| who.iter().map(|(who, _)| (*who).to_owned()).collect::<Vec<_>>();
            match readers {
                Some(readers) => {
                    let expected: Vec<_> = seen
                        .iter()
                        .filter(|(who, _)| readers.contains(who))
                        .map(|(who, _)| (*who).to_owned())
                        .collect();
                    if names(&given) != expected || given.is_empty() || withheld.is_empty() {
                        broken.push(format!("{what} is read by {:?}, not by {expected:?}", names(&given)));
                    }
                }
                None if OF_VIEWER.contains(&what.as_str()) => {}
                None if !given.is_empty() && !withheld.is_empty() => broken.push(format!(
                    "{what} is null for {:?} alone, and its description does not say so",
                    names(&withheld)
                )),
                None => {}
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
    app.stop().await;
}
