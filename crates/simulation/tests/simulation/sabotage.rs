//! Rules broken on purpose: which property notices, and how small the story of it is.

use simulation::sabotage::{NOTICED_BY, Sabotage};
use simulation::shrink::{self, Shrunk};

/// How many outages may go by before anybody notices.
const SEEDS: u64 = 3_000;
/// How many deviations from a quiet outage it may take.
const DEVIATIONS_MAX: usize = 6;

#[test]
fn each_sabotage_is_noticed_by_the_property_meant_for_it_and_shrinks_to_a_short_story() {
    let work = |(sabotage, property): &(Sabotage, _)| {
        let Some(shrunk) = Shrunk::search(*sabotage, *property, SEEDS) else {
            return Some(format!("{sabotage:?} is not noticed within {SEEDS} outages"));
        };
        let again = shrink::replay(shrunk.seed, Some(*sabotage), Some(&shrunk.kept));
        assert!(again.broken.iter().any(|breach| breach.property == *property), "{}", shrunk.command());
        assert!(shrink::replay(shrunk.seed, None, Some(&shrunk.kept)).broken.is_empty(), "it takes the sabotage");
        (shrunk.kept.len() > DEVIATIONS_MAX).then(|| shrunk.story())
    };
    let (one, other) = NOTICED_BY.split_at(NOTICED_BY.len() / 2);
    let wrong: Vec<String> = std::thread::scope(|scope| {
        let workers = [one, other].map(|some| scope.spawn(|| some.iter().filter_map(work).collect::<Vec<_>>()));
        workers.into_iter().flat_map(|worker| worker.join().expect("no outage panics")).collect()
    });
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn every_sabotage_is_in_the_table() {
    use clap::ValueEnum as _;
    for sabotage in Sabotage::value_variants() {
        assert!(NOTICED_BY.iter().any(|(listed, _)| listed == sabotage), "{sabotage:?}");
    }
}
