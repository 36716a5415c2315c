//! Attachments and uploads.

pub(super) mod attach;
mod clear_uploads;
mod create_upload;
mod read;
mod receive_upload;

pub use create_upload::{CreateUpload, GrantedUpload, Quotas};
pub use receive_upload::{Announced, NotTaken};
