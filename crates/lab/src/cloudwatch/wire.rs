//! CloudWatch's calls: how they are read, refused and answered, and what puts metrics.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::http::StatusCode;
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use super::codec::{Codec, Moment};
use super::metric::{Dimension, MetricId, Samples};
use super::{alarms, mutes, queries};
use crate::api::{Call, Reply};
use crate::{Lab, id, wire};

/// Why CloudWatch refuses a request: code, shape and message.
pub(super) struct Refusal {
    code: &'static str,
    shape: &'static str,
    status: StatusCode,
    message: String,
}

impl Refusal {
    fn bad_request(code: &'static str, shape: &'static str, message: impl Into<String>) -> Self {
        Self { code, shape, status: StatusCode::BAD_REQUEST, message: message.into() }
    }

    /// A value is wrong.
    pub(super) fn invalid(message: impl Into<String>) -> Self {
        Self::bad_request("InvalidParameterValue", "InvalidParameterValueException", message)
    }

    /// Values exclude each other.
    pub(super) fn combination(message: impl Into<String>) -> Self {
        Self::bad_request("InvalidParameterCombination", "InvalidParameterCombinationException", message)
    }

    /// A value is none that the model knows.
    pub(super) fn validation(message: impl Into<String>) -> Self {
        Self::bad_request("ValidationError", "ValidationException", message)
    }

    /// A parameter is missing.
    pub(super) fn missing(message: impl Into<String>) -> Self {
        Self::bad_request("MissingParameter", "MissingRequiredParameterException", message)
    }

    /// There is no such alarm. AWS tells no more than the code.
    pub(super) fn no_alarm() -> Self {
        let (code, status) = ("ResourceNotFound", StatusCode::NOT_FOUND);
        Self { code, shape: code, status, message: String::new() }
    }

    /// There is no such mute rule.
    pub(super) fn no_rule(name: &str) -> Self {
        let (code, status) = ("ResourceNotFoundException", StatusCode::NOT_FOUND);
        Self { code, shape: code, status, message: format!("Alarm mute rule {name} does not exist") }
    }

    /// The lab's own refusal, which is none of AWS's.
    pub(super) fn unsupported(what: impl std::fmt::Display) -> Self {
        let wire::Refusal { status, message, .. } = wire::Refusal::unsupported(what);
        Self { code: "NotImplemented", shape: "NotImplemented", status, message }
    }

    /// What reading the input tells, in AWS's words where it is AWS's refusal.
    fn unread(reason: &str) -> Self {
        let quoted = |after: &str| reason.strip_prefix(after)?.split('`').next();
        if let Some(name) = quoted("missing field `") {
            let name = decapitalised(name);
            return Self::validation(format!(
                "1 validation error detected: Value null at '{name}' failed to satisfy constraint: Member must not be null"
            ));
        }
        if let Some(what) = wire::lacking(reason) {
            return Self::unsupported(what);
        }
        Self::bad_request("SerializationException", "SerializationException", "the request cannot be read")
    }
}

fn decapitalised(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map(|first| first.to_lowercase().chain(letters).collect()).unwrap_or_default()
}

/// What the call was about, and its answer.
type Outcome = (String, Result<Vec<u8>, Refusal>);

