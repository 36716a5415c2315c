//! Users and visitors.

pub(super) mod add;
mod create_user;
mod read;
mod update_user;
pub(super) mod upsert_visitor;

pub use create_user::CreateUser;
pub use update_user::UpdateUser;
pub use upsert_visitor::UpsertVisitor;
