//! A refresh token of a sign-in, as far as the server knows it: its hash. It is kept after it was used, so that whoever
//! brings it again is noticed.

use crate::{SignInId, Timestamp};
use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "refresh_token")]
pub struct Model {
    /// SHA-256 of the token, in hexadecimal digits.
    #[sea_orm(primary_key, auto_increment = false)]
    pub hash: String,
    pub sign_in_id: SignInId,
    pub expires_at: Timestamp,
    /// When another one was first given for it.
    pub used_at: Option<Timestamp>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
