//! Receives the bytes of an upload.

use crate::actions::{Actions, Error};
use crate::domain::media::{self, Looks};
use crate::files::{Expected, NotKept, Received, Unreachable, Uploader};
use crate::store::{Tx, actors, attachments};
use bytes::Bytes;
use entity::{ActorType, AttachmentId, attachment};
use futures_util::Stream;
use std::time::Duration;

/// The maximum number of bytes read from a refused body, so that the sender receives the error instead of a
/// broken connection.
const DRAINED: u64 = 8 * 1024 * 1024;

/// The maximum time spent reading a refused body.
const DRAIN: Duration = Duration::from_secs(10);

/// The headers of an upload that describe its body.
#[derive(Clone, Debug, Default)]
pub struct Announced {
    /// `Content-Length`.
    pub size: Option<u64>,
    /// `Content-Type`, without parameters and in lower case.
    pub media_type: Option<String>,
}

/// The reason why an upload was refused. No bytes of it are kept.
#[derive(Clone, Debug)]
pub enum NotTaken {
    /// The upload does not exist or has been removed.
    Gone,
    /// The bytes have already arrived.
    Complete,
    /// The media type is one that browsers execute.
    Active,
    /// The bytes differ from what was granted.
    NotKept(NotKept),
    /// The upload could not be recorded.
    Failed(Error),
}

impl Actions {
    /// Receives the bytes of an upload whose link was checked. The upload stops if the connection is lost,
    /// but not for any other reason.
    pub async fn take_upload<S, E>(
        &self,
        id: AttachmentId,
        announced: Announced,
        mut body: S,
    ) -> Result<(), NotTaken>
    where
        S: Stream<Item = Result<Bytes, E>> + Unpin + Send + 'static,
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

    async fn take<S, E>(&self, id: AttachmentId, announced: Announced, body: &mut S) -> Result<(), NotTaken>
    where
        S: Stream<Item = Result<Bytes, E>> + Unpin + Send + 'static,
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
        match self.write(complete, row).await.map(|written| written.value) {
            Ok(true) => {
                tidied(self.0.files.keep_only(id, expected.object).await, id);
                Ok(())
            }
            Ok(false) => {
                tidied(self.0.files.forget_attempt(&expected).await, id);
                Err(NotTaken::Complete)
            }
            Err(error) => {
                // The commit may have succeeded despite the error. If it did not, the cleanup removes the
                // bytes.
                Err(NotTaken::Failed(error))
            }
        }
    }

    /// Explains a refusal. A faster concurrent attempt may have removed this upload while it was written.
    async fn why_not_kept(&self, id: AttachmentId, why: NotKept) -> NotTaken {
        match (&why, attachments::find_file(&self.0.store, id).await) {
            (NotKept::Unreachable(_), Ok(Some(row))) if row.object.is_some() => NotTaken::Complete,
            _ => NotTaken::NotKept(why),
        }
    }

    /// The properties that the bytes must have. Fails if they have already arrived, if the announced size
    /// differs, or if browsers execute the announced media type.
    fn expect(
        &self,
        row: &attachment::Model,
        announced: Announced,
        uploader: Uploader,
    ) -> Result<Expected, NotTaken> {
        if row.object.is_some() {
            return Err(NotTaken::Complete);
        }
        // Any other announced media type is ignored, because the granted one is stored.
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
}

/// Logs bytes that could not be removed. They are removed together with the attachment.
fn tidied(done: Result<(), Unreachable>, id: AttachmentId) {
    if let Err(error) = done {
        tracing::warn!(%error, attachment = %id, "what is left of an upload stays for now");
    }
}

fn failed(error: crate::store::Error) -> NotTaken {
    NotTaken::Failed(error.into())
}

/// Reads and discards the rest of the body for a limited time.
async fn drain<S, E>(mut body: S)
where
    S: Stream<Item = Result<Bytes, E>> + Unpin,
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

async fn complete(tx: &mut Tx, row: attachment::Model) -> crate::actions::Result<bool> {
    Ok(attachments::complete(tx, &row).await?)
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
