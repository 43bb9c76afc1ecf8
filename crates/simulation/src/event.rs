//! The events that wake the functions, as AWS words them.

use failover::incident::{AlarmSighting, Approval};
use failover::plan::ReplicaId;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::database::Turn;
use crate::holdfast::Function;

/// `json!` would copy each value, and invocation records hold whole events.
fn object<const N: usize>(members: [(&str, Value); N]) -> Value {
    Value::Object(members.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
}

fn bridged(at: Timestamp, source: &str, detail_type: &str, resources: &[&str], detail: Value) -> Value {
    object([
        ("version", "0".into()),
        ("id", "e-1".into()),
        ("account", "123456789012".into()),
        ("region", "eu-central-1".into()),
        ("source", source.into()),
        ("time", at.to_string().into()),
        ("detail-type", detail_type.into()),
        ("resources", resources.into()),
        ("detail", detail),
    ])
}

/// The one-minute tick.
#[must_use]
pub fn tick(at: Timestamp) -> Value {
    bridged(at, "aws.events", "Scheduled Event", &[], object([]))
}

/// "CloudWatch Alarm State Change": its timestamp has fractions and an offset without a colon.
#[must_use]
pub fn alarm(alarm: &AlarmSighting, at: Timestamp) -> Value {
    let timestamp = alarm.since.strftime("%Y-%m-%dT%H:%M:%S.250+0000").to_string();
    let detail = json!({"alarmName": alarm.name, "state": {"value": alarm.state, "timestamp": timestamp}});
    bridged(at, "aws.cloudwatch", "CloudWatch Alarm State Change", &[&alarm.arn], detail)
}

/// RDS's word of a promotion, or of one that failed ("Global failover to DB cluster … failed", RDS-EVENT-0239).
pub(crate) fn rds(replica: &ReplicaId, turn: Turn, at: Timestamp) -> Value {
    let (detail_type, message) = match replica {
        ReplicaId::AuroraCluster(id) => {
            ("RDS DB Cluster Event", format!("Promoted Read Replica cluster {id} to a stand-alone database cluster"))
        }
        ReplicaId::GlobalMember { cluster, .. } => {
            let end = if turn == Turn::Promoted { "completed" } else { "failed" };
            ("RDS DB Cluster Event", format!("Global failover to DB cluster {cluster} in Region eu-central-1 {end}."))
        }
        ReplicaId::RdsInstance(_) => {
            ("RDS DB Instance Event", "Promoted Read Replica instance to a stand-alone database instance".to_owned())
        }
    };
    bridged(at, "aws.rds", detail_type, &[], json!({"Message": message}))
}

/// An operator's approval.
#[must_use]
pub fn approval(approval: &Approval, at: Timestamp) -> Value {
    bridged(at, "holdfast.operator", "Holdfast Approval", &[], json!(approval))
}

/// Lambda's record of an invocation that returned (developer guide, "Capturing records of Lambda asynchronous
/// invocations").
#[must_use]
pub fn returned(function: Function, request: Value, response: Value, at: Timestamp) -> Value {
    let context = object([("statusCode", 200.into()), ("executedVersion", "$LATEST".into())]);
    invocation(function, "Success", "Success", request, context, response, at)
}

/// Lambda's record of an invocation that failed, and failed again when retried. One that died has no payload.
#[must_use]
pub fn failed(function: Function, request: Value, error: Option<&str>, at: Timestamp) -> Value {
    let context = json!({"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"});
    let response = error.map_or(Value::Null, |error| json!({"errorType": "Error", "errorMessage": error}));
    invocation(function, "Failure", "RetriesExhausted", request, context, response, at)
}

fn invocation(
    function: Function,
    result: &str,
    condition: &str,
    request: Value,
    response_context: Value,
    response: Value,
    at: Timestamp,
) -> Value {
    let arn = format!("arn:aws:lambda:eu-central-1:123456789012:function:{function}:$LATEST");
    let context = object([
        ("requestId", "r-1".into()),
        ("functionArn", arn.into()),
        ("condition", condition.into()),
        ("approximateInvokeCount", 1.into()),
    ]);
    let detail = object([
        ("version", "1.0".into()),
        ("timestamp", at.to_string().into()),
        ("requestContext", context),
        ("requestPayload", request),
        ("responseContext", response_context),
        ("responsePayload", response),
    ]);
    bridged(at, "lambda", &format!("Lambda Function Invocation Result - {result}"), &[], detail)
}

/// When a tick was to come; nothing of other events.
pub fn scheduled(event: &Value) -> Option<Timestamp> {
    let is_tick = event["detail-type"] == "Scheduled Event";
    event["time"].as_str().filter(|_| is_tick)?.parse().ok()
}
