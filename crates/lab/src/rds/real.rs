//! Real servers behind RDS: whatever becomes of a database here is done to its server.
//!
//! One task compares what stands with what should, and acts; from a change until its acts are through, lab time goes no faster than
//! real time.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::{Notify, watch};

use super::current;
use super::database::Key;
use super::model::{Status, key};
use super::settings::{Settings, is_postgres};
use super::state::State;
use crate::Lab;
use crate::clock::Working;
use crate::servers::{Brand, Ends, Error, Farm, Link, Server, Session, Upstream};

/// The servers, their links, and what is to be done.
#[derive(Debug)]
pub(super) struct Real {
    farm: Farm,
    /// By the replica's number.
    links: Mutex<BTreeMap<u64, (u64, Link)>>,
    asked: AtomicU64,
    done: watch::Sender<u64>,
    touched: Notify,
    pending: Mutex<Option<Working>>,
    trouble: Mutex<Option<String>>,
}

/// What a server should be, by what RDS says of its database.
#[derive(Clone, Debug)]
struct Wanted {
    server: u64,
    key: Key,
    port: u16,
    /// What it replicates: the server, and the region of it.
    source: Option<(u64, String)>,
    delay: Duration,
    is_stopped: bool,
    is_read_only: bool,
    is_rebooting: bool,
}

/// What was done to a server so far.
type Standing = BTreeMap<u64, Wanted>;

/// Puts a real server behind every database of MySQL's kind that is created from now on.
///
/// # Errors
/// If there is none on this machine, or its files cannot be made.
pub async fn use_servers(lab: &Arc<Lab>, brand: Brand) -> Result<(), Error> {
    let working = lab.clock.working();
    let real = Real {
        farm: Farm::open(brand).await?,
        links: Mutex::default(),
        asked: AtomicU64::new(0),
        done: watch::channel(0).0,
        touched: Notify::new(),
        pending: Mutex::default(),
        trouble: Mutex::default(),
    };
    if lab.rds.real.set(real).is_ok() {
        tokio::spawn(run(Arc::downgrade(lab)));
    }
    drop(working);
    Ok(())
}

/// Waits until all that happened to databases so far was done to their servers.
///
/// # Errors
/// If a server did not do as told, since the lab began.
pub async fn settle(lab: &Lab) -> Result<(), String> {
    let Some(real) = lab.rds.real.get() else { return Ok(()) };
    let asked = real.asked.load(Ordering::SeqCst);
    // The sender lives as long as the lab.
    let _ = real.done.subscribe().wait_for(|done| *done >= asked).await;
    trouble(lab).map_or(Ok(()), Err)
}

