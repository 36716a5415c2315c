//! Where files are kept: bytes come in as streams, are looked at, and leave through signed links.
//!
//! An object lies under the id of its attachment and a name of its own for each attempt to upload it, so that no
//! attempt ever writes over another: what was sent stays what it was. The row says which attempt counts.

mod engine;
mod image;
mod links;
mod receive;
mod sniff;
mod turns;

pub use engine::BadPlace;
pub use image::Picture;
pub use links::{BadLink, Links, Purpose};
pub use receive::{Expected, NotKept};

use bytes::Bytes;
use engine::Engine;
use entity::AttachmentId;
use futures_util::stream::{BoxStream, StreamExt};
use object_store::{GetOptions, GetRange};
use std::ops::Range;
use std::sync::Arc;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use turns::Turns;
use uuid::Uuid;

/// Images that are looked at at once on a node: each may take a quarter of a gigabyte.
const PICTURES: usize = 2;

/// Why bytes cannot be had, or put away, now. The text is for the log.
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
    /// Bytes of a file at most.
    largest: u64,
    turns: Arc<Turns>,
    /// Held while an image is looked at.
    pictures: Semaphore,
    shutdown: CancellationToken,
}

/// Which bytes of an attachment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The file.
    Whole,
    /// The preview of an image.
    Preview,
}

impl Files {
    /// Opens a folder, or a bucket by its `s3://` URL. Links are signed under a key made from `secret`; what is
    /// being received ends with `shutdown`.
    pub fn open(
        place: &str,
        secret: &[u8],
        largest: u64,
        shutdown: CancellationToken,
    ) -> Result<Self, BadPlace> {
        Ok(Self(Arc::new(Inner {
            engine: Engine::open(place)?,
            links: Links::new(secret),
            largest,
            turns: Turns::new(),
            pictures: Semaphore::new(PICTURES),
            shutdown,
        })))
    }

    /// The links to files and to where they are uploaded.
    #[must_use]
    pub fn links(&self) -> &Links {
        &self.0.links
    }

    /// Bytes of a file at most.
    #[must_use]
    pub fn largest(&self) -> u64 {
        self.0.largest
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
