//! Record sets and failover pairs.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::name::Name;

/// The TTL clients see for an alias record: Route 53 answers with the target's, which for AWS targets is 60 s.
pub const ALIAS_TTL_SECONDS: u32 = 60;

/// The part of a failover pair a record set plays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Role {
    /// Answered while healthy.
    Primary,
    /// Answered while the primary is not.
    Secondary,
}

/// Where a record set sends its clients.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Target {
    /// Plain values.
    Values {
        /// How long resolvers may keep the answer, in seconds.
        ttl_seconds: u32,
        /// Values in Route 53's text form.
        values: Vec<String>,
    },
    /// An alias to another AWS resource or record.
    Alias {
        /// The hosted zone of the target (not of the record).
        zone: String,
        /// The target's DNS name, as Route 53 gave it.
        name: String,
        /// Whether the target's own health counts.
        evaluate_health: bool,
    },
}

impl Target {
    /// How long clients may keep the answer, in seconds.
    #[must_use]
    pub fn ttl_seconds(&self) -> u32 {
        match self {
            Self::Values { ttl_seconds, .. } => *ttl_seconds,
            Self::Alias { .. } => ALIAS_TTL_SECONDS,
        }
    }

    fn same_as(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Values { ttl_seconds: a, values: x }, Self::Values { ttl_seconds: b, values: y }) => {
                let sorted = |values: &[String]| {
                    let mut values = values.to_vec();
                    values.sort();
                    values
                };
                a == b && sorted(x) == sorted(y)
            }
            _ => self == other,
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Values { values, .. } => f.write_str(&values.join(", ")),
            Self::Alias { name, .. } => write!(f, "alias {name}"),
        }
    }
}

/// How Route 53 chooses among record sets of one name and type.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Routing {
    /// The only record set of its name and type.
    Simple,
    /// One of a failover pair.
    Failover {
        /// Primary or secondary.
        role: Role,
        /// Tells the sets of one name and type apart.
        set_identifier: String,
    },
    /// Weighted, latency, geolocation, …: nothing Holdfast may touch.
    Other,
}

/// A Route 53 resource record set, complete enough to be deleted and created again exactly.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct RecordSet {
    /// Its name.
    pub name: Name,
    /// Its type: `A`, `AAAA`, `CNAME`, `TXT`, …
    pub kind: String,
    /// Simple, or part of a pair.
    pub routing: Routing,
    /// Where it sends clients.
    pub target: Target,
    /// The health check that decides for it.
    pub health_check: Option<String>,
}

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
    /// The pair of one address family would move and the other stay behind.
    #[error("{name} has a failover pair, but its {kind} record is not part of one; make it one too")]
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

impl Pair {
    /// All failover pairs of `name` among `sets`, by type.
    ///
    /// # Errors
    /// The first fault found; a name with a fault is not touched at all.
    pub fn of_name(name: &Name, sets: &[RecordSet]) -> Result<Vec<Self>, PairFault> {
        let mut by_kind: BTreeMap<&str, Vec<&RecordSet>> = BTreeMap::new();
        for set in sets.iter().filter(|set| set.name == *name) {
            by_kind.entry(&set.kind).or_default().push(set);
        }
        let (paired, rest): (Vec<_>, Vec<_>) = by_kind
            .iter()
            .partition(|(_, sets)| sets.iter().any(|set| matches!(set.routing, Routing::Failover { .. })));
        if paired.is_empty() {
            return Err(PairFault::Missing(name.clone()));
        }
        if let Some((kind, _)) = rest.iter().find(|(kind, _)| ["A", "AAAA", "CNAME"].contains(kind)) {
            return Err(PairFault::Unprotected { name: name.clone(), kind: (*kind).to_string() });
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

    /// True if both records send clients to DR already.
    #[must_use]
    pub fn agrees(&self) -> bool {
        self.primary.target.same_as(&self.pinned().target)
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
            (vec![primary.clone(), secondary.clone(), v6], "its AAAA record is not part of one"),
            (vec![unchecked, secondary], "no health check"),
        ] {
            let fault = Pair::of_name(&primary.name, &sets).unwrap_err().to_string();
            assert!(fault.contains(said), "{fault}");
        }
    }

    #[test]
    fn other_types_beside_a_pair_are_left_alone() {
        let primary = failover_set("A", Role::Primary, 60, &["192.0.2.1"]);
        let secondary = failover_set("A", Role::Secondary, 60, &["198.51.100.1"]);
        let sets = [primary, secondary, simple_set("MX", &["10 mail.example.com"])];
        assert_eq!(Pair::of_name(&sets[0].name, &sets).unwrap().len(), 1);
    }
}
