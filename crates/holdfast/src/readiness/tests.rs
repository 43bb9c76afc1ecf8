//! What readiness says of whole stacks.

use aws::detector::{Check, Evaluation, Follows, Settings};
use aws::watch::Runs;
use aws::zone::Features;
use failover::record::{RecordSet, Role, Routing, Target};
use failover::register::{Reading, Register};

use super::*;

const ALARM: &str = "arn:aws:cloudwatch:us-east-1:123456789012:alarm:started";
const HERE: Responder<'_> = Responder { region: "eu-central-1", bus: "holdfast" };

pub fn plan() -> Plan {
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
        check: Some(Check { follows: Some(follows), ..Check::default() }),
        forwards_to: vec!["arn:aws:events:eu-central-1:123456789012:event-bus/holdfast".to_owned()],
        ..Detector::default()
    }
}

pub fn own() -> Own {
    let runs = |function: &str| (function.to_owned(), Ok(Some(Runs { invocations: 15, errors: 0 })));
    let runs = ["holdfast-alarm-handler", "holdfast-replica-promoter"].map(runs).into();
    Own { alarms: Ok(Vec::new()), topics: Vec::new(), mutes: Ok(Vec::new()), runs, has_to_ring: None }
}

fn around(names: &[NameView], detector: Result<Option<Detector>, CallError>) -> Around {
    let features = Features { accelerated_recovery: Some("ENABLED".to_owned()), ..Features::default() };
    Around {
        names: names.to_vec(),
        detectors: vec![(ALARM.to_owned(), detector)],
        zones: vec![Zone { id: "Z1".to_owned(), protections: Ok(Vec::new()), features: Ok(features) }],
        probes: Probes { primary: Probe::Answers, dr: Probe::Answers, targets: Targets::NotAsked },
        switch: None,
        own: own(),
        keep_alives: Vec::new(),
        idle: Ok(Vec::new()),
        now: "2026-01-05T10:00:00Z".parse().unwrap(),
    }
}

fn judged(names: &[NameView], detector: Result<Option<Detector>, CallError>) -> Readiness {
    judge(&plan(), HERE, &around(names, detector))
}

/// Where all is well but for this.
pub fn judged_with(change: impl FnOnce(&mut Around)) -> Readiness {
    judged_by(&plan(), change)
}

/// The same by another plan.
pub fn judged_by(plan: &Plan, change: impl FnOnce(&mut Around)) -> Readiness {
    let mut around = around(&names("hc", None), Ok(Some(detector())));
    change(&mut around);
    judge(plan, HERE, &around)
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
        (
            with_follows(|it| (it.copy, it.now) = (settings(5), Some(settings(5)))),
            ["in the 1500 s between counts as not lost", "DetectionSecondsMax=900"],
        ),
    ];
    for (readiness, words) in cases {
        let said = only(&readiness);
        assert!(words.iter().all(|word| said.contains(word)), "{words:?} in {said:?}");
    }
}

/// One stack: the alarm is the DR region's own, and the plan's check follows it.
#[test]
fn an_alarm_of_the_same_stack_is_told_by_that_stack_s_words() {
    const OWN_ALARM: &str = "arn:aws:cloudwatch:eu-central-1:123456789012:alarm:holdfast-prolonged-outage-30min";
    let own = |change: fn(&mut Detector)| {
        let mut one = detector();
        one.forwards_to = vec!["arn:aws:lambda:eu-central-1:123456789012:function:holdfast-alarm-handler".to_owned()];
        change(&mut one);
        judged_with(|around| around.detectors = vec![(OWN_ALARM.to_owned(), Ok(Some(one)))])
    };
    assert_eq!(own(|_| {}), with(|_| {}), "all is well, and as fast");
    let gone = judged_with(|around| around.detectors = vec![(OWN_ALARM.to_owned(), Ok(None))]);
    for (readiness, words) in [
        (own(|one| one.forwards_to.clear()), "rule of the alarm's name wakes alarm-handler"),
        (own(|one| (one.watched, one.check) = (None, None)), "is not what the plan's failover health check follows"),
        (gone, "is not in eu-central-1: nothing would start a failover; deploy the stack again"),
    ] {
        assert!(only(&readiness).contains(words), "{words} in {}", only(&readiness));
    }
}

#[test]
fn a_probe_that_can_tell_nothing_is_no_second_signal() {
    for (probes, words, weight) in [
        (
            Probes { primary: Probe::Refused(403), dr: Probe::Answers, targets: Targets::NotAsked },
            "PrimaryProbeUrl tells nothing: refused: it answers 403",
            Weight::Keeps,
        ),
        (
            Probes { primary: Probe::Answers, dr: Probe::NotHttp, targets: Targets::NotAsked },
            "DrProbeUrl tells nothing",
            Weight::Keeps,
        ),
        (
            Probes { primary: Probe::Answers, dr: Probe::Answers, targets: Targets::TooFew },
            "DR's targets too few are healthy: the alarm says ALARM",
            Weight::Keeps,
        ),
        (
            Probes { primary: Probe::Answers, dr: Probe::Answers, targets: Targets::NotAnswered },
            "DR's targets not known: CloudWatch did not answer",
            Weight::Unknown,
        ),
        (
            Probes { primary: Probe::Answers, dr: Probe::Unwell(503), targets: Targets::NotAsked },
            "no failover begins while DR does not answer",
            Weight::Keeps,
        ),
        (
            Probes { primary: Probe::NotAsked, dr: Probe::Answers, targets: Targets::NotAsked },
            "PrimaryProbeUrl is not set",
            Weight::Advises,
        ),
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
