//! A bucket that implements the part of S3 that the server uses, and records the requests.

use axum::body::{Body, Bytes};
use axum::extract::{Query, State};
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};

/// The content of the bucket.
#[derive(Default)]
struct Kept {
    objects: BTreeMap<String, Vec<u8>>,
    /// Parts of incomplete uploads, by upload id and part number.
    parts: BTreeMap<String, BTreeMap<u32, Vec<u8>>>,
    /// The size of the largest request.
    largest: usize,
    unsigned: usize,
}

/// A bucket that listens on its own address.
#[derive(Clone, Default)]
pub struct Bucket(Arc<Mutex<Kept>>);

impl Bucket {
    /// Starts a bucket, and returns it with its URL.
    pub async fn start() -> (Self, String) {
        let bucket = Self::default();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let router = axum::Router::new().fallback(answer).with_state(bucket.clone());
        let router = router.layer(axum::extract::DefaultBodyLimit::disable());
        tokio::spawn(async move { axum_serve(listener, router).await });
        (bucket, url)
    }

    /// The names of all objects.
    pub fn names(&self) -> Vec<String> {
        self.0.lock().unwrap().objects.keys().cloned().collect()
    }

    /// The number of uploads that were started but not completed.
    pub fn incomplete(&self) -> usize {
        self.0.lock().unwrap().parts.len()
    }

    /// The size of the largest request in bytes.
    pub fn largest(&self) -> usize {
        self.0.lock().unwrap().largest
    }

    /// The number of requests without a signature.
    pub fn unsigned(&self) -> usize {
        self.0.lock().unwrap().unsigned
    }
}

async fn axum_serve(listener: tokio::net::TcpListener, router: axum::Router) {
    use hyper_util::rt::{TokioExecutor, TokioIo};
    use hyper_util::server::conn::auto::Builder;
    use hyper_util::service::TowerToHyperService;
    while let Ok((stream, _)) = listener.accept().await {
        let service = TowerToHyperService::new(router.clone());
        tokio::spawn(async move {
            let _ = Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

async fn answer(
    State(Bucket(kept)): State<Bucket>,
    method: Method,
    uri: Uri,
    Query(query): Query<HashMap<String, String>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let mut kept = kept.lock().unwrap();
    kept.largest = kept.largest.max(body.len());
    let is_signed = headers.get("authorization").is_some_and(|value| value.as_bytes().starts_with(b"AWS4-"));
    kept.unsigned += usize::from(!is_signed);
    let key = uri.path().trim_start_matches("/files").trim_start_matches('/').to_owned();
    let upload = query.get("uploadId").cloned();
    match (method.as_str(), upload) {
        ("PUT", None) => {
            kept.objects.insert(key, body.to_vec());
            tagged("")
        }
        ("PUT", Some(upload)) => {
            let number = query["partNumber"].parse().expect("a number");
            kept.parts.entry(upload).or_default().insert(number, body.to_vec());
            tagged("")
        }
        ("POST", None) if query.contains_key("uploads") => {
            let upload = format!("upload-{}", kept.parts.len());
            kept.parts.insert(upload.clone(), BTreeMap::new());
            let answer = format!(
                "<InitiateMultipartUploadResult><Bucket>files</Bucket><Key>{key}</Key>\
                 <UploadId>{upload}</UploadId></InitiateMultipartUploadResult>"
            );
            tagged(&answer)
        }
        ("POST", None) => {
            let text = String::from_utf8(body.to_vec()).expect("XML");
            for key in text.split("<Key>").skip(1).filter_map(|rest| rest.split("</Key>").next()) {
                kept.objects.remove(key);
            }
            tagged("<DeleteResult></DeleteResult>")
        }
        ("POST", Some(upload)) => {
            let parts = kept.parts.remove(&upload).unwrap_or_default();
            kept.objects.insert(key, parts.into_values().flatten().collect());
            tagged("<CompleteMultipartUploadResult><ETag>\"x\"</ETag></CompleteMultipartUploadResult>")
        }
        ("DELETE", Some(upload)) => {
            kept.parts.remove(&upload);
            StatusCode::NO_CONTENT.into_response()
        }
        ("DELETE", None) => {
            kept.objects.remove(&key);
            StatusCode::NO_CONTENT.into_response()
        }
        ("GET", _) if query.contains_key("list-type") => tagged(&listed(&kept, &query["prefix"])),
        ("GET", _) => object(kept.objects.get(&key), &headers),
        (other, _) => panic!("unexpected request: {other} {uri}"),
    }
}

fn listed(kept: &Kept, prefix: &str) -> String {
    let mut text = "<ListBucketResult><IsTruncated>false</IsTruncated>".to_owned();
    for (key, bytes) in kept.objects.iter().filter(|(key, _)| key.starts_with(prefix)) {
        text.push_str(&format!(
            "<Contents><Key>{key}</Key><LastModified>2026-11-20T12:00:00.000Z</LastModified>\
             <ETag>\"x\"</ETag><Size>{}</Size></Contents>",
            bytes.len()
        ));
    }
    text + "</ListBucketResult>"
}

fn object(bytes: Option<&Vec<u8>>, headers: &HeaderMap) -> Response {
    let Some(bytes) = bytes else {
        return (StatusCode::NOT_FOUND, "<Error><Code>NoSuchKey</Code></Error>").into_response();
    };
    let range = headers.get("range").and_then(|range| range.to_str().ok()?.strip_prefix("bytes="));
    let head = [("etag", "\"x\""), ("last-modified", "Fri, 20 Nov 2026 12:00:00 GMT")];
    match range.and_then(|range| range.split_once('-')) {
        Some((first, last)) => {
            let (first, last): (usize, usize) = (first.parse().unwrap(), last.parse().unwrap());
            let range = format!("bytes {first}-{last}/{}", bytes.len());
            let part = Body::from(bytes[first..=last].to_vec());
            (StatusCode::PARTIAL_CONTENT, head, [("content-range", range)], part).into_response()
        }
        None => (head, Body::from(bytes.clone())).into_response(),
    }
}

fn tagged(text: &str) -> Response {
    ([("etag", "\"x\"")], text.to_owned()).into_response()
}
