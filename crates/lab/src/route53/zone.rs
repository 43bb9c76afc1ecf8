//! Hosted zones, their changes on the way to the name servers, and listings of both.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::Refusal;
use super::balancer::Balancers;
use super::batch::{self, Edit, Records, Surroundings};
use super::features::{AcceleratedRecovery, Features};
use super::listing::Listing;
use super::name::DnsName;
use super::protections::{COMMENT_MAX, Protections};
use super::record::{Key, Kind, RecordSet, Routing, Target};
use crate::health::Checks;
use crate::id;

/// "Five requests per second per AWS account" (Developer Guide, `DNSLimitations`).
const REQUESTS_PER_SECOND: usize = 5;

/// For how long a name counts as one that still receives queries. AWS does not say; the lab takes a day.
const QUERIED_WITHIN: SignedDuration = SignedDuration::from_hours(24);

/// The name servers of every zone.
pub const NAME_SERVERS: [&str; 4] =
    ["ns-2048.awsdns-64.com", "ns-2049.awsdns-65.net", "ns-2050.awsdns-66.org", "ns-2051.awsdns-67.co.uk"];

/// A hosted zone.
#[derive(Clone, Debug)]
pub struct Zone {
    /// Its id, without `/hostedzone/`.
    pub id: String,
    /// Its name.
    pub name: DnsName,
    /// The creator's reference.
    pub caller_reference: String,
    /// The creator's comment.
    pub comment: Option<String>,
    /// What the control plane says.
    pub records: Arc<Records>,
    /// What the name servers answer.
    pub published: Arc<Records>,
    /// What nobody may change.
    pub protections: Protections,
    /// Its tier, guardrails and accelerated recovery.
    pub features: Features,
}

/// A change on its way to the name servers.
#[derive(Clone, Debug)]
pub struct Change {
    /// Its id, without `/change/`.
    pub id: String,
    /// The zone it changes.
    pub zone: String,
    /// When it was asked for.
    pub submitted: Timestamp,
    /// When every name server has it.
    pub in_sync_at: Timestamp,
    /// Its place among all changes.
    pub sequence: u64,
    /// The asker's comment.
    pub comment: Option<String>,
    /// The names whose record sets it alters, without trailing dot.
    pub names: Vec<String>,
    /// The zone's records with it applied, until the name servers have them.
    pub pending: Option<Arc<Records>>,
}

impl Change {
    /// `PENDING` or `INSYNC`.
    pub fn status(&self) -> &'static str {
        if self.pending.is_some() { "PENDING" } else { "INSYNC" }
    }
}

/// Everything Route 53 remembers.
#[derive(Debug)]
pub struct State {
    /// Hosted zones by id.
    pub(crate) zones: BTreeMap<String, Zone>,
    pub(super) changes: BTreeMap<String, Change>,
    /// Health checks.
    pub checks: Checks,
    /// Tags by resource type and id.
    pub(super) tags: BTreeMap<(String, String), BTreeMap<String, String>>,
    /// Load balancers that aliases may target.
    pub balancers: Balancers,
    pub(super) delays: RangeInclusive<Duration>,
    pub(super) listing: Listing,
    /// How many health checks the account may have, as it is told.
    pub(super) health_checks_max: usize,
    /// Whether guardrails look at each change by itself.
    pub(super) are_guardrails_strict: bool,
    /// When which name and type was last asked for.
    queried: BTreeMap<(DnsName, Kind), Timestamp>,
    recent: VecDeque<Timestamp>,
    minted: u64,
}

impl Default for State {
    fn default() -> Self {
        Self {
            zones: BTreeMap::new(),
            changes: BTreeMap::new(),
            checks: Checks::default(),
            tags: BTreeMap::new(),
            // "Changes generally propagate to all Route 53 name servers within 60 seconds" (API reference, GetChange).
            delays: Duration::from_secs(5)..=Duration::from_secs(60),
            balancers: Balancers::default(),
            listing: Listing::default(),
            health_checks_max: super::limits::HEALTH_CHECKS_MAX,
            are_guardrails_strict: true,
            queried: BTreeMap::new(),
            recent: VecDeque::new(),
            minted: 0,
        }
    }
}

impl State {
    /// The number of the next identifier.
    pub(super) fn mint(&mut self) -> u64 {
        self.minted += 1;
        self.minted
    }

    /// Counts a request against the account's rate.
    pub(super) fn admit(&mut self, now: Timestamp) -> Result<(), Refusal> {
        self.recent.retain(|at| now.duration_since(*at) < SignedDuration::from_secs(1));
        if self.recent.len() >= REQUESTS_PER_SECOND {
            return Err(Refusal::Throttling);
        }
        self.recent.push_back(now);
        Ok(())
    }

    /// The zone of this id.
    pub(super) fn zone(&self, id: &str) -> Result<&Zone, Refusal> {
        self.zones.get(id).ok_or_else(|| Refusal::NoSuchHostedZone(id.to_owned()))
    }

