//! The socket of a connection: records its traffic, ends when the connection is cut, and closes in a way that
//! delivers the last bytes.

use super::registry::Entry;
use socket2::SockRef;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;
use tokio_util::sync::WaitForCancellationFutureOwned;

/// How long a peer may leave data unacknowledged, or its window closed, before the kernel ends the
/// connection. Longer than a phone needs to change networks.
const ACKNOWLEDGED_WITHIN: Duration = Duration::from_secs(30);
/// The number of unsent bytes that the kernel accepts. A larger buffer would hide that the peer does not
/// read, and would use memory.
const UNSENT: u32 = 128 * 1024;
/// How long a closed connection reads data that is still in transit. Otherwise, the kernel answers that data
/// with a reset, which may overtake the last bytes of the response.
const LINGER: Duration = Duration::from_secs(1);

type Cut = Pin<Box<WaitForCancellationFutureOwned>>;

/// An accepted socket.
pub(super) struct Socket {
    /// Absent only while it is being dropped.
    stream: Option<TcpStream>,
    entry: Option<Entry>,
    /// One per direction, because different tasks wait for them.
    cut: [Cut; 2],
    has_peer_ended: bool,
}

impl Socket {
    pub(super) fn new(stream: TcpStream, entry: Entry) -> Self {
        // Each write is a complete message, so waiting for more would only delay it.
        let _ = stream.set_nodelay(true);
        #[cfg(any(target_os = "linux", target_os = "android"))]
        {
            let options = SockRef::from(&stream);
            let _ = options.set_tcp_user_timeout(Some(ACKNOWLEDGED_WITHIN));
            let _ = options.set_tcp_notsent_lowat(UNSENT);
        }
        let cut = || -> Cut { Box::pin(entry.connection().cut.clone().cancelled_owned()) };
        let cut = [cut(), cut()];
        Self { stream: Some(stream), entry: Some(entry), cut, has_peer_ended: false }
    }

    /// The stream. Fails if the connection was cut.
    fn open(&mut self, direction: usize, context: &mut Context<'_>) -> io::Result<Pin<&mut TcpStream>> {
        let is_cut = self.cut[direction].as_mut().poll(context).is_ready();
        match &mut self.stream {
            Some(stream) if !is_cut => Ok(Pin::new(stream)),
            Some(_) | None => Err(io::ErrorKind::ConnectionAborted.into()),
        }
    }

    fn note_written(&self, written: &Poll<io::Result<usize>>) {
        let Some(connection) = self.entry.as_ref().map(Entry::connection) else { return };
        match written {
            Poll::Ready(Ok(count)) if *count > 0 => connection.has_written(),
            Poll::Pending => connection.is_refused(),
            Poll::Ready(_) => {}
        }
    }
}

const READING: usize = 0;
const WRITING: usize = 1;

impl AsyncRead for Socket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let has_room = buffer.remaining() > 0;
        ready!(self.open(READING, context)?.poll_read(context, buffer))?;
        if buffer.filled().len() > before {
            if let Some(entry) = &self.entry {
                entry.connection().has_read();
            }
        } else if has_room {
            self.has_peer_ended = true;
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Socket {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = self.open(WRITING, context)?.poll_write(context, bytes);
        self.note_written(&written);
        written
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = self.open(WRITING, context)?.poll_write_vectored(context, slices);
        self.note_written(&written);
        written
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.open(WRITING, context)?.poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.open(WRITING, context)?.poll_shutdown(context)
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        let (Some(stream), Some(entry)) = (self.stream.take(), self.entry.take()) else { return };
        let connection = entry.connection();
        if connection.cut.is_cancelled() {
            if connection.is_blocked() {
                // Otherwise, the kernel would keep trying to send data that the peer does not read.
                let _ = stream.set_zero_linger();
            }
        } else if !self.has_peer_ended
            && !entry.is_stopping()
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            runtime.spawn(linger(stream, entry));
        }
    }
}

/// Shuts down the sending side, and reads until the peer does so too.
async fn linger(mut stream: TcpStream, entry: Entry) {
    let _ = tokio::time::timeout(LINGER, async {
        let mut unread = [0; 4096];
        if stream.shutdown().await.is_ok() {
            while matches!(stream.read(&mut unread).await, Ok(count) if count > 0) {}
        }
    })
    .await;
    // In this order, so that the descriptor is free before it is no longer counted.
    drop(stream);
    drop(entry);
}

#[cfg(test)]
mod tests {
    use super::super::registry::Registry;
    use super::*;
    use crate::http::limits::ConnectionLimits;
    use std::net::{IpAddr, Ipv4Addr};
    use tokio::net::TcpListener;
    use tokio_util::sync::CancellationToken;

    /// The kernel ends a connection whose peer acknowledges nothing any more, such as the heartbeats of an event stream.
    #[cfg(any(target_os = "linux", target_os = "android"))]
    #[tokio::test]
    async fn peer_that_acknowledges_nothing_is_given_up_after_30_seconds() {
        let address = IpAddr::from(Ipv4Addr::LOCALHOST);
        let registry = Registry::new(ConnectionLimits::default(), 10, Vec::new(), CancellationToken::new());
        let listener = TcpListener::bind((address, 0)).await.expect("a port");
        let peer = TcpStream::connect(listener.local_addr().expect("an address")).await.expect("connected");
        let (stream, _) = listener.accept().await.expect("accepted");
        let socket = Socket::new(stream, registry.admit(address).expect("a place"));
        let within = SockRef::from(socket.stream.as_ref().expect("a stream")).tcp_user_timeout();
        assert_eq!(within.expect("an option"), Some(Duration::from_secs(30)));
        drop(peer);
    }
}
