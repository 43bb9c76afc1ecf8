//! The fuzz targets over their committed corpus, and over bytes that no fuzzer has chosen.

use std::path::Path;

use fuzzing::TARGETS;
use proptest::prelude::*;

#[test]
fn whatever_the_fuzzer_found_worth_keeping_still_holds() {
    for (name, target) in TARGETS {
        let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../fuzz/corpus")).join(name);
        let inputs: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert!(inputs.len() >= 10, "{} inputs in {}", inputs.len(), folder.display());
        for input in inputs {
            target(&std::fs::read(input).unwrap());
        }
    }
}

proptest! {
    #[test]
    fn whatever_bytes_come_in_nothing_panics_acts_or_is_lost(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        for (_, target) in TARGETS {
            target(&bytes);
        }
    }
}
