//! The workload that all targets are about.

use failover::incident::{AlarmSighting, AlarmState};
use failover::name::Name;
use jiff::{SignedDuration, Timestamp};

/// As the template builds it.
pub const PLAN: &str = r#"{"mode":"automatic","zones":[{"id":"Z1","names":["app.example.com"]},{"id":"","names":[""]}],
    "aurora_clusters":["app-dr"],"rds_instances":[""],
    "probes":{"primary":"https://primary.example.com/health","dr":"https://dr.example.com/health"},
    "failover_health_check":"","fence":{"region":"","security_group":"","aurora_clusters":[""],"rds_instances":[""]},
    "alarms":["arn:aws:cloudwatch:us-east-1:123456789012:alarm:started"],
    "limits":{"lag_seconds_max":60,"settle_seconds":900,"cooldown_seconds":3600,"drain_seconds":60,"detection_seconds_max":2400}}"#;

pub fn app() -> Name {
    "app.example.com".parse().expect("it is a name")
}

/// Noon and some seconds.
pub fn noon(seconds: i64) -> Timestamp {
    let noon: Timestamp = "2026-01-01T12:00:00Z".parse().expect("it is a time");
    noon + SignedDuration::from_secs(seconds)
}

/// The plan's alarm has rung since noon.
pub fn ringing() -> AlarmSighting {
    let arn = "arn:aws:cloudwatch:us-east-1:123456789012:alarm:started".to_owned();
    AlarmSighting { arn, name: "started".to_owned(), state: AlarmState::Alarm, since: noon(0), trouble: None }
}
