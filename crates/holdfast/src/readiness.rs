//! Whether an outage would get as far as a failover: where stacks, records and health checks disagree, though each deploys well by itself.

mod look;
mod own;
mod records;
mod zones;

use aws::CallError;
use aws::detector::{Detector, Evaluation, Follows};
use failover::observation::NameView;
use failover::plan::{Plan, alarm_name, arn_region};
use failover::record::{Pair, RecordSet};
use failover::register::Register;
use serde::Serialize;

pub use look::look;
use own::Own;
use records::records;
use zones::Zone;
pub use zones::{in_the_way, in_words, lift};

/// How far back the functions' runs are looked at.
const LOOKBACK_MINUTES: i64 = 15;

/// The detector counts an outage from the first probes that fail; the alarm's own period and late metrics come after it.
const DETECTION_ALLOWANCE_SECONDS: u32 = 600;
/// Of the failover-started alarm.
const ALARM_PERIOD_SECONDS: u32 = 60;
/// "Changes generally propagate to all Route 53 name servers within 60 seconds" (GetChange).
const IN_SYNC_SECONDS: u32 = 60;

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
    /// Every record set of theirs, in a pair or not.
    beside: Result<Vec<RecordSet>, CallError>,
    /// One for each of the plan's alarms.
    detectors: Vec<(String, Result<Option<Detector>, CallError>)>,
    /// The plan's zones.
    zones: Vec<Zone>,
    /// Holdfast itself.
    own: Own,
}

