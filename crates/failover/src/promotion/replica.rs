//! `R03`–`R08`: each replica by itself.

use jiff::{SignedDuration, Timestamp};

use super::{Page, Quiet, Row, after, first, row};
use crate::incident::{Approval, Incident};
use crate::observation::Fact;
use crate::plan::{Plan, ReplicaId};
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

/// How long a database may be on its way, in seconds. Promotion takes "several minutes or longer" (Aurora user guide,
/// cross-Region replication); after half an hour without writes people must look.
pub const PROMOTION_SECONDS_MAX: u32 = 1_800;

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

/// A row about a replica.
pub type ReplicaRow = Row<ReplicaFacts, Verdict>;

/// The rules about one replica. The last row always holds.
#[rustfmt::skip]
pub const REPLICA_TABLE: &[ReplicaRow] = &[
    row(Rule::R03, "RDS knows no such database", |f| f.replica.state == ReplicaState::Missing,
        Verdict::Trouble, Page, "correct the plan's database name, or promote by hand what takes its place"),
    row(Rule::R06, "RDS did not answer", |f| matches!(f.replica.state, ReplicaState::Unanswered(_)),
        Verdict::Trouble, Page, "Holdfast asks again within a minute"),
    row(Rule::R04, "a writer already, and available", ReplicaFacts::is_available_writer,
        Verdict::Done, Quiet, "it takes writes"),
    row(Rule::R05, "still on its way, more than 30 minutes after it might have been promoted", |f| f.is_on_its_way() && f.overdue_at.is_some_and(|at| at <= f.now),
        Verdict::Wait, Page, "Holdfast goes on looking every minute; see what RDS says of the database; if it stays as it is, promote by hand what takes its place"),
    row(Rule::R05, "promoting, rebooting or otherwise on its way", ReplicaFacts::is_on_its_way,
        Verdict::Wait, Quiet, "Holdfast looks again within a minute"),
    row(Rule::R06, "not in a state that RDS promotes", |f| !f.is_available_replica(),
        Verdict::Trouble, Page, "bring the database to the status available, with an instance; Holdfast then promotes it"),
    row(Rule::R07, "promotion may lose more than the plan allows, or nobody knows how much", |f| f.loss_is_too_great() && !f.lifted(Rule::R07),
        Verdict::Ask, Page, "approve the loss, or promote nothing and bring the primary back"),
    row(Rule::R08, "the replica is ready", |_| true,
        Verdict::Promote, Page, "RDS reboots it as a writer, which takes minutes"),
];

/// What the conditions about a replica are written in.
#[derive(Debug)]
pub struct ReplicaFacts {
    now: Timestamp,
    replica: ReplicaView,
    incident: Incident,
    lag_seconds_max: u32,
    outage_began_at_earliest: Timestamp,
    approval: Option<Approval>,
    /// By when it should have been promoted.
    overdue_at: Option<Timestamp>,
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
    /// Since when it might have been promoted; if that takes too long, since when it does.
    pub since: Option<Timestamp>,
    /// What was seen.
    pub facts: Vec<Fact>,
}

/// Decides about one replica once the gate is open; `since` is when it opened.
#[must_use]
pub fn decide_replica(
    plan: &Plan,
    now: Timestamp,
    incident: &Incident,
    since: Option<Timestamp>,
    replica: &ReplicaView,
    approval: Option<&Approval>,
) -> ReplicaDecision {
    let detection = SignedDuration::from_secs(i64::from(plan.limits.detection_seconds_max));
    let facts = ReplicaFacts {
        now,
        replica: replica.clone(),
        incident: incident.clone(),
        lag_seconds_max: plan.limits.lag_seconds_max,
        outage_began_at_earliest: incident.began.checked_sub(detection).unwrap_or(incident.began),
        approval: approval.cloned(),
        overdue_at: since.map(|at| after(at, PROMOTION_SECONDS_MAX.into())),
    };
    let row = first(REPLICA_TABLE, &facts);
    let since = match (row.rule, row.attention) {
        (Rule::R05, Page) => facts.overdue_at,
        _ => since,
    };
    ReplicaDecision { id: replica.id.clone(), row, incident: Some(incident.clone()), since, facts: facts.in_words() }
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

    fn is_on_its_way(&self) -> bool {
        let is_passing = matches!(&self.replica.state,
            ReplicaState::Present { status, .. } if PASSING.contains(&status.as_str()));
        is_passing || self.awaits_writer()
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
        let mut facts = vec![Fact::new(about.clone(), state), Fact::new(format!("lag of {about}"), lag)];
        facts.extend(self.approval.as_ref().map(Approval::as_fact));
        facts
    }
}
