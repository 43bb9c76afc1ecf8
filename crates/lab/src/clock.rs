//! Lab time: a time-lapse that runs at real speed whenever somebody is at work.
//!
//! Two rules make drills both fast and honest. Lab time runs `speed` times faster than real time while the lab is
//! only waiting, and at real time while any [`Working`] guard is held: a Lambda's invocation or a client's request lasts
//! as long in lab time as it really took. And lab time never runs past a moment somebody is waiting for before that
//! sleeper has been woken, so a busy machine slows the lab down but cannot reorder it.
//!
//! A process that waits in the middle of its work says so at the lab's port for waits ([`serve`]), and is not at work meanwhile.

mod waits;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::Notify;
use tokio::time::Instant;

pub use waits::serve;

/// The lab's clock. Clones share one time.
#[derive(Clone, Debug)]
pub struct Clock(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    /// At the real moment `real`, lab time was `lab`; both move together at every change of rate.
    real: Instant,
    lab: Timestamp,
    speed: f64,
    /// Below 0 for a moment, where a worker that rests is killed.
    working: i32,
    /// Moments somebody sleeps for, and how to tell them to look at the clock; the counter tells equal moments apart. Since lab time
    /// does not pass the first, only that one needs to be told when the rate changes, or when its turn comes.
    awaited: BTreeMap<(Timestamp, u64), Arc<Notify>>,
    sleepers: u64,
}

impl State {
    fn rate(&self) -> f64 {
        if self.working > 0 { 1.0 } else { self.speed }
    }

    fn now(&self) -> Timestamp {
        let elapsed = self.real.elapsed().mul_f64(self.rate());
        let free = self.lab + SignedDuration::try_from(elapsed).unwrap_or(SignedDuration::MAX);
        match self.awaited.first_key_value() {
            Some((&(first, _), _)) => free.min(first),
            None => free,
        }
    }

    fn tell_first(&self) {
        if let Some((_, look)) = self.awaited.first_key_value() {
            look.notify_one();
        }
    }

    fn anchor(&mut self) {
        self.lab = self.now();
        self.real = Instant::now();
    }
}

