//! Organizations.

mod create;
mod read;
mod update;

pub use create::NewOrganization;
pub use update::UpdateOrganization;
