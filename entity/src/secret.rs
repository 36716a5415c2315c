//! A secret that is stored as it is, because it is sent or signed with, and that prints as a placeholder.

use sea_orm::DeriveValueType;

/// A secret text.
#[derive(Clone, PartialEq, Eq, DeriveValueType)]
pub struct SecretText(pub String);

impl std::fmt::Debug for SecretText {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("[secret]")
    }
}
