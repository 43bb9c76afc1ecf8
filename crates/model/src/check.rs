//! An exploration, and what it came to.

use std::collections::BTreeSet;
use std::fmt;
use std::hash::Hash;
use std::time::Duration;

use failover::failback;
use failover::pin;
use failover::promotion::{GATE_TABLE, REPLICA_TABLE};
use failover::rule::{Id, Rule};
use stateright::{Checker, Expectation, HasDiscoveries, Model};

use crate::steps::{Holdfast, Seen};
use crate::story::{Told, story};
use crate::switch::Switched;

/// What an exploration came to.
#[derive(Clone, Debug)]
pub struct Checked {
    /// How many different states there are within the bounds.
    pub states: usize,
    /// How many steps the longest shortest way to one has.
    pub depth: usize,
    /// Which rows of the rules' tables decided somewhere.
    pub rows: BTreeSet<Id>,
    /// Properties that do not hold.
    pub broken: Vec<Broken>,
    /// Things that should be possible and are not.
    pub never: Vec<&'static str>,
}

/// A property that does not hold.
#[derive(Clone, Debug)]
pub struct Broken {
    /// Which.
    pub property: &'static str,
    /// How many steps lead to where it does not.
    pub steps: usize,
    /// Which, in words.
    pub story: String,
}

impl Checked {
    /// Which rules decided somewhere.
    #[must_use]
    pub fn rules(&self) -> BTreeSet<Rule> {
        self.rows.iter().map(|row| row.rule).collect()
    }
}

/// Every row that can decide in the model: all of the pin's and the promotion's, and the failback's rules.
#[must_use]
pub fn every_row() -> BTreeSet<Id> {
    let pins = pin::rows().into_keys();
    let gates = GATE_TABLE.iter().map(|row| row.id);
    let replicas = REPLICA_TABLE.iter().map(|row| row.id);
    let failbacks = failback::RULES.iter().map(|(rule, ..)| rule.alone());
    pins.chain(gates).chain(replicas).chain(failbacks).collect()
}

/// A model whose exploration is told.
pub trait Explored:
    Told<
        State: Clone + fmt::Debug + Hash + PartialEq + Send + Sync + 'static,
        Action: Clone + fmt::Debug + PartialEq + Send + Sync + 'static,
    > + Send
    + Sync
    + 'static
{
    /// Which rows were met.
    fn rows(&self) -> Seen;
}

impl Explored for Holdfast {
    fn rows(&self) -> Seen {
        self.seen.clone()
    }
}

impl Explored for Switched {
    /// The other model meets them all.
    fn rows(&self) -> Seen {
        Seen::default()
    }
}

impl Holdfast {
    /// Explores everything, and tells now and then how many states it has come to.
    #[must_use]
    pub fn check(self, threads: usize, tell: impl FnMut(usize)) -> Checked {
        explore_until(self, HasDiscoveries::AnyFailures, threads, None, tell)
    }

    /// Serves stateright's explorer until interrupted.
    pub fn explore(self, at: &str) {
        self.checker().serve(at);
    }
}

impl Switched {
    /// Explores everything, and tells now and then how many states it has come to.
    #[must_use]
    pub fn check(self, threads: usize, tell: impl FnMut(usize)) -> Checked {
        explore_until(self, HasDiscoveries::AnyFailures, threads, None, tell)
    }

    /// Serves stateright's explorer until interrupted.
    pub fn explore(self, at: &str) {
        self.checker().serve(at);
    }
}

/// The shortest way to where a property does not hold, by one thread, so that it is always the same.
pub fn shortest<M: Explored>(property: &'static str, make: impl Fn() -> M) -> Checked {
    let explore = |depth| {
        let until = HasDiscoveries::AnyOf(BTreeSet::from([property]));
        explore_until(make(), until, 1, depth, |_| {})
    };
    let steps =
        |checked: &Checked| checked.broken.iter().find(|broken| broken.property == property).map(|broken| broken.steps);
    // The checker looks on for a while after its first discovery, and keeps the last.
    let mut found = explore(None);
    while let Some(shorter) = steps(&found).map(|steps| explore(Some(steps + 1))).filter(|it| steps(it).is_some()) {
        found = shorter;
    }
    found
}

fn explore_until<M: Explored>(
    model: M,
    until: HasDiscoveries,
    threads: usize,
    depth: Option<usize>,
    mut tell: impl FnMut(usize),
) -> Checked {
    let seen = model.rows();
    let mut builder = model.checker().threads(threads).finish_when(until);
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
    let broken = of(Expectation::Always).filter_map(|property| {
        let path = discoveries.get(property)?;
        Some(Broken { property, steps: path.clone().into_actions().len(), story: story::<M>(path) })
    });
    Checked {
        states: checker.unique_state_count(),
        depth: checker.max_depth(),
        rows: seen.all(),
        broken: broken.collect(),
        never: of(Expectation::Sometimes).filter(|name| !discoveries.contains_key(name)).collect(),
    }
}
