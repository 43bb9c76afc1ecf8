//! Route 53's data plane: authoritative DNS over UDP and TCP.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::{TcpListener, UdpSocket};

use crate::Lab;

/// The bound sockets, both on one port.
#[derive(Debug)]
pub struct Sockets {
    udp: UdpSocket,
    tcp: TcpListener,
    address: SocketAddr,
}

impl Sockets {
    /// Binds UDP and TCP on the same port.
    ///
    /// # Errors
    /// If the port is taken.
    pub async fn bind(address: SocketAddr) -> io::Result<Self> {
        let udp = UdpSocket::bind(address).await?;
        let address = udp.local_addr()?;
        let tcp = TcpListener::bind(address).await?;
        Ok(Self { udp, tcp, address })
    }

    /// Where they listen.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

/// Answers queries for as long as the lab lives.
pub async fn serve(lab: Arc<Lab>, sockets: Sockets) {
    let _ = (lab, sockets.udp, sockets.tcp);
}
