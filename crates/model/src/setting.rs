//! What does not change while a model is explored: the plan, and the zones as their operators wrote them.

use std::hash::{Hash, Hasher};

use failover::change::{Batch, Change};
use failover::incident::{AlarmSighting, AlarmState, Incident};
use failover::name::Name;
use failover::observation::NameView;
use failover::plan::{Mode, Names, Plan, alarm_name};
use failover::record::{RecordSet, Role, Routing, Target};
use failover::register::{ArmedBy, Register};
use jiff::{SignedDuration, Timestamp};

use crate::shared::Shared;

/// A step of time is longer than all that passes within a minute (a TTL, the recording of a change) and shorter than what
/// people think in.
const STEP_SECONDS: i64 = 600;

/// The most that may be lost without a person.
pub const LAG_SECONDS_MAX: u64 = 3_600;

/// What is protected, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Workload {
    /// How many names each zone has.
    pub names: &'static [usize],
    /// How many databases are to be promoted.
    pub databases: usize,
    /// Who decides.
    pub mode: Mode,
    /// Whether it has been armed long ago, or never.
    pub is_armed: bool,
    /// Whether a maintenance disables the failover health check.
    pub disables_check: bool,
    /// Whether pins are rehearsed.
    pub rehearses: bool,
    /// Whether the databases are clusters of a global database.
    pub is_global: bool,
}

/// One name, one database, armed long ago.
pub const ONE: Workload = Workload {
    names: &[1],
    databases: 1,
    mode: Mode::Automatic,
    is_armed: true,
    disables_check: false,
    rehearses: false,
    is_global: false,
};

/// A zone's record sets, in no order that matters, with what Holdfast makes of them.
#[derive(Clone, Debug)]
pub struct Sets {
    /// The record sets.
    pub sets: Vec<RecordSet>,
    /// The protected names as they describe them.
    pub views: Vec<NameView>,
}

impl PartialEq for Sets {
    fn eq(&self, other: &Self) -> bool {
        self.sets == other.sets
    }
}

impl Eq for Sets {}

impl Hash for Sets {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        self.sets.hash(hasher);
    }
}

impl Sets {
    /// The PRIMARY record of a name.
    pub fn primary(&self, name: &Name) -> Option<&RecordSet> {
        self.half(name, Role::Primary)
    }

    /// The SECONDARY record of a name.
    pub fn secondary(&self, name: &Name) -> Option<&RecordSet> {
        self.half(name, Role::Secondary)
    }

    fn half(&self, name: &Name, wanted: Role) -> Option<&RecordSet> {
        self.sets.iter().find(|set| set.name == *name && role(set) == Some(wanted))
    }

    /// What users are sent by.
    pub fn records<'a>(&'a self, name: &'a Name) -> impl Iterator<Item = &'a RecordSet> {
        self.sets.iter().filter(move |set| set.name == *name && set.kind == "A")
    }
}

/// A zone at some time.
pub type Zone = Shared<Sets>;

/// The plan, and what follows from it.
#[derive(Clone, Debug)]
pub struct Setting {
    /// What everybody follows.
    pub plan: Plan,
}

