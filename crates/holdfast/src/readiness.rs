//! Whether an outage would get as far as a failover: where stacks, records and health checks disagree, though each deploys well by itself.

mod detectors;
mod look;
mod own;
mod records;
mod zones;

use aws::CallError;
use aws::detector::Detector;
use failover::observation::{NameView, Probe, Probes};
use failover::plan::{Plan, alarm_name, arn_region};
use failover::record::Pair;
use serde::Serialize;

pub use look::look;
use own::Own;
use zones::Zone;
pub use zones::{in_the_way, in_words, lift};

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
#[derive(Debug, PartialEq, Eq, Serialize)]
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
    /// Holdfast itself.
    own: Own,
    /// What the plan's databases are that are no replicas, in words; or why that is not known.
    idle: Result<Vec<String>, String>,
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
                "deploy detector.yaml there, or correct the responder's FailoverAlarmName and DetectorRegion",
            ),
            Ok(Some(detector)) => readiness.judge_detector(plan, names, &pairs, responder, (alarm, detector)),
        }
    }
    around.zones.iter().for_each(|zone| readiness.judge_zone(names, zone));
    readiness.judge_probes(around.probes);
    readiness.judge_own(&around.own);
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
    fn judge_probes(&mut self, Probes { primary, dr }: Probes) {
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
pub(super) mod tests {
    use aws::detector::{Check, Evaluation, Follows, Settings};
    use aws::watch::Runs;
    use aws::zone::Features;
    use failover::record::{RecordSet, Role, Routing, Target};
    use failover::register::{Reading, Register};

    use super::*;

    const ALARM: &str = "arn:aws:cloudwatch:us-east-1:123456789012:alarm:started";
    const HERE: Responder<'_> = Responder { region: "eu-central-1", bus: "holdfast" };

    fn plan() -> Plan {
        let plan = r#"{"mode":"automatic","zones":[{"id":"Z1","names":["a.example.com","b.example.com"]}],"failover_health_check":"hc",
            "alarms":["ALARM"],"limits":{"lag_seconds_max":60,"settle_seconds":900,"cooldown_seconds":3600,"drain_seconds":90,
            "detection_seconds_max":2400}}"#;
        Plan::parse(&plan.replace("ALARM", ALARM)).unwrap()
    }

    pub fn set(name: &str, role: Role, health_check: Option<&str>) -> RecordSet {
        let value = match role {
            Role::Primary => "192.0.2.1",
            Role::Secondary => "198.51.100.1",
        };
        RecordSet {
            name: name.parse().unwrap(),
            kind: "A".to_owned(),
            routing: Routing::Failover { role, set_identifier: format!("{role:?}") },
            target: Target::Values { ttl_seconds: 30, values: vec![value.to_owned()] },
            health_check: health_check.map(str::to_owned),
        }
    }

    /// Two names, whose records have these health checks: PRIMARY, SECONDARY.
    fn names(primary: &str, secondary: Option<&str>) -> Vec<NameView> {
        let view = |name: &str| {
            let sets = [set(name, Role::Primary, Some(primary)), set(name, Role::Secondary, secondary)];
            NameView::of_name("Z1", &name.parse().unwrap(), &sets)
        };
        ["a.example.com", "b.example.com"].map(view).to_vec()
    }

    fn settings(periods: u32) -> Settings {
        let (metric, condition) = ("Minimum of it".to_owned(), "LessThanThreshold 1".to_owned());
        Settings { metric, condition, period_seconds: 60, periods }
    }

    fn detector() -> Detector {
        let (copy, now) = (settings(30), Some(settings(30)));
        let follows = Follows { alarm: "prolonged".to_owned(), copy, now, evaluation: Evaluation::default() };
        Detector {
            watched: Some("hc".to_owned()),
            check: Some(Check { disabled: false, follows: Some(follows) }),
            forwards_to: vec!["arn:aws:events:eu-central-1:123456789012:event-bus/holdfast".to_owned()],
            ..Detector::default()
        }
    }

    pub fn own() -> Own {
        let runs = |function: &str| (function.to_owned(), Ok(Some(Runs { invocations: 15, errors: 0 })));
        let runs = ["holdfast-alarm-handler", "holdfast-replica-promoter"].map(runs).into();
        Own { alarms: Ok(Vec::new()), mutes: Ok(Vec::new()), runs }
    }

    fn around(names: &[NameView], detector: Result<Option<Detector>, CallError>) -> Around {
        let features = Features { accelerated_recovery: Some("ENABLED".to_owned()), ..Features::default() };
        Around {
            names: names.to_vec(),
            detectors: vec![(ALARM.to_owned(), detector)],
            zones: vec![Zone { id: "Z1".to_owned(), protections: Ok(Vec::new()), features: Ok(features) }],
            probes: Probes { primary: Probe::Answers, dr: Probe::Answers },
            own: own(),
            idle: Ok(Vec::new()),
        }
    }

    fn judged(names: &[NameView], detector: Result<Option<Detector>, CallError>) -> Readiness {
        judge(&plan(), HERE, &around(names, detector))
    }

    /// Where all is well but for this.
    pub fn judged_with(change: impl FnOnce(&mut Around)) -> Readiness {
        let mut around = around(&names("hc", None), Ok(Some(detector())));
        change(&mut around);
        judge(&plan(), HERE, &around)
    }

    /// Every shortcoming, one a line.
    pub fn said(readiness: &Readiness) -> String {
        let line = |it: &Shortcoming| format!("{} {}; {}", it.about, it.seen, it.remedy);
        readiness.shortcomings.iter().map(line).collect::<Vec<_>>().join("\n")
    }

    /// The only shortcoming, in one line.
    pub fn only(readiness: &Readiness) -> String {
        assert_eq!(readiness.shortcomings.len(), 1, "{readiness:?}");
        said(readiness)
    }

    fn with(change: impl FnOnce(&mut Detector)) -> Readiness {
        let mut detector = detector();
        change(&mut detector);
        judged(&names("hc", None), Ok(Some(detector)))
    }

    fn with_follows(change: impl FnOnce(&mut Follows)) -> Readiness {
        with(|detector| change(detector.check.as_mut().unwrap().follows.as_mut().unwrap()))
    }

    #[test]
    fn where_all_agrees_it_says_how_long_a_failover_takes() {
        let expected = Readiness {
            shortcomings: Vec::new(),
            dns_seconds: Some(30 * 60),
            // The outage, the alarm's period, INSYNC, the records' TTL, the plan's drain time.
            promotion_seconds: Some(30 * 60 + 60 + 60 + 30 + 90),
        };
        assert_eq!(with(|_| {}), expected);
    }

    #[test]
    fn each_disagreement_is_said_with_its_remedy() {
        let cases = [
            (judged(&names("hc", None), Ok(None)), ["alarm started is not in us-east-1", "FailoverAlarmName"]),
            (
                judged(&names("other", None), Ok(Some(detector()))),
                ["PRIMARY record of a.example.com A and of 1 more", "hc on"],
            ),
            (judged(&names("hc", Some("x")), Ok(Some(detector()))), ["SECONDARY record of a.example.com", "remove"]),
            (with(|detector| detector.forwards_to.clear()), ["only the tick sees it", "ResponderBusName=holdfast"]),
            (
                with(|it| it.forwards_to = vec!["arn:aws:events:eu-west-3:1:event-bus/holdfast".to_owned()]),
                ["eu-west-3", "ResponderRegion=eu-central-1"],
            ),
            (
                with(|it| it.forwards_to = vec!["arn:aws:events:eu-central-1:1:event-bus/not-holdfast".to_owned()]),
                ["not-holdfast", "ResponderBusName=holdfast"],
            ),
            (with(|detector| detector.watched = None), ["watches no health check", "FailoverAlarmName"]),
            (with(|detector| detector.check = None), ["does not exist", "FailoverHealthCheckId"]),
            (with(|detector| detector.check.as_mut().unwrap().disabled = true), ["is disabled", "--no-disabled"]),
            (
                with(|detector| detector.check.as_mut().unwrap().follows = None),
                ["follows no alarm", "EndpointHealthCheckId"],
            ),
            (
                with(|it| it.evaluation.trouble = Some("EVALUATION_FAILURE".to_owned())),
                ["alarm started is not evaluated", "EVALUATION_FAILURE"],
            ),
            (with(|it| it.evaluation.warm_up_minutes = Some(60)), ["alarm started warms up", "60 minutes"]),
            (with_follows(|it| it.evaluation.wall_clock = true), ["alarm prolonged counts", "wall clock"]),
            (
                with(|it| {
                    *it = Detector { is_composite: true, forwards_to: it.forwards_to.clone(), ..Detector::default() }
                }),
                ["is a composite alarm", "FailoverAlarmName"],
            ),
            (with_follows(|follows| follows.now = None), ["prolonged, which is gone", "deploy the detector"]),
            (with_follows(|follows| follows.now = Some(settings(5))), ["they differ", "update-health-check"]),
            (
                with_follows(|it| (it.copy, it.now) = (settings(31), Some(settings(31)))),
                ["DetectionSecondsMax is 2400", "DetectionSecondsMax=2460"],
            ),
        ];
        for (readiness, words) in cases {
            let said = only(&readiness);
            assert!(words.iter().all(|word| said.contains(word)), "{words:?} in {said:?}");
        }
    }

    #[test]
    fn a_probe_that_can_tell_nothing_is_no_second_signal() {
        for (probes, words, weight) in [
            (
                Probes { primary: Probe::Refused(403), dr: Probe::Answers },
                "PrimaryProbeUrl tells nothing: refused: it answers 403",
                Weight::Keeps,
            ),
            (Probes { primary: Probe::Answers, dr: Probe::NotHttp }, "DrProbeUrl tells nothing", Weight::Keeps),
            (
                Probes { primary: Probe::Answers, dr: Probe::Unwell(503) },
                "no failover begins while DR does not answer",
                Weight::Keeps,
            ),
            (Probes { primary: Probe::NotAsked, dr: Probe::Answers }, "PrimaryProbeUrl is not set", Weight::Advises),
        ] {
            let readiness = judged_with(|around| around.probes = probes);
            assert!(only(&readiness).contains(words), "{words} in {}", only(&readiness));
            assert_eq!(readiness.shortcomings[0].weight, weight, "{words}");
        }
        let down = judged_with(|around| around.probes.primary = Probe::Unwell(500));
        assert_eq!(down.shortcomings, [], "that the primary is down is for the rules");
    }

    #[test]
    fn a_database_that_is_no_replica_is_said_before_the_outage() {
        let idle = || "Aurora cluster app-drr does not exist".to_owned();
        let readiness = judged_with(|around| around.idle = Ok(vec![idle()]));
        assert!(only(&readiness).contains("app-drr does not exist: users would be sent"), "{readiness:?}");
        assert_eq!(readiness.promotion_seconds, None);
        let readiness = judged_with(|around| around.idle = Err("RDS is down".to_owned()));
        assert!(only(&readiness).contains("not known: RDS is down"), "{readiness:?}");
        assert!(readiness.promotion_seconds.is_some());
        let pinned = judged_with(|around| {
            around.idle = Ok(vec![idle()]);
            around.names[0].register = register(
                &around.names[0].name,
                "v=1 pinned at=2026-01-05T10:12:10Z change=C1 incident=started@2026-01-05T10:12:00Z repins=0 original=A,values,60,192.0.2.1",
            );
        });
        assert!(!said(&pinned).contains("app-drr"), "in an incident it is to be no replica: {}", said(&pinned));
    }

    /// What a register's text reads as.
    fn register(name: &failover::name::Name, text: &str) -> Reading {
        let target = Target::Values { ttl_seconds: 60, values: vec![format!("\"{text}\"")] };
        let (of, kind) = (name.register(), "TXT".to_owned());
        let set = RecordSet { name: of, kind, routing: Routing::Simple, target, health_check: None };
        let reading = Reading::of_name(name, &[set]);
        assert!(matches!(reading, Reading::Known { .. }), "{reading:?}");
        reading
    }

    #[test]
    fn a_disabled_check_is_in_order_while_a_maintenance_lasts_and_a_plan_without_it_says_what_that_costs() {
        let mut paused = names("hc", None);
        let at = "2026-01-01T12:00:00Z".parse().unwrap();
        let text = format!("\"{}\"", Register::paused(at, at, "me".to_owned()));
        let target = Target::Values { ttl_seconds: 60, values: vec![text] };
        let (name, kind) = (paused[0].name.register(), "TXT".to_owned());
        let register = RecordSet { name, kind, routing: Routing::Simple, target, health_check: None };
        paused[0].register = Reading::of_name(&paused[0].name, &[register]);
        let mut disabled = detector();
        disabled.check.as_mut().unwrap().disabled = true;
        assert_eq!(judged(&paused, Ok(Some(disabled))).shortcomings, []);
        let without = Plan { failover_health_check: None, ..plan() };
        let readiness = judge(&without, HERE, &around(&names("hc", None), Ok(Some(detector()))));
        assert!(only(&readiness).contains("FailoverHealthCheckId=hc"));
    }
}
