//! Images: how large they are, and a small preview. Whatever claims to be one is decoded within limits, so that a
//! few bytes that unfold to gigabytes come to nothing.

use crate::domain::limits;
use ::image::metadata::Orientation;
use ::image::{DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader, Limits};
use std::io::{BufRead, Cursor, Seek};

/// Bytes of a decoded image at most: four for each pixel.
const MEMORY: u64 = limits::IMAGE_PIXELS * 4;

/// What is known of an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    /// In pixels, as it is looked at.
    pub width: u32,
    /// In pixels, as it is looked at.
    pub height: u32,
    /// The media type of its preview.
    pub preview_type: &'static str,
}

/// What is known of the image, and its preview; `None` where it is none, or too large.
pub(super) fn look_at(bytes: impl BufRead + Seek, media_type: &str) -> Option<(Picture, Vec<u8>)> {
    let format = ImageFormat::from_mime_type(media_type)?;
    draw(bytes, format).ok()
}

fn draw(bytes: impl BufRead + Seek, format: ImageFormat) -> Result<(Picture, Vec<u8>), ImageError> {
    let mut bounds = Limits::default();
    bounds.max_image_width = Some(limits::IMAGE_SIDE);
    bounds.max_image_height = Some(limits::IMAGE_SIDE);
    bounds.max_alloc = Some(MEMORY);
    let mut reader = ImageReader::with_format(bytes, format);
    reader.limits(bounds.clone());
    let mut decoder = reader.into_decoder()?;
    bounds.reserve(decoder.total_bytes())?;
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let image = DynamicImage::from_decoder(decoder)?;
    let (mut width, mut height) = (image.width(), image.height());
    let side = limits::PREVIEW_SIDE;
    let mut small = if width.max(height) > side { image.thumbnail(side, side) } else { image.clone() };
    drop(image);
    small.apply_orientation(orientation);
    if is_turned(orientation) {
        (width, height) = (height, width);
    }
    let mut preview = Cursor::new(Vec::new());
    let preview_type = if small.color().has_alpha() {
        DynamicImage::ImageRgba8(small.to_rgba8()).write_to(&mut preview, ImageFormat::Png)?;
        "image/png"
    } else {
        DynamicImage::ImageRgb8(small.to_rgb8()).write_to(&mut preview, ImageFormat::Jpeg)?;
        "image/jpeg"
    };
    Ok((Picture { width, height, preview_type }, preview.into_inner()))
}

/// Whether what was its width is its height, as it is looked at.
fn is_turned(orientation: Orientation) -> bool {
    match orientation {
        Orientation::Rotate90
        | Orientation::Rotate270
        | Orientation::Rotate90FlipH
        | Orientation::Rotate270FlipH => true,
        Orientation::NoTransforms
        | Orientation::Rotate180
        | Orientation::FlipHorizontal
        | Orientation::FlipVertical => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ::image::{ColorType, ExtendedColorType, ImageEncoder};

    fn encoded(image: &DynamicImage, format: ImageFormat) -> Vec<u8> {
        let mut bytes = Cursor::new(Vec::new());
        image.write_to(&mut bytes, format).expect("an image");
        bytes.into_inner()
    }

    #[test]
    fn a_preview_fits_its_side_and_keeps_what_is_seen_through() {
        let tall = encoded(&DynamicImage::new_rgb8(200, 900), ImageFormat::Png);
        let (picture, preview) = look_at(Cursor::new(tall), "image/png").expect("an image");
        assert_eq!(picture, Picture { width: 200, height: 900, preview_type: "image/jpeg" });
        let preview = ::image::load_from_memory(&preview).expect("a preview");
        assert_eq!((preview.width(), preview.height()), (71, 320));
        let clear = encoded(&DynamicImage::new_rgba8(10, 5), ImageFormat::WebP);
        let (picture, preview) = look_at(Cursor::new(clear), "image/webp").expect("an image");
        assert_eq!(picture, Picture { width: 10, height: 5, preview_type: "image/png" });
        let preview = ::image::load_from_memory(&preview).expect("a preview");
        assert_eq!((preview.width(), preview.color()), (10, ColorType::Rgba8));
    }

    #[test]
    fn an_image_that_lies_on_its_side_is_shown_upright() {
        let image = DynamicImage::new_rgb8(40, 20);
        let mut jpeg = Vec::new();
        let mut encoder = ::image::codecs::jpeg::JpegEncoder::new(&mut jpeg);
        // Exif: one entry, orientation (0x112), a short, 6: turned by a quarter.
        let exif = b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0".to_vec();
        encoder.set_exif_metadata(exif).expect("Exif");
        encoder.write_image(image.as_bytes(), 40, 20, ExtendedColorType::Rgb8).expect("an image");
        let (picture, preview) = look_at(Cursor::new(jpeg), "image/jpeg").expect("an image");
        assert_eq!((picture.width, picture.height), (20, 40));
        let preview = ::image::load_from_memory(&preview).expect("a preview");
        assert_eq!((preview.width(), preview.height()), (20, 40));
    }

    #[test]
    fn what_unfolds_to_gigabytes_or_is_cut_off_is_no_image() {
        let mut bomb = encoded(&DynamicImage::new_rgb8(1, 1), ImageFormat::Png);
        for (width, height) in [(60_000_u32, 60_000_u32), (20_000, 20_000), (u32::MAX, 1)] {
            bomb[16..20].copy_from_slice(&width.to_be_bytes());
            bomb[20..24].copy_from_slice(&height.to_be_bytes());
            let checksum = crc(&bomb[12..29]);
            bomb[29..33].copy_from_slice(&checksum.to_be_bytes());
            assert_eq!(look_at(Cursor::new(bomb.clone()), "image/png"), None, "{width} x {height}");
        }
        let whole = encoded(&DynamicImage::new_rgb8(300, 300), ImageFormat::Png);
        assert!(look_at(Cursor::new(whole.clone()), "image/png").is_some());
        assert_eq!(look_at(Cursor::new(whole[..whole.len() / 2].to_vec()), "image/png"), None);
        assert_eq!(look_at(Cursor::new(whole), "image/jpeg"), None);
    }

    /// The checksum of a PNG's chunk.
    fn crc(bytes: &[u8]) -> u32 {
        !bytes.iter().fold(u32::MAX, |crc, byte| {
            (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
                if crc & 1 == 1 { (crc >> 1) ^ 0xEDB8_8320 } else { crc >> 1 }
            })
        })
    }
}
