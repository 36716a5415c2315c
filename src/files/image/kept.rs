//! The parts of a file that are kept, in order: ranges of its bytes, and new bytes between them.

use bytes::Bytes;
use std::ops::Range;

/// The stored form of a file, described by parts of the original.
#[derive(Debug, Default)]
pub(in crate::files) struct Kept(Vec<Piece>);

#[derive(Debug)]
enum Piece {
    Old(Range<usize>),
    New(Vec<u8>),
}

impl Kept {
    /// Keeps a range that starts at or after the end of the previous one.
    pub(super) fn keep(&mut self, range: Range<usize>) {
        if range.is_empty() {
            return;
        }
        match self.0.last_mut() {
            Some(Piece::Old(last)) if last.end == range.start => last.end = range.end,
            Some(_) | None => self.0.push(Piece::Old(range)),
        }
    }

    /// Adds new bytes.
    pub(super) fn add(&mut self, bytes: Vec<u8>) {
        self.0.push(Piece::New(bytes));
    }

    /// The parts. `None` if they are equal to the original file. Copies nothing.
    pub(in crate::files) fn parts(self, file: &Bytes) -> Option<Vec<Bytes>> {
        if let [Piece::Old(range)] = &self.0[..]
            && range.len() == file.len()
        {
            return None;
        }
        let part = |piece| match piece {
            Piece::Old(range) => file.slice(range),
            Piece::New(bytes) => Bytes::from(bytes),
        };
        Some(self.0.into_iter().map(part).collect())
    }
}

/// A two-byte big-endian number.
pub(super) fn be16(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(bytes.get(at..at.checked_add(2)?)?.try_into().ok()?))
}

/// A four-byte big-endian number.
pub(super) fn be32(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(bytes.get(at..at.checked_add(4)?)?.try_into().ok()?))
}

/// A two-byte little-endian number.
pub(super) fn le16(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(bytes.get(at..at.checked_add(2)?)?.try_into().ok()?))
}

/// A three-byte little-endian number.
pub(super) fn le24(bytes: &[u8], at: usize) -> Option<u32> {
    let [low, middle, high] = bytes.get(at..at.checked_add(3)?)?.try_into().ok()?;
    Some(u32::from_le_bytes([low, middle, high, 0]))
}

/// A four-byte little-endian number.
pub(super) fn le32(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at.checked_add(4)?)?.try_into().ok()?))
}
