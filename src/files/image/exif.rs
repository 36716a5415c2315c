//! The only Exif entry that is kept: the orientation, so that photos are shown upright.

use super::kept::{be16, be32, le16, le32};

/// The tag of the orientation (Exif 2.32 section 4.6.4).
const ORIENTATION: u16 = 0x0112;
/// The type of a two-byte number.
const SHORT: u16 = 3;

/// The orientation in a block of Exif (a TIFF header with its directory): 1 (upright) to 8.
pub(super) fn orientation(exif: &[u8]) -> Option<u8> {
    let is_little = match exif.get(..4)? {
        b"II*\0" => true,
        b"MM\0*" => false,
        _ => return None,
    };
    let short = |at| if is_little { le16(exif, at) } else { be16(exif, at) };
    let long = |at| if is_little { le32(exif, at) } else { be32(exif, at) };
    let directory = usize::try_from(long(4)?).ok()?;
    let entries = usize::from(short(directory)?);
    let mut entries = (0..entries).map(|number| directory + 2 + number * 12);
    let entry = entries.find(|at| short(*at) == Some(ORIENTATION) && short(at + 2) == Some(SHORT))?;
    u8::try_from(short(entry + 8)?).ok().filter(|orientation| (1..=8).contains(orientation))
}

/// A block of Exif that holds only an orientation.
pub(super) fn only(orientation: u8) -> Vec<u8> {
    let mut exif = b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0".to_vec();
    exif.extend([orientation, 0, 0, 0, 0, 0, 0, 0]);
    exif
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orientation_is_found_in_both_byte_orders() {
        for turned in 1..=8 {
            assert_eq!(orientation(&only(turned)), Some(turned));
        }
        let big =
            b"MM\0*\0\0\0\x08\0\x02\x01\x0F\0\x02\0\0\0\x04ABC\0\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0";
        assert_eq!(orientation(big), Some(6));
        for broken in [&b""[..], b"II*\0", b"II*\0\xFF\xFF\xFF\xFF", &only(9), &only(0), &only(6)[..18]] {
            assert_eq!(orientation(broken), None);
        }
    }
}
