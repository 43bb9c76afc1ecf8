//! What the lab's owner does to Route 53 without a call, and what the rest of the lab asks it.

use std::ops::RangeInclusive;
use std::sync::atomic::Ordering;
use std::sync::{Arc, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::futures::Notified;

use super::balancer::Balancer;
use super::features::{AcceleratedRecovery, Tier};
use super::listing::Listing;
use super::refusal::{ErrorRoot, Refusal};
use super::zone::State;
use super::{DnsName, Guardrail, Kind, RecordSet, Route53, checks, protections, zones};
use crate::Lab;
use crate::health::{Checks, HealthCheckConfig};

impl Route53 {
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes a zone that the name servers answer at once, and returns its id.
    ///
    /// # Errors
    /// If the name is no DNS name.
    pub fn create_zone(&self, now: Timestamp, name: &str) -> Result<String, Refusal> {
        let mut state = self.state();
        let reference = format!("lab-{}", state.mint());
        let (zone, change) = state.create_zone(now, DnsName::parse(name)?, reference, None)?;
        state.publish(&change.id);
        Ok(zone.id)
    }

    /// Creates or replaces a record set, given as a request's XML has it, but in JSON.
    ///
    /// # Errors
    /// As the call `ChangeResourceRecordSets`.
    pub fn put_record_set(lab: &Arc<Lab>, zone: &str, set: serde_json::Value) -> Result<(), Refusal> {
        let set = serde_json::from_value(set).map_err(|error| Refusal::InvalidInput(error.to_string()))?;
        zones::put(lab, zone, set)
    }

    /// The control plane's record sets of a zone; none if there is no such zone.
    pub fn records(&self, zone: &str) -> Vec<RecordSet> {
        self.state().zone(zone).map(|zone| zone.records.values().cloned().collect()).unwrap_or_default()
    }

    /// Every health check's name, and what it says.
    pub fn health(&self) -> Vec<(String, bool)> {
        self.checks(|checks| {
            let own = checks.iter().filter(|check| !check.config.is_of_aws);
            own.filter_map(|check| Some((check.name().to_owned(), checks.healthy(&check.id)?))).collect()
        })
    }

    /// How long changes take to reach the name servers from now on.
    pub fn set_propagation(&self, delays: RangeInclusive<Duration>) {
        self.state().delays = delays;
    }

    /// How many health checks the account is told that it may have.
    pub fn set_health_checks_max(&self, most: usize) {
        self.state().health_checks_max = most;
    }

    /// Makes a health check, and returns its id.
    ///
    /// # Errors
    /// If its settings are wrong, or refer to what is not there.
    pub fn create_health_check(&self, lab: &Lab, config: HealthCheckConfig) -> Result<String, Refusal> {
        let reference = format!("lab-{}", self.state().mint());
        checks::create(lab, reference, config)
    }

    /// What a health check says; nothing if there is no such check.
    pub fn healthy(&self, check: &str) -> Option<bool> {
        self.state().checks.healthy(check)
    }

    /// Which question the name servers are asked now, counted from 0.
    pub(crate) fn next_question(&self) -> u64 {
        self.questions.fetch_add(1, Ordering::Relaxed)
    }

    /// Names of the load balancers.
    pub(crate) fn balancers(&self) -> Vec<DnsName> {
        self.state().balancers.names().cloned().collect()
    }

    pub(crate) fn add_balancer(&self, name: DnsName, balancer: Balancer) {
        self.state().balancers.insert(name, balancer);
    }

    /// Protects the record sets of a name and type from every change.
    ///
    /// # Errors
    /// As the call `CreateResourceRecordSetProtections`.
    pub fn protect(&self, zone: &str, name: &str, kind: Kind, comment: Option<&str>) -> Result<(), Refusal> {
        protections::set(self.state().zone_mut(zone)?, name, kind, Some(comment))
    }

    /// Lifts a protection.
    ///
    /// # Errors
    /// As the call `DeleteResourceRecordSetProtections`.
    pub fn unprotect(&self, zone: &str, name: &str, kind: Kind) -> Result<(), Refusal> {
        protections::set(self.state().zone_mut(zone)?, name, kind, None)
    }

    /// Turns a guardrail of a zone on or off, and moves the zone to the tier that has it.
    ///
    /// # Errors
    /// As the call `UpdateHostedZoneFeatures`.
    pub fn set_guardrail(&self, now: Timestamp, zone: &str, guardrail: Guardrail, is_on: bool) -> Result<(), Refusal> {
        let mut state = self.state();
        let features = &mut state.zone_mut(zone)?.features;
        if is_on {
            features.set_tier(now, Tier::Advanced)?;
        }
        features.set_guardrail(guardrail, is_on)
    }

    /// Whether guardrails look at each change of a batch by itself, or at what is left at its end.
    pub fn set_strict_guardrails(&self, are_strict: bool) {
        self.state().are_guardrails_strict = are_strict;
    }

    /// Holds a zone's accelerated recovery at a status (locked, it takes no changes), or lets it go on.
    ///
    /// # Errors
    /// If there is no such zone.
    pub fn hold_recovery(&self, zone: &str, status: Option<AcceleratedRecovery>) -> Result<(), Refusal> {
        self.state().zone_mut(zone)?.features.hold(status);
        Ok(())
    }

    /// In which order names with escapes are listed from now on.
    pub fn set_listing(&self, listing: Listing) {
        self.state().listing = listing;
    }

    /// How an `InvalidChangeBatch` is written from now on.
    pub fn set_error_root(&self, root: ErrorRoot) {
        *self.error_root.lock().unwrap_or_else(PoisonError::into_inner) = root;
    }

    pub(super) fn error_root(&self) -> ErrorRoot {
        *self.error_root.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn checks<T>(&self, work: impl FnOnce(&mut Checks) -> T) -> T {
        work(&mut self.state().checks)
    }

    /// Completes when a health check is created, updated or deleted.
    pub(crate) fn checks_changed(&self) -> Notified<'_> {
        self.checks_changed.notified()
    }
}
