//! Change batches: applied whole or refused whole.

use std::collections::{BTreeMap, BTreeSet};

use super::guardrails::{self, Guardrails};
use super::name::DnsName;
use super::neighbours::{conflict, faults_of_alias};
use super::protections::Protections;
use super::record::{Failover, Key, Kind, RecordSet, Target};
use super::values::fault_of_value;

/// A zone's record sets, in listing order.
pub type Records = BTreeMap<Key, RecordSet>;

/// The record sets of a name and of all below it, those of the name first.
pub fn sets_within<'r>(records: &'r Records, name: &DnsName) -> impl Iterator<Item = &'r RecordSet> + use<'r> {
    let first = Key { name: name.clone(), kind: Kind::ALL[0], set_identifier: None };
    let name = name.clone();
    records.range(first..).map(|(_, set)| set).take_while(move |set| set.key.name.is_within(&name))
}

/// The record sets of a name.
pub fn sets_of<'r>(records: &'r Records, name: &DnsName) -> impl Iterator<Item = &'r RecordSet> + use<'r> {
    let owner = name.clone();
    sets_within(records, name).take_while(move |set| set.key.name == owner)
}

/// "A request cannot contain more than 1,000 ResourceRecord elements" (Developer Guide, `DNSLimitations`).
const ELEMENTS_MAX: usize = 1_000;
/// "The sum of the number of characters (including spaces) in all Value elements in a request cannot exceed 32,000".
const CHARACTERS_MAX: usize = 32_000;
/// "Cannot have more than 100 records in a RRSet": so AWS answered in 2017 (rancher/rancher#10253). Today's quota may be 400,
/// by other sources; undecided, so the stricter one holds.
const VALUES_MAX: usize = 100;

/// What a change does to its record set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// The set must not exist yet.
    Create,
    /// The set must exist exactly as given.
    Delete,
    /// The set is created or replaced.
    Upsert,
}

/// One change of a batch.
#[derive(Clone, Debug)]
pub struct Edit {
    /// What to do.
    pub action: Action,
    /// With which set.
    pub set: RecordSet,
}

/// What a batch may refer to besides the zone's own records.
pub struct Surroundings<'a> {
    /// The zone's id.
    pub zone_id: &'a str,
    /// The zone's name.
    pub zone: &'a DnsName,
    /// Whether there is a health check of this id.
    pub has_check: &'a dyn Fn(&str) -> bool,
    /// Whether another of the account's zones has this id.
    pub is_other_zone: &'a dyn Fn(&str) -> bool,
    /// What may not be changed.
    pub protections: &'a Protections,
    /// What the zone's guardrails look at.
    pub guardrails: Guardrails,
    /// Whether a name and type has been asked for of late.
    pub is_queried: &'a dyn Fn(&Key) -> bool,
}

/// Applies the batch to a copy of the records.
///
/// # Errors
/// Everything that is wrong with it, in Route 53's words.
pub fn apply(around: &Surroundings<'_>, records: &Records, edits: &[Edit]) -> Result<Records, Vec<String>> {
    over_limits(edits)?;
    let mut faults = around.protections.faults(edits);
    let mut after = records.clone();
    for edit in edits.iter().filter(|edit| around.protections.of(&edit.set.key).is_none()) {
        let before = faults.len();
        if around.guardrails.are_strict {
            faults.extend(guardrails::faults_of_step(around, &after, edit));
        }
        if edit.action != Action::Delete {
            faults.extend(faults_of_set(around, &edit.set));
        }
        if faults.len() == before
            && let Err(fault) = step(around, &mut after, edit)
        {
            faults.push(fault);
        }
    }
    let written = edits.iter().filter(|edit| edit.action != Action::Delete);
    for key in written.map(|edit| &edit.set.key).collect::<BTreeSet<_>>() {
        if let Some(set) = after.get(key) {
            faults.extend(conflict(around, &after, set));
            faults.extend(faults_of_alias(around, &after, set));
        }
    }
    if !around.guardrails.are_strict {
        faults.extend(guardrails::faults_of_end(around, &after, edits));
    }
    if faults.is_empty() { Ok(after) } else { Err(faults) }
}

