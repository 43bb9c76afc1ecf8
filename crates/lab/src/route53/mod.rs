//! Route 53's control plane: zones, records, changes, health checks.

mod batch;
mod checks;
mod name;
mod record;
mod tags;
mod wire;
mod zone;
mod zones;

use std::collections::BTreeSet;
use std::ops::RangeInclusive;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::http::StatusCode;
use jiff::Timestamp;
use tokio::sync::Notify;
use tokio::sync::futures::Notified;

use crate::Lab;
use crate::api::{Call, Reply};
use crate::dns::{Answer, View};
use crate::health::{Checks, HealthCheckConfig};
use crate::id;

pub use self::batch::{Records, sets_of, sets_within};
pub use self::name::{BadName, DnsName};
pub(crate) use self::record::strings_of_txt;
pub use self::record::{Failover, Key, Kind, RecordSet, Target};
pub use self::zone::{Change, State, Zone};

/// The service's state; Route 53 is global.
#[derive(Debug, Default)]
pub struct Route53 {
    state: Mutex<State>,
    checks_changed: Notify,
    requests: AtomicU64,
}

/// Why Route 53 refuses a request.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The zone is not there.
    #[error("No hosted zone found with ID: {0}")]
    NoSuchHostedZone(String),
    /// The change is not there.
    #[error("A change with the specified change ID does not exist: {0}")]
    NoSuchChange(String),
    /// The health check is not there.
    #[error("A health check with id {0} does not exist.")]
    NoSuchHealthCheck(String),
    /// The creator's reference was used before.
    #[error("A hosted zone has already been created with the specified caller reference: {0}")]
    HostedZoneAlreadyExists(String),
    /// The creator's reference was used before, with other settings.
    #[error("A health check with the same caller reference and other settings already exists: {0}")]
    HealthCheckAlreadyExists(String),
    /// Somebody updated the check in between.
    #[error(
        "The value of HealthCheckVersion in the request doesn't match the value of HealthCheckVersion in the health check."
    )]
    HealthCheckVersionMismatch,
    /// There is more in it than its NS and SOA records.
    #[error("The specified hosted zone contains non-required resource record sets and so cannot be deleted.")]
    HostedZoneNotEmpty,
    /// Something is wrong with the batch.
    #[error("[{}]", .0.join(", "))]
    InvalidChangeBatch(Vec<String>),
    /// Something is wrong with the request.
    #[error("{0}")]
    InvalidInput(String),
    /// The account asks too often.
    #[error("Rate exceeded")]
    Throttling,
    /// The lab does not know the call.
    #[error("the lab does not know {0}")]
    NotImplemented(String),
}

impl Refusal {
    fn code(&self) -> (&'static str, StatusCode) {
        match self {
            Self::NoSuchHostedZone(_) => ("NoSuchHostedZone", StatusCode::NOT_FOUND),
            Self::NoSuchChange(_) => ("NoSuchChange", StatusCode::NOT_FOUND),
            Self::NoSuchHealthCheck(_) => ("NoSuchHealthCheck", StatusCode::NOT_FOUND),
            Self::HostedZoneAlreadyExists(_) => ("HostedZoneAlreadyExists", StatusCode::CONFLICT),
            Self::HealthCheckAlreadyExists(_) => ("HealthCheckAlreadyExists", StatusCode::CONFLICT),
            Self::HealthCheckVersionMismatch => ("HealthCheckVersionMismatch", StatusCode::CONFLICT),
            Self::HostedZoneNotEmpty => ("HostedZoneNotEmpty", StatusCode::BAD_REQUEST),
            Self::InvalidChangeBatch(_) => ("InvalidChangeBatch", StatusCode::BAD_REQUEST),
            Self::InvalidInput(_) => ("InvalidInput", StatusCode::BAD_REQUEST),
            Self::Throttling => ("Throttling", StatusCode::BAD_REQUEST),
            Self::NotImplemented(_) => ("NotImplemented", StatusCode::NOT_IMPLEMENTED),
        }
    }
}

impl From<BadName> for Refusal {
    fn from(bad: BadName) -> Self {
        Self::InvalidInput(format!("FATAL problem: {bad}"))
    }
}

