//! The plan: what is protected, how, and within which limits. One JSON text, built by the template from its parameters.

mod arn;
mod fence;
mod heartbeat;
mod latch;
mod probe;
mod replica;
mod zone;

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::name::{Name, NameError};
pub use arn::{alarm_name, arn_account, arn_database, arn_region};
pub use fence::Fence;
use fence::RawFence;
pub use heartbeat::Heartbeat;
use heartbeat::RawHeartbeat;
use latch::RawLatch;
pub use latch::{Latch, Pairs, Shown, latch_alarm};
pub use replica::ReplicaId;
use replica::databases;
use zone::{RawZone, parse_zone, refuse_repeats};

/// The environment variable that holds the plan.
pub const PLAN_VARIABLE: &str = "HOLDFAST_PLAN";

/// Instead of names: every failover pair of the zone.
const EVERY_PAIR: &str = "ALL";

/// What is protected, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Who decides.
    pub mode: Mode,
    /// Zones with the names protected in them; never empty.
    pub zones: Vec<Zone>,
    /// ARN of the role, in the account of the zones, that every call about them is made as; none if that is the own account.
    pub hosted_zone_role: Option<String>,
    /// Databases to promote.
    pub replicas: Vec<ReplicaId>,
    /// Of some of them a metric that tells their lag better than RDS.
    pub heartbeats: BTreeMap<ReplicaId, Heartbeat>,
    /// Where to ask whether the sites are alive.
    pub probes: ProbeUrls,
    /// The health check of the PRIMARY records, if Holdfast may disable it for a maintenance and enable it again.
    pub failover_health_check: Option<String>,
    /// The switch: the CALCULATED check that is healthy while no failover is committed, and there is no outage or Holdfast holds; if DNS is to
    /// move by Holdfast alone.
    pub switch: Option<String>,
    /// ARN of the alarm that the switch's hold goes by.
    pub hold_alarm: Option<String>,
    /// ARN of the alarm that is OK while enough of DR's targets are healthy, if users are not to be sent there before.
    pub targets_alarm: Option<String>,
    /// Where a failover is committed beside Route 53, if it is to be.
    pub latch: Option<Latch>,
    /// How the old writers are fenced, if they are to be.
    pub fence: Option<Fence>,
    /// Whether there are steps around the failover; preparer alone has them (`failover::step`).
    pub has_steps: bool,
    /// Whether some of them make DR ready while an outage is waited out.
    pub prepares: bool,
    /// ARNs of the alarms that mean "failover has started"; never empty.
    pub alarms: Vec<String>,
    /// Whether each armed name's pin is rehearsed once a day.
    pub rehearse: bool,
    /// Limits in seconds.
    pub limits: Limits,
}

/// Who decides about a failover.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Holdfast acts.
    Automatic,
    /// Holdfast asks, a person approves.
    Approval,
    /// Holdfast says what it would have done.
    Shadow,
}

/// A hosted zone and what is protected in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Zone {
    /// Hosted zone id, without `/hostedzone/`.
    pub id: String,
    /// Which of its names.
    pub names: Names,
}

/// Which names of a zone are protected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Names {
    /// Every name with a failover record.
    EveryPair,
    /// These; never empty.
    Listed(Vec<Name>),
}

/// Health URLs that Holdfast asks itself, from the DR region.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProbeUrls {
    /// The primary's own endpoint; never the failover name.
    pub primary: Option<String>,
    /// DR's own endpoint.
    pub dr: Option<String>,
}

/// Limits, all in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// The most replica lag, and so data loss, that may be accepted without a person.
    pub lag_seconds_max: u32,
    /// How long a name must have been armed, and the alarm quiet before it is armed by itself.
    pub settle_seconds: u32,
    /// How long after a failback a failover needs approval.
    pub cooldown_seconds: u32,
    /// What is added to the records' TTL before clients of the primary count as gone.
    pub drain_seconds: u32,
    /// The longest time from the start of an outage to its failover-started alarm.
    pub detection_seconds_max: u32,
    /// Of the switch: how long a disagreement between the alarm and our own probe (P09) keeps users at the primary. Without it, or with
    /// 0, for as long as it lasts.
    #[serde(default)]
    pub hold_seconds_max: u32,
}

