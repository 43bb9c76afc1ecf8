//! Route 53: what the control plane lists, what DNS answers, and the way from one to the other.

use std::collections::{BTreeMap, BTreeSet};

use aws::CallError;
use failover::change::Change;
use failover::name::Name;
use failover::observation::ChangeStatus;
use failover::record::{RecordSet, Role, Routing};
use jiff::{SignedDuration, Timestamp};

/// What tells record sets apart: name, type, set identifier.
pub type Identity = (Name, String, Option<String>);

/// The record sets of one zone.
pub type Records = BTreeMap<Identity, RecordSet>;

/// The identity of a record set.
#[must_use]
pub fn identity(set: &RecordSet) -> Identity {
    let set_identifier = match &set.routing {
        Routing::Failover { set_identifier, .. } => Some(set_identifier.clone()),
        Routing::Simple | Routing::Other => None,
    };
    (set.name.clone(), set.kind.clone(), set_identifier)
}

/// The record set that plays `role` for a name and type.
#[must_use]
pub fn playing<'a>(records: &'a Records, name: &Name, kind: &str, wanted: Role) -> Option<&'a RecordSet> {
    records.values().find(|set| {
        set.name == *name && set.kind == kind && matches!(set.routing, Routing::Failover { role, .. } if role == wanted)
    })
}

/// A batch on its way to the name servers.
#[derive(Debug)]
struct Submitted {
    zone: String,
    /// `None`: stranded, it never arrives.
    arrives: Option<Timestamp>,
    has_arrived: bool,
    after: BTreeMap<Identity, Option<RecordSet>>,
}

/// All zones. A change's id is its place in the order of submission.
#[derive(Debug, Default)]
pub struct Route53 {
    zones: BTreeMap<String, Records>,
    published: BTreeMap<String, Records>,
    /// The newest change that name servers have of each record set: an older one that arrives later is outdated.
    versions: BTreeMap<(String, Identity), usize>,
    changes: Vec<Submitted>,
    /// How long the next changes take to arrive; `None` strands them.
    pub delay: Option<SignedDuration>,
}

impl Route53 {
    /// Without zones; changes take `delay` to arrive.
    #[must_use]
    pub fn new(delay: SignedDuration) -> Self {
        Self { delay: Some(delay), ..Self::default() }
    }

    /// Puts a record set everywhere at once, as if it had always been there.
    pub fn seed(&mut self, zone: &str, set: RecordSet) {
        for view in [&mut self.zones, &mut self.published] {
            view.entry(zone.to_owned()).or_default().insert(identity(&set), set.clone());
        }
    }

    /// What the control plane lists.
    #[must_use]
    pub fn records(&self, zone: &str) -> Records {
        self.zones.get(zone).cloned().unwrap_or_default()
    }

    /// What name servers answer from.
    #[must_use]
    pub fn published(&self, zone: &str) -> Option<&Records> {
        self.published.get(zone)
    }

    /// Applies a batch whole or not at all.
    ///
    /// "If any of the changes in the batch fails, none is applied" and a DELETE must name every stored value
    /// (ChangeResourceRecordSets).
    ///
    /// # Errors
    /// `InvalidChangeBatch`, as Route 53 refuses.
    pub fn submit<'a>(
        &mut self,
        zone: &str,
        changes: impl Iterator<Item = &'a Change>,
        now: Timestamp,
    ) -> Result<String, CallError> {
        let mut records = self.records(zone);
        let mut touched = BTreeSet::new();
        for change in changes {
            let (set, fits) = match change {
                Change::Delete(set) => (set, records.remove(&identity(set)).as_ref() == Some(set)),
                Change::Create(set) => (set, records.insert(identity(set), set.clone()).is_none()),
            };
            if !fits {
                let message = format!("{} {}: it is not as the batch says", set.name, set.kind);
                let code = "InvalidChangeBatch".to_owned();
                return Err(CallError::Refused { call: "ChangeResourceRecordSets", code, message });
            }
            touched.insert(identity(set));
        }
        Ok(self.accept(zone, records, touched, now))
    }

    /// Overwrites record sets whatever they say now. Real Holdfast has no such call; what breaks rules on purpose does.
    pub fn overwrite<'a>(&mut self, zone: &str, changes: impl Iterator<Item = &'a Change>, now: Timestamp) -> String {
        let mut records = self.records(zone);
        let mut touched = BTreeSet::new();
        for change in changes {
            if let Change::Create(set) = change {
                records.insert(identity(set), set.clone());
                touched.insert(identity(set));
            }
        }
        self.accept(zone, records, touched, now)
    }

    fn accept(&mut self, zone: &str, records: Records, touched: BTreeSet<Identity>, now: Timestamp) -> String {
        let after = touched.into_iter().map(|id| (id.clone(), records.get(&id).cloned())).collect();
        self.zones.insert(zone.to_owned(), records);
        let arrives = self.delay.map(|delay| now + delay);
        self.changes.push(Submitted { zone: zone.to_owned(), arrives, has_arrived: false, after });
        format!("C{}", self.changes.len() - 1)
    }

    /// "Stranded changes: GetChange answers NoSuchChange" (developer guide, "Accelerated recovery").
    #[must_use]
    pub fn status(&self, id: &str) -> ChangeStatus {
        let number = id.strip_prefix('C').and_then(|number| number.parse::<usize>().ok());
        match number.and_then(|number| self.changes.get(number)) {
            Some(change) if change.has_arrived => ChangeStatus::InSync,
            Some(Submitted { arrives: Some(_), .. }) => ChangeStatus::Pending,
            _ => ChangeStatus::Lost,
        }
    }

    /// When the next change arrives, if that is not after `until`.
    #[must_use]
    pub fn next_arrival(&self, until: Timestamp) -> Option<Timestamp> {
        let travelling = self.changes.iter().filter(|change| !change.has_arrived);
        travelling.filter_map(|change| change.arrives).filter(|at| *at <= until).min()
    }

    /// Lets arrive what is due. Each record set keeps the newest change that has arrived, whatever their order.
    pub fn arrive(&mut self, now: Timestamp) {
        for (number, change) in self.changes.iter_mut().enumerate() {
            if change.has_arrived || change.arrives.is_none_or(|at| at > now) {
                continue;
            }
            change.has_arrived = true;
            let view = self.published.entry(change.zone.clone()).or_default();
            for (id, set) in &change.after {
                let version = self.versions.entry((change.zone.clone(), id.clone())).or_default();
                if *version > number {
                    continue;
                }
                *version = number;
                match set {
                    Some(set) => drop(view.insert(id.clone(), set.clone())),
                    None => drop(view.remove(id)),
                }
            }
        }
    }

    /// True if some change of this record set has yet to arrive.
    #[must_use]
    pub fn is_travelling(&self, zone: &str, id: &Identity) -> bool {
        let mut travelling = self.changes.iter().filter(|change| !change.has_arrived && change.arrives.is_some());
        travelling.any(|change| change.zone == zone && change.after.contains_key(id))
    }
}
