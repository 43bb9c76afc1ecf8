//! What must never be, checked at each effect the moment it happens, from outside.
//!
//! Nothing here asks a rule: it compares what is written, published and promoted with what the operators had put there.

use std::collections::{BTreeMap, BTreeSet};

use failover::incident::Incident;
use failover::name::Name;
use failover::plan::ReplicaId;
use failover::record::{RecordSet, Role, Routing, Target};
use failover::register::{REPINS_MAX, Reading, Register};
use jiff::{SignedDuration, Timestamp};

use crate::route53::{Identity, Records, Route53, identity, playing};

/// Who wrote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Author {
    /// One of the Lambdas.
    Holdfast,
    /// A person, or their tools.
    Operator,
}

/// What must never be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Invariant {
    /// No promotion unless every name is pinned, at every name server, and clients have drained.
    PromotedTooEarly,
    /// One promotion a replica.
    PromotedTwice,
    /// One pin a name and incident, and one more for each time that a person undid it, up to the limit.
    PinnedTwice,
    /// No pin for an alarm that rang before the name was armed.
    PinnedForOldAlarm,
    /// Once pinned, DNS never answers the primary, unless a person put it back.
    PrimaryAnswered,
    /// Nothing is written while disarmed or paused, and nothing but the arming before that.
    WroteWhileOff,
    /// What the register holds restores the PRIMARY record byte for byte.
    OriginalLost,
    /// Nothing but PRIMARY records' targets and registers is touched.
    ForeignRecordTouched,
    /// Nothing is armed while the failover health check, disabled for a maintenance, keeps DNS on the primary.
    ArmedUnchecked,
}

/// A PRIMARY record: zone, name, type.
type Key = (String, Name, String);

/// Watches every effect.
#[derive(Debug, Default)]
pub struct Watch {
    /// PRIMARY records as the operators wrote them.
    originals: BTreeMap<Key, RecordSet>,
    /// When name servers last had a PRIMARY record that leads to the primary, as of the newest arrival.
    reachable_until: BTreeMap<Key, Timestamp>,
    /// PRIMARY records that name servers hold on DR.
    held: BTreeSet<Key>,
    /// Times that the PRIMARY records of a name were moved to DR for an incident.
    pins: BTreeMap<(String, Name, Incident), u32>,
    /// Times that a person undid a pin.
    undone: BTreeMap<(String, Name), u32>,
    promotions: BTreeMap<ReplicaId, u32>,
    /// Whether the failover health check is disabled.
    pub is_check_disabled: bool,
    /// What was found, in order.
    pub broken: Vec<(Timestamp, Invariant, String)>,
}

impl Watch {
    /// Takes these records for the operators' own.
    #[must_use]
    pub fn new(records: &[(String, RecordSet)]) -> Self {
        let primaries = records.iter().filter(|(_, set)| plays(set, Role::Primary));
        let originals = primaries.map(|(zone, set)| (key(zone, set), set.clone())).collect();
        Self { originals, ..Self::default() }
    }

    /// The PRIMARY records of a name as the operators wrote them.
    #[must_use]
    pub fn originals_of(&self, zone: &str, name: &Name) -> Vec<RecordSet> {
        let of_name = |(at, protected, _): &&Key| at == zone && protected == name;
        self.originals.keys().filter(of_name).map(|key| self.originals[key].clone()).collect()
    }

    /// How often each name was pinned, over all incidents.
    #[must_use]
    pub fn pins(&self) -> &BTreeMap<(String, Name, Incident), u32> {
        &self.pins
    }

    /// How often each replica was promoted.
    #[must_use]
    pub fn promotions(&self) -> &BTreeMap<ReplicaId, u32> {
        &self.promotions
    }

    fn names(&self) -> BTreeSet<(String, Name)> {
        self.originals.keys().map(|(zone, name, _)| (zone.clone(), name.clone())).collect()
    }

    fn accuse(&mut self, now: Timestamp, invariant: Invariant, what: impl Into<String>) {
        self.broken.push((now, invariant, what.into()));
    }

