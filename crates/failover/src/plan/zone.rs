//! The zones of a plan.

use serde::Deserialize;

use super::{EVERY_PAIR, Names, PlanError, Zone, given};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawZone {
    id: String,
    names: Vec<String>,
}

impl RawZone {
    pub(super) fn is_given(&self) -> bool {
        !self.id.trim().is_empty() || self.names.iter().any(|name| !name.trim().is_empty())
    }
}

pub(super) fn parse_zone(raw: RawZone) -> Result<Zone, PlanError> {
    let id = raw.id.trim().trim_start_matches("/hostedzone/").to_owned();
    if id.is_empty() {
        return Err(PlanError::Empty { field: "zones[].id", remedy: "set the template's HostedZoneId" });
    }
    let names = given(raw.names);
    let names = match names.as_slice() {
        [] => {
            return Err(PlanError::Empty {
                field: "zones[].names",
                remedy: "set the template's RecordNames to the names to protect, or to ALL",
            });
        }
        [all] if all == EVERY_PAIR => Names::EveryPair,
        several if several.iter().any(|name| name == EVERY_PAIR) => {
            return Err(PlanError::EveryPairAndNames { zone: id });
        }
        several => Names::Listed(
            several
                .iter()
                .map(|name| name.parse().map_err(|error| PlanError::Name { zone: id.clone(), error }))
                .collect::<Result<_, _>>()?,
        ),
    };
    Ok(Zone { id, names })
}

pub(super) fn refuse_repeats(zones: &[Zone]) -> Result<(), PlanError> {
    let mut seen = std::collections::BTreeSet::new();
    for zone in zones {
        let listed = match &zone.names {
            Names::EveryPair => &[][..],
            Names::Listed(names) => names,
        };
        let said = std::iter::once(format!("zone {}", zone.id))
            .chain(listed.iter().map(|name| format!("{name} in zone {}", zone.id)));
        for what in said {
            if !seen.insert(what.clone()) {
                return Err(PlanError::Twice(what));
            }
        }
    }
    Ok(())
}
