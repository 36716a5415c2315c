//! A receiver of webhooks that sends the response of a test's choice, and records the requests.

use reqwest::header::{HeaderName, HeaderValue};
use serde_json::Value;
use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

/// The timeout for anything that should happen.
const SOON: Duration = Duration::from_mins(2);

/// A request that arrived.
#[derive(Clone, Debug)]
pub struct Received {
    /// The request line.
    pub line: String,
    /// The headers, with lowercase names.
    pub headers: HashMap<String, String>,
    pub body: String,
}

/// The response to a request.
#[derive(Clone, Debug)]
pub enum Reply {
    /// These bytes, before the connection closes.
    Bytes(String),
    /// These bytes, and then nothing. The connection stays open.
    Hang(String),
    /// These bytes, and then an endless series of the letter x.
    Endless(String),
}

type Behaviour = Arc<dyn Fn(&Received, usize) -> Reply + Send + Sync>;

/// A receiver, which stops with the test's runtime.
#[derive(Clone)]
pub struct Receiver {
    pub address: SocketAddr,
    scheme: &'static str,
    heard: Arc<Mutex<Vec<Received>>>,
    connections: Arc<AtomicUsize>,
    behaviour: Arc<Mutex<Behaviour>>,
}

impl Received {
    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).expect("JSON")
    }

    /// A required header.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).unwrap_or_else(|| panic!("no {name} in {:?}", self.headers))
    }

    /// Whether the request was signed with this secret. Uses the public library without its check of the age,
    /// because a frozen clock is in the past.
    pub fn is_signed_by(&self, secret: &str) -> bool {
        let webhook = standardwebhooks::Webhook::new(secret).expect("a secret");
        let timestamp = self.header("webhook-timestamp").parse().expect("seconds");
        let signed = webhook.sign(self.header("webhook-id"), timestamp, self.body.as_bytes());
        let signed = signed.expect("a signature");
        self.header("webhook-signature").split(' ').any(|signature| signature == signed)
    }

    /// Verifies the request with the public library, as any receiver would.
    pub fn is_verified_by(&self, secret: &str) -> bool {
        let headers = ["webhook-id", "webhook-timestamp", "webhook-signature"].map(|name| {
            let value = self.header(name).parse::<HeaderValue>().expect("a value");
            (HeaderName::from_static(name), value)
        });
        let webhook = standardwebhooks::Webhook::new(secret).expect("a secret");
        webhook.verify(self.body.as_bytes(), &headers.into_iter().collect()).is_ok()
    }
}

/// A response without a body.
pub fn status(status: u16) -> Reply {
    answer(status, "")
}

/// A response with a header.
pub fn answer(status: u16, header: &str) -> Reply {
    Reply::Bytes(format!("HTTP/1.1 {status} Whatever\r\n{header}Content-Length: 0\r\n\r\n"))
}

impl Receiver {
    /// A receiver that answers 204.
    pub async fn start() -> Self {
        Self::listen(TcpListener::bind("127.0.0.1:0").await.expect("a port"), None)
    }

    /// A receiver that answers 204 over TLS.
    pub async fn start_tls(tls: TlsAcceptor) -> Self {
        Self::listen(TcpListener::bind("127.0.0.1:0").await.expect("a port"), Some(tls))
    }

    fn listen(listener: TcpListener, tls: Option<TlsAcceptor>) -> Self {
        let receiver = Self {
            address: listener.local_addr().expect("an address"),
            scheme: if tls.is_some() { "https" } else { "http" },
            heard: Arc::default(),
            connections: Arc::default(),
            behaviour: Arc::new(Mutex::new(Arc::new(|_, _| status(204)))),
        };
        let serving = receiver.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                serving.connections.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(serving.clone().take(stream, tls.clone()));
            }
        });
        receiver
    }

    async fn take(self, stream: TcpStream, tls: Option<TlsAcceptor>) {
        match tls {
            None => drop(self.serve(stream).await),
            Some(tls) => {
                if let Ok(stream) = tls.accept(stream).await {
                    let _ = self.serve(stream).await;
                }
            }
        }
    }

    async fn serve(self, mut stream: impl AsyncRead + AsyncWrite + Unpin) -> std::io::Result<()> {
        let received = read(&mut stream).await?;
        let number = {
            let mut heard = self.heard.lock().unwrap();
            heard.push(received.clone());
            heard.len()
        };
        let behaviour = Arc::clone(&self.behaviour.lock().unwrap());
        match behaviour(&received, number) {
            Reply::Bytes(bytes) => stream.write_all(bytes.as_bytes()).await?,
            Reply::Hang(bytes) => {
                stream.write_all(bytes.as_bytes()).await?;
                stream.flush().await?;
                std::future::pending::<()>().await;
            }
            Reply::Endless(bytes) => {
                stream.write_all(bytes.as_bytes()).await?;
                loop {
                    stream.write_all(&[b'x'; 4096]).await?;
                }
            }
        }
        stream.flush().await?;
        stream.shutdown().await
    }

    /// The URL of a path at this receiver.
    pub fn url(&self, path: &str) -> String {
        format!("{}://{}{path}", self.scheme, self.address)
    }

    /// Sets the response to all further requests.
    pub fn reply(&self, reply: Reply) {
        self.behave(move |_, _| reply.clone());
    }

    /// Sets the responses to all further requests by their number, from 1.
    pub fn behave(&self, behaviour: impl Fn(&Received, usize) -> Reply + Send + Sync + 'static) {
        *self.behaviour.lock().unwrap() = Arc::new(behaviour);
    }

    /// The requests so far.
    pub fn requests(&self) -> Vec<Received> {
        self.heard.lock().unwrap().clone()
    }

    /// The number of connections so far.
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    /// Waits for at least this number of requests, and returns all of them.
    pub async fn wait_for_requests(&self, count: usize) -> Vec<Received> {
        until("requests", async || Some(self.requests()).filter(|requests| requests.len() >= count)).await
    }
}

/// Waits until a value is available.
pub async fn until<T>(what: &str, look: impl AsyncFn() -> Option<T>) -> T {
    let waited = tokio::time::timeout(SOON, async {
        loop {
            if let Some(found) = look().await {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    });
    waited.await.unwrap_or_else(|_| panic!("no {what} in time"))
}

/// Reads one request, whose body has the announced length.
async fn read(stream: &mut (impl AsyncRead + Unpin)) -> std::io::Result<Received> {
    let mut bytes = Vec::new();
    let head = loop {
        if let Some(at) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break at;
        }
        if stream.read_buf(&mut bytes).await? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
    };
    let text = String::from_utf8_lossy(&bytes[..head]).into_owned();
    let mut lines = text.split("\r\n");
    let line = lines.next().unwrap_or_default().to_owned();
    let headers: HashMap<_, _> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
        .collect();
    let length = headers.get("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    while bytes.len() < head + 4 + length {
        if stream.read_buf(&mut bytes).await? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
    }
    let body = String::from_utf8_lossy(&bytes[head + 4..]).into_owned();
    Ok(Received { line, headers, body })
}
