//! The marker: a small file beside the database that identifies the expected state of the database.
//!
//! The database file has a generation, which SQLite keeps in the file's first page (`PRAGMA user_version`).
//! It grows before each checkpoint, and only this server's checkpoints write to the file. The marker holds
//! the generation that the file must have. A replaced file is therefore noticed, and so is a write-ahead log
//! that belongs to another state of the file.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read, Result, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use uuid::Uuid;

/// The fixed length of the file, longer than any marker. Each marker overwrites the previous one, which needs
/// no free disk space.
const LENGTH: usize = 256;

/// The contents of the marker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Marker {
    /// The store's epoch.
    pub(super) epoch: Uuid,
    /// The generation of the last complete checkpoint.
    pub(super) complete: u32,
    /// The generation of a checkpoint that may be incomplete. Otherwise equal to `complete`.
    pub(super) newest: u32,
    /// The version of the schema, which `VACUUM INTO` raises in a copy. 0 if unknown.
    pub(super) schema: u32,
    /// Whether the server has stopped cleanly, with everything in the database file.
    pub(super) is_clean: bool,
}

impl Marker {
    /// Reads the marker. `None` if it is missing or invalid.
    pub(super) fn read(path: &Path) -> Result<Option<Self>> {
        let mut text = String::new();
        match File::open(path).and_then(|mut file| file.read_to_string(&mut text)) {
            Ok(_) => Ok(Self::parse(&text)),
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::InvalidData) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Writes the marker to disk.
    pub(super) fn write(&self, path: &Path) -> Result<()> {
        let is_new = !path.exists();
        let mut file = OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(path)?;
        file.write_all(self.to_text().as_bytes())?;
        file.sync_all()?;
        if is_new && let Some(folder) = path.parent() {
            let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
            File::open(folder)?.sync_all()?;
        }
        Ok(())
    }

    /// Whether a database file of this generation and schema is the expected one.
    pub(super) fn has(&self, generation: u32, schema: u32) -> bool {
        (self.complete..=self.newest).contains(&generation) && (self.schema == 0 || self.schema == schema)
    }

    fn to_text(self) -> String {
        let Self { epoch, complete, newest, schema, is_clean } = self;
        let stopped = if is_clean { "cleanly" } else { "no" };
        let text = format!(
            "# Written by anteroom. Delete this file when you restore the whole folder.\n\
             epoch {epoch}\ngeneration {complete} {newest}\nschema {schema}\nstopped {stopped}\n"
        );
        format!("{text:LENGTH$}")
    }

    fn parse(text: &str) -> Option<Self> {
        let value = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        let (complete, newest) = value("generation")?.split_once(' ')?;
        Some(Self {
            epoch: value("epoch")?.parse().ok()?,
            complete: complete.parse().ok()?,
            newest: newest.parse().ok()?,
            schema: value("schema")?.parse().ok()?,
            is_clean: value("stopped")? == "cleanly",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_marker_is_read_as_it_was_written_and_a_torn_one_is_none() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("anteroom.db.epoch");
        assert_eq!(Marker::read(&path).expect("read"), None);
        let (epoch, newest) = (Uuid::max(), u32::MAX);
        let mut marker = Marker { epoch, complete: newest - 1, newest, schema: u32::MAX, is_clean: true };
        for is_clean in [true, false] {
            marker.is_clean = is_clean;
            marker.write(&path).expect("written");
            assert_eq!(std::fs::metadata(&path).expect("there").len(), LENGTH as u64);
            assert_eq!(Marker::read(&path).expect("read"), Some(marker));
        }
        for torn in ["", "epoch x\ngeneration 1 1\nschema 1\nstopped no\n", "\0\0\0\0"] {
            std::fs::write(&path, torn).expect("written");
            assert_eq!(Marker::read(&path).expect("read"), None, "{torn:?}");
        }
    }
}