    /// Someone wrote.
    pub fn wrote(&mut self, now: Timestamp, author: Author, zone: &str, before: &Records, after: &Records) {
        match author {
            Author::Operator => self.operator_wrote(zone, after),
            Author::Holdfast => {
                for (_, name) in self.names().into_iter().filter(|(at, _)| at == zone) {
                    self.holdfast_wrote(now, zone, &name, before, after);
                }
                self.look_for_foreign_changes(now, zone, before, after);
            }
        }
    }

    /// People may do as they like; what they write is the truth from then on.
    fn operator_wrote(&mut self, zone: &str, after: &Records) {
        for (_, name) in self.names().into_iter().filter(|(at, _)| at == zone) {
            let is_pinned = register(after, &name).is_some_and(|register| register.pin().is_some());
            let mut was_undone = false;
            for primary in after.values().filter(|set| set.name == name && plays(set, Role::Primary)) {
                let key = key(zone, primary);
                if !is_on_dr(after, primary) {
                    was_undone |= is_pinned;
                    self.held.remove(&key);
                }
                if !is_pinned {
                    self.originals.insert(key, primary.clone());
                }
            }
            match is_pinned {
                true => *self.undone.entry((zone.to_owned(), name)).or_default() += u32::from(was_undone),
                false => drop(self.undone.remove(&(zone.to_owned(), name))),
            }
        }
    }

    fn holdfast_wrote(&mut self, now: Timestamp, zone: &str, name: &Name, before: &Records, after: &Records) {
        let of_name = |set: &&RecordSet| set.name == *name || set.name == name.register();
        if before.values().filter(of_name).eq(after.values().filter(of_name)) {
            return;
        }
        let (was, is) = (reading(before, name), register(after, name));
        let primaries = || after.values().filter(|set| set.name == *name && plays(set, Role::Primary));
        let moved: Vec<_> = primaries().filter(|set| before.get(&identity(set)) != Some(set)).collect();
        let only_arms = moved.is_empty() && matches!(is, Some(Register::Armed { .. }));
        let may_write = match &was {
            Reading::Unreadable(_) => false,
            Reading::Absent => only_arms,
            Reading::Known { register: Register::Disarmed { .. }, .. } => false,
            Reading::Known { register: Register::Paused { until, .. }, .. } => only_arms && *until <= now,
            Reading::Known { .. } => true,
        };
        if !may_write {
            self.accuse(now, Invariant::WroteWhileOff, format!("{name}: {was:?}"));
        }
        if self.is_check_disabled && matches!(is, Some(Register::Armed { .. })) {
            self.accuse(now, Invariant::ArmedUnchecked, name.to_string());
        }
        if let Some(primary) = moved.iter().find(|primary| !is_on_dr(after, primary)) {
            self.accuse(now, Invariant::PrimaryAnswered, format!("Holdfast wrote {primary:?}"));
        }
        let Some(pin) = is.as_ref().and_then(Register::pin) else { return };
        if moved.iter().any(|primary| before.get(&identity(primary)).is_some_and(|old| !is_on_dr(before, old))) {
            self.pinned(now, zone, name, &pin.incident, was.register());
        }
        for primary in primaries() {
            let restored = pin.original.get(&primary.kind).map(|t| RecordSet { target: t.clone(), ..primary.clone() });
            if restored.as_ref() != self.originals.get(&key(zone, primary)) {
                self.accuse(now, Invariant::OriginalLost, format!("{name} {}: {restored:?}", primary.kind));
            }
        }
    }

    fn pinned(&mut self, now: Timestamp, zone: &str, name: &Name, incident: &Incident, was: Option<&Register>) {
        let undone = self.undone.get(&(zone.to_owned(), name.clone())).copied().unwrap_or_default();
        let pins = self.pins.entry((zone.to_owned(), name.clone(), incident.clone())).or_default();
        *pins += 1;
        let pins = *pins;
        if pins > 1 + undone.min(u32::from(REPINS_MAX)) {
            self.accuse(now, Invariant::PinnedTwice, format!("{name}: {pins} times, undone by hand {undone} times"));
        }
        if matches!(was, Some(Register::Armed { since, .. }) if incident.began <= *since) {
            self.accuse(now, Invariant::PinnedForOldAlarm, format!("{name}: {incident}"));
        }
    }

