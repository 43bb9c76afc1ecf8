//! The endpoint of a database with a real server: one address for as long as the lab lives, whichever server stands behind the name.
//!
//! On AWS it is a DNS name that applications are told once. A promotion restarts its server, a rename and a rebuild put another one behind
//! it; connections end with the server they led to, and the next one finds what is there by then.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};

use super::current;
use super::database::Key;
use super::model::key;
use super::real::{Real, behind, may_connect};
use crate::Lab;
use crate::servers::Taken;

const BUFFER_BYTES: usize = 16 << 10;

/// Opens the endpoint of a database, which need not be there yet. Returns its address.
///
/// # Errors
/// If no port is free.
pub async fn open_endpoint(lab: &Arc<Lab>, region: &str, id: &str) -> io::Result<SocketAddr> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let address = listener.local_addr()?;
    tokio::spawn(serve(Arc::downgrade(lab), key(region, id), listener));
    Ok(address)
}

async fn serve(lab: Weak<Lab>, key: Key, listener: TcpListener) {
    while let Ok((client, _)) = listener.accept().await {
        let Some(lab) = lab.upgrade() else { return };
        tokio::spawn(carry(lab, key.clone(), client));
    }
}

/// Carries one connection to its end: the server's, the client's, or the region's.
async fn carry(lab: Arc<Lab>, key: Key, client: TcpStream) {
    // Zero linger: whoever drops the socket resets the connection.
    let _ = (client.set_nodelay(true), client.set_zero_linger());
    let Some((real, number)) = behind(&lab, &key) else { return };
    let Some(server) = real.server(number).filter(|_| may_connect(&current(&lab), &key)) else { return };
    let Ok(server) = TcpStream::connect(server.address).await else { return };
    let _ = server.set_nodelay(true);
    let ((from_client, to_client), (from_server, to_server)) = (client.into_split(), server.into_split());
    let heard = Mutex::default();
    tokio::select! {
        biased;
        () = lab.faults.until_down(&key.0) => {}
        _ = upward(real, number, from_client, to_server, &heard) => {}
        _ = downward(from_server, to_client, &heard) => {}
    }
}

/// Notes how much the replicas' links had heard before each request.
async fn upward(
    real: &Real,
    number: u64,
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    heard: &Mutex<Vec<Taken>>,
) -> io::Result<()> {
    let mut buffer = vec![0; BUFFER_BYTES];
    loop {
        let length = from.read(&mut buffer).await?;
        if length == 0 {
            return Ok(());
        }
        *heard.lock().unwrap_or_else(PoisonError::into_inner) = real.taken_of(number);
        to.write_all(&buffer[..length]).await?;
    }
}

/// Passes answers on; that of a write once the links have heard of it, so that lab time does not run on before.
async fn downward(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, heard: &Mutex<Vec<Taken>>) -> io::Result<()> {
    let mut buffer = vec![0; BUFFER_BYTES];
    loop {
        let length = from.read(&mut buffer).await?;
        if length == 0 {
            return Ok(());
        }
        if tells_of_rows(&buffer[..length]) {
            let links = std::mem::take(&mut *heard.lock().unwrap_or_else(PoisonError::into_inner));
            for link in links {
                link.more().await;
            }
        }
        to.write_all(&buffer[..length]).await?;
    }
}

/// MySQL's protocol: an OK packet, and a number of rows other than none. A prepared statement's number looks the same, and costs a moment.
fn tells_of_rows(packet: &[u8]) -> bool {
    packet.get(4) == Some(&0) && packet.get(5).is_some_and(|rows| *rows != 0)
}
