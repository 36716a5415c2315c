//! Uploads: bytes that differ from the granted upload are refused, and nothing is stored.

mod bucket;
mod clearing;
mod memory;
mod metadata;
mod quotas;
mod sending;
mod serving;
mod types;

use crate::harness::client::Client;
use crate::harness::files::{grant, kept, png, put, status_and_code};
use crate::harness::world::{Person, World, text};
use crate::harness::{Engine, TestApp};
use crate::on_both;
use anteroom::clock::Clock;
use anteroom::domain::limits;
use reqwest::{Body, Method};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

on_both!(unsent_uploads_are_limited_per_actor, concurrent_puts_store_one_object);

const ANY: &str = "application/octet-stream";

/// Somebody with a chat, where nobody else is.
async fn alone(engine: Engine) -> (World, Person, String) {
    let world = World::frozen(engine).await;
    let vera = world.visitor("vera").await;
    let chat = world.chat(&vera).await;
    (world, vera, chat)
}

/// Bytes that come piece by piece, so that nothing says how many they are.
fn in_pieces(bytes: &[u8]) -> Body {
    let pieces: Vec<_> = bytes.chunks(1_000).map(|piece| Ok::<_, std::io::Error>(piece.to_vec())).collect();
    Body::wrap_stream(futures_util::stream::iter(pieces))
}

