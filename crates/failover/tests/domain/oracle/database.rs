//! Whether one database may be promoted, and when it counts as promoted, said a second time.

use std::collections::{BTreeMap, BTreeSet};

use super::Sentence;
use crate::common::{self, DR, at, in_sync, pin, place, plan, switching_over};
use failover::incident::{Approval, Incident};
use failover::observation::Attention::{self, None as Quiet, Page};
use failover::plan::{Heartbeat, Plan, ReplicaId};
use failover::promotion::{
    Database, Failover, GlobalOperation, Instances, LagSample, ReplicaState, ReplicaView, Source, Verdict,
};
use failover::register::{Evidence, Pin, Register};
use failover::rule::{Id, Rule};
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

/// The names were pinned at this second, and databases may be promoted since.
const PINNED: i64 = 30;
pub const SINCE: i64 = 220;

#[derive(Clone, Debug)]
pub struct Sight {
    pub now: i64,
    id: ReplicaId,
    has_heartbeat: bool,
    rds: Rds,
    /// Seconds behind, and when.
    lags: BTreeMap<i64, u64>,
    was_seen: bool,
    is_vouched_for: bool,
    /// A person rang the alarm.
    is_declared: bool,
    approval: Option<(i64, BTreeSet<Rule>)>,
}

#[derive(Clone, Debug)]
enum Rds {
    Missing,
    Unanswered,
    There(There),
}

#[derive(Clone, Debug)]
struct There {
    status: &'static str,
    from: From,
    instances: Instances,
    created: Option<i64>,
    engine: &'static str,
}

/// What RDS says that a database takes its data from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum From {
    /// Another database, by binlog or the engine's own replication.
    Replica,
    Nothing,
    Member,
    UnplannedGlobal,
    Secondary(Operation),
    Primary(Operation),
    TakenOut,
}

/// What is being done to its global database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operation {
    None,
    Ours,
    Others,
}

/// In these a replica is promoted, in these a writer works, and these pass; none but these is known to do any of it.
const PROMOTED_IN: [&str; 2] = ["available", "storage-optimization"];
const WORKS_IN: [&str; 3] = ["available", "storage-optimization", "backing-up"];
const PASSES: [&str; 2] = ["promoting", "rebooting"];
const STATUSES: [&str; 8] = [
    "available",
    "storage-optimization",
    "backing-up",
    "promoting",
    "rebooting",
    "stopped",
    "storage-full",
    "dreaming",
];

pub const SENTENCES: &[Sentence<Sight, Verdict>] = &[
    (Verdict::Promote, |s| s.is_ready() && (s.is_affordable() || s.lifts(Rule::R07))),
    (Verdict::Ask, |s| {
        let is_too_dear = s.is_ready() && !s.is_affordable() && !s.lifts(Rule::R07);
        is_too_dear || s.takes_writes() && !s.is_proved()
    }),
    (Verdict::Done, |s| s.takes_writes() && s.is_proved()),
    (Verdict::Wait, |s| s.is_in_other_hands() || s.is_on_its_way()),
    (Verdict::Trouble, |s| match &s.rds {
        Rds::Missing | Rds::Unanswered => true,
        Rds::There(it) => match it.from {
            From::Member | From::UnplannedGlobal => true,
            From::TakenOut => !s.takes_writes(),
            _ => s.needs_people(it),
        },
    }),
];

impl Sight {
    fn there(&self) -> Option<&There> {
        match &self.rds {
            Rds::There(it) => Some(it),
            Rds::Missing | Rds::Unanswered => None,
        }
    }

    fn is_there(&self, so: impl Fn(&There) -> bool) -> bool {
        self.there().is_some_and(so)
    }

    /// A replica of the kind that the plan says, in a status in which RDS promotes it, with an instance to promote.
    fn is_ready(&self) -> bool {
        self.is_there(|it| {
            let is_as_planned = match self.id {
                ReplicaId::AuroraCluster(_) | ReplicaId::RdsInstance(_) => it.from == From::Replica,
                ReplicaId::GlobalMember { .. } => it.from == From::Secondary(Operation::None),
            };
            is_as_planned && PROMOTED_IN.contains(&it.status) && it.instances != Instances::None
        })
    }

