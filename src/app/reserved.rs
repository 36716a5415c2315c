//! The listening address, bound before anything else is opened. Links contain it, even if the system chose
//! the port. Connections are refused until the server listens.

use crate::config::Config;
use anyhow::Context;
use std::net::SocketAddr;
use tokio::net::{TcpListener, TcpSocket};

/// The maximum number of connections that wait to be accepted. The system may allow fewer.
const BACKLOG: u32 = 4096;

/// A bound address.
pub struct Reserved {
    socket: TcpSocket,
    address: SocketAddr,
}

impl Reserved {
    /// Binds the configured address. If the configuration has no public URL, links use this address.
    pub fn bind(config: Config) -> anyhow::Result<(Self, Config)> {
        let (socket, address) = bind(config.listen).with_context(|| cannot_listen(config.listen))?;
        let public_url = config.public_url.or_else(|| Some(format!("http://{address}")));
        Ok((Self { socket, address }, Config { public_url, ..config }))
    }

    /// Starts listening.
    pub(super) fn listen(self) -> anyhow::Result<(TcpListener, SocketAddr)> {
        let Self { socket, address } = self;
        Ok((socket.listen(BACKLOG).with_context(|| cannot_listen(address))?, address))
    }
}

fn bind(address: SocketAddr) -> std::io::Result<(TcpSocket, SocketAddr)> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    let address = socket.local_addr()?;
    Ok((socket, address))
}

fn cannot_listen(address: SocketAddr) -> String {
    format!("--listen: could not listen on {address}")
}
