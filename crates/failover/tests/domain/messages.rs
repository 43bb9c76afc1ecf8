//! What operators are told.

use std::collections::BTreeSet;

use crate::common::*;
use failover::incident::{Approval, Incident};
use failover::message::{self, Failure};
use failover::observation::{Attention, Fact, Probe, Silence, Targets};
use failover::outcome::{Finding, Kind, Outcome, Trigger};
use failover::pin::Verdict;
use failover::plan::Mode;
use failover::register::ArmedBy;
use failover::rule::Rule;
use failover::signal::Signal;
use failover::users::{Place, Users};
use proptest::prelude::*;

/// The approval that the command in a message sends.
fn approval_in(body: &str) -> Approval {
    let command = body.lines().find(|line| line.contains("put-events")).unwrap();
    let (_, quoted) = command.split_once("--entries '").unwrap();
    let json = quoted.strip_suffix('\'').unwrap();
    assert!(!json.contains('\''), "the shell would end the argument here: {json}");
    let entries: serde_json::Value = serde_json::from_str(json).unwrap();
    assert_eq!((&entries[0]["EventBusName"], &entries[0]["Source"]), (&"holdfast".into(), &"holdfast.operator".into()));
    assert_eq!(entries[0]["DetailType"], "Holdfast Approval");
    Approval::parse(entries[0]["Detail"].as_str().unwrap()).unwrap()
}

#[test]
fn every_outcome_says_what_happened_why_and_what_happens_next() {
    let kinds = every_kind();
    assert!(kinds.contains(&Kind::Nothing) && kinds.contains(&Kind::FailedOver), "{kinds:?}");
    let bodies: BTreeSet<_> = kinds
        .iter()
        .map(|kind| {
            let message = message::of_outcome(&outcome(*kind, Attention::Page, Trigger::Event, 0), &sender());
            let lines: Vec<_> = message.body.lines().collect();
            for said in [
                "  P13b: failover has started.",
                "  A record: PRIMARY 192.0.2.1",
                "  The databases are promoted.",
                "  started@2026-01-01T12:00:00Z",
            ] {
                assert!(lines.contains(&said), "{kind:?} lacks {said:?}: {}", message.body);
            }
            let titles: Vec<_> = lines.iter().filter(|line| line.starts_with(char::is_uppercase)).collect();
            assert_eq!(titles, [&"WHAT HAPPENED", &"WHY", &"WHAT HAPPENS NEXT", &"INCIDENT", &"FROM"], "{kind:?}");
            assert!(lines[1].contains("app.example.com") && message.subject.contains("app.example.com"), "{kind:?}");
            message.body
        })
        .collect();
    assert_eq!(bodies.len(), kinds.len(), "no two kinds say the same");
}

#[test]
fn the_weightiest_finding_leads_and_the_others_are_listed() {
    let mut refused = finding(Kind::Refused, Attention::Page, "b.example.com");
    refused.because = "half a pair".to_owned();
    let quiet =
        Finding { because: "all is well".to_owned(), ..finding(Kind::Nothing, Attention::None, "c.example.com") };
    let mut pinned = finding(Kind::Pinned, Attention::Page, "a.example.com");
    let also_pinned = finding(Kind::Pinned, Attention::Page, "d.example.com");
    pinned.facts = vec![Fact::new("of", "a")];
    let outcome = Outcome::of(at(60), Trigger::Tick, &[refused, quiet, pinned, also_pinned]);
    assert_eq!(
        (outcome.outcome, outcome.subjects.as_slice()),
        (Kind::Pinned, &["a.example.com".to_owned(), "d.example.com".to_owned()][..])
    );
    assert_eq!(outcome.facts, [Fact::new("of", "a")], "subject and facts speak of the same name");
    assert_eq!(outcome.also, ["b.example.com: P13b: half a pair"]);
    let message = message::of_outcome(&outcome, &sender());
    assert_eq!(message.subject, "Holdfast: pinned to DR: a.example.com and 1 more");
    assert!(message.body.contains("ALSO\n  b.example.com: P13b: half a pair"), "{}", message.body);
}