impl Route53 {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes a zone that the name servers answer at once, and returns its id.
    ///
    /// # Errors
    /// If the name is no DNS name.
    pub fn create_zone(&self, now: Timestamp, name: &str) -> Result<String, Refusal> {
        let mut state = self.state();
        let reference = format!("lab-{}", state.mint());
        let (zone, change) = state.create_zone(now, DnsName::parse(name)?, reference, None)?;
        state.publish(&change.id);
        Ok(zone.id)
    }

    /// The control plane's record sets of a zone; none if there is no such zone.
    pub fn records(&self, zone: &str) -> Vec<RecordSet> {
        self.state().zone(zone).map(|zone| zone.records.values().cloned().collect()).unwrap_or_default()
    }

    /// Every health check's name, and what it says.
    pub fn health(&self) -> Vec<(String, bool)> {
        self.checks(|checks| {
            checks.iter().filter_map(|check| Some((check.name().to_owned(), checks.healthy(&check.id)?))).collect()
        })
    }

    /// How long changes take to reach the name servers from now on.
    pub fn set_propagation(&self, delays: RangeInclusive<Duration>) {
        self.state().delays = delays;
    }

    /// Makes a health check, and returns its id.
    ///
    /// # Errors
    /// If its settings are wrong, or refer to what is not there.
    pub fn create_health_check(&self, lab: &Lab, config: HealthCheckConfig) -> Result<String, Refusal> {
        let reference = format!("lab-{}", self.state().mint());
        checks::create(lab, reference, config)
    }

    /// What a health check says; nothing if there is no such check.
    pub fn healthy(&self, check: &str) -> Option<bool> {
        self.state().checks.healthy(check)
    }

    /// What the name servers answer.
    pub fn resolve(&self, name: &DnsName, kind: Option<Kind>) -> Answer {
        let state = self.state();
        View { zones: &state.zones, checks: &state.checks }.answer(name, kind)
    }

    pub(crate) fn checks<T>(&self, work: impl FnOnce(&mut Checks) -> T) -> T {
        work(&mut self.state().checks)
    }

    /// Completes when a health check is created, updated or deleted.
    pub(crate) fn checks_changed(&self) -> Notified<'_> {
        self.checks_changed.notified()
    }
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
            (status, wire::error(code, &refusal.to_string(), &request_id), None, Some(code.to_owned()))
        }
    };
    let mut headers = vec![("x-amzn-requestid", request_id)];
    headers.extend(location.map(|location| ("location", location)));
    let body = body.into_bytes();
    Reply { action: action.to_owned(), resource, status, content_type: "text/xml", headers, body, error }
}

/// A refusal that is not Route 53's own.
pub(crate) fn refuse(action: &str, refusal: &crate::wire::Refusal) -> Reply {
    let body = wire::error(&refusal.code, &refusal.message, &id::uuid("route53 refusal", 0));
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
    // Requests may name a zone `Z1` or `/hostedzone/Z1`; so too changes.
    parts.dedup();
    let parts = parts.strip_prefix(&["2013-04-01"]).unwrap_or_default();
    let (action, id) = match (call.method.as_str(), parts) {
        ("POST", ["hostedzone"]) => ("CreateHostedZone", ""),
        ("GET", ["hostedzone"]) => ("ListHostedZones", ""),
        ("DELETE", ["hostedzone", id]) => ("DeleteHostedZone", *id),
        ("GET", ["hostedzonesbyname"]) => ("ListHostedZonesByName", ""),
        ("GET", ["hostedzone", id]) => ("GetHostedZone", *id),
        ("GET", ["hostedzone", id, "rrset"]) => ("ListResourceRecordSets", *id),
        ("POST", ["hostedzone", id, "rrset"]) => ("ChangeResourceRecordSets", *id),
        ("GET", ["change", id]) => ("GetChange", *id),
        ("POST", ["healthcheck"]) => ("CreateHealthCheck", ""),
        ("GET", ["healthcheck"]) => ("ListHealthChecks", ""),
        ("GET", ["healthcheck", id]) => ("GetHealthCheck", *id),
        ("POST", ["healthcheck", id]) => ("UpdateHealthCheck", *id),
        ("DELETE", ["healthcheck", id]) => ("DeleteHealthCheck", *id),
        ("GET", ["healthcheck", id, "status"]) => ("GetHealthCheckStatus", *id),
        ("POST", ["tags", _, id]) => ("ChangeTagsForResource", *id),
        ("GET", ["tags", _, id]) => ("ListTagsForResource", *id),
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
    for edit in batch.changes.items.into_iter().map(wire::WireChange::read) {
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
