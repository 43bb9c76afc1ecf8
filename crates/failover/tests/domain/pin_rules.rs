//! The pin rules: state in, verdict out.

use std::collections::{BTreeMap, BTreeSet};

use crate::common::*;
use crate::pin_cases::{cases, wide};
use failover::incident::AlarmState::Alarm;
use failover::incident::{Approval, Incident};
use failover::observation::{Fact, NameView, Probe, Silence, Targets};
use failover::pin::{Verdict, rows};
use failover::plan::Mode;
use failover::promotion::{GATE_TABLE, PEACE_TABLE, REPLICA_TABLE};
use failover::register::{ArmedBy, Register, Spread};
use failover::rule::{Id, Rule};

fn after(differs: fn(&mut Scene)) -> Scene {
    let mut scene = Scene::outage();
    differs(&mut scene);
    scene
}

#[test]
fn each_state_is_decided_by_its_row() {
    for (story, differs, rule, condition, verdict) in cases() {
        let decision = after(*differs).decide();
        let row = decision.row;
        assert!(
            (row.id.rule, row.verdict) == (*rule, *verdict) && row.condition.starts_with(condition),
            "{story}: {row:?}"
        );
    }
}

#[test]
fn every_row_is_reached() {
    let reached: BTreeSet<_> = cases()
        .map(|(_, differs, ..)| {
            let row = after(*differs).decide().row;
            row.id
        })
        .collect();
    for row in rows().into_values() {
        assert!(reached.contains(&row.id), "no case reaches {row:?}");
    }
}

#[test]
fn a_row_of_several_has_a_letter_and_the_letters_of_a_rule_are_without_a_gap() {
    let promotion = GATE_TABLE.iter().map(|row| row.id).chain(REPLICA_TABLE.iter().map(|row| row.id));
    let others = PEACE_TABLE.iter().map(|row| row.id).chain(failover::fence::TABLE.iter().map(|row| row.id));
    let mut letters: BTreeMap<Rule, BTreeSet<Option<char>>> = BTreeMap::new();
    for id in rows().into_keys().chain(promotion).chain(others) {
        letters.entry(id.rule).or_default().insert(id.letter);
    }
    for (rule, letters) in letters {
        let expected = match letters.len() {
            1 => [None].into(),
            count => ('a'..).take(count).map(Some).collect(),
        };
        assert_eq!(letters, expected, "{rule}");
    }
}

#[test]
fn a_row_is_known_by_its_id_alone() {
    for (id, row) in rows() {
        assert_eq!(id.to_string().parse(), Ok(id), "{row:?}");
    }
    let promotion: Vec<_> = GATE_TABLE.iter().map(|row| row.id).chain(REPLICA_TABLE.iter().map(|row| row.id)).collect();
    let distinct: BTreeSet<_> = promotion.iter().collect();
    assert_eq!(distinct.len(), promotion.len(), "{promotion:?}");
    let in_peace = PEACE_TABLE.iter().filter_map(|row| Some((row, REPLICA_TABLE.iter().find(|it| it.id == row.id)?)));
    for (row, same) in in_peace {
        assert_eq!(row.condition, same.condition, "{}", row.id);
    }
    assert!("P99".parse::<Id>().is_err());
}

#[test]
fn only_an_armed_name_is_ever_pinned() {
    for (story, differs, ..) in cases() {
        let scene = after(*differs);
        if scene.decide().row.verdict == Verdict::Pin {
            assert!(matches!(scene.view.register(), Some(Register::Armed { .. })), "{story}");
        }
    }
}

#[test]
fn the_incident_is_the_pins_then_the_siblings_then_the_alarms() {
    let second = |began| failover::incident::Incident { alarm: "second".to_owned(), began: at(began) };
    let mut scene = Scene::outage();
    assert_eq!(scene.decide().incident, Some(incident(0)));
    scene.alarms(&[alarm(0, Alarm, 0), alarm(1, Alarm, -60)]);
    assert_eq!(scene.decide().incident, Some(second(-60)));
    scene.sibling(&pinned(0, in_sync(40)));
    assert_eq!(scene.decide().incident, Some(incident(0)));
    scene.sibling(&Register::Pinned { pin: pin(-7, 0), spread: in_sync(40) });
    assert_eq!(scene.decide().incident, Some(incident(-7)), "the oldest of two");
    scene.register(&Register::Pinned { pin: pin(-5, 0), spread: in_sync(40) });
    assert_eq!(scene.decide().incident, Some(incident(-5)));
}

#[test]
fn one_approval_lifts_all_that_stands_in_the_way() {
    let mut scene = Scene::outage();
    scene.plan.mode = Mode::Approval;
    scene.register(&armed(-899, ArmedBy::Operator));
    (scene.probes.primary, scene.probes.dr) = (Probe::Answers, Probe::Silent(Silence::TimedOut));
    scene.probes.targets = Targets::TooFew;
    let despite = scene.decide().despite;
    assert_eq!(despite, [Rule::P08, Rule::P09, Rule::P10, Rule::P12, Rule::P15].into());
    let despite: Vec<_> = despite.into_iter().collect();
    scene.approval = Some(approval(0, &despite));
    assert_eq!(scene.decide().row.verdict, Verdict::Pin);

    scene.approval = Some(approval(0, &[Rule::P08]));
    assert_eq!(
        scene.decide().despite,
        [Rule::P08, Rule::P09, Rule::P10, Rule::P12, Rule::P15].into(),
        "none is forgotten"
    );
}

