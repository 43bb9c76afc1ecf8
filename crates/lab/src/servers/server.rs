//! One real server, and what RDS and an application do to it.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use mysql_async::prelude::Queryable;
use mysql_async::{Conn, Opts, OptsBuilder, Row};

use super::certificates::Authority;
use super::process::Process;
use super::template::{Template, last_lines};
use super::{Brand, Error};

/// In real time; it takes a third of a second where nothing else runs.
const STARTS_WITHIN: Duration = Duration::from_secs(60);
/// What nothing holds up is through in milliseconds.
const STOPS_WITHIN: Duration = Duration::from_secs(2);
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// The largest row; told beforehand, so that a connection need not ask.
const PACKET_MAX: usize = 16 << 20;

#[derive(Debug)]
pub(crate) struct Server {
    brand: Brand,
    files: PathBuf,
    /// An address of its own, so that it has the port that RDS says.
    pub address: SocketAddr,
    /// What it takes to start it again.
    command: Box<Command>,
    process: tokio::sync::Mutex<Option<Process>>,
    /// The lab's own, for what it asks all the time.
    watcher: tokio::sync::Mutex<Option<Conn>>,
    /// Connections of the application that are not in use.
    idle: Mutex<Vec<Conn>>,
}

/// A session that somebody has with a server; what it locked is locked until this is dropped.
#[derive(Debug)]
pub struct Session {
    _connection: Conn,
}

/// A connection that a program keeps for itself.
#[derive(Debug)]
pub(crate) struct Held(Conn);

impl Held {
    /// Writes rows as the application does, in one transaction: acknowledged if this succeeds.
    pub async fn write(&mut self, ids: &[&str], at: Timestamp, filling: usize) -> Result<(), Error> {
        self.0.query_drop("START TRANSACTION").await?;
        for id in ids {
            insert(&mut self.0, id, at, filling).await?;
        }
        Ok(self.0.query_drop("COMMIT").await?)
    }
}

/// Where a replica finds what it replicates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Upstream {
    /// Of the link, on the loopback interface.
    pub port: u16,
}

impl Server {
    pub(super) async fn start(
        (template, authority): (&Template, &Authority),
        folder: &Path,
        number: u64,
        port: u16,
    ) -> Result<Self, Error> {
        const ATTEMPTS_MAX: usize = 3;
        std::fs::create_dir(folder)?;
        let (files, scratch) = (folder.join("files"), folder.join("scratch"));
        template.copy_to(&files)?;
        std::fs::create_dir(&scratch)?;
        let mut attempt = 1;
        loop {
            let Some(address) = free_address(port) else {
                return Err(Error::Start(format!("port {port} is free nowhere")));
            };
            let mut command = template.command(&files, &scratch);
            command
                .args(template.brand.serving_options())
                .args(options(folder, address, number))
                .args(authority.certify(folder, address.ip())?);
            let (process, watcher, idle) =
                (tokio::sync::Mutex::default(), tokio::sync::Mutex::default(), Mutex::default());
            let command = Box::new(command);
            let server =
                Self { brand: template.brand, files: folder.to_owned(), address, command, process, watcher, idle };
            match server.up().await {
                Err(Error::Start(_)) if attempt < ATTEMPTS_MAX => attempt += 1,
                up => return up.map(|()| server),
            }
        }
    }

