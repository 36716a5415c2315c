//! Parses SQLite's write-ahead log before SQLite opens it, to find out whether it is complete.
//!
//! The format is described in "Database File Format", section 4. SQLite replays a log up to its last valid
//! commit. It silently ignores everything from the first frame whose checksum does not continue the chain.

use std::fs::File;
use std::io::{BufReader, ErrorKind, Read, Result};
use std::path::Path;

const HEADER: usize = 32;
const FRAME_HEADER: usize = 24;
/// The magic number of a log, without its lowest bit, which gives the byte order of the checksums.
const MAGIC: u32 = 0x377f_0682;

/// The frames of a log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Wal {
    /// The number of whole frames in the file, including leftovers of earlier generations of the log.
    pub(super) present: u64,
    /// The number of frames from the beginning with valid checksums.
    pub(super) valid: u64,
    /// The number of frames up to the last valid commit, which SQLite replays.
    pub(super) committed: u64,
    /// The number of commits of this generation behind a damaged frame, which SQLite ignores.
    pub(super) lost_commits: u64,
    /// Whether the file has contents but no valid header, so that SQLite ignores all of it.
    pub(super) is_headless: bool,
    /// Whether the file ends in the middle of a frame.
    pub(super) is_cut: bool,
}

impl Wal {
    /// Whether committed transactions are missing from what SQLite replays.
    pub(super) fn is_damaged(&self) -> bool {
        self.is_headless || self.lost_commits > 0
    }

    /// Reads the log. `None` if there is no file.
    pub(super) fn read(path: &Path) -> Result<Option<Self>> {
        let file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let length = file.metadata()?.len();
        let mut file = BufReader::with_capacity(1 << 16, file);
        let mut header = [0_u8; HEADER];
        if length == 0 {
            return Ok(Some(Self::default()));
        }
        let headless = Self { is_headless: true, ..Self::default() };
        if length < HEADER as u64 {
            return Ok(Some(headless));
        }
        file.read_exact(&mut header)?;
        let magic = word(&header, 0);
        let (page_size, salt) = (word(&header, 2), [word(&header, 4), word(&header, 5)]);
        let order = if magic & 1 == 1 { u32::from_be_bytes } else { u32::from_le_bytes };
        let mut sum = checksum([0, 0], &header[..24], order);
        let frame = u64::from(page_size) + FRAME_HEADER as u64;
        let body = length - HEADER as u64;
        let is_sound = magic & !1 == MAGIC
            && page_size.is_power_of_two()
            && (512..=65_536).contains(&page_size)
            && sum == [word(&header, 6), word(&header, 7)];
        if !is_sound {
            return Ok(Some(headless));
        }
        let mut wal = Self { present: body / frame, is_cut: !body.is_multiple_of(frame), ..Self::default() };
        let mut bytes = vec![0_u8; usize::try_from(frame).unwrap_or_default()];
        let mut is_chain = true;
        for number in 1..=wal.present {
            file.read_exact(&mut bytes)?;
            let is_commit = word(&bytes, 1) != 0;
            let is_of_this_generation = [word(&bytes, 2), word(&bytes, 3)] == salt;
            if is_chain && is_of_this_generation {
                sum = checksum(checksum(sum, &bytes[..8], order), &bytes[FRAME_HEADER..], order);
                if sum == [word(&bytes, 4), word(&bytes, 5)] {
                    wal.valid = number;
                    if is_commit {
                        wal.committed = number;
                    }
                    continue;
                }
            }
            is_chain = false;
            // An uncommitted transaction leaves frames with this generation's salt too, but without a commit.
            if is_of_this_generation && is_commit {
                wal.lost_commits += 1;
            }
        }
        Ok(Some(wal))
    }
}

fn word(bytes: &[u8], index: usize) -> u32 {
    let at = index * 4;
    bytes.get(at..at + 4).and_then(|word| word.try_into().ok()).map_or(0, u32::from_be_bytes)
}

fn checksum([mut first, mut second]: [u32; 2], bytes: &[u8], order: fn([u8; 4]) -> u32) -> [u32; 2] {
    for [one, other] in bytes.as_chunks::<4>().0.as_chunks::<2>().0 {
        first = first.wrapping_add(order(*one)).wrapping_add(second);
        second = second.wrapping_add(order(*other)).wrapping_add(first);
    }
    [first, second]
}

#[cfg(test)]
mod tests {
    use super::*;
    use sea_orm::{ConnectOptions, ConnectionTrait, Database};

    /// A log of ten commits, written by SQLite.
    async fn written() -> Vec<u8> {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("store.db");
        let mut options = ConnectOptions::new(format!("sqlite://{}?mode=rwc", path.display()));
        options.max_connections(1).sqlx_logging(false);
        let database = Database::connect(options).await.expect("connected");
        database.execute_unprepared("PRAGMA journal_mode = WAL").await.expect("set");
        database.execute_unprepared("CREATE TABLE line (text TEXT)").await.expect("created");
        for _ in 0..9 {
            let insert = "INSERT INTO line VALUES (hex(randomblob(3000)))";
            database.execute_unprepared(insert).await.expect("inserted");
        }
        std::fs::read(folder.path().join("store.db-wal")).expect("the log")
    }

    fn read(bytes: &[u8]) -> Wal {
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), bytes).expect("written");
        Wal::read(file.path()).expect("read").expect("there")
    }

    #[tokio::test]
    async fn frames_are_counted_and_damage_is_seen() {
        let bytes = written().await;
        let frame = 4_096 + FRAME_HEADER;
        let sound = read(&bytes);
        assert!(sound.present >= 10 && !sound.is_damaged() && !sound.is_cut, "{sound:?}");
        assert_eq!((sound.valid, sound.committed), (sound.present, sound.present));

        let cut = read(&bytes[..bytes.len() - 1]);
        assert!(cut.is_cut && !cut.is_damaged(), "{cut:?}");
        assert_eq!(cut.valid, sound.present - 1);

        let mut flipped = bytes.clone();
        flipped[HEADER + 4 * frame + 100] ^= 1;
        let flipped = read(&flipped);
        assert_eq!((flipped.valid, flipped.present), (4, sound.present));
        assert!(flipped.lost_commits > 1, "{flipped:?}");

        let mut headless = bytes.clone();
        headless[9] ^= 1;
        assert!(read(&headless).is_headless);
        assert!(read(&bytes[..20]).is_headless);
        assert_eq!(read(&[]), Wal::default());
    }

    #[tokio::test]
    async fn frames_of_an_earlier_generation_are_no_damage() {
        let mut bytes = written().await;
        let frame = 4_096 + FRAME_HEADER;
        for old in bytes[HEADER + 4 * frame..].chunks_mut(frame) {
            old[8] ^= 1;
        }
        let wal = read(&bytes);
        assert_eq!((wal.valid, wal.lost_commits), (4, 0));
    }
}
