//! Users of the shop: one who orders over a kept connection, and one who looks at a page's picture.

use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::PoisonError;

use jiff::{SignedDuration, Timestamp};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use super::{Clients, EVERY, PATIENCE, Write};

const LOOKS_EVERY: SignedDuration = SignedDuration::from_secs(47);

/// A picture that a user asked for.
#[derive(Clone, Debug)]
pub struct Visit {
    /// When the answer came.
    pub at: Timestamp,
    /// Which site was asked.
    pub address: Option<IpAddr>,
    /// What it is, if it came.
    pub picture: Option<Vec<u8>>,
}

/// An answer on a kept connection.
#[derive(Clone, Copy, Debug)]
pub struct Kept {
    /// When it came.
    pub at: Timestamp,
    /// From which site.
    pub address: IpAddr,
    /// When the connection was opened.
    pub opened_at: Timestamp,
}

struct Connection {
    stream: BufReader<TcpStream>,
    address: IpAddr,
    opened_at: Timestamp,
}

/// An answer: its status, its body, and whether it is the connection's last.
struct Response {
    status: u16,
    body: Vec<u8>,
    is_last: bool,
}

impl Clients {
    /// Starts a user who orders, and keeps a connection for as long as the site does.
    pub fn order_on_kept_connection(&self, name: &str) {
        let (user, name) = (self.clone(), name.to_owned());
        tokio::spawn(async move {
            let (mut cache, mut kept) = (BTreeMap::new(), None);
            let mut next = user.lab.clock.now();
            for nth in 0_u64.. {
                let working = user.lab.clock.work_at(next).await;
                next += EVERY;
                if kept.is_none() {
                    kept = user.connect(&name, &mut cache).await;
                }
                let id = format!("kept-write-{nth}");
                let address = kept.as_ref().map(|connection| connection.address);
                let answer = match &mut kept {
                    Some(connection) => connection.ask("POST", "/orders", &name, &id).await,
                    None => None,
                };
                let at = user.lab.clock.now();
                let mut seen = user.seen.lock().unwrap_or_else(PoisonError::into_inner);
                let acknowledged = answer.as_ref().is_some_and(|answer| answer.status == 200);
                seen.writes.push(Write { id, at, address, acknowledged });
                if let (Some(connection), Some(_)) = (&kept, &answer) {
                    let Connection { address, opened_at, .. } = *connection;
                    seen.kept.push(Kept { at, address, opened_at });
                }
                kept = kept.filter(|_| answer.is_some_and(|answer| !answer.is_last));
                drop((seen, working));
            }
        });
    }

    /// Starts a user who looks at a picture every now and then.
    pub fn look_at(&self, name: &str, picture: &str) {
        let (user, name, path) = (self.clone(), name.to_owned(), format!("/assets/{picture}"));
        tokio::spawn(async move {
            let mut cache = BTreeMap::new();
            let mut next = user.lab.clock.now();
            loop {
                let working = user.lab.clock.work_at(next).await;
                next += LOOKS_EVERY;
                let connection = user.connect(&name, &mut cache).await;
                let address = connection.as_ref().map(|connection| connection.address);
                let answer = match connection {
                    Some(mut connection) => connection.ask("GET", &path, &name, "").await,
                    None => None,
                };
                let picture = answer.filter(|answer| answer.status == 200).map(|answer| answer.body);
                let visit = Visit { at: user.lab.clock.now(), address, picture };
                user.seen.lock().unwrap_or_else(PoisonError::into_inner).visits.push(visit);
                drop(working);
            }
        });
    }

    async fn connect(&self, name: &str, cache: &mut BTreeMap<String, (IpAddr, Timestamp)>) -> Option<Connection> {
        let address = self.resolve(name, cache).await?;
        let stream = TcpStream::connect(SocketAddr::new(address, self.port)).await.ok()?;
        Some(Connection { stream: BufReader::new(stream), address, opened_at: self.lab.clock.now() })
    }
}

impl Connection {
    async fn ask(&mut self, method: &str, path: &str, host: &str, body: &str) -> Option<Response> {
        let length = body.len();
        let request = format!("{method} {path} HTTP/1.1\r\nhost: {host}\r\ncontent-length: {length}\r\n\r\n{body}");
        let asked = async {
            self.stream.write_all(request.as_bytes()).await?;
            self.answer().await
        };
        tokio::time::timeout(PATIENCE, asked).await.ok()?.ok()
    }

    async fn answer(&mut self) -> io::Result<Response> {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if self.stream.read_line(&mut head).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        let head = head.to_ascii_lowercase();
        let header = |name: &str| head.lines().find_map(|line| Some(line.strip_prefix(name)?.trim()));
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
        let length = header("content-length:").and_then(|length| length.parse().ok());
        let (Some(status), Some(length)) = (status, length) else { return Err(io::ErrorKind::InvalidData.into()) };
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body).await?;
        Ok(Response { status, body, is_last: header("connection:") == Some("close") })
    }
}
