//! Quotas, turns and pace: visitors cannot fill the disk or block the uploads of staff.

use super::{ANY, alone, until};
use crate::harness::client::mutation;
use crate::harness::files::{grant, kept, put, status_and_code};
use crate::harness::world::{World, organization, text};
use crate::harness::{Engine, TestApp};
use crate::on_both;
use anteroom::clock::Clock;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

on_both!(
    visitor_uploads_no_more_than_the_quota_of_a_day,
    uploads_granted_at_once_share_the_quota,
    organization_stores_no_more_than_its_quota,
);

const KIB: usize = 1024;

fn of(chat: &str, size: usize) -> Value {
    json!({ "chatId": chat, "name": "a", "mediaType": ANY, "size": size })
}

async fn visitor_uploads_no_more_than_the_quota_of_a_day(engine: Engine) {
    let world = World::frozen_with(engine, |config| config.upload_quota_visitor = 1).await;
    let (vera, victor, olga) =
        (world.visitor("vera").await, world.visitor("victor").await, world.operator("Olga").await);
    let (chat, other) = (world.chat(&vera).await, world.chat(&victor).await);
    let first = grant(&vera, &chat, "a", ANY, 512 * KIB).await;
    assert_eq!(status_and_code(put(&first, ANY, vec![1; 512 * KIB]).await).await.0, 204);
    // Refused uploads do not count toward the quota.
    let refused = vera.mutate("createUpload", "attachment { id }", of(&chat, 513 * KIB)).await;
    let error = &refused["userErrors"][0];
    assert_eq!((&error["code"], &error["field"]), (&json!("QUOTA_EXCEEDED"), &json!(["input", "size"])));
    assert_eq!(error["message"], "A visitor can upload at most 1 MiB in 24 hours.");
    grant(&vera, &chat, "a", ANY, 512 * KIB).await;
    assert_eq!(vera.refused("createUpload", of(&chat, 1)).await, ["QUOTA_EXCEEDED"]);
    // Deleting does not give it back, and others have quotas of their own, or none.
    let sent = json!({ "chatId": chat, "attachmentIds": [first["attachment"]["id"]] });
    let sent = vera.done("sendMessage", "messageEdge { node { id } }", sent).await;
    vera.done("deleteMessage", "", json!({ "messageId": sent["messageEdge"]["node"]["id"] })).await;
    assert_eq!(vera.refused("createUpload", of(&chat, 1)).await, ["QUOTA_EXCEEDED"]);
    grant(&victor, &other, "a", ANY, 1024 * KIB).await;
    for _ in 0..3 {
        grant(&olga, &chat, "a", ANY, 1024 * KIB).await;
    }
    // A day after the first upload it begins anew.
    world.pass(86_399);
    assert_eq!(vera.refused("createUpload", of(&chat, 1)).await, ["QUOTA_EXCEEDED"]);
    world.pass(1);
    grant(&vera, &chat, "a", ANY, 1024 * KIB).await;
    assert_eq!(vera.refused("createUpload", of(&chat, 1)).await, ["QUOTA_EXCEEDED"]);
    world.app.stop().await;
}

async fn uploads_granted_at_once_share_the_quota(engine: Engine) {
    let world = World::frozen_with(engine, |config| config.upload_quota_visitor = 1).await;
    let vera = world.visitor("vera").await;
    let mut chats = Vec::new();
    for _ in 0..4 {
        chats.push(world.chat(&vera).await);
    }
    let asked =
        (0..12).map(|number| vera.mutate("createUpload", "uploadUrl", of(&chats[number % 4], 300 * KIB)));
    let granted = futures_util::future::join_all(asked).await;
    assert_eq!(granted.iter().filter(|payload| payload["uploadUrl"].is_string()).count(), 3);
    world.app.stop().await;
}

