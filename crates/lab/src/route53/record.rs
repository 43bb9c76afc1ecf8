//! Resource record sets: what tells them apart, how they are chosen, what they answer with.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::name::DnsName;

/// Every record type that Route 53 has, in the order in which the lab lists them. (AWS does not say in which order a
/// name's types are listed.)
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "UPPERCASE")]
#[expect(missing_docs, reason = "the names say it all")]
pub enum Kind {
    A,
    Aaaa,
    Caa,
    Cname,
    Ds,
    Https,
    Mx,
    Naptr,
    Ns,
    Ptr,
    Soa,
    Spf,
    Srv,
    Sshfp,
    Svcb,
    Tlsa,
    Txt,
}

impl Kind {
    /// Every type.
    pub const ALL: [Self; 17] = [
        Self::A,
        Self::Aaaa,
        Self::Caa,
        Self::Cname,
        Self::Ds,
        Self::Https,
        Self::Mx,
        Self::Naptr,
        Self::Ns,
        Self::Ptr,
        Self::Soa,
        Self::Spf,
        Self::Srv,
        Self::Sshfp,
        Self::Svcb,
        Self::Tlsa,
        Self::Txt,
    ];

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::A => "A",
            Self::Aaaa => "AAAA",
            Self::Caa => "CAA",
            Self::Cname => "CNAME",
            Self::Ds => "DS",
            Self::Https => "HTTPS",
            Self::Mx => "MX",
            Self::Naptr => "NAPTR",
            Self::Ns => "NS",
            Self::Ptr => "PTR",
            Self::Soa => "SOA",
            Self::Spf => "SPF",
            Self::Srv => "SRV",
            Self::Sshfp => "SSHFP",
            Self::Svcb => "SVCB",
            Self::Tlsa => "TLSA",
            Self::Txt => "TXT",
        }
    }
}

impl std::str::FromStr for Kind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = Self::ALL.into_iter().find(|kind| kind.name() == text);
        known.ok_or_else(|| {
            let all = Self::ALL.map(Self::name).join(", ");
            format!("Value '{text}' for type 'RRType' failed to satisfy enumeration set: [{all}]")
        })
    }
}

impl<'de> Deserialize<'de> for Kind {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// Which half of a failover pair a record is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Failover {
    /// Answered while healthy.
    Primary,
    /// Answered while the primary is not.
    Secondary,
}

impl fmt::Display for Failover {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(if *self == Self::Primary { "PRIMARY" } else { "SECONDARY" })
    }
}

/// AWS's `GeoLocation`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct GeoLocation {
    /// A continent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub continent_code: Option<String>,
    /// A country, or `*` for everywhere else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub country_code: Option<String>,
    /// A state of that country.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subdivision_code: Option<String>,
}

/// AWS's `GeoProximityLocation`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct GeoProximity {
    /// A region.
    #[serde(rename = "AWSRegion", default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// A local zone group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub local_zone_group: Option<String>,
    /// A place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub coordinates: Option<Coordinates>,
    /// How much farther or less far it reaches.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bias: Option<i32>,
}

/// AWS's `Coordinates`, as given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
#[expect(missing_docs, reason = "the names say it all")]
pub struct Coordinates {
    pub latitude: String,
    pub longitude: String,
}

/// AWS's `CidrRoutingConfig`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Cidr {
    /// The collection.
    pub collection_id: String,
    /// A location of it, or `*` for everywhere else.
    pub location_name: String,
}

/// AWS's `AZAffinity`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct AzAffinity {
    /// How large the place is.
    pub location_type: String,
    /// The place.
    pub location_id: String,
}

/// By which rule Route 53 chooses among the sets of one name and type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Routing {
    /// There is only one.
    Simple,
    /// By the primary's health.
    Failover(Failover),
    /// By share, 0 to 255.
    Weighted(u8),
    /// By latency to a region.
    Latency(String),
    /// By the asker's country.
    Geolocation(GeoLocation),
    /// By distance.
    Geoproximity(GeoProximity),
    /// By the asker's network.
    Cidr(Cidr),
    /// By availability zone.
    AzAffinity(AzAffinity),
    /// As many as are healthy.
    Multivalue,
}

impl Routing {
    /// True if both follow one rule; only such sets may share a name and type.
    pub fn is_of_one_policy_with(&self, other: &Self) -> bool {
        std::mem::discriminant(self) == std::mem::discriminant(other)
    }

