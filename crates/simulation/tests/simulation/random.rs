//! Thousands of random outages.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use failover::outcome::Kind;
use simulation::outage::{self, Report};

const SEEDS: u64 = 2_000;

/// Runs this seed alone, and tells its story.
const SEED_VARIABLE: &str = "HOLDFAST_SEED";

fn is_good(report: &Report) -> bool {
    report.broken.is_empty() && report.missed.is_empty()
}

/// The story of a bad seed: the last steps before its end.
fn story(seed: u64) -> String {
    let Report { broken, missed, story, .. } = outage::run(seed, true);
    let steps = story[story.len().saturating_sub(40)..].join("\n  ");
    format!("seed {seed} ({SEED_VARIABLE}={seed} tells it whole): {broken:?} {missed:?}\n  {steps}")
}

#[test]
fn no_random_outage_breaks_an_invariant_or_fails_to_end() {
    if let Some(seed) = std::env::var(SEED_VARIABLE).ok().and_then(|seed| seed.parse().ok()) {
        let report = outage::run(seed, true);
        println!("{}", report.story.join("\n"));
        assert!(is_good(&report), "{:?} {:?}", report.broken, report.missed);
        return;
    }
    let next = AtomicU64::new(0);
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let work = || std::iter::repeat_with(|| next.fetch_add(1, Ordering::Relaxed)).take_while(|seed| *seed < SEEDS);
    let each = || work().map(|seed| (seed, outage::run(seed, false))).collect::<Vec<_>>();
    let reports: Vec<_> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(each)).collect();
        workers.into_iter().flat_map(|worker| worker.join().expect("no outage panics")).collect()
    });
    let worst = reports.iter().filter(|(_, report)| !is_good(report)).map(|(seed, _)| *seed).min();
    if let Some(seed) = worst {
        let bad = reports.iter().filter(|(_, report)| !is_good(report)).count();
        panic!("{bad} of {SEEDS} outages went wrong; {}", story(seed));
    }
    assert_something_happened(&reports);
}

/// A simulation in which nothing happens proves nothing: what must be possible came about, and often.
fn assert_something_happened(reports: &[(u64, Report)]) {
    let mut kinds: BTreeMap<Kind, usize> = BTreeMap::new();
    for (_, report) in reports {
        let mut seen = report.kinds.clone();
        seen.sort();
        seen.dedup();
        seen.into_iter().for_each(|kind| *kinds.entry(kind).or_default() += 1);
    }
    let outages = |kind| kinds.get(&kind).copied().unwrap_or_default();
    for (kind, outages_min) in [
        (Kind::Held, 100),
        (Kind::Interrupted, 500),
        (Kind::ApprovalNeeded, 200),
        (Kind::Confirmed, 200),
        (Kind::PinnedAgain, 50),
        (Kind::PromotionRequested, 800),
        (Kind::Pinned, 1_200),
        (Kind::FailedOver, 1_200),
    ] {
        assert!(outages(kind) >= outages_min, "{kind:?} in {} outages only", outages(kind));
    }
    let failed_over = reports.iter().filter(|(_, report)| report.is_failed_over).count();
    assert!((SEEDS / 2..SEEDS).contains(&(failed_over as u64)), "{failed_over} of {SEEDS} failed over");
}

#[test]
fn a_seed_tells_the_same_story_each_time() {
    let story = |seed| outage::run(seed, true).story;
    assert_eq!(story(11), story(11));
    assert_ne!(story(11), story(12));
}
