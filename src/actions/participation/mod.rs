//! Participations.

mod add;
pub(super) mod end;
mod read;
mod remove;
mod update;

pub use add::{AddParticipants, AddedParticipants};
pub use remove::{RemoveParticipant, RemovedParticipant};
pub use update::{UpdateParticipation, UpdatedParticipation};