    /// The zone of this id, to be changed.
    pub(super) fn zone_mut(&mut self, id: &str) -> Result<&mut Zone, Refusal> {
        self.zones.get_mut(id).ok_or_else(|| Refusal::NoSuchHostedZone(id.to_owned()))
    }

    /// Remembers that somebody asked the name servers.
    pub(crate) fn note_query(&mut self, now: Timestamp, name: DnsName, kind: Kind) {
        self.queried.insert((name, kind), now);
    }

    /// True if the record set of this key was asked for of late; a wildcard, if a name below it was.
    fn is_queried(&self, now: Timestamp, key: &Key) -> bool {
        let parent = key.name.is_wildcard().then(|| key.name.parent()).flatten();
        self.queried.iter().any(|((name, kind), at)| {
            let is_of_name = parent.as_ref().map_or(*name == key.name, |parent| name.is_within(parent));
            is_of_name && *kind == key.kind && now.duration_since(*at) < QUERIED_WITHIN
        })
    }

    /// Makes a zone with its SOA and NS records, which the name servers have once the returned change is in sync.
    pub(super) fn create_zone(
        &mut self,
        now: Timestamp,
        name: DnsName,
        caller_reference: String,
        comment: Option<String>,
    ) -> Result<(Zone, Change), Refusal> {
        if self.zones.values().any(|zone| zone.caller_reference == caller_reference) {
            return Err(Refusal::HostedZoneAlreadyExists(caller_reference));
        }
        let id = id::capitals('Z', self.mint());
        let records = Arc::new(apex(&name));
        let names = vec![name.bare()];
        let zone = Zone {
            id: id.clone(),
            name,
            caller_reference,
            comment,
            records: records.clone(),
            published: Arc::default(),
            protections: Protections::default(),
            features: Features::default(),
        };
        self.zones.insert(id.clone(), zone.clone());
        Ok((zone, self.enqueue(now, id, records, names, None)))
    }

    /// Removes a zone in which only the required records are left.
    pub(super) fn delete_zone(&mut self, now: Timestamp, zone_id: &str) -> Result<Change, Refusal> {
        let zone = self.zone(zone_id)?;
        let required = apex(&zone.name);
        if zone.records.keys().any(|key| !required.contains_key(key)) {
            return Err(Refusal::HostedZoneNotEmpty);
        }
        // "You can't delete a hosted zone that has protections"; with which error, AWS does not say.
        if !zone.protections.is_empty() {
            return Err(Refusal::InvalidInput("The hosted zone has resource record set protections.".to_owned()));
        }
        if zone.features.recovery(now) != AcceleratedRecovery::Disabled {
            return Err(Refusal::InvalidInput("Accelerated recovery is enabled for the hosted zone.".to_owned()));
        }
        let names = vec![zone.name.bare()];
        let change = self.enqueue(now, zone_id.to_owned(), Arc::default(), names, None);
        self.zones.remove(zone_id);
        Ok(change)
    }

    /// Applies a batch to a zone; the name servers have it once the returned change is in sync.
    pub(super) fn change(
        &mut self,
        now: Timestamp,
        zone_id: &str,
        edits: &[Edit],
        comment: Option<String>,
    ) -> Result<Change, Refusal> {
        let zone = self.zone(zone_id)?;
        if comment.as_ref().is_some_and(|comment| comment.chars().count() > COMMENT_MAX) {
            return Err(Refusal::InvalidInput(format!(
                "1 validation error detected: Value at 'changeBatch.comment' failed to satisfy constraint: Member must \
                 have length less than or equal to {COMMENT_MAX}"
            )));
        }
        if zone.features.recovery(now).is_locked() {
            return Err(Refusal::Locked(zone_id.to_owned()));
        }
        let around = Surroundings {
            zone_id,
            zone: &zone.name,
            has_check: &|check| self.checks.get(check).is_some(),
            is_other_zone: &|id| id != zone_id && self.zones.contains_key(id),
            protections: &zone.protections,
            guardrails: zone.features.guardrails(self.are_guardrails_strict),
            is_queried: &|key| self.is_queried(now, key),
        };
        let after = batch::apply(&around, &zone.records, edits).map_err(Refusal::InvalidChangeBatch)?;
        // A record set deleted and created again just as it was is not altered.
        let altered = edits.iter().filter(|edit| zone.records.get(&edit.set.key) != after.get(&edit.set.key));
        let names: BTreeSet<_> = altered.map(|edit| edit.set.key.name.bare()).collect();
        let (names, after) = (names.into_iter().collect(), Arc::new(after));
        if let Some(zone) = self.zones.get_mut(zone_id) {
            zone.records = after.clone();
        }
        Ok(self.enqueue(now, zone_id.to_owned(), after, names, comment))
    }

