//! What can befall an event between a rule and its targets.

use std::fmt;
use std::time::Duration;

use serde_json::Value;

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

    pub(super) fn effect_on(&self, event: &Value) -> Option<EventEffect> {
        (self.matches)(event).then_some(self.effect)
    }
}

impl fmt::Debug for EventFault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("EventFault").field(&self.effect).finish()
    }
}
