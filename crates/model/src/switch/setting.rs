//! What does not change while the switch is explored: the plan, the pairs, and how long a step of time is.

use failover::incident::{AlarmSighting, AlarmState, Incident};
use failover::observation::NameView;
use failover::plan::{Mode, Plan, alarm_name};
use failover::promotion::{self, Instances, LagSample, ReplicaState, Source};
use failover::record::RecordSet;
use failover::register::{ArmedBy, Register};
use jiff::{SignedDuration, Timestamp};

use super::bounds::Bounds;
use crate::databases::Database;
use crate::setting::{Setting, Zone, original, secondary, undone};

/// A step of time: looks at the name servers in two steps that follow each other count as unbroken, and with one between as broken
/// (`failover::latch`, 150 seconds).
const STEP_SECONDS: i64 = 120;

/// For how many steps resolvers may keep an answer: the records' TTL of a minute.
pub const TTL_STEPS: u8 = 1;

/// The switch's own health check, as the plan names it.
const SWITCH: &str = "s";

/// The time at a step.
pub fn at(step: u8) -> Timestamp {
    Timestamp::UNIX_EPOCH + SignedDuration::from_secs(1_000_002_880 + i64::from(step) * STEP_SECONDS)
}

/// One name on the switch, one database. TTL, drain time and margin together are a step.
#[expect(clippy::expect_used, reason = "every workload of the bounds has a plan")]
pub fn setting(bounds: &Bounds) -> Setting {
    let mode = if bounds.mode == Mode::Approval { "approval" } else { "automatic" };
    let pairs = if bounds.promotes_by_dns { "b.z0" } else { "" };
    let json = format!(
        r#"{{"mode":"{mode}","rehearse":false,"zones":[{{"id":"Z0","names":["n0.z0"]}}],"aurora_clusters":["d0"],
        "probes":{{"primary":"http://primary/","dr":"http://dr/"}},"failover_health_check":"h","switch":"{SWITCH}",
        "hold_alarm":"arn:aws:cloudwatch:us-east-1:1:alarm:b-hold-lapsed",
        "latch":{{"table":"t","pairs":"{pairs}","margin_seconds":60}},
        "alarms":["arn:aws:cloudwatch:us-east-1:1:alarm:s"],
        "limits":{{"lag_seconds_max":60,"settle_seconds":0,"cooldown_seconds":0,"drain_seconds":0,"detection_seconds_max":600}}}}"#
    );
    Setting { plan: Plan::parse(&json).expect("it is a plan") }
}

/// The same record, on the switch if it is PRIMARY.
pub fn on_switch(set: RecordSet) -> RecordSet {
    let health_check = set.health_check.as_ref().map(|_| SWITCH.to_owned());
    RecordSet { health_check, ..set }
}

/// True if it goes by the switch.
pub fn is_on_switch(set: &RecordSet) -> bool {
    set.health_check.as_deref() == Some(SWITCH)
}

/// The pinned PRIMARY record, as somebody rewrites it who knows nothing of the pin.
pub fn undone_on_switch(view: &NameView) -> RecordSet {
    on_switch(undone(&view.name))
}

/// The zone before anything happens: armed a day ago.
#[expect(clippy::expect_used, reason = "a register this short fits")]
pub fn zone_at_first(setting: &Setting) -> Zone {
    let since = at(0) - SignedDuration::from_hours(24);
    let sets = setting.names(0).iter().flat_map(|name| {
        let pair = [on_switch(original(name)), secondary(name)];
        let memory = NameView::of_name(&setting.plan.zones[0].id, name, &pair).memory(since);
        let register = Register::armed(since, ArmedBy::Operator).remembering(memory);
        pair.into_iter().chain([register.record_set(name).expect("it fits")])
    });
    setting.zone(0, sets.collect())
}

/// The alarm as CloudWatch tells of it.
pub fn sighting(plan: &Plan, state: AlarmState, since: u8) -> AlarmSighting {
    let arn = plan.alarms.first().cloned().unwrap_or_default();
    let name = alarm_name(&arn).unwrap_or_default().to_owned();
    AlarmSighting { name, arn, state, since: at(since), trouble: None }
}

/// The incident of an alarm that began to ring at a step.
pub fn incident(plan: &Plan, step: u8) -> Incident {
    Incident { alarm: sighting(plan, AlarmState::Alarm, step).name, began: at(step) }
}

/// What RDS says of the database in DR.
pub fn described(database: Database) -> ReplicaState {
    let (status, source) = match database {
        Database::Replica => ("available", Source::ReplicaOf("p".to_owned())),
        Database::Promoting => ("promoting", Source::ReplicaOf("p".to_owned())),
        Database::Writer | Database::ByHand(_) | Database::Restored(_) => ("available", Source::NoneNamed),
    };
    ReplicaState::Present(promotion::Database {
        status: status.to_owned(),
        source,
        instances: if status == "available" { Instances::Writer } else { Instances::None },
        created: Some(at(0) - SignedDuration::from_hours(48)),
        engine: "mysql".to_owned(),
        members: Vec::new(),
    })
}

/// The newest sample of lag: a second, of the second before the outage.
pub fn lag(rang: u8) -> LagSample {
    LagSample { seconds: 1, at: at(rang) - SignedDuration::from_secs(1) }
}
