//! Stalled connections of every protocol are closed, and others are served meanwhile.

use crate::harness::raw::Raw;
use crate::harness::world::{Person, World};
use crate::harness::{Engine, TestApp};
use anteroom::clock::Clock;
use anteroom::config::Config;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// The first bytes of an HTTP/2 client: the preface, and settings with windows of 0 bytes.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const NO_WINDOW: &[u8] = &[0, 0, 6, 4, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 0];

async fn world(change: impl FnOnce(&mut Config)) -> World {
    World::on(TestApp::start_with(Engine::Sqlite, Clock::system(), change).await).await
}

async fn is_healthy(url: &str) {
    let answer = reqwest::get(format!("{url}/healthz")).await.expect("an answer");
    assert_eq!(answer.status(), 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_that_send_no_whole_request_are_closed() {
    let world = world(|config| config.limits.connections.head_within = Duration::from_secs(1)).await;
    let url = &world.app.url;
    let mut silent = Vec::new();
    let beginnings: [(&[u8], usize); 5] = [
        (b"", 100),
        (&PREFACE[..12], 50),
        (PREFACE, 50),
        (b"GET /healthz HT", 50),
        (b"GET /healthz HTTP/1.1\r\nhost: a\r\nx-slow: ", 50),
    ];
    for (bytes, count) in beginnings {
        for _ in 0..count {
            let mut connection = Raw::open(url).await;
            connection.send(bytes).await;
            silent.push(connection);
        }
    }
    // One that goes on without ending is no better, and nor is the second request of a connection.
    let mut slow = Raw::open(url).await;
    let mut second = Raw::open(url).await;
    second.send("GET /healthz HTTP/1.1\r\nhost: a\r\n\r\n").await;
    second.read_until("\r\n\r\nok").await;
    second.send("GET /healthz HT").await;
    let closed = async {
        for connection in &mut silent {
            connection.read_to_end().await;
        }
    };
    let dripping = async {
        use tokio::io::AsyncWriteExt;
        let _ = slow.0.write_all(b"GET /healthz HTTP/1.1\r\n").await;
        while slow.0.write_all(b"x: y\r\n").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    is_healthy(url).await;
    let all = async { tokio::join!(closed, dripping, second.read_to_end()) };
    tokio::time::timeout(Duration::from_secs(40), all).await.expect("all are closed in time");
    world.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn idle_connection_is_closed_and_a_busy_one_is_not() {
    let world = world(|config| config.limits.connections.idle_within = Duration::from_secs(2)).await;
    let (mut idle, mut busy) = (Raw::open(&world.app.url).await, Raw::open(&world.app.url).await);
    idle.send("GET /healthz HTTP/1.1\r\nhost: a\r\n\r\n").await;
    idle.read_until("\r\n\r\nok").await;
    let since = Instant::now();
    for _ in 0..12 {
        busy.send("GET /healthz HTTP/1.1\r\nhost: a\r\n\r\n").await;
        busy.read_until("\r\n\r\nok").await;
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    assert_eq!(idle.read_to_end().await, b"");
    assert!(since.elapsed() > Duration::from_secs(2));
    world.app.stop().await;
}

/// A chat of the person with a few long messages.
async fn long_chat(world: &World, person: &Person) -> String {
    let chat = world.chat(person).await;
    write(person, &chat, 14).await;
    chat
}

/// The text of a message, repeated this number of times.
fn texts(count: usize) -> String {
    (0..count).map(|number| format!("t{number}: text")).collect::<Vec<_>>().join(" ")
}

/// Asks for about 700 KB.
fn much() -> String {
    format!("query($id: ID!) {{ chat(id: $id) {{ messages(last: 14) {{ nodes {{ {} }} }} }} }}", texts(25))
}

#[tokio::test(flavor = "multi_thread")]
async fn answer_that_is_not_read_closes_the_connection() {
    let world = world(|config| config.limits.connections.write_within = Duration::from_secs(2)).await;
    let vera = world.visitor("vera").await;
    let chat = long_chat(&world, &vera).await;
    let request = Raw::post(&vera.token, "", &json!({ "query": much(), "variables": { "id": chat } }));
    let mut stalled = Vec::new();
    for _ in 0..10 {
        let mut connection = Raw::narrow(&world.app.url).await;
        connection.send(&request).await;
        stalled.push(connection);
    }
    // A slow reader is not one that does not read.
    let mut slow = Raw::narrow(&world.app.url).await;
    slow.send(&request).await;
    let reading = async {
        use tokio::io::AsyncReadExt;
        let (mut total, mut piece) = (0, vec![0; 16 * 1024]);
        while total < 600_000 {
            let count = slow.0.read(&mut piece).await.expect("bytes");
            assert!(count > 0, "closed after {total} bytes");
            total += count;
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let closed = async {
        for connection in &stalled {
            connection.is_reset_within(Duration::from_mins(1)).await;
        }
    };
    tokio::join!(closed, reading);
    is_healthy(&world.app.url).await;
    world.app.stop().await;
}

/// A GET of `/graphql` on stream 1, in HPACK without a table.
fn http2_get(token: &str, document: &str, accept: &str) -> Vec<u8> {
    let encoded = document.bytes().map(|byte| format!("%{byte:02x}")).collect::<Vec<_>>().concat();
    let mut block = vec![0x82, 0x86];
    let mut field = |index: &[u8], value: &str| {
        block.extend_from_slice(index);
        let length = value.len();
        if length < 127 {
            block.push(u8::try_from(length).expect("short"));
        } else {
            block.push(127);
            let mut rest = length - 127;
            while rest >= 128 {
                block.push(u8::try_from(rest % 128 + 128).expect("a byte"));
                rest /= 128;
            }
            block.push(u8::try_from(rest).expect("a byte"));
        }
        block.extend_from_slice(value.as_bytes());
    };
    field(&[0x04], &format!("/graphql?query={encoded}"));
    field(&[0x01], "anteroom");
    field(&[0x0f, 0x08], &format!("Bearer {token}"));
    field(&[0x0f, 0x04], accept);
    let length = u32::try_from(block.len()).expect("short").to_be_bytes();
    let mut frame = vec![length[1], length[2], length[3], 1, 0x05, 0, 0, 0, 1];
    frame.extend(block);
    frame
}

#[tokio::test(flavor = "multi_thread")]
async fn http2_connection_without_a_window_is_closed() {
    let world = world(|config| config.limits.connections.write_within = Duration::from_secs(2)).await;
    let vera = world.visitor("vera").await;
    let chat = long_chat(&world, &vera).await;
    let document = much().replace("query($id: ID!)", "").replace("$id", &format!("{chat:?}"));
    let short = "{ viewer { role } }";
    for (document, accept) in [
        (document.as_str(), "application/json"),
        (short, "application/json"),
        ("subscription { viewerEvents { cursor } }", "text/event-stream"),
    ] {
        let mut connection = Raw::open(&world.app.url).await;
        connection.send([PREFACE, NO_WINDOW].concat()).await;
        connection.send(http2_get(&vera.token, document, accept)).await;
        let asked = Instant::now();
        let read = connection.read_to_end().await;
        assert!(asked.elapsed() > Duration::from_secs(1), "{document}: it was answered: {read:?}");
        assert!(asked.elapsed() < Duration::from_secs(40), "{document}");
    }
    world.app.stop().await;
}

/// Event streams of a chat that nobody reads any more, while somebody writes until they are full.
async fn stalled_streams(person: &Person, chat: &str, count: usize) -> Vec<Raw> {
    // 50 KB for each message.
    let events =
        format!("subscription($id: ID!) {{ messageAdded(chatId: $id) {{ node {{ {} }} }} }}", texts(25));
    let body = json!({ "query": events, "variables": { "id": chat } });
    let request = Raw::post(&person.token, "accept: text/event-stream\r\n", &body);
    let mut streams = Vec::new();
    for _ in 0..count {
        let mut stream = Raw::narrow(&person.url).await;
        stream.send(&request).await;
        stream.read_until("text/event-stream").await;
        streams.push(stream);
    }
    streams
}

async fn write(person: &Person, chat: &str, count: usize) {
    for _ in 0..count {
        person.done("sendMessage", "", json!({ "chatId": chat, "text": "m".repeat(2_000) })).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn event_stream_that_stops_reading_is_closed_while_its_chat_is_busy() {
    let world = world(|config| config.limits.connections.write_within = Duration::from_secs(2)).await;
    let vera = world.visitor("vera").await;
    let chat = world.chat(&vera).await;
    let streams = stalled_streams(&vera, &chat, 5).await;
    let busy = async {
        loop {
            write(&vera, &chat, 1).await;
        }
    };
    let closed = async {
        for stream in &streams {
            stream.is_reset_within(Duration::from_mins(1)).await;
        }
    };
    tokio::select! {
        () = busy => {}
        () = closed => {}
    }
    // Their places are free again.
    let again = stalled_streams(&vera, &chat, 5).await;
    drop(again);
    world.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn event_stream_that_does_not_read_ends_when_its_token_is_revoked() {
    let world = world(|config| config.limits.connections.write_within = Duration::from_hours(1)).await;
    let (vera, victor) = (world.visitor("vera").await, world.visitor("victor").await);
    let input = json!({ "participantIds": [vera.id, victor.id] });
    let created = world.admin.done("createGroupChat", "chat { id }", input).await;
    let chat = created["chat"]["id"].as_str().expect("an id").to_owned();
    let (full, other) = (stalled_streams(&vera, &chat, 1).await, stalled_streams(&victor, &chat, 1).await);
    write(&victor, &chat, 8).await;
    let revoked = world.admin.done("revokeTokens", "", json!({ "actorId": vera.id })).await;
    assert_eq!(revoked["userErrors"], json!([]));
    full[0].is_reset_within(Duration::from_secs(15)).await;
    assert!(other[0].0.take_error().expect("a state").is_none(), "somebody else's stream was closed");
    world.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn longest_silent_connection_of_an_address_is_closed() {
    let world = world(|config| config.limits.connections.per_address = 20).await;
    let url = &world.app.url;
    let mut silent = Vec::new();
    for _ in 0..19 {
        silent.push(Raw::open(url).await);
    }
    tokio::time::sleep(Duration::from_millis(600)).await;
    for _ in 0..10 {
        is_healthy(url).await;
        silent.push(Raw::open(url).await);
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    assert_eq!(silent[0].read_to_end().await, b"");
    // Sockets of people who signed in are not counted.
    let vera = world.visitor("vera").await;
    for _ in 0..5 {
        crate::harness::socket::Socket::connect(&vera.url, &vera.token).await;
    }
    world.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn offers_of_other_protocols_are_ignored() {
    let world = world(|_| {}).await;
    let vera = world.visitor("vera").await;
    let offer = "connection: Upgrade, HTTP2-Settings\r\nupgrade: h2c\r\nhttp2-settings: AAEAAEAAAAIAAAAAAAMAAAAAAAQBAAAAAAUAAEAAAAYABgAA\r\n";
    let body = json!({ "query": "{ viewer { role } }" });
    let mut connection = Raw::open(&world.app.url).await;
    // Twice on one connection: what was offered leaves it as it is.
    for _ in 0..2 {
        connection.send(Raw::post(&vera.token, offer, &body)).await;
        let answer = connection.read_until("\"VISITOR\"").await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }
    for upgrade in ["h2c", "TLS/1.0", "foo/2, h2c"] {
        let answer = vera.request().header("connection", "Upgrade").header("upgrade", upgrade).json(&body);
        assert_eq!(answer.send().await.expect("an answer").status(), 200, "{upgrade}");
        let health = reqwest::Client::new().get(format!("{}/healthz", vera.url)).header("upgrade", upgrade);
        assert_eq!(health.send().await.expect("an answer").status(), 200, "{upgrade}");
    }
    let broken = reqwest::Client::new().get(format!("{}/graphql", vera.url)).header("upgrade", "websocket");
    assert_eq!(broken.send().await.expect("an answer").status(), 400);
    world.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn invalid_request_ids_are_replaced() {
    let world = world(|_| {}).await;
    let echoed = async |id: &str| {
        let request =
            reqwest::Client::new().get(format!("{}/healthz", world.app.url)).header("x-request-id", id);
        let answer = request.send().await.expect("an answer");
        answer.headers()["x-request-id"].to_str().expect("text").to_owned()
    };
    for id in ["a", "0197-AZ_z.9", &"x".repeat(128)] {
        assert_eq!(echoed(id).await, id);
    }
    for id in [&"x".repeat(8_000), &"x".repeat(129), "a b", "<script>", "a;b=c", "{\"a\":1}"] {
        let other = echoed(id).await;
        assert!(other != id && other.len() == 36, "{id}: {other}");
    }
    world.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn invalid_frames_close_with_their_codes() {
    let world = world(|_| {}).await;
    // Masked frames with a mask of zeros.
    let frame = |first: u8, payload: &[u8]| {
        let length = u8::try_from(payload.len()).expect("short");
        [&[first, 0x80 | length, 0, 0, 0, 0], payload].concat()
    };
    let cases: [(&str, Vec<u8>, u16); 7] = [
        ("an unknown opcode", frame(0x83, b"x"), 1002),
        ("a reserved bit", frame(0xc1, b"x"), 1002),
        ("a fragmented ping", frame(0x09, b"x"), 1002),
        ("a continuation of nothing", frame(0x80, b"x"), 1002),
        ("a frame without a mask", vec![0x81, 0x01, b'x'], 1002),
        ("text that is not UTF-8", frame(0x81, &[0xff, 0xfe]), 1007),
        ("a frame of a gigabyte", vec![0x81, 0xff, 0, 0, 0, 0, 0x40, 0, 0, 0, 0, 0, 0, 0], 1009),
    ];
    for (what, bytes, code) in cases {
        let mut socket = Raw::open(&world.app.url).await;
        socket
            .send(
                "GET /graphql HTTP/1.1\r\nhost: a\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\
                 sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
                 sec-websocket-protocol: graphql-transport-ws\r\n\r\n",
            )
            .await;
        socket.read_until("\r\n\r\n").await;
        socket.send(bytes).await;
        let read = socket.read_to_end().await;
        assert!(read.len() >= 4 && read[0] == 0x88, "{what}: {read:?}");
        assert_eq!(u16::from_be_bytes([read[2], read[3]]), code, "{what}");
    }
    world.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn preflight_allows_client_headers_from_allowed_origins() {
    let world = world(|config| config.allowed_origins = vec!["https://desk.example".into()]).await;
    let names = [
        "last-event-id",
        "apollographql-client-name",
        "apollographql-client-version",
        "traceparent",
        "tracestate",
        "x-request-id",
        "authorization",
        "content-type",
    ];
    let preflight = async |origin: &str| {
        let request = reqwest::Client::new()
            .request(reqwest::Method::OPTIONS, format!("{}/graphql", world.app.url))
            .header("origin", origin)
            .header("access-control-request-method", "POST")
            .header("access-control-request-headers", names.join(","));
        request.send().await.expect("an answer")
    };
    let answer = preflight("https://desk.example").await;
    assert_eq!(answer.headers()["access-control-allow-origin"], "https://desk.example");
    let allowed = answer.headers()["access-control-allow-headers"].to_str().expect("text").to_lowercase();
    for name in names {
        assert!(allowed.split(',').any(|allowed| allowed.trim() == name), "{name}: {allowed}");
    }
    assert!(!preflight("https://evil.example").await.headers().contains_key("access-control-allow-origin"));
    world.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rooms_keep_origins_as_browsers_send_them() {
    let world = world(|_| {}).await;
    let origins = json!(["https://Shop.example:443", "https://shop.example", "http://LOCALHOST:80"]);
    let input = json!({ "name": "Shop", "allowedOrigins": origins });
    let created = world.admin.done("createRoom", "room { allowedOrigins }", input).await;
    let kept: &Value = &created["room"]["allowedOrigins"];
    assert_eq!(kept, &json!(["https://shop.example", "http://localhost"]));
    world.app.stop().await;
}
