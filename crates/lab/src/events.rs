//! EventBridge: buses, rules, targets, schedules, delivery at least once.

use std::sync::Arc;

use crate::Lab;
use crate::api::{Call, Reply};

/// The service's state in every region.
#[derive(Debug, Default)]
pub struct Events {}

/// Answers one API call.
pub async fn answer(lab: &Arc<Lab>, call: &Call) -> Reply {
    let _ = lab;
    Reply::ok("?", call.path.clone(), "text/plain", Vec::new())
}

/// Fires scheduled rules for as long as the lab lives.
pub async fn run_schedules(lab: Arc<Lab>) {
    let _ = lab;
}

/// Puts an event on a bus.
pub fn put(lab: &Arc<Lab>, region: &str, bus: &str, event: serde_json::Value) {
    let _ = (lab, region, bus, event);
}
