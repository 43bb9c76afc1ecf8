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
    /// It takes effect, the answer is lost, and the SDK sends it again: the second answer is heard.
    Twice,
    /// It is answered from a copy that the newest write has not reached.
    Stale,
}

impl Fault {
    /// Every way to go wrong.
    pub const ALL: [Self; 9] = [
        Self::NeverSent,
        Self::Refused("Throttling"),
        Self::TimedOutBefore,
        Self::TimedOutAfter,
        Self::TimedOutLate,
        Self::KilledBefore,
        Self::KilledAfter,
        Self::Twice,
        Self::Stale,
    ];
}

impl Fault {
    /// What became of the call.
    #[must_use]
    pub fn in_words(self) -> &'static str {
        match self {
            Self::None => "is answered",
            Self::NeverSent => "is never sent",
            Self::Refused(_) => "is throttled",
            Self::TimedOutBefore => "times out, unheard",
            Self::TimedOutAfter => "takes effect and times out",
            Self::TimedOutLate => "times out, and may land later",
            Self::KilledBefore => "is the last thing it lives to try",
            Self::KilledAfter => "takes effect, and the function dies before the answer",
            Self::Twice => "is sent twice, since the first answer is lost",
            Self::Stale => "is answered from an older copy",
        }
    }
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