#[test]
fn where_no_approval_helps_none_is_asked_for() {
    for (story, differs, rule, ..) in cases() {
        let despite = after(*differs).decide().despite;
        assert_eq!(despite.is_empty(), !rule.is_liftable(), "{story}");
    }
}

#[test]
fn a_pin_that_could_not_be_put_on_record_in_any_incident_is_refused_beforehand() {
    let fits = |characters| {
        let mut scene = Scene::outage();
        scene.all_ok_since(-900);
        scene.view = wide(characters);
        scene.decide().row.id.rule != Rule::P07
    };
    let most = (3_500..4_000).take_while(|&characters| fits(characters)).last().unwrap();
    let view = wide(most);
    let to_the_nanosecond = at(0) + jiff::SignedDuration::from_nanos(1);
    for incident in [incident(0), Incident::declared(to_the_nanosecond)] {
        let write = failover::change::write(&view, Verdict::Pin, Some(&incident), at(60)).unwrap().unwrap();
        let id = "C0123456789ABCDEFGHIJ".to_owned();
        failover::change::record_spread(&write, Spread::Change { id }).unwrap().unwrap();
        let Register::Pinned { pin, .. } = write.register else { panic!("{:?}", write.register) };
        Register::FailedOver { at: at(600), pin }.record_set(&app()).unwrap();
    }
}

#[test]
fn drift_left_to_people_is_counted_from_when_it_was_first_seen() {
    let mut scene = Scene::outage();
    scene.now = 9_000;
    scene.drifted(&pinned(2, in_sync(40)));
    assert_eq!(scene.decide().since, Some(at(9_000)));
    scene.drifted(&pinned(2, unrecorded(8_000)));
    assert_eq!(scene.decide().since, Some(at(8_000)));
    scene.register(&pinned(2, in_sync(40)));
    assert_eq!(scene.decide().since, Some(at(30)), "a pin that stands, since it was made");
    scene.register(&pinned(0, unrecorded(40)));
    assert_eq!(scene.decide().since, Some(at(30)), "however late its change is put on record");
    scene.register(&failed_over(2));
    assert_eq!(scene.decide().since, Some(at(600)), "a failover, since it was complete");
    scene = after(|s| s.register(&armed(50, ArmedBy::Operator)));
    assert_eq!(scene.decide().since, Some(at(50)), "armed in the middle of it, since then");
    scene = Scene::outage();
    assert_eq!(scene.decide().since, Some(at(0)), "armed long before, since it began");
}

#[test]
fn whatever_a_decision_saw_is_told() {
    let mut scene = Scene::outage();
    scene.probes.primary = Probe::Answers;
    scene.approval = Some(Approval { reason: "users are cut off".to_owned(), ..approval(0, &[Rule::P08, Rule::P09]) });
    let seen = [
        "name: app.example.com",
        "time: 2026-01-01T12:01:00Z",
        "alarm started: Alarm since 2026-01-01T12:00:00Z",
        "alarm second: Ok since 2025-12-31T11:00:00Z",
        "register: v=1 armed since=2026-01-01T10:00:00Z by=operator ttl=60",
        "A record: PRIMARY 192.0.2.1, SECONDARY 198.51.100.1",
        "primary's probe: answers",
        "approval: of started@2026-01-01T12:00:00Z by kim, despite P08, P09: users are cut off",
    ];
    assert_eq!(lines(&scene.decide().facts), seen);

    scene.alarms = None;
    (scene.probes.primary, scene.probes.dr) = (Probe::NotAsked, Probe::Silent(Silence::TimedOut));
    scene.probes.targets = Targets::NoData;
    scene.approval = Some(approval(0, &[]));
    scene.view = NameView::of_name("Z1", &app(), &[]);
    let seen = [
        "name: app.example.com",
        "time: 2026-01-01T12:01:00Z",
        "alarm: unknown: CloudWatch did not answer",
        "register: absent: never armed",
        "records: app.example.com has no failover records; create a PRIMARY and a SECONDARY record",
        "fault: app.example.com has no failover records; create a PRIMARY and a SECONDARY record",
        "DR's probe: silent: no answer in time",
        "DR's targets: not known: the alarm has no data",
        "approval: of started@2026-01-01T12:00:00Z by kim",
    ];
    assert_eq!(lines(&scene.decide().facts), seen);

    scene.view = unreadable("app.example.com", PRIMARY);
    let seen = lines(&scene.decide().facts);
    assert!(seen.iter().any(|fact| fact.starts_with("register: the register says \"v=9 asleep\"")), "{seen:?}");
}

#[test]
fn whoever_is_asked_for_an_approval_so_soon_is_told_why_in_particular() {
    for (since, by, said) in [
        (50, ArmedBy::Operator, "the alarm has rung since before it was armed at 2026-01-01T12:00:50Z"),
        (-899, ArmedBy::Operator, "armed at 2026-01-01T11:45:01Z, less than SettleSeconds (900) before the alarm"),
        (
            -3_599,
            ArmedBy::Failback,
            "failed back at 2026-01-01T11:00:01Z, less than CooldownSeconds (3600) before the alarm",
        ),
    ] {
        let mut scene = Scene::outage();
        scene.register(&armed(since, by));
        let facts = scene.decide().facts;
        assert!(facts.contains(&Fact::new("so soon", said)), "{facts:?}");
    }
    assert!(Scene::outage().decide().facts.iter().all(|fact| fact.about != "so soon"));
}
