//! A sign-in: a visitor's, with refresh tokens, from its first token on; of any other token only once it was ended.

use crate::{ActorId, SignInId, Timestamp};
use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "sign_in")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: SignInId,
    pub actor_id: ActorId,
    pub created_at: Timestamp,
    /// No token of it lives longer: then nothing needs to be known of it any more.
    pub expires_at: Timestamp,
    /// When it was ended: its tokens are worth nothing from then on.
    pub revoked_at: Option<Timestamp>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
