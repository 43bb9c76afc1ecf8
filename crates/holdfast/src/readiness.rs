//! Whether an outage would get as far as a failover: where stacks, records and health checks disagree, though each deploys well by itself.

mod before;
mod clients;
mod detectors;
mod look;
mod own;
mod records;
pub mod switch;
mod zones;

use aws::CallError;
use aws::detector::Detector;
use aws::watch::is_observed;
use failover::observation::{NameView, Probe, Probes, Targets};
use failover::plan::{Plan, alarm_name, arn_region};
use failover::record::Pair;
use jiff::Timestamp;
use serde::Serialize;

pub use before::before;
pub use clients::{KeepAlive, balancers};
pub use detectors::until_promotion;
pub use look::{keep_alives, look};
use own::Own;
use switch::Switch;
pub use zones::{Zone, doubtful_guardrails, in_the_way, in_words, lift};

/// How far back the functions' runs are looked at.
const LOOKBACK_MINUTES: i64 = 15;

/// What keeps a failover from happening as planned, and how long one would take.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
pub struct Readiness {
    /// What is not as it must be.
    pub shortcomings: Vec<Shortcoming>,
    /// About how long after the beginning of an outage DNS answers with DR; unknown without the health check's settings, and not
    /// promised while something keeps it from happening.
    pub dns_seconds: Option<u32>,
    /// About how long after it the databases are promoted; what promotion itself takes comes on top.
    pub promotion_seconds: Option<u32>,
}

/// One thing that is not as it must be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Shortcoming {
    /// What it is about.
    pub about: String,
    /// What was seen.
    pub seen: String,
    /// What to do.
    pub remedy: String,
    /// What it weighs.
    pub weight: Weight,
}

/// What a shortcoming weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Weight {
    /// It keeps a failover from happening as planned.
    Keeps,
    /// A failover happens without it, and is better with it.
    Advises,
    /// It could not be looked at, so nobody knows.
    Unknown,
}

/// Where Holdfast itself is.
#[derive(Clone, Copy, Debug)]
pub struct Responder<'a> {
    /// The DR region.
    pub region: &'a str,
    /// Name of its bus.
    pub bus: &'a str,
}

/// Everything that is held against the plan and against each other.
#[derive(Debug)]
pub struct Around {
    /// The protected names.
    names: Vec<NameView>,
    /// One for each of the plan's alarms.
    detectors: Vec<(String, Result<Option<Detector>, CallError>)>,
    /// The plan's zones.
    zones: Vec<Zone>,
    /// What our own health requests found.
    probes: Probes,
    /// The plan's switch, if it has one.
    switch: Option<Switch>,
    /// Holdfast itself.
    own: Own,
    /// The load balancers that PRIMARY records lead to.
    keep_alives: Vec<KeepAlive>,
    /// What the plan's databases are that are no replicas, in words; or why that is not known.
    idle: Result<Vec<String>, String>,
    /// When all this was seen, by AWS's time.
    now: Timestamp,
}

/// Holds the plan, the records, the detectors and whatever is around them against each other.
#[must_use]
pub fn judge(plan: &Plan, responder: Responder<'_>, around: &Around) -> Readiness {
    let mut readiness = Readiness::default();
    let names = around.names.as_slice();
    let pairs: Vec<&Pair> = names.iter().flat_map(|view| view.pairs.iter().flatten()).collect();
    readiness.judge_records(plan, names);
    for (arn, detector) in &around.detectors {
        let alarm = alarm_name(arn).unwrap_or_default();
        let region = arn_region(arn).unwrap_or_default();
        match detector {
            Err(error) => readiness.report(
                Some(format!("alarm {alarm}")),
                format!("its wiring cannot be looked at: {error}"),
                "the command line needs cloudwatch:DescribeAlarms, route53:GetHealthCheck and events:ListTargetsByRule",
            ),
            Ok(None) => readiness.report(
                Some(format!("alarm {alarm}")),
                format!("is not in {region}: nothing would start a failover"),
                match is_observed(alarm) {
                    true => "deploy the stack again: the alarm is its own",
                    false => {
                        "deploy detector.yaml there, or correct the responder's FailoverAlarmName and DetectorRegion"
                    }
                },
            ),
            Ok(Some(detector)) => readiness.judge_detector(plan, around, &pairs, responder, (alarm, detector)),
        }
    }
    if let Some(switch) = &around.switch {
        readiness.judge_switch(plan, names, switch);
    }
    around.zones.iter().for_each(|zone| readiness.judge_zone(names, zone));
    readiness.judge_probes(plan.prepares, around.probes);
    readiness.judge_own(&around.own);
    readiness.judge_clients(plan, around);
    readiness.judge_databases(names, &around.idle);
    if readiness.shortcomings.iter().any(|shortcoming| shortcoming.weight == Weight::Keeps) {
        (readiness.dns_seconds, readiness.promotion_seconds) = (None, None);
    }
    readiness
}

