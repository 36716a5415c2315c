//! Generates the secrets of rooms.

use crate::actions::random::unguessable;
use entity::SecretText;

pub(super) fn new_widget_key() -> String {
    format!("{WIDGET_KEY}{}", unguessable())
}

/// A new secret, as long as the output of the hash that it keys.
pub(super) fn new_identity_secret() -> SecretText {
    format!("is_{}{}", unguessable(), unguessable()).into()
}

/// The prefix of widget keys. No other token starts with it.
pub(in crate::actions) const WIDGET_KEY: &str = "wk_";
