//! Route 53: what the control plane lists, what DNS answers, and the way from one to the other.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::rc::Rc;

use aws::CallError;
use failover::change::Change;
use failover::name::Name;
use failover::observation::ChangeStatus;
use failover::record::{RecordSet, Role, Routing};
use jiff::{SignedDuration, Timestamp};

/// How long a listing may lag behind what was accepted.
pub const STALE_SECONDS_MAX: i64 = 60;

/// The record sets of one zone, in a fixed order. A copy is a snapshot and costs nothing until somebody writes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Records(Rc<Vec<Rc<RecordSet>>>);

/// What tells record sets apart: name, type, set identifier.
fn by_identity(a: &RecordSet, b: &RecordSet) -> Ordering {
    fn set_identifier(set: &RecordSet) -> Option<&str> {
        match &set.routing {
            Routing::Failover { set_identifier, .. } => Some(set_identifier),
            Routing::Simple | Routing::Other => None,
        }
    }
    // Names' own order is that of a listing, and costs much to tell.
    a.name
        .as_str()
        .cmp(b.name.as_str())
        .then_with(|| a.kind.cmp(&b.kind))
        .then_with(|| set_identifier(a).cmp(&set_identifier(b)))
}

impl Records {
    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &RecordSet> {
        self.0.iter().map(Rc::as_ref)
    }

    /// The one of the same name, type and set identifier.
    #[must_use]
    pub fn like(&self, set: &RecordSet) -> Option<&RecordSet> {
        self.place(set).ok().map(|at| self.0[at].as_ref())
    }

    /// The one that plays `role` for a name and type.
    #[must_use]
    pub fn playing(&self, name: &Name, kind: &str, wanted: Role) -> Option<&RecordSet> {
        let plays = |set: &RecordSet| matches!(set.routing, Routing::Failover { role, .. } if role == wanted);
        self.iter().find(|set| set.kind == kind && set.name == *name && plays(set))
    }

    fn place(&self, set: &RecordSet) -> Result<usize, usize> {
        self.0.binary_search_by(|other| by_identity(other, set))
    }

    /// Puts it in the place of the one like it, which is returned.
    fn insert(&mut self, set: Rc<RecordSet>) -> Option<Rc<RecordSet>> {
        let place = self.place(&set);
        let sets = Rc::make_mut(&mut self.0);
        match place {
            Ok(at) => Some(std::mem::replace(&mut sets[at], set)),
            Err(at) => {
                sets.insert(at, set);
                None
            }
        }
    }

    fn remove(&mut self, like: &RecordSet) -> Option<Rc<RecordSet>> {
        self.place(like).ok().map(|at| Rc::make_mut(&mut self.0).remove(at))
    }
}

/// A batch on its way to the name servers.
#[derive(Debug)]
struct Submitted {
    zone: String,
    /// `None`: stranded, it never arrives.
    arrives: Option<Timestamp>,
    has_arrived: bool,
    /// What it touched, by what it was like, and what that has become.
    after: Vec<(Rc<RecordSet>, Option<Rc<RecordSet>>)>,
}

/// A zone as the control plane and as name servers have it.
#[derive(Debug, Default)]
struct Zone {
    listed: Records,
    /// What was listed before the newest write, and when that was.
    before: Option<(Timestamp, Records)>,
    published: Records,
    /// The newest change that name servers have of each record set: an older one that arrives later is outdated.
    versions: Vec<(Rc<RecordSet>, usize)>,
}

