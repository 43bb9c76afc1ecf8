//! Thousands of random outages.

use simulation::outage;

/// The seeds of a run; `HOLDFAST_SEED` runs one alone, and tells its story.
const SEEDS: u64 = 2_000;

#[test]
fn no_random_outage_breaks_an_invariant_or_fails_to_end() {
    if let Some(seed) = std::env::var("HOLDFAST_SEED").ok().and_then(|seed| seed.parse().ok()) {
        let report = outage::run(seed, true);
        println!("{}", report.story.join("\n"));
        assert!(report.broken.is_empty() && report.missed.is_empty(), "{:?} {:?}", report.broken, report.missed);
        return;
    }
    let mut bad = Vec::new();
    for seed in 0..SEEDS {
        let report = outage::run(seed, false);
        if !report.broken.is_empty() || !report.missed.is_empty() {
            bad.push((seed, report.broken, report.missed));
        }
    }
    assert!(bad.is_empty(), "{} of {SEEDS}: {:#?}", bad.len(), &bad[..bad.len().min(10)]);
}

#[test]
fn coverage() {
    let mut kinds = std::collections::BTreeMap::new();
    let mut over = 0;
    for seed in 0..300 {
        let report = outage::run(seed, false);
        for kind in report.kinds { *kinds.entry(kind).or_insert(0) += 1; }
        over += u32::from(report.is_failed_over);
    }
    println!("{kinds:?} {over}");
}
