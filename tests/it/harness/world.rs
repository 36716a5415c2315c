//! People in an organization, made through the public API.

use super::client::Client;
use super::{Engine, TestApp};
use anteroom::actions::{IssueToken, NewOrganization, TokenSubject};
use serde_json::{Value, json};

/// An organization with a room and an admin, on an app.
pub struct World {
    pub app: TestApp,
    pub admin: Person,
    pub room: String,
}

/// Somebody with a client.
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

    pub async fn on(app: TestApp) -> Self {
        let (admin, room) = organization(&app, "clinic").await;
        Self { app, admin, room }
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

    /// The same person, talking to another address.
    pub fn at(person: &Person, url: &str) -> Person {
        Person { id: person.id.clone(), client: Client::new(url, &person.token) }
    }
}

/// Another organization on the same app: its admin and its room.
pub async fn organization(app: &TestApp, tenant: &str) -> (Person, String) {
    let input = NewOrganization {
        tenant_name: tenant.into(),
        instance_name: "main".into(),
        name: tenant.into(),
        admin_name: "Ada Admin".into(),
    };
    let actions = app.app.actions();
    let (organization, admin) = actions.create_organization(input).await.expect("an organization");
    let input = IssueToken { subject: TokenSubject::Actor(admin.id), expires_in_seconds: Some(86_400) };
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
    let issued =
        admin.done("issueToken", "token", json!({ "actorId": id, "expiresInSeconds": 86_400 })).await;
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
