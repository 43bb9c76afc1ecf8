//! Which zone each name is in, and the second zone that one stack may protect together with the first.

use aws::route53::{self, RecordReader as _};
use aws::survey::HostedZone;
use aws::{Session, zone};
use failover::name::Name;
use failover::observation::NameView;
use failover::plan::Names;
use failover::record::RecordSet;

use super::names;
use crate::failure::Failure;
use crate::readiness::Zone;

/// The second zone, whose names fail over together with the first's.
#[derive(Debug)]
pub struct Second {
    /// Which.
    pub zone: HostedZone,
    /// Its record sets.
    pub sets: Vec<RecordSet>,
    /// What it does to whoever changes it.
    pub guards: Zone,
    /// Its names to protect; each has a pair.
    pub names: Vec<Name>,
    /// Whether these are all names of the zone that have pairs.
    pub every_pair: bool,
}

impl Second {
    /// Its names as the rules see them.
    pub fn views(&self) -> Vec<NameView> {
        NameView::of_names(&self.zone.id, &self.names, &self.sets)
    }
}

/// The zone that a name is in: of those above it the longest, as DNS delegates.
pub fn zone_of<'a>(name: &Name, zones: &'a [HostedZone]) -> Option<&'a HostedZone> {
    let is_above =
        |zone: &&HostedZone| !zone.is_private && zone.domain.parse().is_ok_and(|domain| name.is_within(&domain));
    zones.iter().filter(is_above).max_by_key(|zone| zone.domain.len())
}

/// Which names were named of each zone, and in which zones they are: the first that was named, and the second.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Named {
    /// The first name's zone, if it is known.
    pub first: Option<String>,
    /// The other names' zone, if there is one.
    pub second: Option<String>,
    /// The second zone's names.
    pub of_second: Vec<Name>,
}

/// Sorts the names by zone. `zone` and `second` are what a person said, as ids.
///
/// # Errors
/// If they are in more zones than one stack protects.
pub fn sorted(
    wanted: &[Name],
    zones: &[HostedZone],
    (zone, second): (Option<&str>, Option<&str>),
) -> Result<Named, Failure> {
    let mut named = Named { first: zone.map(str::to_owned), second: second.map(str::to_owned), ..Named::default() };
    for name in wanted {
        let Some(of) = zone_of(name, zones) else { continue };
        let first = named.first.get_or_insert_with(|| of.id.clone());
        if *first == of.id {
            continue;
        }
        let other = named.second.get_or_insert_with(|| of.id.clone());
        if *other != of.id {
            return Err(Failure::Usage(format!(
                "{name} is in a third hosted zone, {} ({}): one stack protects the names of two at most. Give it a stack of its own: holdfast \
                 init --zone {} --bus ANOTHER-NAME",
                of.domain, of.id, of.domain
            )));
        }
        named.of_second.push(name.clone());
    }
    Ok(named)
}

/// Looks at the second zone: all its pairs, or those that were named.
///
/// # Errors
/// If a name has no pair there, or none has.
pub async fn look(session: &Session, zone: HostedZone, wanted: &[Name]) -> Result<Second, Failure> {
    let sets = route53::Reader::new(session).record_sets(&zone.id, &Names::EveryPair).await?;
    let there = names::of_zone(&sets);
    let has_none = wanted.iter().find(|name| !there.paired.contains(name));
    if let Some(name) = has_none.or(there.simple.first().filter(|_| there.paired.is_empty())) {
        return Err(Failure::Usage(format!(
            "{name} has no failover pair in the second zone, {}: `holdfast init --zone {} --name {name} --dr-target {name}=TARGET` writes the \
             change batch that makes one; apply it, then run this again",
            zone.domain, zone.domain
        )));
    }
    if there.paired.is_empty() {
        return Err(Failure::Usage(format!("the second zone, {}, has no name with a failover pair", zone.domain)));
    }
    let guards = Zone {
        id: zone.id.clone(),
        protections: zone::protections(session, &zone.id).await,
        features: zone::features(session, &zone.id).await,
    };
    let mut names = if wanted.is_empty() { there.paired.clone() } else { wanted.to_vec() };
    names.sort();
    names.dedup();
    let every_pair = names == there.paired;
    Ok(Second { zone, sets, guards, names, every_pair })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn zones() -> Vec<HostedZone> {
        let zone = |id: &str, domain: &str, is_private| HostedZone {
            id: id.to_owned(),
            domain: domain.to_owned(),
            is_private,
        };
        vec![
            zone("Z1", "example.com", false),
            zone("Z2", "shop.example.com", false),
            zone("Z3", "example.org", false),
            zone("Z4", "deep.shop.example.com", true),
        ]
    }

    fn names(all: &[&str]) -> Vec<Name> {
        all.iter().map(|name| name.parse().unwrap()).collect()
    }

    #[test]
    fn a_name_is_in_the_nearest_public_zone_above_it() {
        let zones = zones();
        for (name, id) in [
            ("app.example.com", Some("Z1")),
            ("example.com", Some("Z1")),
            ("a.shop.example.com", Some("Z2")),
            ("x.deep.shop.example.com", Some("Z2")),
            ("myshop.example.com", Some("Z1")),
            ("app.example.net", None),
        ] {
            assert_eq!(zone_of(&name.parse().unwrap(), &zones).map(|zone| zone.id.as_str()), id, "{name}");
        }
    }

    #[test]
    fn names_say_their_zones_two_at_most() {
        let sorted = |all: &[&str], said| sorted(&names(all), &zones(), said);
        let of = |first: &str, second: Option<&str>, of_second: &[&str]| Named {
            first: Some(first.to_owned()),
            second: second.map(str::to_owned),
            of_second: names(of_second),
        };
        let two = ["app.example.com", "www.example.org", "b.example.com"];
        assert_eq!(sorted(&two, (None, None)).unwrap(), of("Z1", Some("Z3"), &["www.example.org"]));
        assert_eq!(
            sorted(&two, (Some("Z3"), None)).unwrap(),
            of("Z3", Some("Z1"), &["app.example.com", "b.example.com"])
        );
        assert_eq!(sorted(&["app.example.com"], (None, Some("Z3"))).unwrap(), of("Z1", Some("Z3"), &[]));
        let third = sorted(&["app.example.com", "www.example.org", "a.shop.example.com"], (None, None)).unwrap_err();
        assert!(third.to_string().contains("third hosted zone, shop.example.com (Z2)"), "{third}");
    }
}
