//! Uploads and downloads files as a front end does.

use super::client::Client;
use super::world::text;
use reqwest::{Response, StatusCode};
use serde_json::{Value, json};
use std::path::Path;

/// A small PNG of a single color.
pub fn png(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    let image = image::DynamicImage::new_rgb8(width, height);
    image.write_to(&mut bytes, image::ImageFormat::Png).expect("a PNG");
    bytes.into_inner()
}

/// Creates an upload, and returns its payload with `attachment`, `uploadUrl` and `expiresAt`.
pub async fn grant(client: &Client, chat: &str, name: &str, media_type: &str, size: usize) -> Value {
    let input = json!({ "chatId": chat, "name": name, "mediaType": media_type, "size": size });
    client.done("createUpload", "uploadUrl expiresAt attachment { id name mediaType size }", input).await
}

/// Sends bytes to the URL of an upload.
pub async fn put(granted: &Value, media_type: &str, bytes: impl Into<reqwest::Body>) -> Response {
    let put = reqwest::Client::new().put(text(&granted["uploadUrl"])).header("content-type", media_type);
    put.body(bytes).send().await.expect("an answer")
}

/// Uploads a file, and returns its id.
pub async fn upload(client: &Client, chat: &str, name: &str, media_type: &str, bytes: Vec<u8>) -> String {
    let granted = grant(client, chat, name, media_type, bytes.len()).await;
    let put = put(&granted, media_type, bytes).await;
    assert_eq!(put.status(), StatusCode::NO_CONTENT, "{:?}", put.text().await);
    text(&granted["attachment"]["id"])
}

/// The status of a response, and the code of its error, if any.
pub async fn status_and_code(answer: Response) -> (u16, String) {
    let status = answer.status().as_u16();
    let body = answer.text().await.expect("a body");
    let body: Value = serde_json::from_str(&body).unwrap_or(Value::Null);
    let code = body["errors"][0]["extensions"]["code"].as_str().unwrap_or_default();
    if !code.is_empty() {
        assert!(!text(&body["errors"][0]["message"]).is_empty(), "{body}");
    }
    (status, code.to_owned())
}

/// All files in a folder and below it.
pub fn kept(folder: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![Path::new(folder).to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
            if entry.path().is_dir() {
                folders.push(entry.path());
            } else {
                found.push(entry.path().display().to_string());
            }
        }
    }
    found.sort();
    found
}
