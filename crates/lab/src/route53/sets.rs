//! Record sets in Route 53's XML, and what it refuses of them before it looks at the zone.

use serde::{Deserialize, Serialize};

use super::batch::{Action, Edit};
use super::record::{AzAffinity, Cidr, GeoLocation, GeoProximity, RecordSet, Routing, Target};
use super::{DnsName, Failover, Key, Kind, Refusal};

/// The largest TTL that Route 53 takes (API reference, `ResourceRecordSet`).
const TTL_MAX: i64 = 2_147_483_647;
const IDENTIFIER_MAX: usize = 128;
const VALUE_MAX: usize = 4_000;
/// CloudFront's hosted zone: "You can't set `EvaluateTargetHealth` to true when the alias target is a CloudFront
/// distribution" (API reference, `AliasTarget`).
const CLOUDFRONT: &str = "Z2FDTNDATAQYW2";
const CONTINENTS: [&str; 7] = ["AF", "AN", "AS", "EU", "NA", "OC", "SA"];
const LOCATION_TYPES: [&str; 5] = ["AvailabilityZone", "AvailabilityZoneGroup", "Region", "Partition", "Global"];
/// `ResourceRecordSetRegion`, as of November 2026.
const REGIONS: [&str; 39] = [
    "us-east-1",
    "us-east-2",
    "us-west-1",
    "us-west-2",
    "ca-central-1",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "eu-central-1",
    "eu-central-2",
    "ap-southeast-1",
    "ap-southeast-2",
    "ap-southeast-3",
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-northeast-3",
    "eu-north-1",
    "sa-east-1",
    "cn-north-1",
    "cn-northwest-1",
    "ap-east-1",
    "me-south-1",
    "me-central-1",
    "ap-south-1",
    "ap-south-2",
    "af-south-1",
    "eu-south-1",
    "eu-south-2",
    "ap-southeast-4",
    "il-central-1",
    "ca-west-1",
    "ap-southeast-5",
    "mx-central-1",
    "ap-southeast-7",
    "us-gov-east-1",
    "us-gov-west-1",
    "ap-east-2",
    "ap-southeast-6",
    "eusc-de-east-1",
];

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
    weight: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    region: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    geo_location: Option<GeoLocation>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    failover: Option<Failover>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    multi_value_answer: Option<bool>,
    #[serde(rename = "TTL", default, skip_serializing_if = "Option::is_none")]
    ttl: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    resource_records: Option<ResourceRecords>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    alias_target: Option<AliasTarget>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    health_check_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    traffic_policy_instance_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cidr_routing_config: Option<Cidr>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    geo_proximity_location: Option<GeoProximity>,
    #[serde(rename = "AZAffinity", default, skip_serializing_if = "Option::is_none")]
    az_affinity: Option<AzAffinity>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ResourceRecords {
    #[serde(rename = "ResourceRecord", default)]
    items: Vec<ResourceRecord>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct ResourceRecord {
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
        let mut wire = Self {
            name: set.key.name.to_string(),
            kind: set.key.kind,
            set_identifier: set.key.set_identifier.clone(),
            weight: None,
            region: None,
            geo_location: None,
            failover: None,
            multi_value_answer: None,
            ttl: None,
            resource_records: None,
            alias_target: None,
            health_check_id: set.health_check.clone(),
            traffic_policy_instance_id: set.traffic_policy_instance.clone(),
            cidr_routing_config: None,
            geo_proximity_location: None,
            az_affinity: None,
        };
        match set.routing.clone() {
            Routing::Simple => {}
            Routing::Failover(half) => wire.failover = Some(half),
            Routing::Weighted(weight) => wire.weight = Some(weight.into()),
            Routing::Latency(region) => wire.region = Some(region),
            Routing::Geolocation(location) => wire.geo_location = Some(location),
            Routing::Geoproximity(location) => wire.geo_proximity_location = Some(location),
            Routing::Cidr(cidr) => wire.cidr_routing_config = Some(cidr),
            Routing::AzAffinity(affinity) => wire.az_affinity = Some(affinity),
            Routing::Multivalue => wire.multi_value_answer = Some(true),
        }
        match &set.target {
            Target::TrafficPolicy => {}
            Target::Values { ttl, values } => {
                let items = values.iter().map(|value| ResourceRecord { value: value.clone() }).collect();
                wire.ttl = Some((*ttl).into());
                wire.resource_records = Some(ResourceRecords { items });
            }
            Target::Alias { zone, name, evaluate_target_health } => {
                let (zone, name) = (zone.clone(), name.to_string());
                wire.alias_target = Some(AliasTarget { zone, name, evaluate_target_health: *evaluate_target_health });
            }
        }
        wire
    }
}