/// "When the value of the Action element is UPSERT, each ResourceRecord element is counted twice", and so are characters.
fn over_limits(edits: &[Edit]) -> Result<(), Vec<String>> {
    let (mut elements, mut characters) = (0, 0);
    for edit in edits {
        let weight = if edit.action == Action::Upsert { 2 } else { 1 };
        elements += weight * edit.set.values().len();
        characters += weight * edit.set.values().iter().map(|value| value.chars().count()).sum::<usize>();
    }
    let mut faults = Vec::new();
    if elements > ELEMENTS_MAX {
        faults.push(format!("Number of records limit of {ELEMENTS_MAX} exceeded."));
    }
    if characters > CHARACTERS_MAX {
        faults.push(format!("RDATA character limit of {CHARACTERS_MAX} exceeded."));
    }
    if faults.is_empty() { Ok(()) } else { Err(faults) }
}

fn step(around: &Surroundings<'_>, records: &mut Records, edit: &Edit) -> Result<(), String> {
    let key = &edit.set.key;
    match (edit.action, records.get(key)) {
        (Action::Create, Some(_)) => Err(format!("Tried to create resource record set {key} but it already exists")),
        (Action::Delete, None) => Err(format!("Tried to delete resource record set {key} but it was not found")),
        (Action::Delete, Some(stored)) if !stored.says_the_same_as(&edit.set) => Err(format!(
            "Tried to delete resource record set {key} but the values provided do not match the current values"
        )),
        (Action::Delete, Some(_)) if key.name == *around.zone && matches!(key.kind, Kind::Soa | Kind::Ns) => {
            Err(format!("A HostedZone must contain at least one {} record for the zone itself.", key.kind))
        }
        (Action::Delete, Some(_)) => {
            records.remove(key);
            Ok(())
        }
        (Action::Create | Action::Upsert, _) => {
            records.insert(key.clone(), edit.set.clone());
            Ok(())
        }
    }
}

/// What is wrong with a set by itself.
fn faults_of_set(around: &Surroundings<'_>, set: &RecordSet) -> Vec<String> {
    let (key, zone) = (&set.key, around.zone);
    let mut faults = Vec::new();
    if !key.name.is_within(zone) {
        faults.push(format!("RRSet with DNS name {} is not permitted in zone {zone}", key.name));
    }
    if key.kind == Kind::Cname && key.name == *zone {
        faults.push(format!("RRSet of type CNAME with DNS name {} is not permitted at apex in zone {zone}", key.name));
    }
    if key.kind == Kind::Ns && key.name.is_wildcard() {
        faults.push(format!("RRSet of type NS with DNS name {} is not permitted: NS cannot be a wildcard", key.name));
    }
    let is_plain = matches!(set.target, Target::Values { .. });
    if is_plain && set.failover() == Some(Failover::Primary) && set.health_check.is_none() {
        // As AWS answered in kubernetes-sigs/external-dns#2362.
        faults.push("A non-alias primary ResourceRecordSet must have an associated health check.".to_owned());
    }
    if let Some(check) = set.health_check.as_deref().filter(|check| !(around.has_check)(check)) {
        faults.push(format!("No health check exists with the ID {check}"));
    }
    if set.values().len() > VALUES_MAX {
        faults.push(format!("Cannot have more than {VALUES_MAX} records in a RRSet."));
    }
    // "You can specify more than one value for all record types except CNAME and SOA" (API reference, ResourceRecord).
    if matches!(key.kind, Kind::Cname | Kind::Soa) && set.values().len() > 1 {
        faults.push(format!("RRSet of type {} with DNS name {} has more than one value", key.kind, key.name));
    }
    if sorted_has_twins(set.values()) {
        faults.push(format!("Duplicate Resource Record: '{}'", set.values().join(", ")));
    }
    faults.extend(set.values().iter().filter_map(|value| fault_of_value(key.kind, value)));
    faults
}