    async fn up(&self) -> Result<(), Error> {
        let mut process = self.process.lock().await;
        *process = Some(Process::start(copy_of(&self.command))?);
        drop(process);
        let deadline = tokio::time::Instant::now() + STARTS_WITHIN;
        loop {
            match self.admin().await {
                Ok(_) => return Ok(()),
                Err(_) if tokio::time::Instant::now() < deadline && !self.gave_up() => {
                    tokio::time::sleep(LOOK_EVERY).await;
                }
                Err(error) => return Err(Error::Start(format!("{error}; {}", last_lines(&self.log())))),
            }
        }
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.files.join("log.err")).unwrap_or_default()
    }

    fn gave_up(&self) -> bool {
        self.log().lines().rev().take(3).any(|line| line.contains("Aborting"))
    }

    /// Stops and starts it, as a reboot does: whoever was connected is not.
    pub async fn restart(&self) -> Result<(), Error> {
        self.admin().await?.query_drop("SHUTDOWN").await?;
        let process = self.process.lock().await.take();
        if let Some(process) = process {
            process.ended().await;
        }
        self.forget_connections();
        self.up().await
    }

    /// Ends its process, unless it is just being started or stopped.
    pub fn kill(&self) {
        if let Ok(mut process) = self.process.try_lock() {
            *process = None;
        }
    }

    fn forget_connections(&self) {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    async fn admin(&self) -> Result<Conn, Error> {
        let socket = self.files.join("socket").display().to_string();
        let options = OptsBuilder::default().socket(Some(socket)).user(Some("admin"));
        Ok(Conn::new(plain(options)).await?)
    }

    /// Lets the application write, or not.
    pub async fn set_read_only(&self, is_read_only: bool) -> Result<(), Error> {
        Ok(self.admin().await?.query_drop(format!("SET GLOBAL read_only = {}", u8::from(is_read_only))).await?)
    }

    /// Makes it a replica of all that ever was in its source.
    pub async fn follow(&self, upstream: Upstream) -> Result<(), Error> {
        let mut admin = self.admin().await?;
        admin.query_drop(self.brand.follow(upstream.port)).await?;
        Ok(admin.query_drop(self.brand.words().start).await?)
    }

    /// Ends replication for good. What has arrived and is not applied yet goes with it: RDS does not say that it waits.
    pub async fn unfollow(&self) -> Result<(), Error> {
        self.stop_replication().await?;
        Ok(self.admin().await?.query_drop(self.brand.words().forget_source).await?)
    }

    async fn stop_replication(&self) -> Result<(), Error> {
        let mut admin = self.admin().await?;
        let mut stop = admin.query_drop(self.brand.words().stop);
        match tokio::time::timeout(STOPS_WITHIN, &mut stop).await {
            Ok(stopped) => Ok(stopped?),
            // Somebody's lock is in its way, for as long as that lasts; the reboot that RDS has in store ends it a moment earlier.
            Err(_) => {
                self.end_sessions().await?;
                Ok(stop.await?)
            }
        }
    }

    /// Ends every session but the lab's own and replication's.
    async fn end_sessions(&self) -> Result<(), Error> {
        let mut admin = self.admin().await?;
        let of_clients = "SELECT id FROM information_schema.processlist WHERE user IN ('app', 'master')";
        for id in admin.query::<u64, _>(of_clients).await? {
            // It may have ended by itself.
            let _ = admin.query_drop(format!("KILL {id}")).await;
        }
        Ok(())
    }

    /// Stops replication as a person does, or starts it again.
    pub async fn set_stopped(&self, is_stopped: bool) -> Result<(), Error> {
        let order = if is_stopped { self.brand.words().stop } else { self.brand.words().start };
        Ok(self.admin().await?.query_drop(order).await?)
    }

    /// How far it says that it is behind its source, in real time; `None` where it says NULL.
    pub async fn seconds_behind(&self) -> Result<Option<u64>, Error> {
        let status: Option<Row> = self.admin().await?.query_first(self.brand.words().status).await?;
        Ok(status.and_then(|row| row.get::<Option<u64>, _>(self.brand.words().seconds_behind)).flatten())
    }

    /// How far it has applied its source's binary log, and whether it is at it.
    pub async fn applied(&self) -> Result<Option<u64>, Error> {
        let mut watcher = self.watcher.lock().await;
        let mut connection = match watcher.take() {
            Some(connection) => connection,
            None => self.admin().await?,
        };
        let status: Option<Row> = connection.query_first(self.brand.words().status).await?;
        // Kept only while it works.
        *watcher = Some(connection);
        let status =
            status.filter(|row| row.get::<String, _>(self.brand.words().is_applying).is_some_and(|is| is == "Yes"));
        Ok(status.and_then(|row| row.get(self.brand.words().applied_position)))
    }

    /// Writes a row as the application does: acknowledged if this succeeds. A broken connection is noticed by the write on it.
    pub async fn write(&self, id: &str, at: Timestamp, filling: usize, may_connect: bool) -> Result<(), Error> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut connection = match idle {
            Some(connection) => connection,
            None if may_connect => self.application().await?,
            None => return Err(Error::Io(std::io::ErrorKind::ConnectionRefused.into())),
        };
        let done = insert(&mut connection, id, at, filling).await;
        match &done {
            Err(mysql_async::Error::Io(_) | mysql_async::Error::Driver(_)) => self.forget_connections(),
            _ => self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(connection),
        }
        Ok(done?)
    }

    /// Opens a session of RDS's master user, and does something in it.
    pub async fn session(&self, statements: &[&str]) -> Result<Session, Error> {
        let mut connection = self.client("master").await?;
        for statement in statements {
            connection.query_drop(*statement).await?;
        }
        Ok(Session { _connection: connection })
    }

    /// Opens a connection for a program that keeps it.
    pub async fn hold(&self) -> Result<Held, Error> {
        Ok(Held(self.application().await?))
    }

    async fn application(&self) -> Result<Conn, Error> {
        self.client("app").await
    }

    async fn client(&self, user: &str) -> Result<Conn, Error> {
        let options = OptsBuilder::default()
            .ip_or_hostname(self.address.ip().to_string())
            .tcp_port(self.address.port())
            .user(Some(user));
        Ok(Conn::new(plain(options)).await?)
    }

    /// The time of the newest row, in microseconds since 1970.
    pub async fn newest(&self) -> Result<Option<i64>, Error> {
        let newest = "SELECT CAST(UNIX_TIMESTAMP(MAX(at)) * 1000000 AS SIGNED) FROM app.writes";
        Ok(self.admin().await?.query_first::<Option<i64>, _>(newest).await?.flatten())
    }

    /// The ids of all rows of one of the application's tables, in the order in which they were given their numbers.
    pub async fn rows(&self, table: &str) -> Result<Vec<String>, Error> {
        Ok(self.admin().await?.query(format!("SELECT id FROM app.{table} ORDER BY nth")).await?)
    }
}

