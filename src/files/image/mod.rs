//! Images: dimensions, removal of metadata, and previews.
//!
//! A parser for each format first reads the structure of the file, so that the memory for decoding is known
//! before anything is decoded. Metadata about the photographer, such as place, camera and times, is removed
//! without touching the pixels.

mod exif;
mod gif;
pub(super) mod heif;
mod jpeg;
mod kept;
mod png;
mod webp;

use crate::domain::limits;
use ::image::metadata::Orientation;
use ::image::{DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader, Limits};
use kept::Kept;
use std::io::Cursor;

/// The additional memory of a decoder in bytes, besides what is computed: its state, the preview, and
/// rounding by the allocator.
const SLACK: u64 = 4 * 1024 * 1024;

/// The dimensions and the preview of an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    /// The width in pixels, after rotation.
    pub width: u32,
    /// The height in pixels, after rotation.
    pub height: u32,
    /// The media type of its preview. Absent if decoding it would take more memory than allowed.
    pub preview_type: Option<&'static str>,
}

/// The structure of an image file, read before it is decoded.
#[derive(Debug)]
pub(super) struct Survey {
    /// The width in pixels, as stored.
    width: u32,
    height: u32,
    /// The rotation to apply for display: 1 (none) to 8, as in Exif.
    orientation: u8,
    /// The memory of the decoder in bytes, besides the file.
    memory: u64,
    /// The file without its metadata.
    pub kept: Kept,
}

impl Survey {
    /// The image, before its preview is made.
    pub(super) fn picture(&self) -> Picture {
        let (mut width, mut height) = (self.width, self.height);
        if is_turned(self.orientation()) {
            (width, height) = (height, width);
        }
        Picture { width, height, preview_type: None }
    }

    /// The memory in bytes for decoding and the preview, besides the file.
    pub(super) fn memory(&self) -> u64 {
        self.memory.saturating_add(SLACK)
    }

    fn orientation(&self) -> Orientation {
        Orientation::from_exif(self.orientation).unwrap_or(Orientation::NoTransforms)
    }
}

/// Reads the structure of the file. `None` if it is not an image of this type, or has too many pixels.
pub(super) fn survey(file: &[u8], media_type: &str) -> Option<Survey> {
    let survey = match media_type {
        "image/jpeg" => jpeg::survey(file),
        "image/png" => png::survey(file),
        "image/gif" => gif::survey(file),
        "image/webp" => webp::survey(file),
        _ => None,
    }?;
    let (width, height) = (survey.width, survey.height);
    let is_fine = width.min(height) > 0
        && width.max(height) <= limits::IMAGE_SIDE
        && u64::from(width) * u64::from(height) <= limits::IMAGE_PIXELS;
    is_fine.then_some(survey)
}

/// The preview of an image and its media type. `None` if it cannot be decoded.
pub(super) fn preview(file: &[u8], media_type: &str, survey: &Survey) -> Option<(&'static str, Vec<u8>)> {
    draw(file, ImageFormat::from_mime_type(media_type)?, survey).ok()
}

fn draw(file: &[u8], format: ImageFormat, survey: &Survey) -> Result<(&'static str, Vec<u8>), ImageError> {
    let mut bounds = Limits::default();
    bounds.max_image_width = Some(limits::IMAGE_SIDE);
    bounds.max_image_height = Some(limits::IMAGE_SIDE);
    bounds.max_alloc = Some(survey.memory());
    let mut reader = ImageReader::with_format(Cursor::new(file), format);
    reader.limits(bounds.clone());
    let decoder = reader.into_decoder()?;
    bounds.reserve(decoder.total_bytes())?;
    let image = DynamicImage::from_decoder(decoder)?;
    let side = limits::PREVIEW_SIDE;
    let mut small =
        if image.width().max(image.height()) > side { image.thumbnail(side, side) } else { image.clone() };
    drop(image);
    small.apply_orientation(survey.orientation());
    let mut preview = Cursor::new(Vec::new());
    let preview_type = if small.color().has_alpha() {
        DynamicImage::ImageRgba8(small.to_rgba8()).write_to(&mut preview, ImageFormat::Png)?;
        "image/png"
    } else {
        DynamicImage::ImageRgb8(small.to_rgb8()).write_to(&mut preview, ImageFormat::Jpeg)?;
        "image/jpeg"
    };
    Ok((preview_type, preview.into_inner()))
}

/// Whether the rotation swaps width and height.
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
mod tests;
