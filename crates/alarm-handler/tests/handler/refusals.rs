//! What Route 53 refuses of one name holds up no other, and is told as what it is.

use std::collections::BTreeSet;

use failover::message;
use failover::name::Name;
use failover::observation::Attention;
use failover::outcome::{Kind, Outcome};
use failover::record::{RecordSet, Role, Routing};

use crate::sender;
use crate::zone::{Refuses, Zone, nth, values};

fn names(numbers: impl IntoIterator<Item = usize>) -> BTreeSet<Name> {
    numbers.into_iter().map(nth).collect()
}

/// Every name but these is pinned.
fn all_pinned_but(zone: &Zone, count: usize, refused: &BTreeSet<Name>) {
    for name in (0..count).map(nth) {
        assert_eq!(zone.is_pinned(&name), !refused.contains(&name), "{name}");
    }
    assert!(zone.moves.borrow().values().all(|times| *times == 1), "each record is moved once");
}

/// All that is told of one outcome.
fn told(outcome: &Outcome) -> String {
    let message = message::of_outcome(outcome, &sender());
    format!("{}\n{}", message.subject, message.body)
}

#[test]
fn one_protected_name_among_many_is_told_and_the_others_are_pinned() {
    let (zone, protected) = (Zone::new(64), names([37]));
    *zone.refuses.borrow_mut() = Refuses::Protected(protected.clone());
    let outcome = zone.tick();
    all_pinned_but(&zone, 64, &protected);
    assert_eq!((outcome.outcome, outcome.attention), (Kind::Pinned, Attention::Page));
    assert!(told(&outcome).contains("n00037.example.com: P13b: Route 53 refuses the change"), "{}", told(&outcome));
    // The batch, its halves, and what records the pins; 2k log2(n/k) of them.
    assert!(zone.sent.get() <= 1 + 2 * 6 + 1, "{} batches were sent", zone.sent.get());

    // The next minute it is the only news.
    let sent = zone.sent.get();
    let outcome = zone.tick();
    assert_eq!((outcome.outcome, outcome.attention), (Kind::WriteRefused, Attention::Page));
    assert_eq!(outcome.subjects, ["n00037.example.com"]);
    assert_eq!(zone.sent.get(), sent + 1, "a name alone is tried once");
    let told = told(&outcome);
    for said in [
        "Route 53 REFUSES",
        "n00037.example.com A is protected: ask kim",
        "Nothing was changed",
        "aws route53 delete-resource-record-set-protections --hosted-zone-id Z1",
        "'RecordName=n00037.example.com,RecordType=A'",
    ] {
        assert!(told.contains(said), "{said} is not in {told}");
    }
    assert!(!told.to_lowercase().contains("interrupted"), "{told}");

    *zone.refuses.borrow_mut() = Refuses::Nothing;
    assert_eq!(zone.tick().outcome, Kind::Pinned);
    all_pinned_but(&zone, 64, &BTreeSet::new());
}

#[test]
fn where_every_name_is_protected_each_is_named_and_none_is_interrupted() {
    let (zone, protected) = (Zone::new(20), names(0..20));
    *zone.refuses.borrow_mut() = Refuses::Protected(protected.clone());
    let outcome = zone.tick();
    all_pinned_but(&zone, 20, &protected);
    assert_eq!((outcome.outcome, outcome.attention), (Kind::WriteRefused, Attention::Page));
    assert_eq!(outcome.subjects.len() + outcome.also.len(), 20, "each has its own words: {:?}", outcome.also);
    assert!(zone.sent.get() < 2 * 20, "{} batches were sent", zone.sent.get());
    assert_eq!(zone.batches.get(), 0);
}

