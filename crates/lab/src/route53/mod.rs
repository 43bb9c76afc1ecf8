//! Route 53's control plane: zones, records, changes, health checks.

pub mod balancer;
mod batch;
mod checks;
mod features;
mod guardrails;
mod limits;
mod listing;
mod name;
mod neighbours;
mod owner;
mod protections;
mod record;
mod refusal;
mod sets;
mod tags;
mod values;
mod wire;
mod zone;
mod zones;

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use axum::http::StatusCode;
use tokio::sync::Notify;

use crate::Lab;
use crate::api::{Call, Reply};
use crate::id;

pub use self::balancer::Balancers;
pub use self::batch::{Records, sets_of, sets_within};
pub(crate) use self::checks::tell_turns;
pub use self::features::{AcceleratedRecovery, Features, Tier};
pub use self::guardrails::Guardrail;
pub use self::listing::Listing;
pub use self::name::{BadName, DnsName};
pub use self::protections::Protections;
pub use self::record::{AzAffinity, Cidr, Coordinates, Failover, GeoLocation, GeoProximity, Key, Kind};
pub use self::record::{RecordSet, Routing, Target};
pub use self::refusal::{ErrorRoot, Refusal};
pub(crate) use self::values::strings_of_txt;
pub use self::zone::{Change, State, Zone};

/// The service's state; Route 53 is global.
#[derive(Debug, Default)]
pub struct Route53 {
    state: Mutex<State>,
    checks_changed: Notify,
    requests: AtomicU64,
    /// How many questions the name servers answered, which is whose turn it is among several records.
    questions: AtomicU64,
    error_root: Mutex<ErrorRoot>,
}

/// A successful answer: status, body, and the `Location` of what was created.
struct Success {
    status: StatusCode,
    body: String,
    location: Option<String>,
}

type Outcome = Result<Success, Refusal>;

/// Answers one API call.
pub async fn answer(lab: &Arc<Lab>, call: &Call) -> Reply {
    let number = lab.route53.requests.fetch_add(1, Ordering::Relaxed);
    let request_id = id::uuid("route53 request", number);
    let (action, resource) = name_of(call);
    let admitted = lab.route53.state().admit(lab.clock.now());
    let outcome = match admitted {
        Ok(()) => dispatch(lab, call, action, &resource),
        Err(refusal) => Err(refusal),
    };
    let (status, body, location, error) = match outcome {
        Ok(success) => (success.status, success.body, success.location, None),
        Err(refusal) => {
            let (code, status) = refusal.code();
            (status, refusal.body(lab.route53.error_root(), &request_id), None, Some(code.to_owned()))
        }
    };
    let mut headers = vec![("x-amzn-requestid", request_id)];
    headers.extend(location.map(|location| ("location", location)));
    let body = body.into_bytes();
    Reply { action: action.to_owned(), resource, status, content_type: "text/xml", headers, body, error }
}

/// A refusal that is not Route 53's own.
pub(crate) fn refuse(action: &str, refusal: &crate::wire::Refusal) -> Reply {
    let body = wire::error(&refusal.code, &refusal.message, "", &id::uuid("route53 refusal", 0));
    Reply {
        status: refusal.status,
        error: Some(refusal.code.clone()),
        ..Reply::ok(action, "", "text/xml", body.into_bytes())
    }
}

