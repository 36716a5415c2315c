//! A dump of all stored rows, to show that a refusal changes nothing.

use super::TestApp;
use anteroom::clock::Clock;
use entity::{
    actor, attachment, chat, chat_session, chat_session_participant, chat_tag, event, message,
    message_revision, message_text, organization, participation, presence, reaction, refresh_token, request,
    room, room_departure, room_member, room_origin, shopping_cart, shopping_cart_product, sign_in,
    upload_usage, webhook, webhook_delivery,
};
use sea_orm::{ConnectOptions, Database, DatabaseConnection, EntityTrait, ModelTrait};
use std::collections::BTreeMap;
use std::fmt::Debug;
use uuid::Uuid;

/// A connection to an app's database.
pub struct Stored(pub DatabaseConnection);

/// The rows of each table, as text.
pub type Tables = BTreeMap<&'static str, Vec<String>>;

impl Stored {
    pub async fn of(app: &TestApp) -> Self {
        let url = app.config.database.clone();
        let options = ConnectOptions::new(url).max_connections(1).sqlx_logging(false).to_owned();
        Self(Database::connect(options).await.expect("a connection"))
    }

    /// Every row of every table.
    pub async fn tables(&self) -> Tables {
        let mut actors = actor::Entity::find().all(&self.0).await.expect("actors");
        // The time at which an actor was last seen is not compared.
        for actor in &mut actors {
            actor.last_seen_at = None;
        }
        // Attempts of deliveries are not compared either.
        let mut webhooks = webhook::Entity::find().all(&self.0).await.expect("webhooks");
        for webhook in &mut webhooks {
            webhook.failing_since = None;
        }
        let mut deliveries = webhook_delivery::Entity::find().all(&self.0).await.expect("deliveries");
        for delivery in &mut deliveries {
            (delivery.attempts, delivery.next_attempt_at, delivery.lease) = (0, None, None);
            (delivery.deferrals, delivery.deferred_since) = (0, None);
            (delivery.last_status, delivery.last_error) = (None, None);
        }
        BTreeMap::from([
            ("actor", lines(&actors)),
            ("attachment", self.rows::<attachment::Entity>().await),
            ("upload_usage", self.rows::<upload_usage::Entity>().await),
            ("chat", self.rows::<chat::Entity>().await),
            ("chat_session", self.rows::<chat_session::Entity>().await),
            ("chat_session_participant", self.rows::<chat_session_participant::Entity>().await),
            ("chat_tag", self.rows::<chat_tag::Entity>().await),
            ("event", self.rows::<event::Entity>().await),
            ("message", self.rows::<message::Entity>().await),
            ("message_revision", self.rows::<message_revision::Entity>().await),
            ("message_text", self.rows::<message_text::Entity>().await),
            ("organization", self.rows::<organization::Entity>().await),
            ("participation", self.rows::<participation::Entity>().await),
            ("presence", self.rows::<presence::Entity>().await),
            ("refresh_token", self.rows::<refresh_token::Entity>().await),
            ("reaction", self.rows::<reaction::Entity>().await),
            ("request", self.rows::<request::Entity>().await),
            ("room", self.rows::<room::Entity>().await),
            ("room_departure", self.rows::<room_departure::Entity>().await),
            ("room_member", self.rows::<room_member::Entity>().await),
            ("room_origin", self.rows::<room_origin::Entity>().await),
            ("sign_in", self.rows::<sign_in::Entity>().await),
            ("shopping_cart", self.rows::<shopping_cart::Entity>().await),
            ("shopping_cart_product", self.rows::<shopping_cart_product::Entity>().await),
            ("webhook", lines(&webhooks)),
            ("webhook_delivery", lines(&deliveries)),
        ])
    }

    async fn rows<E>(&self) -> Vec<String>
    where
        E: EntityTrait,
        E::Model: ModelTrait + Debug,
    {
        lines(&E::find().all(&self.0).await.expect("rows"))
    }
}

/// Asserts that two dumps are equal, and shows only the differences.
#[track_caller]
pub fn assert_unchanged(before: &Tables, after: &Tables, what: &str) {
    for (table, rows) in after {
        let others = &before[table];
        let new: Vec<_> = rows.iter().filter(|row| !others.contains(row)).collect();
        assert!(new.is_empty() && rows.len() == others.len(), "{what}: {table} changed: {new:#?}");
    }
}

fn lines(rows: &[impl Debug]) -> Vec<String> {
    let mut lines: Vec<_> = rows.iter().map(|row| format!("{row:?}")).collect();
    lines.sort();
    lines
}

/// An id of the same type that identifies no object.
pub fn twin(id: &str) -> String {
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let mut bytes = URL_SAFE_NO_PAD.decode(id).expect("an id");
    let fresh: Uuid = Clock::system().new_id();
    bytes[1..].copy_from_slice(fresh.as_bytes());
    URL_SAFE_NO_PAD.encode(bytes)
}
