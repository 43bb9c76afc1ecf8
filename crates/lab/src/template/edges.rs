//! The one place where templates meet CloudWatch and Route 53.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use crate::Lab;
use crate::cloudwatch::Alarm;
use crate::health::HealthCheckConfig;
use crate::route53::Route53;

/// Properties that are numbers or booleans; CloudFormation takes them as strings too, as parameters give them.
const NUMBERS: [&str; 9] = [
    "DatapointsToAlarm",
    "EvaluationPeriods",
    "FailureThreshold",
    "HealthThreshold",
    "Period",
    "Port",
    "RequestInterval",
    "TTL",
    "Threshold",
];
const BOOLEANS: [&str; 3] = ["ActionsEnabled", "Disabled", "Inverted"];

/// Creates or updates an alarm from its resolved CloudFormation properties, `AlarmName` among them.
pub(super) fn create_alarm(lab: &Arc<Lab>, region: &str, properties: &Value) -> Result<(), String> {
    let alarm: Alarm = serde_json::from_value(typed(properties)).map_err(|error| error.to_string())?;
    lab.cloudwatch.put_alarm(region, alarm, lab.clock.now())
}

/// Creates a health check from its resolved CloudFormation properties; returns its id.
pub(super) fn create_health_check(lab: &Arc<Lab>, properties: &Value) -> Result<String, String> {
    let mut settings = typed(&properties["HealthCheckConfig"]);
    if let Some(children) = settings.get("ChildHealthChecks").cloned() {
        // A plain list in a template, a wrapped one on the wire.
        settings["ChildHealthChecks"] = json!({"ChildHealthCheck": children});
    }
    let mut config: HealthCheckConfig = serde_json::from_value(settings).map_err(|error| error.to_string())?;
    let tags = properties["HealthCheckTags"].as_array().into_iter().flatten();
    config.name = tags.filter(|tag| tag["Key"] == "Name").find_map(|tag| Some(tag["Value"].as_str()?.to_owned()));
    lab.route53.create_health_check(lab, config).map_err(|refusal| refusal.to_string())
}

/// Creates or replaces a record set from its resolved CloudFormation properties; returns its name.
pub(super) fn put_record_set(lab: &Arc<Lab>, properties: &Value) -> Result<String, String> {
    let mut set = typed(properties);
    let taken = |set: &mut Value, name: &str| set.as_object_mut().and_then(|set| set.remove(name));
    let Some(Value::String(zone)) = taken(&mut set, "HostedZoneId") else {
        return Err("the lab needs HostedZoneId".to_owned());
    };
    // People read it in the change that made it.
    drop(taken(&mut set, "Comment"));
    if let Some(values) = taken(&mut set, "ResourceRecords") {
        // A plain list in a template, a wrapped one on the wire.
        let wrapped: Vec<_> = values.as_array().into_iter().flatten().map(|value| json!({"Value": value})).collect();
        set["ResourceRecords"] = json!({"ResourceRecord": wrapped});
    }
    let name = set["Name"].as_str().unwrap_or_default().to_owned();
    Route53::put_record_set(lab, &zone, set).map_err(|refusal| refusal.to_string())?;
    Ok(name)
}

fn typed(properties: &Value) -> Value {
    let Some(members) = properties.as_object() else { return properties.clone() };
    let typed = members.iter().map(|(name, value)| {
        let is_scalar = NUMBERS.contains(&name.as_str()) || BOOLEANS.contains(&name.as_str());
        let parsed = value.as_str().filter(|_| is_scalar).and_then(|text| serde_json::from_str(text).ok());
        (name.clone(), parsed.unwrap_or_else(|| value.clone()))
    });
    Value::Object(typed.collect::<Map<_, _>>())
}