/// Holds the plan, the records, the detectors and whatever is around them against each other.
#[must_use]
pub fn judge(plan: &Plan, responder: Responder<'_>, around: &Around) -> Readiness {
    let mut readiness = Readiness::default();
    let names = around.names.as_slice();
    let pairs: Vec<&Pair> = names.iter().flat_map(|view| view.pairs.iter().flatten()).collect();
    readiness.judge_records(names, around.beside.as_deref().unwrap_or_default());
    if let Err(error) = &around.beside {
        let seen = format!("what stands beside the pairs is not known: {error}");
        readiness.unknown("records".to_owned(), seen, "the command line needs route53:ListResourceRecordSets");
    }
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
    readiness.judge_own(&around.own);
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

    fn judge_detector(
        &mut self,
        plan: &Plan,
        names: &[NameView],
        pairs: &[&Pair],
        responder: Responder<'_>,
        (alarm, detector): (&str, &Detector),
    ) {
        let Responder { region, bus } = responder;
        let is_ours = |arn: &String| arn_region(arn) == Some(region) && arn.ends_with(&format!(":event-bus/{bus}"));
        if !detector.forwards_to.iter().any(is_ours) {
            let seen = match detector.forwards_to.as_slice() {
                [] => "no rule of its name takes its event anywhere: only the tick sees it, up to a minute later"
                    .to_owned(),
                others => format!("its event goes to {}, not to the bus {bus} in {region}", others.join(", ")),
            };
            let remedy = format!("deploy the detector with ResponderRegion={region} and ResponderBusName={bus}");
            self.report(Some(format!("alarm {alarm}")), seen, remedy);
        }
        if detector.is_composite {
            return self.unknown(
                format!("alarm {alarm}"),
                "is a composite alarm: whether an alarm below it watches the PRIMARY records' health check is not looked at",
                "give the responder the detector's failover-started alarm as FailoverAlarmName, to have its wiring looked at",
            );
        }
        self.judge_evaluation(alarm, &detector.evaluation);
        let Some(watched) = &detector.watched else {
            return self.report(
                Some(format!("alarm {alarm}")),
                "watches no health check: it says nothing of what Route 53 answers",
                "give the responder the detector's failover-started alarm as FailoverAlarmName",
            );
        };
        let others = pairs.iter().map(|pair| pair.primary()).filter(|set| set.health_check.as_ref() != Some(watched));
        self.report(
            records("PRIMARY", others),
            format!("has another health check than the one that {alarm} watches"),
            format!("put the health check {watched} on every PRIMARY record, and no other"),
        );
        if plan.failover_health_check.as_ref() != Some(watched) {
            self.report(
                Some("a maintenance".to_owned()),
                "keeps Holdfast still, but could not keep Route 53 from answering with DR",
                format!("deploy the responder with FailoverHealthCheckId={watched}"),
            );
        }
        let Some(check) = &detector.check else {
            return self.report(
                Some(format!("health check {watched}")),
                "does not exist: the alarm can never ring",
                "deploy the detector again, and put its FailoverHealthCheckId on every PRIMARY record",
            );
        };
        let in_maintenance = names.iter().any(|view| matches!(view.register(), Some(Register::Paused { .. })));
        self.report(
            (check.disabled && !in_maintenance).then(|| format!("health check {watched}")),
            "is disabled, though there is no maintenance: Route 53 takes the primary for healthy whatever happens",
            format!("aws route53 update-health-check --no-disabled --health-check-id {watched}"),
        );
        match &check.follows {
            Some(follows) => self.judge_copy(plan, pairs, watched, follows),
            None => self.report(
                Some(format!("health check {watched}")),
                "follows no alarm: it moves DNS as soon as its own probes fail",
                "put the detector's FailoverHealthCheckId on the PRIMARY records, not its EndpointHealthCheckId",
            ),
        }
    }

    /// Whether CloudWatch evaluates an alarm as its settings say.
    fn judge_evaluation(&mut self, alarm: &str, evaluation: &Evaluation) {
        let Evaluation { trouble, warm_up_minutes, wall_clock } = evaluation;
        let about = || Some(format!("alarm {alarm}"));
        if let Some(trouble) = trouble {
            let remedy =
                "watch the site yourself until CloudWatch evaluates it again; EVALUATION_ERROR: its settings are wrong";
            self.report(about(), format!("is not evaluated as it should be: CloudWatch says {trouble}"), remedy);
        }
        if let Some(minutes) = warm_up_minutes {
            let seen = format!(
                "warms up: it says nothing for {minutes} minutes after each change of it, and Route 53's copy does"
            );
            self.report(about(), seen, "deploy the detector again: its alarms have no warm-up");
        }
        if *wall_clock {
            let seen =
                "counts its periods by the wall clock, and Route 53's copy does not: the two ring at different times";
            self.report(about(), seen, "deploy the detector again: its alarms have a sliding window");
        }
    }

    /// The health check's copy of the alarm against the alarm, and what follows for times.
    fn judge_copy(&mut self, plan: &Plan, pairs: &[&Pair], check: &str, follows: &Follows) {
        let Follows { alarm, copy, now, evaluation } = follows;
        self.judge_evaluation(alarm, evaluation);
        let about = Some(format!("health check {check}"));
        match now {
            None => self.report(
                about.clone(),
                format!("follows the alarm {alarm}, which is gone"),
                "deploy the detector again",
            ),
            Some(now) if now != copy => self.report(
                about.clone(),
                format!("goes by its own copy of {alarm}, and they differ: {copy:?} is copied, {now:?} is said now"),
                "change the detector's parameters in place of the alarm; to copy it anew: aws route53 update-health-check \
                 with the same --alarm-identifier",
            ),
            Some(_) => {}
        }
        let outage = copy.period_seconds.saturating_mul(copy.periods);
        let needed = outage.saturating_add(DETECTION_ALLOWANCE_SECONDS);
        let given = plan.limits.detection_seconds_max;
        self.report(
            (given < needed).then(|| "DetectionSecondsMax".to_owned()),
            format!(
                "is {given}, but an outage takes up to {needed} s to become an alarm: the lag before it goes unseen"
            ),
            format!("deploy the responder with DetectionSecondsMax={needed} or more"),
        );
        let ttl = pairs.iter().map(|pair| pair.primary().target.ttl_seconds()).max().unwrap_or_default();
        let drained = [outage, ALARM_PERIOD_SECONDS, IN_SYNC_SECONDS, ttl, plan.limits.drain_seconds];
        self.dns_seconds = self.dns_seconds.max(Some(outage));
        self.promotion_seconds = self.promotion_seconds.max(Some(drained.into_iter().fold(0, u32::saturating_add)));
    }
}

#[cfg(test)]
pub(super) mod tests {
    use aws::detector::{Check, Settings};
    use aws::watch::Runs;
    use aws::zone::Features;
    use failover::record::{Role, Routing, Target};
    use failover::register::Reading;

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
            beside: Ok(Vec::new()),
            detectors: vec![(ALARM.to_owned(), detector)],
            zones: vec![Zone { id: "Z1".to_owned(), protections: Ok(Vec::new()), features: Ok(features) }],
            own: own(),
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
    fn a_disabled_check_is_in_order_while_a_maintenance_lasts_and_a_plan_without_it_says_what_that_costs() {
        let mut paused = names("hc", None);
        let at = "2026-01-01T12:00:00Z".parse().unwrap();
        let text = format!("\"{}\"", Register::Paused { at, until: at, by: "me".to_owned() });
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
