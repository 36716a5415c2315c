//! The hash of a refresh token of a sign-in. Used tokens are kept to detect that a token is used twice.

use crate::{SignInId, Timestamp};
use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "refresh_token")]
pub struct Model {
    /// The SHA-256 of the token, in hexadecimal.
    #[sea_orm(primary_key, auto_increment = false)]
    pub hash: String,
    pub sign_in_id: SignInId,
    pub expires_at: Timestamp,
    /// The time at which the token was first exchanged for another one.
    pub used_at: Option<Timestamp>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
