//! WebP (RFC 9649): chunks of a RIFF file. Pictures, frames and the ICC profile are kept. Exif, XMP, unknown
//! chunks and everything after the end are removed.

use super::Survey;
use super::exif;
use super::kept::{Kept, le16, le24, le32};

/// The flags of the extended header.
const ANIMATED: u8 = 0x02;
const XMP: u8 = 0x04;
const EXIF: u8 = 0x08;
const ALPHA: u8 = 0x10;

/// The maximum size in bytes of a lossless image's code tables, per byte of its data: the shortest
/// description of a table of 4 KiB has 12 bytes.
const TABLES_FOR_BYTE: u64 = 350;
/// The maximum size in bytes of the tables of one group of codes.
const GROUP: u64 = 5 * 4 * 1024;

#[derive(Default)]
struct Found {
    /// The width and height.
    canvas: Option<(u32, u32)>,
    flags: u8,
    orientation: Option<u8>,
    /// The number of bytes of lossy data, of lossless data and of the alpha channel.
    lossy: u64,
    lossless: u64,
    alpha: u64,
    /// The number of bytes and pixels of the largest frame.
    frames: (u64, u64),
}

pub(super) fn survey(bytes: &[u8]) -> Option<Survey> {
    if !bytes.starts_with(b"RIFF") || bytes.get(8..12)? != b"WEBP" {
        return None;
    }
    let end_of_file = (8 + usize::try_from(le32(bytes, 4)?).ok()?).min(bytes.len());
    let mut found = Found::default();
    let mut chunks = Vec::new();
    let mut at = 12;
    while at + 8 <= end_of_file {
        let length = usize::try_from(le32(bytes, at + 4)?).ok()?;
        let end = (at + 8).checked_add(length)?;
        let body = bytes.get(at + 8..end)?;
        // Chunks start at even offsets. The padding of the last one may be missing.
        let next = (end + (length & 1)).min(bytes.len());
        if found.take(bytes.get(at..at + 4)?, body)? {
            chunks.push(at..next);
        }
        at = next;
    }
    let (width, height) = found.canvas?;
    let orientation = found.orientation.unwrap_or(1);
    let mut kept = Kept::default();
    let mut total = 4 + chunks.iter().map(ExactSizeIterator::len).sum::<usize>();
    let exif = (orientation != 1).then(|| exif::only(orientation));
    total += exif.as_ref().map_or(0, |exif| 8 + exif.len());
    let is_clean = found.flags & XMP == 0 && (found.flags & EXIF != 0) == exif.is_some();
    if is_clean && total + 8 == bytes.len() {
        kept.keep(0..bytes.len());
    } else {
        kept.add([b"RIFF", &u32::try_from(total).ok()?.to_le_bytes()[..], b"WEBP"].concat());
        for chunk in chunks {
            if bytes[chunk.clone()].starts_with(b"VP8X") {
                let mut header = bytes[chunk].to_vec();
                header[8] &= !(XMP | EXIF);
                header[8] |= if exif.is_some() { EXIF } else { 0 };
                kept.add(header);
            } else {
                kept.keep(chunk);
            }
        }
        if let Some(exif) = exif {
            let length = u32::try_from(exif.len()).unwrap_or_default().to_le_bytes();
            kept.add([b"EXIF", &length[..], &exif].concat());
        }
    }
    let memory = found.memory(width, height);
    Some(Survey { width, height, orientation, memory, kept })
}

impl Found {
    /// Records the contents of a chunk. Returns whether it is kept, or `None` if it is invalid.
    fn take(&mut self, name: &[u8], body: &[u8]) -> Option<bool> {
        let length = body.len() as u64;
        match name {
            b"VP8X" => {
                self.flags = *body.first()?;
                self.canvas = Some((le24(body, 4)? + 1, le24(body, 7)? + 1));
            }
            b"VP8 " => {
                self.lossy += length;
                let sides = (u32::from(le16(body, 6)? & 0x3FFF), u32::from(le16(body, 8)? & 0x3FFF));
                self.canvas.get_or_insert(sides);
            }
            b"VP8L" => {
                self.lossless += length;
                let bits = le32(body, 1)?;
                self.canvas.get_or_insert(((bits & 0x3FFF) + 1, ((bits >> 14) & 0x3FFF) + 1));
                if (bits >> 28) & 1 == 1 {
                    self.flags |= ALPHA;
                }
            }
            b"ALPH" => self.alpha += length,
            b"ANMF" => {
                let pixels = u64::from(le24(body, 6)? + 1) * u64::from(le24(body, 9)? + 1);
                self.frames = (self.frames.0.max(length), self.frames.1.max(pixels));
            }
            b"ANIM" | b"ICCP" => {}
            b"EXIF" => {
                // Some programs put a JPEG segment's marker before it.
                let exif = body.strip_prefix(b"Exif\0\0").unwrap_or(body);
                // Exif counts only if an extended header announces it.
                self.orientation = exif::orientation(exif).filter(|_| self.flags & EXIF != 0);
                return Some(false);
            }
            _ => return Some(false),
        }
        Some(true)
    }

    /// The memory of the decoder in bytes.
    fn memory(&self, width: u32, height: u32) -> u64 {
        let pixels = u64::from(width) * u64::from(height);
        let channels = if self.flags & ALPHA == 0 { 3 } else { 4 };
        let out = channels * pixels;
        // Macroblocks of 16 by 16 pixels, in one full and two quarter planes.
        let planes = |pixels: u64| pixels + pixels / 2 + u64::from(width + height) * 48;
        if self.flags & ANIMATED != 0 {
            let (bytes, pixels_of_frame) = self.frames;
            return out
                + pixels * 4
                + pixels_of_frame * 9
                + planes(pixels_of_frame)
                + tables(bytes, pixels_of_frame);
        }
        if self.lossless > 0 {
            let written_out = if self.flags & ALPHA == 0 { 4 * pixels } else { 0 };
            return out + written_out + pixels / 2 + tables(self.lossless, pixels);
        }
        let alpha = if self.alpha > 0 { 5 * pixels + tables(self.alpha, pixels) } else { 0 };
        out + planes(pixels) + alpha
    }
}

/// The maximum size in bytes of a lossless image's code tables: there is at most one group per 4 by 4 pixels,
/// and each group must be described.
fn tables(bytes: u64, pixels: u64) -> u64 {
    (bytes * TABLES_FOR_BYTE).min((pixels / 16 + 1).min(65_536) * GROUP)
}
