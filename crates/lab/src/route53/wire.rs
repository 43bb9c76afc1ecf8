//! Route 53's XML.

use percent_encoding::percent_decode_str;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde::{Deserialize, Serialize};

use super::batch::{Action, Edit};
use super::zone::{Change, NAME_SERVERS, Zone};
use super::{DnsName, Failover, Key, Kind, Outcome, RecordSet, Refusal, Success, Target};
use axum::http::StatusCode;

const NAMESPACE: &str = "https://route53.amazonaws.com/doc/2013-04-01/";

/// Reads a request's body.
pub(super) fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Refusal> {
    let text = std::str::from_utf8(body).map_err(|error| Refusal::InvalidInput(format!("Invalid XML ; {error}")))?;
    quick_xml::de::from_str(text).map_err(|error| Refusal::InvalidInput(format!("Invalid XML ; {error}")))
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

/// The body of a refusal.
pub(super) fn error(code: &str, message: &str, request_id: &str) -> String {
    let message = quick_xml::escape::escape(message);
    format!(
        "<?xml version=\"1.0\"?>\n<ErrorResponse xmlns=\"{NAMESPACE}\"><Error><Type>Sender</Type><Code>{code}</Code>\
         <Message>{message}</Message></Error><RequestId>{request_id}</RequestId></ErrorResponse>"
    )
}

/// The parameters of a query string, if all are among `known`.
pub(super) fn parameters<const N: usize>(query: &str, known: [&str; N]) -> Result<[Option<String>; N], Refusal> {
    let mut values = [const { None }; N];
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let place = known.iter().position(|known| *known == name);
        let place =
            place.ok_or_else(|| Refusal::InvalidInput(format!("the lab does not know the parameter {name}")))?;
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
list_of!(ResourceRecords, "ResourceRecord", ResourceRecord);
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
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct WireZone {
    id: String,
    name: String,
    caller_reference: String,
    config: HostedZoneConfig,
    resource_record_set_count: usize,
}

impl From<&Zone> for WireZone {
    fn from(zone: &Zone) -> Self {
        Self {
            id: format!("/hostedzone/{}", zone.id),
            name: zone.name.to_string(),
            caller_reference: zone.caller_reference.clone(),
            config: HostedZoneConfig { comment: zone.comment.clone(), private_zone: false },
            resource_record_set_count: zone.records.len(),
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

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct WireChange {
    action: WireAction,
    resource_record_set: WireSet,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
enum WireAction {
    Create,
    Delete,
    Upsert,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct WireSet {
    name: String,
    #[serde(rename = "Type")]
    kind: Kind,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    set_identifier: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    failover: Option<Failover>,
    #[serde(rename = "TTL", default, skip_serializing_if = "Option::is_none")]
    ttl: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    resource_records: Option<ResourceRecords>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    alias_target: Option<AliasTarget>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    health_check_id: Option<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct ResourceRecord {
    value: String,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct AliasTarget {
    #[serde(rename = "HostedZoneId")]
    zone: String,
    #[serde(rename = "DNSName")]
    name: String,
    #[serde(rename = "EvaluateTargetHealth")]
    evaluate_target_health: bool,
}

impl From<&RecordSet> for WireSet {
    fn from(set: &RecordSet) -> Self {
        let (ttl, resource_records, alias_target) = match &set.target {
            Target::Values { ttl, values } => {
                let items = values.iter().map(|value| ResourceRecord { value: value.clone() }).collect();
                (Some(*ttl), Some(ResourceRecords { items }), None)
            }
            Target::Alias { zone, name, evaluate_target_health } => {
                let (zone, name) = (zone.clone(), name.to_string());
                (None, None, Some(AliasTarget { zone, name, evaluate_target_health: *evaluate_target_health }))
            }
        };
        Self {
            name: set.key.name.to_string(),
            kind: set.key.kind,
            set_identifier: set.key.set_identifier.clone(),
            failover: set.failover,
            ttl,
            resource_records,
            alias_target,
            health_check_id: set.health_check.clone(),
        }
    }
}

impl WireChange {
    /// Reads a change, refusing what no record set can be.
    pub(super) fn read(self) -> Result<Edit, Refusal> {
        let set = self.resource_record_set;
        let action = match self.action {
            WireAction::Create => Action::Create,
            WireAction::Delete => Action::Delete,
            WireAction::Upsert => Action::Upsert,
        };
        let refuse = |problem: &str| {
            let identifier = set.set_identifier.as_deref().unwrap_or("null");
            Err(Refusal::InvalidInput(format!(
                "Invalid request: {problem} in Change with [Action={}, Name={}, Type={}, SetIdentifier={identifier}]",
                format!("{:?}", self.action).to_uppercase(),
                set.name,
                set.kind
            )))
        };
        let choice =
            "Expected exactly one of [AliasTarget, all of [TTL, and ResourceRecords], or TrafficPolicyInstanceId]";
        let target = match (set.ttl, &set.resource_records, &set.alias_target) {
            (Some(ttl), Some(records), None) if !records.items.is_empty() => {
                Target::Values { ttl, values: records.items.iter().map(|record| record.value.clone()).collect() }
            }
            (None, None, Some(alias)) => Target::Alias {
                zone: alias.zone.trim_start_matches("/hostedzone/").to_owned(),
                name: DnsName::parse(&alias.name)?,
                evaluate_target_health: alias.evaluate_target_health,
            },
            (_, _, Some(_)) => return refuse(&format!("{choice}, but found more than one")),
            (_, _, None) => return refuse(&format!("{choice}, but found none")),
        };
        match (set.failover, &set.set_identifier) {
            (Some(_), None) => return refuse("Missing field 'SetIdentifier'"),
            (None, Some(_)) => {
                return refuse("Missing one of the fields [Weight, Region, Failover, GeoLocation, MultiValueAnswer]");
            }
            _ => {}
        }
        let key = Key { name: DnsName::parse(&set.name)?, kind: set.kind, set_identifier: set.set_identifier };
        Ok(Edit { action, set: RecordSet { key, failover: set.failover, health_check: set.health_check_id, target } })
    }
}