    fn look_for_foreign_changes(&mut self, now: Timestamp, zone: &str, before: &Records, after: &Records) {
        let names = self.names();
        let ours = |id: &Identity, set: &RecordSet| {
            let protected = |name: &Name| names.contains(&(zone.to_owned(), name.clone()));
            protected(&id.0) && plays(set, Role::Primary)
                || id.1 == "TXT" && id.0.protected_by_register().is_some_and(|name| protected(&name))
        };
        let foreign = |records: &Records| -> Records {
            records.iter().filter(|(id, set)| !ours(id, set)).map(|(id, set)| (id.clone(), set.clone())).collect()
        };
        if foreign(before) != foreign(after) {
            self.accuse(now, Invariant::ForeignRecordTouched, format!("in {zone}"));
        }
    }

    /// Changes are about to arrive at the name servers.
    pub fn before_arrival(&mut self, now: Timestamp, route53: &Route53) {
        let reachable: Vec<_> =
            self.originals.keys().filter(|key| !is_published_on_dr(route53, key)).cloned().collect();
        self.reachable_until.extend(reachable.into_iter().map(|key| (key, now)));
    }

    /// Changes have arrived at the name servers.
    pub fn after_arrival(&mut self, now: Timestamp, route53: &Route53) {
        for key in self.originals.keys().cloned().collect::<Vec<_>>() {
            let (zone, name, kind) = &key;
            if self.held.contains(&key) && !is_published_on_dr(route53, &key) {
                self.accuse(now, Invariant::PrimaryAnswered, format!("{name} {kind} leads back to the primary"));
            }
            let records = route53.records(zone);
            let is_pinned = register(&records, name).is_some_and(|register| register.pin().is_some());
            let settled = playing(&records, name, kind, Role::Primary)
                .is_some_and(|primary| is_on_dr(&records, primary) && !route53.is_travelling(zone, &identity(primary)));
            if is_pinned && settled && is_published_on_dr(route53, &key) {
                self.held.insert(key);
            }
        }
    }

    /// RDS began to promote.
    pub fn promoted(&mut self, now: Timestamp, replica: &ReplicaId, route53: &Route53) {
        let times = self.promotions.entry(replica.clone()).or_default();
        *times += 1;
        if *times > 1 {
            self.accuse(now, Invariant::PromotedTwice, replica.to_string());
        }
        self.before_arrival(now, route53);
        for (key, original) in self.originals.clone() {
            let (zone, name, kind) = &key;
            let register = register(&route53.records(zone), name);
            if register.as_ref().and_then(Register::pin).is_none() {
                self.accuse(now, Invariant::PromotedTooEarly, format!("{name} is not pinned: {register:?}"));
            }
            let left = self.reachable_until.get(&key).copied().unwrap_or(Timestamp::MIN);
            let ttl = SignedDuration::from_secs(i64::from(original.target.ttl_seconds()));
            if now.duration_since(left) < ttl {
                let what = format!("{name} {kind} led to the primary until {left}, and clients keep that for {ttl}");
                self.accuse(now, Invariant::PromotedTooEarly, what);
            }
        }
    }
}

fn key(zone: &str, set: &RecordSet) -> Key {
    (zone.to_owned(), set.name.clone(), set.kind.clone())
}

fn plays(set: &RecordSet, wanted: Role) -> bool {
    matches!(set.routing, Routing::Failover { role, .. } if role == wanted)
}

fn reading(records: &Records, name: &Name) -> Reading {
    let register_name = name.register();
    let sets: Vec<_> = records.values().filter(|set| set.name == register_name).cloned().collect();
    Reading::of_name(name, &sets)
}

fn register(records: &Records, name: &Name) -> Option<Register> {
    reading(records, name).register().cloned()
}

/// True if this PRIMARY record leads where the SECONDARY does.
fn is_on_dr(records: &Records, primary: &RecordSet) -> bool {
    let secondary = playing(records, &primary.name, &primary.kind, Role::Secondary);
    secondary.is_some_and(|secondary| match (&primary.target, &secondary.target) {
        (Target::Values { values: a, .. }, Target::Values { values: b, .. }) => a == b,
        (a, b) => a == b,
    })
}

fn is_published_on_dr(route53: &Route53, (zone, name, kind): &Key) -> bool {
    let records = route53.published(zone);
    let primary = records.and_then(|records| playing(records, name, kind, Role::Primary));
    records.zip(primary).is_some_and(|(records, primary)| is_on_dr(records, primary))
}
