//! The promotion rules, R01–R08: whether the databases in DR may be promoted, and which.
//!
//! `R01` and `R02` decide for the workload as a whole, since promotion is irreversible and must not begin while any client
//! may still reach the primary; `R03`–`R08` then decide about each replica by itself.

use jiff::{SignedDuration, Timestamp};

use crate::incident::{Approval, Incident};
use crate::observation::{Attention, ChangeStatus, Changes, Fact, NameView};
use crate::plan::{Plan, ReplicaId};
use crate::record::Target;
use crate::register::{Register, Spread};
use crate::rule::Rule;

/// RDS statuses that pass by themselves (Aurora user guide, "Viewing DB cluster status"; RDS user guide, "DB instance status").
const PASSING: &[&str] = &[
    "backing-up",
    "configuring-enhanced-monitoring",
    "configuring-iam-database-auth",
    "configuring-log-exports",
    "creating",
    "failing-over",
    "maintenance",
    "modifying",
    "promoting",
    "rebooting",
    "renaming",
    "resetting-master-credentials",
    "starting",
    "storage-optimization",
    "upgrading",
];

/// How many of the names that hold promotion up are told by name.
const UNPINNED_NAMED_MAX: usize = 10;

/// A replica as RDS and CloudWatch describe it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ReplicaView {
    /// Which.
    pub id: ReplicaId,
    /// What RDS says.
    pub state: ReplicaState,
    /// The newest lag sample that is not −1.
    pub lag: Option<LagSample>,
}

/// What RDS says of a replica.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ReplicaState {
    /// There is no such cluster or instance.
    Missing,
    /// RDS did not answer; why, in words.
    Unanswered(String),
    /// It is there.
    Present {
        /// RDS's word for its status.
        status: String,
        /// What it replicates from; `None` once promoted.
        source: Option<String>,
        /// True if an instance of it is available to write.
        writer_available: bool,
    },
}

/// A replica lag sample; −1, "not replicating or unknown", is never one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LagSample {
    /// Lag in whole seconds, rounded up.
    pub seconds: u64,
    /// When.
    pub at: Timestamp,
}

/// What to do about the workload as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Gate {
    /// Nothing is to be promoted.
    Closed,
    /// Not yet.
    Wait,
    /// Put on record that the pin is in sync.
    RecordInSync,
    /// Each replica is decided by itself.
    Open,
}

/// What to do about one replica.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Verdict {
    /// It is an available writer.
    Done,
    /// It is on its way.
    Wait,
    /// Something is wrong; wait and say so.
    Trouble,
    /// A person must decide.
    Ask,
    /// Promote it.
    Promote,
}

/// A row of a table over facts `F` that decides `V`.
#[derive(Debug)]
pub struct Row<F: 'static, V: 'static> {
    /// The rule's id.
    pub rule: Rule,
    /// When it decides, in words.
    pub condition: &'static str,
    holds: fn(&F) -> bool,
    /// What it decides.
    pub verdict: V,
    /// How loudly.
    pub attention: Attention,
    /// What happens next, in words.
    pub next: &'static str,
}

const fn row<F, V>(
    rule: Rule,
    condition: &'static str,
    holds: fn(&F) -> bool,
    verdict: V,
    attention: Attention,
    next: &'static str,
) -> Row<F, V> {
    Row { rule, condition, holds, verdict, attention, next }
}

use Attention::{None as Quiet, Page};

/// A row about the workload.
pub type GateRow = Row<GateFacts, Gate>;
/// A row about a replica.
pub type ReplicaRow = Row<ReplicaFacts, Verdict>;

/// The rules about the workload. The last row always holds; it opens the gate to [`REPLICA_TABLE`].
#[rustfmt::skip]
pub const GATE_TABLE: &[GateRow] = &[
    row(Rule::R01, "no name is pinned", |f| f.pinned == 0 && f.failed_over == 0,
        Gate::Closed, Quiet, "nothing; replicas stay replicas"),
    row(Rule::R01, "the workload has failed over already", |f| f.pinned == 0,
        Gate::Closed, Quiet, "nothing; the incident is closed"),
    row(Rule::R01, "not every name is pinned", |f| !f.unpinned.is_empty(),
        Gate::Wait, Page, "no database is promoted while clients of those names may still write to the primary: pin them (arm them, or see why alarm-handler does not), or take them out of the plan"),
    row(Rule::R01, "somebody changed the pinned records", |f| !f.agree,
        Gate::Wait, Quiet, "clients may be back on the primary; alarm-handler pins again or says why not"),
    row(Rule::R02, "the pin is not known to be at every name server", |f| !f.arrived,
        Gate::Wait, Quiet, "Holdfast asks Route 53 again within a minute"),
    row(Rule::R02, "the pin has arrived at every name server", |f| f.spreading,
        Gate::RecordInSync, Quiet, "clients of the primary drain now, for the records' TTL and the plan's drain time"),
    row(Rule::R02, "clients may still hold the primary's address", |f| f.drained_at.is_some_and(|at| f.now < at),
        Gate::Wait, Quiet, "the databases are promoted when the clients have drained"),
    row(Rule::R08, "the pin is in sync and clients have drained", |_| true,
        Gate::Open, Quiet, "each replica is promoted by its own state"),
];

