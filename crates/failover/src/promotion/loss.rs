//! How much a promotion may lose, by the lag that was seen.
//!
//! RDS's lag tells what the replica had applied of what it knew of. It says nothing of what the primary had not sent: whatever
//! comes out here, more may be lost. A heartbeat knows that too.

use jiff::{SignedDuration, Timestamp};

use super::LagSample;
use crate::incident::Incident;
use crate::plan::{Plan, ReplicaId};

/// How far back lag samples are looked at: before the outage can have begun, or in peace before now.
pub const LAG_LOOKBACK: SignedDuration = SignedDuration::from_hours(3);

/// How far two samples' positions may be apart and still be one: half of the minute between samples.
const SAME_POSITION_SECONDS: i64 = 30;

/// "If no user transactions are occurring on the source …, a PostgreSQL read replica reports a replication lag of up to
/// five minutes" (RDS user guide, monitoring read replication).
pub(crate) const IDLE_SECONDS: i64 = 300;

/// When the outage may have begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outage {
    /// Not before this.
    pub earliest: Timestamp,
    /// By then it had.
    pub latest: Timestamp,
}

impl Outage {
    /// An alarm takes its time to ring. A failover that a person declares is judged from that moment: nobody says that
    /// the primary was down before.
    #[must_use]
    pub fn of(plan: &Plan, incident: &Incident) -> Self {
        let detection = match incident.as_declared_alarm() {
            Some(_) => 0,
            None => i64::from(plan.limits.detection_seconds_max),
        };
        let earliest = incident.began.checked_sub(SignedDuration::from_secs(detection)).unwrap_or(incident.began);
        Self { earliest, latest: incident.began }
    }
}

/// What a lag is counted from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LagBy {
    /// From what the replica has received: MySQL and MariaDB, by RDS. −1 where nothing arrives.
    Received,
    /// From the last write that it has: it grows by a second a second while nothing arrives, so in every outage.
    Position {
        /// For how long the source may have said nothing, and all be well.
        idle_seconds_max: i64,
    },
}

impl LagBy {
    /// By the database's heartbeat, which beats though nobody writes; else as its engine tells it.
    #[must_use]
    pub fn of(plan: &Plan, id: &ReplicaId, engine: &str) -> Self {
        // Whether a global database's lag ends, stays or grows while its primary is dark is not documented; by position all three mean
        // the same.
        let grows = grows_in_silence(engine) || matches!(id, ReplicaId::GlobalMember { .. });
        match (plan.heartbeats.contains_key(id), grows) {
            (false, false) => Self::Received,
            (is_heartbeat, _) => {
                let is_idle = is_postgres(engine) && !is_heartbeat;
                Self::Position { idle_seconds_max: if is_idle { IDLE_SECONDS } else { 0 } }
            }
        }
    }
}

/// What may be lost, as far as lag tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Loss {
    /// Seconds of writes.
    pub seconds: u64,
    /// The sample that says so.
    pub sample: LagSample,
}

impl Loss {
    /// By the good samples, oldest first; `None` if there is none.
    ///
    /// The sample's own lag, and what the sample's age at the outage's start adds: a replica that had stopped replicating
    /// has no good samples after that. Counted from the earliest start of the outage: from a later one, the outage itself
    /// would look like replication that had stopped.
    #[must_use]
    pub fn of(by: LagBy, lags: &[LagSample], outage: &Outage) -> Option<Self> {
        let newest = lags.iter().max_by_key(|sample| sample.at)?;
        let (sample, idle) = match by {
            LagBy::Position { idle_seconds_max } => position(lags, outage, idle_seconds_max)?,
            LagBy::Received => (*newest, 0),
        };
        let blind = seconds_between(sample.at, outage.earliest);
        let lag = i64::try_from(sample.seconds).unwrap_or(i64::MAX);
        let seconds = lag.saturating_add(blind).saturating_sub(idle);
        Some(Self { seconds: u64::try_from(seconds).unwrap_or_default(), sample })
    }
}

/// The lag of these is the age of the last transaction that was replayed: it grows by a second a second while the source
/// says nothing, so in every outage. MySQL and MariaDB report −1 instead.
pub(crate) fn grows_in_silence(engine: &str) -> bool {
    is_postgres(engine) || engine.contains("oracle")
}

/// RDS for PostgreSQL.
pub(crate) fn is_postgres(engine: &str) -> bool {
    engine.starts_with("postgres")
}

/// The sample in which the replica reached what it has now, and for how many seconds before the outage its source may have been
/// idle. Later samples that name the same position only say that nothing came after. A replica never goes back, so an earlier sample that
/// names a later position is a wrong one.
fn position(lags: &[LagSample], outage: &Outage, idle_seconds_max: i64) -> Option<(LagSample, i64)> {
    let newest = lags.iter().max_by_key(|sample| sample.at)?.applied_until();
    let reached =
        |sample: &&LagSample| sample.applied_until().duration_since(newest).as_secs().abs() <= SAME_POSITION_SECONDS;
    let first = lags.iter().filter(reached).min_by_key(|sample| sample.at)?;
    let last = lags.iter().filter(reached).max_by_key(|sample| sample.at)?;
    let idle = seconds_between(first.at, last.at.min(outage.earliest));
    Some((*first, idle.min(idle_seconds_max)))
}

/// Seconds from one to the other; none if it is earlier.
fn seconds_between(from: Timestamp, to: Timestamp) -> i64 {
    to.duration_since(from).as_secs().max(0)
}
