//! Visitors who are signed in by a room's widget.

use super::client::Client;
use super::world::{Person, text};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};

/// The allowed origin.
pub const SHOP: &str = "https://shop.example";

/// The selection of a sign-in.
pub const SIGNED_IN: &str = "token expiresAt refreshToken room { id } viewer { role tokenExpiresAt \
                             visitor { id displayName } }";

/// A room's widget, and the secret with which the organization signs.
#[derive(Clone, Debug)]
pub struct Widget {
    /// A client with the widget key, on a page of the allowed origin.
    pub client: Client,
    pub room: String,
    pub secret: String,
}

/// A visitor who has signed in.
#[derive(Clone, Debug)]
pub struct Guest {
    pub person: Person,
    pub refresh_token: String,
}

impl std::ops::Deref for Guest {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.person.client
    }
}

impl Widget {
    /// Allows pages of [`SHOP`] to use the room's widget.
    pub async fn of(admin: &Client, room: &str) -> Self {
        let input = json!({ "roomId": room, "allowedOrigins": [SHOP] });
        let updated = admin.done("updateRoom", "room { widgetKey }", input).await;
        let client = Client::new(&admin.url, &text(&updated["room"]["widgetKey"])).on_page_of(SHOP);
        let rotated = admin.done("rotateIdentitySecret", "identitySecret", json!({ "roomId": room })).await;
        Self { client, room: room.to_owned(), secret: text(&rotated["identitySecret"]) }
    }

    /// Signs a visitor in, and returns the payload.
    pub async fn sign_in(&self, input: Value) -> Value {
        self.client.done("signInVisitor", SIGNED_IN, input).await
    }

    /// Signs a visitor in.
    pub async fn guest(&self, input: Value) -> Guest {
        let payload = self.sign_in(input).await;
        Guest {
            person: Person {
                id: text(&payload["viewer"]["visitor"]["id"]),
                client: Client::new(&self.client.url, &text(&payload["token"])),
            },
            refresh_token: text(&payload["refreshToken"]),
        }
    }

    /// The claims of an identity token of the organization's server.
    pub fn claims(&self, external_id: &str, expires_at: i64) -> Value {
        json!({ "aud": self.room, "sub": external_id, "exp": expires_at })
    }

    /// Signs claims as the organization's server does.
    pub fn identity(&self, claims: &Value) -> String {
        signed(Algorithm::HS256, &EncodingKey::from_secret(self.secret.as_bytes()), claims)
    }
}

/// A signed JWT.
pub fn signed(algorithm: Algorithm, key: &EncodingKey, claims: &Value) -> String {
    jsonwebtoken::encode(&Header::new(algorithm), claims, key).expect("a token")
}

/// The token with another header, signed again with the secret as if it were HS256.
pub fn under(header: &Value, token: &str, secret: &str) -> String {
    let claims = token.split('.').nth(1).expect("claims");
    let message = format!("{}.{claims}", URL_SAFE_NO_PAD.encode(header.to_string()));
    let key = EncodingKey::from_secret(secret.as_bytes());
    let signature = jsonwebtoken::crypto::sign(message.as_bytes(), &key, Algorithm::HS256).expect("signed");
    format!("{message}.{signature}")
}
