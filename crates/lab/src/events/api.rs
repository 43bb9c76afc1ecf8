//! EventBridge's API.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::pattern::Pattern;
use super::rules::{Rule, RuleConfig, State, Target, bus_arn, bus_name};
use crate::api::{Call, Reply};
use crate::wire::Refusal;
use crate::wire::json::{JSON_1_1, action, input, reply};
use crate::{ACCOUNT, Lab};

/// A request may hold 1 MB since 2025 (it was 256 KB).
const ENTRIES_BYTES_MAX: usize = 1024 * 1024;

/// Answers one API call.
pub async fn answer(lab: &Arc<Lab>, call: &Call) -> Reply {
    let action = action(call);
    reply(JSON_1_1, action, carry_out(lab, call, action))
}

fn carry_out(lab: &Arc<Lab>, call: &Call, action: &str) -> Result<(String, Value), Refusal> {
    let region = &call.region;
    match action {
        "PutEvents" => put_events(lab, call),
        "CreateEventBus" | "DescribeEventBus" => bus(lab, call, action == "CreateEventBus"),
        "ListEventBuses" => {
            let ListBuses { name_prefix } = input(call)?;
            let (state, prefix) = (lab.events.state(), name_prefix.unwrap_or_default());
            let names = state.bus_names(region).into_iter().filter(|name| name.starts_with(&prefix));
            let buses: Vec<Value> = names.map(|name| described_bus(&state, region, &name)).collect();
            Ok((String::new(), json!({"EventBuses": buses})))
        }
        "TestEventPattern" => test_pattern(call),
        "PutRule" => put_rule(lab, call),
        "PutTargets" => {
            let PutTargets { rule, event_bus_name, targets } = input(call)?;
            lab.events.state().put_targets(region, event_bus_name.as_deref(), &rule, targets)?;
            Ok((rule, json!({"FailedEntryCount": 0, "FailedEntries": []})))
        }
        "RemoveTargets" => {
            let RemoveTargets { rule, event_bus_name, ids } = input(call)?;
            lab.events
                .state()
                .rule(region, event_bus_name.as_deref(), &rule)?
                .targets
                .retain(|id, _| !ids.contains(id));
            Ok((rule, json!({"FailedEntryCount": 0, "FailedEntries": []})))
        }
        "ListRules" => {
            let ListRules { event_bus_name, name_prefix } = input(call)?;
            let prefix = name_prefix.unwrap_or_default();
            let mut state = lab.events.state();
            let rules = state.rules(region, event_bus_name.as_deref())?;
            let rules: Vec<Value> =
                rules.iter().filter(|(name, _)| name.starts_with(&prefix)).map(|(_, rule)| described(rule)).collect();
            Ok((String::new(), json!({"Rules": rules})))
        }
        "ListTargetsByRule" => {
            let OfRule { rule, event_bus_name } = input(call)?;
            let mut state = lab.events.state();
            let targets: Vec<_> = state.rule(region, event_bus_name.as_deref(), &rule)?.targets.values().collect();
            Ok((rule, json!({"Targets": targets})))
        }
        "TagResource" | "UntagResource" | "ListTagsForResource" => super::tags::answer(lab, call, action),
        "DescribeRule" | "EnableRule" | "DisableRule" | "DeleteRule" => one_rule(lab, call, action),
        other => Err(Refusal::unsupported(format!("the EventBridge action {other}"))),
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct ListBuses {
    name_prefix: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct TestEventPattern {
    event: String,
    event_pattern: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct ListRules {
    event_bus_name: Option<String>,
    name_prefix: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct OfRule {
    rule: String,
    event_bus_name: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Named {
    name: String,
    event_bus_name: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct PutTargets {
    rule: String,
    event_bus_name: Option<String>,
    targets: Vec<Target>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct RemoveTargets {
    rule: String,
    event_bus_name: Option<String>,
    ids: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct PutEvents {
    entries: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Entry {
    source: Option<String>,
    detail_type: Option<String>,
    detail: Option<String>,
    #[serde(default)]
    resources: Vec<String>,
    event_bus_name: Option<String>,
}

impl Entry {
    /// As the guide's page on calculating the size of an event counts it; the time is not taken here.
    fn size(&self) -> usize {
        let texts = [&self.source, &self.detail_type, &self.detail].into_iter().flatten().chain(&self.resources);
        texts.map(String::len).sum()
    }
}

fn put_events(lab: &Arc<Lab>, call: &Call) -> Result<(String, Value), Refusal> {
    let PutEvents { entries } = input(call)?;
    // "Number of entries: minimum 1, maximum 10" (PutEvents).
    if !(1..=10).contains(&entries.len()) {
        return Err(Refusal::bad_request("ValidationException", "Entries must have between 1 and 10 elements"));
    }
    if entries.iter().map(Entry::size).sum::<usize>() > ENTRIES_BYTES_MAX {
        let why = "Total size of the entries in the request is over the limit.";
        return Err(Refusal::bad_request("ValidationException", why));
    }
    let results: Vec<Value> = entries.into_iter().map(|entry| put_entry(lab, &call.region, entry)).collect();
    let failed = results.iter().filter(|result| result.get("ErrorCode").is_some()).count();
    Ok((String::new(), json!({"FailedEntryCount": failed, "Entries": results})))
}

fn put_entry(lab: &Arc<Lab>, region: &str, entry: Entry) -> Value {
    let refused = |code: &str, message: &str| json!({"ErrorCode": code, "ErrorMessage": message});
    let missing = |name: &str| {
        refused("InvalidArgument", &format!("Parameter {name} is not valid. Reason: {name} is a required argument."))
    };
    let Some(source) = entry.source.filter(|text| !text.is_empty()) else { return missing("Source") };
    let Some(detail_type) = entry.detail_type.filter(|text| !text.is_empty()) else { return missing("DetailType") };
    let Some(detail) = entry.detail.filter(|text| !text.is_empty()) else { return missing("Detail") };
    // "You cannot … use a source that begins with aws." (PutEvents: NotAuthorizedForSourceException.)
    if source.starts_with("aws.") {
        return refused("NotAuthorizedForSourceException", "Not authorized for the source.");
    }
    let Ok(detail @ Value::Object(_)) = serde_json::from_str(&detail) else {
        return refused("MalformedDetail", "Detail is malformed.");
    };
    let bus = bus_name(entry.event_bus_name.as_deref());
    let id = Uuid::new_v4().to_string();
    let event = json!({
        "id": id, "source": source, "detail-type": detail_type, "detail": detail, "resources": entry.resources,
    });
    // A bus that is not there takes events too, and nobody hears of them (recorded by LocalStack from AWS).
    super::put(lab, region, bus, event);
    json!({"EventId": id})
}

fn bus(lab: &Lab, call: &Call, create: bool) -> Result<(String, Value), Refusal> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase", deny_unknown_fields)]
    struct Bus {
        name: Option<String>,
    }
    let Bus { name } = input(call)?;
    let name = bus_name(name.as_deref()).to_owned();
    match (create, lab.events.has_bus(&call.region, &name)) {
        (true, true) => {
            Err(Refusal::bad_request("ResourceAlreadyExistsException", format!("Event bus {name} already exists.")))
        }
        (false, false) => {
            Err(Refusal::bad_request("ResourceNotFoundException", format!("Event bus {name} does not exist.")))
        }
        (true, false) => {
            let arn = lab.events.create_bus(&call.region, &name, lab.clock.now());
            Ok((name, json!({"EventBusArn": arn})))
        }
        (false, true) => {
            let described = described_bus(&lab.events.state(), &call.region, &name);
            Ok((name, described))
        }
    }
}

fn described_bus(state: &State, region: &str, name: &str) -> Value {
    let mut described = json!({"Name": name, "Arn": bus_arn(region, name)});
    if let Some(made) = state.made(region, name) {
        described["CreationTime"] = json!(made.as_second());
        described["LastModifiedTime"] = json!(made.as_second());
    }
    described
}

/// "Tests whether the specified event pattern matches the provided event."
fn test_pattern(call: &Call) -> Result<(String, Value), Refusal> {
    let TestEventPattern { event, event_pattern } = input(call)?;
    let pattern = Pattern::compile(&Value::String(event_pattern))?;
    match serde_json::from_str(&event) {
        Ok(event @ Value::Object(_)) => Ok((String::new(), json!({"Result": pattern.matches(&event)}))),
        _ => Err(Refusal::bad_request("ValidationException", "Parameter Event is not valid.")),
    }
}

fn put_rule(lab: &Lab, call: &Call) -> Result<(String, Value), Refusal> {
    let rule: RuleConfig = input(call)?;
    let arn = lab.events.put_rule(&call.region, rule, lab.clock.now())?;
    Ok((arn.clone(), json!({"RuleArn": arn})))
}

fn one_rule(lab: &Lab, call: &Call, action: &str) -> Result<(String, Value), Refusal> {
    let Named { name, event_bus_name } = input(call)?;
    let mut state = lab.events.state();
    let rule = state.rule(&call.region, event_bus_name.as_deref(), &name)?;
    let arn = rule.arn.clone();
    match action {
        "DescribeRule" => {
            let mut described = described(rule);
            described["CreatedBy"] = json!(ACCOUNT);
            return Ok((arn, described));
        }
        "EnableRule" => rule.config.state = Some("ENABLED".to_owned()),
        "DisableRule" => rule.config.state = Some("DISABLED".to_owned()),
        _ if !rule.targets.is_empty() => {
            return Err(Refusal::bad_request("ValidationException", "Rule can't be deleted since it has targets."));
        }
        _ => drop(state.rules(&call.region, event_bus_name.as_deref())?.remove(&name)),
    }
    Ok((arn, json!({})))
}

/// A pattern given as text is told as it was given.
fn text_of(pattern: &Value) -> String {
    pattern.as_str().map_or_else(|| pattern.to_string(), str::to_owned)
}

fn described(rule: &Rule) -> Value {
    let config = &rule.config;
    let mut described = json!({
        "Name": config.name,
        "Arn": rule.arn,
        "EventBusName": bus_name(config.event_bus_name.as_deref()),
        "State": if rule.enabled() { "ENABLED" } else { "DISABLED" },
    });
    let optional = [
        ("EventPattern", config.event_pattern.as_ref().map(text_of)),
        ("ScheduleExpression", config.schedule_expression.clone()),
        ("Description", config.description.clone()),
    ];
    for (name, value) in optional {
        if let Some(value) = value {
            described[name] = Value::String(value);
        }
    }
    described
}
