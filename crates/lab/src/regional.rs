//! HTTP servers of a region: while it is down, connections are closed unanswered.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};

use crate::Lab;

/// Opens a server for as long as the lab lives. `pages` is asked once for each connection. Returns its address.
///
/// # Errors
/// If the address is not a loopback address or is taken.
pub(crate) async fn open(
    lab: &Arc<Lab>,
    region: &str,
    address: SocketAddr,
    pages: impl Fn() -> Router + Send + 'static,
) -> io::Result<SocketAddr> {
    if !address.ip().is_loopback() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, format!("{address} is not a loopback address")));
    }
    let listener = TcpListener::bind(address).await?;
    let address = listener.local_addr()?;
    let (lab, region) = (lab.clone(), region.to_owned());
    tokio::spawn(async move {
        loop {
            match listener.accept().await {
                Ok((stream, _)) => drop(tokio::spawn(connection(lab.clone(), region.clone(), pages(), stream))),
                Err(error) => eprintln!("lab: a server in {region} did not accept a connection: {error}"),
            }
        }
    });
    Ok(address)
}

async fn connection(lab: Arc<Lab>, region: String, pages: Router, stream: TcpStream) {
    let service = TowerToHyperService::new(pages);
    let connection = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    tokio::select! {
        biased;
        // What the region was about to answer is lost with it.
        () = lab.faults.until_down(&region) => {}
        // A client that went away is no concern of the server.
        _ = connection => {}
    }
}
