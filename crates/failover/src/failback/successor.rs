//! What takes over from a database in DR when users come home.

use jiff::Timestamp;

use crate::plan::ReplicaId;
use crate::promotion::{Database, IDLE_SECONDS, LagSample, ReplicaState, Source, grows_in_silence, is_postgres};

/// A sample of 0 is no proof: behind a slow link it says 0 while hundreds of rows are still on their way. Several in a row
/// only keep out flicker, so `F10` asks a person for the positions.
pub(super) const SAMPLES_OF_ZERO_MIN: usize = 3;

/// The database in the primary region that takes over from one in DR.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Successor {
    /// The database in DR that users write to now.
    pub of: ReplicaId,
    /// How it is called in its region; nothing if the person has not named one.
    pub named: Option<String>,
    /// What RDS says of it.
    pub state: ReplicaState,
    /// When it was created: what is older than the failover cannot hold what was written since.
    pub created: Option<Timestamp>,
    /// Its good lag samples of late, the oldest first.
    pub lags: Vec<LagSample>,
}

/// How far a successor has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Readiness {
    /// There is none, or it does not follow DR.
    NotRebuilt,
    /// It follows DR, and is behind or not available yet.
    CatchingUp,
    /// It has all that DR has, as far as can be seen.
    CaughtUp,
    /// It takes writes.
    Writer,
}

impl Successor {
    /// How far it has come, for a failover of `pinned_at` after which writes to DR stopped, if they have.
    #[must_use]
    pub fn readiness(&self, pinned_at: Timestamp, writes_stopped: Option<Timestamp>) -> Readiness {
        let ReplicaState::Present(database) = &self.state else {
            return Readiness::NotRebuilt;
        };
        if let ReplicaId::GlobalMember { .. } = self.of {
            return self.in_global(database);
        }
        // The old primary is an available writer too, once its region is back, and lacks all that was written in DR.
        if self.created.is_none_or(|created| created <= pinned_at) {
            return Readiness::NotRebuilt;
        }
        match &database.source {
            Source::ReplicaOf(source) if !follows(source, self.of.name()) => Readiness::NotRebuilt,
            Source::MemberOf(_) | Source::Global(_) | Source::InGlobal(_) | Source::NotInGlobal(_) => {
                Readiness::NotRebuilt
            }
            Source::NoneNamed if database.is_available_writer() => Readiness::Writer,
            Source::ReplicaOf(_) if database.is_available_replica() && self.has_everything(writes_stopped) => {
                Readiness::CaughtUp
            }
            Source::ReplicaOf(_) | Source::NoneNamed => Readiness::CatchingUp,
        }
    }
}

impl Successor {
    /// Its newest good lag sample.
    #[must_use]
    pub fn lag(&self) -> Option<LagSample> {
        self.lags.last().copied()
    }

    /// Whether it has been level with DR: it is a writer, or an available replica of which some samples in a row said so. While users
    /// write, it is behind again and again, and a lag that grows in silence stays short.
    #[must_use]
    pub fn has_caught_up(&self) -> bool {
        self.state.database().is_some_and(|database| {
            if let ReplicaId::GlobalMember { .. } = self.of {
                return self.in_global(database) >= Readiness::CaughtUp;
            }
            let is_level = |sample: &LagSample| {
                sample.seconds <= IDLE_SECONDS.unsigned_abs() && says_level(&database.engine, sample)
            };
            let was_level = self.lags.windows(SAMPLES_OF_ZERO_MIN).any(|samples| samples.iter().all(is_level));
            database.is_available_writer() || database.is_available_replica() && was_level
        })
    }

    /// The old primary of a global database: "as soon as that Region is healthy and available again, Aurora automatically adds it back to
    /// the global cluster as a secondary Region" (Aurora user guide), and a switchover waits until it has everything. That it is a member
    /// and available does not say that it is added back: it was both before. Only a secondary tells a lag.
    fn in_global(&self, database: &Database) -> Readiness {
        let Source::InGlobal(place) = &database.source else { return Readiness::NotRebuilt };
        match (place.operation.is_some(), place.is_writer) {
            (false, true) if database.is_available_writer() => Readiness::Writer,
            (false, false) if database.is_available_replica() && self.lag().is_some() => Readiness::CaughtUp,
            _ => Readiness::CatchingUp,
        }
    }

    fn has_everything(&self, writes_stopped: Option<Timestamp>) -> bool {
        self.zeros(writes_stopped) >= SAMPLES_OF_ZERO_MIN
    }

    /// How many samples in a row, up to the newest, say 0. One from before the last write says nothing of that write.
    pub(super) fn zeros(&self, writes_stopped: Option<Timestamp>) -> usize {
        let engine = self.state.database().map(|database| database.engine.as_str()).unwrap_or_default();
        let says_so =
            |lag: &&LagSample| says_level(engine, lag) && writes_stopped.is_none_or(|stopped| stopped <= lag.at);
        self.lags.iter().rev().take_while(says_so).count()
    }
}

/// True if a sample says that the replica has what its source has, as far as lag can tell. Where lag is the age of the last
/// transaction it grows once writes have stopped: to five minutes on PostgreSQL, without end on Oracle.
fn says_level(engine: &str, sample: &LagSample) -> bool {
    match grows_in_silence(engine) {
        false => sample.seconds == 0,
        true => !is_postgres(engine) || sample.seconds <= IDLE_SECONDS.unsigned_abs(),
    }
}

/// A source is given by its ARN, or by its bare identifier.
fn follows(source: &str, id: &str) -> bool {
    source == id || source.rsplit(':').next() == Some(id)
}