/// Answers one API call.
pub async fn answer(lab: &Arc<Lab>, call: &Call) -> Reply {
    let Some((codec, action)) = Codec::of(call) else {
        let what = "any protocol but Smithy RPC v2 CBOR and AWS JSON for CloudWatch";
        return refuse(call, "?", wire::Refusal::unsupported(what));
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
pub(crate) fn refuse(call: &Call, action: &str, refusal: wire::Refusal) -> Reply {
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
        return (String::new(), Err(Refusal::unsupported(format!("the content encoding {encoding}"))));
    }
    match action {
        "PutMetricData" => on(call, codec, |input| put_metric_data(lab, call, input)),
        "GetMetricData" => on(call, codec, |input| queries::get_metric_data(lab, call, input)),
        "GetMetricStatistics" => on(call, codec, |input| queries::get_metric_statistics(lab, call, input)),
        "PutMetricAlarm" => on(call, codec, |input| alarms::put_metric_alarm(lab, call, input)),
        "PutCompositeAlarm" => on(call, codec, |input| alarms::put_composite_alarm(lab, call, input)),
        "DescribeAlarms" => on(call, codec, |input| alarms::describe_alarms(lab, call, input)),
        "DescribeAlarmHistory" => on(call, codec, |input| alarms::describe_alarm_history(lab, call, input)),
        "SetAlarmState" => on(call, codec, |input| alarms::set_alarm_state(lab, call, input)),
        "EnableAlarmActions" => on(call, codec, |input| alarms::enable_actions(lab, call, input, true)),
        "DisableAlarmActions" => on(call, codec, |input| alarms::enable_actions(lab, call, input, false)),
        "DeleteAlarms" => on(call, codec, |input| alarms::delete_alarms(lab, call, input)),
        "PutAlarmMuteRule" => on(call, codec, |input| mutes::put(lab, call, input)),
        "GetAlarmMuteRule" => on(call, codec, |input| mutes::get(lab, call, input)),
        "ListAlarmMuteRules" => on(call, codec, |input| mutes::list(lab, call, input)),
        "DeleteAlarmMuteRule" => on(call, codec, |input| mutes::delete(lab, call, input)),
        other => (String::new(), Err(Refusal::unsupported(format!("the CloudWatch action {other}")))),
    }
}

fn on<I: serde::de::DeserializeOwned, O: Serialize>(
    call: &Call,
    codec: Codec,
    work: impl FnOnce(I) -> (String, Result<O, Refusal>),
) -> Outcome {
    let input = match codec.read(&call.body) {
        Ok(input) => input,
        Err(reason) => return (String::new(), Err(Refusal::unread(&reason))),
    };
    let (resource, outcome) = work(input);
    (resource, outcome.and_then(|output| codec.write(output).map_err(Refusal::invalid)))
}

/// The answer of calls that have nothing to say.
#[derive(Serialize)]
pub(super) struct Nothing {}

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
    fn samples(&self, member: usize) -> Result<Vec<Samples>, Refusal> {
        let at = |name: &str| format!("MetricData.member.{member}.{name}");
        let both = |one: &str, other: &str| {
            let (one, other) = (at(one), at(other));
            Err(Refusal::combination(format!(
                "The parameters {one} and {other} are mutually exclusive and you have specified both."
            )))
        };
        match (self.value, self.statistic_values, self.values.as_slice()) {
            (Some(_), _, [_, ..]) => both("Value", "Values"),
            (Some(_), Some(_), []) => both("Value", "StatisticValues"),
            (None, Some(_), [_, ..]) => both("StatisticValues", "Values"),
            (Some(value), None, []) => Ok(vec![Samples::of(value, 1.0)]),
            (None, Some(samples), []) => Ok(vec![samples]),
            (None, None, values) if !values.is_empty() => {
                // "If you omit the Counts array, the default of 1 is used as the value for each count."
                let counts = if self.counts.is_empty() { vec![1.0; values.len()] } else { self.counts.clone() };
                if counts.len() != values.len() {
                    let (values, counts) = (at("Values"), at("Counts"));
                    return Err(Refusal::invalid(format!(
                        "The parameters {values} and {counts} must be of the same size."
                    )));
                }
                Ok(values.iter().zip(counts).map(|(value, count)| Samples::of(*value, count)).collect())
            }
            _ => Err(Refusal::missing(format!("The parameter {} is required.", at("Value")))),
        }
    }
}

fn put_metric_data(lab: &Lab, call: &Call, input: PutMetricDataInput) -> (String, Result<Nothing, Refusal>) {
    let now = lab.clock.now();
    // "Time stamps can be as much as two weeks before the current date, and as much as 2 hours into the day."
    let (oldest, newest) = (now - SignedDuration::from_hours(14 * 24), now + SignedDuration::from_hours(2));
    let put = || {
        let mut all = Vec::new();
        for (datum, member) in input.metric_data.iter().zip(1..) {
            let at = datum.timestamp.map_or(now, |moment| moment.0);
            if at < oldest || at > newest {
                return Err(Refusal::invalid(format!(
                    "The parameter MetricData.member.{member}.Timestamp must specify a \
                    time within the past two weeks, or up to two hours in the future."
                )));
            }
            let id = MetricId::new(&input.namespace, &datum.metric_name, &datum.dimensions);
            all.extend(datum.samples(member)?.into_iter().map(|samples| (id.clone(), at, datum.unit.clone(), samples)));
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
