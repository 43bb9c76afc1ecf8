//! What the name servers answer: failover by health, aliases, wildcards.

use std::collections::BTreeMap;

use crate::health::Checks;
use crate::route53::{DnsName, Failover, Kind, RecordSet, Records, Target, Zone, sets_of, sets_within};

/// Longest chain of aliases or CNAMEs the lab follows.
const CHAIN_MAX: usize = 8;

/// How a question was answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rcode {
    /// The name exists; there may still be nothing of the type.
    NoError,
    /// The name does not exist.
    NxDomain,
    /// No zone of the lab has the name.
    Refused,
}

/// One record of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answered {
    /// Owner name.
    pub name: DnsName,
    /// Type.
    pub kind: Kind,
    /// Time to live, seconds.
    pub ttl: u32,
    /// The value, in Route 53's text form.
    pub value: String,
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// How the question was answered.
    pub rcode: Rcode,
    /// The answer section.
    pub answers: Vec<Answered>,
    /// The SOA record for the authority section of an answer with nothing in it.
    pub soa: Option<Answered>,
}

/// What the name servers know.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    /// The zones, of which they know the published records.
    pub zones: &'a BTreeMap<String, Zone>,
    /// The health checks.
    pub checks: &'a Checks,
}

impl<'a> View<'a> {
    /// Answers a question; a type the lab does not know is `None` and finds nothing.
    pub fn answer(&self, name: &DnsName, kind: Option<Kind>) -> Answer {
        let mut answer = Answer { rcode: Rcode::Refused, answers: Vec::new(), soa: None };
        let mut asked = name.clone();
        for _ in 0..CHAIN_MAX {
            let Some(zone) = self.zone_of(&asked) else { break };
            answer.rcode = Rcode::NoError;
            let Some(owner) = owner(zone, &asked) else {
                answer.rcode = Rcode::NxDomain;
                answer.soa = soa(zone);
                break;
            };
            let found = kind.map(|kind| self.values(&zone.published, &owner, kind, CHAIN_MAX)).unwrap_or_default();
            if let (Some(kind), false) = (kind, found.is_empty()) {
                let named = |(ttl, value)| Answered { name: asked.clone(), kind, ttl, value };
                answer.answers.extend(found.into_iter().map(named));
                break;
            }
            let cname = self.values(&zone.published, &owner, Kind::Cname, CHAIN_MAX).into_iter().next();
            let Some((ttl, value)) = cname else {
                answer.soa = soa(zone);
                break;
            };
            let target = DnsName::parse(&value);
            answer.answers.push(Answered { name: asked, kind: Kind::Cname, ttl, value });
            match target {
                Ok(target) => asked = target,
                Err(_) => break,
            }
        }
        answer
    }

    fn zone_of(&self, name: &DnsName) -> Option<&'a Zone> {
        let served = self.zones.values().filter(|zone| !zone.published.is_empty() && name.is_within(&zone.name));
        served.max_by_key(|zone| zone.name.labels().len())
    }

    /// The values and their TTL of the record set that answers for an owner name, following aliases.
    fn values(&self, records: &Records, owner: &DnsName, kind: Kind, depth: usize) -> Vec<(u32, String)> {
        let chosen = self.chosen(records, owner, kind, depth);
        match chosen.map(|set| &set.target) {
            None => Vec::new(),
            Some(Target::Values { ttl, values }) => values.iter().map(|value| (*ttl, value.clone())).collect(),
            Some(Target::Alias { zone, name, .. }) => match self.zones.get(zone) {
                Some(target) if depth > 0 => self.values(&target.published, name, kind, depth - 1),
                _ => Vec::new(),
            },
        }
    }

    /// "If the primary is healthy, Route 53 always answers with it; if it is unhealthy and the secondary is healthy, with
    /// the secondary; if all are unhealthy, with the primary" (Developer Guide, "Failover routing", `dns-failover`).
    fn chosen<'r>(&self, records: &'r Records, owner: &DnsName, kind: Kind, depth: usize) -> Option<&'r RecordSet> {
        let sets: Vec<_> = sets_of_kind(records, owner, kind).collect();
        let half = |failover| sets.iter().copied().find(|set| set.failover == Some(failover));
        match (half(Failover::Primary), half(Failover::Secondary)) {
            (Some(primary), Some(secondary)) => {
                let secondary_answers = !self.healthy(primary, depth) && self.healthy(secondary, depth);
                Some(if secondary_answers { secondary } else { primary })
            }
            _ => sets.first().copied(),
        }
    }

    /// "Route 53 considers a record with no health check healthy"; with a check and EvaluateTargetHealth "both must be
    /// healthy". An alias' target is healthy if any of its records is.
    fn healthy(&self, set: &RecordSet, depth: usize) -> bool {
        let check = set.health_check.as_deref().and_then(|check| self.checks.healthy(check)).unwrap_or(true);
        let target = match &set.target {
            Target::Alias { zone, name, evaluate_target_health: true } if depth > 0 => {
                self.zones.get(zone).is_none_or(|zone| {
                    sets_of_kind(&zone.published, name, set.key.kind).any(|target| self.healthy(target, depth - 1))
                })
            }
            _ => true,
        };
        check && target
    }
}

