//! Photos lose the metadata of their camera, and keep their orientation.

use super::{ANY, alone};
use crate::harness::files::{grant, kept, put, status_and_code};
use crate::harness::world::{Person, World, text};
use crate::harness::{Engine, TestApp};
use crate::on_both;
use anteroom::clock::Clock;
use image::ImageEncoder;
use serde_json::{Value, json};

on_both!(photo_loses_place_and_camera_and_stays_upright);

const FILE: &str =
    "query($id: ID!) { node(id: $id) { ... on FileAttachment { size width height url previewUrl } } }";

/// A photo of 64 by 32 pixels, taken with the camera on its side, with the maker's name and a place.
fn photo() -> Vec<u8> {
    let mut exif = b"MM\0*\0\0\0\x08\0\x03\x01\x0F\0\x02\0\0\0\x0A\0\0\0\x32\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\x88\x25\0\x04\0\0\0\x01\0\0\0\x3C\0\0\0\0".to_vec();
    exif.extend(b"CameraInc\0\0\x01\0\x01\0\x02\0\0\0\x02N\0\0\0\0\0\0\0");
    let mut file = Vec::new();
    let mut encoder = image::codecs::jpeg::JpegEncoder::new(&mut file);
    encoder.set_exif_metadata(exif).expect("Exif");
    encoder.set_icc_profile(b"a color profile".to_vec()).expect("a profile");
    // The left half is red.
    let pixels =
        image::RgbImage::from_fn(64, 32, |x, _| image::Rgb(if x < 32 { [255, 0, 0] } else { [0, 0, 255] }));
    encoder.write_image(&pixels, 64, 32, image::ExtendedColorType::Rgb8).expect("a photo");
    let comment = b"\xFF\xFE\0\x17taken at home, Lane 7";
    file.splice(2..2, comment.iter().copied());
    file
}

fn has(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

async fn get(url: &Value) -> Vec<u8> {
    let answer = reqwest::get(text(url)).await.expect("an answer");
    assert_eq!(answer.status(), 200);
    answer.bytes().await.expect("bytes").to_vec()
}

async fn uploaded(vera: &Person, chat: &str, media_type: &str, bytes: Vec<u8>) -> Value {
    let granted = grant(vera, chat, "photo.jpg", media_type, bytes.len()).await;
    assert_eq!(status_and_code(put(&granted, media_type, bytes).await).await.0, 204);
    vera.query(FILE, json!({ "id": granted["attachment"]["id"] })).await["node"].clone()
}

async fn photo_loses_place_and_camera_and_stays_upright(engine: Engine) {
    let (world, vera, chat) = alone(engine).await;
    let photo = photo();
    assert!(has(&photo, "CameraInc") && has(&photo, "Lane 7"));
    let file = uploaded(&vera, &chat, "image/jpeg", photo.clone()).await;
    let stored = get(&file["url"]).await;
    assert!(!has(&stored, "CameraInc") && !has(&stored, "Lane 7"));
    assert!(has(&stored, "a color profile"), "colors stay as they were");
    assert_eq!(file["size"], stored.len());
    // The image is rotated in the file, and upright when it is shown, as in browsers.
    assert_eq!((&file["width"], &file["height"]), (&json!(32), &json!(64)));
    let mut decoder =
        image::ImageReader::new(std::io::Cursor::new(&stored)).with_guessed_format().expect("a format");
    decoder.no_limits();
    let mut decoder = decoder.into_decoder().expect("a photo");
    let orientation = image::ImageDecoder::orientation(&mut decoder).expect("an orientation");
    assert_eq!(orientation, image::metadata::Orientation::Rotate90);
    let pixels = |bytes: &[u8]| image::load_from_memory(bytes).expect("a photo").into_rgb8();
    assert_eq!(pixels(&stored), pixels(&photo), "no pixel has changed");
    let preview = get(&file["previewUrl"]).await;
    assert!(!has(&preview, "CameraInc") && !has(&preview, "Exif"));
    let preview = pixels(&preview);
    assert_eq!(preview.dimensions(), (32, 64));
    assert!(preview.get_pixel(16, 8).0[0] > 200 && preview.get_pixel(16, 56).0[2] > 200);
    // A part of it is a part of what is stored.
    let part = reqwest::Client::new().get(text(&file["url"])).header("range", "bytes=-2").send().await;
    let part = part.expect("an answer");
    let range = part.headers()["content-range"].to_str().expect("text").to_owned();
    let last = stored.len() - 1;
    assert_eq!(range, format!("bytes {}-{last}/{}", last - 1, stored.len()));
    assert_eq!(kept(&world.app.config.files).len(), 2, "the photo and its preview");
    world.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn metadata_can_be_kept() {
    let app = TestApp::start_with(Engine::Sqlite, Clock::system(), |config| config.keep_exif = true).await;
    let world = World::on(app).await;
    let vera = world.visitor("vera").await;
    let chat = world.chat(&vera).await;
    let file = uploaded(&vera, &chat, "image/jpeg", photo()).await;
    assert_eq!(get(&file["url"]).await, photo());
    assert_eq!((&file["width"], &file["height"]), (&json!(32), &json!(64)));
    world.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn octet_stream_is_stored_unchanged() {
    let (world, vera, chat) = alone(Engine::Sqlite).await;
    let file = uploaded(&vera, &chat, ANY, photo()).await;
    assert_eq!(get(&file["url"]).await, photo());
    assert_eq!((&file["width"], &file["previewUrl"]), (&Value::Null, &Value::Null));
    world.app.stop().await;
}