impl Clock {
    /// Starts lab time at `at`, `speed` times as fast as real time (1.0 is real time).
    pub fn start(at: Timestamp, speed: f64) -> Self {
        Self(Arc::new(Mutex::new(State {
            real: Instant::now(),
            lab: at,
            speed,
            working: 0,
            awaited: BTreeMap::new(),
            sleepers: 0,
        })))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The present lab time.
    pub fn now(&self) -> Timestamp {
        self.state().now()
    }

    /// Waits for `duration` of lab time.
    pub async fn sleep(&self, duration: Duration) {
        let until = self.now() + SignedDuration::try_from(duration).unwrap_or(SignedDuration::MAX);
        self.sleep_until(until).await;
    }

    /// Waits until lab time reaches `at`; returns at once if it has.
    pub async fn sleep_until(&self, at: Timestamp) {
        drop(self.reach(at).await);
    }

    /// Waits until lab time reaches `at`, where it stays until the answer is dropped.
    async fn reach(&self, at: Timestamp) -> Option<Awaited> {
        let awaited = Awaited::register(self, at)?;
        loop {
            let wait = {
                let state = self.state();
                let left = at.duration_since(state.now());
                if left <= SignedDuration::ZERO {
                    break;
                }
                let is_first = state.awaited.first_key_value().is_some_and(|(first, _)| *first == awaited.key);
                is_first.then(|| left.unsigned_abs().div_f64(state.rate()))
            };
            let told = awaited.look.notified();
            match wait {
                Some(wait) => drop(tokio::time::timeout(wait, told).await),
                None => told.await,
            }
        }
        Some(awaited)
    }

    /// Waits until lab time reaches `at`, and is at work from that moment on: none passes between.
    pub async fn work_at(&self, at: Timestamp) -> Working {
        let awaited = self.reach(at).await;
        let working = self.working();
        drop(awaited);
        working
    }

    /// Holds lab time to real time until the guard is dropped.
    pub fn working(&self) -> Working {
        self.change_working(1);
        Working(self.clone())
    }

    /// For someone at work: rests until `duration` of lab time has passed, and is at work again from that moment on.
    async fn rest(&self, duration: Duration) {
        let until = self.now() + SignedDuration::try_from(duration).unwrap_or(SignedDuration::MAX);
        let resting = self.resting();
        let awaited = self.reach(until).await;
        drop(resting);
        drop(awaited);
    }

    fn resting(&self) -> Resting {
        self.change_working(-1);
        Resting(self.clone())
    }

    fn change_working(&self, by: i32) {
        let mut state = self.state();
        state.anchor();
        state.working += by;
        state.tell_first();
    }
}

/// While this lives, lab time passes as fast as real time and no faster.
#[derive(Debug)]
pub struct Working(Clock);

impl Drop for Working {
    fn drop(&mut self) {
        self.0.change_working(-1);
    }
}

/// While this lives, one of those at work is not.
struct Resting(Clock);

impl Drop for Resting {
    fn drop(&mut self) {
        self.0.change_working(1);
    }
}

struct Awaited {
    clock: Clock,
    key: (Timestamp, u64),
    look: Arc<Notify>,
}

impl Awaited {
    fn register(clock: &Clock, at: Timestamp) -> Option<Self> {
        let mut state = clock.state();
        state.anchor();
        if at <= state.lab {
            return None;
        }
        state.sleepers += 1;
        let key = (at, state.sleepers);
        let look = Arc::new(Notify::new());
        state.awaited.insert(key, look.clone());
        drop(state);
        Some(Self { clock: clock.clone(), key, look })
    }
}

impl Drop for Awaited {
    fn drop(&mut self) {
        let mut state = self.clock.state();
        state.anchor();
        state.awaited.remove(&self.key);
        state.tell_first();
    }
}

/// The first whole minute after `now`.
pub(crate) fn next_minute(now: Timestamp) -> Timestamp {
    let seconds = now.as_second();
    Timestamp::from_second(seconds - seconds.rem_euclid(60) + 60).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noon() -> Timestamp {
        "2026-01-01T12:00:00Z".parse().unwrap()
    }

    #[tokio::test]
    async fn an_hour_passes_in_a_moment_and_never_overshoots_a_sleeper() {
        let clock = Clock::start(noon(), 360_000.0);
        for minute in 1..=60 {
            let at = noon() + SignedDuration::from_mins(minute);
            clock.sleep_until(at).await;
            assert!(clock.now() >= at);
        }
    }

    #[tokio::test]
    async fn time_waits_for_a_sleeper_that_has_not_run_yet() {
        let clock = Clock::start(noon(), 1_000.0);
        let at = noon() + SignedDuration::from_secs(30);
        let awaited = Awaited::register(&clock, at).unwrap();
        tokio::time::sleep(Duration::from_millis(60)).await;
        assert_eq!(clock.now(), at, "lab time stopped at the awaited moment");
        drop(awaited);
        assert!(clock.now() >= at);
    }

    #[tokio::test]
    async fn sleepers_wake_in_their_order_whoever_else_gives_up_or_works() {
        let clock = Clock::start(noon(), 3_600.0);
        // Until all sleep: a busy machine must not be late for them.
        let setting_up = clock.working();
        let woken = Arc::new(Mutex::new(Vec::new()));
        let mut sleepers = tokio::task::JoinSet::new();
        for second in [50_i64, 10, 40, 10, 30, 20] {
            let (clock, woken) = (clock.clone(), woken.clone());
            sleepers.spawn(async move {
                clock.sleep_until(noon() + SignedDuration::from_secs(second)).await;
                woken.lock().unwrap().push(second);
            });
        }
        tokio::task::yield_now().await;
        let gave_up = tokio::select! {
            biased;
            () = clock.sleep(Duration::from_secs(5)) => false,
            () = std::future::ready(()) => true,
        };
        assert!(gave_up);
        let at = noon() + SignedDuration::from_secs(15);
        let (working, ()) = tokio::join!(clock.work_at(at), async { drop(setting_up) });
        assert!(clock.now() < noon() + SignedDuration::from_secs(16));
        drop(working);
        sleepers.join_all().await;
        assert_eq!(*woken.lock().unwrap(), [10, 10, 20, 30, 40, 50]);
    }

    #[tokio::test]
    async fn work_holds_lab_time_to_real_time() {
        let clock = Clock::start(noon(), 1_000_000.0);
        let working = clock.working();
        let before = clock.now();
        tokio::time::sleep(Duration::from_millis(5)).await;
        assert!(clock.now().duration_since(before) < SignedDuration::from_secs(60));
        drop(working);
    }
}
