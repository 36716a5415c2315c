//! GIF (89a): blocks up to the trailer. Images, their controls, and application blocks for loop counts and
//! color profiles are kept. Comments, XMP and other application blocks are removed.

use super::Survey;
use super::kept::{Kept, le16};

/// The names of applications whose blocks are kept.
const KEPT: [&[u8]; 3] = [b"NETSCAPE2.0", b"ANIMEXTS1.0", b"ICCRGBG1012"];

pub(super) fn survey(bytes: &[u8]) -> Option<Survey> {
    if !bytes.starts_with(b"GIF87a") && !bytes.starts_with(b"GIF89a") {
        return None;
    }
    let (width, height) = (le16(bytes, 6)?, le16(bytes, 8)?);
    let mut at = 13 + colors(*bytes.get(10)?);
    bytes.get(..at)?;
    let mut kept = Kept::default();
    kept.keep(0..at);
    let mut frame = None;
    while let Some(kind) = bytes.get(at) {
        let start = at;
        match kind {
            0x2C => {
                let (left, across, down) = (le16(bytes, at + 1)?, le16(bytes, at + 5)?, le16(bytes, at + 7)?);
                frame.get_or_insert((left, across, down));
                at = end_of_blocks(bytes, at + 11 + colors(*bytes.get(at + 9)?));
                kept.keep(start..at);
            }
            0x21 => {
                at = end_of_blocks(bytes, at + 2);
                let is_kept = match *bytes.get(start + 1)? {
                    0xFE => false,
                    0xFF => bytes.get(start + 3..start + 14).is_some_and(|name| KEPT.contains(&name)),
                    _ => true,
                };
                if is_kept {
                    kept.keep(start..at);
                }
            }
            0x3B => {
                at += 1;
                kept.keep(start..at);
                break;
            }
            _ => return None,
        }
    }
    let (left, across, down) = frame?;
    let mut memory = u64::from(width) * u64::from(height) * 4 + 1024 * 1024;
    if left != 0 || across != width {
        memory += u64::from(across) * u64::from(down) * 4;
    }
    Some(Survey { width: width.into(), height: height.into(), orientation: 1, memory, kept })
}

/// The size in bytes of the color table announced by a packed byte.
fn colors(packed: u8) -> usize {
    if packed & 0x80 == 0 { 0 } else { 3 << ((packed & 7) + 1) }
}

/// The end of a chain of blocks, each of which starts with its length. For a truncated file, the end of the
/// file.
fn end_of_blocks(bytes: &[u8], from: usize) -> usize {
    let mut at = from;
    while let Some(length) = bytes.get(at) {
        at += 1 + usize::from(*length);
        if *length == 0 {
            return at;
        }
    }
    bytes.len()
}
