//! The calls about zones, records and changes.

use std::sync::Arc;

use serde::Serialize;

use super::batch::Edit;
use super::listing::{self, Start};
use super::sets::{WireChange, WireSet};
use super::wire::{
    ChangeInfo, ChangeResourceRecordSetsRequest, CreateHostedZoneRequest, DelegationSet, Sets, WireZone, created,
    items_max, ok, parameters, read,
};
use super::zone::Change;
use super::{DnsName, Kind, Outcome, Refusal};
use crate::Lab;
use crate::api::Call;
use crate::journal::What;

#[derive(Serialize)]
struct HostedZones {
    #[serde(rename = "HostedZone")]
    items: Vec<WireZone>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ZoneAnswer {
    hosted_zone: WireZone,
    #[serde(skip_serializing_if = "Option::is_none")]
    change_info: Option<ChangeInfo>,
    delegation_set: DelegationSet,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ChangeAnswer {
    change_info: ChangeInfo,
}

pub(super) fn create(lab: &Arc<Lab>, call: &Call) -> Outcome {
    let request: CreateHostedZoneRequest = read(&call.body)?;
    let config = request.hosted_zone_config;
    if config.as_ref().is_some_and(|config| config.private_zone) {
        return Err(Refusal::NotImplemented("private hosted zones".to_owned()));
    }
    let name = DnsName::parse(&request.name)?;
    let tier = config.as_ref().and_then(|config| config.hosted_zone_tier).unwrap_or_default();
    let comment = config.and_then(|config| config.comment);
    let now = lab.clock.now();
    let (zone, change) = {
        let mut state = lab.route53.state();
        let (zone, change) = state.create_zone(now, name, request.caller_reference, comment)?;
        state.zone_mut(&zone.id)?.features.set_tier(now, tier)?;
        (state.zone(&zone.id)?.clone(), change)
    };
    follow(lab, &change);
    let answer = ZoneAnswer {
        hosted_zone: WireZone::new(&zone, now),
        change_info: Some((&change).into()),
        delegation_set: DelegationSet::default(),
    };
    created("CreateHostedZoneResponse", format!("/hostedzone/{}", zone.id), answer)
}

pub(super) fn get(lab: &Lab, id: &str) -> Outcome {
    let hosted_zone = WireZone::new(lab.route53.state().zone(id)?, lab.clock.now());
    let answer = ZoneAnswer { hosted_zone, change_info: None, delegation_set: DelegationSet::default() };
    ok("GetHostedZoneResponse", answer)
}

pub(super) fn list(lab: &Lab, call: &Call) -> Outcome {
    #[derive(Serialize)]
    #[serde(rename_all = "PascalCase")]
    struct Answer {
        hosted_zones: HostedZones,
        marker: String,
        is_truncated: bool,
        #[serde(skip_serializing_if = "Option::is_none")]
        next_marker: Option<String>,
        max_items: usize,
    }
    let [marker, max] = parameters(&call.query, ["marker", "maxitems"])?;
    let max_items = items_max(max, 100)?;
    let marker = marker.unwrap_or_default();
    let (state, now) = (lab.route53.state(), lab.clock.now());
    let mut zones = state.zones.values().skip_while(|zone| zone.id < marker);
    let items: Vec<WireZone> = zones.by_ref().take(max_items).map(|zone| WireZone::new(zone, now)).collect();
    let next_marker = zones.next().map(|zone| zone.id.clone());
    let is_truncated = next_marker.is_some();
    let hosted_zones = HostedZones { items };
    ok("ListHostedZonesResponse", Answer { hosted_zones, marker, is_truncated, next_marker, max_items })
}

pub(super) fn delete(lab: &Arc<Lab>, id: &str) -> Outcome {
    let change = lab.route53.state().delete_zone(lab.clock.now(), id)?;
    ok("DeleteHostedZoneResponse", ChangeAnswer { change_info: (&change).into() })
}

pub(super) fn list_by_name(lab: &Lab, call: &Call) -> Outcome {
    #[derive(Serialize)]
    #[serde(rename_all = "PascalCase")]
    struct Answer {
        hosted_zones: HostedZones,
        #[serde(rename = "DNSName", skip_serializing_if = "Option::is_none")]
        dns_name: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        hosted_zone_id: Option<String>,
        is_truncated: bool,
        #[serde(rename = "NextDNSName", skip_serializing_if = "Option::is_none")]
        next_dns_name: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        next_hosted_zone_id: Option<String>,
        max_items: usize,
    }
    let [name, id, max] = parameters(&call.query, ["dnsname", "hostedzoneid", "maxitems"])?;
    let max_items = items_max(max, 100)?;
    let start = name.as_deref().map(DnsName::parse).transpose()?.map(|name| (name, id.clone().unwrap_or_default()));
    let (state, now) = (lab.route53.state(), lab.clock.now());
    let mut zones: Vec<_> = state.zones.values().collect();
    zones.sort_by_key(|zone| (&zone.name, &zone.id));
    zones.retain(|zone| start.as_ref().is_none_or(|(name, id)| (&zone.name, &zone.id) >= (name, id)));
    let next = zones.get(max_items);
    ok(
        "ListHostedZonesByNameResponse",
        Answer {
            hosted_zones: HostedZones {
                items: zones.iter().take(max_items).map(|zone| WireZone::new(zone, now)).collect(),
            },
            dns_name: name,
            hosted_zone_id: id,
            is_truncated: next.is_some(),
            next_dns_name: next.map(|zone| zone.name.to_string()),
            next_hosted_zone_id: next.map(|zone| zone.id.clone()),
            max_items,
        },
    )
}

pub(super) fn list_records(lab: &Lab, call: &Call, zone: &str) -> Outcome {
    #[derive(Serialize)]
    #[serde(rename_all = "PascalCase")]
    struct Answer {
        resource_record_sets: Sets,
        is_truncated: bool,
        #[serde(skip_serializing_if = "Option::is_none")]
        next_record_name: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        next_record_type: Option<Kind>,
        #[serde(skip_serializing_if = "Option::is_none")]
        next_record_identifier: Option<String>,
        max_items: usize,
    }
    let [name, kind, identifier, max] = parameters(&call.query, ["name", "type", "identifier", "maxitems"])?;
    let max_items = items_max(max, 300)?;
    let start = start_of(name, kind, identifier)?;
    let (page, next) = {
        let state = lab.route53.state();
        listing::page(&state.zone(zone)?.records, state.listing, start.as_ref(), max_items)
    };
    ok(
        "ListResourceRecordSetsResponse",
        Answer {
            resource_record_sets: Sets { items: page.iter().map(WireSet::from).collect() },
            is_truncated: next.is_some(),
            next_record_name: next.as_ref().map(|key| key.name.to_string()),
            next_record_type: next.as_ref().map(|key| key.kind),
            next_record_identifier: next.and_then(|key| key.set_identifier),
            max_items,
        },
    )
}

/// "If you specify Type but not Name: returns InvalidInput"; so too an identifier without a type (API reference).
fn start_of(name: Option<String>, kind: Option<String>, identifier: Option<String>) -> Result<Option<Start>, Refusal> {
    if (name.is_none() && kind.is_some()) || (kind.is_none() && identifier.is_some()) {
        return Err(Refusal::InvalidInput("a start by type needs a name, and one by identifier a type".to_owned()));
    }
    let Some(name) = name else { return Ok(None) };
    let kind = kind.map(|kind| kind.parse().map_err(Refusal::InvalidInput));
    Ok(Some(Start { name: DnsName::parse(&name)?, kind: kind.transpose()?, identifier }))
}

pub(super) fn change(lab: &Arc<Lab>, call: &Call, zone: &str) -> Outcome {
    let batch = read::<ChangeResourceRecordSetsRequest>(&call.body)?.change_batch;
    let edits = batch.changes.items.into_iter().map(WireChange::read).collect::<Result<Vec<Edit>, _>>()?;
    if edits.is_empty() {
        return Err(Refusal::InvalidInput("Invalid request: the batch has no changes".to_owned()));
    }
    let change = lab.route53.state().change(lab.clock.now(), zone, &edits, batch.comment)?;
    follow(lab, &change);
    ok("ChangeResourceRecordSetsResponse", ChangeAnswer { change_info: (&change).into() })
}

/// Creates or replaces a record set as one change, as CloudFormation does.
///
/// # Errors
/// As the call `ChangeResourceRecordSets`.
pub(super) fn put(lab: &Arc<Lab>, zone: &str, set: WireSet) -> Result<(), Refusal> {
    let edits = [WireChange::upsert(set).read()?];
    let change = lab.route53.state().change(lab.clock.now(), zone, &edits, None)?;
    follow(lab, &change);
    Ok(())
}

pub(super) fn get_change(lab: &Lab, id: &str) -> Outcome {
    let state = lab.route53.state();
    let change = state.changes.get(id).ok_or_else(|| Refusal::NoSuchChange(id.to_owned()))?;
    ok("GetChangeResponse", ChangeAnswer { change_info: change.into() })
}

/// Records a new change, and publishes it when its time has come.
fn follow(lab: &Arc<Lab>, change: &Change) {
    record(lab, change);
    let (lab, in_sync_at) = (lab.clone(), change.in_sync_at);
    tokio::spawn(async move {
        lab.clock.sleep_until(in_sync_at).await;
        let settled = lab.route53.state().settle(lab.clock.now());
        for change in settled {
            record(&lab, &change);
        }
    });
}

fn record(lab: &Lab, change: &Change) {
    lab.record(What::Change {
        id: change.id.clone(),
        zone: change.zone.clone(),
        status: change.status().to_owned(),
        names: change.names.clone(),
    });
}