fn sorted_has_twins(values: &[String]) -> bool {
    values.iter().collect::<BTreeSet<_>>().len() < values.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::route53::Routing;

    fn set(name: &str, kind: Kind, values: &[&str]) -> RecordSet {
        RecordSet {
            key: Key { name: DnsName::parse(name).unwrap(), kind, set_identifier: None },
            routing: Routing::Simple,
            health_check: None,
            traffic_policy_instance: None,
            target: Target::Values { ttl: 60, values: values.iter().map(|value| (*value).to_owned()).collect() },
        }
    }

    fn half(identifier: &str, failover: Failover, value: &str) -> RecordSet {
        let mut set = set("app.example.com", Kind::A, &[value]);
        set.key.set_identifier = Some(identifier.to_owned());
        set.routing = Routing::Failover(failover);
        set.health_check = Some("known".to_owned());
        set
    }

    fn alias(name: &str, target: &str) -> RecordSet {
        let name_of_target = DnsName::parse(target).unwrap();
        let target = Target::Alias { zone: "Z1".to_owned(), name: name_of_target, evaluate_target_health: false };
        RecordSet { target, ..set(name, Kind::A, &[]) }
    }

    fn run(records: &Records, edits: Vec<(Action, RecordSet)>) -> Result<Records, String> {
        let zone = DnsName::parse("example.com").unwrap();
        let around = Surroundings {
            zone_id: "Z1",
            zone: &zone,
            has_check: &|check| check == "known",
            is_other_zone: &|id| id == "Z2",
            protections: &Protections::default(),
            guardrails: Guardrails::default(),
            is_queried: &|_| false,
        };
        let edits: Vec<_> = edits.into_iter().map(|(action, set)| Edit { action, set }).collect();
        apply(&around, records, &edits).map_err(|faults| faults.join(", "))
    }

    fn routed(name: &str, kind: Kind, identifier: &str, routing: Routing) -> RecordSet {
        let value = if kind == Kind::A { "192.0.2.1" } else { "b.example.com" };
        let mut set = RecordSet { routing, ..set(name, kind, &[value]) };
        set.key.set_identifier = Some(identifier.to_owned());
        set
    }

    fn pair() -> Records {
        let primary = half("primary", Failover::Primary, "192.0.2.1");
        let secondary = half("secondary", Failover::Secondary, "192.0.2.2");
        run(&Records::new(), vec![(Action::Create, primary), (Action::Create, secondary)]).unwrap()
    }

    #[test]
    fn a_delete_and_a_create_of_one_set_are_a_compare_and_swap() {
        let pinned = half("primary", Failover::Primary, "192.0.2.2");
        let old = half("primary", Failover::Primary, "192.0.2.1");
        let after = run(&pair(), vec![(Action::Delete, old.clone()), (Action::Create, pinned.clone())]).unwrap();
        assert_eq!(after.get(&pinned.key), Some(&pinned));
        let refusal = run(&after, vec![(Action::Delete, old), (Action::Create, pinned)]).unwrap_err();
        assert_eq!(
            refusal,
            "Tried to delete resource record set [name='app.example.com.', type='A', set-identifier='primary'] but the \
             values provided do not match the current values, Tried to create resource record set \
             [name='app.example.com.', type='A', set-identifier='primary'] but it already exists"
        );
    }

    #[test]
    fn every_refusal_names_its_reason() {
        let third = half("third", Failover::Primary, "192.0.2.3");
        let mut unknown_check = set("x.example.com", Kind::A, &["192.0.2.1"]);
        unknown_check.health_check = Some("unknown".to_owned());
        let mut unchecked = half("unchecked", Failover::Primary, "192.0.2.9");
        (unchecked.health_check, unchecked.key.name) = (None, DnsName::parse("y.example.com").unwrap());
        let mut elsewhere = alias("x.example.com", "a.example.org");
        if let Target::Alias { zone, .. } = &mut elsewhere.target {
            *zone = "Z2".to_owned();
        }
        let cases = [
            (Action::Create, half("primary", Failover::Primary, "192.0.2.9"), "but it already exists"),
            (Action::Delete, set("no.example.com", Kind::A, &["192.0.2.1"]), "but it was not found"),
            (Action::Create, third.clone(), "a failover RRSet with the same name, type and failover already exists"),
            (Action::Upsert, third, "a failover RRSet with the same name, type and failover already exists"),
            (Action::Create, set("app.example.com", Kind::A, &["192.0.2.1"]), "other RRSets exist with the same name"),
            (Action::Create, set("app.example.com", Kind::Cname, &["b.example.com"]), "a conflicting RRSet of type A"),
            (Action::Create, set("example.com", Kind::Cname, &["b.example.com"]), "is not permitted at apex"),
            (Action::Create, set("example.org", Kind::A, &["192.0.2.1"]), "is not permitted in zone example.com."),
            (Action::Create, set("x.example.com", Kind::A, &["300.0.2.1"]), "ARRDATAIllegalIPv4Address"),
            (Action::Create, set("x.example.com", Kind::Txt, &["bare"]), "InvalidCharacterString"),
            (Action::Create, unknown_check, "No health check exists with the ID unknown"),
            (Action::Create, set("x.example.com", Kind::A, &["192.0.2.1", "192.0.2.1"]), "Duplicate Resource Record"),
            (Action::Create, alias("x.example.com", "gone.example.com"), "but that target was not found"),
            (Action::Create, alias("x.example.com", "example.org"), "does not lie within the target zone"),
            (Action::Create, elsewhere, "a different hosted zone"),
            (Action::Create, unchecked, "A non-alias primary ResourceRecordSet must have an associated health check"),
            (Action::Create, set("*.example.com", Kind::Ns, &["ns.example.net"]), "NS cannot be a wildcard"),
            (Action::Create, set("x.example.com", Kind::Mx, &["mail.example.com"]), "MXRRDATANotTwoFields"),
        ];
        for (action, set, reason) in cases {
            let refusal = run(&pair(), vec![(action, set)]).unwrap_err();
            assert!(refusal.contains(reason), "{refusal:?} does not say {reason:?}");
        }
    }

    #[test]
    fn one_name_and_type_follows_one_routing_and_no_place_twice() {
        let latency = |identifier, region: &str| {
            routed("r.example.com", Kind::A, identifier, Routing::Latency(region.to_owned()))
        };
        let weighted = |identifier, weight| routed("w.example.com", Kind::A, identifier, Routing::Weighted(weight));
        let sets = [latency("a", "eu-west-1"), latency("b", "us-east-1"), weighted("a", 0), weighted("b", 0)];
        let records = run(&Records::new(), sets.map(|set| (Action::Create, set)).to_vec()).unwrap();
        let mut other_ttl = weighted("c", 7);
        if let Target::Values { ttl, .. } = &mut other_ttl.target {
            *ttl = 61;
        }
        for (set, reason) in [
            (latency("c", "eu-west-1"), "a latency RRSet with the same name, type and place already exists"),
            (routed("r.example.com", Kind::A, "c", Routing::Weighted(1)), "a non-weighted set exists"),
            (routed("w.example.com", Kind::A, "c", Routing::Multivalue), "a non-multivalue answer set exists"),
            (set("w.example.com", Kind::A, &["192.0.2.1"]), "as other RRSets exist with the same name and type"),
            (other_ttl, "weighted sets must contain the same TTL"),
        ] {
            let refusal = run(&records, vec![(Action::Create, set)]).unwrap_err();
            assert!(refusal.contains(reason), "{refusal:?} does not say {reason:?}");
        }
        assert!(run(&records, vec![(Action::Create, weighted("c", 255))]).is_ok());
    }

    #[test]
    fn one_bad_change_refuses_the_whole_batch_and_leaves_the_records_alone() {
        let records = pair();
        let good = set("new.example.com", Kind::A, &["192.0.2.1"]);
        let bad = set("new.example.com", Kind::A, &["192.0.2.1"]);
        assert!(run(&records, vec![(Action::Create, good), (Action::Create, bad)]).is_err());
        assert_eq!(records, pair());
    }

    #[test]
    fn a_cname_may_replace_an_address_within_one_batch() {
        let address = set("w.example.com", Kind::A, &["192.0.2.1"]);
        let cname = set("w.example.com", Kind::Cname, &["app.example.com"]);
        let records = run(&Records::new(), vec![(Action::Create, address.clone())]).unwrap();
        let after = run(&records, vec![(Action::Delete, address), (Action::Create, cname.clone())]).unwrap();
        assert_eq!(after.keys().collect::<Vec<_>>(), [&cname.key]);
    }

    #[test]
    fn a_thousand_elements_pass_and_an_upsert_counts_twice() {
        let many = |action, count: usize| -> Vec<(Action, RecordSet)> {
            (0..count).map(|n| (action, set(&format!("n{n}.example.com"), Kind::A, &["192.0.2.1"]))).collect()
        };
        assert!(run(&Records::new(), many(Action::Create, 1_000)).is_ok());
        assert!(run(&Records::new(), many(Action::Upsert, 500)).is_ok());
        let refusal = run(&Records::new(), many(Action::Create, 1_001)).unwrap_err();
        assert_eq!(refusal, "Number of records limit of 1000 exceeded.");
        assert!(run(&Records::new(), many(Action::Upsert, 501)).is_err());
    }

    #[test]
    fn thirty_two_thousand_characters_pass_and_no_more() {
        let text = |n: usize, length: usize| {
            let value = (0..length / 250).map(|_| format!("\"{}\"", "x".repeat(247))).collect::<Vec<_>>().join(" ");
            (Action::Create, set(&format!("n{n}.example.com"), Kind::Txt, &[value.as_str()]))
        };
        // Each string of 247 has two quotes and a space after it, except the last: 249.
        let nearly: Vec<_> = (0..8).map(|n| text(n, 4_000)).collect();
        assert!(run(&Records::new(), nearly.clone()).is_ok());
        let refusal = run(&Records::new(), nearly.into_iter().chain([text(9, 250)]).collect()).unwrap_err();
        assert_eq!(refusal, "RDATA character limit of 32000 exceeded.");
    }
}
