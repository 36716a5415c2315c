//! Cursors: the position of a reader, as a text that only this server can create.
//!
//! The layout before base64url encoding: one byte for the kind, eight for the position, eight of the store's
//! epoch, ten of an HMAC-SHA256. The HMAC covers all of that and the cursor's subject (a chat, or a feed's
//! scope), which is not part of the cursor. A cursor of another subject is therefore as invalid as a garbled
//! one.

use crate::domain::description::Description;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use entity::{ChatId, Timestamp};
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use std::sync::Arc;
use uuid::Uuid;

const CHAT: u8 = 1;
const FEED: u8 = 2;
const EPOCH: usize = 8;
const TAG: usize = 10;
const HEAD: usize = 1 + 8 + EPOCH;

/// Creates and reads cursors. Cheap to clone.
#[derive(Clone)]
pub struct Cursors(Arc<Inner>);

struct Inner {
    epoch: [u8; EPOCH],
    mac: Hmac<Sha256>,
}

/// The reason why a cursor was rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CursorError {
    /// The cursor is garbled, or belongs to another stream.
    #[error("the cursor is invalid")]
    Invalid,
    /// The cursor was created before the store was restored from a backup.
    #[error("the cursor is expired")]
    Expired,
}

/// The subject of a feed's cursor: a digest of its scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScopeHash([u8; 32]);

impl ScopeHash {
    /// The hash of a description that is unique to the scope.
    #[must_use]
    pub fn of(description: &Description) -> Self {
        Self(description.digest())
    }
}

impl Cursors {
    /// Cursors for a store with this epoch, authenticated with a secret of any length.
    #[must_use]
    pub fn new(epoch: Uuid, secret: &[u8]) -> Self {
        let digest = Sha256::new().chain_update(b"anteroom cursors\0").chain_update(secret).finalize();
        let mut key = [0; 64];
        key[..32].copy_from_slice(&digest);
        let mut tail = [0; EPOCH];
        tail.copy_from_slice(&epoch.as_bytes()[16 - EPOCH..]);
        Self(Arc::new(Inner { epoch: tail, mac: Hmac::<Sha256>::new(&key.into()) }))
    }

    /// The cursor of the event or message with this sequence in a chat's log.
    #[must_use]
    pub fn encode_chat(&self, chat_id: ChatId, sequence: i64) -> String {
        self.encode(CHAT, chat_id.0.as_bytes(), sequence)
    }

    /// The sequence of a cursor of the chat.
    pub fn decode_chat(&self, chat_id: ChatId, cursor: &str) -> Result<i64, CursorError> {
        let sequence = self.decode(CHAT, chat_id.0.as_bytes(), cursor)?;
        if sequence < 0 { Err(CursorError::Invalid) } else { Ok(sequence) }
    }

    /// The cursor of a time in a feed.
    #[must_use]
    pub fn encode_feed(&self, scope: &ScopeHash, at: Timestamp) -> String {
        self.encode(FEED, &scope.0, at.0)
    }

    /// The time of a cursor of the feed.
    pub fn decode_feed(&self, scope: &ScopeHash, cursor: &str) -> Result<Timestamp, CursorError> {
        self.decode(FEED, &scope.0, cursor).map(Timestamp)
    }

    fn encode(&self, kind: u8, of: &[u8], position: i64) -> String {
        let mut bytes = [0; HEAD + TAG];
        bytes[0] = kind;
        bytes[1..9].copy_from_slice(&position.to_be_bytes());
        bytes[9..HEAD].copy_from_slice(&self.0.epoch);
        let tag = self.mac(&bytes[..HEAD], of).finalize().into_bytes();
        bytes[HEAD..].copy_from_slice(&tag[..TAG]);
        URL_SAFE_NO_PAD.encode(bytes)
    }

