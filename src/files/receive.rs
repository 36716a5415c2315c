//! Receives an upload as a stream of parts. Either all of it is stored, or nothing.

use super::image::Picture;
use super::pace::Pace;
use super::sniff::{self, Found, HEAD};
use super::turns::Uploader;
use super::{Files, Part, Unreachable, engine};
use crate::domain::media::{self, Looks};
use bytes::{Bytes, BytesMut};
use entity::AttachmentId;
use futures_util::{Stream, StreamExt};
use object_store::path::Path;
use object_store::{MultipartUpload, ObjectStore, ObjectStoreExt, PutPayload};
use std::time::Duration;
use tokio::time::Instant;
use uuid::Uuid;

/// The time limit of an upload.
const WITHIN: Duration = Duration::from_hours(1);

/// The properties that an upload must have.
#[derive(Clone, Debug)]
pub struct Expected {
    /// The id of the attachment.
    pub id: AttachmentId,
    /// The name of this attempt.
    pub object: Uuid,
    /// The uploader.
    pub uploader: Uploader,
    /// The size in bytes.
    pub size: u64,
    /// The declared media type.
    pub media_type: String,
    /// The signature of that media type.
    pub looks: Looks,
}

/// The reason why an upload was not stored.
#[derive(Clone, Debug)]
pub enum NotKept {
    /// The body has more bytes than announced.
    TooLarge,
    /// The body has fewer bytes than announced.
    TooSmall,
    /// Browsers would execute the content, although its type is a harmless one.
    Active,
    /// The content cannot be decoded as the declared image, or has too many pixels.
    NoImage,
    /// The bytes arrived too slowly.
    TooSlow,
    /// The connection was lost.
    CutOff,
    /// Too many uploads are running, or the server is stopping.
    Busy,
    /// The disk would have too little free space left.
    NoRoom,
    /// The storage is unavailable.
    Unreachable(Unreachable),
}

/// The stored upload.
#[derive(Clone, Debug)]
pub struct Received {
    /// The media type: the declared or the detected one.
    pub media_type: String,
    /// The size in bytes.
    pub size: u64,
    /// The dimensions and preview of an image.
    pub picture: Option<Picture>,
}

impl From<object_store::Error> for NotKept {
    fn from(error: object_store::Error) -> Self {
        Self::Unreachable(error.into())
    }
}

impl Files {
    /// Receives the bytes of an upload. On success, they and the preview of an image are on disk.
    pub async fn receive<S, E>(&self, expected: &Expected, body: &mut S) -> Result<Received, NotKept>
    where
        S: Stream<Item = Result<Bytes, E>> + Unpin,
    {
        let _turn = self.0.turns.take(expected.uploader, expected.size).ok_or(NotKept::Busy)?;
        // The bytes of this upload are already counted as running.
        if !self.has_room(0).await {
            return Err(NotKept::NoRoom);
        }
        let received = self.receive_and_look(expected, body).await;
        if received.is_err()
            && let Err(error) = self.forget_attempt(expected).await
        {
            tracing::warn!(%error, attachment = %expected.id, "could not delete the rest of an upload yet");
        }
        received
    }

    /// Removes everything that a failed attempt has stored.
    pub async fn forget_attempt(&self, expected: &Expected) -> Result<(), Unreachable> {
        self.0.engine.remove_attempt(expected.id, expected.object).await
    }

