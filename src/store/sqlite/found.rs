//! Inspects the files on disk before SQLite opens them, and decides whether the database may be opened.

use super::marker::Marker;
use super::wal::Wal;
use std::ffi::OsString;
use std::fs::File;
use std::io::{ErrorKind, Read, Result};
use std::path::{Path, PathBuf};
use uuid::Uuid;

/// The first bytes of a database file, from SQLite's "Database File Format", section 1.3.
const MAGIC: &[u8] = b"SQLite format 3\0";
const HEADER: usize = 100;
/// The offset of the user version, which holds the generation.
const USER_VERSION: usize = 60;
const SCHEMA_VERSION: usize = 40;

/// The files of a store.
#[derive(Clone, Debug)]
pub(super) struct Found {
    pub(super) path: PathBuf,
    pub(super) file: DatabaseFile,
    pub(super) wal: Option<Wal>,
    pub(super) marker: Option<Marker>,
}

/// The database file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DatabaseFile {
    /// The file is missing or empty.
    Empty,
    /// The file is not a database.
    Damaged,
    Sound {
        generation: u32,
        schema: u32,
    },
}

/// The decision about the files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Verdict {
    /// Whether the database must be checked for damage.
    pub(super) needs_check: bool,
    /// The reason to reject earlier cursors, if there is one.
    pub(super) is_other: Option<&'static str>,
}

/// The path of a file beside the database, with this suffix.
pub(super) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    PathBuf::from(name)
}

impl Found {
    /// Inspects the files.
    pub(super) fn look(path: &Path) -> Result<Self> {
        Ok(Self {
            path: path.to_owned(),
            file: DatabaseFile::read(path)?,
            wal: Wal::read(&beside(path, "-wal"))?,
            marker: Marker::read(&beside(path, ".epoch"))?,
        })
    }

    /// The marker to write once SQLite has opened the file, before the first write. If the process is killed
    /// before the opening is complete, the store opens again, with a new epoch if it needs one.
    pub(super) fn opening(&self, verdict: Verdict) -> Option<Marker> {
        let marker = self.marker?;
        let (generation, is_other) = match self.file {
            DatabaseFile::Sound { generation, .. } => (generation, verdict.is_other.is_some()),
            DatabaseFile::Empty | DatabaseFile::Damaged => (0, true),
        };
        Some(Marker {
            epoch: if is_other { Uuid::nil() } else { marker.epoch },
            complete: marker.complete.min(generation),
            newest: marker.newest.max(generation),
            schema: 0,
            is_clean: false,
        })
    }

    /// Decides whether the store may be opened. The error is for the operator.
    pub(super) fn judge(&self) -> std::result::Result<Verdict, String> {
        let (path, frames) = (self.path.display(), self.wal.map_or(0, |wal| wal.committed));
        let other_state = |instead: &str| {
            format!(
                "{path}-wal holds {frames} frames that do not belong to {path}: {instead}. If you restored a backup, \
                 remove {path}-wal and {path}-shm, and start again. Otherwise restore the database file that was there"
            )
        };
        let (generation, schema) = match self.file {
            DatabaseFile::Damaged => {
                return Err(format!("{path} is damaged, or not a database: restore it from a backup"));
            }
            DatabaseFile::Empty if frames > 0 => return Err(other_state("that file is missing or empty")),
            DatabaseFile::Empty => return Ok(Verdict { needs_check: false, is_other: None }),
            DatabaseFile::Sound { generation, schema } => (generation, schema),
        };
        // An older version wrote no marker, or the copy lacks it. The database itself has what is needed.
        let Some(marker) = self.marker else { return Ok(Verdict { needs_check: true, is_other: None }) };
        if !marker.has(generation, schema) {
            if frames > 0 {
                return Err(other_state("that file was replaced by another copy"));
            }
            return Ok(Verdict {
                needs_check: true,
                is_other: Some("another copy of it was put in its place"),
            });
        }
        if marker.is_clean {
            if frames > 0 {
                return Err(other_state("that file was complete when the server stopped"));
            }
            return Ok(Verdict { needs_check: false, is_other: None });
        }
        let is_other = match self.wal {
            None => Some("the server did not stop cleanly, and the write-ahead log is missing"),
            Some(wal) if wal.is_damaged() => Some("the write-ahead log is damaged, and writes are lost"),
            Some(_) => None,
        };
        Ok(Verdict { needs_check: true, is_other })
    }
}

