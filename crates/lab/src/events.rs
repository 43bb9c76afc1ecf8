//! EventBridge: buses, rules, targets, schedules, delivery at least once.

mod api;
mod delivery;
mod pattern;
mod rules;
mod tags;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::sync::Notify;
use uuid::Uuid;

use crate::journal::What;
use crate::wire::Refusal;
use crate::{ACCOUNT, Lab};

pub use api::answer;
pub use rules::{DEFAULT_BUS, DeadLetterConfig, RetryPolicy, RuleConfig, Target};
pub(crate) use tags::asked as tags_asked;

/// The service's state in every region.
#[derive(Debug, Default)]
pub struct Events {
    state: Mutex<rules::State>,
    rules_changed: Notify,
}

impl Events {
    /// Creates a bus, unless it exists; returns its ARN.
    pub fn create_bus(&self, region: &str, name: &str, now: Timestamp) -> String {
        self.state().create_bus(region, name, now)
    }

    /// True if the region has a bus of this name.
    pub fn has_bus(&self, region: &str, name: &str) -> bool {
        self.state().has_bus(region, name)
    }

    /// Creates a rule or replaces one, which keeps its targets; returns its ARN.
    ///
    /// # Errors
    /// If EventBridge would refuse it, or the lab does not know what it asks for.
    pub fn put_rule(&self, region: &str, rule: RuleConfig, now: Timestamp) -> Result<String, Refusal> {
        let arn = self.state().put_rule(region, rule, now)?;
        self.rules_changed.notify_waiters();
        Ok(arn)
    }

    /// Gives a rule these targets and no others.
    ///
    /// # Errors
    /// If there is no such rule, or a target is of a kind the lab does not know.
    pub fn set_targets(
        &self,
        region: &str,
        bus: Option<&str>,
        rule: &str,
        targets: Vec<Target>,
    ) -> Result<(), Refusal> {
        let mut state = self.state();
        state.rule(region, bus, rule)?.targets.clear();
        state.put_targets(region, bus, rule, targets)
    }

    /// Deletes a rule with its targets.
    ///
    /// # Errors
    /// If there is no such rule.
    pub fn delete_rule(&self, region: &str, bus: Option<&str>, rule: &str) -> Result<(), Refusal> {
        let mut state = self.state();
        state.rule(region, bus, rule)?;
        state.rules(region, bus)?.remove(rule);
        drop(state);
        self.rules_changed.notify_waiters();
        Ok(())
    }

    /// True if there is such a rule and it is on; nothing if there is none.
    pub fn is_on(&self, region: &str, bus: Option<&str>, rule: &str) -> Option<bool> {
        self.state().rule(region, bus, rule).ok().map(|rule| rule.enabled())
    }

    /// A rule's tags; nothing if there is no such rule.
    pub fn tags(&self, region: &str, bus: Option<&str>, rule: &str) -> Option<BTreeMap<String, String>> {
        self.state().rule(region, bus, rule).ok().map(|rule| rule.tags.clone())
    }

    fn state(&self) -> MutexGuard<'_, rules::State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The ARN of a rule of a region's bus, given by name, by ARN, or not at all.
pub fn rule_arn_of(region: &str, bus: Option<&str>, rule: &str) -> String {
    rules::rule_arn(region, rules::bus_name(bus), rule)
}

/// The ARN of a bus of a region, given by name, by ARN, or not at all.
pub(crate) fn bus_arn_of(region: &str, given: Option<&str>) -> String {
    match given {
        Some(arn) if arn.starts_with("arn:") => arn.to_owned(),
        name => rules::bus_arn(region, rules::bus_name(name)),
    }
}

/// Puts an event on a bus: completes it, records it, and sets off the rules it matches.
pub fn put(lab: &Arc<Lab>, region: &str, bus: &str, event: Value) {
    if !lab.events.has_bus(region, bus) {
        return lab.record(What::Fault { what: format!("event dropped: there is no bus {bus} in {region}: {event}") });
    }
    let event = complete(event, region, lab.clock.now());
    record(lab, region, bus, &event);
    let deliveries = lab.events.state().matching(region, bus, &event);
    dispatch(lab, deliveries, &event);
}

/// Fires scheduled rules for as long as the lab lives.
pub async fn run_schedules(lab: Arc<Lab>) {
    loop {
        let changed = lab.events.rules_changed.notified();
        let next = lab.events.state().next_scheduled();
        tokio::select! {
            () = changed => continue,
            () = sleep_until(&lab, next) => {}
        }
        let due = lab.events.state().due(lab.clock.now());
        for (region, rule_arn, moment, deliveries) in due {
            if lab.faults.is_down(&region) {
                continue;
            }
            let event = complete(scheduled(&rule_arn), &region, moment);
            record(&lab, &region, DEFAULT_BUS, &event);
            dispatch(&lab, deliveries, &event);
        }
    }
}

async fn sleep_until(lab: &Lab, moment: Option<Timestamp>) {
    match moment {
        Some(moment) => lab.clock.sleep_until(moment).await,
        None => std::future::pending().await,
    }
}

fn scheduled(rule_arn: &str) -> Value {
    json!({"source": "aws.events", "detail-type": "Scheduled Event", "resources": [rule_arn], "detail": {}})
}

/// Fills in what the sender left out.
fn complete(mut event: Value, region: &str, now: Timestamp) -> Value {
    let filled = [
        ("version", json!("0")),
        ("id", json!(Uuid::new_v4().to_string())),
        ("account", json!(ACCOUNT)),
        // To the second, as EventBridge writes it.
        ("time", json!(now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())),
        ("region", json!(region)),
        ("resources", json!([])),
        ("detail", json!({})),
    ];
    if let Some(fields) = event.as_object_mut() {
        for (name, value) in filled {
            fields.entry(name).or_insert(value);
        }
    }
    event
}

fn record(lab: &Lab, region: &str, bus: &str, event: &Value) {
    let text = |field: &str| event[field].as_str().unwrap_or_default().to_owned();
    lab.record(What::Event {
        region: region.to_owned(),
        bus: bus.to_owned(),
        source: text("source"),
        detail_type: text("detail-type"),
        id: text("id"),
        event: event.clone(),
    });
}

fn dispatch(lab: &Arc<Lab>, deliveries: Vec<rules::Delivery>, event: &Value) {
    for delivery in deliveries {
        tokio::spawn(delivery::deliver(lab.clone(), delivery, event.clone()));
    }
}
