//! Chat sessions over GraphQL: their life cycle, and what each caller sees of them.

mod actions;
mod buttons;
mod creating;
mod listing;
mod ringing;
mod telling;

use crate::harness::Engine;
use crate::harness::client::Client;
use crate::harness::world::{Person, World, text};
use serde_json::{Value, json};

/// An organization with people who call each other. Olga, Odile and Vera are participants; Otto is not.
struct Clinic {
    world: World,
    olga: Person,
    odile: Person,
    otto: Person,
    vera: Person,
}

impl Clinic {
    async fn new(engine: Engine) -> Self {
        Self::on(World::frozen(engine).await).await
    }

    async fn on(world: World) -> Self {
        let (olga, odile) = (world.operator("Olga").await, world.operator("Odile").await);
        let (otto, vera) = (world.operator("Otto").await, world.visitor("vera").await);
        Self { world, olga, odile, otto, vera }
    }

    /// A session that Olga made in a chat of Vera's, calling Odile and Vera.
    async fn session(&self) -> String {
        let chat = self.world.chat(&self.vera).await;
        self.session_in(&chat).await
    }

    async fn session_in(&self, chat: &str) -> String {
        let called = [&self.odile.id, &self.vera.id];
        create(&self.olga, json!({ "in": { "chat": { "id": chat, "participantIds": called } } })).await
    }

    /// The same, ringing: Odile started it.
    async fn ringing(&self) -> String {
        let session = self.session().await;
        done(&self.odile, "START", &session).await;
        session
    }

    /// The same, running: Vera accepted it.
    async fn running(&self) -> String {
        let session = self.ringing().await;
        done(&self.vera, "ACCEPT", &session).await;
        session
    }

    async fn stop(self) {
        self.world.app.stop().await;
    }
}

/// The session that the input makes.
async fn create(client: &Client, input: Value) -> String {
    let created = client.done("createChatSession", "chatSession { id }", input).await;
    text(&created["chatSession"]["id"])
}

/// The mutation of an action.
fn mutation_of(action: &str) -> String {
    format!("{}ChatSession", action.to_lowercase())
}

/// Gives an action; the payload says where the session then stands, and why nothing was done.
async fn give(client: &Client, action: &str, session: &str) -> Value {
    give_with(client, action, json!({ "chatSessionId": session })).await
}

async fn give_with(client: &Client, action: &str, input: Value) -> Value {
    client.mutate(&mutation_of(action), "chatSession { state outcome acceptedBy { id } }", input).await
}

/// Gives an action that is carried out.
async fn done(client: &Client, action: &str, session: &str) {
    let payload = give(client, action, session).await;
    assert_eq!(payload["userErrors"], json!([]), "{action}: {payload:#}");
}

/// The code of the refusal of a payload; `None` where there is none.
fn refusal(payload: &Value) -> Option<&str> {
    payload["userErrors"][0]["code"].as_str()
}

/// Some fields of a session, as somebody sees them.
async fn seen(client: &Client, session: &str, fields: &str) -> Value {
    let query = format!("query($id: ID!) {{ chatSession(id: $id) {{ {fields} }} }}");
    client.query(&query, json!({ "id": session })).await["chatSession"].clone()
}
