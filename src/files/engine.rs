//! The two storage backends for files: a folder, and an S3 bucket.

use super::{Part, Unreachable};
use entity::AttachmentId;
use futures_util::TryStreamExt;
use object_store::aws::AmazonS3Builder;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::prefix::PrefixStore;
use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt};
use std::path::PathBuf;
use std::sync::Arc;
use url::Url;
use uuid::Uuid;

/// The reason why a storage location cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum BadPlace {
    /// The text is not the URL of a bucket.
    #[error("expected a folder or s3://BUCKET/PREFIX")]
    NoBucket,
    /// The folder cannot be used, or the environment lacks settings of the bucket.
    #[error(transparent)]
    Unusable(#[from] object_store::Error),
}

/// A storage backend.
pub(super) struct Engine {
    pub store: Arc<dyn ObjectStore>,
    /// The number of bytes written at once, which an upload holds in memory.
    pub part: usize,
    /// The folder. Absent for a bucket.
    folder: Option<PathBuf>,
}

/// The path of an object.
pub(super) fn path(id: AttachmentId, object: Uuid, part: Part) -> Path {
    let of = match part {
        Part::Whole => "",
        Part::Preview => ".preview",
    };
    Path::from(format!("{}/{}{of}", id.0.simple(), object.simple()))
}

impl Engine {
    pub(super) fn open(place: &str) -> Result<Self, BadPlace> {
        // The bucket's client uses the process-wide cryptography provider. If one is already installed, it is
        // equally suitable.
        let _ = tokio_rustls::rustls::crypto::ring::default_provider().install_default();
        if place.starts_with("s3://") {
            return Ok(Self { store: bucket(place)?, part: 5 * 1024 * 1024, folder: None });
        }
        // With fsync, a file is written under another name, flushed and renamed, and the folder is flushed.
        let store = LocalFileSystem::new_with_prefix(place)?.with_fsync(true);
        Ok(Self { store: Arc::new(store), part: 256 * 1024, folder: Some(PathBuf::from(place)) })
    }

    /// The number of free bytes on the folder's disk. `None` for a bucket.
    pub(super) async fn free(&self) -> Option<u64> {
        let folder = self.folder.clone()?;
        let asked = tokio::task::spawn_blocking(move || rustix::fs::statvfs(&folder)).await.ok()?;
        match asked {
            Ok(disk) => Some(disk.f_bavail.saturating_mul(disk.f_frsize)),
            Err(error) => {
                tracing::warn!(%error, "could not read the free disk space");
                None
            }
        }
    }

    /// Removes everything that one attempt to upload an attachment has written.
    pub(super) async fn remove_attempt(&self, id: AttachmentId, object: Uuid) -> Result<(), Unreachable> {
        for part in [Part::Whole, Part::Preview] {
            match self.store.delete(&path(id, object, part)).await {
                Ok(()) | Err(object_store::Error::NotFound { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        if let Some(folder) = &self.folder {
            // The folder stays if another attempt is in progress.
            let _ = tokio::fs::remove_dir(folder.join(id.0.simple().to_string())).await;
        }
        Ok(())
    }

    /// Removes all objects of an attachment except one, including incomplete ones.
    pub(super) async fn remove_but(&self, id: AttachmentId, kept: Option<Uuid>) -> Result<(), Unreachable> {
        let folder_of = id.0.simple().to_string();
        let kept = kept.map(|object| object.simple().to_string());
        if let Some(folder) = &self.folder {
            let folder = folder.join(folder_of);
            return match tokio::task::spawn_blocking(move || clear(&folder, kept.as_deref())).await {
                Ok(Ok(())) => Ok(()),
                Ok(Err(error)) => Err(Unreachable(error.to_string())),
                Err(panic) => Err(Unreachable(panic.to_string())),
            };
        }
        let found: Vec<_> = self.store.list(Some(&Path::from(folder_of))).try_collect().await?;
        for ObjectMeta { location, .. } in found {
            let name = location.filename().unwrap_or_default();
            if kept.as_deref().is_some_and(|kept| name.starts_with(kept)) {
                continue;
            }
            match self.store.delete(&location).await {
                Ok(()) | Err(object_store::Error::NotFound { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }
}

/// Removes all files of a folder except those whose names start with `kept`. Removes the folder if it is
/// empty.
fn clear(folder: &std::path::Path, kept: Option<&str>) -> std::io::Result<()> {
    let is_gone = |error: &std::io::Error| error.kind() == std::io::ErrorKind::NotFound;
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if is_gone(&error) => return Ok(()),
        Err(error) => return Err(error),
    };
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name();
        // An incomplete file under a kept name (`name#1`) belongs to another attempt and never becomes the
        // file.
        if kept.is_some_and(|kept| name.to_string_lossy().starts_with(kept)) {
            continue;
        }
        match std::fs::remove_file(entry.path()) {
            Ok(()) => {}
            Err(error) if is_gone(&error) => {}
            Err(error) => return Err(error),
        }
    }
    if kept.is_none() {
        // Not empty: another attempt has just started to write here. Its upload will be refused.
        let _ = std::fs::remove_dir(folder);
    }
    Ok(())
}

/// Opens a bucket. Its credentials and location come from the same environment variables as for Amazon's own
/// tools.
fn bucket(place: &str) -> Result<Arc<dyn ObjectStore>, BadPlace> {
    let url = Url::parse(place).map_err(|_| BadPlace::NoBucket)?;
    let name = url.host_str().filter(|name| !name.is_empty()).ok_or(BadPlace::NoBucket)?;
    let store = AmazonS3Builder::from_env().with_bucket_name(name).build()?;
    let prefix = Path::from(url.path());
    Ok(if prefix.as_ref().is_empty() { Arc::new(store) } else { Arc::new(PrefixStore::new(store, prefix)) })
}