/// EventBridge, Lambda's asynchronous destinations and SNS take 256 KB, with the event that woke the function beside it.
#[test]
fn an_outcome_of_ten_thousand_names_fits_into_an_event_and_a_message_and_still_counts_them() {
    const BYTES_MAX: usize = 200_000;
    let long = |n: usize| format!("{n}.{}", "a-label-of-sixty-three-octets-as-long-as-dns-allows.".repeat(4));
    let half = |kind, because: &str| {
        let named = |n| Finding { because: because.to_owned(), ..finding(kind, Attention::Page, &long(n)) };
        (0..5_000).map(named).collect::<Vec<_>>()
    };
    let findings = [half(Kind::Pinned, "failover has started"), half(Kind::Refused, "half a pair")].concat();
    let outcome = Outcome::of(at(0), Trigger::Event, &findings);
    assert_eq!((outcome.outcome, outcome.subject_count(), outcome.subjects.len()), (Kind::Pinned, 5_000, 100));
    assert_eq!(outcome.also.last().map(String::as_str), Some("and 4900 more"));
    let event = serde_json::to_string(&outcome).unwrap();
    assert!(event.len() < BYTES_MAX, "{} bytes", event.len());
    let read: Outcome = serde_json::from_str(&event).unwrap();
    assert_eq!(read, outcome);
    let message = message::of_outcome(&read, &sender());
    assert!(message.body.len() < BYTES_MAX, "{} bytes", message.body.len());
    assert!(message.body.contains("and 4990 more now point at DR"), "{}", &message.body[..4_000]);
}

#[test]
fn of_many_names_ten_are_told() {
    let told = |count: usize| {
        let findings: Vec<_> = (0..count).map(|n| finding(Kind::Armed, Attention::Notice, &format!("n{n}"))).collect();
        message::of_outcome(&Outcome::of(at(0), Trigger::Tick, &findings), &sender()).body
    };
    assert!(told(1).contains("n0 is armed."));
    assert!(told(10).contains("n8, n9 are armed."));
    assert!(told(11).contains("n8, n9 and 1 more are armed."));
}

#[test]
fn an_outcome_survives_the_bus() {
    let mut scene = Scene::outage();
    scene.plan.mode = Mode::Approval;
    for findings in [vec![], vec![scene.decide().into()], vec![Scene::outage().decide().into()]] {
        let outcome = Outcome::of(at(60), Trigger::Tick, &findings);
        let json = serde_json::to_string(&outcome).unwrap();
        assert_eq!(serde_json::from_str::<Outcome>(&json).unwrap(), outcome);
        assert!(!json.contains("unlisted"), "what is not so need not be said: {json}");
    }
}

