//! The change batch that makes failover pairs of a name's simple records.

use std::net::IpAddr;

use aws::balancer::bare;
use aws::survey::Balancer;
use failover::change::Change;
use failover::name::Name;
use failover::record::{PINNED_TYPES, RecordSet, Role, Routing, Target};
use serde_json::{Value, json};

/// What a file says where a person must fill something in, as samconfig.toml does: Route 53 refuses it.
pub const FILL_IN: &str = "FILL IN";

/// How long resolvers may keep the answer of a pair; what is shorter stays as it is.
const TTL_SECONDS_MAX: u32 = 60;

/// What a pair is made with.
#[derive(Clone, Copy, Debug)]
pub struct With<'a> {
    /// The hosted zone.
    pub zone: &'a str,
    /// Its record sets.
    pub sets: &'a [RecordSet],
    /// DR's load balancers.
    pub balancers: &'a [Balancer],
    /// The failover health check, or [`FILL_IN`].
    pub health_check: &'a str,
}

/// A name's simple records, and what is to stand in their place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// The name.
    pub name: Name,
    /// Deletions of just what was seen, and creations, applied whole or not at all.
    pub changes: Vec<Change>,
    /// Where DR was said to be.
    pub targets: Vec<String>,
    /// Types for which none of that is a target.
    pub without_target: Vec<String>,
}

/// Whether a name has a simple record that sends users somewhere.
#[must_use]
pub fn has_simple(sets: &[RecordSet], name: &Name) -> bool {
    sets.iter()
        .any(|set| set.name == *name && set.routing == Routing::Simple && PINNED_TYPES.contains(&set.kind.as_str()))
}

/// Makes pairs of a name's simple records; `targets` say where DR is.
#[must_use]
pub fn batch(with: With<'_>, name: &Name, targets: &[String]) -> Batch {
    let of_name = |set: &&RecordSet| set.name == *name && PINNED_TYPES.contains(&set.kind.as_str());
    let (changes, without_target) = (Vec::new(), Vec::new());
    let mut batch = Batch { name: name.clone(), changes, targets: targets.to_vec(), without_target };
    for set in with.sets.iter().filter(of_name).filter(|set| set.routing == Routing::Simple) {
        let Some(target) = dr_target(with, set, targets) else {
            batch.without_target.push(set.kind.clone());
            continue;
        };
        let half = |role, identifier: &str, target: Target, check: Option<&str>| RecordSet {
            routing: Routing::Failover { role, set_identifier: identifier.to_owned() },
            target,
            health_check: check.map(str::to_owned),
            ..set.clone()
        };
        let primary = half(Role::Primary, "primary", of_pair(&set.target), Some(with.health_check));
        let secondary = half(Role::Secondary, "dr", target, None);
        batch.changes.extend([Change::Delete(set.clone()), Change::Create(primary), Change::Create(secondary)]);
    }
    batch
}

/// The same place, as a PRIMARY record says it: the health check decides alone.
fn of_pair(target: &Target) -> Target {
    match target.clone() {
        Target::Values { ttl_seconds, values } => {
            Target::Values { ttl_seconds: ttl_seconds.min(TTL_SECONDS_MAX), values }
        }
        Target::Alias { zone, name, .. } => Target::Alias { zone, name, evaluate_health: false },
    }
}

fn dr_target(with: With<'_>, set: &RecordSet, targets: &[String]) -> Option<Target> {
    let ttl_seconds = match &set.target {
        Target::Values { ttl_seconds, .. } => (*ttl_seconds).min(TTL_SECONDS_MAX),
        Target::Alias { .. } => TTL_SECONDS_MAX,
    };
    let is_address = |target: &&String| target.parse::<IpAddr>().is_ok();
    let names = || targets.iter().filter(|target| !is_address(target));
    let of_family = |target: &&String| match target.parse() {
        Ok(IpAddr::V4(_)) => set.kind == "A",
        Ok(IpAddr::V6(_)) => set.kind == "AAAA",
        Err(_) => false,
    };
    if set.kind == "CNAME" {
        return names().next().map(|name| Target::Values { ttl_seconds, values: vec![name.clone()] });
    }
    let values: Vec<String> = targets.iter().filter(of_family).cloned().collect();
    if !values.is_empty() {
        return Some(Target::Values { ttl_seconds, values });
    }
    names().find_map(|name| alias(with, &set.kind, name))
}

