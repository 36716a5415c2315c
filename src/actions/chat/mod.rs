//! Chats.

pub(super) mod add;
mod create;
mod delete;
mod end;
mod end_idle;
mod leave;
pub(super) mod named;
mod read;
mod resume;
mod start;
mod tag;
mod untag;
mod update;

pub use create::{CreateChat, CreatedChat};
pub use leave::LeftChat;
pub use start::{Start, StartChat, StartedChat};
pub use update::UpdateChat;
