//! The calls about alarms.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::alarm::{Alarm, Verdict, unknown_action};
use super::codec::Moment;
use super::composite::{CompositeAlarm, Rule};
use super::state::{AlarmState, CompositeState, EvaluationState, HistoryItem, Standing};
use super::wire::{Nothing, Refusal};
use super::{deliver, queries};
use crate::Lab;
use crate::api::Call;

/// "If you omit this parameter, the default is 50" (API reference, DescribeAlarms, MaxRecords).
const ALARMS_A_PAGE: usize = 50;
const METRIC: &str = "MetricAlarm";
const COMPOSITE: &str = "CompositeAlarm";

fn other_kind(name: &str) -> Refusal {
    Refusal::validation(format!("There is an alarm of another type with the name {name}"))
}

pub(super) fn put_metric_alarm(lab: &Lab, call: &Call, alarm: Alarm) -> (String, Result<Nothing, Refusal>) {
    let (arn, name) = (alarm.arn(&call.region), &alarm.alarm_name);
    let refusal = match (alarm.unsupported(), alarm.fault()) {
        (_, Some(fault)) => Some(Refusal::invalid(fault)),
        (Some(what), None) => Some(Refusal::unsupported(what)),
        (None, None) => {
            let is_taken = lab.cloudwatch.region(&call.region, |region| region.composites.contains_key(name));
            is_taken.then(|| other_kind(name))
        }
    };
    let outcome = refusal
        .map_or(Ok(()), Err)
        .and_then(|()| lab.cloudwatch.put_alarm(&call.region, alarm, lab.clock.now()).map_err(Refusal::invalid));
    (arn, outcome.map(|()| Nothing {}))
}