async fn organization_stores_no_more_than_its_quota(engine: Engine) {
    let world = World::frozen_with(engine, |config| {
        (config.upload_quota_organization, config.upload_quota_visitor) = (1, 0);
    });
    let world = world.await;
    let vera = world.visitor("vera").await;
    let chat = world.chat(&vera).await;
    for _ in 0..40 {
        grant(&vera, &chat, "a", ANY, 25 * KIB * KIB).await;
    }
    for client in [&vera.client, &world.admin.client] {
        let refused = client.mutate("createUpload", "uploadUrl", of(&chat, 25 * KIB * KIB)).await;
        assert_eq!(refused["userErrors"][0]["code"], "QUOTA_EXCEEDED");
        assert_eq!(refused["userErrors"][0]["message"], "The organization can store at most 1 GiB of files.");
    }
    grant(&world.admin, &chat, "a", ANY, 24 * KIB * KIB).await;
    // Another organization has a quota of its own.
    let (admin, room) = organization(&world.app, "other").await;
    let visitor = admin.done("upsertVisitor", "visitor { id }", json!({ "externalId": "x" })).await;
    let input = json!({ "roomId": room, "visitorId": visitor["visitor"]["id"] });
    let elsewhere = text(&admin.done("startChat", "chat { id }", input).await["chat"]["id"]);
    grant(&admin, &elsewhere, "a", ANY, 25 * KIB * KIB).await;
    // Once what was not sent is removed, there is room again.
    world.pass(86_401);
    until(async || {
        let answer = vera.mutate("createUpload", "uploadUrl", of(&chat, 25 * KIB * KIB)).await;
        answer["uploadUrl"].is_string()
    })
    .await;
    world.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn disk_keeps_its_reserve() {
    let (world, vera, chat) = alone(Engine::Sqlite).await;
    let granted = grant(&vera, &chat, "a", ANY, 3).await;
    let path = text(&granted["uploadUrl"]).replace(&world.app.url, "");
    let mut app = world.app;
    app.config.min_free_disk = u32::MAX;
    let app = app.restarted_after(|| {}).await;
    let vera = World::at(&vera, &app.url);
    let variables = json!({ "input": of(&chat, 3) });
    let answer = vera.try_ask(&mutation("createUpload", "uploadUrl"), variables).await.expect("an answer");
    assert_eq!(answer["errors"][0]["extensions"]["code"], "UNAVAILABLE");
    let granted = json!({ "uploadUrl": format!("{}{path}", app.url) });
    assert_eq!(status_and_code(put(&granted, ANY, "abc").await).await, (507, "UNAVAILABLE".to_owned()));
    assert_eq!(kept(&app.config.files), Vec::<String>::new());
    app.stop().await;
}

/// Begins an upload and sends one byte of it.
async fn begun(granted: &Value) -> TcpStream {
    let url = reqwest::Url::parse(&text(&granted["uploadUrl"])).expect("a URL");
    let address = format!("127.0.0.1:{}", url.port().expect("a port"));
    let mut socket = TcpStream::connect(address).await.expect("a connection");
    let path = &url[url::Position::BeforePath..];
    let head = format!("PUT {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 9000\r\n\r\nx");
    socket.write_all(head.as_bytes()).await.expect("sent");
    socket
}

#[tokio::test(flavor = "multi_thread")]
async fn slow_visitor_uploads_do_not_block_operators() {
    let app = TestApp::start_with(Engine::Sqlite, Clock::system(), |config| {
        config.upload_patience = Duration::from_mins(5);
    });
    let world = World::on(app.await).await;
    let olga = world.operator("Olga").await;
    // Given many visitors who upload as much at once as they may, and send next to nothing,
    let (mut sockets, mut last) = (Vec::new(), None);
    for number in 0..18 {
        let visitor = world.visitor(&number.to_string()).await;
        let chat = world.chat(&visitor).await;
        let granted = grant(&visitor, &chat, "slow.bin", ANY, 9_000).await;
        for _ in 0..6 {
            sockets.push(begun(&granted).await);
        }
        last = Some((visitor, chat));
    }
    let (visitor, chat) = last.expect("a visitor");
    until(async || {
        let granted = grant(&visitor, &chat, "a.bin", ANY, 3).await;
        status_and_code(put(&granted, ANY, "abc").await).await == (503, "UNAVAILABLE".to_owned())
    })
    .await;
    // then an operator's upload goes through.
    let granted = grant(&olga, &chat, "a.bin", ANY, 3).await;
    assert_eq!(status_and_code(put(&granted, ANY, "abc").await).await.0, 204);
    drop(sockets);
    until(async || {
        let granted = grant(&visitor, &chat, "a.bin", ANY, 3).await;
        status_and_code(put(&granted, ANY, "abc").await).await.0 == 204
    })
    .await;
    world.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn too_slow_upload_is_aborted() {
    let app = TestApp::start_with(Engine::Sqlite, Clock::system(), |config| {
        config.upload_patience = Duration::from_millis(500);
    });
    let world = World::on(app.await).await;
    let vera = world.visitor("vera").await;
    let chat = world.chat(&vera).await;
    let granted = grant(&vera, &chat, "slow.bin", ANY, 9_000).await;
    // A byte now and then does not help.
    let (mut reads, mut writes) = begun(&granted).await.into_split();
    let sending = tokio::spawn(async move {
        loop {
            tokio::time::sleep(Duration::from_millis(100)).await;
            if writes.write_all(b"x").await.is_err() {
                return;
            }
        }
    });
    let mut answer = vec![0; 12];
    reads.read_exact(&mut answer).await.expect("an answer");
    assert_eq!(String::from_utf8_lossy(&answer), "HTTP/1.1 408");
    sending.abort();
    until(async || kept(&world.app.config.files).is_empty()).await;
    assert_eq!(status_and_code(put(&granted, ANY, vec![1; 9_000]).await).await.0, 204);
    world.app.stop().await;
}
