//! What can befall an API call.

use std::fmt;
use std::time::Duration;

use crate::wire::Refusal;

/// A call at the lab's front door.
#[derive(Clone, Copy, Debug)]
pub struct Site<'a> {
    /// Who calls: a function's name, or the access key of anyone else.
    pub caller: &'a str,
    /// The region the calling function runs in; nothing for anyone outside AWS.
    pub caller_region: Option<&'a str>,
    /// The region that is called.
    pub region: &'a str,
    /// Signing name of the service.
    pub service: &'a str,
    /// The API's name for the call.
    pub action: &'a str,
    /// How many times this caller made this call before.
    pub nth: u64,
}

/// Whether a call whose answer is lost was carried out all the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// It changed nothing.
    Without,
    /// It took effect.
    With,
}

/// How an answer is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// It never comes; the connection stays open until the caller gives up.
    NoAnswer,
    /// The connection is cut in the middle of it.
    Cut,
    /// The calling process dies before it hears it.
    Kill,
}

/// What befalls a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CallEffect {
    /// It is refused and changes nothing.
    Refuse(Refusal),
    /// It is carried out this much later, in lab time.
    Slow(Duration),
    /// Its answer is lost.
    Lose(Loss, Effect),
}

impl CallEffect {
    /// Refused because there were too many.
    pub fn throttle() -> Self {
        Self::Refuse(Refusal::bad_request("Throttling", "Rate exceeded"))
    }

    /// Refused because the service is unwell.
    pub fn unavailable() -> Self {
        Self::Refuse(Refusal::unavailable("the lab was told that this service is down"))
    }
}

impl fmt::Display for CallEffect {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (loss, effect) = match self {
            Self::Refuse(refusal) => return write!(formatter, "refused with {}", refusal.code),
            Self::Slow(by) => return write!(formatter, "slow by {:.1} s", by.as_secs_f64()),
            Self::Lose(loss, effect) => (loss, effect),
        };
        formatter.write_str(match loss {
            Loss::NoAnswer => "timed out",
            Loss::Cut => "cut",
            Loss::Kill => "killed the caller",
        })?;
        formatter.write_str(match effect {
            Effect::Without => " before taking effect",
            Effect::With => " after taking effect",
        })
    }
}

/// A fault of chosen calls.
pub struct CallFault {
    matches: Box<dyn Fn(&Site<'_>) -> bool + Send + Sync>,
    effect: CallEffect,
}

impl CallFault {
    /// For calls the predicate picks.
    pub fn when(matches: impl Fn(&Site<'_>) -> bool + Send + Sync + 'static, effect: CallEffect) -> Self {
        Self { matches: Box::new(matches), effect }
    }

    pub(super) fn effect_on(&self, site: &Site<'_>) -> Option<CallEffect> {
        (self.matches)(site).then(|| self.effect.clone())
    }
}

impl fmt::Debug for CallFault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("CallFault").field(&self.effect).finish()
    }
}
