//! Failover pairs: what a name must have for its users to be moved.

use std::collections::BTreeMap;

use super::beside::{self, Beside};
use super::{PINNED_TYPES, RecordSet, Role, Routing, Target};
use crate::name::Name;

/// The PRIMARY and the SECONDARY record set of one name and type.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Pair {
    primary: RecordSet,
    secondary: RecordSet,
}

/// What keeps a name from being a set of failover pairs.
#[derive(Clone, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum PairFault {
    /// No failover record at all.
    #[error("{0} has no failover records; create a PRIMARY and a SECONDARY record")]
    Missing(Name),
    /// One of the two is not there.
    #[error("{name} {kind} has no {role:?} record; create it")]
    Half {
        /// Which name.
        name: Name,
        /// Which type.
        kind: String,
        /// The role that nobody plays.
        role: Role,
    },
    /// More than one of a role, or other routing beside failover.
    #[error("{name} {kind} is not one PRIMARY and one SECONDARY record; remove what is beside them")]
    Mixed {
        /// Which name.
        name: Name,
        /// Which type.
        kind: String,
    },
    /// The pair of one address family would move and the other stay behind; an HTTPS or SVCB record takes clients along.
    #[error(
        "{name} has a failover pair, but its {kind} record would go on sending users where it does now; {}",
        stay(kind)
    )]
    Unprotected {
        /// Which name.
        name: Name,
        /// Which type.
        kind: String,
    },
    /// The PRIMARY has no health check, so Route 53 never answers with the SECONDARY by itself.
    #[error("the PRIMARY record of {name} {kind} has no health check; associate the failover health check")]
    Unchecked {
        /// Which name.
        name: Name,
        /// Which type.
        kind: String,
    },
}

fn stay(kind: &str) -> &'static str {
    match PINNED_TYPES.contains(&kind) {
        true => "make it a failover pair too",
        false => "give it the target \".\", which is the name itself, or remove it",
    }
}

impl Pair {
    /// All failover pairs of `name` among `sets` that Holdfast pins, by type.
    ///
    /// # Errors
    /// The first fault found; a name with a fault is not touched at all.
    pub fn of_name(name: &Name, sets: &[RecordSet]) -> Result<Vec<Self>, PairFault> {
        let mut by_kind: BTreeMap<&str, Vec<&RecordSet>> = BTreeMap::new();
        for set in sets.iter().filter(|set| set.name == *name) {
            by_kind.entry(&set.kind).or_default().push(set);
        }
        let (paired, rest): (Vec<_>, Vec<_>) =
            by_kind.iter().partition(|(_, sets)| sets.iter().any(|set| set.is_pinnable()));
        if paired.is_empty() {
            return Err(PairFault::Missing(name.clone()));
        }
        let unprotected = |(kind, sets): &&(&&str, &Vec<&RecordSet>)| {
            PINNED_TYPES.contains(kind) || sets.iter().any(|set| beside::of(set) == Beside::Elsewhere)
        };
        if let Some((kind, _)) = rest.iter().find(unprotected) {
            return Err(PairFault::Unprotected { name: name.clone(), kind: (**kind).to_owned() });
        }
        paired.iter().map(|(kind, sets)| Self::of_kind(name, kind, sets)).collect()
    }

    fn of_kind(name: &Name, kind: &str, sets: &[&RecordSet]) -> Result<Self, PairFault> {
        let playing = |wanted: Role| {
            sets.iter().filter(move |set| matches!(set.routing, Routing::Failover { role, .. } if role == wanted))
        };
        let (name, kind) = (name.clone(), kind.to_owned());
        let only = |role| match (playing(role).next(), playing(role).count(), sets.len()) {
            (None, ..) => Err(PairFault::Half { name: name.clone(), kind: kind.clone(), role }),
            (Some(set), 1, 1..=2) => Ok((*set).clone()),
            _ => Err(PairFault::Mixed { name: name.clone(), kind: kind.clone() }),
        };
        let (primary, secondary) = (only(Role::Primary)?, only(Role::Secondary)?);
        if primary.health_check.is_none() {
            return Err(PairFault::Unchecked { name, kind });
        }
        Ok(Self { primary, secondary })
    }

    /// The PRIMARY record set.
    #[must_use]
    pub fn primary(&self) -> &RecordSet {
        &self.primary
    }

    /// The pair once it is pinned.
    #[must_use]
    pub fn as_pinned(&self) -> Self {
        Self { primary: self.pinned(), secondary: self.secondary.clone() }
    }

    /// The SECONDARY record set.
    #[must_use]
    pub fn secondary(&self) -> &RecordSet {
        &self.secondary
    }

    /// The PRIMARY record set with the SECONDARY's target, and all else of its own: name, type, set identifier, role,
    /// health check, TTL.
    #[must_use]
    pub fn pinned(&self) -> RecordSet {
        let target = match (&self.primary.target, &self.secondary.target) {
            (Target::Values { ttl_seconds, .. }, Target::Values { values, .. }) => {
                Target::Values { ttl_seconds: *ttl_seconds, values: values.clone() }
            }
            (_, target) => target.clone(),
        };
        RecordSet { target, ..self.primary.clone() }
    }

