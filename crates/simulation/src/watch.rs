//! What must never be, checked at each effect the moment it happens, from outside.
//!
//! Nothing here asks a rule: it compares what is written, published and promoted with what the operators had put there.

mod latched;

use std::collections::BTreeMap;

use failover::incident::{Approval, Incident};
use failover::name::Name;
use failover::observation::{Probe, Probes, Targets};
use failover::plan::{Mode, Plan, ReplicaId};
use failover::record::{RecordSet, Role, Target};
use failover::register::{ArmedBy, REPINS_MAX, Reading, Register};
use failover::rule::Rule;
use jiff::{SignedDuration, Timestamp};

use crate::property::{Breach, Property};
use crate::route53::{Records, Route53};
use crate::switch::Checks;
use crate::watched::{Primary, Watched, plays, read};
pub use latched::AskedToLatch;
use latched::Latched;

/// Who wrote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Author {
    /// One of the Lambdas, and what the sites had answered it.
    Holdfast(Probes),
    /// A person, or their tools.
    Operator,
}

impl Author {
    /// A Lambda that asked no site.
    pub const LAMBDA: Self =
        Self::Holdfast(Probes { primary: Probe::NotAsked, dr: Probe::NotAsked, targets: Targets::NotAsked });
}

/// Watches every effect.
#[derive(Debug)]
pub struct Watch {
    plan: Plan,
    names: Vec<Watched>,
    /// Times that the PRIMARY records of a name were moved to DR for an incident.
    pins: BTreeMap<(String, Name, Incident), u32>,
    promotions: BTreeMap<ReplicaId, u32>,
    /// A database that takes no writes now, if there is one.
    pub(crate) unpromoted: Option<ReplicaId>,
    /// When what people promoted by hand was a writer.
    by_hand: BTreeMap<ReplicaId, Timestamp>,
    /// Every incident in which an alarm of ours rang.
    pub rang: Vec<Incident>,
    /// Every approval that a person gave.
    pub approvals: Vec<Approval>,
    /// A failover that is committed beside Route 53.
    latched: Latched,
    /// Whether the failover health check is disabled.
    pub is_check_disabled: bool,
    /// What was found, in order.
    pub broken: Vec<Breach>,
}

impl Watch {
    /// Takes these records for the operators' own.
    #[must_use]
    pub fn new(plan: &Plan, records: &[(String, RecordSet)]) -> Self {
        let mut names: Vec<Watched> = Vec::new();
        for (zone, set) in records.iter().filter(|(_, set)| plays(set, Role::Primary)) {
            let second = |(_, other): &&(String, RecordSet)| {
                (&other.name, &other.kind) == (&set.name, &set.kind) && plays(other, Role::Secondary)
            };
            let dr = records.iter().find(second).map(|(_, second)| second.target.clone());
            let primary = Primary::new(set.clone(), dr);
            match names.iter_mut().find(|watched| watched.zone == *zone && watched.name == set.name) {
                Some(watched) => watched.primaries.push(primary),
                None => names.push(Watched {
                    zone: zone.clone(),
                    name: set.name.clone(),
                    register_name: set.name.register(),
                    primaries: vec![primary],
                    undone: 0,
                    pinned_again: 0,
                    off_since: None,
                }),
            }
        }
        for watched in &mut names {
            let sets: Vec<_> =
                records.iter().map(|(_, set)| set).filter(|set| set.name == watched.register_name).collect();
            let reading = Reading::of_name(&watched.name, &sets.into_iter().cloned().collect::<Vec<_>>());
            watched.off_since = Watched::is_off(&reading).then_some(Timestamp::UNIX_EPOCH);
        }
        let (pins, promotions, by_hand, rang, approvals, is_check_disabled, broken) = Default::default();
        let (plan, latched) = (plan.clone(), Latched::default());
        let unpromoted = None;
        Self { plan, names, pins, promotions, unpromoted, by_hand, rang, approvals, latched, is_check_disabled, broken }
    }

    /// The PRIMARY records of a name as the operators wrote them.
    #[must_use]
    pub fn originals_of(&self, zone: &str, name: &Name) -> Vec<RecordSet> {
        let watched = self.names.iter().find(|watched| watched.zone == zone && watched.name == *name);
        watched.iter().flat_map(|it| &it.primaries).map(|primary| primary.original.clone()).collect()
    }

