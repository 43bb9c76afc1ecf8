//! What the tests of several modules build their worlds from.

use jiff::{SignedDuration, Timestamp};

use crate::name::Name;
use crate::record::{RecordSet, Role, Routing, Target};

pub(crate) const NOON: &str = "2026-01-01T12:00:00Z";

/// Noon and some seconds.
pub(crate) fn at(seconds: i64) -> Timestamp {
    NOON.parse::<Timestamp>().unwrap() + SignedDuration::from_secs(seconds)
}

pub(crate) fn app() -> Name {
    "app.example.com".parse().unwrap()
}

pub(crate) fn values(ttl_seconds: u32, values: &[&str]) -> Target {
    Target::Values { ttl_seconds, values: values.iter().map(|&v| v.to_owned()).collect() }
}

pub(crate) fn alias(name: &str) -> Target {
    Target::Alias { zone: "Z9".to_owned(), name: name.to_owned(), evaluate_health: true }
}

pub(crate) fn failover_set(kind: &str, role: Role, ttl_seconds: u32, targets: &[&str]) -> RecordSet {
    let set_identifier = format!("{role:?}").to_lowercase();
    let health_check = (role == Role::Primary).then(|| "hc-1".to_owned());
    RecordSet {
        name: app(),
        kind: kind.to_owned(),
        routing: Routing::Failover { role, set_identifier },
        target: values(ttl_seconds, targets),
        health_check,
    }
}

pub(crate) fn simple_set(kind: &str, targets: &[&str]) -> RecordSet {
    RecordSet {
        name: app(),
        kind: kind.to_owned(),
        routing: Routing::Simple,
        target: values(60, targets),
        health_check: None,
    }
}
