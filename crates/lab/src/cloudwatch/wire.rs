//! CloudWatch's calls.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::http::StatusCode;
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use super::alarm::{Alarm, Verdict};
use super::codec::{Codec, Moment};
use super::metric::{Dimension, MetricId, Samples};
use super::state::{AlarmState, HistoryItem};
use super::{deliver, queries};
use crate::Lab;
use crate::api::{Call, Reply};
use crate::id;

/// Why CloudWatch refuses a request: code, shape and message.
pub(super) struct Refusal {
    code: &'static str,
    shape: &'static str,
    status: StatusCode,
    message: String,
}

impl Refusal {
    /// Something is wrong with the request.
    pub(super) fn invalid(message: impl Into<String>) -> Self {
        let (code, shape) = ("InvalidParameterValue", "InvalidParameterValueException");
        Self { code, shape, status: StatusCode::BAD_REQUEST, message: message.into() }
    }

    fn no_alarm(name: &str) -> Self {
        let message = format!("Unknown alarm: {name}");
        Self { code: "ResourceNotFound", shape: "ResourceNotFound", status: StatusCode::NOT_FOUND, message }
    }

    fn unknown(what: &str) -> Self {
        let message = format!("the lab does not know {what}");
        Self { code: "InvalidAction", shape: "InvalidAction", status: StatusCode::BAD_REQUEST, message }
    }
}

/// "If you omit this parameter, the default is 50" (API reference, DescribeAlarms, MaxRecords).
const ALARMS_A_PAGE: usize = 50;

/// What the call was about, and its answer.
type Outcome = (String, Result<Vec<u8>, Refusal>);

/// Answers one API call.
pub async fn answer(lab: &Arc<Lab>, call: &Call) -> Reply {
    let Some((codec, action)) = Codec::of(call) else {
        let what = "any protocol but Smithy RPC v2 CBOR and AWS JSON for CloudWatch";
        return refuse(call, "?", crate::wire::Refusal::unsupported(what));
    };
    let (resource, outcome) = dispatch(lab, call, codec, action);
    let mut reply = match outcome {
        Ok(body) => Reply::ok(action, "", codec.media(), body),
        Err(refusal) => refused(codec, action, refusal.shape, refusal.code, refusal.status, refusal.message),
    };
    let number = lab.cloudwatch.requests.fetch_add(1, Ordering::Relaxed);
    reply.headers.push(("x-amzn-requestid", id::uuid("cloudwatch request", number)));
    if codec == Codec::Cbor {
        reply.headers.push(("smithy-protocol", "rpc-v2-cbor".to_owned()));
    }
    Reply { resource, ..reply }
}

/// A refusal that is not CloudWatch's own.
pub(crate) fn refuse(call: &Call, action: &str, refusal: crate::wire::Refusal) -> Reply {
    let codec = Codec::of(call).map_or(Codec::Json, |(codec, _)| codec);
    let mut reply = refused(codec, action, &refusal.code, &refusal.code, refusal.status, refusal.message);
    if codec == Codec::Cbor {
        reply.headers.push(("smithy-protocol", "rpc-v2-cbor".to_owned()));
    }
    reply
}

fn refused(codec: Codec, action: &str, shape: &str, code: &str, status: StatusCode, message: String) -> Reply {
    #[derive(Serialize)]
    struct Body {
        #[serde(rename = "__type")]
        kind: String,
        message: String,
    }
    let body = codec.write(Body { kind: format!("com.amazonaws.cloudwatch#{shape}"), message }).unwrap_or_default();
    Reply {
        status,
        headers: vec![("x-amzn-query-error", format!("{code};Sender"))],
        error: Some(code.to_owned()),
        ..Reply::ok(action, "", codec.media(), body)
    }
}

fn dispatch(lab: &Arc<Lab>, call: &Call, codec: Codec, action: &str) -> Outcome {
    if let Some(encoding) = call.headers.get("content-encoding").and_then(|value| value.to_str().ok()) {
        return (String::new(), Err(Refusal::unknown(&format!("the content encoding {encoding}"))));
    }
    match action {
        "PutMetricData" => on(call, codec, |input| put_metric_data(lab, call, input)),
        "GetMetricData" => on(call, codec, |input| queries::get_metric_data(lab, call, input)),
        "GetMetricStatistics" => on(call, codec, |input| queries::get_metric_statistics(lab, call, input)),
        "PutMetricAlarm" => on(call, codec, |input| put_metric_alarm(lab, call, input)),
        "DescribeAlarms" => on(call, codec, |input| describe_alarms(lab, call, input)),
        "DescribeAlarmHistory" => on(call, codec, |input| describe_alarm_history(lab, call, input)),
        "SetAlarmState" => on(call, codec, |input| set_alarm_state(lab, call, input)),
        "EnableAlarmActions" => on(call, codec, |input| enable_actions(lab, call, input, true)),
        "DisableAlarmActions" => on(call, codec, |input| enable_actions(lab, call, input, false)),
        "DeleteAlarms" => on(call, codec, |input| delete_alarms(lab, call, input)),
        other => (String::new(), Err(Refusal::unknown(&format!("the call {other}")))),
    }
}