/// The API's name of a call, and what it is about, without `/hostedzone/` and the like.
pub(crate) fn name_of(call: &Call) -> (&'static str, String) {
    let path = percent_encoding::percent_decode_str(&call.path).decode_utf8_lossy();
    let mut parts: Vec<_> = path.split('/').filter(|part| !part.is_empty()).collect();
    // Requests may name a zone `Z1` or `/hostedzone/Z1`; so too changes. Only tags belong to bare ids (recorded by moto).
    if parts.get(1) != Some(&"tags") {
        parts.dedup();
    }
    let parts = parts.strip_prefix(&["2013-04-01"]).unwrap_or_default();
    let (action, id) = match (call.method.as_str(), parts) {
        ("POST", ["hostedzone"]) => ("CreateHostedZone", ""),
        ("GET", ["hostedzone"]) => ("ListHostedZones", ""),
        ("DELETE", ["hostedzone", id]) => ("DeleteHostedZone", *id),
        ("GET", ["hostedzonesbyname"]) => ("ListHostedZonesByName", ""),
        ("GET", ["hostedzone", id]) => ("GetHostedZone", *id),
        ("GET", ["hostedzone", id, "rrset"]) => ("ListResourceRecordSets", *id),
        ("POST", ["hostedzone", id, "rrset"]) => ("ChangeResourceRecordSets", *id),
        ("GET", ["hostedzone", id, "rrsetprotection"]) => ("ListResourceRecordSetProtections", *id),
        ("POST", ["hostedzone", id, "rrsetprotection"]) => ("CreateResourceRecordSetProtections", *id),
        ("POST", ["hostedzone", id, "rrsetprotection", "delete"]) => ("DeleteResourceRecordSetProtections", *id),
        ("POST", ["hostedzone", id, "features"]) => ("UpdateHostedZoneFeatures", *id),
        ("POST", ["hostedzone", id, "tier"]) => ("UpdateHostedZoneTier", *id),
        ("GET", ["accountlimit", kind]) => ("GetAccountLimit", *kind),
        ("GET", ["hostedzonelimit", id, _]) => ("GetHostedZoneLimit", *id),
        ("GET", ["change", id]) => ("GetChange", *id),
        ("POST", ["healthcheck"]) => ("CreateHealthCheck", ""),
        ("GET", ["healthcheck"]) => ("ListHealthChecks", ""),
        ("GET", ["healthcheck", id]) => ("GetHealthCheck", *id),
        ("POST", ["healthcheck", id]) => ("UpdateHealthCheck", *id),
        ("DELETE", ["healthcheck", id]) => ("DeleteHealthCheck", *id),
        ("GET", ["healthcheck", id, "status"]) => ("GetHealthCheckStatus", *id),
        ("POST", ["tags", _, id @ ..]) if !id.is_empty() => return ("ChangeTagsForResource", id.join("/")),
        ("GET", ["tags", _, id @ ..]) if !id.is_empty() => return ("ListTagsForResource", id.join("/")),
        _ => ("?", &*path),
    };
    (action, id.to_owned())
}

/// What a change batch touches, as the condition keys of `ChangeResourceRecordSets` tell it.
pub(crate) struct Touched {
    /// Normalized: lower case, without trailing dot, other characters as `\ooo`.
    pub names: BTreeSet<String>,
    pub types: BTreeSet<String>,
    pub actions: BTreeSet<String>,
}

/// Reads what a `ChangeResourceRecordSets` call touches.
pub(crate) fn touched_by(call: &Call) -> Result<Touched, Refusal> {
    let batch = wire::read::<wire::ChangeResourceRecordSetsRequest>(&call.body)?.change_batch;
    let mut touched = Touched { names: BTreeSet::new(), types: BTreeSet::new(), actions: BTreeSet::new() };
    for edit in batch.changes.items.into_iter().map(sets::WireChange::read) {
        let edit = edit?;
        touched.names.insert(edit.set.key.name.bare());
        touched.types.insert(edit.set.key.kind.to_string());
        touched.actions.insert(format!("{:?}", edit.action).to_uppercase());
    }
    Ok(touched)
}

fn dispatch(lab: &Arc<Lab>, call: &Call, action: &str, id: &str) -> Outcome {
    match action {
        "CreateHostedZone" => zones::create(lab, call),
        "GetHostedZone" => zones::get(lab, id),
        "ListHostedZones" => zones::list(lab, call),
        "DeleteHostedZone" => zones::delete(lab, id),
        "ChangeTagsForResource" => tags::change(lab, call, id),
        "ListTagsForResource" => tags::list(lab, call, id),
        "ListHostedZonesByName" => zones::list_by_name(lab, call),
        "ListResourceRecordSets" => zones::list_records(lab, call, id),
        "ChangeResourceRecordSets" => zones::change(lab, call, id),
        "ListResourceRecordSetProtections" => protections::list(lab, call, id),
        "CreateResourceRecordSetProtections" => protections::create(lab, call, id),
        "DeleteResourceRecordSetProtections" => protections::delete(lab, call, id),
        "UpdateHostedZoneFeatures" => features::update(lab, call, id),
        "UpdateHostedZoneTier" => features::update_tier(lab, call, id),
        "GetAccountLimit" => limits::of_account(lab, call),
        "GetHostedZoneLimit" => limits::of_zone(lab, call, id),
        "GetChange" => zones::get_change(lab, id),
        "CreateHealthCheck" => checks::create_call(lab, call),
        "ListHealthChecks" => checks::list(lab, call),
        "GetHealthCheck" => checks::get(lab, id),
        "UpdateHealthCheck" => checks::update(lab, call, id),
        "DeleteHealthCheck" => checks::delete(lab, id),
        "GetHealthCheckStatus" => checks::status(lab, id),
        _ => Err(Refusal::NotImplemented(format!("{} {}", call.method, call.path))),
    }
}
