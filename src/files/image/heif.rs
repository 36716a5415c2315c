//! HEIC and AVIF (ISO/IEC 23008-12): metadata are items next to the image. Their bytes are overwritten with
//! zeros in place, so that no offset in the file changes. The orientation is a separate property and is kept.

use super::kept::{be16, be32};
use std::ops::Range;

/// Overwrites Exif and XMP. Returns whether the file could be parsed as far as necessary. A file without
/// items is valid.
pub(in crate::files) fn blank(file: &mut [u8]) -> bool {
    let Some(ranges) = metadata(file) else { return false };
    for range in ranges {
        if let Some(bytes) = file.get_mut(range) {
            bytes.fill(0);
        }
    }
    true
}

/// The ranges of the metadata. `None` if the file cannot be parsed.
fn metadata(file: &[u8]) -> Option<Vec<Range<usize>>> {
    let Some(meta) = boxes(file, 0..file.len())?.into_iter().find(|(name, _)| name == b"meta") else {
        return Some(Vec::new());
    };
    let inner = boxes(file, meta.1.start + 4..meta.1.end)?;
    let find = |name: &[u8; 4]| inner.iter().find(|(other, _)| other == name).map(|(_, range)| range.clone());
    let (Some(infos), Some(places)) = (find(b"iinf"), find(b"iloc")) else { return Some(Vec::new()) };
    let items = items(file, infos)?;
    extents(file, places, find(b"idat").map(|range| range.start), &items)
}

/// The names of the boxes in a range, and the ranges of their contents.
fn boxes(file: &[u8], within: Range<usize>) -> Option<Vec<([u8; 4], Range<usize>)>> {
    let (mut found, mut at) = (Vec::new(), within.start);
    while at + 8 <= within.end {
        let name: [u8; 4] = file.get(at + 4..at + 8)?.try_into().ok()?;
        let (head, length) = match be32(file, at)? {
            0 => (8, within.end - at),
            1 => (
                16,
                usize::try_from((u64::from(be32(file, at + 8)?) << 32) | u64::from(be32(file, at + 12)?))
                    .ok()?,
            ),
            length => (8, usize::try_from(length).ok()?),
        };
        let end = at.checked_add(length)?;
        if length < head || end > within.end {
            return None;
        }
        found.push((name, at + head..end));
        at = end;
    }
    Some(found)
}

/// The ids of the items that are metadata.
fn items(file: &[u8], infos: Range<usize>) -> Option<Vec<u32>> {
    // The version and flags, then a count: two bytes in version 0, four bytes in later ones.
    let skipped = if *file.get(infos.start)? == 0 { 6 } else { 8 };
    let mut found = Vec::new();
    for (name, entry) in boxes(file, infos.start + skipped..infos.end)? {
        if &name != b"infe" {
            continue;
        }
        let (id, kind) = match *file.get(entry.start)? {
            2 => (be16(file, entry.start + 4)?.into(), entry.start + 8),
            3 => (be32(file, entry.start + 4)?, entry.start + 10),
            _ => return None,
        };
        let is_metadata = match file.get(kind..kind + 4)? {
            b"Exif" => true,
            // The type follows the name. XMP has an RDF type.
            b"mime" => file.get(kind..entry.end)?.windows(3).any(|bytes| bytes == b"rdf"),
            _ => false,
        };
        if is_metadata {
            found.push(id);
        }
    }
    Some(found)
}

/// The ranges of the items in the file.
fn extents(
    file: &[u8],
    places: Range<usize>,
    idat: Option<usize>,
    items: &[u32],
) -> Option<Vec<Range<usize>>> {
    let version = *file.get(places.start)?;
    let sizes = be16(file, places.start + 4)?;
    let size = |shift: u16| usize::from((sizes >> shift) & 15);
    let (of_offset, of_length, of_base) = (size(12), size(8), size(4));
    let of_index = if version == 0 { 0 } else { size(0) };
    let mut at = places.start + 6;
    let mut number = |size: usize| {
        let start = at;
        at += size;
        let bytes = file.get(start..at).filter(|_| at <= places.end && size <= 8)?;
        usize::try_from(bytes.iter().fold(0_u64, |sum, byte| (sum << 8) | u64::from(*byte))).ok()
    };
    let count = number(if version < 2 { 2 } else { 4 })?;
    let mut found = Vec::new();
    for _ in 0..count {
        let id = u32::try_from(number(if version < 2 { 2 } else { 4 })?).ok()?;
        let method = if version == 0 { 0 } else { number(2)? & 15 };
        let _data_reference = number(2)?;
        let mut base = number(of_base)?;
        if method == 1 {
            base = base.checked_add(idat?)?;
        }
        for _ in 0..number(2)? {
            let _index = number(of_index)?;
            let start = base.checked_add(number(of_offset)?)?;
            let length = number(of_length)?;
            if items.contains(&id) {
                // An item that is built from others has no bytes of its own.
                let end = if length == 0 { file.len() } else { start.checked_add(length)? };
                found.extend((method < 2 && end <= file.len()).then_some(start..end));
            }
        }
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn boxed(name: &[u8], body: &[u8]) -> Vec<u8> {
        [&u32::try_from(body.len() + 8).expect("short").to_be_bytes(), name, body].concat()
    }

    /// A file with an image, Exif, XMP and another text.
    fn heic() -> Vec<u8> {
        let infe = |id: u8, kind: &[u8], rest: &[u8]| {
            boxed(b"infe", &[&[2, 0, 0, 0, 0, id, 0, 0], kind, rest].concat())
        };
        let build = |offset: u32| {
            let infos = [
                &[0, 0, 0, 0, 0, 4][..],
                &infe(1, b"hvc1", b"\0"),
                &infe(2, b"Exif", b"\0"),
                &infe(3, b"mime", b"\0application/rdf+xml\0"),
                &infe(4, b"mime", b"\0text/plain\0"),
            ];
            let mut places = vec![0, 0, 0, 0, 0x44, 0, 0, 4];
            for (id, start) in [(1_u8, 0), (2, 10), (3, 20), (4, 30)] {
                places.extend([0, id, 0, 0, 0, 1]);
                places.extend((offset + start).to_be_bytes());
                places.extend(10_u32.to_be_bytes());
            }
            let meta = [&[0; 4][..], &boxed(b"iinf", &infos.concat()), &boxed(b"iloc", &places)].concat();
            [boxed(b"ftyp", b"heic\0\0\0\0"), boxed(b"meta", &meta)].concat()
        };
        let offset = u32::try_from(build(0).len() + 8).expect("short");
        [build(offset), boxed(b"mdat", b"a picture..CameraInc.a place...a caption.")].concat()
    }

    #[test]
    fn exif_and_xmp_are_overwritten_and_nothing_else_moves() {
        let before = heic();
        let mut after = before.clone();
        assert!(blank(&mut after));
        let mdat = before.len() - 41;
        assert_eq!(after[..mdat + 10], before[..mdat + 10]);
        assert_eq!(after[mdat + 10..mdat + 30], [0; 20]);
        assert_eq!(after[mdat + 30..], before[mdat + 30..]);
    }

    #[test]
    fn broken_file_is_read_without_a_panic() {
        let file = heic();
        for at in 0..file.len() {
            let _ = blank(&mut file[..at].to_vec());
            for byte in [0, 1, 0x7F, 0xFF] {
                let mut changed = file.clone();
                changed[at] = byte;
                let _ = blank(&mut changed);
            }
        }
        assert!(blank(&mut boxed(b"ftyp", b"avif")), "there is nothing to find");
    }
}