    fn decode(&self, kind: u8, of: &[u8], cursor: &str) -> Result<i64, CursorError> {
        let mut bytes = [0; HEAD + TAG];
        let length = URL_SAFE_NO_PAD.decode_slice(cursor, &mut bytes).map_err(|_| CursorError::Invalid)?;
        if length != bytes.len() || bytes[0] != kind {
            return Err(CursorError::Invalid);
        }
        // Compares in constant time.
        self.mac(&bytes[..HEAD], of)
            .verify_truncated_left(&bytes[HEAD..])
            .map_err(|_| CursorError::Invalid)?;
        if bytes[9..HEAD] != self.0.epoch {
            return Err(CursorError::Expired);
        }
        let mut position = [0; 8];
        position.copy_from_slice(&bytes[1..9]);
        Ok(i64::from_be_bytes(position))
    }

    fn mac(&self, head: &[u8], of: &[u8]) -> Hmac<Sha256> {
        let mut mac = self.0.mac.clone();
        mac.update(head);
        mac.update(of);
        mac
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cursors(epoch: u128) -> Cursors {
        Cursors::new(Uuid::from_u128(epoch), b"a secret")
    }

    #[test]
    fn a_cursor_comes_back_as_what_it_was() {
        let chat = ChatId(Uuid::from_u128(7));
        for sequence in [0, 1, 255, i64::MAX] {
            let cursor = cursors(1).encode_chat(chat, sequence);
            assert_eq!(cursors(1).decode_chat(chat, &cursor), Ok(sequence));
        }
        let scope = ScopeHash::of(&Description::of("room 1"));
        let cursor = cursors(1).encode_feed(&scope, Timestamp(1_800_000_000_000));
        assert_eq!(cursors(1).decode_feed(&scope, &cursor), Ok(Timestamp(1_800_000_000_000)));
    }

    #[test]
    fn chat_cursors_have_the_bytes_of_version_one() {
        let cursor = cursors(1).encode_chat(ChatId(Uuid::from_u128(7)), 12);
        assert_eq!(cursor, "AQAAAAAAAAAMAAAAAAAAAAFJEX3HBmo4ImgZ");
    }

    #[test]
    fn a_cursor_of_anything_else_is_invalid() {
        let (chat, other) = (ChatId(Uuid::from_u128(7)), ChatId(Uuid::from_u128(8)));
        let cursor = cursors(1).encode_chat(chat, 12);
        assert_eq!(cursors(1).decode_chat(other, &cursor), Err(CursorError::Invalid));
        assert_eq!(
            cursors(1).decode_feed(&ScopeHash::of(&Description::of("")), &cursor),
            Err(CursorError::Invalid)
        );
        let stranger = Cursors::new(Uuid::from_u128(1), b"another secret");
        assert_eq!(stranger.decode_chat(chat, &cursor), Err(CursorError::Invalid));
    }

    #[test]
    fn a_garbled_cursor_is_invalid() {
        let chat = ChatId(Uuid::from_u128(7));
        let cursor = cursors(1).encode_chat(chat, 12);
        for at in 0..cursor.len() {
            let mut garbled = cursor.clone().into_bytes();
            garbled[at] = if garbled[at] == b'A' { b'B' } else { b'A' };
            let garbled = String::from_utf8(garbled).unwrap_or_default();
            assert_eq!(cursors(1).decode_chat(chat, &garbled), Err(CursorError::Invalid), "at {at}");
        }
        for garbled in ["", "A", "not a cursor", &cursor[1..], &format!("{cursor}AAAA")] {
            assert_eq!(cursors(1).decode_chat(chat, garbled), Err(CursorError::Invalid));
        }
    }

    #[test]
    fn a_cursor_from_before_a_restore_is_expired() {
        let chat = ChatId(Uuid::from_u128(7));
        let cursor = cursors(1).encode_chat(chat, 12);
        assert_eq!(cursors(2).decode_chat(chat, &cursor), Err(CursorError::Expired));
    }
}
