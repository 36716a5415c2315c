//! File storage: receives and inspects uploads as streams, and serves files through signed links.
//!
//! The key of an object is the attachment's id with a name for each upload attempt, so that attempts never
//! overwrite each other. The attachment's row names the attempt that counts.

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

/// The maximum number of images processed concurrently on a node.
const PICTURES: usize = 2;
/// The maximum memory in bytes for processing images on a node.
const MEMORY: u64 = 256 * 1024 * 1024;
/// The part of it for decoders: the rest holds the files of the images.
const DECODING: u64 = MEMORY - PICTURES as u64 * limits::IMAGE_BYTES;

/// The settings of file storage.
#[derive(Clone, Debug)]
pub struct Settings {
    /// A folder, or a bucket by its `s3://` URL.
    pub place: String,
    /// The maximum size of a file in bytes.
    pub largest: u64,
    /// Whether images keep the metadata written by their cameras.
    pub keeps_exif: bool,
    /// The number of bytes that uploads leave free on the folder's disk. 0 for no limit.
    pub free_disk: u64,
    /// How long an upload may wait for its first bytes.
    pub patience: Duration,
    /// The server's public URL, with which links begin.
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

/// The files of a deployment. Cheap to clone.
#[derive(Clone)]
pub struct Files(Arc<Inner>);

struct Inner {
    engine: Engine,
    links: Links,
    settings: Settings,
    turns: Arc<Turns>,
    /// Slots for processing images.
    pictures: Arc<Queue>,
    /// The memory available to decoders, in KiB.
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
    /// Opens a folder or a bucket. Links are signed with a key derived from `secret`. Running uploads end
    /// with `shutdown`.
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

    /// Whether the disk has room for this many bytes besides the running uploads and its reserve.
    pub async fn has_room(&self, bytes: u64) -> bool {
        let reserve = self.0.settings.free_disk;
        if reserve == 0 {
            return true;
        }
        let needed = reserve.saturating_add(self.0.turns.bytes()).saturating_add(bytes);
        self.0.engine.free().await.is_none_or(|free| free >= needed)
    }

    /// The links to files and uploads.
    #[must_use]
    pub fn links(&self) -> &Links {
        &self.0.links
    }

    /// The maximum size of a file in bytes.
    #[must_use]
    pub fn largest(&self) -> u64 {
        self.0.settings.largest
    }

    /// Reads a range of an object, which must lie within it. Returns the number of bytes and their stream.
    /// `None` if the object no longer exists.
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

    /// Removes everything stored for an attachment. Missing objects are not an error.
    pub async fn remove(&self, id: AttachmentId) -> Result<(), Unreachable> {
        self.0.engine.remove_but(id, None).await
    }

    /// Removes the objects of other upload attempts, once one of them counts.
    pub async fn keep_only(&self, id: AttachmentId, object: Uuid) -> Result<(), Unreachable> {
        self.0.engine.remove_but(id, Some(object)).await
    }
}