fn sets_of_kind<'r>(
    records: &'r Records,
    owner: &DnsName,
    kind: Kind,
) -> impl Iterator<Item = &'r RecordSet> + use<'r> {
    sets_of(records, owner).filter(move |set| set.key.kind == kind)
}

/// The name whose records answer: the name itself, if it or anything below it exists; otherwise the wildcard of the
/// closest name above that does (RFC 4592, section 3.3.1).
fn owner(zone: &Zone, name: &DnsName) -> Option<DnsName> {
    let exists = |name: &DnsName| sets_within(&zone.published, name).next().is_some();
    if exists(name) {
        return Some(name.clone());
    }
    let mut encloser = name.parent()?;
    while !exists(&encloser) {
        encloser = encloser.parent()?;
    }
    let wildcard = encloser.wildcard();
    sets_of(&zone.published, &wildcard).next().map(|_| wildcard)
}

/// For how long a negative answer may be kept: the lesser of the SOA's TTL and its minimum (RFC 2308, section 5).
fn soa(zone: &Zone) -> Option<Answered> {
    let set = sets_of_kind(&zone.published, &zone.name, Kind::Soa).next()?;
    let Target::Values { ttl, values } = &set.target else { return None };
    let value = values.first()?.clone();
    let minimum = value.split_whitespace().last().and_then(|minimum| minimum.parse().ok()).unwrap_or(u32::MAX);
    Some(Answered { name: zone.name.clone(), kind: Kind::Soa, ttl: (*ttl).min(minimum), value })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::health::{CheckType, HealthCheckConfig};
    use crate::route53::Key;

    struct World {
        zones: BTreeMap<String, Zone>,
        checks: Checks,
    }

    fn name(text: &str) -> DnsName {
        DnsName::parse(text).unwrap()
    }

    fn values(owner: &str, kind: Kind, values: &[&str]) -> RecordSet {
        let key = Key { name: name(owner), kind, set_identifier: None };
        let target = Target::Values { ttl: 60, values: values.iter().map(|value| (*value).to_owned()).collect() };
        RecordSet { key, failover: None, health_check: None, target }
    }

    fn half(owner: &str, failover: Failover, value: &str, check: Option<&str>) -> RecordSet {
        let mut set = values(owner, Kind::A, &[value]);
        set.key.set_identifier = Some(failover.to_string());
        RecordSet { failover: Some(failover), health_check: check.map(str::to_owned), ..set }
    }

    fn alias(mut set: RecordSet, target: &str) -> RecordSet {
        set.target = Target::Alias { zone: "Z1".to_owned(), name: name(target), evaluate_target_health: true };
        set
    }

    impl World {
        fn new() -> Self {
            let records = [values("example.com", Kind::Soa, &["ns. host. 1 7200 900 1209600 86400"])];
            let mut world = Self { zones: BTreeMap::new(), checks: Checks::default() };
            let zone = Zone {
                id: "Z1".to_owned(),
                name: name("example.com"),
                caller_reference: String::new(),
                comment: None,
                records: Arc::default(),
                published: Arc::default(),
            };
            world.zones.insert("Z1".to_owned(), zone);
            records.into_iter().for_each(|set| world.add(set));
            world
        }

        fn add(&mut self, set: RecordSet) {
            let zone = self.zones.get_mut("Z1").unwrap();
            Arc::make_mut(&mut zone.published).insert(set.key.clone(), set);
        }

        fn check(&mut self, healthy: bool) -> String {
            let config =
                HealthCheckConfig { inverted: !healthy, ..HealthCheckConfig::new(CheckType::CloudwatchMetric) };
            self.checks.create(jiff::Timestamp::UNIX_EPOCH, String::new(), config, None)
        }

        fn ask(&self, owner: &str, kind: Kind) -> Answer {
            View { zones: &self.zones, checks: &self.checks }.answer(&name(owner), Some(kind))
        }

        fn values(&self, owner: &str, kind: Kind) -> Vec<String> {
            self.ask(owner, kind).answers.into_iter().map(|answered| answered.value).collect()
        }
    }

    #[test]
    fn a_failover_pair_answers_by_health_and_with_the_primary_when_both_are_unhealthy() {
        for (primary, secondary, expected) in [
            (Some(true), Some(true), "192.0.2.1"),
            (Some(false), Some(true), "192.0.2.2"),
            (Some(false), None, "192.0.2.2"),
            (Some(false), Some(false), "192.0.2.1"),
            (Some(true), Some(false), "192.0.2.1"),
            (None, Some(true), "192.0.2.1"),
        ] {
            let mut world = World::new();
            let primary_check = primary.map(|healthy| world.check(healthy));
            let secondary_check = secondary.map(|healthy| world.check(healthy));
            world.add(half("app.example.com", Failover::Primary, "192.0.2.1", primary_check.as_deref()));
            world.add(half("app.example.com", Failover::Secondary, "192.0.2.2", secondary_check.as_deref()));
            assert_eq!(world.values("app.example.com", Kind::A), [expected], "{primary:?} {secondary:?}");
        }
    }

    #[test]
    fn an_alias_answers_with_its_target_and_may_fail_over_by_the_targets_health() {
        let mut world = World::new();
        let sick = world.check(false);
        world.add(RecordSet { health_check: Some(sick), ..values("p.example.com", Kind::A, &["192.0.2.1"]) });
        world.add(values("s.example.com", Kind::A, &["192.0.2.2"]));
        world.add(alias(half("app.example.com", Failover::Primary, "", None), "p.example.com"));
        world.add(alias(half("app.example.com", Failover::Secondary, "", None), "s.example.com"));
        assert_eq!(world.values("app.example.com", Kind::A), ["192.0.2.2"]);
        let primary = alias(half("own.example.com", Failover::Primary, "", None), "p.example.com");
        world.add(primary);
        assert_eq!(world.values("own.example.com", Kind::A), ["192.0.2.1"], "a lone half always answers");
    }

    #[test]
    fn aliases_in_a_circle_answer_nothing() {
        let mut world = World::new();
        world.add(alias(values("a.example.com", Kind::A, &[]), "b.example.com"));
        world.add(alias(values("b.example.com", Kind::A, &[]), "a.example.com"));
        assert_eq!(world.values("a.example.com", Kind::A), [""; 0]);
    }

    #[test]
    fn a_cname_is_answered_and_followed_within_the_zones() {
        let mut world = World::new();
        world.add(values("w.example.com", Kind::Cname, &["app.example.com"]));
        world.add(values("app.example.com", Kind::A, &["192.0.2.1"]));
        world.add(values("out.example.com", Kind::Cname, &["elsewhere.example.org"]));
        assert_eq!(world.values("w.example.com", Kind::A), ["app.example.com", "192.0.2.1"]);
        assert_eq!(world.values("w.example.com", Kind::Cname), ["app.example.com"]);
        let out = world.ask("out.example.com", Kind::A);
        assert_eq!((out.rcode, out.answers.len(), out.soa), (Rcode::NoError, 1, None));
    }

    #[test]
    fn a_wildcard_answers_for_what_does_not_exist_and_not_for_what_does() {
        let mut world = World::new();
        world.add(values("*.example.com", Kind::A, &["192.0.2.9"]));
        world.add(values("a.b.example.com", Kind::A, &["192.0.2.1"]));
        assert_eq!(world.values("x.example.com", Kind::A), ["192.0.2.9"]);
        assert_eq!(world.values("y.x.example.com", Kind::A), ["192.0.2.9"]);
        assert_eq!(world.ask("x.example.com", Kind::A).answers[0].name, name("x.example.com"));
        let between = world.ask("b.example.com", Kind::A);
        assert_eq!((between.rcode, between.answers.len()), (Rcode::NoError, 0), "an empty non-terminal exists");
        assert_eq!(world.ask("c.b.example.com", Kind::A).rcode, Rcode::NxDomain, "its encloser has no wildcard");
    }

    #[test]
    fn nothing_of_the_type_no_such_name_and_not_our_zone_are_told_apart() {
        let mut world = World::new();
        world.add(values("app.example.com", Kind::A, &["192.0.2.1"]));
        let nodata = world.ask("app.example.com", Kind::Aaaa);
        assert_eq!((nodata.rcode, nodata.answers.len(), nodata.soa.unwrap().ttl), (Rcode::NoError, 0, 60));
        let missing = world.ask("no.example.com", Kind::A);
        assert_eq!((missing.rcode, missing.soa.unwrap().name), (Rcode::NxDomain, name("example.com")));
        let foreign = world.ask("example.org", Kind::A);
        assert_eq!((foreign.rcode, foreign.soa), (Rcode::Refused, None));
    }
}
