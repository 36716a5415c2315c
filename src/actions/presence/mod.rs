//! Presences and typing.

pub(super) mod end;
mod expire;
pub(super) mod join;
mod keep;
pub(super) mod lease;
mod read;
mod set_typing;

pub use join::{JoinChat, JoinedChat};
pub use lease::Lease;
