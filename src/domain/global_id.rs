//! Global ids as text: a letter for the type and the row's UUID, in URL-safe base64. The API and webhooks use
//! the same ids.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use uuid::Uuid;

/// The letter of an organization.
pub const ORGANIZATION: u8 = b'O';
/// The letter of a room.
pub const ROOM: u8 = b'R';
/// The letter of a visitor.
pub const VISITOR: u8 = b'V';
/// The letter of a chat.
pub const CHAT: u8 = b'C';
/// The letter of a message.
pub const MESSAGE: u8 = b'M';
/// The letter of a chat session.
pub const CHAT_SESSION: u8 = b'S';
/// The letter of a webhook.
pub const WEBHOOK: u8 = b'H';
/// The letter of a webhook's delivery.
pub const WEBHOOK_DELIVERY: u8 = b'D';

/// The global id of a row of this type.
#[must_use]
pub fn encode(letter: u8, id: Uuid) -> String {
    let mut bytes = [0_u8; 17];
    bytes[0] = letter;
    bytes[1..].copy_from_slice(id.as_bytes());
    URL_SAFE_NO_PAD.encode(bytes)
}
