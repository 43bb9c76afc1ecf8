//! What can become of a call, and who decides it.

use std::cell::RefCell;
use std::rc::Rc;

use crate::holdfast::Function;

/// What becomes of one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It succeeds, or is refused for a reason of its own.
    None,
    /// It never leaves.
    NeverSent,
    /// AWS refuses it with this code.
    Refused(&'static str),
    /// No answer, and no effect.
    TimedOutBefore,
    /// It takes effect, and the answer is lost.
    TimedOutAfter,
    /// No answer; it takes effect when the world lets late calls land.
    TimedOutLate,
    /// The invocation dies with the call still unsent.
    KilledBefore,
    /// The call takes effect and the invocation dies before the answer.
    KilledAfter,
}

impl Fault {
    /// Every way to go wrong.
    pub const ALL: [Self; 7] = [
        Self::NeverSent,
        Self::Refused("Throttling"),
        Self::TimedOutBefore,
        Self::TimedOutAfter,
        Self::TimedOutLate,
        Self::KilledBefore,
        Self::KilledAfter,
    ];
}

/// One call of one invocation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Site {
    /// Whose invocation.
    pub function: Function,
    /// Which of all invocations, from 0.
    pub invocation: u32,
    /// Which of its calls, from 0.
    pub call: u32,
    /// AWS's name for the call.
    pub api: &'static str,
}

/// Decides what becomes of each call.
pub type Script = Rc<RefCell<dyn FnMut(Site) -> Fault>>;

/// Everything succeeds.
#[must_use]
pub fn none() -> Script {
    script(|_| Fault::None)
}

/// A script of one's own.
pub fn script(decide: impl FnMut(Site) -> Fault + 'static) -> Script {
    Rc::new(RefCell::new(decide))
}
