//! The hosted zones of a plan, and the names in them.

use std::collections::BTreeSet;
use std::path::Path;

use failover::name::Name;

use super::{Parameters, Place, PlanError, WrittenFacts, list};

/// A hosted zone and the names protected in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Zone {
    /// Its domain.
    pub domain: String,
    /// The names; never empty.
    pub names: Vec<String>,
}

/// The zones of the parameters; where they protect `ALL`, the plan names the names.
pub(super) fn of(
    file: &Path,
    place: &Place,
    responder: &Parameters,
    facts: &WrittenFacts,
) -> Result<Vec<Zone>, PlanError> {
    let names = |parameter, fact, named| names(file, place, responder, (parameter, fact, named));
    let first = names("RecordNames", "facts.record_names", facts.record_names.as_deref())?;
    let second = names("SecondRecordNames", "facts.second_record_names", facts.second_record_names.as_deref())?;
    let has_second = responder.get("SecondHostedZoneId").is_some_and(|id| !id.is_empty());
    if has_second == second.is_empty() {
        let (given, other) = match has_second {
            true => ("SecondHostedZoneId", "SecondRecordNames"),
            false => ("SecondRecordNames", "SecondHostedZoneId"),
        };
        return Err(place.fault(given, format!("is given and {other} is not"), "give both or neither"));
    }
    let domain = responder.get("DomainName").filter(|domain| !domain.is_empty());
    let mut zones = vec![zone(place, ("RecordNames", first), domain)?];
    if has_second {
        zones.push(zone(place, ("SecondRecordNames", second), None)?);
    }
    let mut seen = BTreeSet::new();
    match zones.iter().flat_map(|zone| &zone.names).find(|name| !seen.insert(*name)) {
        Some(twice) => Err(place.fault("RecordNames", format!("has {twice} twice"), "list it once")),
        None => Ok(zones),
    }
}

/// The names of one zone; none if there is no such zone.
fn names(
    file: &Path,
    place: &Place,
    responder: &Parameters,
    (parameter, fact, named): (&str, &str, Option<&[String]>),
) -> Result<Vec<String>, PlanError> {
    let listed = list(responder, parameter);
    match (listed.as_slice(), named) {
        ([all], Some(named)) if all == "ALL" && !named.is_empty() => {
            let valid = |name: &String| match name.parse::<Name>() {
                Ok(name) => Ok(name.to_string()),
                Err(error) => Err(PlanError::field(file, fact, error.to_string(), "correct the name")),
            };
            named.iter().map(valid).collect()
        }
        ([all], _) if all == "ALL" => Err(PlanError::field(
            file,
            fact,
            format!("is not set, and {parameter} is ALL: the lab does not know what is in your zone"),
            "list the names that have a failover pair, or some of them",
        )),
        (_, Some(_)) => {
            let fault = format!("is set, and {} has {parameter} itself", place.table);
            Err(PlanError::field(file, fact, fault, "take it out: it is for ALL"))
        }
        _ => Ok(listed),
    }
}

/// The zone that holds these names: of the domain that is given, or else of what they have in common.
fn zone(place: &Place, (parameter, names): (&str, Vec<String>), domain: Option<&String>) -> Result<Zone, PlanError> {
    let domain = domain.cloned().unwrap_or_else(|| common(&names));
    let is_within = |name: &String| match (name.parse::<Name>(), domain.parse::<Name>()) {
        (Ok(name), Ok(domain)) => name.is_within(&domain),
        _ => false,
    };
    if let Some(outside) = names.iter().find(|name| !is_within(name)) {
        let fault = match domain.is_empty() {
            true => format!("has {outside}, which has no domain in common with the others"),
            false => format!("has {outside}, which is not in {domain}"),
        };
        return Err(place.fault(
            parameter,
            fault,
            "a hosted zone holds the names of one domain: correct the name or DomainName",
        ));
    }
    Ok(Zone { domain, names })
}

/// The longest domain that all names are in.
fn common(names: &[String]) -> String {
    let labels = |name: &String| name.trim_start_matches("*.").rsplit('.').map(str::to_owned).collect::<Vec<_>>();
    let mut all = names.iter().map(labels);
    let first = all.next().unwrap_or_default();
    let shared = all.fold(first, |shared, other| {
        shared.into_iter().zip(other).take_while(|(one, other)| one == other).map(|(one, _)| one).collect()
    });
    shared.into_iter().rev().collect::<Vec<_>>().join(".")
}