/// An alias to one of DR's load balancers, or to a record of the zone.
fn alias(with: With<'_>, kind: &str, target: &str) -> Option<Target> {
    let balancer = with.balancers.iter().find(|balancer| bare(&balancer.dns_name) == bare(target));
    let own = target.parse::<Name>().ok();
    let is_own = || with.sets.iter().any(|set| Some(&set.name) == own.as_ref() && set.kind == kind);
    let (zone, name) = match balancer {
        Some(balancer) => (balancer.zone.clone(), balancer.dns_name.clone()),
        None if is_own() => (with.zone.to_owned(), target.to_owned()),
        None => return None,
    };
    Some(Target::Alias { zone, name, evaluate_health: false })
}

/// The records that send users to the primary, once batches are applied: PRIMARY ones, and simple ones that are no pair yet.
pub fn primaries<'a>(sets: &'a [RecordSet], names: &'a [Name]) -> impl Iterator<Item = &'a RecordSet> {
    let of_name = |name: &'a Name| sets.iter().filter(move |set| set.name == *name);
    let leads_users = |set: &&RecordSet| {
        let is_primary = matches!(set.routing, Routing::Simple | Routing::Failover { role: Role::Primary, .. });
        is_primary && PINNED_TYPES.contains(&set.kind.as_str())
    };
    names.iter().flat_map(of_name).filter(leads_users)
}

/// Whether a PRIMARY record leads just where the SECONDARY one does: then it does not tell where the primary is.
#[must_use]
pub fn leads_to_dr(sets: &[RecordSet], primary: &RecordSet) -> bool {
    sets.iter().any(|set| {
        matches!(set.routing, Routing::Failover { role: Role::Secondary, .. })
            && (&set.name, &set.kind, &set.target) == (&primary.name, &primary.kind, &primary.target)
    })
}

/// The zone's record sets once `batches` have been applied.
#[must_use]
pub fn applied(sets: &[RecordSet], batches: &[Batch]) -> Vec<RecordSet> {
    let mut after = sets.to_vec();
    for change in batches.iter().flat_map(|batch| &batch.changes) {
        match change {
            Change::Delete(gone) => after.retain(|set| set != gone),
            Change::Create(new) => after.push(new.clone()),
        }
    }
    after
}

/// A batch as `aws route53 change-resource-record-sets --change-batch` takes it.
#[must_use]
pub fn json(batch: &Batch) -> Value {
    let change = |change: &Change| {
        let (action, set) = match change {
            Change::Delete(set) => ("DELETE", set),
            Change::Create(set) => ("CREATE", set),
        };
        json!({"Action": action, "ResourceRecordSet": record_set(set)})
    };
    json!({
        "Comment": format!("holdfast init: a failover pair for {}", batch.name),
        "Changes": batch.changes.iter().map(change).collect::<Vec<_>>(),
    })
}

fn record_set(set: &RecordSet) -> Value {
    let mut value = json!({"Name": set.name.as_str(), "Type": set.kind});
    if let Routing::Failover { role, set_identifier } = &set.routing {
        value["SetIdentifier"] = json!(set_identifier);
        value["Failover"] = json!(role.to_string());
    }
    match &set.target {
        Target::Values { ttl_seconds, values } => {
            value["TTL"] = json!(ttl_seconds);
            value["ResourceRecords"] = values.iter().map(|value| json!({"Value": value})).collect();
        }
        Target::Alias { zone, name, evaluate_health } => {
            value["AliasTarget"] =
                json!({"HostedZoneId": zone, "DNSName": name, "EvaluateTargetHealth": evaluate_health});
        }
    }
    if let Some(check) = &set.health_check {
        value["HealthCheckId"] = json!(check);
    }
    value
}

/// The name of a batch's file.
#[must_use]
pub fn file(batch: &Batch) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '_' };
    format!("pair-{}.json", batch.name.to_string().chars().map(plain).collect::<String>())
}