impl WireChange {
    pub(super) fn upsert(resource_record_set: WireSet) -> Self {
        Self { action: WireAction::Upsert, resource_record_set }
    }

    /// Reads a change, refusing what no record set can be.
    pub(super) fn read(self) -> Result<Edit, Refusal> {
        let (set, action) = (self.resource_record_set, self.action);
        let described = format!(
            "in Change with [Action={}, Name={}, Type={}, SetIdentifier={}]",
            format!("{action:?}").to_uppercase(),
            set.name,
            set.kind,
            set.set_identifier.as_deref().unwrap_or("null"),
        );
        let action = match action {
            WireAction::Create => Action::Create,
            WireAction::Delete => Action::Delete,
            WireAction::Upsert => Action::Upsert,
        };
        match set.read()? {
            Ok(set) => Ok(Edit { action, set }),
            Err(problem) => Err(Refusal::InvalidInput(format!("Invalid request: {problem} {described}"))),
        }
    }
}

fn out_of_range(value: impl std::fmt::Display, field: &str, must: &str) -> Refusal {
    Refusal::InvalidInput(format!(
        "1 validation error detected: Value '{value}' at '{field}' failed to satisfy constraint: Member must {must}"
    ))
}

impl WireSet {
    /// The record set, or what is wrong with it; what the schema forbids is refused at once.
    fn read(self) -> Result<Result<RecordSet, String>, Refusal> {
        let routing = match self.routing()? {
            Ok(routing) => routing,
            Err(problem) => return Ok(Err(problem)),
        };
        let target = match self.target()? {
            Ok(target) => target,
            Err(problem) => return Ok(Err(problem)),
        };
        if let Some(problem) = problem_of(self.kind, &routing, &target, self.set_identifier.as_deref()) {
            return Ok(Err(problem));
        }
        let key = Key { name: DnsName::parse(&self.name)?, kind: self.kind, set_identifier: self.set_identifier };
        let traffic_policy_instance = self.traffic_policy_instance_id;
        Ok(Ok(RecordSet { key, routing, health_check: self.health_check_id, target, traffic_policy_instance }))
    }

    fn routing(&self) -> Result<Result<Routing, String>, Refusal> {
        let weighted = match self.weight {
            None => None,
            Some(weight) => match u8::try_from(weight) {
                Ok(weight) => Some(Routing::Weighted(weight)),
                Err(_) => return Err(out_of_range(weight, "weight", "have value between 0 and 255")),
            },
        };
        let is_multivalue = self.multi_value_answer == Some(true);
        let given = [
            weighted,
            self.region.clone().map(Routing::Latency),
            self.failover.map(Routing::Failover),
            self.geo_location.clone().map(Routing::Geolocation),
            is_multivalue.then_some(Routing::Multivalue),
            self.cidr_routing_config.clone().map(Routing::Cidr),
            self.geo_proximity_location.clone().map(Routing::Geoproximity),
            self.az_affinity.clone().map(Routing::AzAffinity),
        ];
        let mut given = given.into_iter().flatten();
        match (given.next(), given.next()) {
            (None, _) => Ok(Ok(Routing::Simple)),
            (Some(routing), None) => check_place(&routing).map(|()| Ok(routing)),
            (Some(_), Some(_)) => Ok(Err("Expected exactly one of [Weight, Region, Failover, GeoLocation, \
                                         MultiValueAnswer, CidrRoutingConfig, GeoProximityLocation, AZAffinity], but \
                                         found more than one"
                .to_owned())),
        }
    }

    fn target(&self) -> Result<Result<Target, String>, Refusal> {
        if let Some(ttl) = self.ttl.filter(|ttl| !(0..=TTL_MAX).contains(ttl)) {
            return Err(out_of_range(ttl, "tTL", &format!("have value between 0 and {TTL_MAX}")));
        }
        let values = self.resource_records.as_ref().map(|records| &records.items);
        if let Some(long) = values.into_iter().flatten().find(|record| record.value.chars().count() > VALUE_MAX) {
            return Err(out_of_range(&long.value, "value", &format!("have length less than or equal to {VALUE_MAX}")));
        }
        let choice =
            "Expected exactly one of [AliasTarget, all of [TTL, and ResourceRecords], or TrafficPolicyInstanceId]";
        let ttl = self.ttl.and_then(|ttl| u32::try_from(ttl).ok());
        Ok(match (ttl, values, &self.alias_target) {
            (Some(ttl), Some(records), None) if !records.is_empty() => {
                Ok(Target::Values { ttl, values: records.iter().map(|record| record.value.clone()).collect() })
            }
            (None, None, Some(alias)) => Ok(Target::Alias {
                zone: alias.zone.trim_start_matches("/hostedzone/").to_owned(),
                name: DnsName::parse(&alias.name)?,
                evaluate_target_health: alias.evaluate_target_health,
            }),
            (_, None, None) if self.traffic_policy_instance_id.is_some() => Ok(Target::TrafficPolicy),
            (_, _, Some(_)) => Err(format!("{choice}, but found more than one")),
            (_, _, None) => Err(format!("{choice}, but found none")),
        })
    }
}