    fn enqueue(
        &mut self,
        now: Timestamp,
        zone: String,
        after: Arc<Records>,
        names: Vec<String>,
        comment: Option<String>,
    ) -> Change {
        let sequence = self.mint();
        let id = id::capitals('C', sequence);
        let (shortest, longest) = (self.delays.start().as_millis() as u64, self.delays.end().as_millis() as u64);
        let delay = shortest + id::hash(&id) % (longest.saturating_sub(shortest) + 1);
        let earliest = now + SignedDuration::from_millis(delay as i64);
        // A zone's changes reach the name servers in the order they were made.
        let previous = self.changes.values().filter(|change| change.zone == zone).map(|change| change.in_sync_at).max();
        let in_sync_at = previous.map_or(earliest, |previous| earliest.max(previous));
        let change =
            Change { id: id.clone(), zone, submitted: now, in_sync_at, sequence, comment, names, pending: Some(after) };
        self.changes.insert(id, change.clone());
        change
    }

    /// Publishes every change that is due, in order, and returns them.
    pub(super) fn settle(&mut self, now: Timestamp) -> Vec<Change> {
        let is_due = |change: &&Change| change.pending.is_some() && change.in_sync_at <= now;
        let mut due: Vec<_> = self.changes.values().filter(is_due).collect();
        due.sort_by_key(|change| (change.in_sync_at, change.sequence));
        let due: Vec<_> = due.into_iter().map(|change| change.id.clone()).collect();
        due.iter().filter_map(|id| self.publish(id)).collect()
    }

    /// Gives the name servers a change, if they do not have it yet.
    pub(super) fn publish(&mut self, change: &str) -> Option<Change> {
        let change = self.changes.get_mut(change)?;
        let records = change.pending.take()?;
        if let Some(zone) = self.zones.get_mut(&change.zone) {
            zone.published = records;
        }
        Some(change.clone())
    }
}

fn apex(zone: &DnsName) -> Records {
    let soa = format!("{}. awsdns-hostmaster.amazon.com. 1 7200 900 1209600 86400", NAME_SERVERS[0]);
    let servers = NAME_SERVERS.iter().map(|server| format!("{server}.")).collect();
    [(Kind::Ns, 172_800, servers), (Kind::Soa, 900, vec![soa])]
        .into_iter()
        .map(|(kind, ttl, values)| {
            let key = Key { name: zone.clone(), kind, set_identifier: None };
            let target = Target::Values { ttl, values };
            let set =
                RecordSet { key, routing: Routing::Simple, health_check: None, target, traffic_policy_instance: None };
            (set.key.clone(), set)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::route53::batch::Action;

    fn noon() -> Timestamp {
        "2026-01-01T12:00:00Z".parse().unwrap()
    }

    fn after(seconds: i64) -> Timestamp {
        noon() + SignedDuration::from_secs(seconds)
    }

    fn state() -> (State, String) {
        let mut state = State::default();
        let name = DnsName::parse("example.com").unwrap();
        let (zone, _) = state.create_zone(noon(), name, "test".to_owned(), None).unwrap();
        state.settle(after(60));
        (state, zone.id)
    }

    fn create(name: &str, value: &str) -> Vec<Edit> {
        let key = Key { name: DnsName::parse(name).unwrap(), kind: Kind::A, set_identifier: None };
        let target = Target::Values { ttl: 60, values: vec![value.to_owned()] };
        let set =
            RecordSet { key, routing: Routing::Simple, health_check: None, target, traffic_policy_instance: None };
        vec![Edit { action: Action::Upsert, set }]
    }

    #[test]
    fn the_name_servers_answer_a_change_only_once_it_is_in_sync() {
        let (mut state, zone) = state();
        let change = state.change(after(100), &zone, &create("a.example.com", "192.0.2.1"), None).unwrap();
        assert_eq!(state.zones[&zone].records.len(), 3);
        assert!(state.settle(change.in_sync_at - SignedDuration::from_millis(1)).is_empty());
        assert_eq!(state.zones[&zone].published.len(), 2);
        assert_eq!(state.settle(change.in_sync_at).len(), 1);
        assert_eq!(state.zones[&zone].published.len(), 3);
        assert!(state.changes[&change.id].pending.is_none());
    }

    #[test]
    fn a_change_takes_between_five_and_sixty_seconds_and_never_overtakes_an_earlier_one() {
        let (mut state, zone) = state();
        let mut last = noon();
        for second in 0..50 {
            let at = after(1_000 + second);
            let change = state.change(at, &zone, &create("a.example.com", &format!("192.0.2.{second}")), None).unwrap();
            assert!(change.in_sync_at >= last);
            assert!(change.in_sync_at >= at + SignedDuration::from_secs(5));
            assert!(change.in_sync_at <= at + SignedDuration::from_secs(60));
            last = change.in_sync_at;
        }
        let order: Vec<_> = state.settle(last).iter().map(|change| change.submitted).collect();
        assert!(order.is_sorted());
        assert_eq!(state.zones[&zone].published, state.zones[&zone].records);
    }

    #[test]
    fn the_sixth_request_within_a_second_is_throttled() {
        let mut state = State::default();
        for _ in 0..5 {
            assert!(state.admit(noon()).is_ok());
        }
        assert!(matches!(state.admit(noon() + SignedDuration::from_millis(999)), Err(Refusal::Throttling)));
        assert!(state.admit(after(1)).is_ok());
    }
}
