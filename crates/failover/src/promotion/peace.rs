//! In peace: what would keep a database from being promoted, were it to be promoted now.

use jiff::{SignedDuration, Timestamp};

use super::loss::LagBy;
use super::replica::{GLOBAL, NOT_IN_GLOBAL, WRONG_LIST, state_in_words, what_tells_lag};
use super::status::Allows;
use super::{
    Database, Instances, LagSample, Page, Quiet, ReplicaState, ReplicaView, Row, Source, Verdict, decide, row,
};
use crate::finding::{Finding, Kind};
use crate::observation::{Fact, NameView};
use crate::plan::{Plan, ReplicaId};
use crate::register::Register;
use crate::rule::Rule;

/// How long replication may be late or silent before people are told: a batch of the night, a reboot, a missing sample.
const TOLERATED: SignedDuration = SignedDuration::from_mins(15);

/// Samples come once a minute, some minutes late; after this long without one none is to be expected.
const ENDED: SignedDuration = SignedDuration::from_mins(4);

/// A row about a database in peace.
pub type PeaceRow = Row<PeaceFacts, Verdict>;

/// The rules about one database in peace, by the ids of those that would hold it up. The last row always holds.
#[rustfmt::skip]
pub const PEACE_TABLE: &[PeaceRow] = &[
    row(Rule::R03.row('a'), "RDS knows no such database", |f| f.replica.state == ReplicaState::Missing,
        Verdict::Trouble, Page, "correct its name in AuroraClusters or RdsInstances, or make the replica; until then a failover would stop at it"),
    row(Rule::R03.row('b'), WRONG_LIST, |f| matches!(f.source(), Some(Source::MemberOf(_))),
        Verdict::Trouble, Page, "name the cluster under AuroraClusters instead; until then a failover would stop at it"),
    row(Rule::R03.row('c'), GLOBAL, |f| matches!(f.source(), Some(Source::Global(_))),
        Verdict::Trouble, Page, "name it in AuroraGlobalClusters, as GLOBAL/CLUSTER, and not in AuroraClusters; until then a failover would stop at it"),
    row(Rule::R03.row('d'), NOT_IN_GLOBAL, |f| matches!(f.source(), Some(Source::NotInGlobal(_))),
        Verdict::Trouble, Page, "correct AuroraGlobalClusters, or add the cluster to its global database again; until then a failover would stop at it"),
    row(Rule::R06.row('a'), "RDS did not answer", |f| matches!(f.replica.state, ReplicaState::Unanswered(_)),
        Verdict::Trouble, Page, "Holdfast asks again within a minute; if this stays, see whether its role may describe the database"),
    row(Rule::R05.row('c'), "on its way to a status that RDS promotes", |f| f.allows() == Some(Allows::Waiting) || f.is_operated_on(),
        Verdict::Wait, Quiet, "Holdfast looks again within a minute"),
    row(Rule::R09.row('e'), "it is the primary of its global database already", |f| f.is_no_replica() && f.source() != Some(&Source::NoneNamed),
        Verdict::Trouble, Page, "switch the global database over to the primary's region (aws rds switchover-global-cluster); until then a failover would ask you about it"),
    row(Rule::R09.row('c'), "it is no replica", PeaceFacts::is_no_replica,
        Verdict::Trouble, Page, "make it a replica of the primary's database again, or name the one that is; until then a failover would ask you whether to go on without the primary's data"),
    row(Rule::R06.row('e'), "not in a state that RDS promotes", |f| !f.is_promotable(),
        Verdict::Trouble, Page, "bring it to the status available, with an instance; until then a failover would stop at it"),
    row(Rule::R07.row('b'), "no lag is known for 15 minutes: it has stopped replicating, or the primary is down", |f| f.is_late(f.newest),
        Verdict::Trouble, Page, "if the primary is down, a failover goes by the last sample from before; if not, see whether the database replicates, for a failover would ask you whether its loss may be"),
    row(Rule::R07.row('c'), "further behind than the plan allows for 15 minutes", |f| f.is_late(f.good),
        Verdict::Trouble, Page, "see what holds it up, or allow more (LagSecondsMax); until then a failover would ask you whether its loss may be"),
    row(Rule::R08.row('c'), "it could be promoted", |_| true,
        Verdict::Done, Quiet, "it replicates"),
];

/// What the conditions about a database in peace are written in.
#[derive(Debug)]
pub struct PeaceFacts {
    now: Timestamp,
    replica: ReplicaView,
    newest: Option<LagSample>,
    /// The newest sample within the limit.
    good: Option<LagSample>,
    limit: u64,
    has_heartbeat: bool,
}

/// What would keep a database from being promoted.
#[derive(Clone, Debug)]
pub struct Shortcoming {
    /// Which database.
    pub id: ReplicaId,
    /// Which row decided.
    pub row: &'static PeaceRow,
    /// Since when, where samples tell.
    pub since: Option<Timestamp>,
    /// What was seen.
    pub facts: Vec<Fact>,
}

