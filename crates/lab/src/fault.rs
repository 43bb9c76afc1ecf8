//! What is broken in the lab just now.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::Value;
use tokio::sync::watch;

/// The faults in force. Everything starts whole.
#[derive(Debug)]
pub struct Faults {
    state: Mutex<State>,
    changes: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct State {
    regions_down: BTreeSet<String>,
    partitions: BTreeSet<(String, String)>,
    events: Vec<EventFault>,
}

impl Default for Faults {
    fn default() -> Self {
        Self { state: Mutex::default(), changes: watch::channel(0).0 }
    }
}

impl Faults {
    /// Takes a region down: its sites, databases and regional APIs stop answering.
    pub fn fail_region(&self, region: &str) {
        self.change(|state| state.regions_down.insert(region.to_owned()));
    }

    /// Brings a region back.
    pub fn heal_region(&self, region: &str) {
        self.change(|state| state.regions_down.remove(region));
    }

    /// True while the region is down.
    pub fn is_down(&self, region: &str) -> bool {
        self.state().regions_down.contains(region)
    }

    /// Cuts the network between two regions, in both directions; each goes on by itself.
    pub fn partition(&self, one: &str, other: &str) {
        self.change(|state| state.partitions.insert(pair(one, other)));
    }

    /// Joins two regions again.
    pub fn heal_partition(&self, one: &str, other: &str) {
        self.change(|state| state.partitions.remove(&pair(one, other)));
    }

    /// True if something in one region can reach something in the other: both are up and not cut apart.
    pub fn connected(&self, one: &str, other: &str) -> bool {
        let state = self.state();
        !state.regions_down.contains(one)
            && !state.regions_down.contains(other)
            && !state.partitions.contains(&pair(one, other))
    }

    /// Adds a fault to event deliveries, in force until [`Self::clear_event_faults`].
    pub fn set_event_fault(&self, fault: EventFault) {
        self.change(|state| {
            state.events.push(fault);
            true
        });
    }

    /// Delivers events as they should be again.
    pub fn clear_event_faults(&self) {
        self.change(|state| {
            state.events.clear();
            true
        });
    }

    /// What is to happen to the delivery of this event, by the faults in force.
    pub fn event_effects(&self, event: &Value) -> Vec<EventEffect> {
        self.state().events.iter().filter(|fault| (fault.matches)(event)).map(|fault| fault.effect).collect()
    }

    /// Waits until the region is up; returns at once if it is.
    pub async fn until_up(&self, region: &str) {
        self.until(|| !self.is_down(region)).await;
    }

    /// Waits until the region is down; returns at once if it is.
    pub async fn until_down(&self, region: &str) {
        self.until(|| self.is_down(region)).await;
    }

    /// Tells of every change from now on.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    async fn until(&self, condition: impl Fn() -> bool) {
        let mut changes = self.changes();
        while !condition() {
            // The sender lives as long as `self`, so a wait cannot fail.
            let _ = changes.changed().await;
        }
    }

    fn change(&self, change: impl FnOnce(&mut State) -> bool) {
        if change(&mut self.state()) {
            self.changes.send_modify(|count| *count += 1);
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn pair(one: &str, other: &str) -> (String, String) {
    (one.min(other).to_owned(), one.max(other).to_owned())
}

/// What befalls deliveries of some events from a rule to its targets.
pub struct EventFault {
    matches: Box<dyn Fn(&Value) -> bool + Send + Sync>,
    effect: EventEffect,
}

/// What can befall a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventEffect {
    /// It is delivered this often: "EventBridge delivers at least once".
    Deliver(u32),
    /// It is lost without a trace.
    Lose,
    /// It arrives this much later, in lab time, and so behind events that came after it.
    Delay(Duration),
}

impl EventFault {
    /// For events the predicate picks.
    pub fn when(matches: impl Fn(&Value) -> bool + Send + Sync + 'static, effect: EventEffect) -> Self {
        Self { matches: Box::new(matches), effect }
    }

    /// For events of a source.
    pub fn from_source(source: &str, effect: EventEffect) -> Self {
        let source = source.to_owned();
        Self::when(move |event| event["source"] == source.as_str(), effect)
    }

    /// For events of a detail type.
    pub fn of_detail_type(detail_type: &str, effect: EventEffect) -> Self {
        let detail_type = detail_type.to_owned();
        Self::when(move |event| event["detail-type"] == detail_type.as_str(), effect)
    }
}

impl fmt::Debug for EventFault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("EventFault").field(&self.effect).finish()
    }
}
