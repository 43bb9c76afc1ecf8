//! Every interleaving within the bounds of the tests: what must never be is not, what must be is, and deliberate faults are
//! noticed. The numbers of states are pinned, so that nobody explores less without saying so.

use std::collections::BTreeSet;

use failover::rule::Rule;
use model::{Bounds, Checked, Holdfast, MUTATIONS};

fn threads() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

fn check(bounds: Bounds) -> Checked {
    let checked = Holdfast::shipped(bounds).check(threads());
    assert!(checked.broken.is_empty(), "{:#?}", checked.broken);
    assert!(checked.never.is_empty(), "possible, but not here: {:?}", checked.never);
    checked
}

#[test]
fn two_invocations_of_each_function_at_once_do_no_harm_whoever_dies_and_whatever_lands_late() {
    assert_eq!(check(Bounds::RACES).states, 1_064_628);
}

#[test]
fn whatever_people_do_at_whatever_moment_nothing_is_lost_and_no_rule_skipped() {
    let checked = check(Bounds::PEOPLE);
    assert_eq!(checked.states, 1_276_649);
    use Rule::*;
    let met = BTreeSet::from([P02, P03, P04, P05, P06, P08, P09, P13, R01, R02, R04, R05, R08]);
    assert_eq!(checked.rules, met, "the rules that decide somewhere");
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
        assert!(noticed.contains(&mutation.noticed_by.property()), "{}: noticed by {noticed:?}", mutation.name);
    }
}