/// True if Holdfast would act in an outage, and does not already: then what would hold it up is worth a look.
#[must_use]
pub fn is_guarded(names: &[NameView]) -> bool {
    let registers = || names.iter().filter_map(NameView::register);
    let is_armed = |register: &Register| matches!(register, Register::Armed { .. });
    registers().any(is_armed) && registers().all(|register| register.pin().is_none())
}

/// What would keep these databases from being promoted now. `lags` are to reach back for an hour or more.
#[must_use]
pub fn shortcomings(plan: &Plan, now: Timestamp, replicas: &[ReplicaView]) -> Vec<Shortcoming> {
    let of_one = |replica: &ReplicaView| {
        let facts = PeaceFacts::of(plan, now, replica);
        let row = decide(PEACE_TABLE, &facts);
        (row.verdict == Verdict::Trouble).then(|| Shortcoming {
            id: replica.id.clone(),
            row,
            since: facts.since(row),
            facts: facts.in_words(),
        })
    };
    replicas.iter().filter_map(of_one).collect()
}

impl PeaceFacts {
    fn of(plan: &Plan, now: Timestamp, replica: &ReplicaView) -> Self {
        let most = u64::from(plan.limits.lag_seconds_max);
        let engine = replica.state.database().map_or("", |database| &database.engine);
        let limit = match LagBy::of(plan, &replica.id, engine) {
            LagBy::Position { idle_seconds_max } => most.max(idle_seconds_max.unsigned_abs()),
            LagBy::Received => most,
        };
        let newest = |good: &dyn Fn(&LagSample) -> bool| {
            replica.lags.iter().filter(|sample| good(sample)).max_by_key(|sample| sample.at).copied()
        };
        let (newest, good) = (newest(&|_| true), newest(&|sample| sample.seconds <= limit));
        let has_heartbeat = plan.heartbeats.contains_key(&replica.id);
        Self { now, replica: replica.clone(), newest, good, limit, has_heartbeat }
    }

    fn source(&self) -> Option<&Source> {
        self.replica.state.database().map(|database| &database.source)
    }

    fn allows(&self) -> Option<Allows> {
        self.replica.state.database().map(Database::allows)
    }

    fn is_no_replica(&self) -> bool {
        self.replica.state.database().is_some_and(Database::is_no_replica)
    }

    /// A switchover or failover of its global database is under way.
    fn is_operated_on(&self) -> bool {
        self.replica.state.database().is_some_and(|database| database.operation().is_some())
    }

    /// A backup passes.
    fn is_promotable(&self) -> bool {
        self.replica.state.database().is_some_and(|database| {
            database.is_replica() && database.allows().takes_writes() && database.instances >= Instances::Reader
        })
    }

    fn is_late(&self, sample: Option<LagSample>) -> bool {
        sample.is_none_or(|sample| self.now.duration_since(sample.at) > TOLERATED)
    }

    /// What is no replica, or not there, was a replica when its last sample was taken, if samples have ended.
    fn since(&self, row: &PeaceRow) -> Option<Timestamp> {
        let ended = |sample: &LagSample| self.now.duration_since(sample.at) >= ENDED;
        let last = match row.id.rule {
            Rule::R07 if self.is_late(self.newest) => self.newest,
            Rule::R07 => self.good,
            Rule::R03 | Rule::R09 => self.newest.filter(ended),
            _ => None,
        };
        last.map(|sample| sample.at)
    }

    fn in_words(&self) -> Vec<Fact> {
        let about = self.replica.id.to_string();
        let mut facts = vec![Fact::new(about.clone(), state_in_words(&self.replica.state))];
        if self.replica.state.database().is_some_and(Database::is_replica) {
            let limit = self.limit;
            let lag = match self.newest {
                None if self.has_heartbeat => "no sample; see that its job still publishes it".to_owned(),
                None => "no sample".to_owned(),
                Some(LagSample { seconds, at }) => format!("{seconds} s at {at}, {limit} s are allowed"),
            };
            facts.push(Fact::new(format!("{} of {about}", what_tells_lag(self.has_heartbeat)), lag));
        }
        facts
    }
}

/// A page, as long as it lasts; no incident.
impl From<Shortcoming> for Finding {
    fn from(shortcoming: Shortcoming) -> Self {
        Self {
            subject: shortcoming.id.to_string(),
            kind: Kind::DatabaseTrouble,
            id: Some(shortcoming.row.id),
            because: shortcoming.row.condition.to_owned(),
            attention: shortcoming.row.attention,
            incident: None,
            since: shortcoming.since,
            despite: std::collections::BTreeSet::new(),
            facts: shortcoming.facts,
            next: shortcoming.row.next.to_owned(),
        }
    }
}
