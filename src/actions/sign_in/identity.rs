//! Identity tokens: the organization's own server identifies the visitor of its page with a token signed with
//! the room's secret.

use crate::actions::actor::upsert_visitor::check_attributes;
use crate::actions::token::jws;
use crate::domain::refused::Refused;
use crate::domain::{global_id, limits, text};
use entity::{Timestamp, room};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde::Deserialize;
use serde_json::{Map, Number, Value};

const FIELD: &str = "identityToken";

/// The visitor identified by an identity token.
#[derive(Clone, Debug)]
pub(super) struct Identity {
    /// The visitor's id in the organization's own systems.
    pub external_id: String,
    pub name: Option<String>,
    pub attributes: Option<Vec<(String, String)>>,
}

#[derive(Deserialize)]
struct Claims {
    pub(in crate::actions) sub: String,
    /// Seconds since the Unix epoch (RFC 7519 section 2), optionally with a fraction. The same applies to
    /// `nbf`.
    pub(in crate::actions) exp: Number,
    pub(in crate::actions) nbf: Option<Number>,
    pub(in crate::actions) name: Option<String>,
    pub(in crate::actions) attributes: Option<Map<String, Value>>,
}

/// Reads the identity from a token. The token must be signed for this room, must not have expired, and must
/// expire soon.
pub(super) fn read(room: &room::Model, token: &str, now: Timestamp) -> Result<Identity, Refused> {
    let mut validation = Validation::new(Algorithm::HS256);
    validation.set_audience(&[global_id::encode(global_id::ROOM, room.id.0)]);
    validation.set_required_spec_claims(&["exp", "aud", "sub"]);
    // Expiry is checked against the server's clock, not the library's.
    validation.validate_exp = false;
    let key = DecodingKey::from_secret(room.identity_secret.expose().as_bytes());
    let claims: Claims = jws::claims(token, &key, &validation)
        .ok_or_else(|| invalid("The identity token is not one that was signed for this room (HS256)."))?;
    let leeway = limits::IDENTITY_LEEWAY_SECONDS;
    if claims.nbf.as_ref().is_some_and(|nbf| seconds_until(nbf, now) > leeway) {
        return Err(invalid(
            "The identity token is not valid yet. Check `nbf` and the clock of the server that signed it.",
        ));
    }
    let seconds_left = seconds_until(&claims.exp, now);
    if seconds_left <= -leeway {
        return Err(invalid("The identity token has expired."));
    }
    if seconds_left > limits::IDENTITY_SECONDS + leeway {
        return Err(invalid("`exp` of the identity token must be at most one hour from now."));
    }
    let Claims { sub: external_id, exp: _, nbf: _, mut name, attributes } = claims;
    text::external_id(FIELD, &external_id)?;
    if let Some(name) = &mut name {
        text::name(FIELD, name)?;
    }
    let mut attributes = attributes.map(pairs).transpose()?;
    if let Some(attributes) = &mut attributes {
        check_attributes(FIELD, attributes).map_err(|refused| refused.blaming(FIELD.into()))?;
    }
    Ok(Identity { external_id, name, attributes })
}

/// Whole seconds from now until a time in a token. Negative if it has passed.
fn seconds_until(at: &Number, now: Timestamp) -> i64 {
    #[expect(clippy::cast_possible_truncation, reason = "what is out of range saturates")]
    let seconds = at.as_i64().or_else(|| at.as_f64().map(|seconds| seconds as i64)).unwrap_or(i64::MAX);
    seconds.saturating_sub(now.0.div_euclid(1_000))
}

fn pairs(attributes: Map<String, Value>) -> Result<Vec<(String, String)>, Refused> {
    let pair = |(name, value)| match value {
        Value::String(value) => Ok((name, value)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            Err(invalid("Each attribute of the identity token must be a string."))
        }
    };
    attributes.into_iter().map(pair).collect()
}

fn invalid(reason: &'static str) -> Refused {
    Refused::Invalid { field: FIELD.into(), reason }
}