impl DatabaseFile {
    fn read(path: &Path) -> Result<Self> {
        let mut header = [0_u8; HEADER];
        let mut file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Self::Empty),
            Err(error) => return Err(error),
        };
        if file.metadata()?.len() == 0 {
            return Ok(Self::Empty);
        }
        match file.read_exact(&mut header) {
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(Self::Damaged),
            read => read?,
        }
        let number = |at: usize| {
            let bytes: Option<[u8; 4]> = header.get(at..at + 4).and_then(|bytes| bytes.try_into().ok());
            bytes.map_or(0, u32::from_be_bytes)
        };
        if !header.starts_with(MAGIC) {
            return Ok(Self::Damaged);
        }
        Ok(Self::Sound { generation: number(USER_VERSION), schema: number(SCHEMA_VERSION) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WAL: Wal =
        Wal { present: 9, valid: 9, committed: 9, lost_commits: 0, is_headless: false, is_cut: false };
    const EMPTY_WAL: Wal = Wal { present: 0, valid: 0, committed: 0, ..WAL };

    fn found(file: DatabaseFile, wal: Option<Wal>, marker: Option<(u32, u32, bool)>) -> Found {
        let marker = marker.map(|(complete, newest, is_clean)| Marker {
            epoch: Uuid::nil(),
            complete,
            newest,
            schema: 4,
            is_clean,
        });
        Found { path: "anteroom.db".into(), file, wal, marker }
    }

    /// Whether the files are opened, checked, treated as another database, or refused.
    fn outcome(file: DatabaseFile, wal: Option<Wal>, marker: Option<(u32, u32, bool)>) -> &'static str {
        match found(file, wal, marker).judge() {
            Ok(Verdict { needs_check: false, is_other: None }) => "opened",
            Ok(Verdict { needs_check: true, is_other: None }) => "checked",
            Ok(Verdict { needs_check: _, is_other: Some(_) }) => "other",
            Err(_) => "refused",
        }
    }

    #[test]
    fn a_kill_while_it_is_opened_leaves_a_store_that_opens_and_a_new_epoch_where_one_is_due() {
        let sound = |generation| DatabaseFile::Sound { generation, schema: 9 };
        for (file, is_other) in
            [(sound(7), false), (sound(5), true), (sound(9), true), (DatabaseFile::Empty, true)]
        {
            let before = found(file, None, Some((7, 7, true)));
            let mut before =
                Found { marker: before.marker.map(|marker| Marker { schema: 9, ..marker }), ..before };
            before.marker = before.marker.map(|marker| Marker { epoch: Uuid::max(), ..marker });
            let marker = before.opening(before.judge().expect("opened")).expect("a marker");
            assert_eq!(marker.epoch.is_nil(), is_other, "{file:?}");
            let file = if file == DatabaseFile::Empty { sound(0) } else { file };
            let after = Found { file, wal: Some(WAL), marker: Some(marker), ..before };
            assert_eq!(after.judge(), Ok(Verdict { needs_check: true, is_other: None }), "{file:?}");
        }
    }

    #[test]
    fn a_file_is_taken_for_the_one_that_was_left_only_where_everything_agrees() {
        use DatabaseFile::{Damaged, Empty};
        let file = |generation| DatabaseFile::Sound { generation, schema: 4 };
        let vacuumed = DatabaseFile::Sound { generation: 7, schema: 5 };
        let (clean, dirty, underway) = (Some((7, 7, true)), Some((7, 7, false)), Some((7, 9, false)));
        for (file, wal, marker, expected) in [
            (Empty, None, None, "opened"),
            (Empty, None, clean, "opened"),
            (Empty, Some(WAL), dirty, "refused"),
            (Damaged, None, clean, "refused"),
            // An upgrade.
            (file(0), Some(WAL), None, "checked"),
            // A clean stop, and a copy of a state that was stopped cleanly.
            (file(7), None, clean, "opened"),
            (file(7), Some(EMPTY_WAL), clean, "opened"),
            (file(7), Some(WAL), clean, "refused"),
            // A kill, in the middle of a checkpoint too.
            (file(7), Some(WAL), dirty, "checked"),
            (file(7), Some(EMPTY_WAL), dirty, "checked"),
            (file(7), Some(WAL), underway, "checked"),
            (file(9), Some(WAL), underway, "checked"),
            // A backup that was put back, with and without the log of the state that it replaced.
            (file(6), None, clean, "other"),
            (file(6), None, dirty, "other"),
            (file(6), Some(WAL), dirty, "refused"),
            (file(6), Some(WAL), clean, "refused"),
            (file(7), None, dirty, "other"),
            (vacuumed, None, clean, "other"),
            (vacuumed, Some(EMPTY_WAL), dirty, "other"),
            (vacuumed, Some(WAL), dirty, "refused"),
            (file(8), None, dirty, "other"),
            // Damage to the log.
            (file(7), Some(Wal { lost_commits: 1, ..WAL }), dirty, "other"),
            (file(7), Some(Wal { is_headless: true, ..EMPTY_WAL }), dirty, "other"),
        ] {
            assert_eq!(outcome(file, wal, marker), expected, "{file:?} {wal:?} {marker:?}");
        }
    }
}
