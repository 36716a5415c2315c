//! Downloads: through links that expire, in a form that no browser runs.

use super::{ANY, alone, parameter, with};
use crate::harness::Engine;
use crate::harness::files::{grant, png, status_and_code, upload};
use crate::harness::world::{Person, text};
use reqwest::{Method, Response};
use serde_json::{Value, json};

const LINKS: &str =
    "query($id: ID!) { node(id: $id) { ... on FileAttachment { url urlExpiresAt previewUrl } } }";

async fn links(person: &Person, id: &str) -> Value {
    person.query(LINKS, json!({ "id": id })).await["node"].clone()
}

async fn get(url: &Value, headers: &[(&str, &str)]) -> Response {
    ask(Method::GET, url, headers).await
}

async fn ask(method: Method, url: &Value, headers: &[(&str, &str)]) -> Response {
    let mut request = reqwest::Client::new().request(method, text(url));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.send().await.expect("an answer")
}

fn header(answer: &Response, name: &str) -> String {
    answer.headers().get(name).map(|value| value.to_str().expect("text").to_owned()).unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_grants_one_file_for_minutes() {
    let (world, vera, chat) = alone(Engine::Sqlite).await;
    let file = upload(&vera, &chat, "a.bin", ANY, vec![1, 2, 3]).await;
    let other = upload(&vera, &chat, "b.bin", ANY, vec![4]).await;
    let found = links(&vera, &file).await;
    let (url, others) = (&found["url"], links(&vera, &other).await);
    let forged = (403, "FORBIDDEN".to_owned());
    let far = (parameter(url, "until").parse::<i64>().expect("a number") + 900).to_string();
    for case in [
        with(url, "signature", &parameter(&others["url"], "signature")),
        with(url, "signature", "x"),
        with(url, "until", &far),
        json!({ "uploadUrl": text(url).replace("/files/", "/previews/") }),
        json!({ "uploadUrl": text(url).split('?').next() }),
    ] {
        assert_eq!(status_and_code(get(&case["uploadUrl"], &[]).await).await, forged, "{case}");
    }
    // It is the same for a quarter of an hour, and holds for as long at least.
    assert_eq!(links(&vera, &file).await, found);
    world.pass(14 * 60 + 59);
    assert_eq!(links(&vera, &file).await, found);
    assert_eq!(get(url, &[]).await.bytes().await.expect("bytes"), vec![1, 2, 3]);
    world.pass(1);
    let next = links(&vera, &file).await;
    assert_ne!(next["url"], found["url"]);
    assert_eq!(get(url, &[]).await.status(), 200);
    world.pass(15 * 60);
    assert_eq!(status_and_code(get(url, &[]).await).await, (410, "EXPIRED".to_owned()));
    assert_eq!(get(&next["url"], &[]).await.status(), 200);
    // Where nothing was uploaded yet there is nothing.
    let begun = text(&grant(&vera, &chat, "c.bin", ANY, 1).await["attachment"]["id"]);
    let begun = links(&vera, &begun).await;
    assert_eq!(status_and_code(get(&begun["url"], &[]).await).await, (404, "NOT_FOUND".to_owned()));
    world.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn served_files_cannot_execute() {
    let (world, vera, chat) = alone(Engine::Sqlite).await;
    let svg = b"<svg xmlns=\"http://www.w3.org/2000/svg\"><script>alert(1)</script></svg>".to_vec();
    let html = b"<!DOCTYPE html><script>alert(1)</script>".to_vec();
    let cases = [
        ("a.svg", "image/svg+xml", svg, "attachment; filename=\"a.svg\"; filename*=UTF-8''a.svg"),
        ("page.html", ANY, html, "attachment; filename=\"page.html\"; filename*=UTF-8''page.html"),
        (
            "../../\"Knie\"; x=\u{202e}y.png",
            "image/png",
            png(400, 300),
            "attachment; filename=\".._..__Knie_; x=y.png\"; filename*=UTF-8''.._.._%22Knie%22%3B%20x%3Dy.png",
        ),
    ];
    for (name, media_type, bytes, disposition) in cases {
        let file = upload(&vera, &chat, name, media_type, bytes.clone()).await;
        let found = links(&vera, &file).await;
        let answer = get(&found["url"], &[]).await;
        assert_eq!(answer.status(), 200);
        assert_eq!(header(&answer, "content-disposition"), disposition);
        assert_eq!(header(&answer, "content-type"), media_type);
        assert_eq!(header(&answer, "x-content-type-options"), "nosniff");
        let policy = header(&answer, "content-security-policy");
        assert!(policy.contains("default-src 'none'") && policy.contains("sandbox"), "{policy}");
        assert_eq!(answer.bytes().await.expect("bytes"), bytes);
        if media_type != "image/png" {
            assert_eq!(found["previewUrl"], Value::Null, "{name}");
            continue;
        }
        let preview = get(&found["previewUrl"], &[]).await;
        assert_eq!(header(&preview, "content-disposition"), "inline");
        assert_eq!(header(&preview, "content-type"), "image/jpeg");
        assert_eq!(header(&preview, "x-content-type-options"), "nosniff");
        let preview = preview.bytes().await.expect("bytes");
        let preview = image::load_from_memory(&preview).expect("an image");
        assert_eq!((preview.width(), preview.height()), (320, 240));
    }
    // A name of two lines is none.
    let input = json!({ "chatId": chat, "name": "a\r\nb", "mediaType": ANY, "size": 1 });
    assert_eq!(vera.refused("createUpload", input).await, ["INVALID"]);
    world.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_fetched_in_parts_and_only_when_it_is_not_known() {
    let (world, vera, chat) = alone(Engine::Sqlite).await;
    let bytes: Vec<u8> = (0..600_000_u32).map(|number| u8::try_from(number % 251).expect("small")).collect();
    let file = upload(&vera, &chat, "a.bin", ANY, bytes.clone()).await;
    let url = links(&vera, &file).await["url"].clone();
    let whole = get(&url, &[]).await;
    let (etag, caching) = (header(&whole, "etag"), header(&whole, "cache-control"));
    assert_eq!(
        (header(&whole, "content-length"), header(&whole, "accept-ranges")),
        ("600000".into(), "bytes".into())
    );
    assert!(caching.starts_with("private, max-age=1800"), "{caching}");
    assert_eq!(whole.bytes().await.expect("bytes"), bytes);
    for (range, expected, part) in [
        ("bytes=0-9", "bytes 0-9/600000", &bytes[..10]),
        ("bytes=300000-", "bytes 300000-599999/600000", &bytes[300_000..]),
        ("bytes=-5", "bytes 599995-599999/600000", &bytes[599_995..]),
        ("bytes=599999-700000", "bytes 599999-599999/600000", &bytes[599_999..]),
    ] {
        let answer = get(&url, &[("range", range), ("if-range", &etag)]).await;
        assert_eq!(
            (answer.status().as_u16(), &*header(&answer, "content-range")),
            (206, expected),
            "{range}"
        );
        assert_eq!(header(&answer, "content-length"), part.len().to_string(), "{range}");
        assert_eq!(answer.bytes().await.expect("bytes"), part, "{range}");
    }
    let beyond = get(&url, &[("range", "bytes=600000-")]).await;
    assert_eq!((beyond.status().as_u16(), &*header(&beyond, "content-range")), (416, "bytes */600000"));
    let stale = get(&url, &[("range", "bytes=0-9"), ("if-range", "\"other\"")]).await;
    assert_eq!((stale.status().as_u16(), &*header(&stale, "content-length")), (200, "600000"));
    let head = ask(Method::HEAD, &url, &[]).await;
    assert_eq!((head.status().as_u16(), &*header(&head, "content-length")), (200, "600000"));
    assert_eq!(head.bytes().await.expect("nothing").len(), 0);
    let known = get(&url, &[("if-none-match", &etag)]).await;
    assert_eq!((known.status().as_u16(), &*header(&known, "etag")), (304, &*etag));
    assert_eq!(known.bytes().await.expect("nothing").len(), 0);
    world.app.stop().await;
}
