//! The calls about health checks.

use std::net::IpAddr;

use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

use super::wire::{created, items_max, ok, parameters, read};
use super::{Outcome, Refusal};
use crate::Lab;
use crate::api::Call;
use crate::cloudwatch::{Alarm, Dimension};
use crate::health::{self, AlarmIdentifier, CHECKERS, Check, CheckType, Checks, HealthCheckConfig, InsufficientData};
use crate::journal::What;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct CreateHealthCheckRequest {
    #[serde(rename = "@xmlns", default)]
    _xmlns: IgnoredAny,
    caller_reference: String,
    health_check_config: HealthCheckConfig,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct UpdateHealthCheckRequest {
    #[serde(rename = "@xmlns", default)]
    _xmlns: IgnoredAny,
    health_check_version: Option<u64>,
    #[serde(rename = "IPAddress")]
    ip_address: Option<IpAddr>,
    port: Option<u16>,
    resource_path: Option<String>,
    #[serde(rename = "EnableSNI")]
    enable_sni: Option<bool>,
    fully_qualified_domain_name: Option<String>,
    failure_threshold: Option<u32>,
    inverted: Option<bool>,
    disabled: Option<bool>,
    health_threshold: Option<u32>,
    #[serde(default, with = "health::children")]
    child_health_checks: Vec<String>,
    alarm_identifier: Option<AlarmIdentifier>,
    insufficient_data_health_status: Option<InsufficientData>,
}

impl UpdateHealthCheckRequest {
    /// "If you omit a value, the existing value is retained."
    fn merged_into(self, config: &HealthCheckConfig) -> HealthCheckConfig {
        let old = config.clone();
        let children = self.child_health_checks;
        HealthCheckConfig {
            ip_address: self.ip_address.or(old.ip_address),
            port: self.port.or(old.port),
            resource_path: self.resource_path.or(old.resource_path),
            enable_sni: self.enable_sni.or(old.enable_sni),
            fully_qualified_domain_name: self.fully_qualified_domain_name.or(old.fully_qualified_domain_name),
            failure_threshold: self.failure_threshold.or(old.failure_threshold),
            inverted: self.inverted.unwrap_or(old.inverted),
            disabled: self.disabled.unwrap_or(old.disabled),
            health_threshold: self.health_threshold.or(old.health_threshold),
            child_health_checks: if children.is_empty() { old.child_health_checks } else { children },
            alarm_identifier: self.alarm_identifier.or(old.alarm_identifier),
            insufficient_data_health_status: self
                .insufficient_data_health_status
                .or(old.insufficient_data_health_status),
            name: old.name,
            is_of_aws: old.is_of_aws,
            measure_latency: old.measure_latency,
            kind: old.kind,
            request_interval: old.request_interval,
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct WireCheck {
    id: String,
    caller_reference: String,
    health_check_config: HealthCheckConfig,
    health_check_version: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    cloud_watch_alarm_configuration: Option<AlarmConfiguration>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct AlarmConfiguration {
    evaluation_periods: u32,
    threshold: f64,
    comparison_operator: String,
    period: u32,
    metric_name: String,
    namespace: String,
    statistic: String,
    dimensions: Dimensions,
}

#[derive(Serialize)]
struct Dimensions {
    #[serde(rename = "Dimension")]
    items: Vec<Dimension>,
}

impl From<&Alarm> for AlarmConfiguration {
    fn from(alarm: &Alarm) -> Self {
        Self {
            evaluation_periods: alarm.evaluation_periods,
            threshold: alarm.threshold,
            comparison_operator: format!("{:?}", alarm.comparison_operator),
            period: alarm.period,
            metric_name: alarm.metric_name.clone(),
            namespace: alarm.namespace.clone(),
            statistic: format!("{:?}", alarm.statistic),
            dimensions: Dimensions { items: alarm.dimensions.clone() },
        }
    }
}

impl From<&Check> for WireCheck {
    fn from(check: &Check) -> Self {
        Self {
            id: check.id.clone(),
            caller_reference: check.caller_reference.clone(),
            health_check_config: check.config.clone(),
            health_check_version: check.version,
            cloud_watch_alarm_configuration: check.alarm.as_ref().map(AlarmConfiguration::from),
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct CheckAnswer {
    health_check: WireCheck,
}

fn no_such(id: &str) -> Refusal {
    Refusal::NoSuchHealthCheck(id.to_owned())
}

/// The alarm a check copies its settings from, if it watches one.
fn alarm_of(lab: &Lab, config: &HealthCheckConfig) -> Result<Option<Alarm>, Refusal> {
    let Some(identifier) = &config.alarm_identifier else { return Ok(None) };
    let AlarmIdentifier { region, name } = identifier;
    let alarm = lab.cloudwatch.alarm(region, name);
    let alarm = alarm.ok_or_else(|| {
        Refusal::InvalidInput(format!("Invalid parameter : there is no CloudWatch alarm {name} in {region}"))
    })?;
    // "Route 53 doesn't support M out of N alarms" (Developer Guide, "Monitoring a CloudWatch alarm").
    if alarm.datapoints_to_alarm.is_some_and(|datapoints| datapoints != alarm.evaluation_periods) {
        return Err(Refusal::InvalidInput(format!("Invalid parameter : {name} is an M out of N alarm")));
    }
    Ok(Some(alarm))
}

fn check_settings(checks: &Checks, config: &HealthCheckConfig) -> Result<(), Refusal> {
    if let Some(what) = config.lacking() {
        return Err(Refusal::NotImplemented(what.to_owned()));
    }
    if let Some(fault) = config.fault() {
        return Err(Refusal::InvalidInput(format!("Invalid parameter : {fault}")));
    }
    for id in &config.child_health_checks {
        let child =
            checks.get(id).ok_or_else(|| Refusal::InvalidInput(format!("Invalid parameter : no child {id}")))?;
        if child.config.kind == CheckType::Calculated {
            // "The health checks that you want to monitor … can't be calculated health checks".
            return Err(Refusal::InvalidInput(format!("Invalid parameter : the child {id} is itself calculated")));
        }
    }
    Ok(())
}

pub(super) fn create(lab: &Lab, caller_reference: String, config: HealthCheckConfig) -> Result<String, Refusal> {
    let (now, alarm) = (lab.clock.now(), alarm_of(lab, &config)?);
    let id = lab.route53.checks(|checks| {
        check_settings(checks, &config)?;
        let settings = config.clone().with_defaults();
        let twin = checks.iter().find(|check| check.caller_reference == caller_reference);
        match twin {
            // "If the health check does exist, Route 53 returns the settings for the existing health check."
            Some(twin) if twin.config == settings => Ok(twin.id.clone()),
            Some(_) => Err(Refusal::HealthCheckAlreadyExists(caller_reference)),
            None => Ok(checks.create(now, caller_reference, config, alarm)),
        }
    })?;
    lab.route53.checks_changed.notify_waiters();
    Ok(id)
}

pub(super) fn create_call(lab: &Lab, call: &Call) -> Outcome {
    let request: CreateHealthCheckRequest = read(&call.body)?;
    let id = create(lab, request.caller_reference, request.health_check_config)?;
    let health_check = lab.route53.checks(|checks| checks.get(&id).map(WireCheck::from)).ok_or_else(|| no_such(&id))?;
    created("CreateHealthCheckResponse", format!("/healthcheck/{id}"), CheckAnswer { health_check })
}

pub(super) fn get(lab: &Lab, id: &str) -> Outcome {
    let health_check = lab.route53.checks(|checks| checks.get(id).map(WireCheck::from)).ok_or_else(|| no_such(id))?;
    ok("GetHealthCheckResponse", CheckAnswer { health_check })
}

pub(super) fn update(lab: &Lab, call: &Call, id: &str) -> Outcome {
    let request: UpdateHealthCheckRequest = read(&call.body)?;
    let identifies = request.alarm_identifier.is_some();
    let before = lab.route53.checks(|checks| checks.get(id).cloned()).ok_or_else(|| no_such(id))?;
    if request.health_check_version.is_some_and(|version| version != before.version) {
        return Err(Refusal::HealthCheckVersionMismatch);
    }
    // "You can't update an existing health check to add or remove the value of IPAddress" (API reference).
    if before.config.has_endpoint() && request.ip_address.is_some() && before.config.ip_address.is_none() {
        return Err(Refusal::InvalidInput(
            "Invalid parameter : IPAddress cannot be added to a health check".to_owned(),
        ));
    }
    let config = request.merged_into(&before.config);
    let alarm = if identifies { alarm_of(lab, &config)? } else { before.alarm };
    let health_check = lab.route53.checks(|checks| {
        check_settings(checks, &config)?;
        let check = checks.get_mut(id).ok_or_else(|| no_such(id))?;
        if check.version != before.version {
            return Err(Refusal::HealthCheckVersionMismatch);
        }
        check.version += 1;
        check.config = config;
        check.alarm = alarm;
        Ok(WireCheck::from(&*check))
    })?;
    tell_turns(lab);
    lab.route53.checks_changed.notify_waiters();
    ok("UpdateHealthCheckResponse", CheckAnswer { health_check })
}

/// Records every check that turned since last told.
pub(crate) fn tell_turns(lab: &Lab) {
    for (id, name, healthy) in lab.route53.checks(Checks::turned) {
        lab.record(What::HealthCheck { id, name, healthy });
    }
}

pub(super) fn delete(lab: &Lab, id: &str) -> Outcome {
    #[derive(Serialize)]
    struct Empty {}
    lab.route53.checks(|checks| checks.remove(id)).ok_or_else(|| no_such(id))?;
    ok("DeleteHealthCheckResponse", Empty {})
}

pub(super) fn list(lab: &Lab, call: &Call) -> Outcome {
    #[derive(Serialize)]
    struct HealthChecks {
        #[serde(rename = "HealthCheck")]
        items: Vec<WireCheck>,
    }
    #[derive(Serialize)]
    #[serde(rename_all = "PascalCase")]
    struct Answer {
        health_checks: HealthChecks,
        marker: String,
        is_truncated: bool,
        #[serde(skip_serializing_if = "Option::is_none")]
        next_marker: Option<String>,
        max_items: usize,
    }
    let [marker, max] = parameters(&call.query, ["marker", "maxitems"])?;
    let (marker, max_items) = (marker.unwrap_or_default(), items_max(max, 100)?);
    let (items, next_marker) = lab.route53.checks(|checks| {
        let mut listed = checks.iter().filter(|check| check.id >= marker && !check.config.is_of_aws);
        let items = listed.by_ref().take(max_items).map(WireCheck::from).collect();
        (items, listed.next().map(|check| check.id.clone()))
    });
    let health_checks = HealthChecks { items };
    let is_truncated = next_marker.is_some();
    ok("ListHealthChecksResponse", Answer { health_checks, marker, is_truncated, next_marker, max_items })
}

pub(super) fn status(lab: &Lab, id: &str) -> Outcome {
    #[derive(Serialize)]
    #[serde(rename_all = "PascalCase")]
    struct StatusReport {
        status: String,
        checked_time: String,
    }
    #[derive(Serialize)]
    #[serde(rename_all = "PascalCase")]
    struct Observation {
        region: &'static str,
        #[serde(rename = "IPAddress")]
        ip_address: &'static str,
        status_report: StatusReport,
    }
    #[derive(Serialize)]
    struct Observations {
        #[serde(rename = "HealthCheckObservation")]
        items: Vec<Observation>,
    }
    #[derive(Serialize)]
    #[serde(rename_all = "PascalCase")]
    struct Answer {
        health_check_observations: Observations,
    }
    let check = lab.route53.checks(|checks| checks.get(id).cloned()).ok_or_else(|| no_such(id))?;
    if !check.config.has_endpoint() {
        return Err(Refusal::InvalidInput(format!("the health check {id} has no endpoint and thus no observations")));
    }
    let seen = check.checkers.into_iter().zip(CHECKERS).filter_map(|(checker, region)| {
        let (at, status) = checker.last?;
        let status_report = StatusReport { status, checked_time: format!("{at:.3}") };
        // Every checker of the lab is this machine.
        Some(Observation { region, ip_address: "127.0.0.1", status_report })
    });
    let health_check_observations = Observations { items: seen.collect() };
    ok("GetHealthCheckStatusResponse", Answer { health_check_observations })
}
