//! What is in a simulated database, and of any who replicates whom.
//!
//! A database is the list of the writes in it. A replica applies each write of its source one lag after the source had it,
//! as long as it is connected; when replication stops, whatever has not arrived does not exist in it.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

/// "slave_net_timeout": after so long without a word from its source a MySQL replica believes the connection lost.
const NET_TIMEOUT: SignedDuration = SignedDuration::from_secs(60);
/// An idle PostgreSQL source switches its log so often ("archive_timeout" of RDS: 5 minutes), which replicas see.
const IDLE_BEAT_SECONDS: i64 = 300;

/// A write, and since when it is in the database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Write {
    /// The writer's id for it.
    pub id: String,
    /// Lab time.
    pub at: Timestamp,
}

/// Region and identifier of a database.
pub type Key = (String, String);

#[derive(Debug, Default)]
pub(super) struct Database {
    /// The number that it keeps whatever it is called; a real server behind it has the same.
    pub server: u64,
    writes: Vec<Write>,
    pub replication: Option<Replication>,
}

/// What the lag of a MySQL replica says once its connection is lost (measured on real servers: docs/databases.md).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LostLink {
    /// That there is none, at once: the connection was reset.
    #[default]
    AtOnce,
    /// 0 for a minute, until the replica notices that it hears nothing; then that there is none.
    Silent,
    /// It counts up and never says that there is none: the connection was lost inside a transaction.
    InTransaction,
}

#[derive(Debug)]
pub(super) struct Replication {
    pub source: Key,
    pub lag: Duration,
    /// How long writes are on the way before the replica has received them: no lag that it tells knows of it.
    pub link: Duration,
    /// What its lag says once the connection is lost.
    pub lost: LostLink,
    /// A person stopped it (`mysql.rds_stop_replication`).
    pub is_stopped: bool,
    /// Up to when the replica knows what the source committed: PostgreSQL's lag is the age of it.
    replayed_until: Option<Timestamp>,
    /// When the connection was lost.
    lost_at: Option<Timestamp>,
    /// Since when it has been connected to its source without a break.
    connected_since: Option<Timestamp>,
    applied: usize,
}

impl Replication {
    pub fn of(source: Key) -> Self {
        Self {
            source,
            lag: Duration::from_secs(1),
            link: Duration::ZERO,
            lost: LostLink::default(),
            is_stopped: false,
            replayed_until: None,
            lost_at: None,
            connected_since: None,
            applied: 0,
        }
    }

    /// `extract(epoch from now() - pg_last_xact_replay_timestamp())` (RDS user guide, monitoring of PostgreSQL replicas): it
    /// grows while nothing comes, be it that the source is idle or gone.
    pub fn age(&self, now: Timestamp) -> Option<Duration> {
        self.replayed_until.map(|until| Duration::try_from(now.duration_since(until)).unwrap_or_default())
    }

    /// What a MySQL replica tells of its lag while it is not connected; `None` for NULL.
    pub fn said_when_lost(&self, now: Timestamp) -> Option<Duration> {
        let since = now.duration_since(self.lost_at?);
        match self.lost {
            LostLink::InTransaction => Some(self.lag + Duration::try_from(since).unwrap_or_default()),
            // A link that is known to be slow falls silent too.
            LostLink::AtOnce if self.link.is_zero() => None,
            LostLink::AtOnce | LostLink::Silent => (since < NET_TIMEOUT).then_some(Duration::ZERO),
        }
    }

    /// What of the missing writes the replica has received, and not applied.
    pub fn has_received(&self, missing: &[Write], now: Timestamp) -> bool {
        missing.iter().any(|write| write.at + self.link <= now)
    }

    pub fn connected(&self) -> bool {
        self.connected_since.is_some()
    }

    /// How many of the source's writes have been taken over.
    pub fn applied(&self) -> usize {
        self.applied
    }
}

impl Database {
    pub fn replica_of(source: Key) -> Self {
        Self { replication: Some(Replication::of(source)), ..Self::default() }
    }

    /// A copy of what a source has, which follows it from there on.
    pub fn copy_of(writes: Vec<Write>, replication: Replication) -> Self {
        let replication = Replication { applied: writes.len(), ..replication };
        Self { writes, replication: Some(replication), ..Self::default() }
    }

