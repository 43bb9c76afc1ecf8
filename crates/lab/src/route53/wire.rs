//! Route 53's XML.

use percent_encoding::percent_decode_str;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde::{Deserialize, Serialize};

use super::features::{Tier, WireFeatures};
use super::protections::Fault;
use super::sets::{WireChange, WireSet};
use super::zone::{Change, NAME_SERVERS, Zone};
use super::{Outcome, Refusal, Success};
use axum::http::StatusCode;
use jiff::Timestamp;

const NAMESPACE: &str = "https://route53.amazonaws.com/doc/2013-04-01/";

/// Reads a request's body.
pub(super) fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Refusal> {
    let text = std::str::from_utf8(body).map_err(|error| Refusal::InvalidInput(format!("Invalid XML ; {error}")))?;
    quick_xml::de::from_str(text).map_err(|error: quick_xml::DeError| {
        let error = error.to_string();
        match crate::wire::lacking(&error) {
            Some(what) => Refusal::NotImplemented(what),
            None => Refusal::InvalidInput(format!("Invalid XML ; {error}")),
        }
    })
}

fn text(root: &str, body: impl Serialize) -> Result<String, Refusal> {
    let xml = quick_xml::se::to_string_with_root(root, &body)
        .map_err(|error| Refusal::InvalidInput(format!("the lab cannot write its answer: {error}")))?;
    let rooted = xml.replacen(root, &format!("{root} xmlns=\"{NAMESPACE}\""), 1);
    Ok(format!(
        "<?xml version=\"1.0\"?>
{rooted}"
    ))
}

/// An answer of this root element.
pub(super) fn ok(root: &str, body: impl Serialize) -> Outcome {
    Ok(Success { status: StatusCode::OK, body: text(root, body)?, location: None })
}

/// An answer of this root element that says where the new resource is.
pub(super) fn created(root: &str, location: String, body: impl Serialize) -> Outcome {
    let location = Some(format!("https://route53.amazonaws.com/2013-04-01{location}"));
    Ok(Success { status: StatusCode::CREATED, body: text(root, body)?, location })
}

/// The body of a refusal; `more` is XML about it.
pub(super) fn error(code: &str, message: &str, more: &str, request_id: &str) -> String {
    let message = quick_xml::escape::escape(message);
    format!(
        "<?xml version=\"1.0\"?>\n<ErrorResponse xmlns=\"{NAMESPACE}\"><Error><Type>Sender</Type><Code>{code}</Code>\
         <Message>{message}</Message>{more}</Error><RequestId>{request_id}</RequestId></ErrorResponse>"
    )
}

/// The body of an `InvalidChangeBatch` by its older root, which AWS's model still has beside the other.
pub(super) fn invalid_change_batch(messages: &[String], request_id: &str) -> String {
    let messages: String =
        messages.iter().map(|message| format!("<Message>{}</Message>", quick_xml::escape::escape(message))).collect();
    format!(
        "<?xml version=\"1.0\"?>\n<InvalidChangeBatch xmlns=\"{NAMESPACE}\"><Messages>{messages}</Messages>\
         <RequestId>{request_id}</RequestId></InvalidChangeBatch>"
    )
}

/// `Errors` of a refusal about protections.
pub(super) fn protection_errors(faults: &[Fault]) -> String {
    #[derive(Serialize)]
    struct Errors<'a> {
        #[serde(rename = "ProtectionError")]
        items: &'a [Fault],
    }
    quick_xml::se::to_string_with_root("Errors", &Errors { items: faults }).unwrap_or_default()
}

/// The parameters of a query string, if all are among `known`.
pub(super) fn parameters<const N: usize>(query: &str, known: [&str; N]) -> Result<[Option<String>; N], Refusal> {
    let mut values = [const { None }; N];
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let place = known.iter().position(|known| *known == name);
        let place = place.ok_or_else(|| Refusal::NotImplemented(format!("the parameter {name}")))?;
        let value =
            percent_decode_str(value).decode_utf8().map_err(|error| Refusal::InvalidInput(error.to_string()))?;
        values[place] = Some(value.into_owned()).filter(|value| !value.is_empty());
    }
    Ok(values)
}

/// The `maxitems` of a listing.
pub(super) fn items_max(given: Option<String>, most: usize) -> Result<usize, Refusal> {
    let Some(given) = given else { return Ok(most) };
    match given.parse::<usize>() {
        Ok(items) if items > 0 => Ok(items.min(most)),
        _ => Err(Refusal::InvalidInput(format!("maxitems must be a positive number, not {given}"))),
    }
}

/// An element that holds several of another.
macro_rules! list_of {
    ($list:ident, $element:literal, $item:ty) => {
        #[derive(Clone, Debug, Serialize, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub(super) struct $list {
            #[serde(rename = $element, default)]
            pub items: Vec<$item>,
        }
    };
}

list_of!(Changes, "Change", WireChange);
list_of!(Sets, "ResourceRecordSet", WireSet);
list_of!(NameServers, "NameServer", String);

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct CreateHostedZoneRequest {
    #[serde(rename = "@xmlns", default)]
    _xmlns: IgnoredAny,
    pub name: String,
    pub caller_reference: String,
    pub hosted_zone_config: Option<HostedZoneConfig>,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct HostedZoneConfig {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    #[serde(default)]
    pub private_zone: bool,
    /// "Route 53 always returns this value."
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hosted_zone_tier: Option<Tier>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct WireZone {
    id: String,
    name: String,
    caller_reference: String,
    config: HostedZoneConfig,
    resource_record_set_count: usize,
    features: WireFeatures,
}

impl WireZone {
    pub(super) fn new(zone: &Zone, now: Timestamp) -> Self {
        let (comment, tier) = (zone.comment.clone(), Some(zone.features.tier));
        Self {
            id: format!("/hostedzone/{}", zone.id),
            name: zone.name.to_string(),
            caller_reference: zone.caller_reference.clone(),
            config: HostedZoneConfig { comment, private_zone: false, hosted_zone_tier: tier },
            resource_record_set_count: zone.records.len(),
            features: WireFeatures::new(&zone.features, now),
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct DelegationSet {
    name_servers: NameServers,
}

impl Default for DelegationSet {
    fn default() -> Self {
        Self { name_servers: NameServers { items: NAME_SERVERS.map(str::to_owned).to_vec() } }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ChangeInfo {
    id: String,
    status: &'static str,
    submitted_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    comment: Option<String>,
}

impl From<&Change> for ChangeInfo {
    fn from(change: &Change) -> Self {
        Self {
            id: format!("/change/{}", change.id),
            status: change.status(),
            submitted_at: format!("{:.3}", change.submitted),
            comment: change.comment.clone(),
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct ChangeResourceRecordSetsRequest {
    #[serde(rename = "@xmlns", default)]
    _xmlns: IgnoredAny,
    pub change_batch: ChangeBatch,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct ChangeBatch {
    pub comment: Option<String>,
    pub changes: Changes,
}
