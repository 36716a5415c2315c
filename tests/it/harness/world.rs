//! An organization with people, created through the public API.

use super::client::Client;
use super::{Engine, TestApp};
use anteroom::actions::{IssueToken, NewOrganization, TokenSubject};
use anteroom::clock::Clock;
use anteroom::config::Config;
use entity::Timestamp;
use serde_json::{Value, json};
use std::time::Duration;

/// The time at which the clock of a frozen world stops.
pub const NOON: &str = "2026-11-20T12:00:00.000Z";
pub const NOON_MILLIS: i64 = 1_795_176_000_000;

/// The lifetime of people's tokens: a year, because some tests advance the clock.
pub const TOKEN_SECONDS: i32 = 31_536_000;

/// An app with an organization, a room and an admin.
pub struct World {
    pub app: TestApp,
    pub admin: Person,
    pub room: String,
}

/// A person with a client.
#[derive(Clone, Debug)]
pub struct Person {
    pub id: String,
    pub client: Client,
}

impl std::ops::Deref for Person {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}

impl World {
    pub async fn new(engine: Engine) -> Self {
        Self::on(TestApp::start(engine).await).await
    }

    /// A world at [`NOON`], until its clock is advanced.
    pub async fn frozen(engine: Engine) -> Self {
        Self::frozen_with(engine, |_| {}).await
    }

    /// The same, with the app's settings changed.
    pub async fn frozen_with(engine: Engine, change: impl FnOnce(&mut Config)) -> Self {
        let clock = Clock::frozen(Timestamp(NOON_MILLIS));
        Self::on(TestApp::start_with(engine, clock, change).await).await
    }

    pub async fn on(app: TestApp) -> Self {
        let (admin, room) = organization(&app, "clinic").await;
        Self { app, admin, room }
    }

    /// Advances the clock of a frozen world.
    pub fn pass(&self, seconds: u64) {
        self.app.clock.advance(Duration::from_secs(seconds));
    }

    pub async fn operator(&self, name: &str) -> Person {
        operator(&self.app, &self.admin, name).await
    }

    pub async fn visitor(&self, external_id: &str) -> Person {
        visitor(&self.app, &self.admin, external_id).await
    }

    /// A chat that the visitor started, without a message.
    pub async fn chat(&self, visitor: &Person) -> String {
        start_chat(visitor, &self.room).await
    }

    /// The same person with a client for another address.
    pub fn at(person: &Person, url: &str) -> Person {
        Person { id: person.id.clone(), client: Client::new(url, &person.token) }
    }
}

/// Creates another organization on the same app, and returns its admin and its room.
pub async fn organization(app: &TestApp, tenant: &str) -> (Person, String) {
    let input = NewOrganization {
        tenant_name: tenant.into(),
        instance_name: "main".into(),
        name: tenant.into(),
        admin_name: "Ada Admin".into(),
    };
    let actions = app.app.actions();
    let (organization, admin) = actions.create_organization(input).await.expect("an organization");
    let input =
        IssueToken { subject: TokenSubject::Actor(admin.id), expires_in_seconds: Some(TOKEN_SECONDS) };
    let (_, issued) = actions.mint_token(organization.id, input).await.expect("a token");
    let client = Client::new(&app.url, &issued.token);
    let viewer = client.query("{ viewer { user { id } } }", json!({})).await;
    let admin = Person { id: text(&viewer["viewer"]["user"]["id"]), client };
    let created = admin.done("createRoom", "room { id }", json!({ "name": "Reception" })).await;
    (admin, text(&created["room"]["id"]))
}

pub async fn operator(app: &TestApp, admin: &Person, name: &str) -> Person {
    let input = json!({ "name": name, "publicName": format!("{name} in public"), "role": "OPERATOR" });
    let created = admin.done("createUser", "user { id }", input).await;
    person(app, admin, &text(&created["user"]["id"])).await
}

pub async fn visitor(app: &TestApp, admin: &Person, external_id: &str) -> Person {
    let input = json!({ "externalId": external_id, "displayName": format!("Visitor {external_id}") });
    let upserted = admin.done("upsertVisitor", "visitor { id }", input).await;
    person(app, admin, &text(&upserted["visitor"]["id"])).await
}

async fn person(app: &TestApp, admin: &Person, id: &str) -> Person {
    let issued = admin
        .done(
            "issueToken",
            "token",
            json!({ "subject": { "actorId": id }, "expiresInSeconds": TOKEN_SECONDS }),
        )
        .await;
    Person { id: id.to_owned(), client: Client::new(&app.url, &text(&issued["token"])) }
}

pub async fn start_chat(visitor: &Person, room: &str) -> String {
    let started = visitor.done("startChat", "chat { id }", json!({ "roomId": room })).await;
    text(&started["chat"]["id"])
}

/// The text of a JSON string.
pub fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}")).to_owned()
}

/// The ids in a list of nodes.
pub fn ids(nodes: &Value) -> Vec<String> {
    nodes.as_array().expect("a list").iter().map(|node| text(&node["id"])).collect()
}

/// The mutation that creates a chat of this type for the caller and these people, and its input.
pub fn creation(chat_type: &str, others: &[&str]) -> (&'static str, Value) {
    match (chat_type, others) {
        ("DIRECT", [other]) => ("createDirectChat", json!({ "participantId": other })),
        ("GROUP", others) => ("createGroupChat", json!({ "participantIds": others })),
        other => panic!("chats of type {other:?} have no mutation"),
    }
}
