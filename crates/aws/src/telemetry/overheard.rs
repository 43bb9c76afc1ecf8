//! Metrics as a simulated CloudWatch hears them: there is no standard output between a function and its simulated world.

use std::cell::RefCell;

use jiff::Timestamp;

use super::Metric;

thread_local! {
    static HEARD: RefCell<Option<Vec<(Timestamp, Metric)>>> = const { RefCell::new(None) };
}

pub(super) fn note(at: Timestamp, metrics: &[Metric]) {
    HEARD
        .with_borrow_mut(|heard| heard.iter_mut().for_each(|heard| heard.extend(metrics.iter().map(|one| (at, *one)))));
}

/// Runs something, and tells which metrics it emitted on this thread.
pub fn overhear<T>(run: impl FnOnce() -> T) -> (T, Vec<(Timestamp, Metric)>) {
    HEARD.replace(Some(Vec::new()));
    let ran = run();
    (ran, HEARD.take().unwrap_or_default())
}
