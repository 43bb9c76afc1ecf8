//! The world: one zone with one failover pair and its register, one alarm, one database, and time in steps.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, LazyLock};

use failover::change::{Batch, Change};
use failover::incident::{AlarmSighting, AlarmState, Incident};
use failover::name::Name;
use failover::observation::{ChangeStatus, Changes, NameView};
use failover::plan::{Plan, alarm_name};
use failover::promotion::{LagSample, ReplicaState};
use failover::record::{RecordSet, Role, Routing, Target};
use failover::register::{ArmedBy, Register, Spread};
use jiff::{SignedDuration, Timestamp};

use crate::hands::Hand;
use crate::steps::Bounds;
use crate::watch::Watch;

/// A step of time is longer than all that passes within a minute (a TTL, the recording of a change) and shorter than what
/// people think in.
const STEP_SECONDS: i64 = 600;

/// One step settles, two cool down, one drains (with the records' TTL of a minute).
const PLAN: &str = r#"{"mode":"automatic","zones":[{"id":"Z1","names":["a.b"]}],"aurora_clusters":["d"],
    "probes":{"primary":"http://primary/","dr":"http://dr/"},
    "alarms":["arn:aws:cloudwatch:us-east-1:1:alarm:s"],
    "limits":{"lag_seconds_max":3600,"settle_seconds":600,"cooldown_seconds":1200,"drain_seconds":0,"detection_seconds_max":600}}"#;

/// The plan that everybody follows.
#[expect(clippy::expect_used, reason = "a constant that a test reads")]
pub static THE_PLAN: LazyLock<Plan> = LazyLock::new(|| Plan::parse(PLAN).expect("the plan is one"));

/// The protected name.
#[expect(clippy::expect_used, reason = "a constant that a test reads")]
static NAME: LazyLock<Name> = LazyLock::new(|| "a.b".parse().expect("the name is one"));

/// The record sets of the zone, in no order that matters: each is where it was put.
pub type Records = Arc<Vec<RecordSet>>;

/// Who wrote a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Author {
    /// A function.
    Holdfast,
    /// Somebody who edits records by hand.
    Hand,
    /// An operator's order.
    Order,
    /// An operator's failback.
    Failback,
}

/// A change on its way to the name servers.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Travelling {
    /// Its number, from which its id is made.
    pub number: u8,
    /// What the zone said after it.
    pub after: Records,
    /// Whose it is.
    pub author: Author,
}

/// The database in DR.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Database {
    /// Follows the primary.
    Replica,
    /// On its way to a writer.
    Promoting,
    /// Takes writes.
    Writer,
}

/// Everything.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct World {
    /// How many steps of time have passed.
    pub time: u8,
    /// What Route 53's control plane says.
    pub records: Records,
    /// What its name servers say.
    pub published: Records,
    /// Changes on their way there, the oldest first.
    pub travelling: Vec<Travelling>,
    /// How many changes were accepted.
    pub changes: u8,
    /// What the alarm says, and since which step.
    pub alarm: (AlarmState, u8),
    /// Steps at which the alarm began to ring: its events may be delivered at any time, any number of times, or never.
    pub rang: Vec<u8>,
    /// Whether the primary site answers.
    pub primary_answers: bool,
    /// The database.
    pub database: Database,
    /// Invocations of alarm-handler under way.
    pub handlers: Vec<Hand>,
    /// Invocations of replica-promoter under way.
    pub promoters: Vec<Hand>,
    /// How many invocations of each may still begin in this step of time.
    pub starts: (u8, u8),
    /// A batch whose caller has given up, and which lands some day.
    pub late_batch: Option<Arc<Batch>>,
    /// The same of a promotion; how often somebody had undone the pin when it was decided.
    pub late_promotion: Option<u8>,
    /// Approvals on the bus, each of which may be delivered at any time, any number of times.
    pub approved: Option<Incident>,
    /// How many more things people may do.
    pub people: u8,
    /// How many more outages there may be.
    pub outages: u8,
    /// Whether each function has completed an invocation in this step of time.
    pub completed: (bool, bool),
    /// How many more invocations may die; any number, if nothing is said.
    pub crashes: Option<u8>,
    /// What must never be.
    pub watch: Watch,
}

/// The time at a step.
pub fn at(step: u8) -> Timestamp {
    Timestamp::UNIX_EPOCH + SignedDuration::from_secs(1_000_000_000 + i64::from(step) * STEP_SECONDS)
}

/// The incident of an alarm that began to ring at a step.
pub fn incident(step: u8) -> Incident {
    let alarm = THE_PLAN.alarms.first().and_then(|arn| alarm_name(arn)).unwrap_or_default().to_owned();
    Incident { alarm, began: at(step) }
}

/// The alarm as CloudWatch or an event tells of it.
pub fn sighting(state: AlarmState, since: u8) -> AlarmSighting {
    let arn = THE_PLAN.alarms.first().cloned().unwrap_or_default();
    let name = alarm_name(&arn).unwrap_or_default().to_owned();
    AlarmSighting { arn, name, state, since: at(since) }
}

/// One half of the pair.
fn half(role: Role, value: &str) -> RecordSet {
    RecordSet {
        name: NAME.clone(),
        kind: "A".to_owned(),
        routing: Routing::Failover { role, set_identifier: format!("{role:?}") },
        target: Target::Values { ttl_seconds: 60, values: vec![value.to_owned()] },
        health_check: (role == Role::Primary).then(|| "h".to_owned()),
    }
}

