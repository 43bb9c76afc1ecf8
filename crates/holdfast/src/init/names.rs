//! Which names of a zone users may be sent by: those with failover pairs, those that could have one, and those that cannot.

use std::collections::{BTreeMap, BTreeSet};

use failover::name::Name;
use failover::record::{PINNED_TYPES, RecordSet, Routing, Target};
use serde::Serialize;

/// The names of a zone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names {
    /// With a failover record of a type that Holdfast pins.
    pub paired: Vec<Name>,
    /// With simple records alone.
    pub simple: Vec<Name>,
    /// What Holdfast cannot move.
    pub left_out: Vec<LeftOut>,
}

/// A name that Holdfast cannot move.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LeftOut {
    /// The name.
    pub name: String,
    /// Why.
    pub why: &'static str,
}

const SITES_OWN: &str = "is a site's own name: a failover record leads to it, and after a failover it must not move";
const OTHER_ROUTING: &str =
    "has weighted, latency or other routing, or belongs to a traffic policy: Holdfast moves failover pairs alone";

/// Sorts a zone's names.
#[must_use]
pub fn of_zone(sets: &[RecordSet]) -> Names {
    let mut by_name: BTreeMap<&Name, Vec<&RecordSet>> = BTreeMap::new();
    for set in sets.iter().filter(|set| PINNED_TYPES.contains(&set.kind.as_str()) && !is_technical(&set.name)) {
        by_name.entry(&set.name).or_default().push(set);
    }
    let endpoints = endpoints(sets);
    let mut names = Names::default();
    for (name, sets) in by_name {
        if sets.iter().any(|set| set.fails_over()) {
            names.paired.push(name.clone());
        } else if sets.iter().any(|set| set.routing == Routing::Other) {
            names.left_out.push(LeftOut { name: name.to_string(), why: OTHER_ROUTING });
        } else if endpoints.contains(name) {
            names.left_out.push(LeftOut { name: name.to_string(), why: SITES_OWN });
        } else {
            names.simple.push(name.clone());
        }
    }
    names
}

/// Registers, certificates' proofs of ownership and the like: nobody types a label that begins with an underscore.
fn is_technical(name: &Name) -> bool {
    name.as_str().split('.').any(|label| label.starts_with('_'))
}

/// The names that failover records lead to: the sites' own.
fn endpoints(sets: &[RecordSet]) -> BTreeSet<Name> {
    let led_to = |set: &RecordSet| match &set.target {
        Target::Alias { name, .. } => vec![name.clone()],
        Target::Values { values, .. } if set.kind == "CNAME" => values.clone(),
        Target::Values { .. } => Vec::new(),
    };
    let all = sets.iter().filter(|set| set.is_pinnable()).flat_map(led_to);
    all.filter_map(|name| name.parse().ok()).collect()
}

/// The zone's own name, which its SOA record bears.
#[must_use]
pub fn domain(sets: &[RecordSet]) -> Option<&Name> {
    sets.iter().find(|set| set.kind == "SOA").map(|set| &set.name)
}

/// The TXT record by which external-dns says that a name is its own: at the name itself, or with the record's type before it
/// ("TXT registry" in external-dns's documentation; a prefix of somebody's own is not known here).
#[must_use]
pub fn external_dns<'a>(name: &Name, sets: &'a [RecordSet]) -> Option<&'a RecordSet> {
    let prefixed = ["", "a-", "aaaa-", "cname-"].map(|prefix| format!("{prefix}{}", name.as_str()));
    let is_mark = |set: &&RecordSet| {
        let says = |values: &[String]| values.iter().any(|value| value.contains("heritage=external-dns"));
        let is_it = prefixed.iter().any(|text| set.name.as_str() == text);
        is_it && set.kind == "TXT" && matches!(&set.target, Target::Values { values, .. } if says(values))
    };
    sets.iter().find(is_mark)
}

/// What template.yaml's RecordNames takes: lower case, and a wildcard as the first label alone.
#[must_use]
pub fn fits_record_names(name: &Name) -> bool {
    let text = name.to_string();
    let bare = text.strip_prefix("*.").unwrap_or(&text);
    let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '_' | '-' | '.');
    bare.chars().all(is_plain) && bare.rsplit('.').next().is_some_and(|last| !last.contains('_')) && bare.contains('.')
}
