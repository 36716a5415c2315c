//! Tests with images of each format as programs write them: kept parts, dimensions and previews.

use super::png::checksum;
use super::*;
use ::image::{ColorType, ExtendedColorType, ImageEncoder};
use bytes::Bytes;

fn encoded(image: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    image.write_to(&mut bytes, format).expect("an image");
    bytes.into_inner()
}

/// The image with its preview.
fn look_at(file: &[u8], media_type: &str) -> Option<(Picture, Vec<u8>)> {
    let survey = survey(file, media_type)?;
    let (preview_type, preview) = preview(file, media_type, &survey)?;
    Some((Picture { preview_type: Some(preview_type), ..survey.picture() }, preview))
}

/// The part of a file that is stored.
fn stored(file: &[u8], media_type: &str) -> Vec<u8> {
    let survey = survey(file, media_type).expect("an image");
    match survey.kept.parts(&Bytes::copy_from_slice(file)) {
        Some(parts) => parts.concat(),
        None => file.to_vec(),
    }
}

fn has(file: &[u8], text: &str) -> bool {
    file.windows(text.len()).any(|bytes| bytes == text.as_bytes())
}

/// Exif of a camera: its maker and a rotation.
fn of_a_camera() -> Vec<u8> {
    let mut exif =
        b"MM\0*\0\0\0\x08\0\x02\x01\x0F\0\x02\0\0\0\x06\0\0\0\x26\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0"
            .to_vec();
    exif.extend(b"Maker\0");
    exif
}

fn jpeg(width: u32, height: u32, exif: Option<Vec<u8>>) -> Vec<u8> {
    let image = DynamicImage::new_rgb8(width, height);
    let mut file = Vec::new();
    let mut encoder = ::image::codecs::jpeg::JpegEncoder::new(&mut file);
    encoder.set_icc_profile(b"a profile".to_vec()).expect("a profile");
    if let Some(exif) = exif {
        encoder.set_exif_metadata(exif).expect("Exif");
    }
    encoder.write_image(image.as_bytes(), width, height, ExtendedColorType::Rgb8).expect("an image");
    file
}

#[test]
fn preview_fits_its_side_and_keeps_transparency() {
    let tall = encoded(&DynamicImage::new_rgb8(200, 900), ImageFormat::Png);
    let (picture, preview) = look_at(&tall, "image/png").expect("an image");
    assert_eq!(picture, Picture { width: 200, height: 900, preview_type: Some("image/jpeg") });
    let preview = ::image::load_from_memory(&preview).expect("a preview");
    assert_eq!((preview.width(), preview.height()), (71, 320));
    for format in [ImageFormat::WebP, ImageFormat::Png, ImageFormat::Gif] {
        let clear = encoded(&DynamicImage::new_rgba8(10, 5), format);
        let (picture, preview) = look_at(&clear, format.to_mime_type()).expect("an image");
        assert_eq!(picture, Picture { width: 10, height: 5, preview_type: Some("image/png") });
        let preview = ::image::load_from_memory(&preview).expect("a preview");
        assert_eq!((preview.width(), preview.color()), (10, ColorType::Rgba8));
    }
}

