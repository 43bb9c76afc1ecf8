//! The way from a source to its replica: a proxy whose time is the lab's.
//!
//! Its kernel buffers are as small as they can be, so that what a slow link has not carried yet is still in the source, as it is
//! in the world. While the two regions are cut apart it carries nothing and says nothing, as a dead network does; what waits for it
//! goes on where it stood when they are joined, unless a minute passed: then the replica has noticed (`slave_net_timeout`).

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

use super::server::Server;
use super::stream::Stream;
use crate::Lab;
use crate::fault::LinkFault;

/// "slave_net_timeout": after so long without a word from its source a replica believes the connection lost.
const NET_TIMEOUT: Duration = Duration::from_secs(60);
/// As small as Linux lets them be, but for a factor of two.
const BUFFER: u32 = 4096;
/// How long a commit waits, in real time, for a link to hear of it: more than a link with room ever takes.
const HEARD_WITHIN: Duration = Duration::from_millis(20);
/// How long a replica may take to apply a transaction, in real time, before it counts as stuck; and how often it is asked.
const APPLIED_WITHIN: Duration = Duration::from_millis(50);
const ASK_EVERY: Duration = Duration::from_micros(200);
/// While a source restarts.
const KNOCK_EVERY: Duration = Duration::from_millis(20);
/// MySQL's protocol: a packet's first byte after its header, "send me your binary log".
const COM_BINLOG_DUMP: u8 = 0x12;

/// The two ends, by region.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ends {
    pub source: String,
    pub replica: String,
}

/// A link, for as long as it lives.
#[derive(Debug)]
pub(crate) struct Link {
    pub port: u16,
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

#[derive(Debug)]
struct Shared {
    ends: Ends,
    source: SocketAddr,
    replica: Arc<Server>,
    /// How long all is on the way, in lab time.
    delay: watch::Sender<Duration>,
    /// How many bytes the source gave it.
    taken: watch::Sender<u64>,
}

impl Link {
    /// Opens a link to a source on this machine.
    pub async fn open(lab: &Arc<Lab>, ends: Ends, source: SocketAddr, replica: Arc<Server>) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let port = listener.local_addr()?.port();
        let (delay, taken) = (watch::channel(Duration::ZERO).0, watch::channel(0).0);
        let shared = Arc::new(Shared { ends, source, replica, delay, taken });
        let task = tokio::spawn(serve(Arc::downgrade(lab), shared.clone(), listener));
        Ok(Self { port, shared, task })
    }

    pub fn set_delay(&self, delay: Duration) {
        self.shared.delay.send_replace(delay);
    }

