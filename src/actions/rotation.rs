//! The result of replacing a secret, and how retries are recognized.

use sha2::{Digest, Sha256};
use uuid::Uuid;

/// An object whose secret was replaced.
pub struct Rotated<T> {
    /// The room or webhook.
    pub of: T,
    /// The new secret. Absent for a retry if the secret has been replaced again since.
    pub secret: Option<String>,
}

/// A fingerprint by which a retry recognizes the secret. The secret cannot be guessed from it.
pub(super) fn fingerprint(secret: &str) -> Uuid {
    let digest = Sha256::new().chain_update(b"anteroom rotation\0").chain_update(secret).finalize();
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest[..16]);
    Uuid::from_bytes(bytes)
}