    pub fn writes(&self) -> &[Write] {
        &self.writes
    }

    pub fn write(&mut self, id: &str, at: Timestamp) {
        self.writes.push(Write { id: id.to_owned(), at });
    }

    /// Takes over what has arrived by `now` of `missing`, the source's writes beyond those applied; the connection was as
    /// it was last seen until now, and is as given from now on.
    pub fn advance(&mut self, missing: &[Write], now: Timestamp, connected: bool) {
        let Some(replication) = &mut self.replication else { return };
        if let Some(since) = replication.connected_since {
            let delay = replication.link + replication.lag;
            let arrivals = missing.iter().map(|write| (write, (write.at + delay).max(since)));
            let arrived: Vec<Write> = arrivals
                .take_while(|(_, at)| *at <= now)
                .map(|(write, at)| Write { id: write.id.clone(), at })
                .collect();
            replication.applied += arrived.len();
            let (had, rest) = missing.split_at(arrived.len());
            let seen = now - delay;
            let beat = Timestamp::from_second(seen.as_second() - seen.as_second().rem_euclid(IDLE_BEAT_SECONDS)).ok();
            let beat = beat.filter(|beat| rest.first().is_none_or(|write| write.at > *beat));
            let newest = had.last().map(|write| write.at);
            replication.replayed_until = replication.replayed_until.max(newest).max(beat);
            self.writes.extend(arrived);
        }
        let connected = connected && !replication.is_stopped;
        if replication.connected_since.is_some() && !connected {
            replication.lost_at = Some(now);
        }
        replication.connected_since = match (connected, replication.connected_since) {
            (true, since) => since.or(Some(now)),
            (false, _) => None,
        };
    }

    /// Ends replication for good: what has been applied is what there is.
    pub fn cut(&mut self) {
        self.replication = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::SignedDuration;

    fn at(seconds: i64) -> Timestamp {
        "2026-01-01T12:00:00Z".parse::<Timestamp>().unwrap() + SignedDuration::from_secs(seconds)
    }

    /// A source with a write every second from 1 to 10, and its replica with a lag of 3 seconds, connected at 0.
    fn pair() -> (Database, Database) {
        let mut source = Database::default();
        (1..=10).for_each(|second| source.write(&second.to_string(), at(second)));
        let mut replica = Database::replica_of(("p".to_owned(), "db".to_owned()));
        replica.replication.as_mut().unwrap().lag = Duration::from_secs(3);
        replica.advance(&[], at(0), true);
        (source, replica)
    }

    fn advance(source: &Database, replica: &mut Database, seconds: i64, connected: bool) -> Vec<String> {
        let applied = replica.replication.as_ref().map_or(0, Replication::applied);
        replica.advance(&source.writes()[applied..], at(seconds), connected);
        replica.writes().iter().map(|write| write.id.clone()).collect()
    }

    #[test]
    fn a_replica_has_what_its_source_had_one_lag_ago() {
        let (source, mut replica) = pair();
        assert!(advance(&source, &mut replica, 3, true).is_empty());
        assert_eq!(advance(&source, &mut replica, 6, true), ["1", "2", "3"]);
        assert_eq!(advance(&source, &mut replica, 60, true).len(), 10);
        assert_eq!(replica.writes()[9].at, at(13));
    }

    #[test]
    fn nothing_arrives_while_disconnected_and_everything_once_connected_again() {
        let (source, mut replica) = pair();
        assert_eq!(advance(&source, &mut replica, 5, false), ["1", "2"], "what arrived before the cut is there");
        assert_eq!(advance(&source, &mut replica, 30, false), ["1", "2"]);
        assert_eq!(advance(&source, &mut replica, 40, true), ["1", "2"]);
        assert_eq!(advance(&source, &mut replica, 41, true).len(), 10);
        assert_eq!(replica.writes()[2].at, at(40), "it arrived when the connection was back");
    }

    #[test]
    fn after_a_cut_what_was_applied_is_what_there_is() {
        let (source, mut replica) = pair();
        advance(&source, &mut replica, 6, true);
        replica.cut();
        assert_eq!(advance(&source, &mut replica, 60, true), ["1", "2", "3"]);
    }
}
