//! What can wait gives way where the calls of a whole account do not suffice.
//!
//! "Five requests per second per AWS account" (Route 53 developer guide, "Quotas"): where thirty workloads fail over at once each pin waits for
//! the others' calls, and whatever else a function asks for then keeps somebody's users waiting.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// Without a refusal for so long there is no crowd any more.
const QUIET: Duration = Duration::from_secs(6);
/// Whoever gave way for so long does so no more: what can wait is to be done all the same, and other workloads may be at it for hours.
const GIVES_WAY_MAX: Duration = Duration::from_secs(20);

/// The refusals for their rate that a process has heard. Clones share it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Crowd(Arc<Mutex<Option<Heard>>>);

/// When the first of the crowd was heard, and the last.
#[derive(Clone, Copy, Debug)]
struct Heard {
    first: Instant,
    last: Instant,
}

impl Crowd {
    /// A request was refused for the rate.
    pub(crate) fn met(&self, now: Instant) {
        let mut heard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let first = heard.filter(|heard| now < heard.last + QUIET).map_or(now, |heard| heard.first);
        *heard = Some(Heard { first, last: now });
    }

    /// How long what can wait is to give way from now on, if it is.
    pub(crate) fn gives_way(&self, now: Instant) -> Option<Duration> {
        let heard = (*self.0.lock().unwrap_or_else(PoisonError::into_inner))?;
        let until = (heard.last + QUIET).min(heard.first + GIVES_WAY_MAX);
        until.checked_duration_since(now).filter(|wait| !wait.is_zero())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_wait_does_so_until_nobody_was_refused_for_a_while_and_not_for_ever() {
        let (crowd, began) = (Crowd::default(), Instant::now());
        let after = |seconds| began + Duration::from_secs(seconds);
        assert_eq!(crowd.gives_way(began), None, "nobody is there");
        crowd.met(began);
        assert_eq!(crowd.gives_way(after(2)), Some(Duration::from_secs(4)));
        assert_eq!(crowd.gives_way(after(6)), None, "it has passed");
        for seconds in 1..=18 {
            crowd.met(after(seconds));
        }
        assert_eq!(crowd.gives_way(after(18)), Some(Duration::from_secs(2)));
        crowd.met(after(20));
        assert_eq!(crowd.gives_way(after(20)), None, "it is as urgent as anything by now");
        crowd.met(after(26));
        assert_eq!(crowd.gives_way(after(26)), Some(QUIET), "another crowd");
    }
}