    fn takes_writes(&self) -> bool {
        self.is_there(|it| {
            let is_source = it.is_primary() || it.from == From::TakenOut;
            is_source && WORKS_IN.contains(&it.status) && it.instances == Instances::Writer
        })
    }

    /// It was seen as a replica in this failover, and is still the same database; or a person vouches for it. An empty field proves nothing.
    fn is_proved(&self) -> bool {
        self.is_known_replica() || self.is_vouched_for || self.lifts(Rule::R09)
    }

    fn is_known_replica(&self) -> bool {
        let is_the_same = |it: &There| it.created.is_some_and(|at| at <= PINNED) && it.from != From::TakenOut;
        self.was_seen && self.is_there(is_the_same)
    }

    fn is_in_other_hands(&self) -> bool {
        self.is_there(|it| matches!(it.from, From::Secondary(Operation::Others) | From::Primary(Operation::Others)))
    }

    /// It will take writes, or can be promoted, without anybody's doing.
    fn is_on_its_way(&self) -> bool {
        self.is_there(|it| {
            let is_promoted = it.is_primary() && WORKS_IN.contains(&it.status) && it.instances != Instances::Writer;
            let is_asked_for = it.from == From::Secondary(Operation::Ours) && PROMOTED_IN.contains(&it.status);
            let passes = PASSES.contains(&it.status) || it.is_secondary() && it.status == "backing-up";
            (it.is_primary() || it.is_secondary()) && (passes || is_promoted || is_asked_for)
        })
    }

    /// Nothing that passes by itself keeps it from taking writes.
    fn needs_people(&self, it: &There) -> bool {
        let is_dead = !WORKS_IN.contains(&it.status) && !PASSES.contains(&it.status);
        let cannot_be_promoted = PROMOTED_IN.contains(&it.status)
            && matches!(it.from, From::Replica | From::Secondary(Operation::None))
            && !self.is_ready();
        !self.is_in_other_hands() && (is_dead || cannot_be_promoted)
    }

    /// The outage may have begun as long ago as the alarm may take to ring; a person's word has no past.
    fn earliest(&self) -> i64 {
        if self.is_declared { 0 } else { -2_400 }
    }

    /// Whatever was written from where the replica stood until the outage. Nothing is known without a sample.
    fn loss(&self) -> Option<i64> {
        let engine = self.there().map_or("", |it| it.engine);
        let stood_at = |(at, lag): (&i64, &u64)| at - i64::try_from(*lag).unwrap();
        let (newest, position) = (*self.lags.last_key_value()?.0, stood_at(self.lags.last_key_value()?));
        // Of these a sample tells of the last write: while nothing comes, it is the same position again.
        let tells_position = self.has_heartbeat
            || matches!(self.id, ReplicaId::GlobalMember { .. })
            || engine == "postgres"
            || engine == "oracle-ee";
        let is_same = |sample: &(&i64, &u64)| tells_position && (stood_at(*sample) - position).abs() <= 30;
        let reached = self.lags.iter().find(is_same).or(self.lags.last_key_value())?;
        // A PostgreSQL source that says nothing for five minutes is only idle.
        let is_silent_by_nature = engine == "postgres" && !self.has_heartbeat;
        let idle = newest.min(self.earliest()) - reached.0;
        let idle = if is_silent_by_nature { idle.clamp(0, 300) } else { 0 };
        Some((self.earliest().max(*reached.0) - stood_at(reached) - idle).max(0))
    }

    fn is_affordable(&self) -> bool {
        self.loss().is_some_and(|seconds| seconds <= 60)
    }

    fn lifts(&self, rule: Rule) -> bool {
        let is_of_this = |began: &i64| *began == 0 && !self.is_declared;
        self.approval.as_ref().is_some_and(|(began, despite)| is_of_this(began) && despite.contains(&rule))
    }

