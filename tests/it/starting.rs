//! Starting a chat with a visitor, resuming a recent one, and the visitor's current page.

mod pages;
mod resuming;
mod suggesting;

use crate::harness::client::Client;
use crate::harness::world::{Person, World};
use serde_json::{Value, json};

const STARTED: &str =
    "chat { id presentUserCount userParticipationCount } isResumed presence { id user { id } }
    messageEdge { node { id text sender { id } } }";

/// Starts or resumes a chat in the world's room.
async fn start(by: &Client, world: &World, more: Value) -> Value {
    by.done("startChat", STARTED, in_room(world, more)).await
}

fn in_room(world: &World, more: Value) -> Value {
    let mut input = json!({ "roomId": world.room });
    for (name, value) in more.as_object().unwrap() {
        input[name] = value.clone();
    }
    input
}

/// A user's wish to go on with the visitor.
fn with(visitor: &Person, user: &Person) -> Value {
    json!({ "visitorId": visitor.id, "autoResumeUserId": user.id })
}
