//! Chat sessions.

mod act;
mod create;
mod input;
mod lock;
mod miss;
mod participants;
mod read;
mod transition;
mod update;

pub use act::MoveSession;
pub use create::{CreateSession, SessionPlace};
pub use update::UpdateSession;