fn on<I: serde::de::DeserializeOwned, O: Serialize>(
    call: &Call,
    codec: Codec,
    work: impl FnOnce(I) -> (String, Result<O, Refusal>),
) -> Outcome {
    let input = match codec.read(&call.body) {
        Ok(input) => input,
        Err(reason) => return (String::new(), Err(Refusal::invalid(reason))),
    };
    let (resource, outcome) = work(input);
    (resource, outcome.and_then(|output| codec.write(output).map_err(Refusal::invalid)))
}

#[derive(Serialize)]
struct Nothing {}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct PutMetricDataInput {
    namespace: String,
    #[serde(default)]
    metric_data: Vec<Datum>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Datum {
    metric_name: String,
    #[serde(default)]
    dimensions: Vec<Dimension>,
    timestamp: Option<Moment>,
    value: Option<f64>,
    statistic_values: Option<Samples>,
    #[serde(default)]
    values: Vec<f64>,
    #[serde(default)]
    counts: Vec<f64>,
    unit: Option<String>,
}

impl Datum {
    fn samples(&self) -> Result<Vec<Samples>, Refusal> {
        match (self.value, self.statistic_values, self.values.as_slice()) {
            (Some(value), None, []) => Ok(vec![Samples::of(value, 1.0)]),
            (None, Some(samples), []) => Ok(vec![samples]),
            (None, None, values) if !values.is_empty() => {
                // "If you omit the Counts array, the default of 1 is used as the value for each count."
                let counts = if self.counts.is_empty() { vec![1.0; values.len()] } else { self.counts.clone() };
                if counts.len() != values.len() {
                    return Err(Refusal::invalid("Values and Counts must be of one length"));
                }
                Ok(values.iter().zip(counts).map(|(value, count)| Samples::of(*value, count)).collect())
            }
            _ => Err(Refusal::invalid("a datum has exactly one of Value, Values and StatisticValues")),
        }
    }
}

fn put_metric_data(lab: &Lab, call: &Call, input: PutMetricDataInput) -> (String, Result<Nothing, Refusal>) {
    let now = lab.clock.now();
    // "Time stamps can be as much as two weeks before the current date, and as much as 2 hours into the day."
    let (oldest, newest) = (now - SignedDuration::from_hours(14 * 24), now + SignedDuration::from_hours(2));
    let put = || {
        let mut all = Vec::new();
        for datum in &input.metric_data {
            let at = datum.timestamp.map_or(now, |moment| moment.0);
            if at < oldest || at > newest {
                return Err(Refusal::invalid(format!("the timestamp {at} is not between {oldest} and {newest}")));
            }
            let id = MetricId::new(&input.namespace, &datum.metric_name, &datum.dimensions);
            all.extend(datum.samples()?.into_iter().map(|samples| (id.clone(), at, datum.unit.clone(), samples)));
        }
        lab.cloudwatch.region(&call.region, |region| {
            for (id, at, unit, samples) in all {
                region.metrics.put(id, at, unit, samples);
            }
        });
        Ok(Nothing {})
    };
    let outcome = put();
    (input.namespace, outcome)
}

fn put_metric_alarm(lab: &Lab, call: &Call, alarm: Alarm) -> (String, Result<Nothing, Refusal>) {
    let arn = alarm.arn(&call.region);
    let outcome = lab.cloudwatch.put_alarm(&call.region, alarm, lab.clock.now());
    (arn, outcome.map(|()| Nothing {}).map_err(Refusal::invalid))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct DescribeAlarmsInput {
    alarm_names: Option<Vec<String>>,
    alarm_name_prefix: Option<String>,
    alarm_types: Option<Vec<String>>,
    state_value: Option<Verdict>,
    max_records: Option<usize>,
    next_token: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct DescribeAlarmsOutput {
    metric_alarms: Vec<WireAlarm>,
    composite_alarms: Vec<()>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct WireAlarm {
    #[serde(flatten)]
    settings: Alarm,
    alarm_arn: String,
    alarm_configuration_updated_timestamp: Moment,
    state_value: Verdict,
    state_reason: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    state_reason_data: Option<String>,
    state_updated_timestamp: Moment,
    state_transitioned_timestamp: Moment,
}

impl WireAlarm {
    fn of(known: &AlarmState, region: &str) -> Self {
        Self {
            settings: known.alarm.clone(),
            alarm_arn: known.alarm.arn(region),
            alarm_configuration_updated_timestamp: Moment(known.configured),
            state_value: known.value,
            state_reason: known.reason.clone(),
            state_reason_data: known.reason_data.clone(),
            state_updated_timestamp: Moment(known.updated),
            state_transitioned_timestamp: Moment(known.transitioned),
        }
    }
}

fn describe_alarms(
    lab: &Lab,
    call: &Call,
    input: DescribeAlarmsInput,
) -> (String, Result<DescribeAlarmsOutput, Refusal>) {
    let names = input.alarm_names.as_ref();
    let resource = names.map(|names| names.join(",")).unwrap_or_default();
    let wanted = |known: &&AlarmState| {
        let name = &known.alarm.alarm_name;
        names.is_none_or(|names| names.contains(name))
            && input.alarm_name_prefix.as_ref().is_none_or(|prefix| name.starts_with(prefix))
            && input.alarm_types.as_ref().is_none_or(|types| types.iter().any(|kind| kind == "MetricAlarm"))
            && input.state_value.is_none_or(|value| value == known.value)
    };
    let most = input.max_records.unwrap_or(ALARMS_A_PAGE);
    if !(1..=100).contains(&most) {
        return (resource, Err(Refusal::invalid("MaxRecords must be between 1 and 100")));
    }
    // A token is the name of the first alarm of the page.
    let from = input.next_token.clone().unwrap_or_default();
    let (metric_alarms, next_token) = lab.cloudwatch.region(&call.region, |region| {
        let mut found = region.alarms.values().filter(wanted).skip_while(|known| known.alarm.alarm_name < from);
        let page = found.by_ref().take(most).map(|known| WireAlarm::of(known, &call.region)).collect();
        (page, found.next().map(|known| known.alarm.alarm_name.clone()))
    });
    (resource, Ok(DescribeAlarmsOutput { metric_alarms, composite_alarms: Vec::new(), next_token }))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct DescribeAlarmHistoryInput {
    alarm_name: Option<String>,
    history_item_type: Option<String>,
    start_date: Option<Moment>,
    end_date: Option<Moment>,
    scan_by: Option<queries::ScanBy>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct DescribeAlarmHistoryOutput {
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

fn describe_alarm_history(
    lab: &Lab,
    call: &Call,
    input: DescribeAlarmHistoryInput,
) -> (String, Result<DescribeAlarmHistoryOutput, Refusal>) {
    let wanted = |item: &&HistoryItem| {
        input.alarm_name.as_ref().is_none_or(|name| *name == item.alarm)
            && input.history_item_type.as_ref().is_none_or(|kind| kind == item.kind)
            && input.start_date.is_none_or(|start| item.at >= start.0)
            && input.end_date.is_none_or(|end| item.at <= end.0)
    };
    let item = |item: &HistoryItem| WireHistoryItem {
        alarm_name: item.alarm.clone(),
        alarm_type: "MetricAlarm",
        timestamp: Moment(item.at),
        history_item_type: item.kind,
        history_summary: item.summary.clone(),
        history_data: item.data.clone(),
    };
    let mut alarm_history_items: Vec<_> =
        lab.cloudwatch.region(&call.region, |region| region.history.iter().filter(wanted).map(item).collect());
    if input.scan_by.unwrap_or_default() == queries::ScanBy::TimestampDescending {
        alarm_history_items.reverse();
    }
    (input.alarm_name.clone().unwrap_or_default(), Ok(DescribeAlarmHistoryOutput { alarm_history_items }))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct SetAlarmStateInput {
    alarm_name: String,
    state_value: Verdict,
    state_reason: String,
    state_reason_data: Option<String>,
}

fn set_alarm_state(lab: &Arc<Lab>, call: &Call, input: SetAlarmStateInput) -> (String, Result<Nothing, Refusal>) {
    let (now, name) = (lab.clock.now(), input.alarm_name);
    if lab.cloudwatch.alarm(&call.region, &name).is_none() {
        return (name.clone(), Err(Refusal::no_alarm(&name)));
    }
    let why = (input.state_reason, input.state_reason_data);
    let set = |region: &mut super::Region| region.set_state(&call.region, &name, input.state_value, why, now);
    if let Some(transition) = lab.cloudwatch.region(&call.region, set) {
        deliver(lab, &transition);
    }
    (name, Ok(Nothing {}))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct AlarmNames {
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
        if let Some(missing) = names.alarm_names.iter().find(|name| !region.alarms.contains_key(*name)) {
            return Err(Refusal::no_alarm(missing));
        }
        names.alarm_names.iter().for_each(|name| work(region, name));
        Ok(Nothing {})
    });
    (names.alarm_names.join(","), outcome)
}

fn enable_actions(lab: &Lab, call: &Call, input: AlarmNames, enabled: bool) -> (String, Result<Nothing, Refusal>) {
    with_alarms(lab, call, &input, |region, name| {
        if let Some(known) = region.alarms.get_mut(name) {
            known.alarm.actions_enabled = enabled;
        }
    })
}

fn delete_alarms(lab: &Lab, call: &Call, input: AlarmNames) -> (String, Result<Nothing, Refusal>) {
    with_alarms(lab, call, &input, |region, name| {
        region.alarms.remove(name);
    })
}
