//! Visitors on pages of a site, signed in by a room's widget.

use super::client::Client;
use super::world::{Person, text};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};

/// The site that may.
pub const SHOP: &str = "https://shop.example";

/// What a sign-in is asked for.
pub const SIGNED_IN: &str = "token expiresAt refreshToken room { id } viewer { role tokenExpiresAt \
                             visitor { id displayName } }";

/// A room's widget, and what its organization signs with.
#[derive(Clone, Debug)]
pub struct Widget {
    /// The key's bearer, on a page of the site that may.
    pub client: Client,
    pub room: String,
    pub secret: String,
}

/// A visitor who was signed in.
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
    /// Opens the room's door for pages of [`SHOP`].
    pub async fn of(admin: &Client, room: &str) -> Self {
        let input = json!({ "roomId": room, "allowedOrigins": [SHOP] });
        let updated = admin.done("updateRoom", "room { widgetKey }", input).await;
        let client = Client::new(&admin.url, &text(&updated["room"]["widgetKey"])).on_page_of(SHOP);
        let rotated = admin.done("rotateIdentitySecret", "identitySecret", json!({ "roomId": room })).await;
        Self { client, room: room.to_owned(), secret: text(&rotated["identitySecret"]) }
    }

    /// Signs in, and answers the payload.
    pub async fn sign_in(&self, input: Value) -> Value {
        self.client.done("signInVisitor", SIGNED_IN, input).await
    }

    /// Signs somebody in.
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

    /// What the organization's server would sign, and when it ends.
    pub fn claims(&self, external_id: &str, expires_at: i64) -> Value {
        json!({ "aud": self.room, "sub": external_id, "exp": expires_at })
    }

    /// Signs as the organization's server does.
    pub fn identity(&self, claims: &Value) -> String {
        signed(Algorithm::HS256, &EncodingKey::from_secret(self.secret.as_bytes()), claims)
    }
}

/// A JWT.
pub fn signed(algorithm: Algorithm, key: &EncodingKey, claims: &Value) -> String {
    jsonwebtoken::encode(&Header::new(algorithm), claims, key).expect("a token")
}

/// The token under another header, signed anew with the secret as if it were HS256.
pub fn under(header: &Value, token: &str, secret: &str) -> String {
    let claims = token.split('.').nth(1).expect("claims");
    let message = format!("{}.{claims}", URL_SAFE_NO_PAD.encode(header.to_string()));
    let key = EncodingKey::from_secret(secret.as_bytes());
    let signature = jsonwebtoken::crypto::sign(message.as_bytes(), &key, Algorithm::HS256).expect("signed");
    format!("{message}.{signature}")
}
