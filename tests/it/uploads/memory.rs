//! The real binary: what it holds in memory of a large file, and what a kill leaves of an upload.

use super::ANY;
use crate::harness::binary::{Binary, init};
use crate::harness::client::Client;
use crate::harness::files::{grant, put, told, upload};
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
    assert_eq!(told(put(&granted, ANY, body).await).await.0, 204);
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
