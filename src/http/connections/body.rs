//! The body of a response. It reports the end of the response, and whether the peer of an HTTP/2 stream reads
//! it.

use super::connection::UnderWay;
use super::http2_stream::Http2Stream;
use axum::body::{Body, Bytes};
use hyper::body::{Frame, SizeHint};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

/// The number of bytes passed to HTTP/2 at once. The next piece is requested when the peer's window has taken
/// this one, so a slow stream is not mistaken for a stalled one.
const PIECE: usize = 16 * 1024;

/// The body of a response that is being sent.
pub(super) struct ResponseBody {
    inner: Body,
    under_way: UnderWay,
    stream: Option<Arc<Http2Stream>>,
    /// The rest of a chunk that is longer than a piece.
    rest: Bytes,
    has_begun: bool,
    has_ended: bool,
}

impl ResponseBody {
    pub(super) fn new(inner: Body, under_way: UnderWay, stream: Option<Arc<Http2Stream>>) -> Self {
        Self { inner, under_way, stream, rest: Bytes::new(), has_begun: false, has_ended: false }
    }

    fn next_piece(&mut self, stream: &Http2Stream) -> Frame<Bytes> {
        let piece = self.rest.split_to(self.rest.len().min(PIECE));
        stream.has_yielded(self.under_way.now());
        Frame::data(piece)
    }
}

impl hyper::body::Body for ResponseBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let body = &mut *self;
        let Some(stream) = body.stream.clone() else {
            return Pin::new(&mut body.inner).poll_frame(context);
        };
        stream.is_asked();
        if !body.rest.is_empty() {
            return Poll::Ready(Some(Ok(body.next_piece(&stream))));
        }
        let frame = ready!(Pin::new(&mut body.inner).poll_frame(context));
        body.has_begun = true;
        Poll::Ready(match frame.map(|frame| frame.map(Frame::into_data)) {
            Some(Ok(Ok(data))) => {
                body.rest = data;
                Some(Ok(body.next_piece(&stream)))
            }
            Some(Ok(Err(trailers))) => Some(Ok(trailers)),
            Some(Err(error)) => Some(Err(error)),
            None => {
                body.has_ended = true;
                None
            }
        })
    }

    /// On HTTP/2, not before the end was requested: until then, the stream counts as waiting for its peer.
    fn is_end_stream(&self) -> bool {
        if self.stream.is_some() && self.has_begun { self.has_ended } else { self.inner.is_end_stream() }
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