    /// What must be on record before the decision is carried out: what it relies on, unless it is.
    pub fn to_record(&self, verdict: Verdict) -> Evidence {
        match verdict {
            Verdict::Promote if !self.was_seen => Evidence::replica(self.id.clone()),
            Verdict::Done if !self.is_known_replica() && !self.is_vouched_for => Evidence::accepted(self.id.clone()),
            _ => Evidence::default(),
        }
    }

    pub fn attention(&self, verdict: Verdict) -> Attention {
        match verdict {
            Verdict::Done => Quiet,
            Verdict::Wait if !self.is_in_other_hands() && self.now < SINCE + 1_800 => Quiet,
            Verdict::Wait | Verdict::Promote | Verdict::Ask | Verdict::Trouble => Page,
        }
    }

    /// True unless `row` tells of something that is not so.
    pub fn is_so(&self, row: Id) -> bool {
        let is_from = |from: From| self.is_there(|it| it.from == from);
        let is_known = |it: &There| STATUSES[..7].contains(&it.status);
        match row.to_string().as_str() {
            "R03a" => matches!(self.rds, Rds::Missing),
            "R03b" => is_from(From::Member),
            "R03c" => is_from(From::UnplannedGlobal),
            "R03d" | "R09d" => is_from(From::TakenOut),
            "R06a" => matches!(self.rds, Rds::Unanswered),
            "R05a" => self.now >= SINCE + 1_800,
            "R05d" => self.is_in_other_hands(),
            "R06b" => self.is_there(|it| it.is_primary() && is_known(it)),
            "R06c" => self.is_there(|it| !is_known(it)),
            "R06d" => self.is_there(There::is_secondary),
            "R07a" => self.is_ready(),
            "R09a" => self.is_there(|it| it.created.is_none_or(|at| at > PINNED)),
            "R09b" => !self.was_seen && self.takes_writes(),
            _ => true,
        }
    }

    pub fn replica(&self) -> ReplicaView {
        let source = |from| match from {
            From::Replica => Source::ReplicaOf("app".to_owned()),
            From::Nothing => Source::NoneNamed,
            From::Member => Source::MemberOf("app-dr".to_owned()),
            From::UnplannedGlobal => Source::Global("world".to_owned()),
            From::Secondary(operation) => place(false, operation.described()),
            From::Primary(operation) => place(true, operation.described()),
            From::TakenOut => Source::NotInGlobal("world".to_owned()),
        };
        let state = match &self.rds {
            Rds::Missing => ReplicaState::Missing,
            Rds::Unanswered => ReplicaState::Unanswered("timeout".to_owned()),
            Rds::There(it) => ReplicaState::Present(Database {
                status: it.status.to_owned(),
                source: source(it.from),
                instances: it.instances,
                created: it.created.map(at),
                engine: it.engine.to_owned(),
                members: Vec::new(),
            }),
        };
        let lags = self.lags.iter().map(|(second, seconds)| LagSample { seconds: *seconds, at: at(*second) });
        ReplicaView { id: self.id.clone(), state, lags: lags.collect() }
    }

    pub fn plan(&self) -> Plan {
        let beat = Heartbeat { namespace: "Ours".to_owned(), metric: "Age".to_owned(), dimensions: BTreeMap::new() };
        let heartbeats = self.has_heartbeat.then(|| (self.id.clone(), beat)).into_iter().collect();
        Plan { heartbeats, ..plan() }
    }

    pub fn failover(&self) -> Failover {
        let seen = self.was_seen.then(|| Evidence::replica(self.id.clone()));
        let vouched = self.is_vouched_for.then(|| Evidence::accepted(self.id.clone()));
        let evidence = seen.into_iter().chain(vouched).collect();
        let register = Register::Pinned { pin: Pin { evidence, ..pin(0, 0) }, spread: in_sync(100) };
        let names = [common::view("app.example.com", DR, Some(&register))];
        let incident = if self.is_declared { Incident::declared(at(0)) } else { common::incident(0) };
        Failover::of(&incident, Some(at(SINCE)), &names)
    }

