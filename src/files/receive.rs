//! An upload comes in: in parts, never as a whole, and either all of it stays or nothing does.

use super::engine;
use super::image::{self, Picture};
use super::sniff::{self, HEAD};
use super::{Files, Part, Unreachable};
use crate::domain::media::Looks;
use bytes::{Bytes, BytesMut};
use entity::{ActorId, AttachmentId};
use futures_util::{Stream, StreamExt};
use object_store::path::Path;
use object_store::{GetResultPayload, MultipartUpload, ObjectStore, ObjectStoreExt, PutPayload};
use std::io::{BufReader, Cursor};
use std::time::Duration;
use uuid::Uuid;

/// How long an upload may stand still.
const STILL: Duration = Duration::from_secs(30);
/// How long an upload may take.
const WITHIN: Duration = Duration::from_hours(1);

/// What an upload must be.
#[derive(Clone, Debug)]
pub struct Expected {
    /// Of which attachment.
    pub id: AttachmentId,
    /// The name of this attempt.
    pub object: Uuid,
    /// Whose it is.
    pub creator_id: ActorId,
    /// Bytes.
    pub size: u64,
    /// What it was said to be.
    pub media_type: String,
    /// What that looks like.
    pub looks: Looks,
}

/// Why nothing of an upload was kept.
#[derive(Clone, Debug)]
pub enum NotKept {
    /// More bytes came than were announced.
    TooLarge,
    /// Fewer bytes came than were announced.
    TooSmall,
    /// It does not look like what it was said to be.
    UnlikeItsType,
    /// It cannot be decoded as the image that it was said to be, or is larger than is looked at.
    NoImage,
    /// Nothing came for too long, or it took too long.
    TooSlow,
    /// The connection broke.
    CutOff,
    /// Too many come in at once, or the server stops.
    Busy,
    /// The place for files cannot take it now.
    Unreachable(Unreachable),
}

impl From<object_store::Error> for NotKept {
    fn from(error: object_store::Error) -> Self {
        Self::Unreachable(error.into())
    }
}

impl Files {
    /// Takes the bytes of an upload. Once this answers they are on disk, and what is known of an image with them.
    pub async fn receive<S, E>(&self, expected: &Expected, body: &mut S) -> Result<Option<Picture>, NotKept>
    where
        S: Stream<Item = Result<Bytes, E>> + Unpin,
    {
        let _turn = self.0.turns.take(expected.creator_id).ok_or(NotKept::Busy)?;
        let received = self.receive_and_look(expected, body).await;
        if received.is_err()
            && let Err(error) = self.forget_attempt(expected).await
        {
            tracing::warn!(%error, attachment = %expected.id, "what is left of an upload stays for now");
        }
        received
    }

    /// Takes away what an attempt left that does not count.
    pub async fn forget_attempt(&self, expected: &Expected) -> Result<(), Unreachable> {
        self.0.engine.remove_attempt(expected.id, expected.object).await
    }

    async fn receive_and_look<S, E>(
        &self,
        expected: &Expected,
        body: &mut S,
    ) -> Result<Option<Picture>, NotKept>
    where
        S: Stream<Item = Result<Bytes, E>> + Unpin,
    {
        let path = engine::path(expected.id, expected.object, Part::Whole);
        let mut sink =
            Sink { store: &*self.0.engine.store, path: &path, part: self.0.engine.part, open: None };
        let pouring = tokio::time::timeout(WITHIN, pour(expected, body, &mut sink));
        let poured = match self.0.shutdown.run_until_cancelled(pouring).await {
            Some(Ok(poured)) => poured,
            Some(Err(_)) => Err(NotKept::TooSlow),
            None => Err(NotKept::Busy),
        };
        match poured {
            Ok(rest) => sink.finish(rest).await?,
            Err(why) => {
                sink.abort().await;
                return Err(why);
            }
        }
        match expected.looks {
            Looks::Picture => self.look_at(expected).await.map(Some),
            Looks::Unknown
            | Looks::Image
            | Looks::Stream
            | Looks::Pdf
            | Looks::Zip
            | Looks::Gzip
            | Looks::Compound
            | Looks::Dicom
            | Looks::Text => Ok(None),
        }
    }

    /// Decodes an image that has come in, and puts its preview beside it.
    async fn look_at(&self, expected: &Expected) -> Result<Picture, NotKept> {
        let _one_of_few = self.0.pictures.acquire().await.map_err(|_| NotKept::Busy)?;
        let store = &self.0.engine.store;
        let found = store.get(&engine::path(expected.id, expected.object, Part::Whole)).await?;
        let media_type = expected.media_type.clone();
        let looked = match found.payload {
            GetResultPayload::File(file, _) => {
                tokio::task::spawn_blocking(move || image::look_at(BufReader::new(file), &media_type)).await
            }
            GetResultPayload::Stream(_) => {
                let bytes = found.bytes().await?;
                tokio::task::spawn_blocking(move || image::look_at(Cursor::new(bytes), &media_type)).await
            }
        };
        // A decoder that panics has met no image.
        let (picture, preview) = looked.ok().flatten().ok_or(NotKept::NoImage)?;
        let path = engine::path(expected.id, expected.object, Part::Preview);
        store.put(&path, PutPayload::from(preview)).await?;
        Ok(picture)
    }
}

/// Where the parts go. What fits into one part is written at once.
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
            tracing::debug!(%error, "an upload could not be broken off");
        }
    }
}

/// Writes all parts but the last, which is answered, and sees that the bytes are as many and such as they must be.
async fn pour<S, E>(expected: &Expected, body: &mut S, sink: &mut Sink<'_>) -> Result<Bytes, NotKept>
where
    S: Stream<Item = Result<Bytes, E>> + Unpin,
{
    let (mut held, mut received, mut is_looked_at) = (BytesMut::new(), 0_u64, false);
    let is_like =
        |head: &[u8]| sniff::is_like(&head[..head.len().min(HEAD)], &expected.media_type, expected.looks);
    loop {
        let next = tokio::time::timeout(STILL, body.next()).await.map_err(|_| NotKept::TooSlow)?;
        let Some(bytes) = next.transpose().map_err(|_| NotKept::CutOff)? else { break };
        received += bytes.len() as u64;
        if received > expected.size {
            return Err(NotKept::TooLarge);
        }
        held.extend_from_slice(&bytes);
        if !is_looked_at && held.len() >= HEAD {
            is_looked_at = true;
            if !is_like(&held) {
                return Err(NotKept::UnlikeItsType);
            }
        }
        while held.len() > sink.part {
            let part = held.split_to(sink.part).freeze();
            sink.write(part).await?;
        }
    }
    if received < expected.size {
        return Err(NotKept::TooSmall);
    }
    if !is_looked_at && !is_like(&held) {
        return Err(NotKept::UnlikeItsType);
    }
    Ok(held.freeze())
}
