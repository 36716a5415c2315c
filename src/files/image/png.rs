//! PNG (third edition): chunks up to the end of the image. Critical chunks, and chunks for colors,
//! transparency and frames are kept. Texts, Exif, times, private chunks and everything after the end are
//! removed.

use super::Survey;
use super::exif;
use super::kept::{Kept, be32};

const MARK: &[u8] = b"\x89PNG\r\n\x1a\n";

/// Ancillary chunks that are needed to show the image.
const KEPT: [&[u8]; 16] = [
    b"acTL", b"bKGD", b"cHRM", b"cICP", b"cLLI", b"fcTL", b"fdAT", b"gAMA", b"hIST", b"iCCP", b"mDCV",
    b"pHYs", b"sBIT", b"sPLT", b"sRGB", b"tRNS",
];

pub(super) fn survey(bytes: &[u8]) -> Option<Survey> {
    if !bytes.starts_with(MARK) {
        return None;
    }
    let mut kept = Kept::default();
    kept.keep(0..MARK.len());
    let (mut header, mut is_transparent, mut orientation) = (None, false, 1);
    let mut at = MARK.len();
    while let Some(length) = be32(bytes, at) {
        let end = at.checked_add(12)?.checked_add(usize::try_from(length).ok()?)?;
        let chunk = bytes.get(at..end)?;
        let (name, body) = (&chunk[4..8], &chunk[8..chunk.len() - 4]);
        match name {
            b"IHDR" if header.is_none() => header = Some(body.get(..13)?),
            b"eXIf" => {
                if let Some(found) = exif::orientation(body).filter(|found| *found != 1) {
                    orientation = found;
                    kept.add(self::chunk(*b"eXIf", &exif::only(found)));
                }
            }
            b"tRNS" => is_transparent = true,
            _ => {}
        }
        // The name of a critical chunk starts with a capital letter.
        if name[0].is_ascii_uppercase() || KEPT.contains(&name) {
            kept.keep(at..end);
        }
        at = end;
        if name == b"IEND" {
            break;
        }
    }
    let header = header?;
    let (width, height) = (be32(header, 0)?, be32(header, 4)?);
    let memory = memory(width, height, header[8], header[9], is_transparent);
    Some(Survey { width, height, orientation, memory, kept })
}

/// The memory of the decoder in bytes: the pixels, with palettes expanded, and rows.
fn memory(width: u32, height: u32, depth: u8, color: u8, is_transparent: bool) -> u64 {
    let channels = match (color, is_transparent) {
        (0, false) => 1,
        (0, true) | (4, _) => 2,
        (2 | 3, false) => 3,
        _ => 4,
    };
    let bytes = if depth == 16 { 2 } else { 1 };
    (u64::from(width).saturating_mul(height.into()).saturating_mul(channels * bytes))
        .saturating_add(u64::from(width).saturating_mul(64))
}

fn chunk(name: [u8; 4], body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len()).unwrap_or_default().to_be_bytes();
    let checksum = checksum(&[&name[..], body].concat()).to_be_bytes();
    [&length, &name[..], body, &checksum].concat()
}

/// The CRC-32 of a chunk's name and body.
pub(super) fn checksum(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |sum, byte| {
        (0..8).fold(
            sum ^ u32::from(*byte),
            |sum, _| if sum & 1 == 1 { (sum >> 1) ^ 0xEDB8_8320 } else { sum >> 1 },
        )
    })
}
