//! Where the protected names lead, in DR and in the primary region: found from their records, so that nobody names it twice.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::Look;
use super::wanted::Wanted;
use crate::observation::NameView;
use crate::record::{Pair, RecordSet};

/// The region in a load balancer's DNS name, of either kind. A Network Load Balancer is called `NAME.elb.REGION.amazonaws.com`.
#[must_use]
pub fn region_of(dns_name: &str) -> Option<&str> {
    match labels(dns_name).as_slice() {
        [_, "elb", region, "amazonaws", "com"] => Some(region),
        _ => region_of_application(dns_name),
    }
}

/// The region in the DNS name of an Application Load Balancer, `NAME.REGION.elb.amazonaws.com`. Network Load Balancers end no connection that is
/// used.
#[must_use]
pub fn region_of_application(dns_name: &str) -> Option<&str> {
    match labels(dns_name).as_slice() {
        [_, .., region, "elb", "amazonaws", "com"] => Some(region),
        _ => None,
    }
}

fn labels(dns_name: &str) -> Vec<&str> {
    dns_name.trim_end_matches('.').split('.').collect()
}

/// One place in DR that names lead to.
#[derive(Debug, PartialEq, Eq)]
pub struct Place {
    /// What the SECONDARY records say.
    pub target: String,
    /// The names.
    pub names: Vec<String>,
    /// For how long clients keep DNS's answer at most, in seconds.
    pub kept_seconds: u32,
    /// DNS name of DR's load balancer.
    pub dr: Look<String>,
    /// DNS name of the primary's.
    pub primary: Look<String>,
}

/// Every place in DR that a failover record leads to, once. Where a name without a pair leads is not known, and no reason to pass over it.
#[must_use]
pub fn places(names: &[NameView], wanted: &Wanted, now: Timestamp) -> Vec<Place> {
    let mut places: BTreeMap<String, Place> = BTreeMap::new();
    for view in names {
        if let Err(fault) = &view.pairs {
            let (target, why) = (view.name.to_string(), fault.to_string());
            let names = vec![target.clone()];
            let place =
                Place { target: target.clone(), names, kept_seconds: 0, dr: Err(why.clone()), primary: Err(why) };
            places.insert(target, place);
        }
        for pair in view.pairs.iter().flatten() {
            let dr = balancer(view, pair, pair.secondary(), wanted.dr_load_balancer.as_ref());
            let target = dr.clone().unwrap_or_else(|_| pair.secondary().target.to_string());
            let place = places.entry(target.clone()).or_insert_with(|| Place {
                target,
                names: Vec::new(),
                kept_seconds: 0,
                dr,
                primary: primary(view, pair, wanted),
            });
            place.kept_seconds = place.kept_seconds.max(view.kept_seconds(now));
            if !place.names.contains(&view.name.to_string()) {
                place.names.push(view.name.to_string());
            }
        }
    }
    places.into_values().collect()
}

fn primary(view: &NameView, pair: &Pair, wanted: &Wanted) -> Look<String> {
    if pair.agrees() && wanted.primary_load_balancer.is_none() {
        return Err(format!("{} is pinned: its PRIMARY record leads to DR", view.name));
    }
    balancer(view, pair, pair.primary(), wanted.primary_load_balancer.as_ref())
}

/// The load balancer that a record leads to, or the one that people name in its place.
fn balancer(view: &NameView, pair: &Pair, record: &RecordSet, named: Option<&String>) -> Look<String> {
    let leads = view.leads(pair.kind(), &record.target);
    let found =
        leads.to().find(|name| region_of(name).is_some()).map(|name| name.trim_start_matches("dualstack.").to_owned());
    found.or_else(|| named.cloned()).ok_or_else(|| format!("{} is no load balancer's DNS name", record.target))
}

