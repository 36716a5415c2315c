//! Uploads: grants and receives them, and deletes those that are never sent.

use super::write::lock_visible_chat;
use super::{Actions, Error, Result};
use crate::domain::media::{self, Looks};
use crate::domain::policy::{self, Verb};
use crate::domain::refused::{Quota, Refused};
use crate::domain::viewer::{Viewer, ViewerRole};
use crate::domain::{limits, text};
use crate::files::{Expected, Files, NotKept, Received, Unreachable, Uploader};
use crate::store::{Tx, actors, attachments, upload_usage};
use bytes::Bytes;
use chrono::TimeDelta;
use entity::{ActorType, AttachmentId, AttachmentKind, ChatId, Timestamp, attachment};
use futures_util::{FutureExt, Stream};
use std::time::Duration;

/// The span of a visitor's quota.
const DAY: TimeDelta = TimeDelta::days(1);
/// How long an upload waits to be sent.
const UNSENT: TimeDelta = TimeDelta::days(1);
/// Attachments that are cleared away at once.
const CLEARED: u64 = 100;
/// What is read of a body that was refused, so that its sender hears why instead of a broken connection.
const DRAINED: u64 = 8 * 1024 * 1024;
/// For how long that is read.
const DRAIN: Duration = Duration::from_secs(10);

/// Bytes that may be uploaded; nothing is counted where a quota is absent.
#[derive(Clone, Copy, Debug, Default)]
pub struct Quotas {
    /// By one visitor within 24 hours.
    pub of_visitor: Option<u64>,
    /// Stored of one organization.
    pub of_organization: Option<u64>,
}

/// An upload to grant.
#[derive(Clone, Debug)]
pub struct CreateUpload {
    /// Where it will be sent.
    pub chat_id: ChatId,
    /// What it is called: 1 to 200 characters.
    pub name: String,
    /// What it is.
    pub media_type: String,
    /// Bytes.
    pub size: i64,
}

/// An upload that was granted.
pub struct GrantedUpload {
    /// What it will be.
    pub attachment: attachment::Model,
    /// Where its bytes are put.
    pub url: String,
    /// Until when that can begin.
    pub expires_at: Timestamp,
}

/// What a request says of the body that it brings.
#[derive(Clone, Debug, Default)]
pub struct Announced {
    /// `Content-Length`.
    pub size: Option<u64>,
    /// `Content-Type`, without parameters and in lower case.
    pub media_type: Option<String>,
}

/// Why the bytes of an upload were not taken. Nothing of them is kept.
#[derive(Clone, Debug)]
pub enum NotTaken {
    /// There is no such upload any more.
    Gone,
    /// Its bytes are there already.
    Complete,
    /// They are said to be something that a browser runs.
    Active,
    /// They are not what was granted.
    NotKept(NotKept),
    /// It could not be written down.
    Failed(Error),
}

impl Actions {
    /// Grants an upload to whoever may send in the chat.
    pub async fn create_upload(&self, viewer: &Viewer, input: CreateUpload) -> Result<GrantedUpload> {
        policy::may(viewer.role, Verb::Upload)?;
        let size = u64::try_from(input.size).unwrap_or_default();
        if !self.0.files.has_room(size).await {
            return Err(Error::Unavailable("the disk for files has too little space left".into()));
        }
        let Quotas { of_visitor, of_organization } = self.0.quotas;
        if let Some(limit) = of_organization {
            let stored = attachments::sum_of_organization(&self.0.store, viewer.organization_id).await?;
            if stored.saturating_add(size) > limit {
                let quota = Quota::Organization { limit };
                return Err(Refused::QuotaExceeded { field: "size".into(), quota }.into());
            }
        }
        let (viewer, largest) = (viewer.clone(), self.0.files.largest());
        let granted = self.write(move |tx| grant(tx, viewer, input, largest, of_visitor).boxed());
        let attachment = granted.await?.value;
        let (url, expires_at) = self.0.files.links().to_upload(attachment.id, self.now());
        Ok(GrantedUpload { attachment, url, expires_at })
    }

    /// Takes the bytes of an upload, whose link was checked. A lost connection ends it; nothing else does.
    pub async fn take_upload<S, E>(
        &self,
        id: AttachmentId,
        announced: Announced,
        mut body: S,
    ) -> std::result::Result<(), NotTaken>
    where
        S: Stream<Item = std::result::Result<Bytes, E>> + Unpin + Send + 'static,
        E: Send + 'static,
    {
        let actions = self.clone();
        let task = self.0.tracker.spawn(async move {
            let taken = actions.take(id, announced, &mut body).await;
            if taken.is_err() {
                actions.0.tracker.spawn(drain(body));
            }
            taken
        });
        task.await.unwrap_or_else(|panic| {
            Err(NotTaken::Failed(Error::Failed(format!("an upload was cut off: {panic}"))))
        })
    }