    /// How many bytes the source gave it so far.
    pub fn taken(&self) -> Taken {
        let mut told = self.shared.taken.subscribe();
        let before = *told.borrow_and_update();
        Taken { told, before }
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// What a link had taken before a commit.
#[derive(Debug)]
pub(crate) struct Taken {
    told: watch::Receiver<u64>,
    before: u64,
}

impl Taken {
    /// Waits until it has taken more, so that lab time does not run on before the link's part begins; not for long, since what is
    /// full or cut takes nothing.
    pub async fn more(mut self) {
        let before = self.before;
        let _ = tokio::time::timeout(HEARD_WITHIN, self.told.wait_for(|taken| *taken > before)).await;
    }
}

async fn serve(lab: std::sync::Weak<Lab>, shared: Arc<Shared>, listener: TcpListener) {
    // All connections end with the link.
    let mut connections = tokio::task::JoinSet::new();
    while let Ok((replica, _)) = listener.accept().await {
        let Some(lab) = lab.upgrade() else { return };
        if shared.fault(&lab).is_some_and(|fault| fault.is_refused) {
            continue;
        }
        connections.spawn(carry(lab, shared.clone(), replica));
        while connections.try_join_next().is_some() {}
    }
}

/// Carries one connection to its end.
async fn carry(lab: Arc<Lab>, shared: Arc<Shared>, replica: TcpStream) {
    shared.until_open(&lab).await;
    let Ok(source) = shared.connect(&lab).await else { return };
    // Zero linger: whoever drops the socket resets the connection.
    let _ = (replica.set_nodelay(true), source.set_nodelay(true), replica.set_zero_linger());
    let cuts = lab.faults.link_cuts(&shared.ends.source, &shared.ends.replica);
    let ((from_replica, to_replica), (from_source, to_source)) = (replica.into_split(), source.into_split());
    let (dumps, is_dump) = watch::channel(false);
    let (put, get) = mpsc::unbounded_channel();
    tokio::select! {
        _ = upward(&lab, &shared, from_replica, to_source, dumps) => {}
        _ = take(&lab, &shared, from_source, put, is_dump) => {}
        _ = give(&lab, &shared, to_replica, get) => {}
        () = shared.until_noticed(&lab) => {}
        () = lab.faults.until_link_cut(&shared.ends.source, &shared.ends.replica, cuts) => {}
    }
}

/// What the replica says reaches the source at once: it is little, and no data.
async fn upward(
    lab: &Lab,
    shared: &Shared,
    mut from: tokio::net::tcp::OwnedReadHalf,
    mut to: tokio::net::tcp::OwnedWriteHalf,
    dumps: watch::Sender<bool>,
) -> io::Result<()> {
    let mut buffer = vec![0; BUFFER as usize];
    loop {
        let length = from.read(&mut buffer).await?;
        if length == 0 {
            return Ok(());
        }
        if buffer[..length].get(4) == Some(&COM_BINLOG_DUMP) {
            dumps.send_replace(true);
        }
        shared.until_open(lab).await;
        to.write_all(&buffer[..length]).await?;
    }
}

/// When it arrives, what it is, and up to where whole transactions end in it.
type Parcel = (Timestamp, Vec<u8>, Option<u64>);

/// Takes from the source what the link has room for. Its shape is that of data: greetings are spared it.
async fn take(
    lab: &Lab,
    shared: &Shared,
    mut from: tokio::net::tcp::OwnedReadHalf,
    put: mpsc::UnboundedSender<Parcel>,
    is_dump: watch::Receiver<bool>,
) -> io::Result<()> {
    let mut buffer = vec![0; BUFFER as usize];
    let mut stream = Stream::default();
    // When the link has room for more.
    let mut room_at = Timestamp::MIN;
    loop {
        shared.until_open(lab).await;
        let length = from.read(&mut buffer).await?;
        if length == 0 {
            return Ok(());
        }
        let now = lab.clock.now();
        let is_data = *is_dump.borrow();
        let delay = if is_data { *shared.delay.borrow() } else { Duration::ZERO };
        let rate = shared.fault(lab).and_then(|fault| fault.bytes_per_second).filter(|_| is_data);
        let takes = rate.map_or(SignedDuration::ZERO, |rate| transmission(length, rate));
        room_at = now.max(room_at) + takes;
        let due = room_at + SignedDuration::try_from(delay).unwrap_or_default();
        let ended = stream.take(&buffer[..length]).filter(|_| is_data);
        if put.send((due, buffer[..length].to_vec(), ended)).is_err() {
            return Ok(());
        }
        shared.taken.send_modify(|taken| *taken += length as u64);
        if !takes.is_zero() {
            lab.clock.sleep_until(room_at).await;
        }
    }
}

fn transmission(length: usize, bytes_per_second: u32) -> SignedDuration {
    let seconds = length as f64 / f64::from(bytes_per_second.max(1));
    SignedDuration::try_from(Duration::from_secs_f64(seconds)).unwrap_or_default()
}

/// Gives the replica what has been on its way for long enough.
async fn give(
    lab: &Lab,
    shared: &Shared,
    mut to: tokio::net::tcp::OwnedWriteHalf,
    mut get: mpsc::UnboundedReceiver<Parcel>,
) -> io::Result<()> {
    let mut is_stuck = false;
    while let Some((due, bytes, ended)) = get.recv().await {
        // Lab time stays at real time while the replica is given something, and until it has applied it.
        let mut working = lab.clock.work_at(due).await;
        while !shared.is_open(lab) {
            drop(working);
            shared.until_open(lab).await;
            working = lab.clock.working();
        }
        to.write_all(&bytes).await?;
        if let Some(position) = ended {
            is_stuck = !shared.until_applied(position, is_stuck).await;
        }
        drop(working);
    }
    // The source is gone; the other halves end this.
    std::future::pending().await
}

impl Shared {
    fn fault(&self, lab: &Lab) -> Option<LinkFault> {
        lab.faults.of_link(&self.ends.source, &self.ends.replica)
    }

    fn is_open(&self, lab: &Lab) -> bool {
        let Ends { source, replica } = &self.ends;
        lab.faults.connected(source, replica) && !self.fault(lab).is_some_and(|fault| fault.is_silent)
    }

    /// Waits until the replica has applied a transaction, though not for one that waits for a lock; false if it has not. Of one that
    /// was stuck before it is asked once.
    async fn until_applied(&self, position: u64, was_stuck: bool) -> bool {
        let deadline = tokio::time::Instant::now() + if was_stuck { Duration::ZERO } else { APPLIED_WITHIN };
        loop {
            match self.replica.applied().await {
                Ok(Some(applied)) if applied >= position => return true,
                Ok(Some(_)) if tokio::time::Instant::now() < deadline => tokio::time::sleep(ASK_EVERY).await,
                // It waits, is stopped, or another log of its source began.
                _ => return false,
            }
        }
    }

    async fn until_open(&self, lab: &Lab) {
        lab.faults.until(|| self.is_open(lab)).await;
    }

    /// Waits until the replica has heard nothing for so long that it gives the connection up.
    async fn until_noticed(&self, lab: &Lab) {
        loop {
            lab.faults.until(|| !self.is_open(lab)).await;
            tokio::select! {
                () = lab.clock.sleep(NET_TIMEOUT) => return,
                () = self.until_open(lab) => {}
            }
        }
    }

    /// Connects to the source, which may just be restarting; until it is up lab time goes no faster than real time.
    async fn connect(&self, lab: &Lab) -> io::Result<TcpStream> {
        const KNOCKS_MAX: usize = 500;
        let _working = lab.clock.working();
        let mut knocks = 0;
        loop {
            let socket = TcpSocket::new_v4()?;
            socket.set_recv_buffer_size(BUFFER)?;
            socket.set_send_buffer_size(BUFFER)?;
            match socket.connect(self.source).await {
                Err(_) if knocks < KNOCKS_MAX => knocks += 1,
                connected => return connected,
            }
            tokio::time::sleep(KNOCK_EVERY).await;
        }
    }
}
