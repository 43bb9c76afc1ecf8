//! The events that wake the functions, as AWS words them.

use failover::incident::{AlarmSighting, Approval};
use failover::plan::ReplicaId;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::holdfast::Function;

fn bridged(at: Timestamp, source: &str, detail_type: &str, resources: &[&str], detail: Value) -> Value {
    json!({"version": "0", "id": "e-1", "account": "123456789012", "region": "eu-central-1", "source": source,
        "time": at.to_string(), "detail-type": detail_type, "resources": resources, "detail": detail})
}

/// The one-minute tick.
#[must_use]
pub fn tick(at: Timestamp) -> Value {
    bridged(at, "aws.events", "Scheduled Event", &[], json!({}))
}

/// "CloudWatch Alarm State Change": its timestamp has fractions and an offset without a colon.
#[must_use]
pub fn alarm(alarm: &AlarmSighting, at: Timestamp) -> Value {
    let timestamp = alarm.since.strftime("%Y-%m-%dT%H:%M:%S.250+0000").to_string();
    let detail = json!({"alarmName": alarm.name, "state": {"value": alarm.state, "timestamp": timestamp}});
    bridged(at, "aws.cloudwatch", "CloudWatch Alarm State Change", &[&alarm.arn], detail)
}

/// RDS's word of a promotion.
#[must_use]
pub fn rds(replica: &ReplicaId, at: Timestamp) -> Value {
    let message = format!("Promoted Read Replica cluster {replica} to a stand-alone database cluster");
    bridged(at, "aws.rds", "RDS DB Cluster Event", &[], json!({"Message": message}))
}

/// An operator's approval.
#[must_use]
pub fn approval(approval: &Approval, at: Timestamp) -> Value {
    bridged(at, "holdfast.operator", "Holdfast Approval", &[], json!(approval))
}

/// Lambda's record of an invocation that returned (developer guide, "Capturing records of Lambda asynchronous
/// invocations").
#[must_use]
pub fn returned(function: Function, request: &Value, response: &Value, at: Timestamp) -> Value {
    let context = json!({"statusCode": 200, "executedVersion": "$LATEST"});
    invocation(function, "Success", "Success", request, context, response, at)
}

/// Lambda's record of an invocation that failed, and failed again when retried. One that died has no payload.
#[must_use]
pub fn failed(function: Function, request: &Value, error: Option<&str>, at: Timestamp) -> Value {
    let context = json!({"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"});
    let response = error.map_or(Value::Null, |error| json!({"errorType": "Error", "errorMessage": error}));
    invocation(function, "Failure", "RetriesExhausted", request, context, &response, at)
}

fn invocation(
    function: Function,
    result: &str,
    condition: &str,
    request: &Value,
    response_context: Value,
    response: &Value,
    at: Timestamp,
) -> Value {
    let arn = format!("arn:aws:lambda:eu-central-1:123456789012:function:{function}:$LATEST");
    let detail = json!({"version": "1.0", "timestamp": at.to_string(),
        "requestContext": {"requestId": "r-1", "functionArn": arn, "condition": condition, "approximateInvokeCount": 1},
        "requestPayload": request, "responseContext": response_context, "responsePayload": response});
    bridged(at, "lambda", &format!("Lambda Function Invocation Result - {result}"), &[], detail)
}
