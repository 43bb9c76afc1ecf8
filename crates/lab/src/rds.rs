//! RDS and Aurora: clusters, instances, replication and promotion.

mod access;
mod answers;
mod api;
mod changes;
mod clients;
mod create;
mod database;
mod endpoint;
mod global;
mod lag;
mod manage;
mod model;
mod parameters;
mod people;
mod real;
mod settings;
mod state;

use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde_json::{Value, json};
use tokio::sync::Notify;

use crate::Lab;
use crate::journal::What;
use crate::message::Message;

pub use api::answer;
pub use clients::{Pool, Pooled, commit_at_once};
pub use database::{Key, LostLink, Write};
pub use endpoint::open_endpoint;
use lag::publish_lags;
use model::{Event, cluster_key, key};
pub use parameters::set_parameter;
pub use people::*;
pub use real::{
    address, brand, certificates, close, commit, newest, on_servers, rows, rows_of, session, settle, trouble,
    use_servers,
};
use state::{Effect, State};

/// "Several minutes or longer" (Aurora user guide, promoting a cross-Region replica).
const PROMOTION_SECONDS: RangeInclusive<i64> = 120..=300;

/// "Typically, the chosen secondary cluster assumes the primary role within a few minutes" (Aurora user guide, global databases).
const GLOBAL_SECONDS: RangeInclusive<i64> = 60..=180;

/// The service's state in every region.
#[derive(Debug)]
pub struct Rds {
    state: Mutex<State>,
    chance: Mutex<StdRng>,
    promotion_seconds: Mutex<RangeInclusive<i64>>,
    steps_changed: Notify,
    /// The real servers behind them, if that is how the lab has it.
    real: OnceLock<real::Real>,
}

impl Default for Rds {
    fn default() -> Self {
        Self {
            state: Mutex::default(),
            chance: Mutex::new(StdRng::seed_from_u64(0)),
            promotion_seconds: Mutex::new(PROMOTION_SECONDS),
            steps_changed: Notify::new(),
            real: OnceLock::new(),
        }
    }
}

impl Rds {
    /// Chooses the sequence of durations that promotions will take.
    pub fn seed(&self, seed: u64) {
        *self.chance.lock().unwrap_or_else(PoisonError::into_inner) = StdRng::seed_from_u64(seed);
    }

    /// Sets within which bounds a promotion's duration is drawn.
    pub fn set_promotion_seconds(&self, seconds: RangeInclusive<i64>) {
        *self.promotion_seconds.lock().unwrap_or_else(PoisonError::into_inner) = seconds;
    }

    fn promotion_takes(&self) -> SignedDuration {
        let within = self.promotion_seconds.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let mut chance = self.chance.lock().unwrap_or_else(PoisonError::into_inner);
        SignedDuration::from_secs(chance.random_range(within))
    }

    fn global_takes(&self) -> SignedDuration {
        let mut chance = self.chance.lock().unwrap_or_else(PoisonError::into_inner);
        SignedDuration::from_secs(chance.random_range(GLOBAL_SECONDS))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How far a replica is behind its source; `None` if it is no replica, or not connected.
pub fn lag(lab: &Lab, region: &str, id: &str) -> Option<Duration> {
    let state = current(lab);
    let replication = state.databases.get(&key(region, id))?.replication.as_ref()?;
    replication.connected().then(|| state.behind(replication))
}

/// True if the database (a cluster, or an instance outside one) accepts writes: its region is up and it is no replica.
pub fn writable(lab: &Lab, region: &str, id: &str) -> bool {
    !lab.faults.is_down(region) && current(lab).writable(&key(region, id))
}

/// Writes to a database; `None` if it does not accept writes. A write is acknowledged at the moment returned.
pub fn write(lab: &Lab, region: &str, id: &str, write: &str) -> Option<Timestamp> {
    let database = key(region, id);
    let mut state = current(lab);
    if lab.faults.is_down(region) || !state.writable(&database) {
        return None;
    }
    let now = lab.clock.now();
    state.databases.get_mut(&database)?.write(write, now);
    Some(now)
}

/// Every write that is in a database, in order.
pub fn writes(lab: &Lab, region: &str, id: &str) -> Vec<Write> {
    let state = current(lab);
    state.databases.get(&key(region, id)).map(|database| database.writes().to_vec()).unwrap_or_default()
}

/// The state, with every replica brought up to the present.
fn current(lab: &Lab) -> MutexGuard<'_, State> {
    let mut state = lab.rds.lock();
    state.replicate(lab.clock.now(), &|one, other| lab.faults.connected(one, other));
    state
}

/// Moves databases through their states, and publishes their metrics, for as long as the lab lives.
pub async fn run(lab: Arc<Lab>) {
    let mut faults = lab.faults.changes();
    let mut minute = lab.clock.now() + Duration::from_secs(60);
    loop {
        let stepped = lab.rds.steps_changed.notified();
        let down = |region: &str| lab.faults.is_down(region);
        // A step that waits for its region must not wake us before the region is back.
        let step = current(&lab).next_step(&down).unwrap_or(minute);
        tokio::select! {
            () = lab.clock.sleep_until(step.min(minute)) => {}
            () = stepped => {}
            // The faults live as long as the lab.
            _ = faults.changed() => {}
        }
        let effects = current(&lab).tick(lab.clock.now(), &down);
        for effect in effects {
            match effect {
                Effect::Changed(key) => record(&lab, &key),
                Effect::Told(told) => {
                    lab.carry(Message::Event { region: &told.region, bus: "default", event: as_event(&told) });
                }
            }
        }
        if lab.clock.now() >= minute {
            publish_lags(&lab, minute).await;
            minute += Duration::from_secs(60);
        }
    }
}

fn record(lab: &Lab, key: &Key) {
    real::touch(lab);
    let state = lab.rds.lock();
    let cluster = state.clusters.get(key).map(|cluster| cluster.status);
    let status = cluster.or_else(|| state.instances.get(key).map(|instance| instance.status));
    let writable = state.writable(key);
    drop(state);
    if let Some(status) = status {
        let (region, id) = key.clone();
        lab.record(What::Database { region, id, status: status.as_str().to_owned(), writable });
    }
}

/// "RDS DB Cluster Event" in the Aurora user guide. No event id is documented for a promotion, so none is made up.
fn as_event(event: &Event) -> Value {
    let cluster = cluster_key(&event.arn).is_some();
    json!({
        "source": "aws.rds",
        "detail-type": if cluster { "RDS DB Cluster Event" } else { "RDS DB Instance Event" },
        "resources": [event.arn],
        "detail": {
            "EventCategories": [event.category],
            "SourceType": if cluster { "CLUSTER" } else { "DB_INSTANCE" },
            "SourceArn": event.arn,
            "Date": event.at.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string(),
            "Message": event.message,
            "SourceIdentifier": event.id,
        },
    })
}
