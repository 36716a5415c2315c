//! One attempt: a new connection to a checked address, one request, and a bounded part of the response.

use super::Settings;
use super::address::Allowed;
use super::resolver::Resolver;
use super::target::Target;
use super::trouble::Trouble;
use chrono::{DateTime, TimeDelta, Utc};
use entity::Timestamp;
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONTENT_TYPE, HOST, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER, USER_AGENT};
use hyper::{Method, Request, Response, Version};
use hyper_util::rt::TokioIo;
use std::future::pending;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{self, ClientConfig, RootCertStore};

/// The maximum size of a response's head in bytes.
const HEAD: usize = 16 * 1024;
/// The maximum number of bytes read of a response's body, which is discarded.
const BODY: usize = 16 * 1024;

/// The sender of requests.
#[derive(Clone)]
pub(super) struct Post {
    tls: TlsConnector,
    allowed: Allowed,
    resolver: Resolver,
    timeout: Duration,
}

/// A request to send.
pub(super) struct Letter {
    pub url: String,
    pub headers: Vec<(&'static str, String)>,
    pub body: String,
}

/// The result of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// The receiver accepted it with this status.
    Taken(u16),
    /// The receiver refused it, or could not be reached.
    Refused {
        /// The error.
        trouble: Trouble,
        /// The time of the next attempt, if the receiver named one.
        retry_after: Option<RetryAfter>,
    },
}

/// The `Retry-After` of a receiver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RetryAfter {
    In(TimeDelta),
    At(Timestamp),
}

impl From<Trouble> for Answer {
    fn from(trouble: Trouble) -> Self {
        Self::Refused { trouble, retry_after: None }
    }
}

impl Post {
    pub(super) fn new(settings: &Settings) -> Result<Self, rustls::Error> {
        let tls = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots())
            .with_no_client_auth();
        let Settings { allowed, resolver, timeout, .. } = settings.clone();
        Ok(Self { tls: TlsConnector::from(Arc::new(tls)), allowed, resolver, timeout })
    }

    /// Sends the request, within the time limit of an attempt.
    pub(super) async fn send(&self, letter: Letter) -> Answer {
        match tokio::time::timeout(self.timeout, self.try_send(letter)).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(trouble)) => trouble.into(),
            Err(_) => Trouble::Timeout.into(),
        }
    }

    async fn try_send(&self, letter: Letter) -> Result<Answer, Trouble> {
        let target = Target::parse(&letter.url, &self.allowed).map_err(|_| Trouble::BadUrl)?;
        let addresses = target.addresses(&self.allowed, &self.resolver).await?;
        let request = request(&target, letter)?;
        let stream = self.connect(&addresses).await?;
        if !target.is_tls() {
            return exchange(stream, request).await;
        }
        let name = ServerName::try_from(target.server_name()).map_err(|_| Trouble::BadUrl)?;
        let stream = self.tls.connect(name, stream).await.map_err(|error| tls_trouble(&error))?;
        exchange(stream, request).await
    }

    /// Connects to the first address that accepts the connection.
    async fn connect(&self, addresses: &[SocketAddr]) -> Result<TcpStream, Trouble> {
        let mut trouble = Trouble::NoConnection;
        for address in addresses {
            match tokio::time::timeout(self.timeout / 3, TcpStream::connect(address)).await {
                Ok(Ok(stream)) => {
                    let _ = stream.set_nodelay(true);
                    return Ok(stream);
                }
                Ok(Err(_)) => trouble = Trouble::NoConnection,
                Err(_) => trouble = Trouble::Timeout,
            }
        }
        Err(trouble)
    }
}

/// The trusted root certificates: the machine's, or Mozilla's list if it has none.
fn roots() -> RootCertStore {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if roots.is_empty() {
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    }
    roots
}

