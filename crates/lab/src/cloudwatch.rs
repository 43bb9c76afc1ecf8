//! Metrics and alarms, evaluated as CloudWatch documents it.

use std::sync::Arc;

use jiff::Timestamp;

use crate::Lab;
use crate::api::{Call, Reply};

/// The service's state in every region.
#[derive(Debug, Default)]
pub struct CloudWatch {}

impl CloudWatch {
    /// Placeholder: the real one comes from the other worktree with this signature.
    pub fn put_metric(
        &self,
        region: &str,
        namespace: &str,
        name: &str,
        dimensions: &[(&str, &str)],
        value: f64,
        at: Timestamp,
    ) {
        let _ = (region, namespace, name, dimensions, value, at);
    }
}

/// Answers one API call.
pub async fn answer(lab: &Arc<Lab>, call: &Call) -> Reply {
    let _ = lab;
    Reply::ok("?", call.path.clone(), "text/plain", Vec::new())
}

/// Evaluates alarms for as long as the lab lives.
pub async fn run(lab: Arc<Lab>) {
    let _ = lab;
}
