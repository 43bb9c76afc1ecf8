//! What the name servers answer: names, wildcards, CNAMEs. Which of several record sets answers is in `choice.rs`.

use std::collections::BTreeMap;

use crate::health::Checks;
use crate::route53::{Balancers, DnsName, Kind, RecordSet, Records, Target, Zone, sets_of, sets_within};

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
    /// The load balancers.
    pub balancers: &'a Balancers,
    /// Which question this is: it decides among several healthy records.
    pub turn: u64,
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
}

pub(super) fn sets_of_kind<'r>(
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
    use crate::route53::{Cidr, Failover, Features, GeoLocation, Key, Protections, Routing};

    struct World {
        zones: BTreeMap<String, Zone>,
        checks: Checks,
        balancers: Balancers,
    }

    fn name(text: &str) -> DnsName {
        DnsName::parse(text).unwrap()
    }

    fn values(owner: &str, kind: Kind, values: &[&str]) -> RecordSet {
        let key = Key { name: name(owner), kind, set_identifier: None };
        let target = Target::Values { ttl: 60, values: values.iter().map(|value| (*value).to_owned()).collect() };
        RecordSet { key, routing: Routing::Simple, health_check: None, target, traffic_policy_instance: None }
    }

    fn half(owner: &str, failover: Failover, value: &str, check: Option<&str>) -> RecordSet {
        let mut set = values(owner, Kind::A, &[value]);
        set.key.set_identifier = Some(failover.to_string());
        RecordSet { routing: Routing::Failover(failover), health_check: check.map(str::to_owned), ..set }
    }

    fn routed(owner: &str, value: &str, routing: Routing, check: Option<&str>) -> RecordSet {
        let mut set = values(owner, Kind::A, &[value]);
        set.key.set_identifier = Some(value.to_owned());
        RecordSet { routing, health_check: check.map(str::to_owned), ..set }
    }

    fn alias(mut set: RecordSet, target: &str) -> RecordSet {
        set.target = Target::Alias { zone: "Z1".to_owned(), name: name(target), evaluate_target_health: true };
        set
    }

    impl World {
        fn new() -> Self {
            let records = [values("example.com", Kind::Soa, &["ns. host. 1 7200 900 1209600 86400"])];
            let mut world = Self { zones: BTreeMap::new(), checks: Checks::default(), balancers: Balancers::default() };
            let zone = Zone {
                id: "Z1".to_owned(),
                name: name("example.com"),
                caller_reference: String::new(),
                comment: None,
                records: Arc::default(),
                published: Arc::default(),
                protections: Protections::default(),
                features: Features::default(),
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
            self.ask_in_turn(owner, kind, 0)
        }

        fn ask_in_turn(&self, owner: &str, kind: Kind, turn: u64) -> Answer {
            let view = View { zones: &self.zones, checks: &self.checks, balancers: &self.balancers, turn };
            view.answer(&name(owner), Some(kind))
        }

        /// How often each value answers in so many questions.
        fn counts(&self, owner: &str, questions: u64) -> BTreeMap<String, usize> {
            let mut counts = BTreeMap::new();
            for answered in (0..questions).flat_map(|turn| self.ask_in_turn(owner, Kind::A, turn).answers) {
                *counts.entry(answered.value).or_default() += 1;
            }
            counts
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

    fn count(counts: &BTreeMap<String, usize>, value: &str) -> usize {
        counts.get(value).copied().unwrap_or_default()
    }

    #[test]
    fn weighted_records_answer_by_their_share_of_the_healthy() {
        let mut world = World::new();
        let sick = world.check(false);
        world.add(routed("w.example.com", "192.0.2.1", Routing::Weighted(3), None));
        world.add(routed("w.example.com", "192.0.2.2", Routing::Weighted(1), None));
        world.add(routed("w.example.com", "192.0.2.3", Routing::Weighted(200), Some(&sick)));
        world.add(routed("w.example.com", "192.0.2.4", Routing::Weighted(0), None));
        let counts = world.counts("w.example.com", 40);
        assert_eq!((count(&counts, "192.0.2.1"), count(&counts, "192.0.2.2")), (30, 10));
        assert_eq!(counts.len(), 2, "neither the sick one nor the one of weight 0 answers");
        world.add(routed("z.example.com", "192.0.2.5", Routing::Weighted(0), None));
        world.add(routed("z.example.com", "192.0.2.6", Routing::Weighted(0), None));
        assert_eq!(world.counts("z.example.com", 10).into_values().collect::<Vec<_>>(), [5, 5]);
    }

    #[test]
    fn latency_answers_with_a_healthy_region_and_location_with_that_for_everywhere_else() {
        let mut world = World::new();
        let sick = world.check(false);
        world.add(routed("l.example.com", "192.0.2.1", Routing::Latency("eu-west-1".to_owned()), Some(&sick)));
        world.add(routed("l.example.com", "192.0.2.2", Routing::Latency("us-east-1".to_owned()), None));
        assert_eq!(world.values("l.example.com", Kind::A), ["192.0.2.2"]);
        let country = |code: &str| {
            Routing::Geolocation(GeoLocation {
                continent_code: None,
                country_code: Some(code.to_owned()),
                subdivision_code: None,
            })
        };
        world.add(routed("g.example.com", "192.0.2.1", country("DE"), None));
        assert_eq!(world.values("g.example.com", Kind::A), [""; 0], "nowhere is not Germany");
        world.add(routed("g.example.com", "192.0.2.2", country("*"), None));
        assert_eq!(world.values("g.example.com", Kind::A), ["192.0.2.2"]);
        let cidr = Cidr { collection_id: "c".to_owned(), location_name: "*".to_owned() };
        world.add(routed("c.example.com", "192.0.2.3", Routing::Cidr(cidr), None));
        assert_eq!(world.values("c.example.com", Kind::A), ["192.0.2.3"]);
    }

    #[test]
    fn multivalue_records_answer_with_up_to_eight_healthy_ones() {
        let mut world = World::new();
        let sick = world.check(false);
        for nth in 1..=10 {
            let check = (nth == 1).then_some(sick.as_str());
            world.add(routed("m.example.com", &format!("192.0.2.{nth}"), Routing::Multivalue, check));
        }
        assert_eq!(world.values("m.example.com", Kind::A).len(), 8);
        let counts = world.counts("m.example.com", 9);
        assert_eq!((counts.len(), count(&counts, "192.0.2.1")), (9, 0));
    }

    #[test]
    fn the_health_of_a_targets_target_counts() {
        let mut world = World::new();
        let sick = world.check(false);
        world.add(RecordSet { health_check: Some(sick), ..values("end.example.com", Kind::A, &["192.0.2.1"]) });
        world.add(alias(values("middle.example.com", Kind::A, &[]), "end.example.com"));
        world.add(alias(half("app.example.com", Failover::Primary, "", None), "middle.example.com"));
        world.add(half("app.example.com", Failover::Secondary, "192.0.2.2", None));
        assert_eq!(world.values("app.example.com", Kind::A), ["192.0.2.2"]);
    }

    #[test]
    fn an_alias_to_a_load_balancer_answers_with_its_address_and_fails_over_when_its_targets_fail() {
        for (primary, secondary, expected) in [
            (true, true, "127.0.0.1"),
            (false, true, "127.0.0.2"),
            (true, false, "127.0.0.1"),
            (false, false, "127.0.0.1"),
        ] {
            let mut world = World::new();
            for (lb, address, healthy) in [("p", "127.0.0.1", primary), ("s", "127.0.0.2", secondary)] {
                let check = world.check(healthy);
                let balancer = crate::route53::balancer::Balancer { address: address.parse().unwrap(), check };
                world.balancers.insert(name(&format!("{lb}.elb.amazonaws.com")), balancer);
            }
            for (half_of, lb) in [(Failover::Primary, "p"), (Failover::Secondary, "s")] {
                let mut set = half("app.example.com", half_of, "", None);
                let name = name(&format!("dualstack.{lb}.elb.amazonaws.com"));
                let zone = crate::route53::balancer::ZONE.to_owned();
                set.target = Target::Alias { zone, name, evaluate_target_health: true };
                world.add(set);
            }
            let answer = world.ask("app.example.com", Kind::A);
            assert_eq!((answer.answers[0].value.as_str(), answer.answers[0].ttl), (expected, 60));
            assert_eq!(world.values("app.example.com", Kind::Aaaa), [""; 0]);
        }
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
