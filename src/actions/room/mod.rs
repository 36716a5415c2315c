//! Rooms.

mod create;
mod read;
mod rotate_secret;
pub(super) mod secret;
pub(super) mod update;

pub use create::CreateRoom;
pub use rotate_secret::RoomSecret;
pub use update::UpdateRoom;