impl Readiness {
    /// Adds a shortcoming, if there is something it is about.
    fn report(&mut self, about: Option<String>, seen: impl Into<String>, remedy: impl Into<String>) {
        self.weigh(Weight::Keeps, about, seen, remedy);
    }

    fn advise(&mut self, about: String, seen: impl Into<String>, remedy: impl Into<String>) {
        self.weigh(Weight::Advises, Some(about), seen, remedy);
    }

    fn unknown(&mut self, about: String, seen: impl Into<String>, remedy: impl Into<String>) {
        self.weigh(Weight::Unknown, Some(about), seen, remedy);
    }

    fn weigh(&mut self, weight: Weight, about: Option<String>, seen: impl Into<String>, remedy: impl Into<String>) {
        let with = |about| Shortcoming { about, seen: seen.into(), remedy: remedy.into(), weight };
        self.shortcomings.extend(about.map(with));
    }

    /// Whether our own requests can tell anything. That the primary is down is for the rules.
    fn judge_probes(&mut self, prepares: bool, Probes { primary, dr, targets }: Probes) {
        for (parameter, probe) in [("PrimaryProbeUrl", primary), ("DrProbeUrl", dr)] {
            if probe == Probe::NotAsked {
                let seen = match parameter {
                    "DrProbeUrl" => "is not set: users may be pinned to a site that does not answer",
                    _ => "is not set: the health check alone says that the primary is down",
                };
                self.advise(parameter.to_owned(), seen, "give the site's own endpoint, never the failover name");
            }
            if probe.is_unclear() {
                let remedy = "let Holdfast's request through (its User-Agent says who asks), or correct the URL";
                self.report(Some(parameter.to_owned()), format!("tells nothing: {probe}"), remedy);
            }
        }
        if dr.is_down() {
            let seen = format!("{dr}: no failover begins while DR does not answer (P10)");
            self.report(Some("DR site".to_owned()), seen, "bring the DR site up");
        }
        if targets.would_hold(prepares) {
            let seen = format!("{targets}: no failover begins before the alarm DrHealthyAlarmName says OK (P15)");
            let remedy = "bring them up, let Prepare raise them (docs/steps.md), or correct the alarm";
            self.report(Some("DR's targets".to_owned()), seen, remedy);
        } else if targets == Targets::NotAnswered {
            let remedy = "the command line needs cloudwatch:DescribeAlarms in the DR region";
            self.unknown("DR's targets".to_owned(), targets.to_string(), remedy);
        }
    }

    /// Whether a failover would send users to data that somebody replicates. In an incident they are promoted, and no replicas then.
    fn judge_databases(&mut self, names: &[NameView], idle: &Result<Vec<String>, String>) {
        if names.iter().any(|view| view.register().is_some_and(|register| register.pin().is_some())) {
            return;
        }
        match idle {
            Ok(idle) => {
                for what in idle {
                    let seen = format!(
                        "{what}: users would be sent to data that stands still, or promotion would wait for it for ever"
                    );
                    let remedy = "correct AuroraClusters and RdsInstances, which name clusters and instances outside of clusters; or make \
                                  it a replica of the primary again (holdfast failback protect)";
                    self.report(Some("databases".to_owned()), seen, remedy);
                }
            }
            Err(error) => self.unknown(
                "databases".to_owned(),
                format!("whether they are replicas is not known: {error}"),
                "the command line needs rds:DescribeDBClusters and rds:DescribeDBInstances",
            ),
        }
    }
}

#[cfg(test)]
pub(super) mod tests;
