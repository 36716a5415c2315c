//! Webhooks and their deliveries.

mod create;
mod delete;
mod read;
mod redeliver;
mod rotate_secret;
mod update;

pub use create::CreateWebhook;
pub use update::UpdateWebhook;
