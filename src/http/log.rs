//! Logging of requests: their ids and their failures.

use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, Request, StatusCode};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;
use tower_http::classify::ServerErrorsFailureClass;
use tower_http::trace::OnFailure;
use tracing::Span;

/// The maximum length of a request id.
const ID_LENGTH: usize = 128;
/// The interval of log lines about responses with status 503. They come in bursts, because clients retry.
const WARN_EVERY: Duration = Duration::from_secs(10);

const ID: HeaderName = HeaderName::from_static("x-request-id");

/// Removes an unsafe request id, which could forge log lines or headers. The request gets a new id.
pub(super) async fn check_request_id(mut request: Request<Body>) -> Request<Body> {
    let headers = request.headers_mut();
    if headers.contains_key(&ID) && !has_proper_id(headers) {
        headers.remove(&ID);
    }
    request
}

fn has_proper_id(headers: &HeaderMap) -> bool {
    let mut given = headers.get_all(&ID).into_iter();
    let (Some(id), None) = (given.next(), given.next()) else { return false };
    let is_allowed = |byte: &u8| byte.is_ascii_alphanumeric() || b"._-".contains(byte);
    (1..=ID_LENGTH).contains(&id.len()) && id.as_bytes().iter().all(is_allowed)
}

/// Logs failed requests: bugs as errors, overload as rate-limited warnings.
#[derive(Clone, Default)]
pub(super) struct Failures(Arc<Mutex<Unavailable>>);

#[derive(Default)]
struct Unavailable {
    warned: Option<Instant>,
    /// The number of responses since then that were not logged.
    untold: u64,
}

impl OnFailure<ServerErrorsFailureClass> for Failures {
    fn on_failure(&mut self, failure: ServerErrorsFailureClass, latency: Duration, _: &Span) {
        let ms = latency.as_millis();
        match failure {
            ServerErrorsFailureClass::StatusCode(StatusCode::SERVICE_UNAVAILABLE) => {
                let mut unavailable = self.0.lock().unwrap_or_else(PoisonError::into_inner);
                if unavailable.warned.is_some_and(|warned| warned.elapsed() < WARN_EVERY) {
                    unavailable.untold += 1;
                    return;
                }
                let untold = std::mem::take(&mut unavailable.untold);
                unavailable.warned = Some(Instant::now());
                drop(unavailable);
                tracing::warn!(ms, untold, "answered 503 because the server cannot answer at the moment");
            }
            ServerErrorsFailureClass::StatusCode(status) => {
                tracing::error!(ms, status = status.as_u16(), "a request failed");
            }
            ServerErrorsFailureClass::Error(error) => tracing::error!(ms, error, "a request failed"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    /// A log in memory.
    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl std::io::Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().expect("the log").extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn responses_with_503_are_rare_warnings_and_other_failures_are_errors() {
        let lines = Lines::default();
        let written = lines.clone();
        let log = tracing_subscriber::fmt().with_ansi(false).with_writer(move || written.clone()).finish();
        tracing::subscriber::with_default(log, || {
            let mut failures = Failures::default();
            for status in [503, 503, 503, 500] {
                let status = StatusCode::from_u16(status).expect("a status");
                let failure = ServerErrorsFailureClass::StatusCode(status);
                failures.clone().on_failure(failure, Duration::from_millis(3), &Span::none());
            }
            failures.on_failure(ServerErrorsFailureClass::Error("cut".into()), Duration::ZERO, &Span::none());
        });
        let lines = String::from_utf8(lines.0.lock().expect("the log").clone()).expect("text");
        let levels: Vec<_> = lines.lines().filter_map(|line| line.split_whitespace().nth(1)).collect();
        assert_eq!(levels, ["WARN", "ERROR", "ERROR"], "{lines}");
    }

    #[test]
    fn a_request_id_has_up_to_128_safe_characters_and_is_given_once() {
        let is_proper = |ids: &[&str]| {
            let mut headers = HeaderMap::new();
            for id in ids {
                headers.append(ID, HeaderValue::from_str(id).expect("a value"));
            }
            has_proper_id(&headers)
        };
        assert!(is_proper(&["a"]) && is_proper(&["0197-AZ_z.9"]) && is_proper(&[&"x".repeat(128)]));
        for bad in ["", "a b", "a\tb", "a\"b", "a;b", "<a>", "a/b"] {
            assert!(!is_proper(&[bad]), "{bad}");
        }
        assert!(!is_proper(&[&"x".repeat(129)]) && !is_proper(&["a", "b"]));
    }
}