/// Why a plan is refused; each says which field and what to do.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// Not JSON, or not of the plan's shape.
    #[error(
        "{PLAN_VARIABLE} is not a plan: {0}; deploy template.yaml again, it builds this variable from its parameters"
    )]
    Shape(String),
    /// A field that must say something does not.
    #[error("{PLAN_VARIABLE}: {field} is empty; {remedy}")]
    Empty {
        /// Which field.
        field: &'static str,
        /// What to do.
        remedy: &'static str,
    },
    /// A record name that is none.
    #[error("{PLAN_VARIABLE}: zones[].names of {zone}: {error}; correct the template's RecordNames")]
    Name {
        /// Hosted zone id.
        zone: String,
        /// What is wrong with the name.
        error: NameError,
    },
    /// `ALL` beside names.
    #[error(
        "{PLAN_VARIABLE}: zones[].names of {zone} has {EVERY_PAIR} beside other names; give either {EVERY_PAIR} or names"
    )]
    EveryPairAndNames {
        /// Hosted zone id.
        zone: String,
    },
    /// A name or a zone listed twice.
    #[error("{PLAN_VARIABLE}: {0} is protected twice; list it once")]
    Twice(String),
    /// A probe URL that is no HTTP URL.
    #[error(
        "{PLAN_VARIABLE}: {field} {url:?} cannot be asked: {fault}; correct the template's PrimaryProbeUrl or DrProbeUrl, as in \
         https://primary.example.com/health"
    )]
    Probe {
        /// Which field.
        field: &'static str,
        /// What it says.
        url: String,
        /// What is wrong with it.
        fault: &'static str,
    },
    /// A cluster of a global database that is not given as such.
    #[error(
        "{PLAN_VARIABLE}: aurora_global_clusters has {0:?}, which is not GLOBAL/CLUSTER; correct the template's AuroraGlobalClusters, as in \
         world/app-dr"
    )]
    GlobalMember(String),
    /// A heartbeat that is none.
    #[error("{PLAN_VARIABLE}: heartbeats has {database:?}: {fault}; correct the template's Heartbeats")]
    Heartbeat {
        /// Which database it says it is of.
        database: String,
        /// What is wrong with it.
        fault: &'static str,
    },
    /// A suffix of the latch's pairs that is no name.
    #[error("{PLAN_VARIABLE}: latch.pairs {text:?}: {error}; correct the template's DomainName")]
    LatchPairs {
        /// What it says.
        text: String,
        /// What is wrong with it.
        error: NameError,
    },
    /// An alarm that is not given by its ARN.
    #[error("{PLAN_VARIABLE}: alarms has {0:?}, which is no alarm ARN (arn:aws:cloudwatch:REGION:ACCOUNT:alarm:NAME)")]
    Alarm(String),
}

/// The shape of the JSON. Empty strings stand for absent things, since CloudFormation joins an empty list into one.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawPlan {
    mode: Mode,
    zones: Vec<RawZone>,
    #[serde(default)]
    hosted_zone_role: String,
    #[serde(default)]
    aurora_clusters: Vec<String>,
    #[serde(default)]
    rds_instances: Vec<String>,
    #[serde(default)]
    aurora_global_clusters: Vec<String>,
    #[serde(default)]
    heartbeats: Vec<RawHeartbeat>,
    #[serde(default)]
    probes: RawProbes,
    #[serde(default)]
    failover_health_check: String,
    #[serde(default)]
    switch: String,
    #[serde(default)]
    hold_alarm: String,
    #[serde(default)]
    targets_alarm: String,
    #[serde(default)]
    latch: RawLatch,
    #[serde(default)]
    fence: RawFence,
    #[serde(default)]
    steps: bool,
    #[serde(default)]
    prepares: bool,
    alarms: Vec<String>,
    #[serde(default = "yes")]
    rehearse: bool,
    limits: Limits,
}

