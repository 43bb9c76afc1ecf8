//! In peace: what would keep a database from being promoted.

use std::collections::{BTreeMap, BTreeSet};

use crate::common::{
    self, DR, PRIMARY, armed, at, disarmed, failed_over, lines, paused, pinned, plan, sender, unrecorded, view,
};
use failover::message;
use failover::observation::Attention;
use failover::outcome::{Finding, Kind, Outcome, Trigger};
use failover::plan::{Heartbeat, Plan, ReplicaId};
use failover::promotion::{
    Database, Instances, LagSample, PEACE_TABLE, ReplicaState, ReplicaView, Shortcoming, Source, Verdict, is_guarded,
    shortcomings,
};
use failover::register::ArmedBy;
use failover::rule::Rule;

/// A replica in quiet times, looked at at second 0.
fn quiet() -> ReplicaView {
    ReplicaView {
        id: ReplicaId::RdsInstance("app-dr".to_owned()),
        state: common::database("available", Some("app"), Instances::Writer),
        lags: vec![LagSample { seconds: 1, at: at(-60) }],
    }
}

fn database(view: &mut ReplicaView, differs: impl Fn(&mut Database)) {
    let ReplicaState::Present(database) = &mut view.state else { panic!("it is there") };
    differs(database);
}

fn lag(view: &mut ReplicaView, samples: &[(u64, i64)]) {
    view.lags = samples.iter().map(|&(seconds, since)| LagSample { seconds, at: at(since) }).collect();
}

fn found(differs: fn(&mut ReplicaView)) -> Option<Shortcoming> {
    let mut replica = quiet();
    differs(&mut replica);
    shortcomings(&plan(), at(0), &[replica]).pop()
}

type Case = (&'static str, fn(&mut ReplicaView), Option<(Rule, &'static str, Option<i64>)>);

#[rustfmt::skip]
const CASES: &[Case] = &[
    ("a replica that keeps up is well", |_| {}, None),
    ("so is one that is backed up", |r| database(r, |it| it.status = "backing-up".into()), None),
    ("or upgraded, and has no lag", |r| { database(r, |it| it.status = "upgrading".into()); r.lags.clear(); }, None),
    ("a misspelt name is told", |r| r.state = ReplicaState::Missing, Some((Rule::R03, "RDS knows no", None))),
    ("so is an instance of a cluster among the instances", |r| database(r, |it| it.source = Source::MemberOf("app".into())), Some((Rule::R03, "an instance of a cluster", None))),
    ("and a global database", |r| database(r, |it| it.source = Source::Global("app".into())), Some((Rule::R03, "a cluster of a global", None))),
    ("a cluster that is not in the global database that the plan names", |r| database(r, |it| it.source = Source::NotInGlobal("world".into())), Some((Rule::R03, "not a cluster of the global", None))),
    ("a secondary of it is well", |r| database(r, |it| it.source = common::place(false, None)), None),
    ("so is one that is being switched over to", |r| { database(r, |it| it.source = common::place(false, common::switching_over())); r.lags.clear(); }, None),
    ("but not its primary", |r| database(r, |it| it.source = common::place(true, None)), Some((Rule::R09, "it is the primary of its global", None))),
    ("what RDS does not tell", |r| r.state = ReplicaState::Unanswered("denied".into()), Some((Rule::R06, "RDS did not answer", None))),
    ("a database that never was a replica, or is none any more", |r| database(r, |it| it.source = Source::NoneNamed), Some((Rule::R09, "it is no replica", None))),
    ("four minutes after its last sample it is known since when", |r| { lag(r, &[(1, -300), (1, -240)]); database(r, |it| it.source = Source::NoneNamed); }, Some((Rule::R09, "it is no replica", Some(-240)))),
    ("before, another may come", |r| { lag(r, &[(1, -239)]); database(r, |it| it.source = Source::NoneNamed); }, Some((Rule::R09, "it is no replica", None))),
    ("a replica that was deleted", |r| { lag(r, &[(1, -600)]); r.state = ReplicaState::Missing; }, Some((Rule::R03, "RDS knows no", Some(-600)))),
    ("though it is stopped", |r| database(r, |it| (it.source, it.status) = (Source::NoneNamed, "stopped".into())), Some((Rule::R09, "it is no replica", None))),
    ("a stopped replica", |r| database(r, |it| it.status = "stopped".into()), Some((Rule::R06, "not in a state", None))),
    ("a cluster without an instance", |r| database(r, |it| it.instances = Instances::None), Some((Rule::R06, "not in a state", None))),
    ("one of which RDS names no writer could be promoted", |r| database(r, |it| it.instances = Instances::Reader), None),
    ("for a quarter of an hour lag may be unknown", |r| lag(r, &[(1, -900)]), None),
    ("but no longer", |r| lag(r, &[(1, -901)]), Some((Rule::R07, "no lag is known", Some(-901)))),
    ("or never known", |r| r.lags.clear(), Some((Rule::R07, "no lag is known", None))),
    ("for a quarter of an hour it may be too great", |r| lag(r, &[(60, -900), (61, -60)]), None),
    ("but no longer", |r| lag(r, &[(60, -901), (61, -60)]), Some((Rule::R07, "further behind", Some(-901)))),
    ("or always too great", |r| lag(r, &[(61, -960), (61, -60)]), Some((Rule::R07, "further behind", None))),
    ("an idle PostgreSQL source may be silent for five minutes", |r| { database(r, |it| it.engine = "postgres".into()); lag(r, &[(300, -900), (301, -60)]); }, None),
    ("not for longer", |r| { database(r, |it| it.engine = "postgres".into()); lag(r, &[(301, -900), (301, -60)]); }, Some((Rule::R07, "further behind", None))),
];