/// The primary region, by whoever says it first: people, the primary's load balancer, the fence.
///
/// # Errors
/// If nobody says it, in words.
pub fn primary_region(wanted: &Wanted, places: &[Place], fence: Option<&str>) -> Look<String> {
    let of_balancer = places.iter().filter_map(|place| region_of(place.primary.as_deref().ok()?)).next();
    let found = wanted.primary_region.as_deref().or(of_balancer).or(fence);
    found.map(str::to_owned).ok_or_else(|| {
        "nothing says which region the primary's is: give primary_region (in the file of --workload, or in ReadinessSettings)".to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{Role, Routing, Target};

    const DR: &str = "dualstack.shop-dr-1.eu-central-1.elb.amazonaws.com.";
    const PRIMARY: &str = "shop-1.eu-west-1.elb.amazonaws.com.";

    fn alias(name: &str) -> Target {
        Target::Alias { zone: "Z2".to_owned(), name: name.to_owned(), evaluate_health: false }
    }

    fn address(value: &str) -> Target {
        Target::Values { ttl_seconds: 300, values: vec![value.to_owned()] }
    }

    fn view(name: &str, primary: Target, secondary: Target) -> NameView {
        let half = |role: Role, target| RecordSet {
            name: name.parse().unwrap(),
            kind: "A".to_owned(),
            routing: Routing::Failover { role, set_identifier: format!("{role:?}") },
            target,
            health_check: Some("check".to_owned()),
        };
        let sets = [half(Role::Primary, primary), half(Role::Secondary, secondary)];
        NameView::of_name("Z1", &name.parse().unwrap(), &sets)
    }

    #[test]
    fn a_load_balancer_of_either_kind_says_its_region() {
        for (name, region) in [
            ("dualstack.shop-1.eu-west-1.elb.amazonaws.com.", Some("eu-west-1")),
            ("shop-1.eu-west-1.elb.amazonaws.com", Some("eu-west-1")),
            ("shop-1.elb.eu-west-1.amazonaws.com", Some("eu-west-1")),
            ("d111111abcdef8.cloudfront.net", None),
            ("127.0.10.1", None),
        ] {
            assert_eq!(region_of(name), region, "{name}");
            let is_network = name.contains(".elb.eu");
            assert_eq!(region_of_application(name), region.filter(|_| !is_network), "{name}");
        }
    }

    #[test]
    fn names_that_lead_to_one_load_balancer_are_one_place() {
        let names =
            [view("a.example.com", alias(PRIMARY), alias(DR)), view("b.example.com", address("192.0.2.1"), alias(DR))];
        let places = places(&names, &Wanted::default(), Timestamp::UNIX_EPOCH);
        assert_eq!(places.len(), 1);
        assert_eq!(places[0].names, ["a.example.com", "b.example.com"]);
        assert_eq!(places[0].dr.as_deref(), Ok("shop-dr-1.eu-central-1.elb.amazonaws.com"));
        assert_eq!(places[0].kept_seconds, 300);
        assert_eq!(primary_region(&Wanted::default(), &places, None).as_deref(), Ok("eu-west-1"));
    }

    #[test]
    fn an_address_is_no_load_balancer_until_people_name_one() {
        let names = [view("a.example.com", address("192.0.2.1"), address("198.51.100.1"))];
        let found = |wanted: &Wanted| places(&names, wanted, Timestamp::UNIX_EPOCH).swap_remove(0);
        let unnamed = found(&Wanted::default());
        assert!(unnamed.dr.is_err() && unnamed.primary.is_err() && unnamed.target == "198.51.100.1", "{unnamed:?}");
        let wanted = Wanted {
            dr_load_balancer: Some("shop-dr-1.eu-central-1.elb.amazonaws.com".to_owned()),
            primary_region: Some("eu-west-1".to_owned()),
            ..Wanted::default()
        };
        assert!(found(&wanted).dr.is_ok());
        assert!(primary_region(&Wanted::default(), &[unnamed], None).is_err());
        assert_eq!(primary_region(&wanted, &[], None).as_deref(), Ok("eu-west-1"));
    }

    #[test]
    fn where_a_name_without_a_pair_leads_is_not_known() {
        let name = "a.example.com".parse().unwrap();
        let places = places(&[NameView::of_name("Z1", &name, &[])], &Wanted::default(), Timestamp::UNIX_EPOCH);
        assert_eq!(places.len(), 1);
        assert_eq!(places[0].names, ["a.example.com"]);
        assert!(places[0].dr.is_err() && places[0].primary.is_err());
    }

    #[test]
    fn a_pinned_record_says_nothing_of_the_primary() {
        let names = [view("a.example.com", alias(DR), alias(DR))];
        assert!(places(&names, &Wanted::default(), Timestamp::UNIX_EPOCH)[0].primary.is_err());
    }
}
