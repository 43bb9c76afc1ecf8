//! The rehearsal of a pin: when, what it writes, and when a refused one is told.

use std::collections::BTreeSet;

use crate::common::*;
use failover::change::{self, Change};
use failover::message;
use failover::observation::{Attention, NameView};
use failover::outcome::{Kind, Outcome, Trigger};
use failover::pin::Verdict;
use failover::register::{ArmedBy, Register};
use failover::rule::Rule;

#[test]
fn a_rehearsal_swaps_each_primary_record_for_itself_and_notes_when() {
    let mut sets = pair(&app(), "A", values(20, &["192.0.2.2", PRIMARY]), values(300, &[DR]));
    sets.extend(pair(&app(), "AAAA", alias("p.elb"), alias("d.elb")));
    sets.push(armed(-7_200, ArmedBy::Failback).record_set(&app()).unwrap());
    let view = NameView::of_name("Z1", &app(), &sets);
    let write = change::write(&view, Verdict::Rehearse, None, at(60)).unwrap().unwrap();
    let memory = armed(0, ArmedBy::Operator).memory();
    let rehearsed = |since, by| Register::Armed { since, by, rehearsed: Some(at(60)), memory: memory.clone() };
    assert_eq!(write.register, rehearsed(at(-7_200), ArmedBy::Failback), "since when and by whom it is armed stays");
    let [Change::Delete(_), Change::Create(register), records @ ..] = &write.changes[..] else {
        panic!("{:?}", write.changes)
    };
    assert_eq!(*register, write.register.record_set(&app()).unwrap());
    let primaries = [&sets[0], &sets[2]].map(|set| [Change::Delete(set.clone()), Change::Create(set.clone())]);
    assert_eq!(records, primaries.concat());

    let unarmed = NameView::of_name("Z1", &app(), &sets[..4]);
    let write = change::write(&unarmed, Verdict::ArmRehearsing(ArmedBy::Settling), None, at(60)).unwrap().unwrap();
    assert_eq!(write.register, rehearsed(at(60), ArmedBy::Settling));
    assert_eq!(write.changes[1..], primaries.concat());
    assert_eq!(change::write(&unarmed, Verdict::Rehearse, None, at(60)).unwrap(), None, "nothing is armed by it");
}

#[test]
fn stacks_and_zones_have_minutes_of_their_own() {
    let minute = |zone: &str| {
        let mut scene = Scene::outage();
        scene.all_ok_since(-90_000);
        scene.view.zone = zone.to_owned();
        let due = (0..60).filter(|minute| {
            let scene = Scene { now: minute * 60, ..scene.clone() };
            scene.decide().row.id.rule == Rule::P14
        });
        let due: Vec<_> = due.collect();
        assert_eq!(due.len(), 1, "once an hour");
        due[0]
    };
    let minutes: BTreeSet<_> = (0..60).map(|nth| minute(&format!("Z0123456789ABCDEFGH{nth:02}"))).collect();
    assert!(minutes.len() > 25, "60 zones share {} minutes", minutes.len());
}

#[test]
fn a_refused_rehearsal_is_told_when_it_was_due_and_every_four_hours_from_then() {
    let mut scene = Scene::outage();
    scene.all_ok_since(-90_000);
    scene.register(&rehearsed_at(-200_000, Some(at(-86_400))));
    let told = |early: i64| {
        let tried = (0..2_880).filter_map(|minute| {
            let scene = Scene { now: minute * 60 + early, ..scene.clone() };
            let decision = scene.decide();
            let write = change::write(&scene.view, decision.row.verdict, None, at(scene.now)).unwrap()?;
            let finding = failover::outcome::Finding::from(decision).not_taken(&write, "no", true);
            let outcome = Outcome::of(at(scene.now), Trigger::Tick, &[finding]);
            assert_eq!((outcome.outcome, outcome.attention), (Kind::WriteRefused, Attention::Page));
            Some((minute, message::is_due(&outcome)))
        });
        tried.collect::<Vec<_>>()
    };
    for second in [0, 29, 59] {
        let tried = told(second);
        assert_eq!(tried.len(), 48, "once an hour");
        let due: Vec<_> = tried.iter().map(|(_, is_told)| *is_told).collect();
        let every_fourth: Vec<_> = (0..48).map(|hour| hour % 4 == 0).collect();
        let first = due.iter().position(|is_told| *is_told).unwrap();
        assert_eq!(due[first..], every_fourth[..48 - first], "at second {second}");
        assert!(first < 4);
    }
}
