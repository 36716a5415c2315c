//! Uploads.

use super::super::caller::caller;
use super::super::error::Result;
use super::super::id::Kind;
use super::super::payload::{UserError, settle};
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
    /// What it is called: 1–200 characters, at least one of them visible; bidirectional controls are removed.
    name: String,
    /// What it is, such as `image/png`. Images, sound, film, PDF, documents of office programs, texts, zip and gzip
    /// are taken, if they begin as such files do; `application/octet-stream` takes any bytes.
    media_type: String,
    /// Its size in bytes: at least 1, and at most what the deployment allows (25 MiB by default).
    size: i32,
}

/// What createUpload did.
#[derive(SimpleObject)]
struct CreateUploadPayload {
    /// What it will be, once its bytes are there: name it in `sendMessage`.
    attachment: Option<FileAttachment>,
    /// Where to put the bytes, by one HTTP PUT without a token: just `size` of them, and with this `Content-Type` if
    /// any. 204: they are on disk. 409: they were there already. What else is answered has JSON `errors` that say why,
    /// and nothing is kept: 400 (fewer bytes than announced), 403 or 410 (not this URL, or not any more), 404 (no such
    /// upload any more), 413 (more bytes), 415 (not what it is said to be), 503 (put it again in a moment).
    upload_url: Option<String>,
    /// Until when the PUT can begin: a quarter of an hour.
    expires_at: Option<DateTime>,
    /// Why nothing was done.
    user_errors: Vec<UserError>,
}

#[derive(Default)]
pub(in crate::graphql) struct UploadMutation;

#[Object]
impl UploadMutation {
    /// Grants an upload to whoever may send in the chat. What is not sent within a day is removed; an actor has at most
    /// 100 of these.
    async fn create_upload(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The file.")] input: CreateUploadInput,
    ) -> Result<CreateUploadPayload> {
        let caller = caller(context)?;
        let CreateUploadInput { chat_id, name, media_type, size } = input;
        let granted = async {
            let chat_id = ChatId(Kind::Chat.expect(&chat_id, "chat", "chatId")?);
            let input = CreateUpload { chat_id, name, media_type, size: size.into() };
            Ok(caller.actions.create_upload(&caller.viewer, input).await?)
        };
        Ok(match settle(granted.await)? {
            Ok(granted) => CreateUploadPayload {
                attachment: Some(FileAttachment(granted.attachment)),
                upload_url: Some(granted.url),
                expires_at: Some(DateTime(granted.expires_at)),
                user_errors: Vec::new(),
            },
            Err(error) => CreateUploadPayload {
                attachment: None,
                upload_url: None,
                expires_at: None,
                user_errors: vec![error],
            },
        })
    }
}