/// What the schema forbids of a routing by itself.
fn check_place(routing: &Routing) -> Result<(), Refusal> {
    let is_code = |code: &str| code == "*" || (code.len() == 2 && code.bytes().all(|byte| byte.is_ascii_uppercase()));
    let problem = match routing {
        Routing::Latency(region) if !REGIONS.contains(&region.as_str()) => Some(format!("region '{region}'")),
        Routing::Geolocation(place) => {
            let country = place.country_code.as_deref();
            let is_right = match (place.continent_code.as_deref(), country, place.subdivision_code.as_deref()) {
                (Some(continent), None, None) => CONTINENTS.contains(&continent),
                (None, Some(country), None) => is_code(country),
                (None, Some(country), Some(part)) => {
                    is_code(country) && country != "*" && (1..=3).contains(&part.len())
                }
                _ => false,
            };
            (!is_right).then(|| format!("geoLocation {place:?}"))
        }
        Routing::Geoproximity(place) => {
            let given = [place.region.is_some(), place.local_zone_group.is_some(), place.coordinates.is_some()];
            let is_right = given.into_iter().filter(|is_given| *is_given).count() == 1
                && place.bias.is_none_or(|bias| (-99..=99).contains(&bias));
            (!is_right).then(|| format!("geoProximityLocation {place:?}"))
        }
        Routing::Cidr(cidr) => {
            let is_right = (1..=16).contains(&cidr.location_name.len()) && cidr.collection_id.len() == 36;
            (!is_right).then(|| format!("cidrRoutingConfig {cidr:?}"))
        }
        Routing::AzAffinity(place) if !LOCATION_TYPES.contains(&place.location_type.as_str()) => {
            Some(format!("aZAffinity {place:?}"))
        }
        _ => None,
    };
    problem.map_or(Ok(()), |problem| Err(Refusal::InvalidInput(format!("Invalid request: there is no such {problem}"))))
}

/// What is wrong with a set of this type, routing, target and identifier, wherever it is.
fn problem_of(kind: Kind, routing: &Routing, target: &Target, identifier: Option<&str>) -> Option<String> {
    let is_alias = matches!(target, Target::Alias { .. });
    let is_routed = *routing != Routing::Simple;
    match identifier {
        None if is_routed => return Some("Missing field 'SetIdentifier'".to_owned()),
        Some(_) if !is_routed => {
            let fields = "Weight, Region, Failover, GeoLocation, MultiValueAnswer";
            return Some(format!("Missing one of the fields [{fields}]"));
        }
        Some(identifier) if identifier.is_empty() || identifier.chars().count() > IDENTIFIER_MAX => {
            return Some(format!("SetIdentifier must have 1 to {IDENTIFIER_MAX} characters"));
        }
        _ => {}
    }
    // "Values for weighted, latency, geolocation, and failover resource record sets"; "for multivalue answer"; "All
    // values are supported except NS and SOA" for aliases of the same zone (API reference, ResourceRecordSet.Type).
    let is_never_routed = matches!(kind, Kind::Ds | Kind::Ns | Kind::Soa);
    if is_routed && (is_never_routed || (*routing == Routing::Multivalue && kind == Kind::Cname)) {
        return Some(format!("Records of type {kind} cannot have {} routing", routing.policy()));
    }
    match target {
        Target::Alias { .. } if matches!(kind, Kind::Ns | Kind::Soa) => {
            Some(format!("An alias cannot be of type {kind}"))
        }
        Target::Alias { zone, evaluate_target_health: true, .. } if zone == CLOUDFRONT => Some(
            "EvaluateTargetHealth cannot be set to true when the alias target is a CloudFront distribution".to_owned(),
        ),
        // "You can't create multivalue answer alias records."
        _ if is_alias && *routing == Routing::Multivalue => {
            Some("AliasTarget and MultiValueAnswer cannot both be specified".to_owned())
        }
        _ => None,
    }
}