    async fn take<S, E>(
        &self,
        id: AttachmentId,
        announced: Announced,
        body: &mut S,
    ) -> std::result::Result<(), NotTaken>
    where
        S: Stream<Item = std::result::Result<Bytes, E>> + Unpin + Send + 'static,
    {
        let row = attachments::find_file(&self.0.store, id).await.map_err(failed)?.ok_or(NotTaken::Gone)?;
        let creator = actors::find_in_organization(&self.0.store, row.organization_id, row.creator_id);
        let creator = creator.await.map_err(failed)?.ok_or(NotTaken::Gone)?;
        let is_visitor = creator.actor_type == ActorType::Visitor;
        let expected = self.expect(&row, announced, Uploader { actor_id: creator.id, is_visitor })?;
        let received = match self.0.files.receive(&expected, body).await {
            Ok(received) => received,
            Err(why) => return Err(self.why_not_kept(id, why).await),
        };
        let row = completed(row, &expected, received);
        let written = self.write(move |tx| async move { Ok(attachments::complete(tx, &row).await?) }.boxed());
        let is_first = written.await.map(|written| written.value);
        match is_first {
            Ok(true) => {
                tidied(self.0.files.keep_only(id, expected.object).await, id);
                Ok(())
            }
            Ok(false) => {
                tidied(self.0.files.forget_attempt(&expected).await, id);
                Err(NotTaken::Complete)
            }
            Err(error) => {
                // Perhaps it was written down all the same: what does not count is cleared away with the rest.
                Err(NotTaken::Failed(error))
            }
        }
    }

    /// Another attempt that was faster has taken this one away while it was written.
    async fn why_not_kept(&self, id: AttachmentId, why: NotKept) -> NotTaken {
        match (&why, attachments::find_file(&self.0.store, id).await) {
            (NotKept::Unreachable(_), Ok(Some(row))) if row.object.is_some() => NotTaken::Complete,
            _ => NotTaken::NotKept(why),
        }
    }

    /// What the bytes must be, unless they are there, or are said to be something else.
    fn expect(
        &self,
        row: &attachment::Model,
        announced: Announced,
        uploader: Uploader,
    ) -> std::result::Result<Expected, NotTaken> {
        if row.object.is_some() {
            return Err(NotTaken::Complete);
        }
        // What else a client says of harmless bytes changes nothing: they are kept as they were granted.
        if announced.media_type.is_some_and(|announced| media::is_active(&announced)) {
            return Err(NotTaken::Active);
        }
        let media_type = row.media_type.clone().unwrap_or_default();
        let size = row.size.and_then(|size| u64::try_from(size).ok()).unwrap_or_default();
        match announced.size {
            Some(announced) if announced > size => return Err(NotTaken::NotKept(NotKept::TooLarge)),
            Some(announced) if announced < size => return Err(NotTaken::NotKept(NotKept::TooSmall)),
            Some(_) | None => {}
        }
        let looks = media::looks(&media_type).unwrap_or(Looks::Unknown);
        let object = self.0.clock.new_id();
        Ok(Expected { id: row.id, object, uploader, size, media_type, looks })
    }

    /// The file that a signed link names, once its bytes are there.
    pub async fn file(&self, id: AttachmentId) -> Result<Option<attachment::Model>> {
        let found = attachments::find_file(&self.0.store, id).await?;
        Ok(found.filter(|row| row.object.is_some()))
    }

    /// The files.
    #[must_use]
    pub fn files(&self) -> &Files {
        &self.0.files
    }

    /// Removes uploads that nobody sent for a day, and takes away what was removed, bytes and rows: how many.
    pub async fn clear_uploads(&self) -> Result<usize> {
        let now = self.now();
        let unsent = attachments::list_unsent(&self.0.store, now.minus(UNSENT), CLEARED).await?;
        if !unsent.is_empty() {
            let ids: Vec<_> = unsent.iter().map(|row| row.id).collect();
            self.write(move |tx| async move { Ok(attachments::remove_unsent(tx, &ids, now).await?) }.boxed())
                .await?;
        }
        let removed = attachments::list_removed(&self.0.store, CLEARED).await?;
        let mut gone = Vec::new();
        for row in &removed {
            // The row stays until its bytes are gone, so that a stop in between loses nothing.
            match self.remove_bytes(row).await {
                Ok(()) => gone.push(row.id),
                Err(error) => tracing::warn!(%error, attachment = %row.id, "could not delete a file"),
            }
        }
        let count = gone.len();
        if count > 0 {
            self.write(move |tx| async move { Ok(attachments::forget(tx, &gone).await?) }.boxed()).await?;
        }
        Ok(count)
    }

