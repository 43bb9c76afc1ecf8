//! Calls no faster than a service takes them.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use aws_smithy_async::rt::sleep::{AsyncSleep as _, TokioSleep};

/// "Five requests per second per AWS account" (Route 53 developer guide, "Quotas"); what comes beyond is refused, and then
/// waits longer than it would have had to.
const CALLS_MAX: usize = 5;
/// The service counts when calls arrive, and those arrive a little closer together or farther apart than they leave.
const WINDOW: Duration = Duration::from_millis(1_020);

/// When the last calls left. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Pace(Arc<Mutex<VecDeque<Instant>>>);

impl Pace {
    /// Waits until one more call may leave.
    pub async fn turn(&self) {
        let wait = self.book(Instant::now());
        if !wait.is_zero() {
            TokioSleep::new().sleep(wait).await;
        }
    }

    /// Takes the next free moment; how long it is until then.
    fn book(&self, now: Instant) -> Duration {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let at = match last.len() {
            CALLS_MAX.. => last.pop_front().map_or(now, |oldest| now.max(oldest + WINDOW)),
            _ => now,
        };
        last.push_back(at);
        at - now
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_calls_leave_at_once_and_no_second_holds_more() {
        let (pace, now) = (Pace::default(), Instant::now());
        let waits: Vec<_> = (0..12).map(|_| pace.book(now)).collect();
        assert_eq!(waits[..5], [Duration::ZERO; 5]);
        assert_eq!((waits[5], waits[9], waits[10], waits[11]), (WINDOW, WINDOW, 2 * WINDOW, 2 * WINDOW));
        assert_eq!(pace.book(now + 3 * WINDOW), Duration::ZERO, "who has rested need not wait");
    }
}
