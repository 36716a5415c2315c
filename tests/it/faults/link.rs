//! A network link that can be cut: a TCP proxy between two parties.

use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// How long a lost connection is held before its sockets are dropped.
const HELD: Duration = Duration::from_mins(2);
/// How long each piece of data waits on a slow link.
const DELAY: Duration = Duration::from_millis(100);

/// How the link treats traffic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Open,
    /// Connections are reset, new ones too.
    Closed,
    /// Nothing passes until the link is open again.
    Silent,
    /// Each piece waits for [`DELAY`].
    Slow,
}

#[derive(Clone, Copy, Debug)]
struct Traffic {
    state: State,
    /// Connections of an older generation are lost: they pass no more bytes, and neither side is notified.
    generation: u64,
}

/// A link to a local port; it has a port of its own.
#[derive(Clone)]
pub struct Link {
    port: u16,
    traffic: Arc<watch::Sender<Traffic>>,
}

impl Link {
    /// Opens a link to a port.
    pub async fn to(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let own = listener.local_addr().expect("an address").port();
        let (traffic, state) = watch::channel(Traffic { state: State::Open, generation: 0 });
        tokio::spawn(accept(listener, port, state));
        Self { port: own, traffic: Arc::new(traffic) }
    }

    /// Where to connect to.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Lets everything pass again.
    pub fn open(&self) {
        self.set(State::Open);
    }

    /// Resets all connections, and new ones until it is open again.
    pub fn close(&self) {
        self.set(State::Closed);
    }

    /// Lets nothing pass until it is open again.
    pub fn silence(&self) {
        self.set(State::Silent);
    }

    /// Delays each piece of data.
    pub fn slow(&self) {
        self.set(State::Slow);
    }

    /// Loses all connections permanently, as a dead route does: neither side is notified. New ones are silent until the
    /// link is open again.
    pub fn lose(&self) {
        self.traffic.send_modify(|traffic| {
            traffic.generation += 1;
            traffic.state = State::Silent;
        });
    }

    fn set(&self, state: State) {
        self.traffic.send_modify(|traffic| traffic.state = state);
    }
}

async fn accept(listener: TcpListener, port: u16, mut traffic: watch::Receiver<Traffic>) {
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(Duration::from_millis(20)).await;
            continue;
        };
        let now = *traffic.borrow_and_update();
        if traffic.has_changed().is_err() {
            return;
        }
        if now.state != State::Closed {
            tokio::spawn(connect(stream, port, traffic.clone(), now.generation));
        }
    }
}

async fn connect(stream: TcpStream, port: u16, mut traffic: watch::Receiver<Traffic>, generation: u64) {
    let opened =
        traffic.wait_for(|traffic| traffic.state != State::Silent || traffic.generation != generation);
    match opened.await {
        Ok(traffic) if traffic.generation == generation && traffic.state != State::Closed => {}
        Ok(_) | Err(_) => return,
    }
    let Ok(other) = TcpStream::connect(("127.0.0.1", port)).await else { return };
    let _ = (stream.set_nodelay(true), other.set_nodelay(true));
    let (from_client, to_client) = stream.into_split();
    let (from_server, to_server) = other.into_split();
    let up = tokio::spawn(pump(from_client, to_server, traffic.clone(), generation));
    let _ = tokio::join!(pump(from_server, to_client, traffic, generation), up);
}

/// Carries data in one direction until it ends or the link is closed.
async fn pump(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    mut traffic: watch::Receiver<Traffic>,
    generation: u64,
) {
    let mut buffer = vec![0; 16 * 1024];
    loop {
        let Traffic { state, generation: newest } = *traffic.borrow_and_update();
        if newest != generation {
            tokio::time::sleep(HELD).await;
            return;
        }
        match state {
            State::Closed => return,
            State::Silent => {
                if traffic.changed().await.is_err() {
                    return;
                }
                continue;
            }
            State::Open | State::Slow => {}
        }
        let length = tokio::select! {
            biased;
            changed = traffic.changed() => match changed {
                Ok(()) => continue,
                Err(_) => return,
            },
            read = from.read(&mut buffer) => read.unwrap_or(0),
        };
        if length == 0 {
            let _ = to.shutdown().await;
            return;
        }
        if state == State::Slow {
            tokio::time::sleep(DELAY).await;
        }
        if to.write_all(&buffer[..length]).await.is_err() {
            return;
        }
    }
}