    async fn remove_bytes(&self, row: &attachment::Model) -> std::result::Result<(), Unreachable> {
        match row.kind {
            AttachmentKind::File => self.0.files.remove(row.id).await,
            AttachmentKind::Link | AttachmentKind::Contact => Ok(()),
        }
    }
}

/// What could not be taken away now goes with the attachment.
fn tidied(done: std::result::Result<(), Unreachable>, id: AttachmentId) {
    if let Err(error) = done {
        tracing::warn!(%error, attachment = %id, "could not delete the rest of an upload yet");
    }
}

fn failed(error: crate::store::Error) -> NotTaken {
    NotTaken::Failed(error.into())
}

/// Reads on for a while, and keeps nothing.
async fn drain<S, E>(mut body: S)
where
    S: Stream<Item = std::result::Result<Bytes, E>> + Unpin,
{
    use futures_util::StreamExt;
    let read = async {
        let mut sum = 0;
        while let Some(Ok(bytes)) = body.next().await {
            sum += bytes.len() as u64;
            if sum > DRAINED {
                break;
            }
        }
    };
    let _ = tokio::time::timeout(DRAIN, read).await;
}

fn completed(mut row: attachment::Model, expected: &Expected, received: Received) -> attachment::Model {
    let Received { media_type, size, picture } = received;
    row.object = Some(expected.object);
    (row.media_type, row.size) = (Some(media_type), i64::try_from(size).ok());
    if let Some(picture) = picture {
        row.width = i32::try_from(picture.width).ok();
        row.height = i32::try_from(picture.height).ok();
        row.preview_type = picture.preview_type.map(ToOwned::to_owned);
    }
    row
}

async fn grant(
    tx: &mut Tx,
    viewer: Viewer,
    input: CreateUpload,
    largest: u64,
    quota: Option<u64>,
) -> Result<attachment::Model> {
    let CreateUpload { chat_id, mut name, media_type, size } = input;
    let place = lock_visible_chat(tx, &viewer, chat_id).await?;
    text::name("name", &mut name)?;
    let media_type = media::essence("mediaType", &media_type)?;
    let kept_as =
        media::kept_as(&media_type).ok_or(Refused::UnsupportedMedia { field: "mediaType".into() })?;
    let looks = media::looks(kept_as).unwrap_or(Looks::Unknown);
    check_size(size, looks, largest)?;
    let acts = viewer.role == ViewerRole::ApiClient
        || policy::acts_in_chat(&viewer, tx.chat()?, place.participates());
    if !acts {
        return Err(Refused::NotParticipant.into());
    }
    super::write::refuse_ended(tx)?;
    if attachments::count_unsent(tx, viewer.actor_id).await? >= limits::UNSENT_UPLOADS {
        let reason =
            "You have 100 unsent uploads. Send some of them, or wait until they expire after 24 hours.";
        return Err(Refused::Invalid { field: "chatId".into(), reason }.into());
    }
    if let Some(limit) = quota.filter(|_| viewer.role == ViewerRole::Visitor) {
        let sum = upload_usage::add(tx, viewer.actor_id, size, DAY).await?;
        if u64::try_from(sum).unwrap_or_default() > limit {
            return Err(
                Refused::QuotaExceeded { field: "size".into(), quota: Quota::Visitor { limit } }.into()
            );
        }
    }
    let row = attachment::Model {
        name: Some(name),
        media_type: Some(kept_as.to_owned()),
        size: Some(size),
        ..super::attachments::blank(tx, &viewer, AttachmentKind::File)?
    };
    attachments::insert(tx, vec![row.clone()]).await?;
    Ok(row)
}

fn check_size(size: i64, looks: Looks, largest: u64) -> Result<()> {
    let field = "size";
    let size = u64::try_from(size).unwrap_or_default();
    if size == 0 {
        return Err(
            Refused::Invalid { field: field.into(), reason: "A file must have at least one byte." }.into()
        );
    }
    let is_image = matches!(looks, Looks::Picture | Looks::Heif);
    let limit = if is_image { largest.min(limits::IMAGE_BYTES) } else { largest };
    if size > limit { Err(Refused::TooLarge { field: field.into(), limit }.into()) } else { Ok(()) }
}
