//! GraphiQL at `/graphiql/`: the page that the crate `playground` embeds, with a policy that lets it call
//! only this server. In a server that was built without it, `/graphiql` explains how to get it.

use axum::Router;
use axum::body::Bytes;
use axum::extract::Path;
use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use playground::File;

/// The policy of the page. Scripts come from this server and are never inline. The editor creates its workers
/// from blobs, and its styles inline. `'self'` of `connect-src` includes only this server's WebSocket.
const POLICY: &str = "default-src 'none'; script-src 'self'; worker-src 'self' blob:; connect-src 'self'; \
                      style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Whether the server was built with GraphiQL.
#[must_use]
pub fn has_graphiql() -> bool {
    playground::MISSING.is_none()
}

/// The page, or the explanation how to get it.
pub(super) fn router() -> Router {
    if let Some(reason) = playground::MISSING {
        let text = missing(reason);
        let answer = move || std::future::ready((StatusCode::NOT_FOUND, text));
        return Router::new().route("/graphiql", get(answer.clone())).route("/graphiql/", get(answer));
    }
    Router::new()
        // URLs in the page are relative to the folder. The redirect keeps the fragment after `#`.
        .route("/graphiql", get(|| async { Redirect::temporary("graphiql/") }))
        .route("/graphiql/", get(|headers| async move { file("index.html", &headers) }))
        .route(
            "/graphiql/{*path}",
            get(|Path(path): Path<String>, headers| async move { file(&path, &headers) }),
        )
}

fn missing(reason: &str) -> String {
    format!(
        "This server has no GraphiQL: {reason}.\n\n\
         To get it, install Node.js 20.19 or newer with npm, and build the server again:\n\n  \
         touch playground/build.rs && cargo build --release\n\n\
         GraphQL itself is at /graphql.\n"
    )
}

fn file(path: &str, headers: &HeaderMap) -> Response {
    let Some(file) = playground::find(path) else {
        return (StatusCode::NOT_FOUND, "There is no such file.\n").into_response();
    };
    let caching = if file.is_hashed() { "public, max-age=31536000, immutable" } else { "no-store" };
    let head: [(HeaderName, &str); 4] = [
        (header::CONTENT_TYPE, file.media_type()),
        (header::CACHE_CONTROL, caching),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::VARY, "accept-encoding"),
    ];
    (head, body(file, headers)).into_response()
}

fn body(file: File, headers: &HeaderMap) -> Response {
    if accepts_gzip(headers) {
        return ([(header::CONTENT_ENCODING, "gzip")], Bytes::from_static(file.gzipped)).into_response();
    }
    match file.plain() {
        Ok(bytes) => bytes.into_response(),
        Err(error) => {
            tracing::error!(%error, path = file.path, "could not read an embedded file");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// Whether `Accept-Encoding` accepts gzip. Without the header, it does not.
fn accepts_gzip(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(header::ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    accepted.flat_map(|value| value.split(',')).any(|coding| {
        let mut parts = coding.split(';').map(str::trim);
        let is_gzip = parts.next().is_some_and(|name| name.eq_ignore_ascii_case("gzip"));
        let is_refused = parts
            .filter_map(|part| part.strip_prefix("q="))
            .any(|weight| weight.parse::<f32>().is_ok_and(|weight| weight <= 0.0));
        is_gzip && !is_refused
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gzip_is_for_those_who_ask_for_it() {
        let accepts = |value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT_ENCODING, header::HeaderValue::from_static(value));
            accepts_gzip(&headers)
        };
        assert!(accepts("gzip, deflate, br"));
        assert!(accepts("br;q=1.0, GZIP;q=0.5"));
        assert!(!accepts("identity"));
        assert!(!accepts("gzip;q=0, br"));
        assert!(!accepts("gzip; q=0.0"));
        assert!(!accepts_gzip(&HeaderMap::new()));
    }

    #[test]
    fn without_the_page_it_says_how_to_get_it() {
        let text = missing("npm could not be started (not found)");
        assert!(text.contains("npm could not be started") && text.contains("Node.js"), "{text}");
    }
}
