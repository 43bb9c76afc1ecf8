//! An exploration, and what it came to.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::time::Duration;

use failover::failback;
use failover::pin;
use failover::promotion::{GATE_TABLE, REPLICA_TABLE};
use failover::rule::Rule;
use stateright::{Checker, Expectation, HasDiscoveries, Model, Path};

use crate::steps::{Holdfast, Row, Step};
use crate::world::World;

/// What an exploration came to.
#[derive(Clone, Debug)]
pub struct Checked {
    /// How many different states there are within the bounds.
    pub states: usize,
    /// How many steps the longest shortest way to one has.
    pub depth: usize,
    /// Which rows of the rules' tables decided somewhere.
    pub rows: BTreeSet<Row>,
    /// Properties that do not hold, with the way there.
    pub broken: Vec<(&'static str, String)>,
    /// Things that should be possible and are not.
    pub never: Vec<&'static str>,
}

impl Checked {
    /// Which rules decided somewhere.
    #[must_use]
    pub fn rules(&self) -> BTreeSet<Rule> {
        self.rows.iter().map(|row| row.0).collect()
    }
}

/// Every row that can decide in the model: all of the pin's and the promotion's, and the failback's rules.
#[must_use]
pub fn every_row() -> BTreeSet<Row> {
    let pins = pin::TABLE.iter().map(|row| Row(row.rule, row.condition));
    let gates = GATE_TABLE.iter().map(|row| Row(row.rule, row.condition));
    let replicas = REPLICA_TABLE.iter().map(|row| Row(row.rule, row.condition));
    let failbacks = failback::RULES.iter().map(|(rule, ..)| Row(*rule, ""));
    pins.chain(gates).chain(replicas).chain(failbacks).collect()
}

impl Holdfast {
    /// Explores everything, and tells now and then how many states it has come to.
    #[must_use]
    pub fn check(self, threads: usize, tell: impl FnMut(usize)) -> Checked {
        self.explore_until(HasDiscoveries::AnyFailures, threads, None, tell)
    }

    /// The shortest way to where a property does not hold, by one thread, so that it is always the same.
    #[must_use]
    pub fn shortest(property: &'static str, make: impl Fn() -> Self) -> Checked {
        let explore = |depth| {
            let until = HasDiscoveries::AnyOf(BTreeSet::from([property]));
            make().explore_until(until, 1, depth, |_| {})
        };
        let steps = |checked: &Checked| {
            let broken = checked.broken.iter().find(|(name, _)| *name == property);
            broken.map(|(_, story)| story.lines().count())
        };
        // The checker looks on for a while after its first discovery, and keeps the last.
        let mut found = explore(None);
        while let Some(shorter) = steps(&found).map(|steps| explore(Some(steps + 1))).filter(|it| steps(it).is_some()) {
            found = shorter;
        }
        found
    }

    fn explore_until(
        self,
        until: HasDiscoveries,
        threads: usize,
        depth: Option<usize>,
        mut tell: impl FnMut(usize),
    ) -> Checked {
        let seen = self.seen.clone();
        let mut builder = self.checker().threads(threads).finish_when(until);
        if let Some(depth) = depth {
            builder = builder.target_max_depth(depth);
        }
        let mut checker = builder.spawn_bfs();
        let handles = checker.handles();
        while handles.iter().any(|handle| !handle.is_finished()) {
            std::thread::sleep(Duration::from_millis(20));
            tell(checker.unique_state_count());
        }
        for handle in handles {
            // A panic within the model is one of the model.
            if let Err(panic) = handle.join() {
                std::panic::resume_unwind(panic);
            }
        }
        let discoveries = checker.discoveries();
        let model = checker.model();
        let of = |expected: Expectation| {
            model.properties().into_iter().filter(move |property| property.expectation == expected).map(|it| it.name)
        };
        let broken = of(Expectation::Always).filter_map(|name| Some((name, story(discoveries.get(name)?))));
        Checked {
            states: checker.unique_state_count(),
            depth: checker.max_depth(),
            rows: seen.all(),
            broken: broken.collect(),
            never: of(Expectation::Sometimes).filter(|name| !discoveries.contains_key(name)).collect(),
        }
    }

    /// Serves stateright's explorer until interrupted.
    pub fn explore(self, at: &str) {
        self.checker().serve(at);
    }
}

/// What happened, a line a step.
fn story(path: &Path<World, Step>) -> String {
    let mut story = String::new();
    for (nth, step) in path.clone().into_actions().iter().enumerate() {
        // Writing to a string does not fail.
        let _ = writeln!(story, "{:>3}. {step:?}", nth + 1);
    }
    story
}
