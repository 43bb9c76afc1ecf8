//! Users: resolve the protected names through DNS, keep the answer for its TTL, write, and note what came of it.

pub(crate) mod database;
mod shop;

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hickory_proto::op::{Message, MessageType, OpCode, Query};
use hickory_proto::rr::{Name, RData, RecordType};
use jiff::{SignedDuration, Timestamp};
use lab::Lab;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};

pub use shop::{Kept, Visit};

/// How often each user writes, in lab time. No part of a minute: what CloudWatch samples once a minute, such as a replica's lag, must
/// not meet the same moment of theirs each time.
const EVERY: SignedDuration = SignedDuration::from_millis(9_700);

/// After which a user gives a request up, in real time; the sites are on this machine.
const PATIENCE: Duration = Duration::from_secs(2);

/// A DNS answer a user got.
#[derive(Clone, Debug)]
pub struct Answer {
    /// When.
    pub at: Timestamp,
    /// For which name.
    pub name: String,
    /// The address, or none.
    pub address: Option<IpAddr>,
}

/// A write a user tried.
#[derive(Clone, Debug)]
pub struct Write {
    /// Its id, unique in the drill.
    pub id: String,
    /// When the answer came.
    pub at: Timestamp,
    /// Which site it was sent to.
    pub address: Option<IpAddr>,
    /// Whether the site acknowledged it.
    pub acknowledged: bool,
}

/// What all users saw.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// Every DNS answer.
    pub answers: Vec<Answer>,
    /// Every write.
    pub writes: Vec<Write>,
    /// Every write of those who do not follow DNS: the job that never asks it, and stragglers.
    pub strays: Vec<Write>,
    /// Every picture that somebody looked at.
    pub visits: Vec<Visit>,
    /// Every answer on a kept connection.
    pub kept: Vec<Kept>,
}

/// Somebody who follows DNS late, or not at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Straggler {
    /// Keeps a connection for as long as requests on it are answered, whatever the answer says.
    KeptConnection,
    /// Has a cache of its own behind a resolver's, and opens a connection for each request.
    PrivateCache,
    /// A pool of connections that are replaced only once one fails, at an address from a cache of its own.
    Pool,
}

impl Straggler {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::KeptConnection, Self::PrivateCache, Self::Pool];

    /// What the ids of its writes begin with.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::KeptConnection => "kept-connection",
            Self::PrivateCache => "private-cache",
            Self::Pool => "pool",
        }
    }

    /// How long it trusts an address once looked up. PHP's handles keep one for 120 s, a JVM for 30 s, whatever the TTL.
    fn keeps_address(self) -> SignedDuration {
        SignedDuration::from_secs(if self == Self::Pool { 30 } else { 120 })
    }

    /// True if it goes on to the same address after such a request.
    fn stays(self, answer: Answered, looked_up: Timestamp, now: Timestamp) -> bool {
        let is_fresh = now.duration_since(looked_up) < self.keeps_address();
        match self {
            Self::KeptConnection => answer != Answered::Not,
            Self::PrivateCache => is_fresh,
            Self::Pool => answer == Answered::Yes || is_fresh,
        }
    }
}

/// What became of a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answered {
    /// The site acknowledged it.
    Yes,
    /// The site refused it.
    No,
    /// No answer came.
    Not,
}

/// The users.
#[derive(Clone, Debug)]
pub struct Clients {
    lab: Arc<Lab>,
    port: u16,
    /// Where writes are posted to.
    page: &'static str,
    seen: Arc<Mutex<Seen>>,
}

impl Clients {
    /// Users of sites that listen on `port`, and take writes at `page`.
    #[must_use]
    pub fn new(lab: &Arc<Lab>, port: u16, page: &'static str) -> Self {
        Self { lab: lab.clone(), port, page, seen: Arc::default() }
    }

    /// Starts one user of each name; they go on for as long as the program.
    pub fn start(&self, names: &[String]) {
        for (nth, name) in names.iter().enumerate() {
            let offset = EVERY / i32::try_from(names.len()).unwrap_or(1) * i32::try_from(nth).unwrap_or(0);
            tokio::spawn(self.clone().go_on(nth, name.clone(), self.lab.clock.now() + offset));
        }
    }

    /// Starts a job that writes rows of so many bytes to a name, until one is not acknowledged: then it gives up.
    pub fn load(&self, name: &str, every: SignedDuration, bytes: usize) {
        let (job, name) = (self.clone(), name.to_owned());
        tokio::spawn(async move {
            let mut cache = BTreeMap::new();
            let mut next = job.lab.clock.now();
            for nth in 0_u64.. {
                let working = job.lab.clock.work_at(next).await;
                next += every;
                let address = job.resolve(&name, &mut cache).await;
                let id = format!("load-write-{nth}");
                let acknowledged = job.write_bytes(&name, address, &id, bytes).await == Answered::Yes;
                let at = job.lab.clock.now();
                drop(working);
                job.seen.lock().unwrap_or_else(PoisonError::into_inner).writes.push(Write {
                    id,
                    at,
                    address,
                    acknowledged,
                });
                if !acknowledged {
                    return;
                }
            }
        });
    }