    pub fn approval(&self) -> Option<Approval> {
        let (began, despite) = self.approval.clone()?;
        Some(Approval { despite, ..common::approval(began, &[]) })
    }
}

impl Operation {
    fn described(self) -> Option<GlobalOperation> {
        match self {
            Self::None => None,
            Self::Ours => Some(GlobalOperation::FailoverHere),
            Self::Others => switching_over(),
        }
    }
}

impl There {
    fn is_primary(&self) -> bool {
        matches!(self.from, From::Nothing | From::Primary(Operation::None | Operation::Ours))
    }

    fn is_secondary(&self) -> bool {
        matches!(self.from, From::Replica | From::Secondary(Operation::None | Operation::Ours))
    }
}

fn lags() -> impl Strategy<Value = BTreeMap<i64, u64>> {
    let at = select(vec![-2_700_i64, -2_461, -2_460, -2_430, -2_400, -2_341, -100, -61, -60, 0]);
    let few = prop::collection::btree_map(at, select(vec![0_u64, 1, 30, 31, 59, 60, 61, 300]), 0..4);
    let since = select(vec![-2_820_i64, -2_760, -2_520, -2_461, -2_460, -2_400, -120]);
    let growing = (since, select(vec![0_u64, 29, 30, 59, 60, 61]), 1..48_u64, select(vec![60_u64, 60, 61, 30, 0]));
    let growing = growing.prop_map(|(since, first, minutes, step)| {
        (0..minutes).map(|nth| (since + 60 * i64::try_from(nth).unwrap(), first + step * nth)).collect()
    });
    prop_oneof![few, growing]
}

pub fn sights() -> impl Strategy<Value = Sight> {
    let operation = || select(vec![Operation::None, Operation::None, Operation::Ours, Operation::Others]);
    let from = prop_oneof![
        4 => Just(From::Replica),
        3 => Just(From::Nothing),
        3 => operation().prop_map(From::Secondary),
        2 => operation().prop_map(From::Primary),
        1 => select(vec![From::Member, From::UnplannedGlobal, From::TakenOut, From::TakenOut]),
    ];
    let status = prop_oneof![3 => Just("available"), 1 => select(STATUSES.to_vec())];
    let instances =
        select(vec![Instances::Writer, Instances::Writer, Instances::Writer, Instances::Reader, Instances::None]);
    let created = prop_oneof![3 => Just(Some(-86_400)), 1 => select(vec![None, Some(PINNED), Some(PINNED + 1)])];
    let engine = select(vec!["aurora-mysql", "mysql", "postgres", "oracle-ee", "aurora-postgresql"]);
    let there = (status, from, instances, created, engine).prop_map(|(status, from, instances, created, engine)| {
        Rds::There(There { status, from, instances, created, engine })
    });
    let rds = prop_oneof![1 => Just(Rds::Missing), 1 => Just(Rds::Unanswered), 30 => there];
    let id = select(vec![
        ReplicaId::AuroraCluster("app-dr".to_owned()),
        ReplicaId::RdsInstance("app-dr".to_owned()),
        ReplicaId::GlobalMember { global: "world".to_owned(), cluster: "app-dr".to_owned() },
    ]);
    let word = (select(vec![0_i64, 0, -60]), subsequence(vec![Rule::R02, Rule::R06, Rule::R07, Rule::R09], 0..=4));
    let word = word.prop_map(|(began, despite)| (began, despite.into_iter().collect()));
    let known =
        (any::<bool>(), prop::bool::weighted(0.2), prop::bool::weighted(0.15), prop::option::weighted(0.4, word));
    let now = select(vec![SINCE, SINCE + 1_799, SINCE + 1_800, 90_000]);
    (now, id, prop::bool::weighted(0.2), rds, lags(), known).prop_map(|(now, id, has_heartbeat, rds, lags, known)| {
        let (was_seen, is_vouched_for, is_declared, approval) = known;
        Sight { now, id, has_heartbeat, rds, lags, was_seen, is_vouched_for, is_declared, approval }
    })
}
