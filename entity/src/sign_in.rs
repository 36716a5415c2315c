//! A sign-in. A visitor's sign-in has a row, with refresh tokens, from its first token on. Other sign-ins
//! have a row only once they are revoked.

use crate::{ActorId, SignInId, Timestamp};
use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "sign_in")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: SignInId,
    pub actor_id: ActorId,
    pub created_at: Timestamp,
    /// The end of its last token, after which the row is no longer needed.
    pub expires_at: Timestamp,
    /// The time at which the sign-in was revoked. Its tokens are invalid from then on.
    pub revoked_at: Option<Timestamp>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
