//! Route 53's control plane: zones, records, changes, health checks.

use std::sync::Arc;

use crate::Lab;
use crate::api::{Call, Reply};

/// The service's state in every region.
#[derive(Debug, Default)]
pub struct Route53 {}

/// Answers one API call.
pub async fn answer(lab: &Arc<Lab>, call: &Call) -> Reply {
    let _ = lab;
    Reply::ok("?", call.path.clone(), "text/plain", Vec::new())
}