    /// As Route 53's messages name it.
    pub const fn policy(&self) -> &'static str {
        match self {
            Self::Simple => "simple",
            Self::Failover(_) => "failover",
            Self::Weighted(_) => "weighted",
            Self::Latency(_) => "latency",
            Self::Geolocation(_) => "geolocation",
            Self::Geoproximity(_) => "geoproximity",
            Self::Cidr(_) => "CIDR",
            Self::AzAffinity(_) => "AZ-affinity",
            Self::Multivalue => "multivalue answer",
        }
    }
}

/// What tells record sets apart, in the order of `ListResourceRecordSets`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    /// Name.
    pub name: DnsName,
    /// Type.
    pub kind: Kind,
    /// Set identifier, if the set is one of several.
    pub set_identifier: Option<String>,
}

impl fmt::Display for Key {
    /// As Route 53's messages name a record set.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "[name='{}', type='{}'", self.name, self.kind)?;
        if let Some(identifier) = &self.set_identifier {
            write!(formatter, ", set-identifier='{identifier}'")?;
        }
        formatter.write_str("]")
    }
}

/// What a record set answers with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// What its traffic policy instance makes of it; the lab has none, and answers nothing.
    TrafficPolicy,
    /// Its own values.
    Values {
        /// Time to live, seconds.
        ttl: u32,
        /// The values, as given.
        values: Vec<String>,
    },
    /// The values of another name.
    Alias {
        /// Hosted zone id of the target.
        zone: String,
        /// The target.
        name: DnsName,
        /// Whether the target's health counts as this record's.
        evaluate_target_health: bool,
    },
}

/// A resource record set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordSet {
    /// What tells it apart.
    pub key: Key,
    /// How it is chosen among its like.
    pub routing: Routing,
    /// The health check it is associated with.
    pub health_check: Option<String>,
    /// What it answers with.
    pub target: Target,
    /// The traffic policy instance that made it.
    pub traffic_policy_instance: Option<String>,
}

/// Where it leads, as people say it.
impl fmt::Display for RecordSet {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(half) = self.failover() {
            write!(formatter, "{half} ")?;
        }
        match &self.target {
            Target::TrafficPolicy => formatter.write_str("by its traffic policy")?,
            Target::Values { ttl, values } => write!(formatter, "{} with a TTL of {ttl} s", values.join(", "))?,
            Target::Alias { name, evaluate_target_health: false, .. } => write!(formatter, "an alias of {name}")?,
            Target::Alias { name, .. } => write!(formatter, "an alias of {name} with EvaluateTargetHealth")?,
        }
        match &self.health_check {
            Some(check) => write!(formatter, " and the health check {check}"),
            None => Ok(()),
        }
    }
}

impl RecordSet {
    /// True if a DELETE that gives `other` means this set: every value alike, in any order.
    pub fn says_the_same_as(&self, other: &Self) -> bool {
        let alike = match (&self.target, &other.target) {
            (Target::Values { ttl, values }, Target::Values { ttl: other_ttl, values: others }) => {
                ttl == other_ttl && sorted(values) == sorted(others)
            }
            (mine, theirs) => mine == theirs,
        };
        alike
            && self.key == other.key
            && self.routing == other.routing
            && self.health_check == other.health_check
            && self.traffic_policy_instance == other.traffic_policy_instance
    }

    /// Its half of a failover pair, if it is one.
    pub fn failover(&self) -> Option<Failover> {
        match self.routing {
            Routing::Failover(half) => Some(half),
            _ => None,
        }
    }

    /// The set's own values; none for an alias.
    pub fn values(&self) -> &[String] {
        match &self.target {
            Target::Values { values, .. } => values,
            Target::Alias { .. } | Target::TrafficPolicy => &[],
        }
    }
}

fn sorted(values: &[String]) -> Vec<&String> {
    let mut values: Vec<_> = values.iter().collect();
    values.sort_unstable();
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delete_matches_values_in_any_order_and_nothing_else() {
        let set = |ttl, values: &[&str], check: Option<&str>| RecordSet {
            key: Key { name: DnsName::parse("a.example.com").unwrap(), kind: Kind::A, set_identifier: None },
            routing: Routing::Simple,
            traffic_policy_instance: None,
            health_check: check.map(str::to_owned),
            target: Target::Values { ttl, values: values.iter().map(|value| (*value).to_owned()).collect() },
        };
        let stored = set(60, &["192.0.2.1", "192.0.2.2"], Some("h"));
        assert!(stored.says_the_same_as(&set(60, &["192.0.2.2", "192.0.2.1"], Some("h"))));
        assert!(!stored.says_the_same_as(&set(61, &["192.0.2.1", "192.0.2.2"], Some("h"))));
        assert!(!stored.says_the_same_as(&set(60, &["192.0.2.1"], Some("h"))));
        assert!(!stored.says_the_same_as(&set(60, &["192.0.2.1", "192.0.2.2"], None)));
    }
}
