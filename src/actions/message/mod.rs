//! Messages.

mod archive;
mod delete;
mod edit;
mod lock;
mod mark_read;
mod react;
mod read;
mod restore;
pub(super) mod say;
mod search;
mod send;
mod suggest;

pub use edit::EditMessage;
pub use mark_read::MarkRead;
pub use react::React;
pub use read::MessageFilter;
pub use search::{Found, SearchIn};
pub use send::{SendMessage, SentMessage};
