//! Which of a name's record sets answers, by their routing and their health.
//!
//! The lab's askers are nowhere in particular: their addresses are mapped to no location, no network of a CIDR collection
//! and no availability zone, so the sets for everywhere else answer them, as Route 53 documents. By latency and distance
//! all regions are alike, so the first healthy set answers.

use super::answer::{View, sets_of_kind};
use crate::route53::balancer::TTL;
use crate::route53::{DnsName, Failover, Kind, RecordSet, Records, Routing, Target};

/// "Route 53 responds to DNS queries with up to eight healthy records" (API reference, `MultiValueAnswer`).
const MULTIVALUE_MAX: usize = 8;

impl View<'_> {
    /// The values and their TTL of the record sets that answer for an owner name, following aliases.
    pub(super) fn values(&self, records: &Records, owner: &DnsName, kind: Kind, depth: usize) -> Vec<(u32, String)> {
        let chosen = self.chosen(records, owner, kind, depth);
        chosen.into_iter().flat_map(|set| self.values_of(set, depth)).collect()
    }

    fn values_of(&self, set: &RecordSet, depth: usize) -> Vec<(u32, String)> {
        let kind = set.key.kind;
        match &set.target {
            Target::TrafficPolicy => Vec::new(),
            Target::Values { ttl, values } => values.iter().map(|value| (*ttl, value.clone())).collect(),
            // "Amazon Route 53 uses the value of TTL for the alias target" (API reference, `ResourceRecordSet.TTL`).
            Target::Alias { zone, name, .. } => match (self.zones.get(zone), self.balancers.get(name)) {
                (Some(target), _) if depth > 0 => self.values(&target.published, name, kind, depth - 1),
                (None, Some(balancer)) => balancer.value(kind).map(|value| (TTL, value)).into_iter().collect(),
                _ => Vec::new(),
            },
        }
    }

    /// The record sets that answer, of those of one name and type.
    fn chosen<'r>(&self, records: &'r Records, owner: &DnsName, kind: Kind, depth: usize) -> Vec<&'r RecordSet> {
        let sets: Vec<_> = sets_of_kind(records, owner, kind).collect();
        let Some(first) = sets.first() else { return Vec::new() };
        match &first.routing {
            Routing::Simple => vec![first],
            Routing::Failover(_) => self.by_failover(&sets, depth).into_iter().collect(),
            Routing::Weighted(_) => self.by_weight(&self.healthy_of(sets, depth)).into_iter().collect(),
            Routing::Latency(_) | Routing::Geoproximity(_) => {
                self.healthy_of(sets, depth).into_iter().take(1).collect()
            }
            Routing::Geolocation(_) | Routing::Cidr(_) | Routing::AzAffinity(_) => {
                sets.into_iter().filter(|set| is_for_everywhere_else(&set.routing)).collect()
            }
            Routing::Multivalue => {
                let mut healthy = self.healthy_of(sets, depth);
                let turn = self.turn as usize % healthy.len().max(1);
                healthy.rotate_left(turn);
                healthy.truncate(MULTIVALUE_MAX);
                healthy
            }
        }
    }

    /// "If the primary is healthy, Route 53 always answers with it; if it is unhealthy and the secondary is healthy, with
    /// the secondary; if all are unhealthy, with the primary" (Developer Guide, "Failover routing", `dns-failover`).
    fn by_failover<'r>(&self, sets: &[&'r RecordSet], depth: usize) -> Option<&'r RecordSet> {
        let half = |half| sets.iter().copied().find(|set| set.failover() == Some(half));
        match (half(Failover::Primary), half(Failover::Secondary)) {
            (Some(primary), Some(secondary)) => {
                let secondary_answers = !self.healthy(primary, depth) && self.healthy(secondary, depth);
                Some(if secondary_answers { secondary } else { primary })
            }
            _ => sets.first().copied(),
        }
    }

    /// "Route 53 then responds to queries based on the ratio of a resource's weight to the total"; all weights 0 means
    /// "equal probability" (API reference, `Weight`). The lab takes them in turns.
    fn by_weight<'r>(&self, sets: &[&'r RecordSet]) -> Option<&'r RecordSet> {
        let weight = |set: &RecordSet| match set.routing {
            Routing::Weighted(weight) => u64::from(weight),
            _ => 0,
        };
        let total: u64 = sets.iter().map(|set| weight(set)).sum();
        if total == 0 {
            return sets.get(self.turn as usize % sets.len().max(1)).copied();
        }
        let mut place = self.turn % total;
        sets.iter().copied().find(|set| {
            let is_here = place < weight(set);
            place = place.saturating_sub(weight(set));
            is_here
        })
    }

    /// The healthy ones; all of them if none is: "Route 53 considers all resource record sets in the group healthy". Sets of
    /// weight 0 answer only when no other does.
    fn healthy_of<'r>(&self, sets: Vec<&'r RecordSet>, depth: usize) -> Vec<&'r RecordSet> {
        let weighs = |set: &RecordSet| set.routing != Routing::Weighted(0);
        let healthy: Vec<_> = sets.iter().copied().filter(|set| self.healthy(set, depth)).collect();
        let chosen = if healthy.is_empty() { sets } else { healthy };
        let heavy: Vec<_> = chosen.iter().copied().filter(|set| weighs(set)).collect();
        if heavy.is_empty() { chosen } else { heavy }
    }

    /// "Route 53 considers a record with no health check healthy"; with a check and `EvaluateTargetHealth` "both must be
    /// healthy". An alias' target is healthy if any of its records is.
    fn healthy(&self, set: &RecordSet, depth: usize) -> bool {
        let check = set.health_check.as_deref().and_then(|check| self.checks.healthy(check)).unwrap_or(true);
        check && self.is_target_healthy(set, depth)
    }

    fn is_target_healthy(&self, set: &RecordSet, depth: usize) -> bool {
        let Target::Alias { zone, name, evaluate_target_health: true } = &set.target else { return true };
        match (self.zones.get(zone), self.balancers.get(name)) {
            (Some(zone), _) if depth > 0 => {
                sets_of_kind(&zone.published, name, set.key.kind).any(|target| self.healthy(target, depth - 1))
            }
            (None, Some(balancer)) => self.checks.healthy(&balancer.check).unwrap_or(true),
            _ => true,
        }
    }
}

/// "The value * in the CountryCode element matches all geographic locations that aren't specified" (API reference);
/// without such a set Route 53 has no answer. CIDR locations and the location type Global are alike.
fn is_for_everywhere_else(routing: &Routing) -> bool {
    match routing {
        Routing::Geolocation(place) => place.country_code.as_deref() == Some("*"),
        Routing::Cidr(cidr) => cidr.location_name == "*",
        Routing::AzAffinity(place) => place.location_type == "Global",
        _ => false,
    }
}
