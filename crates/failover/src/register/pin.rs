//! A committed failover, as its register keeps it.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::Evidence;
use crate::incident::Incident;
use crate::record::{Digest, Leads, Target, aws_region, destination, host};

/// A committed failover of one name.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Pin {
    /// When it was committed.
    pub at: Timestamp,
    /// For which incident.
    pub incident: Incident,
    /// How many times it had to be committed again.
    pub repins: u8,
    /// What the PRIMARY records said before, by type: with the records' own remaining fields enough to restore them.
    pub original: BTreeMap<String, Target>,
    /// What is known of the databases in this failover.
    pub evidence: Evidence,
    /// What they led to besides, through aliases to records of their own zone.
    pub home: BTreeSet<Digest>,
    /// Where they have been pointed since, by type; nothing in registers of versions that did not write it down.
    pub dr: BTreeMap<String, Digest>,
    /// The longest TTL that resolvers may have been given with what the pin, or one made again, replaced; nothing in
    /// registers of versions that did not write it down.
    pub ttl_seconds: Option<u32>,
}

impl Pin {
    /// A first pin, of records that said this.
    #[must_use]
    pub fn new(at: Timestamp, incident: Incident, original: BTreeMap<String, Target>) -> Self {
        let (evidence, home, dr) = (Evidence::default(), BTreeSet::new(), BTreeMap::new());
        Self { at, incident, repins: 0, original, evidence, home, dr, ttl_seconds: None }
    }

    /// True if something leads where users were before the pin.
    #[must_use]
    pub fn was_home_of(&self, leads: &Leads) -> bool {
        leads.to().any(|to| self.home.contains(&Digest::of(to)) || self.original_says(to))
    }

    /// The regions of AWS that the originals name.
    pub(crate) fn home_regions(&self) -> BTreeSet<String> {
        let places = self.original.iter().flat_map(|(kind, target)| match target {
            Target::Values { values, .. } => values.iter().map(|value| destination(kind, value)).collect(),
            Target::Alias { name, .. } => vec![host(name)],
        });
        places.filter_map(|place| aws_region(&place).map(str::to_owned)).collect()
    }

    /// What the originals do not say themselves of where something leads.
    pub(crate) fn unsaid(&self, leads: &Leads) -> Vec<Digest> {
        leads.to().filter(|to| !self.original_says(to)).map(Digest::of).collect()
    }

    /// True if the originals themselves, whatever their aliases lead to, say `to`.
    fn original_says(&self, to: &str) -> bool {
        self.original.iter().any(|(kind, target)| match target {
            Target::Values { values, .. } => values.iter().any(|value| destination(kind, value) == to),
            Target::Alias { name, .. } => host(name) == to,
        })
    }

    /// How long after the pin resolvers may keep what they were answered before it, in seconds.
    #[must_use]
    pub fn drain_ttl_seconds(&self) -> u32 {
        let original = self.original.values().map(Target::ttl_seconds).max();
        self.ttl_seconds.max(original).unwrap_or_default()
    }
}