#[test]
fn photo_keeps_its_orientation_and_loses_what_else_the_camera_wrote() {
    let plain = jpeg(40, 20, None);
    assert_eq!(stored(&plain, "image/jpeg"), plain, "there is nothing to leave out");
    let mut file = jpeg(40, 20, Some(of_a_camera()));
    // Before the frame: XMP, IPTC, another application's segment, a comment, and a thumbnail.
    for (code, body) in [
        (0xE1, &b"http://ns.adobe.com/xap/1.0/\0secret place"[..]),
        (0xED, b"Photoshop 3.0\08BIM secret caption"),
        (0xE2, b"MPF\0secret second image"),
        (0xEF, b"secret maker"),
        (0xE0, b"JFXX\0secret thumbnail"),
        (0xFE, b"secret comment"),
    ] {
        let length = u16::try_from(body.len() + 2).expect("short").to_be_bytes();
        let segment = [&[0xFF, code], &length[..], body].concat();
        file.splice(2..2, segment);
    }
    // After the end: the video of a motion photo.
    file.extend(b"ftypmp42 secret film");
    let kept = stored(&file, "image/jpeg");
    assert!(has(&kept, "a profile") && has(&kept, "JFIF"));
    assert!(!has(&kept, "Maker") && !has(&kept, "secret"), "{}", String::from_utf8_lossy(&kept));
    for file in [&file, &kept] {
        let (picture, preview) = look_at(file, "image/jpeg").expect("an image");
        assert_eq!((picture.width, picture.height), (20, 40));
        let preview = ::image::load_from_memory(&preview).expect("a preview");
        assert_eq!((preview.width(), preview.height()), (20, 40));
    }
    // The orientation is the only Exif that other programs can read, and the pixels are the same.
    let mut decoder =
        ImageReader::with_format(Cursor::new(&kept), ImageFormat::Jpeg).into_decoder().expect("JPEG");
    assert_eq!(decoder.orientation().expect("an orientation"), Orientation::Rotate90);
    let pixels = |file: &[u8]| ::image::load_from_memory(file).expect("an image").into_bytes();
    assert_eq!(pixels(&kept), pixels(&plain));
    assert_eq!(stored(&kept, "image/jpeg"), kept, "leaving out twice is leaving out once");
}

