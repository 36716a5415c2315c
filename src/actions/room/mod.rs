//! Rooms.

mod access;
mod add_members;
mod create;
mod depart;
mod read;
mod remove_members;
mod rotate_secret;
pub(super) mod secret;
pub(super) mod update;

pub use add_members::AddRoomMembers;
pub use create::CreateRoom;
pub use remove_members::RemoveRoomMembers;
pub use rotate_secret::RoomSecret;
pub use update::UpdateRoom;
