//! Uploads to a bucket: the real binary, configured by environment variables.

use super::{ANY, in_pieces, until};
use crate::harness::binary::{Binary, init};
use crate::harness::bucket::Bucket;
use crate::harness::client::Client;
use crate::harness::files::{grant, png, put, status_and_code, upload};
use crate::harness::world::text;
use serde_json::json;

const MIB: usize = 1024 * 1024;

#[tokio::test(flavor = "multi_thread")]
async fn a_bucket_keeps_files_as_a_folder_does() {
    let (bucket, url) = Bucket::start().await;
    let folder = tempfile::tempdir().expect("a folder");
    let token = text(&init(folder.path())["token"]);
    let server = Binary::start_with(folder.path(), 0, |command| {
        command.args(["--files", "s3://files/chat"]).env("AWS_ENDPOINT", &url).env("AWS_ALLOW_HTTP", "true");
        command.env("AWS_ACCESS_KEY_ID", "key").env("AWS_SECRET_ACCESS_KEY", "secret");
        command.env("AWS_REGION", "eu-central-1");
    });
    let client = Client::new(&server.url, &token);
    let chat = super::memory::chat(&client).await;
    // An image goes in at once, with its preview; a large file in parts, none of which is the whole.
    let bytes = png(400, 300);
    let image = upload(&client, &chat, "knee.png", "image/png", bytes.clone()).await;
    assert_eq!(bucket.names().len(), 2);
    assert!(bucket.names().iter().all(|name| name.starts_with("chat/")), "{:?}", bucket.names());
    let large: Vec<u8> = (0..12 * MIB).map(|number| u8::try_from(number % 251).expect("small")).collect();
    let scan = upload(&client, &chat, "scan.bin", ANY, large.clone()).await;
    assert!(bucket.largest() <= 5 * MIB && bucket.incomplete() == 0 && bucket.names().len() == 3);
    // A body that does not match the announced size leaves nothing.
    let granted = grant(&client, &chat, "lie.bin", ANY, 12 * MIB).await;
    let answer = status_and_code(put(&granted, ANY, in_pieces(&large[1..])).await).await;
    assert_eq!(answer, (400, "INVALID".to_owned()));
    let granted = grant(&client, &chat, "lie.png", "image/png", 20).await;
    assert_eq!(status_and_code(put(&granted, "image/png", "<html>              ").await).await.0, 415);
    until(async || bucket.incomplete() == 0 && bucket.names().len() == 3).await;
    let input = json!({ "chatId": chat, "attachmentIds": [image, scan] });
    let selection = "messageEdge { node { attachments { ... on FileAttachment { url previewUrl width } } } }";
    let sent = client.done("sendMessage", selection, input).await;
    let attachments = &sent["messageEdge"]["node"]["attachments"];
    assert_eq!(attachments[0]["width"], 400);
    let get = async |url: &serde_json::Value| reqwest::get(text(url)).await.expect("an answer");
    assert_eq!(get(&attachments[0]["url"]).await.bytes().await.expect("bytes"), bytes);
    assert_eq!(get(&attachments[0]["previewUrl"]).await.headers()["content-type"], "image/jpeg");
    assert!(get(&attachments[1]["url"]).await.bytes().await.expect("bytes") == large);
    let part =
        reqwest::Client::new().get(text(&attachments[1]["url"])).header("range", "bytes=6000000-6000009");
    let part = part.send().await.expect("an answer");
    assert_eq!(
        (part.status().as_u16(), &part.headers()["content-range"] == "bytes 6000000-6000009/12582912"),
        (206, true)
    );
    assert_eq!(part.bytes().await.expect("bytes"), large[6_000_000..6_000_010]);
    assert_eq!(bucket.unsigned(), 0);
    assert!(server.terminate().success());
}