/// Asks until it is so.
async fn until(mut is_so: impl AsyncFnMut() -> bool) {
    for _ in 0..1_000 {
        if is_so().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("it never came to be");
}

/// The same URL with another value of one parameter.
fn with(url: &Value, name: &str, other: &str) -> Value {
    let mut url = reqwest::Url::parse(&text(url)).expect("a URL");
    let pairs: Vec<_> = url.query_pairs().into_owned().collect();
    url.query_pairs_mut().clear().extend_pairs(
        pairs
            .into_iter()
            .map(|(key, value)| if key == name { (key, other.to_owned()) } else { (key, value) }),
    );
    json!({ "uploadUrl": url.as_str() })
}

fn parameter(url: &Value, name: &str) -> String {
    let url = reqwest::Url::parse(&text(url)).expect("a URL");
    url.query_pairs().find(|(key, _)| key == name).expect("a parameter").1.into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn put_with_forged_url_is_refused() {
    let (world, vera, chat) = alone(Engine::Sqlite).await;
    let granted = grant(&vera, &chat, "a.txt", "text/plain", 5).await;
    let other = grant(&vera, &chat, "b.txt", "text/plain", 5).await;
    let (url, forged) = (&granted["uploadUrl"], (403, "FORBIDDEN".to_owned()));
    let ids = json!({ "id": granted["attachment"]["id"] });
    let node = vera.query("query($id: ID!) { node(id: $id) { ... on FileAttachment { url } } }", ids).await;
    let until: i64 = parameter(url, "until").parse().expect("a number");
    let cases = [
        with(url, "signature", &parameter(&other["uploadUrl"], "signature")),
        with(url, "signature", &parameter(&node["node"]["url"], "signature")),
        with(url, "signature", ""),
        with(url, "signature", "AAAAAAAAAAAAAAAAAAAAAA"),
        with(url, "until", &(until + 60).to_string()),
        with(url, "until", "9223372036854775807"),
        with(url, "until", "x"),
        json!({ "uploadUrl": text(url).split('?').next() }),
        json!({ "uploadUrl": format!("{}/uploads/x?until=1&signature=x", world.app.url) }),
    ];
    for case in cases {
        assert_eq!(status_and_code(put(&case, "text/plain", "hello").await).await, forged, "{case}");
    }
    // A token opens nothing here, and the URL of one upload is no way to another.
    let bare = reqwest::Client::new().put(text(url).split('?').next().expect("a path"));
    let answer = bare.bearer_auth(&vera.token).body("hello").send().await.expect("an answer");
    assert_eq!(status_and_code(answer).await, forged);
    let get = reqwest::get(text(url)).await.expect("an answer");
    assert_eq!(get.status(), 405);
    // When its quarter of an hour is over, it is over.
    world.pass(15 * 60);
    assert_eq!(
        status_and_code(put(&granted, "text/plain", "hello").await).await,
        (410, "EXPIRED".to_owned())
    );
    assert_eq!(kept(&world.app.config.files), Vec::<String>::new());
    world.app.stop().await;
}

/// A PNG of one pixel that says that it is 60,000 by 60,000.
fn bomb() -> Vec<u8> {
    let mut bytes = png(1, 1);
    bytes[16..20].copy_from_slice(&60_000_u32.to_be_bytes());
    bytes[20..24].copy_from_slice(&60_000_u32.to_be_bytes());
    let sum = !bytes[12..29].iter().fold(u32::MAX, |sum, byte| {
        (0..8).fold(
            sum ^ u32::from(*byte),
            |sum, _| if sum & 1 == 1 { (sum >> 1) ^ 0xEDB8_8320 } else { sum >> 1 },
        )
    });
    bytes[29..33].copy_from_slice(&sum.to_be_bytes());
    bytes
}

#[tokio::test(flavor = "multi_thread")]
async fn mismatched_bytes_are_refused_and_not_stored() {
    let (world, vera, chat) = alone(Engine::Sqlite).await;
    let image = png(40, 20);
    let size = image.len();
    let granted = grant(&vera, &chat, "knee.png", "image/png", size).await;
    let page = {
        let mut html = b"<!DOCTYPE html><html><script>alert(1)</script>".to_vec();
        html.resize(size, b' ');
        html
    };
    let mut broken = image.clone();
    broken[size / 2..].fill(0);
    let longer = [&image[..], b"x"].concat();
    let png = "image/png";
    let cases: Vec<(&str, &str, Body, (u16, &str))> = vec![
        ("one byte more", png, longer.clone().into(), (413, "TOO_LARGE")),
        ("more, piece by piece", png, in_pieces(&longer), (413, "TOO_LARGE")),
        ("a million bytes more", png, in_pieces(&[&image[..], &[0; 1_000_000]].concat()), (413, "TOO_LARGE")),
        ("one byte less", png, image[1..].to_vec().into(), (400, "INVALID")),
        ("less, piece by piece", png, in_pieces(&image[..size - 1]), (400, "INVALID")),
        ("nothing", png, Body::from(""), (400, "INVALID")),
        ("said to be a page", "text/html", image.clone().into(), (415, "UNSUPPORTED_MEDIA")),
        ("a page", png, page.into(), (415, "UNSUPPORTED_MEDIA")),
        ("an image that breaks off", png, broken.into(), (415, "UNSUPPORTED_MEDIA")),
    ];
    let attachment = "query($id: ID!) { node(id: $id) { ... on FileAttachment { width previewUrl } } }";
    let id = json!({ "id": granted["attachment"]["id"] });
    for (what, media_type, body, (status, code)) in cases {
        let answer = status_and_code(put(&granted, media_type, body).await).await;
        assert_eq!(answer, (status, code.to_owned()), "{what}");
        assert_eq!(kept(&world.app.config.files), Vec::<String>::new(), "{what}");
        let found = vera.query(attachment, id.clone()).await;
        assert_eq!(found["node"], json!({ "width": null, "previewUrl": null }), "{what}");
    }
    let bomb = bomb();
    let claimed = grant(&vera, &chat, "bomb.png", "image/png", bomb.len()).await;
    assert_eq!(status_and_code(put(&claimed, png, bomb).await).await, (415, "UNSUPPORTED_MEDIA".to_owned()));
    assert_eq!(kept(&world.app.config.files), Vec::<String>::new(), "a bomb");
    // What it was granted for is still taken, piece by piece too, and once.
    assert_eq!(status_and_code(put(&granted, png, in_pieces(&image)).await).await.0, 204);
    let found = vera.query(attachment, id).await;
    assert_eq!(found["node"]["width"], 40);
    assert_eq!(kept(&world.app.config.files).len(), 2, "the image and its preview");
    assert_eq!(status_and_code(put(&granted, png, image).await).await, (409, "CONFLICT".to_owned()));
    assert_eq!(kept(&world.app.config.files).len(), 2);
    world.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_cut_in_the_middle_leaves_nothing() {
    let (world, vera, chat) = alone(Engine::Sqlite).await;
    let granted = grant(&vera, &chat, "scan.bin", ANY, 2_000_000).await;
    let url = reqwest::Url::parse(&text(&granted["uploadUrl"])).expect("a URL");
    let address = format!("127.0.0.1:{}", url.port().expect("a port"));
    let mut socket = TcpStream::connect(address).await.expect("a connection");
    let path = &url[url::Position::BeforePath..];
    let head = format!("PUT {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 2000000\r\n\r\n");
    socket.write_all(head.as_bytes()).await.expect("sent");
    socket.write_all(&vec![7; 1_000_000]).await.expect("sent");
    let folder = &world.app.config.files;
    // Given that half of it is on disk, when the connection breaks,
    until(async || !kept(folder).is_empty()).await;
    drop(socket);
    // then it is gone,
    until(async || kept(folder).is_empty()).await;
    let input = json!({ "chatId": chat, "attachmentIds": [granted["attachment"]["id"]] });
    assert_eq!(vera.refused("sendMessage", input.clone()).await, ["INVALID"]);
    // and the same URL takes the whole.
    assert_eq!(status_and_code(put(&granted, ANY, vec![7; 2_000_000]).await).await.0, 204);
    vera.done("sendMessage", "", input).await;
    world.app.stop().await;
}

async fn concurrent_puts_store_one_object(engine: Engine) {
    let (world, vera, chat) = alone(engine).await;
    let granted = grant(&vera, &chat, "a.bin", ANY, 600_000).await;
    let puts = (0..4_u8).map(|byte| put(&granted, ANY, vec![byte; 600_000]));
    let mut codes = Vec::new();
    for answer in futures_util::future::join_all(puts).await {
        codes.push(status_and_code(answer).await.0);
    }
    codes.sort_unstable();
    assert_eq!(codes, [204, 409, 409, 409]);
    until(async || kept(&world.app.config.files).len() == 1).await;
    world.app.stop().await;
}

async fn unsent_uploads_are_limited_per_actor(engine: Engine) {
    let (world, vera, chat) = alone(engine).await;
    let input = json!({ "chatId": chat, "name": "a", "mediaType": "text/plain", "size": 1 });
    for _ in 0..limits::UNSENT_UPLOADS {
        vera.done("createUpload", "", input.clone()).await;
    }
    let refused = vera.mutate("createUpload", "attachment { id } uploadUrl", input.clone()).await;
    assert_eq!(refused["userErrors"][0]["code"], "INVALID");
    assert_eq!((&refused["attachment"], &refused["uploadUrl"]), (&Value::Null, &Value::Null));
    // Others are not hindered.
    world.admin.done("createUpload", "", input).await;
    world.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn file_size_limit_is_configurable() {
    let app = TestApp::start_with(Engine::Sqlite, Clock::system(), |config| config.max_upload = 30).await;
    let world = World::on(app).await;
    let vera = world.visitor("vera").await;
    let chat = world.chat(&vera).await;
    let outcome = async |client: &Client, media_type: &str, size: u64| {
        let input = json!({ "chatId": chat, "name": "a", "mediaType": media_type, "size": size });
        client.refused("createUpload", input).await
    };
    let mib = 1024 * 1024;
    assert_eq!(outcome(&vera, "video/mp4", 30 * mib).await, Vec::<String>::new());
    assert_eq!(outcome(&vera, "video/mp4", 30 * mib + 1).await, ["TOO_LARGE"]);
    // The decoder has its own limit.
    assert_eq!(outcome(&vera, "image/png", limits::IMAGE_BYTES).await, Vec::<String>::new());
    assert_eq!(outcome(&vera, "image/png", limits::IMAGE_BYTES + 1).await, ["TOO_LARGE"]);
    assert_eq!(outcome(&vera, "text/html", 1).await, ["UNSUPPORTED_MEDIA"]);
    world.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_an_allowed_site_may_put_and_others_may_not() {
    let app = TestApp::start_with(Engine::Sqlite, Clock::system(), |config| {
        config.allowed_origins = vec!["https://clinic.example".to_owned()];
    });
    let app = app.await;
    for (origin, allowed) in [("https://clinic.example", true), ("https://evil.example", false)] {
        let url = format!("{}/uploads/x", app.url);
        let preflight = reqwest::Client::new()
            .request(Method::OPTIONS, url)
            .header("origin", origin)
            .header("access-control-request-method", "PUT")
            .header("access-control-request-headers", "content-type");
        let answer = preflight.send().await.expect("an answer");
        assert_eq!(answer.headers().get("access-control-allow-origin").is_some(), allowed, "{origin}");
        let methods = answer.headers()["access-control-allow-methods"].to_str().expect("text").to_owned();
        assert!(methods.contains("PUT"), "{methods}");
    }
    app.stop().await;
}
