//! What is broken in the lab just now: the one place that decides what befalls a call or an event.

mod call;
mod chaos;
mod event;
mod link;

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::Value;
use tokio::sync::watch;

pub use call::{CallEffect, CallFault, Effect, Loss, Site};
pub use chaos::Chaos;
pub use event::{EventEffect, EventFault};
pub use link::LinkFault;

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
    /// Regions whose CloudWatch alone is down.
    without_metrics: BTreeSet<String>,
    /// Metrics of these names that functions tell in their logs never arrive.
    lost_metrics: BTreeSet<String>,
    /// By signing name.
    services: BTreeMap<String, ServiceFault>,
    calls: Vec<CallFault>,
    events: Vec<EventFault>,
    chaos: Option<Chaos>,
    /// What is wrong with what replicas hear of their sources, by the two regions; and how often that was cut.
    links: BTreeMap<(String, String), LinkFault>,
    cuts: BTreeMap<(String, String), u64>,
    /// Name servers that are not well.
    name_servers: BTreeMap<SocketAddr, Ailment>,
    /// How often each caller made each call, and each target was delivered to.
    counts: BTreeMap<(String, String), u64>,
}

/// The signing name of CloudWatch.
const CLOUDWATCH: &str = "monitoring";

/// What is wrong with a service, in every region.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ServiceFault {
    Down,
    Slow(Duration),
    Throttled,
}