#[test]
fn png_loses_texts_exif_and_times() {
    let plain = encoded(&DynamicImage::new_rgba8(40, 20), ImageFormat::Png);
    assert_eq!(stored(&plain, "image/png"), plain);
    let chunk = |name: &[u8], body: &[u8]| {
        let length = u32::try_from(body.len()).expect("short").to_be_bytes();
        let named = [name, body].concat();
        [&length, &named[..], &checksum(&named).to_be_bytes()].concat()
    };
    let mut file = plain.clone();
    for (name, body) in [
        (b"tEXt", &b"Author\0secret name"[..]),
        (b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0secret place"),
        (b"zTXt", b"Comment\0\0secret"),
        (b"tIME", b"\x07\xEA\x0B\x14\x0C\0\0"),
        (b"eXIf", &of_a_camera()),
        (b"caBX", b"secret origin"),
        (b"gAMA", &45_455_u32.to_be_bytes()),
    ] {
        let at = 33;
        file.splice(at..at, chunk(name, body));
    }
    file.extend(b"secret end");
    let kept = stored(&file, "image/png");
    assert!(!has(&kept, "secret") && !has(&kept, "Maker") && !has(&kept, "tIME") && has(&kept, "gAMA"));
    let (picture, _) = look_at(&kept, "image/png").expect("an image");
    assert_eq!((picture.width, picture.height), (20, 40));
    assert_eq!(stored(&kept, "image/png"), kept);
}

#[test]
fn webp_loses_exif_and_xmp() {
    let image = DynamicImage::new_rgb8(40, 20);
    let mut file = Vec::new();
    let mut encoder = ::image::codecs::webp::WebPEncoder::new_lossless(&mut file);
    encoder.set_icc_profile(b"a profile".to_vec()).expect("a profile");
    encoder.set_exif_metadata(of_a_camera()).expect("Exif");
    encoder.encode(image.as_bytes(), 40, 20, ExtendedColorType::Rgb8).expect("an image");
    // XMP comes last, and its flag is set.
    let xmp = b"XMP \x0C\0\0\0secret place".to_vec();
    file.extend(xmp);
    let length = u32::try_from(file.len() - 8).expect("short").to_le_bytes();
    file[4..8].copy_from_slice(&length);
    file[20] |= 0x04;
    assert!(has(&file, "Maker"));
    let kept = stored(&file, "image/webp");
    assert!(has(&kept, "a profile") && !has(&kept, "secret") && !has(&kept, "Maker"));
    let (picture, preview) = look_at(&kept, "image/webp").expect("an image");
    assert_eq!((picture.width, picture.height), (20, 40));
    let preview = ::image::load_from_memory(&preview).expect("a preview");
    assert_eq!((preview.width(), preview.height()), (20, 40));
    assert_eq!(stored(&kept, "image/webp"), kept);
    let plain = encoded(&image, ImageFormat::WebP);
    assert_eq!(stored(&plain, "image/webp"), plain);
}

#[test]
fn gif_loses_comments_and_keeps_its_loop() {
    let mut plain = Vec::new();
    let mut encoder = ::image::codecs::gif::GifEncoder::new(&mut plain);
    encoder.set_repeat(::image::codecs::gif::Repeat::Infinite).expect("a loop");
    for _ in 0..2 {
        encoder.encode_frame(::image::Frame::new(::image::RgbaImage::new(40, 20))).expect("a frame");
    }
    drop(encoder);
    assert_eq!(stored(&plain, "image/gif"), plain);
    let colors = if plain[10] & 0x80 == 0 { 0 } else { 3 << ((plain[10] & 7) + 1) };
    let mut file = plain.clone();
    let at = 13 + colors;
    file.splice(at..at, b"\x21\xFE\x0Esecret comment\0\x21\xFF\x0BXMP DataXMP\x06secret\0".iter().copied());
    file[at + 2] = 14;
    file.extend(b"secret end");
    let kept = stored(&file, "image/gif");
    assert!(!has(&kept, "secret") && has(&kept, "NETSCAPE2.0"));
    assert_eq!(kept, plain);
}

#[test]
fn bombs_and_broken_files_are_no_images() {
    let mut bomb = encoded(&DynamicImage::new_rgb8(1, 1), ImageFormat::Png);
    for (width, height) in [(60_000_u32, 60_000_u32), (20_000, 20_000), (u32::MAX, 1), (0, 1)] {
        bomb[16..20].copy_from_slice(&width.to_be_bytes());
        bomb[20..24].copy_from_slice(&height.to_be_bytes());
        let sum = checksum(&bomb[12..29]);
        bomb[29..33].copy_from_slice(&sum.to_be_bytes());
        assert_eq!(look_at(&bomb, "image/png"), None, "{width} x {height}");
    }
    let whole = encoded(&DynamicImage::new_rgb8(300, 300), ImageFormat::Png);
    assert!(look_at(&whole, "image/png").is_some());
    assert_eq!(look_at(&whole[..whole.len() / 2], "image/png"), None);
    assert_eq!(look_at(&whole, "image/jpeg"), None);
}

#[test]
fn any_prefix_and_any_changed_byte_is_surveyed_without_a_panic() {
    let gif = encoded(&DynamicImage::new_rgba8(9, 7), ImageFormat::Gif);
    let webp = encoded(&DynamicImage::new_rgba8(9, 7), ImageFormat::WebP);
    let png = encoded(&DynamicImage::new_rgba8(9, 7), ImageFormat::Png);
    let jpeg = jpeg(9, 7, Some(of_a_camera()));
    for (file, media_type) in
        [(gif, "image/gif"), (webp, "image/webp"), (png, "image/png"), (jpeg, "image/jpeg")]
    {
        for end in 0..file.len() {
            let _ = survey(&file[..end], media_type);
            for byte in [0, 1, 0x7F, 0xFF] {
                let mut changed = file.clone();
                changed[end] = byte;
                let _ = survey(&changed, media_type);
            }
        }
    }
}

#[test]
fn memory_is_known_before_anything_is_decoded() {
    let memory = |file: &[u8], media_type| survey(file, media_type).expect("an image").memory;
    let rgb = DynamicImage::new_rgb8(1_000, 1_000);
    assert!(memory(&encoded(&rgb, ImageFormat::Png), "image/png") >= 3_000_000);
    let deep = encoded(&DynamicImage::new_rgba16(1_000, 1_000), ImageFormat::Png);
    assert!(memory(&deep, "image/png") >= 8_000_000);
    let baseline = jpeg(1_000, 1_000, None);
    let (once, progressive) = (memory(&baseline, "image/jpeg"), {
        let mut file = baseline;
        let at = file.windows(2).position(|bytes| bytes == [0xFF, 0xC0]).expect("a frame");
        file[at + 1] = 0xC2;
        memory(&file, "image/jpeg")
    });
    // Two bytes for each coefficient of three components, in whole blocks.
    assert_eq!(progressive - once, 1_000 * 1_000 * 3 * 2);
}