#[test]
fn names_that_a_role_may_not_write_hold_up_no_other() {
    let (zone, denied) = (Zone::new(100), names([0, 50, 99]));
    *zone.refuses.borrow_mut() = Refuses::Denied(denied.clone());
    let outcome = zone.tick();
    all_pinned_but(&zone, 100, &denied);
    assert!(told(&outcome).contains("no identity-based policy allows the action"), "{}", told(&outcome));
    assert!(zone.sent.get() <= 2 * 3 * 7 + 2, "{} batches were sent", zone.sent.get());

    let outcome = zone.tick();
    assert_eq!(outcome.outcome, Kind::WriteRefused);
    assert_eq!(outcome.subject_count(), 3, "the same words are told once");
    assert!(told(&outcome).contains("holdfast status"));
}

#[test]
fn a_lost_race_is_a_race_and_the_whole_zone_is_pinned_after_another_look() {
    let zone = Zone::new(30);
    let moved = RecordSet {
        name: nth(7),
        kind: "A".to_owned(),
        routing: Routing::Failover { role: Role::Primary, set_identifier: "Primary".to_owned() },
        target: values("192.0.2.77"),
        health_check: Some("hc-1".to_owned()),
    };
    zone.overtaken_by.borrow_mut().push(moved.clone());
    let outcome = zone.tick();
    assert_eq!((outcome.outcome, outcome.subject_count(), outcome.also.len()), (Kind::Pinned, 29, 1));
    all_pinned_but(&zone, 30, &BTreeSet::new());
    assert_eq!(zone.register(&nth(7)).unwrap().pin().unwrap().original["A"], moved.target, "what they wrote is kept");
    // The batch, the others of it, the one that was overtaken, and one that records the pins.
    assert_eq!(zone.sent.get(), 4);
}

#[test]
fn a_race_and_a_refusal_in_one_batch_are_told_apart() {
    let (zone, protected) = (Zone::new(30), names([3]));
    *zone.refuses.borrow_mut() = Refuses::Protected(protected.clone());
    let mut moved = zone.records.borrow().values().find(|set| set.name == nth(7) && set.kind == "A").cloned().unwrap();
    moved.routing = Routing::Failover { role: Role::Primary, set_identifier: "Primary".to_owned() };
    moved.target = values("192.0.2.77");
    moved.health_check = Some("hc-1".to_owned());
    zone.overtaken_by.borrow_mut().push(moved);
    let outcome = zone.tick();
    assert_eq!(outcome.outcome, Kind::Pinned);
    all_pinned_but(&zone, 30, &protected);
}

#[test]
fn an_invocation_that_dies_between_the_halves_loses_nothing() {
    for fatal in 1..=4 {
        let (zone, protected) = (Zone::new(16), names([5]));
        *zone.refuses.borrow_mut() = Refuses::Protected(protected.clone());
        assert_eq!(zone.tick_that_dies(Some(fatal)), None, "it died");
        zone.tick();
        all_pinned_but(&zone, 16, &protected);
    }
}

#[test]
fn where_there_is_no_time_for_all_each_name_has_its_turn() {
    let good = 83;
    let (zone, protected) = (Zone::new(120), names((0..120).filter(|nth| *nth != good)));
    *zone.refuses.borrow_mut() = Refuses::Protected(protected.clone());
    zone.write_seconds.set(1);
    let outcome = zone.tick();
    assert!(told(&outcome).contains("no time to try it alone"), "{}", told(&outcome));
    assert!(zone.sent.get() < 30, "{} batches were sent", zone.sent.get());
    let ticks = (0..60).take_while(|_| !zone.is_pinned(&nth(good)) && zone.tick().attention == Attention::Page).count();
    assert!(zone.is_pinned(&nth(good)), "not pinned after {ticks} minutes");
    all_pinned_but(&zone, 120, &protected);
}

#[test]
fn throttling_is_no_refusal_of_a_name() {
    let zone = Zone::new(8);
    *zone.refuses.borrow_mut() = Refuses::Throttled;
    let outcome = zone.tick();
    assert_eq!(outcome.outcome, Kind::Interrupted);
    assert!(told(&outcome).contains("AWS refused a call, so nothing was done"), "{}", told(&outcome));
    assert_eq!(zone.sent.get(), 1, "it is not asked for more");
}
