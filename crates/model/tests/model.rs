//! Every interleaving within the bounds of the tests: what must never be is not, what must be is, and deliberate faults are
//! noticed. The numbers of states are pinned, so that nobody explores less without saying so.

use model::{Bounds, Checked, Holdfast, MUTATIONS};

fn check(bounds: Bounds) -> Checked {
    let checked = Holdfast::shipped(bounds).check(1, |_| {});
    assert!(checked.broken.is_empty(), "{}: {:#?}", bounds.name, checked.broken);
    assert!(checked.never.is_empty(), "{}: possible, but not here: {:?}", bounds.name, checked.never);
    checked
}

#[test]
fn two_invocations_of_each_function_at_once_do_no_harm_whoever_dies_and_whatever_lands_late() {
    assert_eq!(check(Bounds::RACES).states, 1_064_628);
}

#[test]
fn an_outage_that_lasts_ends_failed_over_though_two_invocations_die() {
    assert_eq!(check(Bounds::LIVENESS).states, 1_634_736);
}

#[test]
fn each_deliberate_fault_is_noticed_by_the_property_meant_for_it() {
    for mutation in MUTATIONS {
        let checked = mutation.check();
        let noticed: Vec<_> = checked.broken.iter().map(|(property, _)| *property).collect();
        assert!(noticed.contains(&mutation.noticed_by), "{}: noticed by {noticed:?}", mutation.name);
    }
}
