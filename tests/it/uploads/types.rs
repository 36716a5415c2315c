//! Media types: harmless files of any type are stored, and types that browsers run are refused.

use super::{ANY, alone};
use crate::harness::Engine;
use crate::harness::files::{grant, kept, png, put, status_and_code};
use crate::harness::world::{Person, text};
use crate::on_both;
use serde_json::{Value, json};

on_both!(harmless_files_of_any_type_are_kept);

const FILE: &str =
    "query($id: ID!) { node(id: $id) { ... on FileAttachment { mediaType size width url previewUrl } } }";

/// Uploads bytes as a browser does: granted and put under the same type. Answers the file.
async fn kept_file(person: &Person, chat: &str, media_type: &str, bytes: &[u8]) -> Value {
    let granted = grant(person, chat, "file", media_type, bytes.len()).await;
    let answer = status_and_code(put(&granted, media_type, bytes.to_vec()).await).await;
    assert_eq!(answer, (204, String::new()), "{media_type}");
    person.query(FILE, json!({ "id": granted["attachment"]["id"] })).await["node"].clone()
}

async fn harmless_files_of_any_type_are_kept(engine: Engine) {
    let (world, vera, chat) = alone(engine).await;
    let csv = b"name;amount\r\nVera;7\r\n";
    let mut program = b"\x7FELF\x02\x01\x01".to_vec();
    program.resize(64, 0);
    let cases: [(&str, &[u8], &str); 14] = [
        // A CSV from Windows, and a page's worth of types that browsers name and this server does not know.
        ("application/vnd.ms-excel", csv, ANY),
        ("application/vnd.rar", b"Rar!\x1A\x07\x01\0", ANY),
        ("application/x-rar-compressed", b"Rar!\x1A\x07\x01\0", ANY),
        ("application/x-7z-compressed", b"7z\xBC\xAF\x27\x1C", ANY),
        ("application/xml", b"<?xml version='1.0'?><invoice/>", ANY),
        ("text/xml", b"<?xml version='1.0'?><html xmlns='http://www.w3.org/1999/xhtml'/>", ANY),
        ("message/rfc822", b"Subject: Hello\r\n\r\nHello", ANY),
        ("application/vnd.apple.pages", b"PK\x03\x04", ANY),
        ("application/x-msdownload", b"MZ\0\0", ANY),
        ("text/plain", b"\0\x01\x02", ANY),
        ("audio/mpeg", &program, ANY),
        ("application/pdf", b"Hello", ANY),
        ("application/csv", csv, "text/csv"),
        ("text/csv", csv, "text/csv"),
    ];
    for (media_type, bytes, expected) in cases {
        let file = kept_file(&vera, &chat, media_type, bytes).await;
        assert_eq!(
            (&file["mediaType"], &file["size"]),
            (&json!(expected), &json!(bytes.len())),
            "{media_type}"
        );
        let answer = reqwest::get(text(&file["url"])).await.expect("an answer");
        let header = |name| answer.headers()[name].to_str().expect("text").to_owned();
        assert_eq!(header("content-type"), expected, "{media_type}");
        assert!(header("content-disposition").starts_with("attachment"));
        assert_eq!(header("x-content-type-options"), "nosniff");
        assert_eq!(answer.bytes().await.expect("bytes"), bytes);
    }
    // An image is one under whichever of its names, and under another image's.
    let image = png(40, 20);
    for media_type in ["image/x-png", "image/jpg", "image/jpeg", "image/heic"] {
        let file = kept_file(&vera, &chat, media_type, &image).await;
        assert_eq!((&file["mediaType"], &file["width"]), (&json!("image/png"), &json!(40)), "{media_type}");
        assert!(file["previewUrl"].is_string());
    }
    // A file that is not an image has no preview.
    let file = kept_file(&vera, &chat, "image/png", &[7; 20]).await;
    assert_eq!((&file["mediaType"], &file["previewUrl"]), (&json!(ANY), &Value::Null));
    world.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn put_may_name_another_harmless_type_than_was_granted() {
    let (world, vera, chat) = alone(Engine::Sqlite).await;
    for announced in ["image/jpeg", "application/octet-stream", "text/plain; charset=utf-8", "x/y"] {
        let image = png(40, 20);
        let granted = grant(&vera, &chat, "knee.png", "image/png", image.len()).await;
        assert_eq!(status_and_code(put(&granted, announced, image).await).await.0, 204, "{announced}");
        let file = vera.query(FILE, json!({ "id": granted["attachment"]["id"] })).await["node"].clone();
        assert_eq!((&file["mediaType"], &file["width"]), (&json!("image/png"), &json!(40)), "{announced}");
    }
    world.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn active_content_is_refused() {
    let (world, vera, chat) = alone(Engine::Sqlite).await;
    for media_type in
        ["text/html", "TEXT/HTML; charset=utf-8", "application/xhtml+xml", "text/javascript", "text/xsl"]
    {
        let input = json!({ "chatId": chat, "name": "a", "mediaType": media_type, "size": 1 });
        assert_eq!(vera.refused("createUpload", input).await, ["UNSUPPORTED_MEDIA"], "{media_type}");
    }
    let pages: [&[u8]; 4] = [
        b"<!DOCTYPE html><script>alert(1)</script>",
        b"\n\t<SCRIPT>alert(1)</SCRIPT>",
        b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>",
        b"<?xml version='1.0'?><?xml-stylesheet type='text/xsl' href='x'?><a/>",
    ];
    for page in pages {
        for media_type in ["image/png", "image/heic", "application/pdf", "application/zip", "video/mp4"] {
            let granted = grant(&vera, &chat, "a", media_type, page.len()).await;
            let answer = status_and_code(put(&granted, media_type, page.to_vec()).await).await;
            assert_eq!(answer, (415, "UNSUPPORTED_MEDIA".to_owned()), "{media_type}");
        }
    }
    assert_eq!(kept(&world.app.config.files), Vec::<String>::new());
    world.app.stop().await;
}