/// The rules about one replica. The last row always holds.
#[rustfmt::skip]
pub const REPLICA_TABLE: &[ReplicaRow] = &[
    row(Rule::R03, "RDS knows no such database", |f| f.replica.state == ReplicaState::Missing,
        Verdict::Trouble, Page, "correct the plan's database name, or promote by hand what takes its place"),
    row(Rule::R06, "RDS did not answer", |f| matches!(f.replica.state, ReplicaState::Unanswered(_)),
        Verdict::Trouble, Page, "Holdfast asks again within a minute"),
    row(Rule::R04, "a writer already, and available", ReplicaFacts::is_available_writer,
        Verdict::Done, Quiet, "it takes writes"),
    row(Rule::R05, "promoting, rebooting or otherwise on its way", |f| f.is_passing() || f.awaits_writer(),
        Verdict::Wait, Quiet, "Holdfast looks again within a minute"),
    row(Rule::R06, "not in a state that RDS promotes", |f| !f.is_available_replica(),
        Verdict::Trouble, Page, "bring the database to the status available, with an instance; Holdfast then promotes it"),
    row(Rule::R07, "promotion may lose more than the plan allows, or nobody knows how much", |f| f.loss_is_too_great() && !f.lifted(Rule::R07),
        Verdict::Ask, Page, "approve the loss, or promote nothing and bring the primary back"),
    row(Rule::R08, "the replica is ready", |_| true,
        Verdict::Promote, Page, "RDS reboots it as a writer, which takes minutes"),
];

/// What the conditions about the workload are written in.
#[derive(Debug)]
pub struct GateFacts {
    now: Timestamp,
    /// Names neither pinned nor failed over.
    unpinned: Vec<String>,
    pinned: usize,
    failed_over: usize,
    agree: bool,
    /// Some pin is not on record as in sync.
    spreading: bool,
    /// Route 53 says that all of those are.
    arrived: bool,
    drained_at: Option<Timestamp>,
}

/// What the conditions about a replica are written in.
#[derive(Debug)]
pub struct ReplicaFacts {
    replica: ReplicaView,
    incident: Incident,
    lag_seconds_max: u32,
    outage_began_at_earliest: Timestamp,
    approval: Option<Approval>,
}

/// What the rules decided about the workload.
#[derive(Debug)]
pub struct GateDecision {
    /// Which row decided.
    pub row: &'static GateRow,
    /// The incident that the names are pinned for.
    pub incident: Option<Incident>,
    /// Since when clients of the primary have been gone, or will be; until that is known, since when the names are pinned.
    pub since: Option<Timestamp>,
    /// What was seen.
    pub facts: Vec<Fact>,
}

/// What the rules decided about one replica.
#[derive(Debug)]
pub struct ReplicaDecision {
    /// Which replica.
    pub id: ReplicaId,
    /// Which row decided.
    pub row: &'static ReplicaRow,
    /// The incident in which it is to be promoted.
    pub incident: Option<Incident>,
    /// Since when it might have been promoted.
    pub since: Option<Timestamp>,
    /// What was seen.
    pub facts: Vec<Fact>,
}

/// Decides about the workload.
#[must_use]
pub fn decide_gate(plan: &Plan, now: Timestamp, names: &[NameView], changes: &Changes) -> GateDecision {
    let registers = || names.iter().filter_map(NameView::register);
    let spreads = || {
        registers().filter_map(|register| match register {
            Register::Pinned { pin, spread } => Some((pin, spread)),
            _ => None,
        })
    };
    let arrived = |spread: &Spread| match spread {
        Spread::InSync { .. } => true,
        Spread::Change { id } => changes.get(id) == Some(&ChangeStatus::InSync),
        Spread::Unrecorded { .. } => false,
    };
    let drained_at = spreads()
        .filter_map(|(pin, spread)| match spread {
            Spread::InSync { at } => {
                let ttl = pin.original.values().map(Target::ttl_seconds).max().unwrap_or_default();
                let drain = i64::from(ttl) + i64::from(plan.limits.drain_seconds);
                Some(at.checked_add(SignedDuration::from_secs(drain)).unwrap_or(Timestamp::MAX))
            }
            _ => None,
        })
        .max();
    let facts = GateFacts {
        now,
        unpinned: names.iter().filter(|view| !is_pinned(view)).map(|view| view.name.to_string()).collect(),
        pinned: spreads().count(),
        failed_over: registers().filter(|register| matches!(register, Register::FailedOver { .. })).count(),
        agree: names.iter().all(NameView::agrees),
        spreading: spreads().any(|(_, spread)| !matches!(spread, Spread::InSync { .. })),
        arrived: spreads().all(|(_, spread)| arrived(spread)),
        drained_at,
    };
    let pins = || registers().filter_map(Register::pin);
    let incident = pins().map(|pin| pin.incident.clone()).max();
    let since = drained_at.or_else(|| pins().map(|pin| pin.at).max());
    GateDecision { row: first(GATE_TABLE, &facts), incident, since, facts: facts.in_words() }
}

