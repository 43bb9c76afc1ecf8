//! Makes a failure small: takes off what went otherwise than in a quiet outage as long as the same property fails.

use crate::chance::{Deviation, ON_SWITCH, ON_TARGETS};
use crate::outage::{self, Detail, Report};
use crate::property::Property;
use crate::sabotage::Sabotage;

/// How many outages are tried at most.
const TRIES_MAX: usize = 3_000;

/// A failure that takes so few deviations is small enough.
const SMALL: usize = 3;
/// How many failures are shrunk to find a small one.
const SEEDS_SHRUNK_MAX: usize = 6;

/// A failure, and what little it takes.
#[derive(Debug)]
pub struct Shrunk {
    /// The seed it came from.
    pub seed: u64,
    /// The rule that was broken on purpose, if one was.
    pub sabotage: Option<Sabotage>,
    /// What failed.
    pub property: Property,
    /// How many deviations the seed has.
    pub deviations: usize,
    /// Which of them it takes, by their place among them.
    pub kept: Vec<usize>,
    /// How many outages were tried.
    pub tries: usize,
}

/// The outage of some of a seed's deviations.
#[must_use]
pub fn replay(seed: u64, sabotage: Option<Sabotage>, kept: Option<&[usize]>) -> Report {
    let whole = outage::run(seed, sabotage, Detail::Story);
    match kept {
        None => whole,
        Some(kept) => outage::run_list(&chosen(&whole.deviations, kept), sabotage, Detail::Story),
    }
}

/// Shrinks the first failure of a seed; `None` if it has none.
#[must_use]
pub fn shrink(seed: u64, sabotage: Option<Sabotage>) -> Option<Shrunk> {
    let whole = outage::run(seed, sabotage, Detail::Story);
    let property = whole.broken.first()?.property;
    Some(shrink_by(seed, sabotage, property, &whole))
}

fn shrink_by(seed: u64, sabotage: Option<Sabotage>, property: Property, whole: &Report) -> Shrunk {
    let mut tries = 0;
    let mut fails = |kept: &[usize]| {
        tries += 1;
        let report = outage::run_list(&chosen(&whole.deviations, kept), sabotage, Detail::Result);
        report.broken.iter().any(|breach| breach.property == property)
    };
    let kept = minimal((0..whole.deviations.len()).collect(), &mut fails);
    Shrunk { seed, sabotage, property, deviations: whole.deviations.len(), kept, tries }
}

impl Shrunk {
    /// Of the first few among so many seeds in which `property` notices a sabotage, the one that shrinks most.
    #[must_use]
    pub fn search(sabotage: Sabotage, property: Property, seeds: u64) -> Option<Self> {
        let is_noticed = |report: &Report| report.broken.iter().any(|breach| breach.property == property);
        let from = match sabotage {
            Sabotage::IgnoresTargets => ON_TARGETS,
            _ if sabotage.is_beside() => ON_SWITCH,
            _ => 0,
        };
        let noticed =
            (from..from + seeds).filter(|seed| is_noticed(&outage::run(*seed, Some(sabotage), Detail::Result)));
        let mut smallest: Option<Self> = None;
        for seed in noticed.take(SEEDS_SHRUNK_MAX) {
            let whole = outage::run(seed, Some(sabotage), Detail::Story);
            let shrunk = shrink_by(seed, Some(sabotage), property, &whole);
            let is_small = shrunk.kept.len() <= SMALL;
            if smallest.as_ref().is_none_or(|other| shrunk.kept.len() < other.kept.len()) {
                smallest = Some(shrunk);
            }
            if is_small {
                break;
            }
        }
        smallest
    }
}

fn chosen(deviations: &[Deviation], kept: &[usize]) -> Vec<Deviation> {
    kept.iter().filter_map(|&nth| deviations.get(nth).copied()).collect()
}

/// Delta debugging (Zeller and Hildebrandt, "Simplifying and Isolating Failure-Inducing Input"): tries to do without each
/// of ever smaller parts.
fn minimal(mut kept: Vec<usize>, fails: &mut impl FnMut(&[usize]) -> bool) -> Vec<usize> {
    let (mut size, mut tries) = (kept.len().div_ceil(2).max(1), 0);
    loop {
        let (mut at, mut has_shrunk) = (0, false);
        while at < kept.len() && tries < TRIES_MAX {
            let rest: Vec<_> =
                kept.iter().enumerate().filter(|(nth, _)| !(at..at + size).contains(nth)).map(|(_, &it)| it).collect();
            tries += 1;
            if fails(&rest) {
                (kept, has_shrunk) = (rest, true);
            } else {
                at += size;
            }
        }
        match (size, has_shrunk) {
            _ if tries >= TRIES_MAX => return kept,
            (1, false) => return kept,
            (1, true) => {}
            _ => size = size.div_ceil(2),
        }
    }
}

impl Shrunk {
    /// The command that plays it again.
    #[must_use]
    pub fn command(&self) -> String {
        let kept: Vec<_> = self.kept.iter().map(ToString::to_string).collect();
        let sabotage = self.sabotage.map(|sabotage| format!(" --sabotage {}", sabotage.name())).unwrap_or_default();
        format!("cargo run -p simulation -- replay {} --keep '{}'{sabotage}", self.seed, kept.join(","))
    }

    /// The outage.
    #[must_use]
    pub fn report(&self) -> Report {
        replay(self.seed, self.sabotage, Some(&self.kept))
    }

    /// What happened, up to the failure, and how to see it again.
    #[must_use]
    pub fn story(&self) -> String {
        let report = self.report();
        let (kept, all, tries) = (self.kept.len(), self.deviations, self.tries);
        format!(
            "seed {}, shrunk from {all} deviations to {kept} in {tries} tries:\n{}\nagain: {}",
            self.seed,
            tell(&report, Some(self.property)),
            self.command()
        )
    }
}

/// A report's story and what failed in it; only up to the first failure of `property`, if that is given.
#[must_use]
pub fn tell(report: &Report, property: Option<Property>) -> String {
    let failures = report.broken.iter().filter(|breach| property.is_none_or(|wanted| wanted == breach.property));
    let failures = failures.take(if property.is_some() { 1 } else { usize::MAX });
    let until = property.and_then(|wanted| report.broken.iter().find(|breach| breach.property == wanted));
    let steps = report.story.iter().filter(|(at, _)| until.is_none_or(|breach| *at <= breach.at));
    let mut lines: Vec<_> = steps.map(|(at, step)| (*at, step.clone())).collect();
    lines.extend(failures.map(|breach| (breach.at, breach.to_string())));
    lines.sort_by_key(|(at, _)| *at);
    let lines = lines.into_iter().map(|(at, line)| {
        let seconds = at.duration_since(crate::setup::start()).as_secs();
        format!("  {:3}:{:02} {line}", seconds / 60, seconds % 60)
    });
    lines.collect::<Vec<_>>().join("\n")
}