    /// Starts a job that writes to one site for ever, whatever DNS says.
    pub fn stray(&self, address: IpAddr) {
        let job = self.clone();
        tokio::spawn(async move {
            for nth in 0_u64.. {
                job.lab.clock.sleep(EVERY.unsigned_abs()).await;
                let working = job.lab.clock.working();
                let id = format!("stray-write-{nth}");
                let acknowledged = job.write("a job", Some(address), &id).await == Answered::Yes;
                let at = job.lab.clock.now();
                drop(working);
                let write = Write { id, at, address: Some(address), acknowledged };
                job.seen.lock().unwrap_or_else(PoisonError::into_inner).strays.push(write);
            }
        });
    }

    /// Starts a straggler who writes to a name for ever.
    pub fn straggle(&self, kind: Straggler, name: &str) {
        tokio::spawn(self.clone().straggle_on(kind, name.to_owned()));
    }

    async fn straggle_on(self, kind: Straggler, name: String) {
        let mut resolver = BTreeMap::new();
        let mut held: Option<(IpAddr, Timestamp)> = None;
        for nth in 0_u64.. {
            self.lab.clock.sleep(EVERY.unsigned_abs()).await;
            let working = self.lab.clock.working();
            if held.is_none() {
                held = self.resolve(&name, &mut resolver).await.map(|address| (address, self.lab.clock.now()));
            }
            let id = format!("{}-write-{nth}", kind.name());
            let address = held.map(|(address, _)| address);
            let answer = self.write(&name, address, &id).await;
            let at = self.lab.clock.now();
            drop(working);
            held = held.filter(|(_, looked_up)| kind.stays(answer, *looked_up, at));
            let write = Write { id, at, address, acknowledged: answer == Answered::Yes };
            self.seen.lock().unwrap_or_else(PoisonError::into_inner).strays.push(write);
        }
    }

    /// What was seen so far.
    #[must_use]
    pub fn seen(&self) -> Seen {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    async fn go_on(self, user: usize, name: String, mut next: Timestamp) {
        let mut cache = BTreeMap::new();
        for nth in 0_u64.. {
            let working = self.lab.clock.work_at(next).await;
            next += EVERY;
            let address = self.resolve(&name, &mut cache).await;
            let id = format!("user-{user}-write-{nth}");
            let acknowledged = self.write(&name, address, &id).await == Answered::Yes;
            let at = self.lab.clock.now();
            drop(working);
            let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
            seen.writes.push(Write { id, at, address, acknowledged });
        }
    }

    /// Asks the lab's name server unless an answer is still in the cache.
    async fn resolve(&self, name: &str, cache: &mut BTreeMap<String, (IpAddr, Timestamp)>) -> Option<IpAddr> {
        let now = self.lab.clock.now();
        if let Some((address, until)) = cache.get(name)
            && now < *until
        {
            return Some(*address);
        }
        let found = ask(self.lab.dns, name).await;
        let at = self.lab.clock.now();
        let address = found.map(|(address, _)| address);
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).answers.push(Answer {
            at,
            name: name.to_owned(),
            address,
        });
        let (address, ttl_seconds) = found?;
        cache.insert(name.to_owned(), (address, at + SignedDuration::from_secs(i64::from(ttl_seconds))));
        Some(address)
    }

    async fn write(&self, name: &str, address: Option<IpAddr>, id: &str) -> Answered {
        self.write_bytes(name, address, id, 0).await
    }

    async fn write_bytes(&self, name: &str, address: Option<IpAddr>, id: &str, bytes: usize) -> Answered {
        let Some(address) = address else { return Answered::Not };
        let page = format!("{}?bytes={bytes}", self.page);
        match tokio::time::timeout(PATIENCE, post(SocketAddr::new(address, self.port), &page, name, id)).await {
            Ok(Ok(answer)) if answer.starts_with(b"HTTP/1.1 200") => Answered::Yes,
            Ok(Ok(answer)) if answer.starts_with(b"HTTP/1.1") => Answered::No,
            _ => Answered::Not,
        }
    }
}

/// Posts a write on a connection of its own; the whole answer. By hand, since a drill has thousands: with an HTTP client, and a
/// site that made a router for each, it took twice the processor time.
async fn post(to: SocketAddr, page: &str, host: &str, id: &str) -> std::io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect(to).await?;
    let length = id.len();
    let request =
        format!("POST {page} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{id}");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    Ok(answer)
}

/// One DNS query for an IPv4 address over UDP: the address and its TTL.
pub async fn ask(server: SocketAddr, name: &str) -> Option<(IpAddr, u32)> {
    let mut query = Query::query(Name::from_utf8(format!("{name}.")).ok()?, RecordType::A);
    query.set_query_class(hickory_proto::rr::DNSClass::IN);
    let mut message = Message::new(1, MessageType::Query, OpCode::Query);
    message.add_query(query);
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.ok()?;
    socket.send_to(&message.to_vec().ok()?, server).await.ok()?;
    let mut buffer = [0; 1500];
    let (length, _) = tokio::time::timeout(PATIENCE, socket.recv_from(&mut buffer)).await.ok()?.ok()?;
    let answer = Message::from_vec(&buffer[..length]).ok()?;
    answer.answers.iter().find_map(|record| match &record.data {
        RData::A(address) => Some((IpAddr::V4(address.0), record.ttl)),
        _ => None,
    })
}
