//! The secret that signs tokens.

use secrecy::{ExposeSecret, SecretSlice};

/// The server's secret, at least 32 bytes.
#[derive(Clone, Debug)]
pub struct Secret(SecretSlice<u8>);

impl Secret {
    /// Accepts a secret of at least 32 bytes, the length of the hash (RFC 7518 section 3.2). `None` if it is
    /// shorter.
    #[must_use]
    pub fn new(bytes: Vec<u8>) -> Option<Self> {
        (bytes.len() >= 32).then(|| Self(bytes.into()))
    }

    /// The bytes from which other keys are derived.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        self.0.expose_secret()
    }
}
