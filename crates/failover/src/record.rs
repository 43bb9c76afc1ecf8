//! Record sets: what Route 53 holds, and where it sends clients.

mod beside;
mod leads;
mod pair;

use std::fmt;

use serde::{Deserialize, Serialize};

pub use beside::Warning;
pub(crate) use beside::warnings;
pub use leads::{ALIAS_CHAIN_MAX, Digest, Leads, alias_targets, aws_region};
pub(crate) use leads::{alias_tree, destination, host};
pub use pair::{Pair, PairFault};

use crate::name::Name;

/// The types that Holdfast pins: those that carry users to a site. Failover pairs of any other type (MX, TXT, SRV, …) are
/// left alone, in the functions and in the policies of their roles.
pub const PINNED_TYPES: [&str; 3] = ["A", "AAAA", "CNAME"];

/// The TTL clients see for an alias of another zone's: Route 53 answers with the target's, which for AWS targets is 60 s.
pub const ALIAS_TTL_SECONDS: u32 = 60;

/// The part of a failover pair a record set plays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Role {
    /// Answered while healthy.
    Primary,
    /// Answered while the primary is not.
    Secondary,
}

/// As Route 53 spells it.
impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Primary => "PRIMARY",
            Self::Secondary => "SECONDARY",
        })
    }
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
    /// How long clients may keep the answer, in seconds, as far as the target itself says; [`Leads`] knows of an alias to a
    /// record of the same zone.
    #[must_use]
    pub fn ttl_seconds(&self) -> u32 {
        match self {
            Self::Values { ttl_seconds, .. } => *ttl_seconds,
            Self::Alias { .. } => ALIAS_TTL_SECONDS,
        }
    }

    /// What it says of itself where clients of a record of type `kind` go, in one spelling: two targets that differ in case,
    /// order or a trailing dot alone are the same. Its TTL is no part of that.
    fn canonical(&self, kind: &str) -> String {
        match self {
            Self::Values { values, .. } => {
                let mut values: Vec<_> = values.iter().map(|value| destination(kind, value)).collect();
                values.sort();
                format!("values {}", values.join(" "))
            }
            Self::Alias { zone, name, evaluate_health } => {
                format!("alias {} {} {evaluate_health}", zone_id(zone), host(name))
            }
        }
    }

    /// A short mark of where it says that clients go.
    #[must_use]
    pub fn digest(&self, kind: &str) -> Digest {
        Digest::of(&self.canonical(kind))
    }

    fn same_as(&self, other: &Self, kind: &str) -> bool {
        self.canonical(kind) == other.canonical(kind)
    }
}

/// A hosted zone's id, with or without `/hostedzone/` before it.
fn zone_id(zone: &str) -> &str {
    zone.trim_start_matches("/hostedzone/")
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

impl RecordSet {
    /// True for half of a failover pair.
    #[must_use]
    pub fn fails_over(&self) -> bool {
        matches!(self.routing, Routing::Failover { .. })
    }

    /// True for half of a failover pair of a type that Holdfast pins.
    #[must_use]
    pub fn is_pinnable(&self) -> bool {
        self.fails_over() && PINNED_TYPES.contains(&self.kind.as_str())
    }
}