/// Decides about one replica once the gate is open; `since` is when it opened.
#[must_use]
pub fn decide_replica(
    plan: &Plan,
    incident: &Incident,
    since: Option<Timestamp>,
    replica: &ReplicaView,
    approval: Option<&Approval>,
) -> ReplicaDecision {
    let detection = SignedDuration::from_secs(i64::from(plan.limits.detection_seconds_max));
    let facts = ReplicaFacts {
        replica: replica.clone(),
        incident: incident.clone(),
        lag_seconds_max: plan.limits.lag_seconds_max,
        outage_began_at_earliest: incident.began.checked_sub(detection).unwrap_or(incident.began),
        approval: approval.cloned(),
    };
    let row = first(REPLICA_TABLE, &facts);
    ReplicaDecision { id: replica.id.clone(), row, incident: Some(incident.clone()), since, facts: facts.in_words() }
}

fn is_pinned(view: &NameView) -> bool {
    view.register().and_then(Register::pin).is_some()
}

fn first<F, V>(table: &'static [Row<F, V>], facts: &F) -> &'static Row<F, V> {
    let last = table.len() - 1;
    table[..last].iter().find(|row| (row.holds)(facts)).unwrap_or(&table[last])
}

impl GateFacts {
    fn in_words(&self) -> Vec<Fact> {
        let (pinned, failed_over, unpinned) = (self.pinned, self.failed_over, self.unpinned.len());
        let count = format!("{pinned} pinned, {failed_over} failed over, {unpinned} neither");
        let mut facts = vec![Fact::new("time", self.now), Fact::new("names", count)];
        facts.extend(self.unpinned.iter().take(UNPINNED_NAMED_MAX).map(|name| Fact::new("not pinned", name)));
        facts.extend(self.drained_at.map(|at| Fact::new("clients drained", at)));
        facts
    }
}

impl ReplicaFacts {
    fn source(&self) -> Option<&String> {
        match &self.replica.state {
            ReplicaState::Present { source, .. } => source.as_ref(),
            ReplicaState::Missing | ReplicaState::Unanswered(_) => None,
        }
    }

    /// Available, with or without an instance to write to as wanted.
    fn is_available(&self, with_writer: bool) -> bool {
        matches!(&self.replica.state,
            ReplicaState::Present { status, writer_available, .. } if status == "available" && *writer_available == with_writer)
    }

    fn is_available_writer(&self) -> bool {
        self.is_available(true) && self.source().is_none()
    }

    fn is_available_replica(&self) -> bool {
        self.is_available(true) && self.source().is_some()
    }

    /// Promoted, and its instances still reboot. In any other status a promoted database needs a person.
    fn awaits_writer(&self) -> bool {
        self.is_available(false) && self.source().is_none()
    }

    fn is_passing(&self) -> bool {
        matches!(&self.replica.state,
            ReplicaState::Present { status, .. } if PASSING.contains(&status.as_str()))
    }

    /// What may be lost, in seconds of writes: the lag of the last good sample, and what the sample's age at the outage's
    /// start adds, since a replica that had stopped replicating before has no good samples after that. Counted from the
    /// earliest start of the outage: from a later one, the outage itself would look like replication that had stopped.
    fn loss_seconds(&self) -> Option<u64> {
        let sample = self.replica.lag?;
        let blind = self.outage_began_at_earliest.duration_since(sample.at).as_secs();
        Some(sample.seconds.saturating_add(u64::try_from(blind).unwrap_or_default()))
    }

    fn loss_is_too_great(&self) -> bool {
        self.loss_seconds().is_none_or(|seconds| seconds > u64::from(self.lag_seconds_max))
    }

    fn lifted(&self, rule: Rule) -> bool {
        self.approval.as_ref().is_some_and(|approval| approval.lifts(rule, &self.incident))
    }

    fn in_words(&self) -> Vec<Fact> {
        let about = self.replica.id.to_string();
        let state = match &self.replica.state {
            ReplicaState::Missing => "not found".to_owned(),
            ReplicaState::Unanswered(why) => format!("RDS did not answer: {why}"),
            ReplicaState::Present { status, source: Some(source), .. } => format!("{status}, replica of {source}"),
            ReplicaState::Present { status, source: None, .. } => format!("{status}, no replica"),
        };
        let lag = match (self.replica.lag, self.loss_seconds()) {
            (Some(sample), Some(loss)) => {
                let most = self.lag_seconds_max;
                format!(
                    "{} s at {}; at most {loss} s of writes may be lost, {most} s are allowed",
                    sample.seconds, sample.at
                )
            }
            _ => "no good sample: nobody knows how much would be lost".to_owned(),
        };
        vec![Fact::new(about.clone(), state), Fact::new(format!("lag of {about}"), lag)]
    }
}