/// All zones. A change's id is its place in the order of submission.
#[derive(Debug, Default)]
pub struct Route53 {
    zones: BTreeMap<String, Zone>,
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
        let zone = self.zones.entry(zone.to_owned()).or_default();
        let set = Rc::new(set);
        zone.listed.insert(Rc::clone(&set));
        zone.published.insert(set);
    }

    /// What the control plane lists.
    #[must_use]
    pub fn records(&self, zone: &str) -> Records {
        self.zones.get(zone).map(|zone| zone.listed.clone()).unwrap_or_default()
    }

    /// What the control plane lists to somebody who is served from a copy that the newest write has not reached.
    #[must_use]
    pub fn stale_records(&self, zone: &str, now: Timestamp) -> Records {
        match self.zones.get(zone).and_then(|zone| zone.before.as_ref()) {
            Some((at, before)) if now.duration_since(*at).as_secs() < STALE_SECONDS_MAX => before.clone(),
            _ => self.records(zone),
        }
    }

    /// Every copy has the newest write.
    pub fn forget_stale(&mut self) {
        self.zones.values_mut().for_each(|zone| zone.before = None);
    }

    /// What name servers answer from.
    #[must_use]
    pub fn published(&self, zone: &str) -> Option<&Records> {
        self.zones.get(zone).map(|zone| &zone.published)
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
        let mut touched = Vec::new();
        for change in changes {
            let (set, fits) = match change {
                Change::Delete(set) => {
                    let found = records.remove(set);
                    (set, found.as_deref() == Some(set))
                }
                Change::Create(set) => (set, records.insert(Rc::new(set.clone())).is_none()),
            };
            if !fits {
                let message = format!("{} {}: it is not as the batch says", set.name, set.kind);
                let code = "InvalidChangeBatch".to_owned();
                return Err(CallError::Refused { call: "ChangeResourceRecordSets", code, message });
            }
            touched.push(set);
        }
        Ok(self.accept(zone, records, &touched, now))
    }

    /// Overwrites record sets whatever they say now. Real Holdfast has no such call; what breaks rules on purpose does.
    pub fn overwrite<'a>(&mut self, zone: &str, changes: impl Iterator<Item = &'a Change>, now: Timestamp) -> String {
        let mut records = self.records(zone);
        let mut touched = Vec::new();
        for change in changes {
            if let Change::Create(set) = change {
                records.insert(Rc::new(set.clone()));
                touched.push(set);
            }
        }
        self.accept(zone, records, &touched, now)
    }

    fn accept(&mut self, zone: &str, records: Records, touched: &[&RecordSet], now: Timestamp) -> String {
        let mut after: Vec<(Rc<RecordSet>, Option<Rc<RecordSet>>)> = Vec::with_capacity(touched.len());
        for set in touched {
            if !after.iter().any(|(known, _)| by_identity(known, set).is_eq()) {
                let now_there = records.place(set).ok().map(|at| Rc::clone(&records.0[at]));
                after.push((now_there.clone().unwrap_or_else(|| Rc::new((*set).clone())), now_there));
            }
        }
        let kept = self.zones.entry(zone.to_owned()).or_default();
        kept.before = Some((now, std::mem::replace(&mut kept.listed, records)));
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
            let Some(zone) = self.zones.get_mut(&change.zone) else { continue };
            for (like, set) in &change.after {
                match zone.versions.iter_mut().find(|(known, _)| by_identity(known, like).is_eq()) {
                    Some((_, version)) if *version > number => continue,
                    Some((_, version)) => *version = number,
                    None => zone.versions.push((Rc::clone(like), number)),
                }
                match set {
                    Some(set) => drop(zone.published.insert(Rc::clone(set))),
                    None => drop(zone.published.remove(like)),
                }
            }
        }
    }

    /// True if some change of this record set has yet to arrive, and will not be outdated then.
    #[must_use]
    pub fn is_travelling(&self, zone: &str, like: &RecordSet) -> bool {
        let is_like = |set: &RecordSet| by_identity(set, like).is_eq();
        let versions = self.zones.get(zone).into_iter().flat_map(|zone| &zone.versions);
        let newest = versions.filter(|(set, _)| is_like(set)).map(|(_, number)| *number).next();
        let mut newer = self.changes.iter().skip(newest.map_or(0, |number| number + 1));
        newer.any(|change| {
            let travels = !change.has_arrived && change.arrives.is_some();
            travels && change.zone == zone && change.after.iter().any(|(set, _)| is_like(set))
        })
    }
}

#[cfg(test)]
mod tests {
    use failover::record::Target;

    use super::*;

    #[test]
    fn a_change_that_a_newer_one_has_outrun_is_not_waited_for() {
        let (now, zone) = (Timestamp::UNIX_EPOCH, "Z1");
        let target = Target::Values { ttl_seconds: 60, values: vec!["192.0.2.1".to_owned()] };
        let (name, kind) = ("app.example.com".parse().unwrap(), "A".to_owned());
        let set = RecordSet { name, kind, routing: Routing::Simple, target, health_check: None };
        let again = [Change::Delete(set.clone()), Change::Create(set.clone())];
        let mut route53 = Route53::new(SignedDuration::from_secs(110));
        route53.seed(zone, set.clone());
        route53.submit(zone, again.iter(), now).unwrap();
        assert!(route53.is_travelling(zone, &set));
        route53.delay = Some(SignedDuration::from_secs(10));
        route53.submit(zone, again.iter(), now).unwrap();
        route53.arrive(now + SignedDuration::from_secs(10));
        assert!(!route53.is_travelling(zone, &set));
    }
}