fn yes() -> bool {
    true
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawProbes {
    #[serde(default)]
    primary: String,
    #[serde(default)]
    dr: String,
}

impl Plan {
    /// Reads a plan.
    ///
    /// # Errors
    /// The first field that cannot be honoured, with its remedy.
    pub fn parse(json: &str) -> Result<Self, PlanError> {
        let raw: RawPlan = serde_json::from_str(json).map_err(|error| PlanError::Shape(error.to_string()))?;
        let zones = raw.zones.into_iter().filter(RawZone::is_given).map(parse_zone).collect::<Result<Vec<_>, _>>()?;
        if zones.is_empty() {
            return Err(PlanError::Empty { field: "zones", remedy: "set the template's HostedZoneId" });
        }
        refuse_repeats(&zones)?;
        let alarms = given(raw.alarms);
        if alarms.is_empty() {
            return Err(PlanError::Empty { field: "alarms", remedy: "give the failover-started alarm's ARN" });
        }
        let targets_alarm = given(vec![raw.targets_alarm]).pop();
        if let Some(bad) = alarms.iter().chain(&targets_alarm).find(|arn| alarm_name(arn).is_none()) {
            return Err(PlanError::Alarm(bad.clone()));
        }
        let replicas = databases(raw.aurora_clusters, raw.rds_instances, raw.aurora_global_clusters)?;
        let heartbeats = heartbeat::parse(raw.heartbeats, &replicas)?;
        let probes = ProbeUrls {
            primary: probe::parse("probes.primary", raw.probes.primary)?,
            dr: probe::parse("probes.dr", raw.probes.dr)?,
        };
        let hosted_zone_role = given(vec![raw.hosted_zone_role]).pop();
        let failover_health_check = given(vec![raw.failover_health_check]).pop();
        let (switch, hold_alarm) = (given(vec![raw.switch]).pop(), given(vec![raw.hold_alarm]).pop());
        let (latch, fence, limits) = (raw.latch.parse()?, raw.fence.parse()?, raw.limits);
        Ok(Self {
            mode: raw.mode,
            zones,
            hosted_zone_role,
            replicas,
            heartbeats,
            probes,
            failover_health_check,
            switch,
            hold_alarm,
            targets_alarm,
            latch,
            fence,
            has_steps: raw.steps,
            prepares: raw.prepares,
            alarms,
            rehearse: raw.rehearse,
            limits,
        })
    }
}

fn given(texts: Vec<String>) -> Vec<String> {
    texts.into_iter().map(|text| text.trim().to_owned()).filter(|text| !text.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"{"mode":"automatic",
        "zones":[{"id":"/hostedzone/Z1","names":["App.example.com","*.example.com"]},{"id":"","names":[""]}],
        "aurora_clusters":["app-dr"],"rds_instances":[""],
        "probes":{"primary":"https://p.example.com/health","dr":""},
        "alarms":["arn:aws:cloudwatch:us-east-1:123456789012:alarm:failover: started"],
        "limits":{"lag_seconds_max":60,"settle_seconds":900,"cooldown_seconds":3600,"drain_seconds":60,"detection_seconds_max":2400}}"#;

    #[test]
    fn the_templates_plan_is_read_and_its_empty_strings_are_absent_things() {
        let plan = Plan::parse(GOOD).unwrap();
        assert_eq!(plan.zones.len(), 1);
        assert_eq!(plan.zones[0].id, "Z1");
        let names = ["app.example.com", "*.example.com"].map(|name| name.parse().unwrap());
        assert_eq!(plan.zones[0].names, Names::Listed(names.to_vec()));
        assert_eq!(plan.replicas, [ReplicaId::AuroraCluster("app-dr".to_owned())]);
        assert_eq!((plan.probes.dr, plan.hosted_zone_role, plan.switch, plan.rehearse), (None, None, None, true));
        assert_eq!(alarm_name(&plan.alarms[0]), Some("failover: started"));
        assert_eq!(arn_region(&plan.alarms[0]), Some("us-east-1"));
        assert_eq!(arn_account(&plan.alarms[0]), Some("123456789012"));
    }

    #[test]
    fn a_bad_plan_is_refused_by_the_name_of_its_field_with_the_remedy() {
        for (good, bad, said) in [
            (r#""mode":"automatic""#, r#""mode":"auto""#, "unknown variant `auto`"),
            (r#""mode":"automatic""#, r#""mode":"shadow","colour":1"#, "colour"),
            (r#""id":"/hostedzone/Z1""#, r#""id":"""#, "HostedZoneId"),
            (r#"{"id":"","names":[""]}"#, r#"{"id":"","names":["b.example.com"]}"#, "HostedZoneId"),
            (r#"["App.example.com","*.example.com"]"#, r#"[""]"#, "RecordNames"),
            (r#"["App.example.com","*.example.com"]"#, r#"["ALL","a.b"]"#, "either ALL or names"),
            (r#"["App.example.com","*.example.com"]"#, r#"["a..b"]"#, "empty label"),
            (r#"["App.example.com","*.example.com"]"#, r#"["a.b","A.B."]"#, "protected twice"),
            (r#""https://p.example.com/health""#, r#""p.example.com""#, "probes.primary"),
            (r#""https://p.example.com/health""#, r#""https://""#, "probes.primary"),
            (r#""https://p.example.com/health""#, r#""https:///health""#, "probes.primary"),
            ("arn:aws:cloudwatch:us-east-1:123456789012:alarm:failover: started", "failover-started", "alarm ARN"),
            (r#""alarms":"#, r#""latch":{"table":"t","pairs":"a..b","margin_seconds":300},"alarms":"#, "DomainName"),
            (r#""lag_seconds_max":60"#, r#""lag_seconds_max":-1"#, "limits"),
            (r#""lag_seconds_max":60,"#, "", "lag_seconds_max"),
            (
                r#""alarms":"#,
                r#""heartbeats":[{"database":"other","namespace":"n","metric":"m"}],"alarms":"#,
                "no such database",
            ),
            (
                r#""alarms":"#,
                r#""heartbeats":[{"database":"app-dr","namespace":"","metric":"m"}],"alarms":"#,
                "Heartbeats",
            ),
            (r#""alarms":"#, r#""fence":{"rds_instances":["app"]},"alarms":"#, "FenceRegion"),
            (r#""alarms":"#, r#""fence":{"region":"r"},"alarms":"#, "FenceSecurityGroupId"),
            (r#""alarms":"#, r#""fence":{"region":"r","rds_instances":["app"]},"alarms":"#, "FenceSecurityGroupId"),
            (r#""alarms":"#, r#""fence":{"region":"r","security_group":"sg-1"},"alarms":"#, "FenceAuroraClusters"),
        ] {
            assert!(GOOD.contains(good), "{good}");
            let error = Plan::parse(&GOOD.replace(good, bad)).unwrap_err().to_string();
            let shape = error.contains("is not a plan") && said == "limits";
            assert!(error.contains(said) || shape, "{bad}: {error}");
        }
    }

    #[test]
    fn all_means_every_pair_of_the_zone() {
        let plan = Plan::parse(&GOOD.replace(r#"["App.example.com","*.example.com"]"#, r#"["ALL"]"#)).unwrap();
        assert_eq!(plan.zones[0].names, Names::EveryPair);
    }
}
