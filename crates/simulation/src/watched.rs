//! The protected names as people wrote them, and what has become of them.

use failover::name::Name;
use failover::record::{RecordSet, Role, Routing, Target};
use failover::register::{Reading, Register};
use jiff::Timestamp;

use crate::route53::{Records, Route53};

/// A PRIMARY record as the operators wrote it, and what has become of it.
#[derive(Debug)]
pub(crate) struct Primary {
    pub original: RecordSet,
    /// When no resolver keeps an answer that leads to the primary any more, as of the newest arrival.
    pub kept_until: Option<Timestamp>,
    /// The same, where the switch counts too.
    pub led_until: Option<Timestamp>,
    /// Name servers hold it on DR.
    pub is_held: bool,
    /// Where the SECONDARY record beside it led at first, which is DR.
    pub dr: Option<Target>,
}

impl Primary {
    pub fn new(original: RecordSet, dr: Option<Target>) -> Self {
        Self { original, kept_until: None, led_until: None, is_held: false, dr }
    }

    /// True if this record leads to DR, whatever people have made of the SECONDARY record.
    pub fn leads_to_dr(&self, set: &RecordSet) -> bool {
        self.dr.as_ref().is_some_and(|dr| match (&set.target, dr) {
            (Target::Values { values: a, .. }, Target::Values { values: b, .. }) => a == b,
            (a, b) => a == b,
        })
    }

    /// The longest TTL that name servers give its pair out with; an alias has that of what it leads to, which here is short.
    pub fn published_ttl_seconds(&self, route53: &Route53, zone: &str) -> u32 {
        let RecordSet { name, kind, .. } = &self.original;
        let ttl = |records: &Records, role| records.playing(name, kind, role).map(|set| set.target.ttl_seconds());
        let of_pair =
            |records| [Role::Primary, Role::Secondary].into_iter().filter_map(|role| ttl(records, role)).max();
        route53.published(zone).and_then(of_pair).unwrap_or_default()
    }

    /// True if both records of its pair lead there as name servers have them: either may be answered.
    pub fn is_published_on_dr(&self, route53: &Route53, zone: &str) -> bool {
        let RecordSet { name, kind, .. } = &self.original;
        route53.published(zone).is_some_and(|records| {
            let leads_there = |role| records.playing(name, kind, role).is_some_and(|set| self.leads_to_dr(set));
            leads_there(Role::Primary) && leads_there(Role::Secondary)
        })
    }
}

/// A protected name.
#[derive(Debug)]
pub(crate) struct Watched {
    pub zone: String,
    pub name: Name,
    pub register_name: Name,
    pub primaries: Vec<Primary>,
    /// Times that a person undid its pin.
    pub undone: u32,
    /// Times that a person gave it back to Holdfast after it had been left to people.
    pub pinned_again: u32,
    /// Since when the list and all name servers have it neither armed nor pinned.
    pub off_since: Option<Timestamp>,
}

impl Watched {
    /// People may do as they like; what they write is the truth from then on.
    pub fn operator_wrote(&mut self, after: &Records) {
        let is_pinned = self.register(after).is_some_and(|register| register.pin().is_some());
        let mut was_undone = false;
        for set in after.iter().filter(|set| set.name == self.name && plays(set, Role::Primary)) {
            let leads_back = !self.leads_to_dr(set);
            was_undone |= leads_back && is_pinned;
            let second = after.playing(&set.name, &set.kind, Role::Secondary);
            let is_swapped = second.is_some_and(|second| !self.leads_to_dr(second));
            match self.primaries.iter_mut().find(|primary| primary.original.kind == set.kind) {
                Some(primary) => {
                    primary.is_held &= !leads_back && !is_swapped;
                    if !is_pinned {
                        primary.original = set.clone();
                    }
                }
                None if is_pinned => {}
                None => self.primaries.push(Primary::new(set.clone(), second.map(|second| second.target.clone()))),
            }
        }
        self.undone = if is_pinned { self.undone + u32::from(was_undone) } else { 0 };
    }

    /// True if this record of one of its pairs leads to DR.
    pub fn leads_to_dr(&self, set: &RecordSet) -> bool {
        self.primaries.iter().any(|primary| primary.original.kind == set.kind && primary.leads_to_dr(set))
    }

    pub fn reading(&self, records: &Records) -> Reading {
        read(records, &self.name, &self.register_name)
    }

    pub fn register(&self, records: &Records) -> Option<Register> {
        self.reading(records).register().cloned()
    }
}

pub(crate) fn read(records: &Records, name: &Name, register_name: &Name) -> Reading {
    let sets: Vec<_> = records.iter().filter(|set| set.name == *register_name).cloned().collect();
    Reading::of_name(name, &sets)
}

/// True if this is that half of a failover pair.
pub(crate) fn plays(set: &RecordSet, wanted: Role) -> bool {
    matches!(set.routing, Routing::Failover { role, .. } if role == wanted)
}