/// The PRIMARY record as the operators wrote it.
pub fn original() -> RecordSet {
    half(Role::Primary, "192.0.2.1")
}

/// The PRIMARY record as it leads to DR.
pub fn pinned() -> RecordSet {
    half(Role::Primary, "198.51.100.1")
}

impl World {
    /// All is well: armed long ago, the primary up, the database replicating.
    #[expect(clippy::expect_used, reason = "a register this short fits")]
    pub fn new(bounds: &Bounds) -> Self {
        let Bounds { handlers, promoters, starts, people, outages, fair, .. } = *bounds;
        let since = at(0) - SignedDuration::from_hours(24);
        let armed = Register::Armed { since, by: ArmedBy::Operator }.record_set(&NAME).expect("it fits");
        let records = Arc::new(vec![original(), half(Role::Secondary, "198.51.100.1"), armed]);
        Self {
            time: 0,
            published: Arc::clone(&records),
            records,
            travelling: Vec::new(),
            changes: 0,
            alarm: (AlarmState::Ok, 0),
            rang: Vec::new(),
            primary_answers: true,
            database: Database::Replica,
            handlers: vec![Hand::Idle; handlers],
            promoters: vec![Hand::Idle; promoters],
            starts: (starts, starts),
            late_batch: None,
            late_promotion: None,
            approved: None,
            people,
            outages,
            completed: (false, false),
            crashes: fair,
            watch: Watch::default(),
        }
    }

    /// An invocation begins in this place, and one that was under way there dies.
    pub fn dies_in(&mut self, place: &Hand) {
        self.crashes = self.crashes.map(|left| left - u8::from(*place != Hand::Idle));
    }

    /// Invocations of one function are alike: in whichever place each runs, it is the same world.
    pub fn canonical(mut self) -> Self {
        let by_hash = |hand: &Hand| {
            let mut hasher = DefaultHasher::new();
            hand.hash(&mut hasher);
            hasher.finish()
        };
        self.handlers.sort_by_cached_key(by_hash);
        self.promoters.sort_by_cached_key(by_hash);
        self
    }

    /// The time now.
    pub fn now(&self) -> Timestamp {
        at(self.time)
    }

    /// The protected name as some records describe it.
    pub fn view(records: &Records) -> NameView {
        NameView::of_name("Z1", &NAME, records)
    }

    /// What the register says now.
    pub fn register(&self) -> Option<Register> {
        Self::view(&self.records).register().cloned()
    }

    /// The PRIMARY record among some records.
    pub fn primary(records: &Records) -> Option<&RecordSet> {
        let is_primary = |set: &&RecordSet| matches!(set.routing, Routing::Failover { role: Role::Primary, .. });
        records.iter().find(is_primary)
    }

    /// What GetChange says of the change that a register names.
    pub fn change_status(&self, records: &Records) -> Changes {
        let mut known = Changes::new();
        if let Some(Register::Pinned { spread: Spread::Change { id }, .. }) = Self::view(records).register() {
            let is_on_its_way = self.travelling.iter().any(|change| *id == change_id(change.number));
            let status = if is_on_its_way { ChangeStatus::Pending } else { ChangeStatus::InSync };
            known.insert(id.clone(), status);
        }
        known
    }

    /// What RDS says of the database.
    pub fn replica_state(&self) -> ReplicaState {
        let (status, source) = match self.database {
            Database::Replica => ("available", Some("p".to_owned())),
            Database::Promoting => ("promoting", Some("p".to_owned())),
            Database::Writer => ("available", None),
        };
        ReplicaState::Present { status: status.to_owned(), source, writer_available: status == "available" }
    }

    /// The newest sample of lag: none to speak of, up to the last step before the outage.
    pub fn lag(&self) -> LagSample {
        let outage = self.rang.last().copied().unwrap_or(self.time);
        LagSample { seconds: 1, at: at(outage) - SignedDuration::from_secs(1) }
    }

    /// Applies a batch, whole or not at all; the number of the change. `applies` says whether what is deleted must be there.
    pub fn apply(&mut self, batch: &Batch, author: Author, compares: bool) -> Option<u8> {
        let mut after = (*self.records).clone();
        for change in batch.changes() {
            match change {
                Change::Delete(set) => match after.iter().position(|there| there == set) {
                    Some(found) => drop(after.remove(found)),
                    None if compares => return None,
                    None => after.retain(|there| identity(there) != identity(set)),
                },
                Change::Create(set) if after.iter().any(|there| identity(there) == identity(set)) => return None,
                Change::Create(set) => after.push(set.clone()),
            }
        }
        // The same records are the same world, however they came about.
        after.sort_by_cached_key(|set| format!("{:?}", identity(set)));
        let after = Arc::new(after);
        let before = std::mem::replace(&mut self.records, Arc::clone(&after));
        self.changes += 1;
        let (now, number) = (self.now(), self.changes);
        self.watch.wrote(now, author, &before, &after);
        self.travelling.push(Travelling { number, after, author });
        Some(number)
    }

    /// The oldest change on its way arrives at every name server.
    pub fn arrive(&mut self) {
        let change = self.travelling.remove(0);
        self.watch.arrives(self.time, change.author, &self.published, &change.after);
        self.published = change.after;
    }
}

/// A change's id.
pub fn change_id(number: u8) -> String {
    format!("C{number}")
}

fn identity(set: &RecordSet) -> (&Name, &str, &Routing) {
    (&set.name, &set.kind, &set.routing)
}
