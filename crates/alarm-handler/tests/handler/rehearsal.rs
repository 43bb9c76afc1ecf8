//! The pin's own batch, in peace.

use std::collections::BTreeSet;

use failover::incident::AlarmState;
use failover::message;
use failover::observation::Attention;
use failover::outcome::{Kind, Outcome};
use failover::register::{ArmedBy, Register};
use jiff::{SignedDuration, Timestamp};

use crate::sender;
use crate::zone::{Refuses, Zone, noon, nth};

const HOUR: usize = 60;

fn protects(zone: &Zone, names: impl IntoIterator<Item = usize>) {
    *zone.refuses.borrow_mut() = Refuses::Protected(names.into_iter().map(nth).collect::<BTreeSet<_>>());
}

fn rehearsed(zone: &Zone, n: usize) -> Option<Timestamp> {
    match zone.register(&nth(n)) {
        Some(Register::Armed { rehearsed, .. }) => rehearsed,
        other => panic!("{other:?}"),
    }
}

fn ticks(zone: &Zone, minutes: usize) -> Vec<Outcome> {
    (0..minutes).map(|_| zone.tick()).collect()
}

#[test]
fn a_name_is_armed_by_the_pins_own_batch() {
    let zone = Zone::unarmed(3);
    protects(&zone, [1]);
    let outcome = zone.tick();
    assert_eq!((outcome.outcome, outcome.attention), (Kind::WriteRefused, Attention::Page));
    assert_eq!(outcome.subjects, ["n00001.example.com"]);
    assert!(zone.register(&nth(1)).is_none(), "what could not be pinned is not armed");
    assert_eq!((rehearsed(&zone, 0), rehearsed(&zone, 2)), (Some(zone.now.get()), Some(zone.now.get())));
    assert!(zone.moves.borrow().is_empty(), "no record was moved");

    *zone.refuses.borrow_mut() = Refuses::Nothing;
    assert_eq!(zone.tick().outcome, Kind::Armed);
    assert_eq!(rehearsed(&zone, 1), Some(zone.now.get()));
}

#[test]
fn nothing_is_rehearsed_in_shadow_mode_or_where_it_is_switched_off() {
    for mode in [("shadow", true), ("automatic", false)] {
        let zone = Zone::unarmed(2);
        zone.mode.set(mode);
        protects(&zone, [0, 1]);
        assert_eq!(zone.tick().outcome, Kind::Armed, "{mode:?}");
        assert_eq!(zone.batches.get(), 1);
        ticks(&zone, 26 * HOUR);
        assert_eq!((zone.sent.get(), rehearsed(&zone, 0)), (1, None), "{mode:?}");
    }
}

#[test]
fn an_armed_name_is_rehearsed_once_a_day_and_nothing_else_about_it_changes() {
    let zone = Zone::unarmed(5);
    zone.tick();
    let armed = zone.now.get();
    // The first waits for the stack's own minute of the hour.
    ticks(&zone, HOUR);
    for days in 1..=3 {
        ticks(&zone, 24 * HOUR);
        assert_eq!(zone.batches.get(), 1 + days, "one batch a day");
    }
    let Some(Register::Armed { since, by, rehearsed: Some(at), .. }) = zone.register(&nth(0)) else { panic!("armed") };
    assert_eq!((since, by), (armed, ArmedBy::Settling));
    assert!(zone.now.get().duration_since(at) < SignedDuration::from_hours(24));
    assert!(zone.moves.borrow().is_empty(), "no record was moved");
}

#[test]
fn names_armed_before_there_were_rehearsals_have_theirs_within_an_hour() {
    let zone = Zone::new(2);
    zone.alarm.set((AlarmState::Ok, noon()));
    ticks(&zone, HOUR);
    assert!(rehearsed(&zone, 0).is_some() && rehearsed(&zone, 1).is_some());
    assert_eq!(zone.sent.get(), 1);
}

#[test]
fn a_refused_rehearsal_is_a_page_that_day_and_is_tried_again_once_an_hour() {
    let zone = Zone::unarmed(4);
    zone.tick();
    let (first, sent) = (rehearsed(&zone, 2), zone.sent.get());
    protects(&zone, [2]);
    let outcomes = ticks(&zone, 49 * HOUR);
    assert_eq!(rehearsed(&zone, 2), first, "the register is as it was");
    assert!(rehearsed(&zone, 1) > first, "the others are rehearsed");
    let refused: Vec<_> = outcomes.iter().filter(|outcome| outcome.outcome == Kind::WriteRefused).collect();
    assert!((24..=26).contains(&refused.len()), "tried {} times in a day", refused.len());
    assert!(zone.sent.get() - sent < 40, "{} batches", zone.sent.get() - sent);
    let told: Vec<_> = refused.iter().filter(|outcome| message::is_due(outcome)).collect();
    assert!((6..=7).contains(&told.len()), "told {} times in a day", told.len());
    assert!(message::is_due(refused[0]), "the first is told");
    let body = message::of_outcome(told[0], &sender()).body;
    for said in ["n00002.example.com could not be failed over now", "is protected: ask kim", "P14"] {
        assert!(body.contains(said), "{said} is not in {body}");
    }

    *zone.refuses.borrow_mut() = Refuses::Nothing;
    ticks(&zone, HOUR);
    assert!(rehearsed(&zone, 2) > first);
}

#[test]
fn nothing_is_rehearsed_while_an_alarm_is_not_ok() {
    for state in [AlarmState::Alarm, AlarmState::InsufficientData] {
        let zone = Zone::new(2);
        zone.mode.set(("approval", true));
        zone.alarm.set((state, noon()));
        ticks(&zone, 26 * HOUR);
        assert_eq!(zone.sent.get(), 0, "{state:?}");
    }
}
