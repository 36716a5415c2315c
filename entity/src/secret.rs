//! A secret that is stored unhashed because the server sends it or signs with it. It prints as a placeholder.

use sea_orm::DeriveValueType;

/// A secret text.
#[derive(Clone, PartialEq, Eq, DeriveValueType)]
pub struct SecretText(pub String);

impl std::fmt::Debug for SecretText {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("[secret]")
    }
}
