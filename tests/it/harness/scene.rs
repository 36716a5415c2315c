//! An organization with one object of each type, for tests that try every operation.

use super::TestApp;
use super::client::Client;
use super::files::upload;
use super::hooks::{hook, ledger};
use super::widget::{Guest, Widget};
use super::world::{Person, operator, organization, text, visitor};
use serde_json::{Value, json};

/// The people and objects of the scene.
pub struct Scene {
    pub admin: Person,
    /// A user who participates in every chat.
    pub olga: Person,
    /// A user who participates in the chats with Olga.
    pub odile: Person,
    /// A user who participates in no chat.
    pub otto: Person,
    pub vera: Person,
    /// A visitor who participates in no chat.
    pub victor: Person,
    pub program: Client,
    pub widget: Widget,
    /// Two anonymous visitors, signed in by the widget.
    pub guests: [Guest; 2],
    pub organization: String,
    pub room: String,
    /// A room whose keys nobody signs in with.
    pub spare_room: String,
    /// A webhook for started chats, with a URL that does not exist.
    pub webhook: String,
    /// A delivery of the webhook.
    pub delivery: String,
    /// A file that the admin uploaded to Vera's public chat but has not sent.
    pub upload: String,
    /// Another such file, for a suggestion.
    pub suggested: String,
    /// A chat with Vera that every user sees.
    pub public: Place,
    /// A private chat of Vera and Olga.
    pub private: Place,
    /// The direct chat of Olga and Odile.
    pub direct: Place,
    /// The group of Olga, Odile and Vera.
    pub group: Place,
}

/// A chat and the ids of its objects.
#[derive(Clone)]
pub struct Place {
    pub chat: String,
    pub session: String,
    pub message: String,
    pub presence: String,
    pub participation: String,
}

impl Scene {
    pub async fn new(app: &TestApp, tenant: &str) -> Self {
        let (admin, room) = organization(app, tenant).await;
        let olga = operator(app, &admin, "Olga").await;
        let odile = operator(app, &admin, "Odile").await;
        let otto = operator(app, &admin, "Otto").await;
        let vera = visitor(app, &admin, &format!("vera-{tenant}")).await;
        let victor = visitor(app, &admin, &format!("victor-{tenant}")).await;
        let program = program(app, &admin).await;
        let spare_room = admin.done("createRoom", "room { id }", json!({ "name": "Spare" })).await;
        let widget = Widget::of(&admin, &room).await;
        let guests = [widget.guest(json!({})).await, widget.guest(json!({})).await];
        let answer = admin.query("{ organization { id } }", json!({})).await;
        let start =
            |is_private: bool| json!({ "roomId": room, "visitorId": vera.id, "isPrivate": is_private });
        let webhook = hook(&admin, "https://hooks.example.org/", &["CHAT_STARTED"]).await;
        let public = place(&olga, &vera, "startChat", start(false)).await;
        let private = place(&olga, &vera, "startChat", start(true)).await;
        let direct = place(&olga, &odile, "createDirectChat", json!({ "participantId": odile.id })).await;
        let both = json!({ "participantIds": [odile.id, vera.id] });
        let group = place(&olga, &vera, "createGroupChat", both).await;
        let delivery = text(&ledger(&admin, &webhook).await[0]["id"]);
        let bytes = b"Bring your card".to_vec();
        let suggested = upload(&admin, &public.chat, "offer.txt", "text/plain", bytes.clone()).await;
        let upload = upload(&admin, &public.chat, "card.txt", "text/plain", bytes).await;
        Self {
            upload,
            suggested,
            webhook: webhook.id,
            delivery,
            organization: text(&answer["organization"]["id"]),
            admin,
            olga,
            odile,
            otto,
            vera,
            victor,
            program,
            widget,
            guests,
            room,
            spare_room: text(&spare_room["room"]["id"]),
            public,
            private,
            direct,
            group,
        }
    }

    /// Every chat with its name.
    pub fn places(&self) -> [(&'static str, &Place); 4] {
        [
            ("public", &self.public),
            ("private", &self.private),
            ("direct", &self.direct),
            ("group", &self.group),
        ]
    }
}

/// A client with the token of an API client.
pub async fn program(app: &TestApp, admin: &Person) -> Client {
    let input = json!({ "subject": { "apiClientName": "records" }, "expiresInSeconds": 86_400 });
    let issued = admin.done("issueToken", "token", input).await;
    Client::new(&app.url, &text(&issued["token"]))
}

async fn place(owner: &Person, other: &Person, make: &str, input: Value) -> Place {
    let made = owner.done(make, "chat { id }", input).await;
    let chat = text(&made["chat"]["id"]);
    let joined = owner.done("joinChat", "presence { id }", json!({ "chatId": chat })).await;
    let input = json!({ "chatId": chat, "text": "Good morning" });
    let sent = other.done("sendMessage", "messageEdge { cursor node { id } }", input).await;
    let input = json!({ "in": { "chat": { "id": chat, "participantIds": [other.id] } } });
    let created = owner
        .done("createChatSession", "chatSession { id } chat { viewerParticipation { id } }", input)
        .await;
    Place {
        session: text(&created["chatSession"]["id"]),
        message: text(&sent["messageEdge"]["node"]["id"]),
        presence: text(&joined["presence"]["id"]),
        participation: text(&created["chat"]["viewerParticipation"]["id"]),
        chat,
    }
}
