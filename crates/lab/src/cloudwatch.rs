//! Metrics and alarms, evaluated as CloudWatch documents it.

use std::sync::Arc;

use crate::Lab;
use crate::api::{Call, Reply};

/// The service's state in every region.
#[derive(Debug, Default)]
pub struct CloudWatch {}

/// Answers one API call.
pub async fn answer(lab: &Arc<Lab>, call: &Call) -> Reply {
    let _ = lab;
    Reply::ok("?", call.path.clone(), "text/plain", Vec::new())
}

/// Evaluates alarms for as long as the lab lives.
pub async fn run(lab: Arc<Lab>) {
    let _ = lab;
}
