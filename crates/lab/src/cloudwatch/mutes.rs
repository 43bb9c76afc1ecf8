//! The calls about alarm mute rules.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::codec::Moment;
use super::mute::{MuteRule, Schedule, Status, duration};
use super::release;
use super::wire::{Nothing, Refusal};
use crate::Lab;
use crate::api::Call;

/// "Each mute rule can target up to 100 specific alarms by name."
const TARGETS_MAX: usize = 100;

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct WireSchedule {
    expression: String,
    duration: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    timezone: Option<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct WireRule {
    schedule: WireSchedule,
}

#[derive(Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct MuteTargets {
    #[serde(default)]
    alarm_names: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct PutInput {
    name: String,
    description: Option<String>,
    rule: WireRule,
    #[serde(default)]
    mute_targets: MuteTargets,
    start_date: Option<Moment>,
    expire_date: Option<Moment>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct Named {
    alarm_mute_rule_name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct ListInput {
    alarm_name: Option<String>,
    statuses: Option<Vec<Status>>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Summary {
    alarm_mute_rule_arn: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    expire_date: Option<Moment>,
    status: Status,
    mute_type: &'static str,
    last_updated_timestamp: Moment,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct GetOutput {
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    rule: WireRule,
    mute_targets: MuteTargets,
    #[serde(skip_serializing_if = "Option::is_none")]
    start_date: Option<Moment>,
    #[serde(flatten)]
    summary: Summary,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ListOutput {
    alarm_mute_rule_summaries: Vec<Summary>,
}

fn summary(lab: &Lab, call: &Call, rule: &MuteRule) -> Summary {
    let account = crate::ACCOUNT;
    Summary {
        alarm_mute_rule_arn: format!("arn:aws:cloudwatch:{}:{account}:alarm-mute-rule:{}", call.region, rule.name),
        expire_date: rule.expires.map(Moment),
        status: rule.status(lab.clock.now()),
        mute_type: rule.kind(),
        last_updated_timestamp: Moment(rule.updated),
    }
}

fn read(lab: &Lab, input: PutInput) -> Result<MuteRule, Refusal> {
    let WireSchedule { expression, duration: duration_text, timezone } = input.rule.schedule;
    if let Some(zone) = timezone.as_ref().filter(|zone| *zone != "UTC") {
        return Err(Refusal::unsupported(format!("the time zone {zone}")));
    }
    if input.name.is_empty() || input.name.len() > 255 {
        return Err(Refusal::validation("Name must have between 1 and 255 characters"));
    }
    if input.mute_targets.alarm_names.len() > TARGETS_MAX {
        return Err(Refusal::validation(format!("MuteTargets names more than {TARGETS_MAX} alarms")));
    }
    let schedule = Schedule::parse(&expression);
    let schedule = schedule.map_err(|why| Refusal::validation(format!("Expression is not valid: {why}")))?;
    let lasts = duration(&duration_text).map_err(|why| Refusal::validation(format!("Duration is not valid: {why}")))?;
    Ok(MuteRule {
        name: input.name,
        description: input.description,
        expression,
        duration_text,
        timezone,
        schedule,
        duration: lasts,
        alarms: input.mute_targets.alarm_names,
        start: input.start_date.map(|moment| moment.0),
        expires: input.expire_date.map(|moment| moment.0),
        updated: lab.clock.now(),
    })
}

pub(super) fn put(lab: &Arc<Lab>, call: &Call, input: PutInput) -> (String, Result<Nothing, Refusal>) {
    let name = input.name.clone();
    let outcome = read(lab, input).map(|rule| {
        lab.cloudwatch.region(&call.region, |region| region.mutes.insert(rule.name.clone(), rule));
        release(lab, &call.region);
        Nothing {}
    });
    (name, outcome)
}

pub(super) fn get(lab: &Lab, call: &Call, input: Named) -> (String, Result<GetOutput, Refusal>) {
    let name = input.alarm_mute_rule_name;
    let rule = lab.cloudwatch.region(&call.region, |region| region.mutes.get(&name).cloned());
    let told = rule.map(|rule| GetOutput {
        summary: summary(lab, call, &rule),
        name: rule.name,
        description: rule.description,
        rule: WireRule {
            schedule: WireSchedule {
                expression: rule.expression,
                duration: rule.duration_text,
                timezone: rule.timezone,
            },
        },
        mute_targets: MuteTargets { alarm_names: rule.alarms },
        start_date: rule.start.map(Moment),
    });
    (name.clone(), told.ok_or_else(|| Refusal::no_rule(&name)))
}

pub(super) fn list(lab: &Lab, call: &Call, input: ListInput) -> (String, Result<ListOutput, Refusal>) {
    let now = lab.clock.now();
    let wanted = |rule: &&MuteRule| {
        input.alarm_name.as_ref().is_none_or(|name| rule.alarms.contains(name))
            && input.statuses.as_ref().is_none_or(|wanted| wanted.is_empty() || wanted.contains(&rule.status(now)))
    };
    let rules: Vec<MuteRule> =
        lab.cloudwatch.region(&call.region, |region| region.mutes.values().filter(wanted).cloned().collect());
    let summaries = rules.iter().map(|rule| summary(lab, call, rule)).collect();
    (input.alarm_name.clone().unwrap_or_default(), Ok(ListOutput { alarm_mute_rule_summaries: summaries }))
}

/// A rule that is gone mutes nothing: what it held is done now. To delete what is not there succeeds too.
pub(super) fn delete(lab: &Arc<Lab>, call: &Call, input: Named) -> (String, Result<Nothing, Refusal>) {
    let name = input.alarm_mute_rule_name;
    lab.cloudwatch.region(&call.region, |region| region.mutes.remove(&name));
    release(lab, &call.region);
    (name, Ok(Nothing {}))
}