/// What a server did not do though it was told to, if anything.
#[must_use]
pub fn trouble(lab: &Lab) -> Option<String> {
    lab.rds.real.get()?.trouble.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

/// Where clients of MySQL find the real server of a database (users `app`, for the database of that name, and `master`, as RDS has one; no passwords).
#[must_use]
pub fn address(lab: &Lab, region: &str, id: &str) -> Option<SocketAddr> {
    let (real, number) = behind(lab, &key(region, id))?;
    Some(real.farm.server(number)?.address)
}

/// Whose servers stand behind the databases, if real ones do.
#[must_use]
pub fn brand(lab: &Lab) -> Option<Brand> {
    Some(lab.rds.real.get()?.farm.brand())
}

/// The file with the certificate that the real servers' own are signed by, as RDS's bundle is for its.
#[must_use]
pub fn certificates(lab: &Lab) -> Option<PathBuf> {
    Some(lab.rds.real.get()?.farm.bundle().to_owned())
}

/// Opens a session with a database's real server as RDS's master user, and does something in it.
///
/// # Errors
/// If there is no such server, or it refuses.
pub async fn session(lab: &Lab, region: &str, id: &str, statements: &[&str]) -> Result<Session, Error> {
    let _working = lab.clock.working();
    let server = behind(lab, &key(region, id)).and_then(|(real, number)| real.farm.server(number));
    let gone = || Error::Start(format!("{id} has no server"));
    server.ok_or_else(gone)?.session(statements).await
}

/// Ends all real servers, at the end of the lab.
pub fn close(lab: &Lab) {
    if let Some(real) = lab.rds.real.get() {
        real.farm.close();
    }
}

/// Something about a database changed.
pub(super) fn touch(lab: &Lab) {
    let Some(real) = lab.rds.real.get() else { return };
    real.asked.fetch_add(1, Ordering::SeqCst);
    real.pending.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_with(|| lab.clock.working());
    real.touched.notify_one();
}

/// Writes a row of so many bytes to a database as an application there does, be it simulated or real. The moment at which it was
/// acknowledged; `None` if it was not.
pub async fn commit(lab: &Lab, region: &str, id: &str, write: &str, bytes: usize) -> Option<Timestamp> {
    let key = key(region, id);
    let Some((real, number)) = behind(lab, &key) else { return super::write(lab, region, id, write) };
    if lab.faults.is_down(region) {
        return None;
    }
    let server = real.farm.server(number)?;
    let _working = lab.clock.working();
    let heard = real.taken_of(number);
    let may_connect = may_connect(&current(lab), &key);
    server.write(write, lab.clock.now(), bytes, may_connect).await.ok()?;
    for link in heard {
        link.more().await;
    }
    Some(lab.clock.now())
}

/// The ids of the writes in a database, in order, asked of it itself where it is real: those of the lab's own sites.
///
/// # Errors
/// If it does not answer.
pub async fn rows(lab: &Lab, region: &str, id: &str) -> Result<Vec<String>, Error> {
    rows_of(lab, region, id, "writes").await
}

/// The same of what an application wrote into a table of its own, with columns `id` and `nth`.
///
/// # Errors
/// If it does not answer.
pub async fn rows_of(lab: &Lab, region: &str, id: &str, table: &str) -> Result<Vec<String>, Error> {
    let server = behind(lab, &key(region, id)).and_then(|(real, number)| real.farm.server(number));
    match server {
        Some(server) => server.rows(table).await,
        None => Ok(super::writes(lab, region, id).into_iter().map(|write| write.id).collect()),
    }
}

/// When the newest write was made that a database has, where it is real and answers.
pub async fn newest(lab: &Lab, region: &str, id: &str) -> Option<Timestamp> {
    let (real, number) = behind(lab, &key(region, id))?;
    let _working = lab.clock.working();
    let newest = real.farm.server(number)?.newest().await.ok().flatten()?;
    Timestamp::from_microsecond(newest).ok()
}

/// Region and identifier of every database that has a real server.
#[must_use]
pub fn on_servers(lab: &Lab) -> Vec<Key> {
    let state = current(lab);
    let real = state.databases.keys().filter(|key| lab.rds.real.get().is_some() && is_real(&state, key));
    real.cloned().collect()
}

/// A real replica's lag in seconds of lab time, as RDS samples it; −1 for NULL. `None` of what is no real replica.
pub(super) async fn seconds_behind(lab: &Lab, key: &Key) -> Option<f64> {
    let (real, number) = behind(lab, key)?;
    let is_replica = |state: &State| state.databases.get(key).is_some_and(|database| database.replication.is_some());
    if !is_replica(&current(lab)) {
        return None;
    }
    let said = real.farm.server(number)?.seconds_behind().await.ok().flatten();
    let Some(said) = said else { return Some(-1.0) };
    // Events carry lab time and the server counts from its own, which is later.
    let ahead = Timestamp::now().duration_since(lab.clock.now()).as_secs_f64();
    #[expect(clippy::cast_precision_loss, reason = "seconds of some centuries")]
    let seconds = said as f64;
    Some(if said == 0 { 0.0 } else { (seconds - ahead).max(0.0).round() })
}

/// The real server's number of a database that has one.
pub(super) fn behind<'a>(lab: &'a Lab, key: &Key) -> Option<(&'a Real, u64)> {
    let real = lab.rds.real.get()?;
    let state = current(lab);
    is_real(&state, key).then(|| state.databases.get(key).map(|database| (real, database.server)))?
}

fn settings<'a>(state: &'a State, key: &Key) -> Option<&'a Settings> {
    let cluster = state.clusters.get(key).map(|cluster| &cluster.settings);
    cluster.or_else(|| state.instances.get(key).map(|instance| &instance.settings))
}

fn is_real(state: &State, key: &Key) -> bool {
    settings(state, key).is_some_and(|settings| !is_postgres(&settings.engine))
}

/// The instance that takes a database's writes.
fn writer(state: &State, key: &Key) -> Option<Status> {
    let id = match state.clusters.get(key) {
        Some(cluster) => cluster.members.first()?,
        None => &key.1,
    };
    Some(state.instances.get(&(key.0.clone(), id.clone()))?.status)
}

/// True if the network lets new connections through: existing ones stay until a reboot.
pub(super) fn may_connect(state: &State, key: &Key) -> bool {
    let is_let_in = state.access(key).is_none_or(|access| !state.keeps_out(access));
    let is_up = |status| !matches!(status, Status::Creating | Status::Deleting | Status::Rebooting | Status::Renaming);
    is_let_in && writer(state, key).is_some_and(is_up)
}

fn wanted(state: &State) -> Vec<Wanted> {
    let of = state.databases.iter().filter(|(key, _)| is_real(state, key));
    of.map(|(key, database)| {
        let replication = database.replication.as_ref();
        let source = replication.and_then(|replication| Some((state.databases.get(&replication.source)?, replication)));
        let is_replica = match state.clusters.get(key) {
            Some(cluster) => cluster.source.is_some(),
            None => state.instances.get(key).is_some_and(|instance| instance.source.is_some()),
        };
        Wanted {
            server: database.server,
            key: key.clone(),
            port: settings(state, key).map_or(3306, |settings| settings.port),
            source: source.map(|(source, replication)| (source.server, replication.source.0.clone())),
            delay: replication.map(|replication| replication.lag + replication.link).unwrap_or_default(),
            is_stopped: replication.is_some_and(|replication| replication.is_stopped),
            is_read_only: is_replica,
            is_rebooting: writer(state, key) == Some(Status::Rebooting),
        }
    })
    .collect()
}

