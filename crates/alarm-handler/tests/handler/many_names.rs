//! Ten thousand names, which is what a hosted zone holds: within Route 53's quotas, over a death in between.

use failover::outcome::Kind;
use failover::register::{Register, Spread};

use crate::zone::{DR, PRIMARY, Zone, values};

/// "A hosted zone can have 10,000 records" by default; of pairs and registers that is three times as many.
const NAMES: usize = 10_000;

#[test]
fn ten_thousand_names_are_pinned_once_each_though_an_invocation_dies_in_the_middle() {
    let zone = Zone::new(NAMES);
    assert_eq!(zone.tick_that_dies(Some(40)), None, "it died");
    let is_pinned = |register: &Register| matches!(register, Register::Pinned { .. });
    let half_way = zone.registers().iter().filter(|register| is_pinned(register)).count();
    assert!((2_000..8_000).contains(&half_way), "{half_way} were pinned by then");

    // The next dies while it puts the changes on record; those after it go on from what they find.
    assert_eq!(zone.tick_that_dies(Some(60)), None);
    assert!(zone.registers().iter().all(is_pinned));
    let outcomes: Vec<_> = (0..5).map(|_| zone.tick()).collect();
    let kinds: Vec<_> = outcomes.iter().map(|outcome| outcome.outcome).collect();
    assert!(kinds.contains(&Kind::Confirmed), "pins whose change nobody recorded are written once more: {kinds:?}");
    assert!(outcomes.iter().all(|outcome| serde_json::to_string(outcome).unwrap().len() < 200_000));

    let on_record = |register: &Register| matches!(register, Register::Pinned { spread: Spread::Change { .. }, .. });
    assert!(zone.registers().iter().all(on_record), "{} registers", zone.registers().len());
    let restorable = |register: &Register| register.pin().is_some_and(|pin| pin.original["A"] == values(PRIMARY));
    assert!(zone.registers().iter().all(restorable), "each register keeps what the PRIMARY record said");
    let moves = zone.moves.borrow();
    assert!(moves.len() == NAMES && moves.values().all(|times| *times == 1), "each record is moved once");
    assert!(zone.records.borrow().values().filter(|set| set.kind == "A").all(|set| set.target == values(DR)));
}

#[test]
fn ten_thousand_names_take_no_more_batches_than_their_characters_need() {
    let zone = Zone::new(NAMES);
    let outcome = zone.tick();
    assert_eq!((outcome.outcome, outcome.subject_count(), outcome.subjects.len()), (Kind::Pinned, NAMES, 100));
    let moves = zone.moves.borrow();
    assert!(moves.values().all(|times| *times == 1), "each record is moved once");
    // What is deleted and created of one name: two registers, two addresses. Afterwards two registers of some more.
    let characters = NAMES * (51 + 200 + PRIMARY.len() + DR.len() + 2 * 200);
    let floor = characters / 32_000;
    assert!(zone.batches.get() <= floor * 12 / 10, "{} batches, where {floor} hold it all", zone.batches.get());
}