    /// Where a pair's PRIMARY record led as the operators wrote it, or its SECONDARY record.
    #[must_use]
    pub fn target(&self, zone: &str, pair: &RecordSet, of_primary: bool) -> Option<Target> {
        let watched = self.names.iter().find(|watched| watched.zone == zone && watched.name == pair.name)?;
        let primary = watched.primaries.iter().find(|primary| primary.original.kind == pair.kind)?;
        if of_primary { Some(primary.original.target.clone()) } else { primary.dr.clone() }
    }

    /// A person promoted this; it will be a writer then.
    pub fn promoted_by_hand(&mut self, writer_at: Timestamp, replica: &ReplicaId) {
        self.by_hand.insert(replica.clone(), writer_at);
    }

    /// A person said that Holdfast is to pin this name again as often as at first.
    pub fn pinned_again(&mut self, zone: &str, name: &Name) {
        let of = self.names.iter_mut().find(|watched| watched.zone == zone && watched.name == *name);
        of.into_iter().for_each(|watched| watched.pinned_again += 1);
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

    /// Something is so that must never be.
    pub fn accuse(&mut self, at: Timestamp, property: Property, what: impl Into<String>) {
        self.broken.push(Breach { at, property, what: what.into() });
    }

    /// True if a person's approval lifts this rule in this incident.
    #[must_use]
    pub fn is_lifted(&self, rule: Rule, incident: &Incident) -> bool {
        self.approvals.iter().any(|approval| approval.lifts(rule, incident))
    }

    /// True if the plan says that nothing is to be changed.
    #[must_use]
    pub fn is_shadow(&self) -> bool {
        self.plan.mode == Mode::Shadow
    }

    /// Someone wrote.
    pub fn wrote(&mut self, now: Timestamp, author: Author, zone: &str, before: &Records, after: &Records) {
        let mut names = std::mem::take(&mut self.names);
        let here = names.iter_mut().filter(|watched| watched.zone == zone);
        match author {
            Author::Operator => here.for_each(|watched| watched.operator_wrote(after)),
            Author::Holdfast(saw) => {
                here.for_each(|watched| self.holdfast_wrote(now, saw, watched, before, after));
                let ours = |set: &RecordSet| {
                    names.iter().filter(|watched| watched.zone == zone).any(|watched| {
                        watched.name == set.name && plays(set, Role::Primary)
                            || watched.register_name == set.name && set.kind == "TXT"
                    })
                };
                if !before.iter().filter(|set| !ours(set)).eq(after.iter().filter(|set| !ours(set))) {
                    self.accuse(now, Property::ForeignRecordTouched, format!("in {zone}"));
                }
            }
        }
        self.names = names;
    }

    fn holdfast_wrote(&mut self, now: Timestamp, saw: Probes, of: &Watched, before: &Records, after: &Records) {
        let of_name = |set: &&RecordSet| set.name == of.name || set.name == of.register_name;
        if before.iter().filter(of_name).eq(after.iter().filter(of_name)) {
            return;
        }
        let name = &of.name;
        let (was, is) = (of.reading(before), of.register(after));
        let primaries = || after.iter().filter(|set| set.name == *name && plays(set, Role::Primary));
        let moved: Vec<_> = primaries().filter(|set| before.like(set) != Some(set)).collect();
        let only_arms = moved.is_empty() && matches!(is, Some(Register::Armed { .. }));
        let may_write = match &was {
            Reading::Unreadable(_) => false,
            Reading::Absent => only_arms,
            Reading::Known { register: Register::Disarmed { .. }, .. } => false,
            Reading::Known { register: Register::Paused { until, .. }, .. } => only_arms && *until <= now,
            Reading::Known { .. } => self.plan.mode != Mode::Shadow,
        };
        if !may_write {
            self.accuse(now, Property::WroteWhileOff, format!("{name}: {was:?}"));
        }
        if self.is_check_disabled && matches!(is, Some(Register::Armed { .. })) {
            self.accuse(now, Property::ArmedUnchecked, name.to_string());
        }
        if let Some(primary) = moved.iter().find(|primary| !of.leads_to_dr(primary)) {
            self.accuse(now, Property::PrimaryAnswered, format!("Holdfast wrote {primary:?}"));
        }
        let Some(pin) = is.as_ref().and_then(Register::pin) else { return };
        if matches!(is, Some(Register::FailedOver { .. }))
            && !matches!(was.register(), Some(Register::FailedOver { .. }))
        {
            if let Some(replica) = self.unpromoted.clone() {
                self.accuse(now, Property::FalseEnd, format!("{replica} takes no writes"));
            }
            let before_pin = self.by_hand.iter().find(|(_, writer_at)| **writer_at < pin.at);
            if let Some((replica, at)) = before_pin
                && !self.is_lifted(Rule::R09, &pin.incident)
            {
                self.accuse(now, Property::FalseEnd, format!("{replica} was a writer at {at}, before the pin"));
            }
        }
        if moved.iter().any(|primary| before.like(primary).is_some_and(|old| !of.leads_to_dr(old))) {
            self.pinned(now, saw, of, &pin.incident, was.register());
        }
        for primary in primaries() {
            let restored = pin.original.get(&primary.kind).map(|t| RecordSet { target: t.clone(), ..primary.clone() });
            let original = of.primaries.iter().map(|it| &it.original).find(|it| it.kind == primary.kind);
            if restored.as_ref() != original {
                self.accuse(now, Property::OriginalLost, format!("{name} {}: {restored:?}", primary.kind));
            }
        }
    }

    fn pinned(&mut self, now: Timestamp, saw: Probes, of: &Watched, incident: &Incident, was: Option<&Register>) {
        let name = &of.name;
        let pins = self.pins.entry((of.zone.clone(), name.clone(), incident.clone())).or_default();
        *pins += 1;
        let (pins, undone) = (*pins, of.undone);
        if pins > 1 + undone.min(u32::from(REPINS_MAX) * (1 + of.pinned_again) + of.pinned_again) {
            self.accuse(now, Property::PinnedTwice, format!("{name}: {pins} times, undone by hand {undone} times"));
        }
        if !self.rang.contains(incident) && incident.as_declared_alarm().is_none() {
            self.accuse(now, Property::PinnedForNothing, format!("{name}: {incident}"));
        }
        let Some(Register::Armed { since, by, .. }) = was else { return };
        if incident.began <= *since && *by == ArmedBy::Failback {
            self.accuse(now, Property::PinnedForOldAlarm, format!("{name}: {incident}"));
        }
        let is_begun = self.pins.keys().any(|(_, other, pinned_in)| other != name && pinned_in == incident);
        if !is_begun && !self.is_latched_for(incident) {
            let mut held_back = self.held_back(saw, *since, *by, incident).into_iter();
            if let Some((_, rule, why)) = held_back.find(|(is_so, rule, _)| *is_so && !self.is_lifted(*rule, incident))
            {
                self.accuse(now, Property::PinnedUnapproved, format!("{name}, despite {rule}: {why}"));
            }
        }
    }

    /// What may stand in the way of a first pin, and be lifted.
    fn held_back(
        &self,
        saw: Probes,
        since: Timestamp,
        by: ArmedBy,
        incident: &Incident,
    ) -> [(bool, Rule, &'static str); 5] {
        let limits = &self.plan.limits;
        let quiet_seconds = match by {
            ArmedBy::Failback => limits.settle_seconds.max(limits.cooldown_seconds),
            _ => limits.settle_seconds,
        };
        let armed_for = incident.began.duration_since(since);
        [
            (armed_for < seconds(quiet_seconds), Rule::P08, "it was armed or failed back too recently"),
            (saw.primary == Probe::Answers, Rule::P09, "the primary had answered"),
            (saw.dr.is_down(), Rule::P10, "DR had not answered"),
            (
                self.plan.targets_alarm.is_some() && saw.targets != Targets::Healthy,
                Rule::P15,
                "DR's targets were not known to be healthy",
            ),
            (self.plan.mode == Mode::Approval, Rule::P12, "it is for a person to decide"),
        ]
    }

    /// Changes are about to arrive at the name servers.
    pub fn before_arrival(&mut self, now: Timestamp, route53: &Route53, shows: &[Checks]) {
        for watched in &mut self.names {
            let is_led_home = Self::may_be_led_home(watched, self.plan.switch.as_ref(), route53, shows);
            for primary in &mut watched.primaries {
                if is_led_home {
                    let ttl = seconds(primary.published_ttl_seconds(route53, &watched.zone));
                    primary.led_until = primary.led_until.max(Some(now + ttl));
                }
                if !primary.is_published_on_dr(route53, &watched.zone) {
                    let ttl = seconds(primary.published_ttl_seconds(route53, &watched.zone));
                    primary.kept_until = primary.kept_until.max(Some(now + ttl));
                }
            }
        }
    }

    /// Changes have arrived at the name servers.
    pub fn after_arrival(&mut self, now: Timestamp, route53: &Route53, shows: &[Checks]) {
        self.switch_shows(now, route53, shows);
        let mut names = std::mem::take(&mut self.names);
        for Watched { zone, name, register_name, primaries, .. } in &mut names {
            let records = route53.records(zone);
            let is_pinned = || read(&records, name, register_name).register().is_some_and(|it| it.pin().is_some());
            for primary in primaries {
                let is_on_dr_there = primary.is_published_on_dr(route53, zone);
                if primary.is_held && !is_on_dr_there {
                    let what = format!("{name} {} leads back to the primary", primary.original.kind);
                    self.accuse(now, Property::PrimaryAnswered, what);
                }
                let settled = [Role::Primary, Role::Secondary].into_iter().all(|role| {
                    let listed = records.playing(name, &primary.original.kind, role);
                    listed.is_some_and(|it| primary.leads_to_dr(it) && !route53.is_travelling(zone, it))
                });
                primary.is_held |= is_on_dr_there && settled && is_pinned();
            }
        }
        self.names = names;
    }

    /// What speaks against a promotion that is asked for now.
    pub fn asked_to_promote(&mut self, now: Timestamp, route53: &Route53, shows: &[Checks]) -> Asked {
        self.before_arrival(now, route53, shows);
        Asked { at: now, against: self.led_to_primary(now, route53) }
    }

    /// RDS began to promote, as was asked; so much may be lost, if anybody knows.
    pub fn promoted(&mut self, now: Timestamp, replica: &ReplicaId, loss_seconds: Option<i64>, asked: Asked) {
        let times = self.promotions.entry(replica.clone()).or_default();
        *times += 1;
        if *times > 1 {
            self.accuse(now, Property::PromotedTwice, replica.to_string());
        }
        let is_great = loss_seconds.is_none_or(|seconds| seconds > i64::from(self.plan.limits.lag_seconds_max));
        let pinned = self.pins.keys().map(|(_, _, incident)| incident);
        let is_approved = pinned.chain(&self.latched.incident).any(|incident| self.is_lifted(Rule::R07, incident));
        if is_great && !is_approved {
            self.accuse(now, Property::PromotedAtALoss, format!("{replica}: {loss_seconds:?} s of writes"));
        }
        if let Some(what) = asked.against {
            self.accuse(now, Property::PromotedTooEarly, what);
        }
    }

    /// RDS gave a promotion up: there was none.
    pub fn promotion_failed(&mut self, replica: &ReplicaId) {
        self.promotions.entry(replica.clone()).and_modify(|times| *times = times.saturating_sub(1));
    }

    /// Where clients may still reach the primary.
    fn led_to_primary(&self, now: Timestamp, route53: &Route53) -> Option<String> {
        self.names.iter().find_map(|watched| {
            let not_by_pin = Self::not_by_pin(now, watched, route53)?;
            match &self.plan.latch {
                None => Some(not_by_pin),
                Some(_) => {
                    self.not_by_latch(now, watched, route53).map(|not_by_latch| format!("{not_by_pin}; {not_by_latch}"))
                }
            }
        })
    }

    fn not_by_pin(now: Timestamp, watched: &Watched, route53: &Route53) -> Option<String> {
        let register = watched.register(&route53.records(&watched.zone));
        if register.as_ref().and_then(Register::pin).is_none() {
            return Some(format!("{} is not pinned: {register:?}", watched.name));
        }
        watched.primaries.iter().find_map(|Primary { original, kept_until, .. }| {
            let kept = kept_until.filter(|kept| now < *kept)?;
            Some(format!("resolvers keep {} {} leading to the primary until {kept}", watched.name, original.kind))
        })
    }

    /// True if name servers hold every name on DR whose incident is not closed. Of a closed one a person may have undone
    /// the pin since; the databases in DR are writers then, and the old ones are not to be written to in any case.
    #[must_use]
    pub fn is_held_everywhere(&self, route53: &Route53) -> bool {
        self.names.iter().all(|watched| {
            let register = || watched.register(&route53.records(&watched.zone));
            watched.primaries.iter().all(|primary| primary.is_held)
                || matches!(register(), Some(Register::FailedOver { .. }))
        })
    }
}

/// When a promotion was asked for, and what spoke against it then.
#[derive(Clone, Debug)]
pub struct Asked {
    /// When.
    pub at: Timestamp,
    against: Option<String>,
}

fn seconds(seconds: u32) -> SignedDuration {
    SignedDuration::from_secs(i64::from(seconds))
}