    async fn receive_and_look<S, E>(&self, expected: &Expected, body: &mut S) -> Result<Received, NotKept>
    where
        S: Stream<Item = Result<Bytes, E>> + Unpin,
    {
        let path = engine::path(expected.id, expected.object, Part::Whole);
        let mut sink =
            Sink { store: &*self.0.engine.store, path: &path, part: self.0.engine.part, open: None };
        let pace = Pace::new(self.0.settings.patience);
        let pouring = tokio::time::timeout(WITHIN, pour(expected, pace, body, &mut sink));
        let poured = match self.0.shutdown.run_until_cancelled(pouring).await {
            Some(Ok(poured)) => poured,
            Some(Err(_)) => Err(NotKept::TooSlow),
            None => Err(NotKept::Busy),
        };
        let media_type = match poured {
            Ok((rest, media_type)) => {
                sink.finish(rest).await?;
                media_type
            }
            Err(why) => {
                sink.abort().await;
                return Err(why);
            }
        };
        let received = Received { media_type, size: expected.size, picture: None };
        match media::looks(&received.media_type) {
            Some(Looks::Picture) => self.look_at(expected, received).await,
            Some(Looks::Heif) => self.blank(expected, received).await,
            Some(
                Looks::Unknown
                | Looks::Image
                | Looks::Stream
                | Looks::Pdf
                | Looks::Zip
                | Looks::Gzip
                | Looks::Compound
                | Looks::Dicom
                | Looks::Text,
            )
            | None => Ok(received),
        }
    }
}

/// The target of the parts. Content that fits into one part is written at once.
struct Sink<'a> {
    store: &'a dyn ObjectStore,
    path: &'a Path,
    part: usize,
    open: Option<Box<dyn MultipartUpload>>,
}

impl Sink<'_> {
    async fn write(&mut self, part: Bytes) -> Result<(), NotKept> {
        let open = match &mut self.open {
            Some(open) => open,
            none => none.insert(self.store.put_multipart(self.path).await?),
        };
        Ok(open.put_part(PutPayload::from(part)).await?)
    }

    async fn finish(mut self, rest: Bytes) -> Result<(), NotKept> {
        if self.open.is_none() {
            self.store.put(self.path, PutPayload::from(rest)).await?;
            return Ok(());
        }
        let written = async {
            if !rest.is_empty() {
                self.write(rest).await?;
            }
            match &mut self.open {
                Some(open) => Ok(open.complete().await.map(drop)?),
                None => Ok(()),
            }
        };
        let written = written.await;
        if written.is_err() {
            self.abort().await;
        }
        written
    }

    async fn abort(mut self) {
        if let Some(open) = &mut self.open
            && let Err(error) = open.abort().await
        {
            tracing::debug!(%error, "could not cancel an upload");
        }
    }
}

/// Writes all parts except the last one, which is returned with the detected type. Fails if the number of
/// bytes is wrong.
async fn pour<S, E>(
    expected: &Expected,
    mut pace: Pace,
    body: &mut S,
    sink: &mut Sink<'_>,
) -> Result<(Bytes, String), NotKept>
where
    S: Stream<Item = Result<Bytes, E>> + Unpin,
{
    let (mut held, mut received, mut media_type) = (BytesMut::new(), 0_u64, None);
    loop {
        let asked = Instant::now();
        let next = tokio::time::timeout(pace.left(), body.next()).await.map_err(|_| NotKept::TooSlow)?;
        let Some(bytes) = next.transpose().map_err(|_| NotKept::CutOff)? else { break };
        pace.came(bytes.len(), asked.elapsed());
        received += bytes.len() as u64;
        if received > expected.size {
            return Err(NotKept::TooLarge);
        }
        held.extend_from_slice(&bytes);
        if media_type.is_none() && held.len() >= HEAD {
            media_type = Some(found(expected, &held)?);
        }
        while held.len() > sink.part {
            let part = held.split_to(sink.part).freeze();
            sink.write(part).await?;
        }
    }
    if received < expected.size {
        return Err(NotKept::TooSmall);
    }
    let media_type = match media_type {
        Some(media_type) => media_type,
        None => found(expected, &held)?,
    };
    Ok((held.freeze(), media_type))
}

/// The media type to store for a file that starts with these bytes.
fn found(expected: &Expected, head: &[u8]) -> Result<String, NotKept> {
    match sniff::find(&head[..head.len().min(HEAD)], &expected.media_type, expected.looks, expected.size) {
        Found::AsSaid => Ok(expected.media_type.clone()),
        Found::As(media_type) => Ok(media_type.to_owned()),
        Found::Active => Err(NotKept::Active),
    }
}