/// Rows and the events of the binary log carry lab time, so that a replica counts from it.
async fn insert(connection: &mut Conn, id: &str, at: Timestamp, filling: usize) -> Result<(), mysql_async::Error> {
    let at = at.as_microsecond();
    connection.query_drop(format!("SET timestamp = {}.{:06}", at / 1_000_000, at % 1_000_000)).await?;
    connection.exec_drop("INSERT INTO app.writes (id, filling) VALUES (?, REPEAT('x', ?))", (id, filling)).await
}

fn plain(options: OptsBuilder) -> Opts {
    // What it is told it need not ask; what is on this machine needs no other way.
    options.prefer_socket(false).max_allowed_packet(Some(PACKET_MAX)).wait_timeout(Some(28_800)).into()
}

fn options(folder: &Path, address: SocketAddr, number: u64) -> Vec<String> {
    let in_folder = |option: &str, name: &str| format!("--{option}={}", folder.join(name).display());
    let bind = [format!("--bind-address={}", address.ip()), format!("--port={}", address.port())];
    let own = [in_folder("socket", "socket"), in_folder("log-error", "log.err"), in_folder("pid-file", "pid")];
    own.into_iter().chain(bind).chain([format!("--server-id={number}")]).collect()
}

/// A loopback address where the port is free, just now: whoever takes it before us makes us take another.
fn free_address(port: u16) -> Option<SocketAddr> {
    const ATTEMPTS_MAX: usize = 100;
    let any = || Ipv4Addr::new(127, rand::random_range(64..=127), rand::random(), rand::random_range(1..=254));
    let addresses = std::iter::repeat_with(|| SocketAddr::from((any(), port))).take(ATTEMPTS_MAX);
    addresses.into_iter().find(|address| TcpListener::bind(address).is_ok())
}

/// `Command` has no Clone.
fn copy_of(command: &Command) -> Command {
    let mut copy = Command::new(command.get_program());
    copy.args(command.get_args());
    copy
}
