//! File storage: uploads are streamed in and inspected, and downloads leave through signed links.
//!
//! The key of an object is the attachment's id with a name for each upload attempt, so that an attempt never
//! overwrites another one. The row says which attempt counts.

mod engine;
mod image;
mod links;
mod look;
mod pace;
mod queue;
mod receive;
mod sniff;
mod turns;

pub use engine::BadPlace;
pub use image::Picture;
pub use links::{BadLink, Links, Purpose};
pub use receive::{Expected, NotKept, Received};
pub use turns::Uploader;

use crate::domain::limits;
use bytes::Bytes;
use engine::Engine;
use entity::AttachmentId;
use futures_util::stream::{BoxStream, StreamExt};
use object_store::{GetOptions, GetRange};
use queue::Queue;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use turns::Turns;
use uuid::Uuid;

/// Images that are looked at at once on a node.
const PICTURES: usize = 2;
/// Bytes that looking at images may take on a node, all together.
const MEMORY: u64 = 256 * 1024 * 1024;
/// Bytes of that which decoders may take: what is left once each image's file is in memory.
const DECODING: u64 = MEMORY - PICTURES as u64 * limits::IMAGE_BYTES;

/// The settings of file storage.
#[derive(Clone, Debug)]
pub struct Settings {
    /// A folder, or a bucket by its `s3://` URL.
    pub place: String,
    /// Bytes of a file at most.
    pub largest: u64,
    /// Whether images keep what their cameras wrote into them.
    pub keeps_exif: bool,
    /// Bytes of the folder's disk that uploads leave free; 0 for none.
    pub free_disk: u64,
    /// The time that an upload may wait for its first bytes.
    pub patience: Duration,
    /// The URL at which people reach the server: links begin with it.
    pub reached_at: String,
}

/// The reason why bytes cannot be read or stored now. The text is for the log.
#[derive(Clone, Debug, thiserror::Error)]
#[error("the files cannot be reached: {0}")]
pub struct Unreachable(String);

impl From<object_store::Error> for Unreachable {
    fn from(error: object_store::Error) -> Self {
        Self(error.to_string())
    }
}

/// The files of a deployment; cheap to clone.
#[derive(Clone)]
pub struct Files(Arc<Inner>);

struct Inner {
    engine: Engine,
    links: Links,
    settings: Settings,
    turns: Arc<Turns>,
    /// Places for images that are looked at.
    pictures: Arc<Queue>,
    /// KiB that decoders may take.
    decoding: Semaphore,
    shutdown: CancellationToken,
}

/// The part of an attachment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The file.
    Whole,
    /// The preview of an image.
    Preview,
}

impl Files {
    /// Opens a folder or a bucket. Links are signed under a key made from `secret`; what is being received ends with
    /// `shutdown`.
    pub fn open(settings: Settings, secret: &[u8], shutdown: CancellationToken) -> Result<Self, BadPlace> {
        Ok(Self(Arc::new(Inner {
            engine: Engine::open(&settings.place)?,
            links: Links::new(secret, &settings.reached_at),
            settings,
            turns: Turns::new(),
            pictures: Queue::new(PICTURES),
            decoding: Semaphore::new(usize::try_from(DECODING / 1024).unwrap_or(Semaphore::MAX_PERMITS)),
            shutdown,
        })))
    }

    /// Whether the disk has room for so many bytes beside the uploads under way, and keeps its reserve.
    pub async fn has_room(&self, bytes: u64) -> bool {
        let reserve = self.0.settings.free_disk;
        if reserve == 0 {
            return true;
        }
        let needed = reserve.saturating_add(self.0.turns.bytes()).saturating_add(bytes);
        self.0.engine.free().await.is_none_or(|free| free >= needed)
    }

    /// The links to files and to where they are uploaded.
    #[must_use]
    pub fn links(&self) -> &Links {
        &self.0.links
    }

    /// Bytes of a file at most.
    #[must_use]
    pub fn largest(&self) -> u64 {
        self.0.settings.largest
    }

    /// The bytes of an object in a range, which lies within it; their number, and the bytes as they come. `None`
    /// where the object is gone.
    pub async fn read(
        &self,
        id: AttachmentId,
        object: Uuid,
        part: Part,
        range: Option<Range<u64>>,
    ) -> Result<Option<(u64, BoxStream<'static, Result<Bytes, Unreachable>>)>, Unreachable> {
        let options = GetOptions::new().with_range(range.map(GetRange::Bounded));
        let found = match self.0.engine.store.get_opts(&engine::path(id, object, part), options).await {
            Ok(found) => found,
            Err(object_store::Error::NotFound { .. }) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let length = found.range.end - found.range.start;
        Ok(Some((length, found.into_stream().map(|bytes| Ok(bytes?)).boxed())))
    }

    /// Takes everything away that is kept of an attachment. What is gone already is no failure.
    pub async fn remove(&self, id: AttachmentId) -> Result<(), Unreachable> {
        self.0.engine.remove_but(id, None).await
    }

    /// Takes away what other attempts to upload an attachment have left, once one of them counts.
    pub async fn keep_only(&self, id: AttachmentId, object: Uuid) -> Result<(), Unreachable> {
        self.0.engine.remove_but(id, Some(object)).await
    }
}
