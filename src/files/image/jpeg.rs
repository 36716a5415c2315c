//! JPEG (ITU T.81): segments up to the end of the image. Tables, frames, scans, `JFIF`, Adobe's color
//! transform and the ICC profile are kept. Exif, XMP, IPTC, comments, thumbnails, proprietary segments and
//! everything after the end are removed.

use super::Survey;
use super::exif;
use super::kept::{Kept, be16};

const EXIF: &[u8] = b"Exif\0\0";

/// A frame header.
struct Frame {
    width: u32,
    height: u32,
    is_progressive: bool,
    /// The sampling factors of each component, horizontal and vertical.
    components: Vec<(u64, u64)>,
}

pub(super) fn survey(bytes: &[u8]) -> Option<Survey> {
    if !bytes.starts_with(b"\xFF\xD8") {
        return None;
    }
    let mut kept = Kept::default();
    kept.keep(0..2);
    let (mut frame, mut first_scan, mut orientation) = (None, None, 1);
    let mut at = 2;
    // A file that is cut off before its end marker is still shown by all viewers, so it is accepted.
    while let Some(start) = next_marker(bytes, at) {
        let code = *bytes.get(start + 1)?;
        if is_alone(code) {
            at = start + 2;
            kept.keep(start..at);
            if code == 0xD9 {
                break;
            }
            continue;
        }
        let end = start + 2 + usize::from(be16(bytes, start + 2)?);
        let body = bytes.get(start + 4..end)?;
        at = end;
        match code {
            0xC0..=0xC3 | 0xC5..=0xC7 | 0xC9..=0xCB | 0xCD..=0xCF => {
                if frame.replace(frame_of(code, body)?).is_some() {
                    return None;
                }
                kept.keep(start..end);
            }
            0xDA => {
                first_scan.get_or_insert(*body.first()?);
                at = end_of_scan(bytes, end);
                kept.keep(start..at);
            }
            0xE1 if body.starts_with(EXIF) => {
                if let Some(found) = exif::orientation(&body[EXIF.len()..]).filter(|found| *found != 1) {
                    orientation = found;
                    kept.add(exif_segment(found));
                }
            }
            0xE0..=0xEF | 0xFE => {
                if is_kept(code, body) {
                    kept.keep(start..end);
                }
            }
            _ => kept.keep(start..end),
        }
    }
    let frame = frame?;
    let memory = memory(&frame, first_scan?, bytes.len());
    Some(Survey { width: frame.width, height: frame.height, orientation, memory, kept })
}

/// The position of the next marker. The bytes before it are ignored.
fn next_marker(bytes: &[u8], from: usize) -> Option<usize> {
    let rest = bytes.get(from..)?;
    rest.windows(2).position(|pair| pair[0] == 0xFF && pair[1] != 0 && pair[1] != 0xFF).map(|at| from + at)
}

/// The end of a scan's data: the next marker that is not a restart.
fn end_of_scan(bytes: &[u8], from: usize) -> usize {
    let mut at = from;
    while let Some(marker) = next_marker(bytes, at) {
        if !matches!(bytes.get(marker + 1), Some(0xD0..=0xD7)) {
            return marker;
        }
        at = marker + 2;
    }
    bytes.len()
}

/// Whether the marker has no segment.
fn is_alone(code: u8) -> bool {
    matches!(code, 0x01 | 0xD0..=0xD9)
}

/// Whether a comment or an application's segment is needed to show the image.
fn is_kept(code: u8, body: &[u8]) -> bool {
    match code {
        0xE0 => body.starts_with(b"JFIF\0"),
        0xE2 => body.starts_with(b"ICC_PROFILE\0"),
        0xEE => body.starts_with(b"Adobe"),
        _ => false,
    }
}

fn exif_segment(orientation: u8) -> Vec<u8> {
    let exif = exif::only(orientation);
    let length = u8::try_from(2 + EXIF.len() + exif.len()).unwrap_or_default();
    [&[0xFF, 0xE1, 0, length], EXIF, &exif].concat()
}

fn frame_of(code: u8, body: &[u8]) -> Option<Frame> {
    let (height, width) = (be16(body, 1)?, be16(body, 3)?);
    let components = body.get(6..6 + 3 * usize::from(*body.get(5)?))?.chunks_exact(3);
    let factors = |component: &[u8]| (u64::from(component[1] >> 4), u64::from(component[1] & 15));
    Some(Frame {
        width: width.into(),
        height: height.into(),
        is_progressive: code == 0xC2,
        components: components.map(factors).collect(),
    })
}

/// The memory of the decoder in bytes: a copy of the file, the pixels, rows of every component and, if the
/// first scan is not complete for each pixel, all coefficients.
fn memory(frame: &Frame, first_scan: u8, file: usize) -> u64 {
    let (width, height) = (u64::from(frame.width), u64::from(frame.height));
    let count = frame.components.len() as u64;
    let channels = if count == 1 { 1 } else { 3 };
    let mut memory = file as u64 + width * height * channels + width * count * 200;
    if frame.is_progressive || u64::from(first_scan) < count {
        let most =
            |factor: fn(&(u64, u64)) -> u64| frame.components.iter().map(factor).max().unwrap_or(1).max(1);
        let (across, down) = (most(|factors| factors.0), most(|factors| factors.1));
        let units = width.div_ceil(8 * across) * height.div_ceil(8 * down);
        let blocks: u64 = frame.components.iter().map(|(across, down)| across * down).sum();
        memory += units * blocks * 64 * 2;
    }
    memory
}