pub(super) fn put_composite_alarm(
    lab: &Arc<Lab>,
    call: &Call,
    alarm: CompositeAlarm,
) -> (String, Result<Nothing, Refusal>) {
    let arn = super::alarm_arn(&call.region, &alarm.alarm_name);
    let put = || {
        let actions = alarm.ok_actions.iter().chain(&alarm.alarm_actions).chain(&alarm.insufficient_data_actions);
        if let Some(what) = unknown_action(actions) {
            return Err(Refusal::unsupported(what));
        }
        if alarm.alarm_name.is_empty() || alarm.alarm_name.len() > 255 {
            return Err(Refusal::invalid("AlarmName must have between 1 and 255 characters"));
        }
        let rule = Rule::parse(&alarm.alarm_rule);
        let rule = rule.map_err(|why| Refusal::validation(format!("AlarmRule is not valid: {why}")))?;
        lab.cloudwatch.region(&call.region, |region| {
            if region.alarms.contains_key(&alarm.alarm_name) {
                return Err(other_kind(&alarm.alarm_name));
            }
            match rule.alarms().iter().find(|name| region.standing(name).is_none()) {
                Some(name) => Err(Refusal::validation(format!("AlarmRule names an alarm that does not exist: {name}"))),
                None => Ok(()),
            }?;
            Ok(region.put_composite(&call.region, alarm.clone(), rule.clone(), lab.clock.now()))
        })
    };
    (
        arn,
        put().map(|transitions| {
            deliver(lab, &transitions);
            Nothing {}
        }),
    )
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct DescribeAlarmsInput {
    alarm_names: Option<Vec<String>>,
    alarm_name_prefix: Option<String>,
    alarm_types: Option<Vec<String>>,
    state_value: Option<Verdict>,
    max_records: Option<usize>,
    next_token: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct DescribeAlarmsOutput {
    metric_alarms: Vec<WireAlarm>,
    composite_alarms: Vec<WireComposite>,
    /// The lab has none.
    log_alarms: Vec<()>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct WireStanding {
    alarm_arn: String,
    alarm_configuration_updated_timestamp: Moment,
    state_value: Verdict,
    state_reason: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    state_reason_data: Option<String>,
    state_updated_timestamp: Moment,
    state_transitioned_timestamp: Moment,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct WireAlarm {
    #[serde(flatten)]
    settings: Alarm,
    #[serde(flatten)]
    standing: WireStanding,
    #[serde(skip_serializing_if = "Option::is_none")]
    evaluation_state: Option<EvaluationState>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct WireComposite {
    #[serde(flatten)]
    settings: CompositeAlarm,
    #[serde(flatten)]
    standing: WireStanding,
}

impl WireStanding {
    fn of(standing: &Standing, name: &str, region: &str) -> Self {
        Self {
            alarm_arn: super::alarm_arn(region, name),
            alarm_configuration_updated_timestamp: Moment(standing.configured),
            state_value: standing.value,
            state_reason: standing.reason.clone(),
            state_reason_data: standing.reason_data.clone(),
            state_updated_timestamp: Moment(standing.updated),
            state_transitioned_timestamp: Moment(standing.transitioned),
        }
    }
}

/// An alarm of either kind.
enum Found<'a> {
    Metric(&'a AlarmState),
    Composite(&'a CompositeState),
}

impl Found<'_> {
    fn name(&self) -> &str {
        match self {
            Self::Metric(known) => &known.alarm.alarm_name,
            Self::Composite(known) => &known.alarm.alarm_name,
        }
    }

    fn standing(&self) -> &Standing {
        match self {
            Self::Metric(known) => &known.standing,
            Self::Composite(known) => &known.standing,
        }
    }
}

/// Which kinds of alarms are asked for. "If you omit this parameter, only metric alarms are returned, even if composite
/// alarms … exist in the account."
fn kinds(types: Option<&[String]>) -> Result<(bool, bool), Refusal> {
    let Some(types) = types.filter(|types| !types.is_empty()) else { return Ok((true, false)) };
    match types.iter().find(|kind| ![METRIC, COMPOSITE, "LogAlarm"].contains(&kind.as_str())) {
        Some(kind) => Err(Refusal::validation(format!(
            "1 validation error detected: Value '[{kind}]' at 'alarmTypes' failed to satisfy constraint: Member must \
             satisfy enum value set: [CompositeAlarm, MetricAlarm, LogAlarm]"
        ))),
        None => Ok((types.iter().any(|kind| kind == METRIC), types.iter().any(|kind| kind == COMPOSITE))),
    }
}

pub(super) fn describe_alarms(
    lab: &Lab,
    call: &Call,
    input: DescribeAlarmsInput,
) -> (String, Result<DescribeAlarmsOutput, Refusal>) {
    let resource = input.alarm_names.as_ref().map(|names| names.join(",")).unwrap_or_default();
    (resource, described(lab, call, &input))
}

fn described(lab: &Lab, call: &Call, input: &DescribeAlarmsInput) -> Result<DescribeAlarmsOutput, Refusal> {
    let (metric, composite) = kinds(input.alarm_types.as_deref())?;
    let most = input.max_records.unwrap_or(ALARMS_A_PAGE);
    if !(1..=100).contains(&most) {
        return Err(Refusal::invalid("MaxRecords must be between 1 and 100"));
    }
    if input.alarm_names.is_some() && input.alarm_name_prefix.is_some() {
        // "If this parameter is specified, you cannot specify AlarmNames."
        let why = "The parameters AlarmNames and AlarmNamePrefix are mutually exclusive and you have specified both.";
        return Err(Refusal::combination(why));
    }
    let wanted = |found: &Found<'_>| {
        let name = found.name();
        input.alarm_names.as_ref().is_none_or(|names| names.iter().any(|wanted| wanted == name))
            && input.alarm_name_prefix.as_ref().is_none_or(|prefix| name.starts_with(prefix))
            && input.state_value.is_none_or(|value| value == found.standing().value)
    };
    // A token is the name of the first alarm of the page.
    let from = input.next_token.clone().unwrap_or_default();
    let mut answer = DescribeAlarmsOutput {
        metric_alarms: Vec::new(),
        composite_alarms: Vec::new(),
        log_alarms: Vec::new(),
        next_token: None,
    };
    lab.cloudwatch.region(&call.region, |region| {
        let metrics = region.alarms.values().filter(|_| metric).map(Found::Metric);
        let composites = region.composites.values().filter(|_| composite).map(Found::Composite);
        let mut found: Vec<Found<'_>> = metrics.chain(composites).filter(wanted).collect();
        found.sort_by(|one, other| one.name().cmp(other.name()));
        let mut found = found.into_iter().skip_while(|found| found.name() < from.as_str());
        for found in found.by_ref().take(most) {
            let standing = WireStanding::of(found.standing(), found.name(), &call.region);
            match found {
                Found::Metric(AlarmState { alarm, evaluation, .. }) => answer.metric_alarms.push(WireAlarm {
                    settings: alarm.clone(),
                    standing,
                    evaluation_state: *evaluation,
                }),
                Found::Composite(known) => {
                    answer.composite_alarms.push(WireComposite { settings: known.alarm.clone(), standing });
                }
            }
        }
        answer.next_token = found.next().map(|found| found.name().to_owned());
    });
    Ok(answer)
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct DescribeAlarmHistoryInput {
    alarm_name: Option<String>,
    alarm_types: Option<Vec<String>>,
    history_item_type: Option<String>,
    start_date: Option<Moment>,
    end_date: Option<Moment>,
    scan_by: Option<queries::ScanBy>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct DescribeAlarmHistoryOutput {
    alarm_history_items: Vec<WireHistoryItem>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct WireHistoryItem {
    alarm_name: String,
    alarm_type: &'static str,
    timestamp: Moment,
    history_item_type: &'static str,
    history_summary: String,
    history_data: String,
}

pub(super) fn describe_alarm_history(
    lab: &Lab,
    call: &Call,
    input: DescribeAlarmHistoryInput,
) -> (String, Result<DescribeAlarmHistoryOutput, Refusal>) {
    let resource = input.alarm_name.clone().unwrap_or_default();
    (resource, history(lab, call, &input))
}

fn history(lab: &Lab, call: &Call, input: &DescribeAlarmHistoryInput) -> Result<DescribeAlarmHistoryOutput, Refusal> {
    let (metric, composite) = kinds(input.alarm_types.as_deref())?;
    let wanted = |item: &HistoryItem| {
        input.alarm_name.as_ref().is_none_or(|name| *name == item.alarm)
            && input.history_item_type.as_ref().is_none_or(|kind| kind == item.kind)
            && input.start_date.is_none_or(|start| item.at >= start.0)
            && input.end_date.is_none_or(|end| item.at <= end.0)
    };
    let mut alarm_history_items: Vec<_> = lab.cloudwatch.region(&call.region, |region| {
        // An alarm that was deleted leaves its history: it counts as a metric alarm.
        let is_composite = |item: &HistoryItem| region.composites.contains_key(&item.alarm);
        let kept = region.history.iter().filter(|item| wanted(item));
        let kept = kept.map(|item| (is_composite(item), item));
        let kept = kept.filter(|(is_composite, _)| if *is_composite { composite } else { metric });
        kept.map(|(is_composite, item)| WireHistoryItem {
            alarm_name: item.alarm.clone(),
            alarm_type: if is_composite { COMPOSITE } else { METRIC },
            timestamp: Moment(item.at),
            history_item_type: item.kind,
            history_summary: item.summary.clone(),
            history_data: item.data.clone(),
        })
        .collect()
    });
    if input.scan_by.unwrap_or_default() == queries::ScanBy::TimestampDescending {
        alarm_history_items.reverse();
    }
    Ok(DescribeAlarmHistoryOutput { alarm_history_items })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct SetAlarmStateInput {
    alarm_name: String,
    state_value: String,
    state_reason: String,
    state_reason_data: Option<String>,
}

pub(super) fn set_alarm_state(
    lab: &Arc<Lab>,
    call: &Call,
    input: SetAlarmStateInput,
) -> (String, Result<Nothing, Refusal>) {
    let (now, name) = (lab.clock.now(), input.alarm_name);
    let states = [Verdict::InsufficientData, Verdict::Alarm, Verdict::Ok];
    let Some(value) = states.into_iter().find(|state| state.name() == input.state_value) else {
        let why = format!(
            "1 validation error detected: Value '{}' at 'stateValue' failed to satisfy constraint: Member must satisfy \
             enum value set: [INSUFFICIENT_DATA, ALARM, OK]",
            input.state_value
        );
        return (name, Err(Refusal::validation(why)));
    };
    let why = (input.state_reason, input.state_reason_data);
    let set = |region: &mut super::Region| {
        region.standing(&name).is_some().then(|| region.set_state(&call.region, &name, value, why, now))
    };
    let outcome = lab.cloudwatch.region(&call.region, set).ok_or_else(Refusal::no_alarm);
    (
        name,
        outcome.map(|transitions| {
            deliver(lab, &transitions);
            Nothing {}
        }),
    )
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct AlarmNames {
    alarm_names: Vec<String>,
}

/// Works on the named alarms, if they are all there.
fn with_alarms(
    lab: &Lab,
    call: &Call,
    names: &AlarmNames,
    mut work: impl FnMut(&mut super::Region, &str),
) -> (String, Result<Nothing, Refusal>) {
    let outcome = lab.cloudwatch.region(&call.region, |region| {
        if names.alarm_names.iter().any(|name| region.standing(name).is_none()) {
            return Err(Refusal::no_alarm());
        }
        names.alarm_names.iter().for_each(|name| work(region, name));
        Ok(Nothing {})
    });
    (names.alarm_names.join(","), outcome)
}

pub(super) fn enable_actions(
    lab: &Lab,
    call: &Call,
    input: AlarmNames,
    enabled: bool,
) -> (String, Result<Nothing, Refusal>) {
    with_alarms(lab, call, &input, |region, name| {
        if let Some(known) = region.alarms.get_mut(name) {
            known.alarm.actions_enabled = enabled;
        } else if let Some(known) = region.composites.get_mut(name) {
            known.alarm.actions_enabled = enabled;
        }
    })
}

pub(super) fn delete_alarms(lab: &Lab, call: &Call, input: AlarmNames) -> (String, Result<Nothing, Refusal>) {
    with_alarms(lab, call, &input, |region, name| {
        region.alarms.remove(name);
        region.composites.remove(name);
    })
}