#[test]
fn an_outcome_of_a_later_version_whose_rule_nobody_here_knows_is_told_all_the_same() {
    let outcome = outcome(Kind::Pinned, Attention::Page, Trigger::Event, 0);
    let later = serde_json::to_string(&outcome).unwrap().replace(r#""rule":"P13""#, r#""rule":"P99""#);
    let read: Outcome = serde_json::from_str(&later).unwrap();
    assert_eq!(read, Outcome { id: None, ..outcome });
    assert!(message::of_outcome(&read, &sender()).body.contains("failover has started"));
}

#[test]
fn following_the_message_fails_over_however_many_rules_stand_in_the_way() {
    let mut scene = Scene::outage();
    scene.register(&armed(-899, ArmedBy::Operator));
    (scene.probes.primary, scene.probes.dr) = (Probe::Answers, Probe::Silent(Silence::TimedOut));
    scene.probes.targets = Targets::TooFew;
    let decision = scene.decide();
    assert_eq!(decision.row.id.rule, Rule::P08);
    let outcome = Outcome::of(at(60), Trigger::Tick, &[decision.into()]);
    let message = message::of_outcome(&outcome, &sender());
    let command = "--despite P08,P09,P10,P15 --region eu-central-1 --reason WHY";
    assert!(message.body.contains(command), "{}", message.body);
    scene.approval = Some(approval_in(&message.body));
    assert_eq!(scene.decide().row.verdict, Verdict::Pin);
}

#[test]
fn what_waits_for_approval_is_told_with_its_command_even_beside_weightier_news() {
    let asks =
        Finding { despite: [Rule::R07].into(), ..finding(Kind::ApprovalNeeded, Attention::Page, "RDS instance b") };
    let promoted = finding(Kind::PromotionRequested, Attention::Page, "RDS instance a");
    let outcome = Outcome::of(at(60), Trigger::Tick, &[asks, promoted]);
    assert_eq!(outcome.outcome, Kind::PromotionRequested);
    let approval = approval_in(&message::of_outcome(&outcome, &sender()).body);
    assert!(approval.lifts(Rule::R07, &incident(0)));
}

#[test]
fn where_no_approval_helps_no_command_is_given() {
    let mut scene = Scene::outage();
    scene.register(&paused(9_000));
    let outcome = Outcome::of(at(60), Trigger::Tick, &[scene.decide().into()]);
    assert_eq!(outcome.outcome, Kind::Held);
    assert!(!message::of_outcome(&outcome, &sender()).body.contains("WHAT TO RUN"));
}

#[test]
fn an_approval_is_answered_whatever_comes_of_it() {
    for kind in every_kind() {
        for (attention, raised) in [
            (Attention::None, Attention::Notice),
            (Attention::Notice, Attention::Notice),
            (Attention::Page, Attention::Page),
        ] {
            let answer = outcome(kind, attention, Trigger::Approval, 420);
            assert_eq!(answer.attention, raised, "{kind:?}");
            assert!(message::is_due(&answer), "{kind:?}");
            let body = message::of_outcome(&answer, &sender()).body;
            assert!(body.starts_with("WHAT HAPPENED\n  Your approval was received. "), "{body}");
            for trigger in [Trigger::Tick, Trigger::Event] {
                assert_eq!(outcome(kind, attention, trigger, 420).attention, attention, "{kind:?}");
            }
        }
    }
}

#[test]
fn an_approval_of_what_is_over_is_answered_with_what_to_do_and_not_with_nothing_to_do() {
    let declared = Incident::declared(at(0));
    let answer = |incident: &Incident, now: i64, scene: &Scene| {
        let approval =
            Approval { incident: incident.clone(), by: "kim".to_owned(), reason: String::new(), despite: [].into() };
        let signal = Signal::Approval { approval, given: at(now) };
        let findings = [scene.decide().into()];
        let outcome = Outcome::of(at(now), Trigger::Approval, &findings);
        message::of_outcome(&Outcome { unheeded: signal.unheeded(&findings, at(now)), ..outcome }, &sender())
    };
    let mut quiet = Scene::outage();
    quiet.all_ok_since(-900);
    let late = answer(&declared, 16 * 60, &quiet);
    assert_eq!(late.subject, "Holdfast: your approval STARTED NOTHING: app.example.com");
    for said in ["valid for 15 minutes", "now it is 2026-01-01T12:16:00Z", "send it again with the time now"] {
        assert!(late.body.contains(said), "{said}: {}", late.body);
    }
    assert!(!late.body.contains("nothing to do"), "{}", late.body);
    let over = answer(&incident(0), 60, &quiet).body;
    assert!(
        over.contains("no name is in that incident now") && over.contains("`holdfast failover` starts one"),
        "{over}"
    );
    // While another incident waits for a person, what waits is said too.
    let mut waiting = Scene::outage();
    waiting.plan.mode = Mode::Approval;
    let other = answer(&incident(-600), 60, &waiting).body;
    assert!(other.contains("the incident now is") && other.contains("Holdfast waits for your approval"), "{other}");
    let heeded = answer(&incident(0), 60, &waiting).body;
    assert!(heeded.contains("Your approval was received. Holdfast waits"), "{heeded}");
}

#[test]
fn an_approval_that_changes_nothing_is_answered_with_why() {
    let told = |findings: &[Finding]| message::of_outcome(&Outcome::of(at(60), Trigger::Approval, findings), &sender());
    let mut scene = Scene::outage();
    scene.all_ok_since(-900);
    let message = told(&[scene.decide().into()]);
    assert_eq!(message.subject, "Holdfast: nothing to do: app.example.com");
    assert!(message.body.contains("received. There is nothing to do now about app.example.com."), "{}", message.body);
    assert!(message.body.contains("P06d: the alarm does not say"), "{}", message.body);
    scene.register(&disarmed());
    let body = told(&[scene.decide().into()]).body;
    assert!(body.contains("received. Holdfast still waits before it goes on with app.example.com."), "{body}");
    let message = told(&[]);
    assert_eq!(message.subject, "Holdfast: nothing to do");
    assert!(message.body.contains("received. There is nothing to do now about the workload."), "{}", message.body);
}

#[test]
fn a_card_is_short_enough_to_be_shown_and_an_alarm_to_be_sent_whatever_they_are_about() {
    let long = "x".repeat(100);
    let mut findings = vec![finding(Kind::Held, Attention::Page, "app.example.com")];
    findings.extend(
        (0..2_000).map(|n| Finding { because: format!("{n} {long}"), ..finding(Kind::Held, Attention::Page, "*.b") }),
    );
    let message = message::of_outcome(&Outcome::of(at(0), Trigger::Tick, &findings), &sender());
    let card: serde_json::Value = serde_json::from_str(&message.card()).unwrap();
    let description = card["content"]["description"].as_str().unwrap();
    assert!(description.chars().count() < 2_600 && description.ends_with("The rest is in the mail."), "{description}");
    let (_, alarm) = message.alarm("eu-central-1", "123456789012");
    let alarm: serde_json::Value = serde_json::from_str(&alarm).unwrap();
    assert!(alarm["AlarmDescription"].as_str().unwrap().chars().count() < 10_100);
}

fn moved_by_route_53() -> Users {
    Users { place: Place::SentToDr { returnable: true }, since: Some(at(0)), dr_takes_writes: Some(false), unpinned: 1 }
}

#[test]
fn where_users_are_comes_first_and_what_a_hold_costs_them_is_in_the_subject() {
    let held = Finding { id: Some(Rule::P09.row('a')), ..finding(Kind::Held, Attention::Page, "app.example.com") };
    let held = Finding { despite: [Rule::P09].into(), ..held };
    let outcome = |users, finding: &Finding| {
        let findings = std::slice::from_ref(finding);
        Outcome::of(at(60), Trigger::Tick, findings).with_users(Some(users), findings)
    };
    let message = message::of_outcome(&outcome(moved_by_route_53(), &held), &sender());
    assert_eq!(message.subject, "Holdfast: HELD, primary may be up, users on READ-ONLY DR: app.example.com");
    assert!(
        message.body.starts_with("WHERE USERS ARE\n  Users are on DR since about 2026-01-01T12:00:00Z"),
        "{}",
        message.body
    );
    assert!(message.body.contains("holdfast maintenance begin --for 1h --region eu-central-1\n"), "{}", message.body);
    assert!(message.card().contains("READ-ONLY") && message.card().contains("writes fail"), "{}", message.card());
    let lasting = Users { place: Place::SentToDr { returnable: false }, ..moved_by_route_53() };
    let body = message::of_outcome(&outcome(lasting, &held), &sender()).body;
    assert!(!body.contains("maintenance"), "it would move nobody: {body}");
    let without_databases = Users { dr_takes_writes: None, ..moved_by_route_53() };
    let subject = message::of_outcome(&outcome(without_databases, &held), &sender()).subject;
    assert_eq!(subject, "Holdfast: HELD, primary may be up, users on DR: app.example.com");
    let pinned = finding(Kind::Pinned, Attention::Page, "app.example.com");
    let message = message::of_outcome(&outcome(moved_by_route_53(), &pinned), &sender());
    assert_eq!(message.subject, "Holdfast: pinned to DR: app.example.com");
    assert!(
        message.body.contains("and the pin keeps them there. Not every database there takes writes yet."),
        "{}",
        message.body
    );
}

#[test]
fn opposite_situations_never_share_a_subject() {
    let subject = |(kind, rule): (Kind, Rule)| {
        let finding = Finding { id: Some(rule.alone()), ..finding(kind, Attention::Page, "a") };
        message::of_outcome(&Outcome::of(at(0), Trigger::Tick, &[finding]), &sender()).subject
    };
    let situations = [
        (Kind::Held, Rule::P05),
        (Kind::Held, Rule::P09),
        (Kind::Held, Rule::P10),
        (Kind::Held, Rule::P15),
        (Kind::Refused, Rule::P04),
        (Kind::Refused, Rule::P07),
        (Kind::ApprovalNeeded, Rule::P08),
        (Kind::ApprovalNeeded, Rule::P12),
        (Kind::ApprovalNeeded, Rule::R07),
        (Kind::ApprovalNeeded, Rule::R09),
    ];
    let subjects: BTreeSet<_> = situations.into_iter().map(subject).collect();
    assert_eq!(subjects.len(), situations.len(), "{subjects:?}");
}

#[test]
fn a_decision_is_a_pagers_incident_of_its_own_and_all_that_goes_as_planned_is_one() {
    let named = |kind, rule: Rule, attention| {
        let finding = Finding { id: Some(rule.alone()), ..finding(kind, attention, "app.example.com") };
        let message = message::of_outcome(&Outcome::of(at(0), Trigger::Tick, &[finding]), &sender());
        let body: serde_json::Value = serde_json::from_str(&message.alarm("eu-central-1", "123456789012").1).unwrap();
        body["AlarmName"].as_str().unwrap().to_owned()
    };
    let pinned = named(Kind::Pinned, Rule::P13, Attention::Page);
    assert_eq!(pinned, "Holdfast: started@2026-01-01T12:00:00Z");
    assert_eq!(named(Kind::PromotionRequested, Rule::R08, Attention::Page), pinned);
    let stuck = named(Kind::Waiting, Rule::R02, Attention::Page);
    assert_eq!(stuck, "Holdfast: promotion is STUCK (R02), started@2026-01-01T12:00:00Z");
    assert_eq!(named(Kind::Waiting, Rule::R02, Attention::Notice), pinned);
    let asked = named(Kind::ApprovalNeeded, Rule::R07, Attention::Page);
    assert_eq!(asked, "Holdfast: APPROVE losing writes? (R07), started@2026-01-01T12:00:00Z");
}

#[test]
fn a_card_nobody_need_get_up_for_looks_so() {
    let card = message::of_outcome(&outcome(Kind::Armed, Attention::Notice, Trigger::Tick, 0), &sender()).card();
    let card: serde_json::Value = serde_json::from_str(&card).unwrap();
    assert_eq!(card["content"]["title"], "\u{2139}\u{fe0f} armed: app.example.com");
}

#[test]
fn no_character_of_a_name_is_markdown_in_a_card_and_every_command_can_be_copied() {
    let mut asks = finding(Kind::ApprovalNeeded, Attention::Page, "*.shop.example.com");
    asks.incident = Some(Incident { alarm: "started".to_owned(), began: at(0) });
    asks.despite = BTreeSet::from([Rule::P09]);
    let message = message::of_outcome(&Outcome::of(at(0), Trigger::Tick, &[asks]), &sender());
    let card: serde_json::Value = serde_json::from_str(&message.card()).unwrap();
    assert!(card["content"]["description"].as_str().unwrap().contains("*\u{200b}.shop.example.com"));
    let title = card["content"]["title"].as_str().unwrap();
    assert!(title.starts_with("\u{1f6a8} your APPROVAL is needed: *\u{200b}.shop"), "{title}");
    let steps: Vec<_> = card["content"]["nextSteps"].as_array().unwrap().iter().map(|s| s.as_str().unwrap()).collect();
    let command = steps.iter().find_map(|step| step.split_once('`')).unwrap().1.trim_end_matches('`');
    assert!(command.starts_with("holdfast approve 'started@"), "{command}");
    assert_eq!(message.attributes(), [("attention", "page"), ("outcome", "ApprovalNeeded")]);
}

proptest! {
    #[test]
    fn a_subject_is_one_short_line_of_ascii_whatever_the_name(name in any::<String>(), more in 0..3_usize) {
        let findings = vec![finding(Kind::Interrupted, Attention::Page, &name); more + 1];
        let outcome = Outcome::of(at(0), Trigger::Event, &findings);
        let failure = Failure {
            function: name,
            request_id: String::new(),
            error: String::new(),
            event: String::new(),
            condition: String::new(),
            scheduled: None,
            at: at(0),
        };
        let told = [message::of_outcome(&outcome, &sender()), message::of_failure(&failure, &sender())];
        let alarms = told.each_ref().map(|message| message.alarm("eu-central-1", "123456789012").0);
        for subject in told.map(|message| message.subject).into_iter().chain(alarms) {
            prop_assert!(subject.len() <= 99 && subject.chars().all(|c| c == ' ' || c.is_ascii_graphic()), "{:?}", subject);
        }
    }

    #[test]
    fn the_command_that_approves_reads_back_whatever_the_alarm_is_called(
        alarm in any::<String>().prop_filter("CloudWatch: no control characters", |name| !name.contains(char::is_control)),
        despite in prop::sample::subsequence(vec![Rule::P08, Rule::P09, Rule::P10, Rule::P12, Rule::P15, Rule::R07], 1..=6),
    ) {
        let incident = Incident { alarm: format!("it's {alarm}"), began: at(0) };
        let mut asks = finding(Kind::ApprovalNeeded, Attention::Page, "app.example.com");
        asks.incident = Some(incident.clone());
        asks.despite = despite.iter().copied().collect();
        let message = message::of_outcome(&Outcome::of(at(0), Trigger::Tick, &[asks]), &sender());
        let approval = approval_in(&message.body);
        for rule in despite {
            prop_assert!(approval.lifts(rule, &incident));
        }
    }
}
