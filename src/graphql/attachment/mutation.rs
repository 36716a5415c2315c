//! Uploads.

use super::super::caller::caller;
use super::super::error::Result;
use super::super::id::Kind;
use super::super::payload::{UserErrors, settle};
use super::super::scalar::DateTime;
use super::FileAttachment;
use crate::actions::CreateUpload;
use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use entity::ChatId;

/// A file to upload.
#[derive(InputObject)]
struct CreateUploadInput {
    /// The id of the chat in which the file will be sent.
    chat_id: ID,
    /// The name of the file: 1–200 characters, at least one of them visible. Bidirectional control characters
    /// are removed.
    name: String,
    /// The media type of the file, such as `image/png`. Types of images, audio, video, PDF, office documents,
    /// plain text, zip and gzip are stored as declared. Other types, and files whose content does not match,
    /// are stored as `application/octet-stream`. HTML and scripts are refused with `UNSUPPORTED_MEDIA`.
    media_type: String,
    /// The exact size in bytes, at least 1. The maximum is a setting of the server (default 25 MiB).
    size: i32,
}

/// The result of `createUpload`.
#[derive(SimpleObject)]
struct CreateUploadPayload {
    /// The attachment that the upload creates. Pass its id to `sendMessage`.
    attachment: Option<FileAttachment>,
    /// The URL to upload the bytes to, with one HTTP PUT and no token. The body must have exactly `size`
    /// bytes. Status 204: the file is stored. 409: it was already stored. For any other status, the JSON body
    /// has `errors`, and nothing is stored: 400 (fewer bytes than `size`), 403 or 410 (wrong or expired URL),
    /// 404 (the upload no longer exists), 408 (slower than 1 KiB per second), 413 (more bytes than `size`),
    /// 415 (a damaged image, or a page under another type), 503 and 507 (try again later).
    upload_url: Option<String>,
    /// The time until which the PUT request can start, 15 minutes from now.
    expires_at: Option<DateTime>,
    /// Errors that prevented the mutation. Empty on success.
    user_errors: UserErrors,
}

#[derive(Default)]
pub(in crate::graphql) struct UploadMutation;

#[Object]
impl UploadMutation {
    /// Creates an upload in a chat in which the viewer can send messages. Uploads that are not sent within 24
    /// hours are removed, and an actor can have at most 100 of them. The size counts toward quotas of the
    /// server: by default, a visitor can upload 200 MiB in 24 hours. Errors: `TOO_LARGE`,
    /// `UNSUPPORTED_MEDIA`, `QUOTA_EXCEEDED`, `NOT_PARTICIPANT`, `CHAT_ENDED`.
    async fn create_upload(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The file to upload.")] input: CreateUploadInput,
    ) -> Result<Option<CreateUploadPayload>> {
        let caller = caller(context)?;
        let CreateUploadInput { chat_id, name, media_type, size } = input;
        let granted = async {
            let chat_id = ChatId(Kind::Chat.expect(&chat_id, "chat", "chatId")?);
            let input = CreateUpload { chat_id, name, media_type, size: size.into() };
            Ok(caller.actions.create_upload(&caller.viewer, input).await?)
        };
        let (granted, user_errors) = settle(granted.await)?;
        let (attachment, link) =
            granted.map(|granted| (granted.attachment, (granted.url, granted.expires_at))).unzip();
        let (upload_url, expires_at) = link.unzip();
        Ok(Some(CreateUploadPayload {
            attachment: attachment.map(FileAttachment),
            upload_url,
            expires_at: expires_at.map(DateTime),
            user_errors,
        }))
    }
}
