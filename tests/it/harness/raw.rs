//! A raw connection that sends bytes as they are.

use serde_json::Value;
use socket2::{Domain, Socket, Type};
use std::net::SocketAddr;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// The timeout for anything that should happen.
const SOON: Duration = Duration::from_mins(1);

/// An open connection.
pub struct Raw(pub TcpStream);

/// The address that an app listens on.
fn address(url: &str) -> SocketAddr {
    url.trim_start_matches("http://").parse().expect("an address")
}

impl Raw {
    pub async fn open(url: &str) -> Self {
        Self(TcpStream::connect(address(url)).await.expect("a connection"))
    }

    /// A connection with a small receive buffer.
    pub async fn narrow(url: &str) -> Self {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
        socket.set_recv_buffer_size(4096).expect("a small buffer");
        socket.connect(&address(url).into()).expect("a connection");
        socket.set_nonblocking(true).expect("nonblocking");
        Self(TcpStream::from_std(socket.into()).expect("a stream"))
    }

    pub async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.0.write_all(bytes.as_ref()).await.expect("sent");
    }

    /// Sends a request with a JSON body.
    pub fn post(token: &str, headers: &str, body: &Value) -> String {
        let body = body.to_string();
        format!(
            "POST /graphql HTTP/1.1\r\nhost: anteroom\r\nauthorization: Bearer {token}\r\n\
             content-type: application/json\r\ncontent-length: {}\r\n{headers}\r\n{body}",
            body.len()
        )
    }

    /// Reads until the other end closes.
    pub async fn read_to_end(&mut self) -> Vec<u8> {
        let mut read = Vec::new();
        // A reset also ends the stream.
        let _ = tokio::time::timeout(SOON, self.0.read_to_end(&mut read)).await.expect("closed in time");
        read
    }

    /// Reads until a text has arrived.
    pub async fn read_until(&mut self, text: &str) -> String {
        let read = tokio::time::timeout(SOON, async {
            let (mut read, mut bytes) = (String::new(), [0; 4096]);
            while !read.contains(text) {
                let count = self.0.read(&mut bytes).await.expect("bytes");
                assert!(count > 0, "closed before {text:?}: {read}");
                read.push_str(&String::from_utf8_lossy(&bytes[..count]));
            }
            read
        });
        read.await.unwrap_or_else(|_| panic!("no {text:?} in time"))
    }

    /// Waits until the other end has reset the connection, without reading anything.
    pub async fn is_reset_within(&self, bound: Duration) -> Duration {
        let asked = Instant::now();
        while self.0.take_error().expect("a state").is_none() {
            assert!(asked.elapsed() < bound, "still open after {bound:?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        asked.elapsed()
    }
}
