//! The real binary: its memory during a large upload, and the state after a kill.

use super::ANY;
use crate::harness::binary::{Binary, init};
use crate::harness::client::Client;
use crate::harness::files::{grant, put, status_and_code, upload};
use crate::harness::postgres::free_port;
use crate::harness::world::text;
use futures_util::StreamExt;
use serde_json::json;
use std::path::Path;

const MIB: usize = 1024 * 1024;

pub async fn chat(client: &Client) -> String {
    let room = client.done("createRoom", "room { id }", json!({ "name": "Reception" })).await;
    let visitor = client.done("upsertVisitor", "visitor { id }", json!({ "externalId": "vera" })).await;
    let input = json!({ "roomId": room["room"]["id"], "visitorId": visitor["visitor"]["id"] });
    text(&client.done("startChat", "chat { id }", input).await["chat"]["id"])
}

/// The most memory that a process has held so far, in bytes.
fn most_memory(id: u32) -> usize {
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).expect("its status");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("a line");
    line.trim().trim_end_matches(" kB").parse::<usize>().expect("a number") * 1024
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_file_is_never_held_in_memory() {
    let folder = tempfile::tempdir().expect("a folder");
    let token = text(&init(folder.path())["token"]);
    let server = Binary::start_with(folder.path(), 0, |command| {
        command.args(["--max-upload", "200"]);
    });
    let client = Client::new(&server.url, &token);
    let chat = chat(&client).await;
    // Given a server that has taken and given a small file,
    upload(&client, &chat, "small.bin", ANY, vec![1; MIB]).await;
    let before = most_memory(server.id());
    // when it takes one of 200 MiB and gives it again,
    let granted = grant(&client, &chat, "large.bin", ANY, 200 * MIB).await;
    let pieces = futures_util::stream::repeat_with(|| Ok::<_, std::io::Error>(vec![7_u8; 64 * 1024]));
    let body = reqwest::Body::wrap_stream(pieces.take(200 * MIB / (64 * 1024)));
    assert_eq!(status_and_code(put(&granted, ANY, body).await).await.0, 204);
    let query = "query($id: ID!) { node(id: $id) { ... on FileAttachment { url } } }";
    let found = client.query(query, json!({ "id": granted["attachment"]["id"] })).await;
    let answer = reqwest::get(text(&found["node"]["url"])).await.expect("an answer");
    let mut stream = answer.bytes_stream();
    let mut sum = 0;
    while let Some(bytes) = stream.next().await {
        sum += bytes.expect("bytes").len();
    }
    assert_eq!(sum, 200 * MIB);
    // then it has never held much more.
    let grown = most_memory(server.id()) - before;
    assert!(grown < 40 * MIB, "it grew by {} MiB", grown / MIB);
}

/// A progressive JPEG of one color, which takes a kilobyte for many thousand pixels: three components at full
/// resolution, and one scan of their mean values.
fn progressive(side: u16) -> Vec<u8> {
    let mut file = b"\xFF\xD8".to_vec();
    let mut segment = |code: u8, body: &[u8]| {
        file.extend([0xFF, code]);
        file.extend(u16::try_from(body.len() + 2).expect("short").to_be_bytes());
        file.extend(body);
    };
    segment(0xDB, &[&[0][..], &[1; 64]].concat());
    let [high, low] = side.to_be_bytes();
    segment(0xC2, &[8, high, low, high, low, 3, 1, 0x11, 0, 2, 0x11, 0, 3, 0x11, 0]);
    // The only code, of one bit: nothing has changed.
    segment(0xC4, &[&[0, 1][..], &[0; 15], &[0]].concat());
    segment(0xDA, &[3, 1, 0, 2, 0, 3, 0, 0, 0, 0]);
    let blocks = usize::from(side.div_ceil(8)).pow(2) * 3;
    file.extend(vec![0; blocks.div_ceil(8)]);
    file.extend(b"\xFF\xD9");
    file
}

#[tokio::test(flavor = "multi_thread")]
async fn images_are_decoded_within_the_documented_memory() {
    let folder = tempfile::tempdir().expect("a folder");
    let token = text(&init(folder.path())["token"]);
    let server = Binary::start(folder.path(), 0);
    let client = Client::new(&server.url, &token);
    let chat = chat(&client).await;
    upload(&client, &chat, "small.jpg", "image/jpeg", progressive(64)).await;
    let before = most_memory(server.id());
    // Three that take 40 MiB each to decode, and three that would take 580.
    let (large, larger) = (progressive(2_048), progressive(8_192));
    let mut files = Vec::new();
    for bytes in [&large, &larger, &large, &larger, &large, &larger] {
        let granted = grant(&client, &chat, "a.jpg", "image/jpeg", bytes.len()).await;
        files.push((granted, bytes.clone()));
    }
    let puts = files.iter().map(|(granted, bytes)| put(granted, "image/jpeg", bytes.clone()));
    for answer in futures_util::future::join_all(puts).await {
        assert_eq!(status_and_code(answer).await, (204, String::new()));
    }
    let grown = most_memory(server.id()) - before;
    assert!(grown < 300 * MIB, "it grew by {} MiB", grown / MIB);
    // All of them are images; those that take too much have no preview.
    let query = "query($id: ID!) { node(id: $id) { ... on FileAttachment { width height previewUrl } } }";
    for (granted, bytes) in &files {
        let found = client.query(query, json!({ "id": granted["attachment"]["id"] })).await["node"].clone();
        let side = if bytes.len() == large.len() { 2_048 } else { 8_192 };
        assert_eq!((&found["width"], &found["height"]), (&json!(side), &json!(side)));
        assert_eq!(found["previewUrl"].is_string(), side == 2_048);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_survives_a_kill_between_the_put_and_the_message() {
    let folder = tempfile::tempdir().expect("a folder");
    let token = text(&init(folder.path())["token"]);
    let port = free_port();
    let server = Binary::start(folder.path(), port);
    let client = Client::new(&server.url, &token);
    let chat = chat(&client).await;
    let bytes = vec![7; 700_000];
    let file = upload(&client, &chat, "a.bin", ANY, bytes.clone()).await;
    server.kill();
    let server = Binary::start(folder.path(), port);
    let input = json!({ "chatId": chat, "attachmentIds": [file] });
    let selection = "messageEdge { node { attachments { ... on FileAttachment { url } } } }";
    let sent = client.done("sendMessage", selection, input).await;
    let url = text(&sent["messageEdge"]["node"]["attachments"][0]["url"]);
    let answer = reqwest::get(url).await.expect("an answer");
    assert_eq!(answer.bytes().await.expect("bytes"), bytes);
    assert!(Path::new(folder.path()).join("files").is_dir());
    assert!(server.terminate().success());
}
