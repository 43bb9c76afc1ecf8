//! What is broken in the lab just now.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

/// The faults in force. Everything starts whole.
#[derive(Debug, Default)]
pub struct Faults {
    regions_down: Mutex<BTreeSet<String>>,
}

impl Faults {
    /// Takes a region down: its sites, databases and regional APIs stop answering.
    pub fn fail_region(&self, region: &str) {
        self.regions_down.lock().unwrap_or_else(PoisonError::into_inner).insert(region.to_owned());
    }

    /// Brings a region back.
    pub fn heal_region(&self, region: &str) {
        self.regions_down.lock().unwrap_or_else(PoisonError::into_inner).remove(region);
    }

    /// True while the region is down.
    pub fn is_down(&self, region: &str) -> bool {
        self.regions_down.lock().unwrap_or_else(PoisonError::into_inner).contains(region)
    }
}
