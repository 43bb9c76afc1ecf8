//! Route 53 health checks: probing, thresholds, and what they say.

use std::sync::Arc;

use crate::Lab;

/// Probes and evaluates every health check for as long as the lab lives.
pub async fn run(lab: Arc<Lab>) {
    let _ = lab;
}
