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
    /// The chat in which it will be sent.
    chat_id: ID,
    /// The name: 1–200 characters, at least one of them visible; bidirectional controls are removed.
    name: String,
    /// Media type of the file, such as `image/png`. Images, sound, film, PDF, documents of office programs, texts,
    /// zip and
    /// gzip keep their type. Any other type is stored as `application/octet-stream`, and so are bytes that turn
    /// out not to
    /// be what they are said to be. Refused is what a browser would run: HTML and scripts.
    media_type: String,
    /// Its size in bytes: at least 1, and at most what the deployment allows (25 MiB by default).
    size: i32,
}

/// The result of `createUpload`.
#[derive(SimpleObject)]
struct CreateUploadPayload {
    /// The attachment that the upload becomes: pass its id to `sendMessage`.
    attachment: Option<FileAttachment>,
    /// URL to send the bytes to, by one HTTP PUT without a token: just `size` of them. 204: they are on disk. 409:
    /// they
    /// were there already. Any other answer has JSON `errors` that say why, and nothing is kept: 400 (fewer bytes
    /// than
    /// announced), 403 or 410 (not this URL, or not any more), 404 (no such upload any more), 408 (slower than 1
    /// KiB a
    /// second), 413 (more bytes), 415 (a damaged image, or a page under another type), 503 and 507 (try again later).
    upload_url: Option<String>,
    /// Until when the PUT can begin: a quarter of an hour.
    expires_at: Option<DateTime>,
    /// Errors that prevented the mutation. Empty on success.
    user_errors: UserErrors,
}

#[derive(Default)]
pub(in crate::graphql) struct UploadMutation;

#[Object]
impl UploadMutation {
    /// Grants an upload to whoever may send in the chat. What is not sent within a day is removed; an actor has at
    /// most
    /// 100 of these. The size counts toward the quotas of the deployment: by default a visitor uploads at most 200
    /// MiB
    /// within 24 hours.
    async fn create_upload(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The file.")] input: CreateUploadInput,
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
