//! The database in the primary region that takes over, and how far it has come.

use jiff::Timestamp;

use crate::plan::ReplicaId;
use crate::position::{OldOnly, Proof};
use crate::promotion::{
    Allows, Database, IDLE_SECONDS, LagSample, ReplicaState, Source, grows_in_silence, is_postgres,
};
use crate::rule::Rule;

/// A sample of 0 is no proof: behind a slow link it says 0 while hundreds of rows are still on their way. Several in a row
/// only keep out flicker, so [`Rule::F10`] asks a person for the positions.
const SAMPLES_OF_ZERO_MIN: usize = 3;

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
    /// What it and DR's database say of whether it has everything.
    pub proof: Proof,
    /// What the old primary, in whose place it comes, and DR's database say of what only that one has.
    pub old_only: OldOnly,
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
        if self.is_in_global() {
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
            if self.is_in_global() {
                return self.in_global(database) >= Readiness::CaughtUp;
            }
            let is_level = |sample: &LagSample| {
                sample.seconds <= IDLE_SECONDS.unsigned_abs() && says_level(&database.engine, sample)
            };
            let was_level = match &self.proof {
                Proof::Everything { .. } => true,
                Proof::Behind { .. } => false,
                Proof::NotAsked | Proof::Later | Proof::NotKnown { .. } => {
                    self.lags.windows(SAMPLES_OF_ZERO_MIN).any(|samples| samples.iter().all(is_level))
                }
            };
            database.is_available_writer() || database.is_available_replica() && was_level
        })
    }

    pub(super) fn is_in_global(&self) -> bool {
        matches!(self.of, ReplicaId::GlobalMember { .. })
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

    /// By position, where that is known: no lag says more. What was proved is all that DR had when it was asked.
    fn has_everything(&self, writes_stopped: Option<Timestamp>) -> bool {
        match &self.proof {
            Proof::Everything { .. } => true,
            Proof::Behind { .. } => false,
            Proof::NotAsked | Proof::Later | Proof::NotKnown { .. } => {
                self.zeros(writes_stopped) >= SAMPLES_OF_ZERO_MIN
            }
        }
    }

    /// How many samples in a row, up to the newest, say 0. One from before the last write says nothing of that write.
    fn zeros(&self, writes_stopped: Option<Timestamp>) -> usize {
        let engine = self.state.database().map(|database| database.engine.as_str()).unwrap_or_default();
        let says_so =
            |lag: &&LagSample| says_level(engine, lag) && writes_stopped.is_none_or(|stopped| stopped <= lag.at);
        self.lags.iter().rev().take_while(says_so).count()
    }
}

impl Successor {
    /// Why users cannot go to it yet, by rule.
    pub(super) fn not_ready(&self, pinned_at: Timestamp, writes_stopped: Option<Timestamp>) -> Option<(Rule, String)> {
        let Self { of, named, state, created, .. } = self;
        let name = named.as_deref().unwrap_or("a database nobody has named");
        match self.readiness(pinned_at, writes_stopped) {
            Readiness::NotRebuilt => {
                let because = match (named, state, created) {
                    (None, ..) => format!(
                        "nobody has named the database that takes over from {of}, nor its region, which is the primary's: say --successor \
                         {}=REGION/ID",
                        of.name()
                    ),
                    (_, ReplicaState::Missing, _) => format!("{name}, to take over from {of}, does not exist"),
                    (_, ReplicaState::Unanswered(why), _) => format!("RDS did not answer about {name}: {why}"),
                    (.., Some(created)) if *created <= pinned_at && !self.is_in_global() => {
                        format!(
                            "{name} was created {created}, before the failover: it lacks what was written in DR since"
                        )
                    }
                    _ if self.is_in_global() => {
                        let source = state.database().map(|database| database.source.to_string());
                        format!("{name} is {}", source.unwrap_or_default())
                    }
                    _ => format!("{name} is no replica of {of}"),
                };
                // Of what RDS does not tell nobody knows that there is anything to rebuild.
                let is_told = !matches!(state, ReplicaState::Unanswered(_));
                Some((if is_told { Rule::F06 } else { Rule::F07 }, because))
            }
            Readiness::CatchingUp => {
                let because = match (state, self.lag()) {
                    (ReplicaState::Present(it), _) if it.allows() != Allows::Promotion => {
                        format!("{name} is {}", it.status)
                    }
                    (ReplicaState::Present(it), _) if it.operation().is_some() => format!("{name} is {}", it.source),
                    (ReplicaState::Present(it), _) if !it.is_available_replica() && !it.is_available_writer() => {
                        format!("{name} has no instance available")
                    }
                    _ if matches!(self.proof, Proof::Behind { .. }) => self.lacking(name),
                    (_, Some(lag)) if lag.seconds == 0 && self.zeros(writes_stopped) > 0 => {
                        let zeros = self.zeros(writes_stopped);
                        format!(
                            "{name} was not behind at {}: {zeros} of {SAMPLES_OF_ZERO_MIN} samples in a row say so",
                            lag.at
                        )
                    }
                    (_, Some(lag)) if lag.seconds == 0 => {
                        format!("{name} was not behind at {}, but {of} may have been written to since", lag.at)
                    }
                    (_, Some(lag)) => format!("{name} is {} s behind {of} as of {}", lag.seconds, lag.at),
                    (_, None) => format!("nobody knows how far {name} is behind {of}"),
                };
                Some((Rule::F07, because))
            }
            Readiness::CaughtUp | Readiness::Writer => None,
        }
    }

    /// Why a person must vouch for its position; `None` if nobody need.
    pub(super) fn unproved(&self, pinned_at: Timestamp, writes_stopped: Option<Timestamp>) -> Option<String> {
        let name = self.named.as_deref().unwrap_or("a database nobody has named");
        match (&self.proof, self.readiness(pinned_at, writes_stopped)) {
            (Proof::Everything { .. }, _) => None,
            // Whatever stands there under that name, another rule says so.
            (Proof::NotKnown { .. } | Proof::Behind { .. }, Readiness::NotRebuilt) => None,
            (Proof::NotAsked, _) | (Proof::Later, Readiness::CaughtUp | Readiness::Writer) => {
                let lag = "a lag of 0 is not everything: behind a slow link a replica says 0 while writes are still on their way";
                Some(lag.to_owned())
            }
            (Proof::NotKnown { why }, _) => Some(format!("whether {name} has everything is not known: {why}")),
            // An interrupted run promoted it, and DR went on; or somebody restored it.
            (Proof::Behind { .. }, Readiness::Writer) => {
                Some(format!("{}; and it takes writes already", self.lacking(name)))
            }
            // Another rule has it wait.
            (Proof::Later | Proof::Behind { .. }, _) => None,
        }
    }

    fn lacking(&self, name: &str) -> String {
        let Proof::Behind { at, missing } = &self.proof else { return String::new() };
        let missing = missing.map_or("transactions".to_owned(), |missing| format!("{missing} transactions"));
        format!("{name} lacks {missing} that {} has: it has not come to {at}", self.of)
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