#[test]
fn what_would_keep_a_database_from_being_promoted_is_found_in_peace() {
    for (story, differs, expected) in CASES {
        let shortcoming = found(*differs);
        let told = shortcoming.as_ref().map(|it| (it.row.id.rule, it.row.condition, it.since));
        match (told, expected) {
            (None, None) => {}
            (Some((rule, condition, since)), Some((right, begins, from))) => {
                assert_eq!((rule, since), (*right, from.map(at)), "{story}");
                assert!(condition.starts_with(begins), "{story}: {condition}");
            }
            (told, _) => panic!("{story}: {told:?}"),
        }
    }
}

#[test]
fn every_row_of_peace_that_tells_something_is_reached() {
    let reached: BTreeSet<_> =
        CASES.iter().filter_map(|(_, differs, _)| Some(found(*differs)?.row.condition)).collect();
    for row in PEACE_TABLE.iter().filter(|row| row.verdict == Verdict::Trouble) {
        assert!(reached.contains(row.condition), "no case reaches {row:?}");
    }
}

#[test]
fn a_shortcoming_is_a_page_that_says_neither_that_there_is_an_outage_nor_that_there_is_none() {
    let shortcoming = found(|r| database(r, |it| it.source = Source::NoneNamed)).unwrap();
    assert_eq!(lines(&shortcoming.facts), ["RDS instance app-dr: available, no replica, created 2025-12-31T12:00:00Z"]);
    let late = found(|r| lag(r, &[(61, -960)])).unwrap();
    assert_eq!(lines(&late.facts)[1], "lag of RDS instance app-dr: 61 s at 2026-01-01T11:44:00Z, 60 s are allowed");
    for (shortcoming, subject, sentence) in [
        (
            shortcoming,
            "Holdfast: database NOT promotable: RDS instance app-dr",
            "No failover is under way, and RDS instance app-dr would not be promoted in one as things are.",
        ),
        (
            late,
            "Holdfast: replication AT RISK: RDS instance app-dr",
            "No failover is under way. In one, it might have to ask you about RDS instance app-dr.",
        ),
    ] {
        let outcome = Outcome::of(at(0), Trigger::Tick, &[Finding::from(shortcoming)]);
        assert_eq!((outcome.outcome, outcome.attention), (Kind::DatabaseTrouble, Attention::Page));
        let message = message::of_outcome(&outcome, &sender());
        assert_eq!(message.subject, subject);
        assert!(message.body.contains(sentence) && !message.body.contains("on DR"), "{}", message.body);
    }
}

#[test]
fn a_heartbeat_that_falls_silent_is_told_as_that_and_its_job_is_named_as_the_place_to_look() {
    let silent = ReplicaView { lags: Vec::new(), ..quiet() };
    let heartbeat = Heartbeat { namespace: "Ours".to_owned(), metric: "Age".to_owned(), dimensions: BTreeMap::new() };
    let plan = Plan { heartbeats: [(silent.id.clone(), heartbeat)].into(), ..plan() };
    let found = shortcomings(&plan, at(0), &[silent]).pop().unwrap();
    assert_eq!(found.row.id.rule, Rule::R07);
    let told = lines(&found.facts);
    assert_eq!(told[1], "heartbeat of RDS instance app-dr: no sample; see that its job still publishes it");
}

#[test]
fn databases_are_looked_at_in_peace_where_holdfast_would_act() {
    let name = |register: Option<&failover::register::Register>| view("app.example.com", PRIMARY, register);
    let armed = name(Some(&armed(0, ArmedBy::Operator)));
    let quiet = [name(None), name(Some(&disarmed())), name(Some(&paused(9_000)))];
    for view in &quiet {
        assert!(!is_guarded(std::slice::from_ref(view)), "nobody wants it to act: {view:?}");
        assert!(is_guarded(&[view.clone(), armed.clone()]), "it would act for one of them");
    }
    let on_dr = |register: &failover::register::Register| view("api.example.com", DR, Some(register));
    for view in [on_dr(&pinned(0, unrecorded(31))), on_dr(&failed_over(0))] {
        assert!(!is_guarded(&[armed.clone(), view]), "it acts already");
    }
}
