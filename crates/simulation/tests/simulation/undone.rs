//! Someone undoes the pin by hand.

use failover::outcome::Kind;
use failover::register::Register;
use simulation::setup::Setup;
use simulation::watch::Author;

use crate::common::{assert_unbroken, deployed, minutes, outage, states, subjects};

fn undo(holdfast: &simulation::holdfast::Holdfast) {
    for view in holdfast.names() {
        holdfast.world.get().undo(Author::Operator, &view.zone, &view.name).unwrap();
    }
}

fn agreeing(holdfast: &simulation::holdfast::Holdfast) -> bool {
    holdfast.names().iter().all(failover::observation::NameView::agrees)
}

/// `settled` minutes after the alarm: while pinned, or once failed over.
fn twice_again_then_left_to_people(settled: usize, state: &'static str) {
    let mut holdfast = deployed(&Setup::default());
    outage(&mut holdfast);
    minutes(&mut holdfast, settled);
    for repins in 1..=2 {
        assert_eq!(states(&holdfast), [state; 3]);
        undo(&holdfast);
        assert!(!agreeing(&holdfast));
        minutes(&mut holdfast, 1);
        assert!(agreeing(&holdfast), "pinned again");
        let counted = |register: &Register| register.pin().is_some_and(|pin| pin.repins == repins);
        assert!(holdfast.names().iter().all(|view| view.register().is_some_and(counted)));
    }
    let again = |holdfast: &simulation::holdfast::Holdfast| {
        subjects(holdfast).iter().filter(|subject| subject.contains("pinned again")).count()
    };
    // It is told once its change is on record.
    minutes(&mut holdfast, 1);
    assert_eq!(again(&holdfast), 2);
    undo(&holdfast);
    // What was in sync is so no longer, and the register says so once; the records are left alone.
    let undone: Vec<_> = holdfast.names().into_iter().map(|view| view.pairs).collect();
    minutes(&mut holdfast, 1);
    let left = holdfast.names();
    assert_eq!(left.iter().map(|view| view.pairs.clone()).collect::<Vec<_>>(), undone);
    minutes(&mut holdfast, 40);
    assert_eq!(holdfast.names(), left, "nothing is written any more");
    assert_eq!(again(&holdfast), 2);
    let left = subjects(&holdfast).iter().filter(|subject| subject.contains("LEFT TO YOU")).count();
    assert!((2..=3).contains(&left), "every quarter of an hour: {left}");
    assert!(holdfast.outcomes.iter().any(|(_, _, outcome)| outcome.outcome == Kind::Yielded));
    assert_unbroken(&holdfast);
}

#[test]
fn a_pin_undone_by_hand_is_made_again_twice_and_then_left_to_people() {
    twice_again_then_left_to_people(1, "pinned");
}

#[test]
fn people_hear_soon_that_a_pin_is_left_to_them_however_old_it_is() {
    let mut holdfast = deployed(&Setup::default());
    outage(&mut holdfast);
    minutes(&mut holdfast, 300);
    for _ in 1..=3 {
        undo(&holdfast);
        minutes(&mut holdfast, 1);
    }
    minutes(&mut holdfast, 15);
    assert!(subjects(&holdfast).iter().any(|subject| subject.contains("LEFT TO YOU")), "{:?}", subjects(&holdfast));
}

#[test]
fn the_same_after_the_failover_is_over() {
    twice_again_then_left_to_people(12, "failed over");
}

#[test]
fn nothing_is_promoted_while_somebody_has_undone_a_pin() {
    let mut holdfast = deployed(&Setup { names: 4, ..Setup::default() });
    outage(&mut holdfast);
    for _ in 0..3 {
        minutes(&mut holdfast, 1);
        let view = holdfast.names().remove(2);
        holdfast.world.get().undo(Author::Operator, &view.zone, &view.name).unwrap();
    }
    minutes(&mut holdfast, 60);
    assert!(holdfast.world.get().watch.promotions().is_empty());
}
