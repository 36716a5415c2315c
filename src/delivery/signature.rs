//! Signatures according to Standard Webhooks 1.0.0: HMAC-SHA256 over id, time and body.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use entity::SecretText;
use hmac::{Hmac, KeyInit, Mac};
use rand::Rng;
use sha2::Sha256;

/// The prefix of a signing secret.
const PREFIX: &str = "whsec_";
/// The number of bytes of a new secret. The specification requires 24 to 64.
const BYTES: usize = 32;

/// A new random secret.
#[must_use]
pub fn new_secret() -> SecretText {
    let mut bytes = [0_u8; BYTES];
    rand::rng().fill_bytes(&mut bytes);
    format!("{PREFIX}{}", STANDARD.encode(bytes)).into()
}

/// The header `webhook-signature`, with one signature per secret.
pub(super) fn signatures(secrets: &[&SecretText], id: &str, timestamp: i64, body: &str) -> String {
    let signed = secrets.iter().filter_map(|secret| {
        let key = STANDARD.decode(secret.expose().strip_prefix(PREFIX)?).ok()?;
        let mut mac = Hmac::<Sha256>::new_from_slice(&key).ok()?;
        mac.update(format!("{id}.{timestamp}.{body}").as_bytes());
        Some(format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes())))
    });
    signed.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the specification's reference libraries.
    #[test]
    fn the_published_example_is_signed_alike() {
        let secret = SecretText::from("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".to_owned());
        let body = "{\"test\": 2432232314}";
        let signature = signatures(&[&secret], "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, body);
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn a_new_secret_is_never_shown_by_accident() {
        let secret = new_secret();
        assert!(!format!("{secret:?}").contains("whsec_"), "{secret:?}");
        assert_ne!(secret, new_secret());
        assert!(!signatures(&[&secret], "a", 1, "b").is_empty());
    }
}