fn request(target: &Target, letter: Letter) -> Result<Request<Full<Bytes>>, Trouble> {
    let value = |text: &str| HeaderValue::from_str(text).map_err(|_| Trouble::BadUrl);
    let mut headers = HeaderMap::new();
    headers.insert(HOST, value(&target.host_header())?);
    headers.insert(USER_AGENT, HeaderValue::from_static(concat!("Anteroom/", env!("CARGO_PKG_VERSION"))));
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    for (name, text) in letter.headers {
        let mut value = value(&text)?;
        value.set_sensitive(true);
        headers.insert(HeaderName::from_static(name), value);
    }
    let mut request = Request::new(Full::new(Bytes::from(letter.body)));
    *request.method_mut() = Method::POST;
    *request.uri_mut() = target.path().parse().map_err(|_| Trouble::BadUrl)?;
    *request.version_mut() = Version::HTTP_11;
    *request.headers_mut() = headers;
    Ok(request)
}

async fn exchange<S>(stream: S, request: Request<Full<Bytes>>) -> Result<Answer, Trouble>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (mut sender, connection) = hyper::client::conn::http1::Builder::new()
        .max_buf_size(HEAD)
        .handshake(TokioIo::new(stream))
        .await
        .map_err(|_| Trouble::NoAnswer)?;
    let answered = async {
        let response = sender.send_request(request).await.map_err(|_| Trouble::NoAnswer)?;
        read(response).await
    };
    // The connection makes progress only while it is polled. After it ends, received data must still be read.
    let moved = async {
        let _ = connection.await;
        pending::<()>().await;
    };
    tokio::select! {
        answer = answered => answer,
        () = moved => Err(Trouble::NoAnswer),
    }
}

/// The status decides. The body is read to its end or to the limit, because a response that breaks off may
/// come from a receiver that failed before it was done.
async fn read(response: Response<Incoming>) -> Result<Answer, Trouble> {
    let status = response.status().as_u16();
    let retry_after = response.headers().get(RETRY_AFTER).and_then(|value| retry_after(value.to_str().ok()?));
    if !response.status().is_success() {
        return Ok(Answer::Refused { trouble: Trouble::Status(status), retry_after });
    }
    let mut body = response.into_body();
    let mut length = 0;
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| Trouble::NoAnswer)?;
        length += frame.data_ref().map_or(0, Bytes::len);
        if length > BODY {
            break;
        }
    }
    Ok(Answer::Taken(status))
}

/// Parses seconds or a date (RFC 9110, section 10.2.3).
fn retry_after(value: &str) -> Option<RetryAfter> {
    let value = value.trim();
    if let Ok(seconds) = value.parse::<u64>() {
        return Some(RetryAfter::In(
            TimeDelta::try_seconds(i64::try_from(seconds).ok()?).unwrap_or(TimeDelta::MAX),
        ));
    }
    let at = DateTime::parse_from_rfc2822(value).ok()?;
    Some(RetryAfter::At(Timestamp::from(at.with_timezone(&Utc))))
}

fn tls_trouble(error: &std::io::Error) -> Trouble {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    match inner {
        Some(rustls::Error::InvalidCertificate(_) | rustls::Error::NoCertificatesPresented) => {
            Trouble::Certificate
        }
        Some(_) | None => Trouble::Tls,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_receiver_says_when_in_seconds_or_by_date() {
        assert_eq!(retry_after("120"), Some(RetryAfter::In(TimeDelta::seconds(120))));
        assert_eq!(retry_after(" 0 "), Some(RetryAfter::In(TimeDelta::zero())));
        assert_eq!(retry_after("9999999999999999"), Some(RetryAfter::In(TimeDelta::MAX)));
        let at = Timestamp(1_445_412_480_000);
        assert_eq!(retry_after("Wed, 21 Oct 2015 07:28:00 GMT"), Some(RetryAfter::At(at)));
        for nonsense in ["", "-1", "soon", "1.5", "99999999999999999999"] {
            assert_eq!(retry_after(nonsense), None, "{nonsense}");
        }
    }
}