    /// The type of both.
    #[must_use]
    pub fn kind(&self) -> &str {
        &self.primary.kind
    }

    /// True if both records say that clients go to the same place.
    #[must_use]
    pub fn agrees(&self) -> bool {
        self.primary.target.same_as(&self.secondary.target, &self.primary.kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{alias, failover_set, simple_set};

    #[test]
    fn a_pinned_record_keeps_all_of_its_own_but_the_target() {
        let primary = failover_set("A", Role::Primary, 20, &["192.0.2.1"]);
        let secondary = failover_set("A", Role::Secondary, 300, &["198.51.100.1", "198.51.100.2"]);
        let pair = Pair::of_name(&primary.name, &[primary.clone(), secondary]).unwrap().remove(0);
        assert!(!pair.agrees());
        let pinned = pair.pinned();
        let values = vec!["198.51.100.1".to_owned(), "198.51.100.2".to_owned()];
        assert_eq!(pinned, RecordSet { target: Target::Values { ttl_seconds: 20, values }, ..primary });
    }

    #[test]
    fn an_alias_pair_is_pinned_to_the_secondarys_alias_whole() {
        let primary = RecordSet { target: alias("p.elb"), ..failover_set("A", Role::Primary, 60, &[]) };
        let secondary = RecordSet { target: alias("d.elb"), ..failover_set("A", Role::Secondary, 60, &[]) };
        let pair = Pair::of_name(&primary.name, &[primary.clone(), secondary]).unwrap().remove(0);
        assert_eq!(pair.pinned().target, alias("d.elb"));
    }

    #[test]
    fn a_pair_agrees_whatever_the_order_of_its_values() {
        let primary = failover_set("A", Role::Primary, 60, &["198.51.100.2", "198.51.100.1"]);
        let secondary = failover_set("A", Role::Secondary, 60, &["198.51.100.1", "198.51.100.2"]);
        assert!(Pair::of_name(&primary.name.clone(), &[primary, secondary]).unwrap()[0].agrees());
    }

    #[test]
    fn whatever_is_not_one_primary_and_one_secondary_is_refused() {
        let primary = failover_set("A", Role::Primary, 60, &["192.0.2.1"]);
        let secondary = failover_set("A", Role::Secondary, 60, &["198.51.100.1"]);
        let other = RecordSet { routing: Routing::Other, ..primary.clone() };
        let unchecked = RecordSet { health_check: None, ..primary.clone() };
        let v6 = simple_set("AAAA", &["2001:db8::1"]);
        for (sets, said) in [
            (vec![], "no failover records"),
            (vec![primary.clone()], "no Secondary record"),
            (vec![secondary.clone()], "no Primary record"),
            (vec![primary.clone(), primary.clone(), secondary.clone()], "not one PRIMARY"),
            (vec![primary.clone(), secondary.clone(), other], "not one PRIMARY"),
            (vec![primary.clone(), secondary.clone(), v6], "its AAAA record would go on"),
            (vec![unchecked, secondary], "no health check"),
        ] {
            let fault = Pair::of_name(&primary.name, &sets).unwrap_err().to_string();
            assert!(fault.contains(said), "{fault}");
        }
    }

    #[test]
    fn other_types_beside_a_pair_are_left_alone_failover_pairs_of_theirs_too() {
        let primary = failover_set("A", Role::Primary, 60, &["192.0.2.1"]);
        let secondary = failover_set("A", Role::Secondary, 60, &["198.51.100.1"]);
        let mut sets = vec![primary, secondary, simple_set("MX", &["10 mail.example.com"])];
        for kind in ["TXT", "SRV", "CAA", "HTTPS"] {
            sets.push(failover_set(kind, Role::Primary, 60, &["1 ."]));
            sets.push(failover_set(kind, Role::Secondary, 60, &["2 ."]));
        }
        let pairs = Pair::of_name(&sets[0].name, &sets).unwrap();
        assert_eq!(pairs.iter().map(Pair::kind).collect::<Vec<_>>(), ["A"]);
        assert_eq!(Pair::of_name(&sets[0].name, &sets[2..]), Err(PairFault::Missing(sets[0].name.clone())));
    }

    #[test]
    fn an_https_record_beside_a_pair_must_not_send_browsers_elsewhere() {
        let primary = failover_set("A", Role::Primary, 60, &["192.0.2.1"]);
        let secondary = failover_set("A", Role::Secondary, 60, &["198.51.100.1"]);
        for (value, is_protected) in [
            ("1 . alpn=h2", true),
            ("1 . ipv4hint=192.0.2.1", true),
            ("1 App.example.com. alpn=h2", true),
            ("1 primary.example.com.", false),
            ("0 primary.example.com.", false),
            ("nonsense", false),
        ] {
            for kind in ["HTTPS", "SVCB"] {
                let beside = simple_set(kind, &["1 .", value]);
                let half = failover_set(kind, Role::Primary, 60, &[value]);
                for set in [beside, half] {
                    let sets = [primary.clone(), secondary.clone(), set];
                    assert_eq!(Pair::of_name(&primary.name, &sets).is_ok(), is_protected, "{kind} {value}");
                }
            }
        }
    }
}
