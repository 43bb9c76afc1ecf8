//! All that is explored, and all deliberate faults: of both models.

use crate::bounds::Bounds;
use crate::check::Checked;
use crate::faults::every_mutation;
use crate::steps::Holdfast;
use crate::switch::{self, Switched};

/// What is explored, within its bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// The pin and the promotion, faults and people.
    Decisions(Bounds),
    /// The switch and the latch.
    Switch(switch::Bounds),
}

impl Subject {
    /// What the tests explore.
    #[must_use]
    pub fn of_the_tests() -> Vec<Self> {
        let decisions = Bounds::of_the_tests().into_iter().map(Self::Decisions);
        decisions.chain(switch::Bounds::of_the_tests().into_iter().map(Self::Switch)).collect()
    }

    /// The same, with more of what matters most.
    #[must_use]
    pub fn deep() -> Vec<Self> {
        let decisions = Bounds::deep().into_iter().map(Self::Decisions);
        decisions.chain(switch::Bounds::deep().into_iter().map(Self::Switch)).collect()
    }

    /// What the bounds are called.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Decisions(bounds) => bounds.name,
            Self::Switch(bounds) => bounds.name,
        }
    }

    /// What is within them, in words.
    #[must_use]
    pub fn about(self) -> &'static str {
        match self {
            Self::Decisions(bounds) => bounds.about,
            Self::Switch(bounds) => bounds.about,
        }
    }

    /// Explores everything, and tells now and then how many states it has come to.
    #[must_use]
    pub fn check(self, threads: usize, tell: impl FnMut(usize)) -> Checked {
        match self {
            Self::Decisions(bounds) => Holdfast::shipped(bounds).check(threads, tell),
            Self::Switch(bounds) => Switched::shipped(bounds).check(threads, tell),
        }
    }

    /// Serves an explorer until interrupted.
    pub fn explore(self, at: &str) {
        match self {
            Self::Decisions(bounds) => Holdfast::shipped(bounds).explore(at),
            Self::Switch(bounds) => Switched::shipped(bounds).explore(at),
        }
    }
}

/// A decision that is wrong on purpose.
#[derive(Clone, Copy, Debug)]
pub struct Fault {
    /// What is wrong with it.
    pub name: &'static str,
    /// Where it shows.
    pub within: &'static str,
    /// Which property notices.
    pub noticed_by: &'static str,
    of: Of,
}

#[derive(Clone, Copy, Debug)]
enum Of {
    Decisions(&'static crate::faults::Mutation),
    Switch(&'static switch::Mutation),
}

impl Fault {
    /// The shortest way to where that property does not hold.
    #[must_use]
    pub fn check(&self) -> Checked {
        match self.of {
            Of::Decisions(mutation) => mutation.check(),
            Of::Switch(mutation) => mutation.check(),
        }
    }
}

/// All of them.
pub fn every_fault() -> impl Iterator<Item = Fault> {
    let decisions = every_mutation().map(|it| Fault {
        name: it.name,
        within: it.within.name,
        noticed_by: it.noticed_by,
        of: Of::Decisions(it),
    });
    decisions.chain(switch::MUTATIONS.iter().map(|it| Fault {
        name: it.name,
        within: it.within.name,
        noticed_by: it.noticed_by,
        of: Of::Switch(it),
    }))
}
