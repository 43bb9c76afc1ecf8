//! What evidence consists of.

use jiff::Timestamp;
use serde::Serialize;

/// When a stage of the incident was reached.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Reached {
    /// Which stage.
    pub name: &'static str,
    /// Seconds of lab time after the trouble began.
    pub at_seconds: f64,
}

/// A message in the operators' mailbox.
#[derive(Clone, Debug)]
pub struct Mail {
    /// When.
    pub at: Timestamp,
    /// Its subject.
    pub subject: String,
    /// Its body.
    pub body: String,
}

/// A change of a protected name's records.
#[derive(Clone, Debug)]
pub struct Pinning {
    /// The protected name.
    pub name: String,
    /// The change's id.
    pub change: String,
    /// When Route 53 accepted it.
    pub requested_at: Timestamp,
    /// When every name server had it.
    pub in_sync_at: Option<Timestamp>,
}
