//! Signed tokens (JWS compact serialization): checks before the library reads the claims.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{DecodingKey, Validation};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

/// Header parameters that change how a token must be processed, none of which is supported: critical extensions
/// (RFC 7515 section 4.1.11), unencoded payloads (RFC 7797) and compression (RFC 7516 section 4.1.3). The library
/// ignores them, which `crit` forbids.
const UNSUPPORTED: [&str; 3] = ["crit", "b64", "zip"];

/// The claims of a token with a valid signature and no unsupported header parameters.
pub(in crate::actions) fn claims<T: DeserializeOwned>(
    token: &str,
    key: &DecodingKey,
    validation: &Validation,
) -> Option<T> {
    if !is_header_supported(token) {
        return None;
    }
    Some(jsonwebtoken::decode::<T>(token, key, validation).ok()?.claims)
}

fn is_header_supported(token: &str) -> bool {
    let header = token.split('.').next().unwrap_or_default();
    let Ok(header) = URL_SAFE_NO_PAD.decode(header) else { return false };
    let Ok(header) = serde_json::from_slice::<Map<String, Value>>(&header) else { return false };
    !UNSUPPORTED.iter().any(|name| header.contains_key(*name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn header_with_unsupported_parameters_is_refused() {
        let is_fine =
            |header: &str| is_header_supported(&format!("{}.e30.x", URL_SAFE_NO_PAD.encode(header)));
        assert!(is_fine(r#"{"alg":"HS256"}"#) && is_fine(r#"{"alg":"HS256","typ":"JWT","kid":"7"}"#));
        for header in [
            r#"{"alg":"HS256","crit":["exp"]}"#,
            r#"{"alg":"HS256","crit":[]}"#,
            r#"{"alg":"HS256","crit":null}"#,
            r#"{"alg":"HS256","b64":false}"#,
            r#"{"alg":"HS256","b64":true}"#,
            r#"{"alg":"HS256","zip":"DEF"}"#,
            r#"{"alg":"HS256","cr\u0069t":["exp"]}"#,
            "[]",
            "",
        ] {
            assert!(!is_fine(header), "{header}");
        }
        assert!(!is_header_supported("") && !is_header_supported("?.e30.x"));
    }
}