async fn run(lab: Weak<Lab>) {
    let mut standing = Standing::new();
    while let Some(lab) = lab.upgrade() {
        let Some(real) = lab.rds.real.get() else { return };
        real.touched.notified().await;
        let working = real.pending.lock().unwrap_or_else(PoisonError::into_inner).take();
        let asked = real.asked.load(Ordering::SeqCst);
        let wanted = wanted(&current(&lab));
        if let Err(error) = real.reconcile(&lab, &mut standing, wanted).await {
            eprintln!("lab: {error}");
            *real.trouble.lock().unwrap_or_else(PoisonError::into_inner) = Some(error.to_string());
        }
        real.done.send_replace(asked);
        drop(working);
    }
}

impl Real {
    /// A server, if there is one of that number.
    pub fn server(&self, number: u64) -> Option<Arc<Server>> {
        self.farm.server(number)
    }

    /// What links of a source's replicas had taken of it so far.
    pub fn taken_of(&self, source: u64) -> Vec<crate::servers::Taken> {
        let links = self.links.lock().unwrap_or_else(PoisonError::into_inner);
        links.values().filter(|(from, _)| *from == source).map(|(_, link)| link.taken()).collect()
    }

    async fn reconcile(&self, lab: &Arc<Lab>, standing: &mut Standing, wanted: Vec<Wanted>) -> Result<(), Error> {
        for gone in self.farm.numbers().into_iter().filter(|number| wanted.iter().all(|one| one.server != *number)) {
            self.unlink(gone);
            self.farm.end(gone);
            standing.remove(&gone);
        }
        self.start_new(lab, &wanted).await?;
        for one in wanted {
            let Some(server) = self.farm.server(one.server) else { continue };
            self.act(lab, &server, standing.get(&one.server), &one).await?;
            standing.insert(one.server, one);
        }
        Ok(())
    }

    /// Starts those that are not there yet, side by side.
    async fn start_new(&self, lab: &Lab, wanted: &[Wanted]) -> Result<(), Error> {
        let new: Vec<&Wanted> = wanted.iter().filter(|one| self.farm.server(one.server).is_none()).collect();
        let starting = new.iter().map(|one| self.farm.start(one.server, one.port));
        let started = futures_util::future::join_all(starting).await;
        for (one, started) in new.into_iter().zip(started) {
            current(lab).addresses.insert(one.server, started?.address.ip());
        }
        Ok(())
    }

    async fn act(&self, lab: &Arc<Lab>, server: &Arc<Server>, was: Option<&Wanted>, is: &Wanted) -> Result<(), Error> {
        let restarts = was.is_some_and(|was| was.key != is.key || (is.is_rebooting && !was.is_rebooting));
        if restarts {
            server.restart().await?;
        }
        let source = is.source.as_ref().map(|(number, _)| *number);
        let had = was.and_then(|was| was.source.as_ref().map(|(number, _)| *number));
        if had != source {
            if had.is_some() {
                // What the link still holds never arrives; and a server that waits for a silent one would not stop.
                self.unlink(is.server);
                server.unfollow().await?;
            }
            if let Some((number, region)) = &is.source {
                let upstream = self.link(lab, server, is, *number, region).await?;
                server.follow(upstream).await?;
            }
        }
        if let Some((_, link)) = self.links.lock().unwrap_or_else(PoisonError::into_inner).get(&is.server) {
            link.set_delay(is.delay);
        }
        if source.is_some() && was.is_some_and(|was| was.is_stopped) != is.is_stopped {
            server.set_stopped(is.is_stopped).await?;
        }
        // It starts read-only.
        let was_read_only = restarts || was.is_none_or(|was| was.is_read_only);
        if was_read_only != is.is_read_only {
            server.set_read_only(is.is_read_only).await?;
        }
        Ok(())
    }

    async fn link(
        &self,
        lab: &Arc<Lab>,
        server: &Arc<Server>,
        replica: &Wanted,
        source: u64,
        region: &str,
    ) -> Result<Upstream, Error> {
        let gone = || Error::Start(format!("{} follows a server that is gone", replica.key.1));
        let address = self.farm.server(source).ok_or_else(gone)?.address;
        let ends = Ends { source: region.to_owned(), replica: replica.key.0.clone() };
        let link = Link::open(lab, ends, address, server.clone()).await?;
        let upstream = Upstream { port: link.port };
        self.links.lock().unwrap_or_else(PoisonError::into_inner).insert(replica.server, (source, link));
        Ok(upstream)
    }

    fn unlink(&self, replica: u64) {
        self.links.lock().unwrap_or_else(PoisonError::into_inner).remove(&replica);
    }
}