impl Setting {
    /// One step settles, two cool down, one drains (with the records' TTL of a minute).
    #[expect(clippy::expect_used, reason = "every workload of the bounds has a plan")]
    pub fn new(workload: &Workload) -> Self {
        let zone = |(zone, names): (usize, &usize)| {
            let names: Vec<_> = (0..*names).map(|name| format!(r#""n{name}.z{zone}""#)).collect();
            format!(r#"{{"id":"Z{zone}","names":[{}]}}"#, names.join(","))
        };
        let zones: Vec<_> = workload.names.iter().enumerate().map(zone).collect();
        let (list, global) =
            if workload.is_global { ("aurora_global_clusters", "g/") } else { ("aurora_clusters", "") };
        let databases: Vec<_> = (0..workload.databases).map(|nth| format!(r#""{global}d{nth}""#)).collect();
        let mode = format!("{:?}", workload.mode).to_lowercase();
        let check = if workload.disables_check { "h" } else { "" };
        let rehearses = workload.rehearses;
        let (zones, databases) = (zones.join(","), databases.join(","));
        let json = format!(
            r#"{{"mode":"{mode}","rehearse":{rehearses},"zones":[{zones}],"{list}":[{databases}],
            "probes":{{"primary":"http://primary/","dr":"http://dr/"}},"failover_health_check":"{check}","switch":"sw",
            "alarms":["arn:aws:cloudwatch:us-east-1:1:alarm:s"],
            "limits":{{"lag_seconds_max":{LAG_SECONDS_MAX},"settle_seconds":600,"cooldown_seconds":1200,"drain_seconds":0,
            "detection_seconds_max":600,"hold_seconds_max":1200}}}}"#
        );
        Self { plan: Plan::parse(&json).expect("it is a plan") }
    }

    /// The names of each zone.
    pub fn names(&self, zone: usize) -> &[Name] {
        match &self.plan.zones[zone].names {
            Names::Listed(names) => names,
            Names::EveryPair => &[],
        }
    }

    /// The zone with these records.
    pub fn zone(&self, zone: usize, mut sets: Vec<RecordSet>) -> Zone {
        // The same records are the same zone, however they came about.
        sets.sort_by(|a, b| (&a.name, &a.kind, role(a)).cmp(&(&b.name, &b.kind, role(b))));
        let id = &self.plan.zones[zone].id;
        let views = self.names(zone).iter().map(|name| NameView::of_name(id, name, &sets)).collect();
        Shared::new(Sets { sets, views })
    }

    /// The zone before anything happens.
    #[expect(clippy::expect_used, reason = "a register this short fits")]
    pub fn zone_at_first(&self, zone: usize, is_armed: bool) -> Zone {
        let since = at(0) - SignedDuration::from_hours(24);
        let register = Register::armed(since, ArmedBy::Operator);
        let sets = self.names(zone).iter().flat_map(|name| {
            let pair = [original(name), secondary(name)];
            let memory = NameView::of_name(&self.plan.zones[zone].id, name, &pair).memory(since);
            let register = register.clone().remembering(memory);
            let armed = is_armed.then(|| register.record_set(name).expect("it fits"));
            pair.into_iter().chain(armed)
        });
        self.zone(zone, sets.collect())
    }

    /// The alarm as CloudWatch or an event tells of it.
    pub fn sighting(&self, state: AlarmState, since: u8) -> AlarmSighting {
        let arn = self.plan.alarms.first().cloned().unwrap_or_default();
        AlarmSighting { name: self.alarm(), arn, state, since: at(since), trouble: None }
    }

    fn alarm(&self) -> String {
        self.plan.alarms.first().and_then(|arn| alarm_name(arn)).unwrap_or_default().to_owned()
    }

    /// The incident of an alarm that began to ring at a step.
    pub fn incident(&self, step: u8) -> Incident {
        Incident { alarm: self.alarm(), began: at(step) }
    }
}

fn role(set: &RecordSet) -> Option<Role> {
    match set.routing {
        Routing::Failover { role, .. } => Some(role),
        Routing::Simple | Routing::Other => None,
    }
}

/// The time at a step. The first is the minute of the hour in which the pins of the first zone are rehearsed.
pub fn at(step: u8) -> Timestamp {
    Timestamp::UNIX_EPOCH + SignedDuration::from_secs(1_000_002_880 + i64::from(step) * STEP_SECONDS)
}

/// One half of a pair.
fn half(name: &Name, role: Role, value: &str, ttl_seconds: u32) -> RecordSet {
    RecordSet {
        name: name.clone(),
        kind: "A".to_owned(),
        routing: Routing::Failover { role, set_identifier: format!("{role:?}") },
        target: Target::Values { ttl_seconds, values: vec![value.to_owned()] },
        health_check: (role == Role::Primary).then(|| "h".to_owned()),
    }
}

/// The PRIMARY record as the operators wrote it.
pub fn original(name: &Name) -> RecordSet {
    half(name, Role::Primary, OLD, TTL)
}

/// The SECONDARY record.
pub fn secondary(name: &Name) -> RecordSet {
    half(name, Role::Secondary, DR, TTL)
}

/// The SECONDARY record once DR has moved.
pub fn moved(name: &Name) -> RecordSet {
    half(name, Role::Secondary, MOVED_DR, TTL)
}

/// The SECONDARY record of somebody who has swapped the sites' roles.
pub fn swapped(name: &Name) -> RecordSet {
    half(name, Role::Secondary, OLD, TTL)
}

/// The PRIMARY record as it leads to DR.
pub fn pinned(name: &Name) -> RecordSet {
    half(name, Role::Primary, DR, TTL)
}

/// The PRIMARY record as somebody rewrites it who knows nothing of the pin, with another address in the primary region.
pub fn undone(name: &Name) -> RecordSet {
    half(name, Role::Primary, "192.0.2.9", TTL)
}

/// The PRIMARY record as an apply writes it back, which resolvers then keep for two steps of time.
pub fn long_lived(name: &Name) -> RecordSet {
    half(name, Role::Primary, OLD, LONG_TTL)
}

/// A record that leads browsers past the pair.
pub fn beside(name: &Name) -> RecordSet {
    service(name, "HTTPS", "1 elsewhere.example.")
}

/// A record that leads to the pair, and tells the old primary's address beforehand.
pub fn hints(name: &Name) -> RecordSet {
    service(name, "SVCB", "1 . ipv4hint=192.0.2.1")
}

fn service(name: &Name, kind: &str, value: &str) -> RecordSet {
    RecordSet {
        kind: kind.to_owned(),
        routing: Routing::Simple,
        target: Target::Values { ttl_seconds: TTL, values: vec![value.to_owned()] },
        health_check: None,
        ..original(name)
    }
}

/// The old primary's address, as the world remembers it.
const OLD: &str = "192.0.2.1";
const DR: &str = "198.51.100.1";
const MOVED_DR: &str = "198.51.100.2";
const TTL: u32 = 60;
const LONG_TTL: u32 = 1_200;

/// Whether it is a PRIMARY record as a pin leaves it, with whatever TTL it had.
pub fn is_pinned(set: &RecordSet) -> bool {
    [DR, MOVED_DR].iter().any(|dr| *set == half(&set.name, Role::Primary, dr, set.target.ttl_seconds()))
}

/// Whether it sends users nowhere but to DR.
pub fn leads_to_dr(set: &RecordSet) -> bool {
    matches!(&set.target, Target::Values { values, .. } if values.iter().all(|value| [DR, MOVED_DR].contains(&value.as_str())))
}

/// Whether name servers may answer with anything but DR, whatever the health checks say: with the PRIMARY record if it is
/// healthy or its check disabled, else with the SECONDARY.
pub fn may_answer_primary(zone: &Sets, name: &Name) -> bool {
    zone.records(name).any(|set| !leads_to_dr(set))
}

/// For how many steps of time resolvers may keep an answer that does not lead to DR, if name servers may give one.
pub fn ttl_steps(zone: &Sets, name: &Name) -> Option<u8> {
    let steps = |set: &RecordSet| {
        i64::from(set.target.ttl_seconds()).max(1).unsigned_abs().div_ceil(STEP_SECONDS.unsigned_abs())
    };
    let longest = zone.records(name).filter(|set| !leads_to_dr(set)).map(steps).max()?;
    Some(u8::try_from(longest).unwrap_or(u8::MAX))
}

/// Whether a batch deletes or creates the PRIMARY record of a zone's first name, which somebody has protected.
pub fn is_protected(zone: &Sets, batch: &Batch) -> bool {
    let of = |change: &Change| match change {
        Change::Delete(set) | Change::Create(set) => set.clone(),
    };
    let first = zone.views.first().map(|view| original(&view.name));
    first.is_some_and(|first| batch.changes().any(|change| is_same(&of(change), &first)))
}

/// A zone after a batch, whole or not at all; `compares` says whether what is deleted must be there.
pub fn after(setting: &Setting, zone: usize, records: &Zone, batch: &Batch, compares: bool) -> Option<Zone> {
    let mut sets = records.sets.clone();
    for change in batch.changes() {
        match change {
            Change::Delete(set) => match sets.iter().position(|there| there == set) {
                Some(found) => drop(sets.remove(found)),
                None if compares => return None,
                None => sets.retain(|there| !is_same(there, set)),
            },
            Change::Create(set) if sets.iter().any(|there| is_same(there, set)) => return None,
            Change::Create(set) => sets.push(set.clone()),
        }
    }
    Some(setting.zone(zone, sets))
}

/// Name, type and set identifier are what Route 53 tells record sets apart by.
pub fn is_same(one: &RecordSet, other: &RecordSet) -> bool {
    (&one.name, &one.kind, &one.routing) == (&other.name, &other.kind, &other.routing)
}