/// What ails a name server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ailment {
    /// It answers nothing.
    Silent,
    /// It answers SERVFAIL.
    Failing,
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

    /// Takes a service's API down, in every region: calls are refused with HTTP 503. CloudWatch (`monitoring`) falls
    /// silent altogether: no metric arrives and no alarm is evaluated.
    pub fn fail_service(&self, service: &str) {
        self.set_service_fault(service, ServiceFault::Down);
    }

    /// The same of CloudWatch in one region.
    pub fn fail_metrics(&self, region: &str) {
        self.change(|state| state.without_metrics.insert(region.to_owned()));
    }

    /// CloudWatch works in that region again.
    pub fn heal_metrics(&self, region: &str) {
        self.change(|state| state.without_metrics.remove(region));
    }

    /// Lets nothing arrive of a metric that functions tell in their logs, until [`Self::heal_everything`] or [`Self::find_metric`].
    pub fn lose_metric(&self, name: &str) {
        self.change(|state| state.lost_metrics.insert(name.to_owned()));
    }

    /// The metric arrives again.
    pub fn find_metric(&self, name: &str) {
        self.change(|state| state.lost_metrics.remove(name));
    }

    /// True while nothing arrives of that metric.
    pub(crate) fn is_lost(&self, metric: &str) -> bool {
        self.state().lost_metrics.contains(metric)
    }

    /// Answers a service's calls this much later, in lab time.
    pub fn slow_service(&self, service: &str, by: Duration) {
        self.set_service_fault(service, ServiceFault::Slow(by));
    }

    /// Throttles two of three calls of a service.
    pub fn throttle_service(&self, service: &str) {
        self.set_service_fault(service, ServiceFault::Throttled);
    }

    /// Lets name servers ail; `None` makes them well.
    pub fn ail_name_servers(&self, servers: &[SocketAddr], ailment: Option<Ailment>) {
        self.change(|state| {
            for server in servers {
                match ailment {
                    Some(ailment) => state.name_servers.insert(*server, ailment),
                    None => state.name_servers.remove(server),
                };
            }
            true
        });
    }

    /// What ails a name server.
    pub(crate) fn of_name_server(&self, server: SocketAddr) -> Option<Ailment> {
        self.state().name_servers.get(&server).copied()
    }

    /// Makes a service whole again.
    pub fn heal_service(&self, service: &str) {
        self.change(|state| state.services.remove(service).is_some());
    }

    /// True while CloudWatch takes no metrics and evaluates no alarms in a region.
    pub fn is_silent(&self, region: &str) -> bool {
        let state = self.state();
        state.regions_down.contains(region)
            || state.without_metrics.contains(region)
            || state.services.get(CLOUDWATCH) == Some(&ServiceFault::Down)
    }

    /// Makes everything whole again.
    pub fn heal_everything(&self) {
        self.change(|state| {
            *state = State {
                counts: std::mem::take(&mut state.counts),
                cuts: std::mem::take(&mut state.cuts),
                ..State::default()
            };
            true
        });
    }

    /// What is in force, in words; nothing if all is well.
    pub fn in_force(&self) -> Vec<String> {
        let state = self.state();
        let regions = state.regions_down.iter().map(|region| format!("{region} is down"));
        let partitions = state.partitions.iter().map(|(one, other)| format!("{one} and {other} are cut apart"));
        let metrics = state.without_metrics.iter().map(|region| format!("CloudWatch of {region} is down"));
        let lost = state.lost_metrics.iter().map(|name| format!("the metric {name} does not arrive"));
        let services = state.services.iter().map(|(service, fault)| match fault {
            ServiceFault::Down => format!("{service} is down"),
            ServiceFault::Slow(by) => format!("{service} is slow by {:.1} s", by.as_secs_f64()),
            ServiceFault::Throttled => format!("{service} throttles"),
        });
        let links = state.links.iter().map(|((one, other), fault)| format!("{one} and {other}: {}", fault.in_words()));
        let servers = state.name_servers.iter().map(|(server, ailment)| format!("name server {server}: {ailment:?}"));
        let calls = state.calls.iter().map(|fault| format!("{fault:?}"));
        let events = state.events.iter().map(|fault| format!("{fault:?}"));
        let chaos = state.chaos.iter().map(|chaos| {
            format!("chance: {:.0} % of calls and {:.0} % of events", chaos.calls * 100.0, chaos.events * 100.0)
        });
        regions
            .chain(partitions)
            .chain(metrics)
            .chain(lost)
            .chain(services)
            .chain(links)
            .chain(servers)
            .chain(calls)
            .chain(events)
            .chain(chaos)
            .collect()
    }

    /// Adds a fault of calls, in force until [`Self::clear_call_faults`]. The first that matches a call befalls it.
    pub fn set_call_fault(&self, fault: CallFault) {
        self.change(|state| {
            state.calls.push(fault);
            true
        });
    }

    /// Answers calls as they should be again.
    pub fn clear_call_faults(&self) {
        self.change(|state| {
            state.calls.clear();
            true
        });
    }

    /// Lets chance decide what befalls calls and events that no other fault befalls; `None` ends it.
    pub fn set_chaos(&self, chaos: Option<Chaos>) {
        self.change(|state| {
            state.chaos = chaos;
            true
        });
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

    /// What befalls this call. A region that is down, or cut off from the caller's, does not answer.
    pub fn befall_call(&self, site: Site<'_>) -> Option<CallEffect> {
        if !self.connected(site.caller_region.unwrap_or(site.region), site.region) {
            return Some(CallEffect::Lose(Loss::NoAnswer, Effect::Without));
        }
        let mut state = self.state();
        let site = Site { nth: state.count(site.caller, site.action), ..site };
        let without_metrics = site.service == CLOUDWATCH && state.without_metrics.contains(site.region);
        let of_service = match state.services.get(site.service) {
            _ if without_metrics => Some(CallEffect::unavailable()),
            Some(ServiceFault::Down) => Some(CallEffect::unavailable()),
            Some(ServiceFault::Slow(by)) => Some(CallEffect::Slow(*by)),
            Some(ServiceFault::Throttled) if site.nth % 3 != 2 => Some(CallEffect::throttle()),
            Some(ServiceFault::Throttled) | None => None,
        };
        of_service
            .or_else(|| state.calls.iter().find_map(|fault| fault.effect_on(&site)))
            .or_else(|| state.chaos.and_then(|chaos| chaos.call(&site)))
    }

    /// What befalls the delivery of this event to a target.
    pub fn befall_event(&self, event: &Value, target: &str) -> Vec<EventEffect> {
        let mut state = self.state();
        let nth = state.count("", target);
        let by_chance = state.chaos.and_then(|chaos| chaos.event(target, nth));
        state.events.iter().filter_map(|fault| fault.effect_on(event)).chain(by_chance).collect()
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

    fn set_service_fault(&self, service: &str, fault: ServiceFault) {
        self.change(|state| state.services.insert(service.to_owned(), fault) != Some(fault));
    }

    /// Waits until a condition holds that only faults change.
    pub(crate) async fn until(&self, condition: impl Fn() -> bool) {
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

impl State {
    fn count(&mut self, who: &str, what: &str) -> u64 {
        let count = self.counts.entry((who.to_owned(), what.to_owned())).or_default();
        *count += 1;
        *count - 1
    }
}

fn pair(one: &str, other: &str) -> (String, String) {
    (one.min(other).to_owned(), one.max(other).to_owned())
}
