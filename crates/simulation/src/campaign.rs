//! Many outages, on every core, and what they came to together.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};

use failover::outcome::Kind;
use serde::Serialize;

use crate::fault::Fault;
use crate::outage::{self, Detail, Report};
use crate::property::Property;
use crate::sabotage::Sabotage;

/// What many outages came to.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Tally {
    /// How many there were.
    pub outages: u64,
    /// How many ended failed over.
    pub failed_over: u64,
    /// In how many a function returned each of these.
    pub kinds: BTreeMap<Kind, u64>,
    /// How many calls went wrong in each way.
    pub faults: BTreeMap<String, u64>,
    /// How many messages people got.
    pub messages: u64,
    /// How many were failed over so many minutes after the faults had ended, or after the first approval.
    pub recovered_minutes: BTreeMap<i64, u64>,
    /// In how many each property failed, and the smallest seed of them.
    pub broken: BTreeMap<Property, (u64, u64)>,
}

impl Tally {
    fn add(&mut self, seed: u64, report: &Report) {
        self.outages += 1;
        self.failed_over += u64::from(report.recovered_minutes.is_some());
        self.messages += report.messages as u64;
        for kind in &report.kinds {
            *self.kinds.entry(*kind).or_default() += 1;
        }
        for (fault, times) in Fault::ALL.iter().zip(report.faults).filter(|(_, times)| *times > 0) {
            *self.faults.entry(fault.in_words().to_owned()).or_default() += times;
        }
        if let Some(minutes) = report.recovered_minutes {
            *self.recovered_minutes.entry(minutes.max(0)).or_default() += 1;
        }
        let mut broken: Vec<_> = report.broken.iter().map(|breach| breach.property).collect();
        broken.sort_unstable();
        broken.dedup();
        for property in broken {
            self.note_broken(property, 1, seed);
        }
    }

    fn note_broken(&mut self, property: Property, outages: u64, seed: u64) {
        let (times, first) = self.broken.entry(property).or_insert((0, u64::MAX));
        *times += outages;
        *first = seed.min(*first);
    }

    fn merge(mut self, other: Self) -> Self {
        self.outages += other.outages;
        self.failed_over += other.failed_over;
        self.messages += other.messages;
        other.kinds.into_iter().for_each(|(kind, times)| *self.kinds.entry(kind).or_default() += times);
        other.faults.into_iter().for_each(|(fault, times)| *self.faults.entry(fault).or_default() += times);
        for (minutes, times) in other.recovered_minutes {
            *self.recovered_minutes.entry(minutes).or_default() += times;
        }
        for (property, (times, seed)) in other.broken {
            self.note_broken(property, times, seed);
        }
        self
    }

    /// The smallest seed in which something failed.
    #[must_use]
    pub fn first_bad_seed(&self) -> Option<u64> {
        self.broken.values().map(|(_, seed)| *seed).min()
    }
}

/// Runs the outages of these seeds; `progress` is told of each hundred.
pub fn run(seeds: Range<u64>, sabotage: Option<Sabotage>, threads: usize, progress: &(impl Fn(u64) + Sync)) -> Tally {
    const AT_ONCE: u64 = 100;
    let next = AtomicU64::new(seeds.start);
    let work = || {
        let mut tally = Tally::default();
        loop {
            let from = next.fetch_add(AT_ONCE, Ordering::Relaxed);
            let some = from..seeds.end.min(from + AT_ONCE);
            if some.is_empty() {
                return tally;
            }
            let count = some.end - some.start;
            some.for_each(|seed| tally.add(seed, &outage::run(seed, sabotage, Detail::Result)));
            progress(count);
        }
    };
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads.max(1)).map(|_| scope.spawn(work)).collect();
        let tallies = workers.into_iter().map(|worker| match worker.join() {
            Ok(tally) => tally,
            Err(panic) => std::panic::resume_unwind(panic),
        });
        tallies.fold(Tally::default(), Tally::merge)
    })
}

/// As many threads as there are cores.
#[must_use]
pub fn threads() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}
