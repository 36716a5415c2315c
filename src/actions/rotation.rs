//! The result of replacing a secret, and how a retry recognizes it.

use sha2::{Digest, Sha256};
use uuid::Uuid;

/// Something with a secret that was replaced.
pub struct Rotated<T> {
    /// The room or webhook.
    pub of: T,
    /// The new secret. Absent for a retry of a rotation whose secret was replaced since.
    pub secret: Option<String>,
}

/// What is remembered of a secret that a request made: enough to recognize it, and nothing to guess it from.
pub(super) fn fingerprint(secret: &str) -> Uuid {
    let digest = Sha256::new().chain_update(b"anteroom rotation\0").chain_update(secret).finalize();
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest[..16]);
    Uuid::from_bytes(bytes)
}
