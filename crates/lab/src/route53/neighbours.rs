//! What is wrong with a record set beside the others of its zone, once a whole batch is applied.

use super::batch::{Records, Surroundings, sets_of};
use super::record::{Kind, RecordSet, Routing, Target};

/// The first neighbour that a set cannot stand beside.
pub(super) fn conflict(around: &Surroundings<'_>, records: &Records, set: &RecordSet) -> Option<String> {
    let key = &set.key;
    let mut neighbours = sets_of(records, &key.name).filter(|other| other.key != *key);
    neighbours.find_map(|other| {
        if other.key.kind == key.kind {
            return conflict_of_routing(set, other);
        }
        let is_cname = |kind| kind == Kind::Cname;
        (is_cname(key.kind) || is_cname(other.key.kind)).then(|| {
            format!(
                "RRSet of type {} with DNS name {} is not permitted because a conflicting RRSet of type {} with the same \
                 DNS name already exists in zone {}",
                key.kind, key.name, other.key.kind, around.zone
            )
        })
    })
}

/// Two sets of one name and type follow one policy, and never stand for the same place in it.
fn conflict_of_routing(set: &RecordSet, other: &RecordSet) -> Option<String> {
    let key = &set.key;
    let described = match &key.set_identifier {
        Some(identifier) => format!("RRSet with DNS name {}, type {}, SetIdentifier {identifier}", key.name, key.kind),
        None => format!("RRSet with DNS name {}, type {}", key.name, key.kind),
    };
    if set.routing == Routing::Simple || other.routing == Routing::Simple {
        return Some(format!("{described} cannot be created as other RRSets exist with the same name and type."));
    }
    let policy = set.routing.policy();
    if !set.routing.is_of_one_policy_with(&other.routing) {
        return Some(format!(
            "{described} cannot be created as a non-{policy} set exists with the same name and type."
        ));
    }
    match (&set.routing, &set.target, &other.target) {
        (Routing::Multivalue, ..) => None,
        // As AWS answered in aws/aws-sdk-go-v2#518; an alias has no TTL of its own.
        (Routing::Weighted(_), Target::Values { ttl, .. }, Target::Values { ttl: other, .. }) if ttl != other => {
            Some(format!("{described} cannot be created as weighted sets must contain the same TTL."))
        }
        (Routing::Weighted(_), ..) => None,
        (Routing::Failover(half), ..) if set.routing == other.routing => Some(format!(
            "{described}, and Failover {half} cannot be created because a failover RRSet with the same name, type and \
             failover already exists."
        )),
        _ => (set.routing == other.routing).then(|| {
            format!("{described} cannot be created because a {policy} RRSet with the same name, type and place already exists.")
        }),
    }
}

/// An alias into the zone itself must find its target there: "An alias resource record set can't reference a resource record
/// set in a different hosted zone" (API reference, `AliasTarget`). Targets of AWS's (load balancers, …) are taken on trust.
pub(super) fn faults_of_alias(around: &Surroundings<'_>, after: &Records, set: &RecordSet) -> Vec<String> {
    let Target::Alias { zone, name, .. } = &set.target else { return Vec::new() };
    let tried = format!("Tried to create an alias that targets {name}, type {} in zone {zone}", set.key.kind);
    if (around.is_other_zone)(zone) {
        return vec![format!("{tried}, but an alias cannot target a record in a different hosted zone")];
    }
    if zone != around.zone_id {
        return Vec::new();
    }
    let mut faults = Vec::new();
    if !name.is_within(around.zone) {
        faults.push(format!("{tried}, but the alias target name does not lie within the target zone"));
    }
    if !sets_of(after, name).any(|target| target.key.kind == set.key.kind) {
        faults.push(format!("{tried}, but that target was not found"));
    }
    faults
}
