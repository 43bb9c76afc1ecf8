//! Asynchronous invocation: retries, then a destination.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use uuid::Uuid;

use super::{Function, Outcome, Throttled, invoke, measure};
use crate::Lab;
use crate::arn::Arn;
use crate::journal::What;
use crate::message::Message;

/// What a record holds of a response where none was given.
const NEVER_RAN: Outcome = Err(Value::Null);

/// Queues an event for a function; it is journaled as dropped if there is none.
pub fn invoke_async(lab: &Arc<Lab>, function_arn: &str, payload: Value) {
    if !lab.functions.exists(function_arn) {
        return lab.record(What::Fault { what: format!("event dropped: there is no function {function_arn}") });
    }
    tokio::spawn(run(lab.clone(), function_arn.to_owned(), payload));
}

async fn run(lab: Arc<Lab>, function_arn: String, payload: Value) {
    let request_id = Uuid::new_v4().to_string();
    let queued = lab.clock.now();
    let (mut attempts, mut throttled) = (0, 0);
    loop {
        let Some(function) = lab.functions.find(&function_arn) else { return };
        // A region that is down keeps its queue until it is back.
        lab.faults.until_up(&function.region).await;
        let (condition, outcome) = match invoke(&lab, &function, &request_id, &payload).await {
            Ok(outcome) => {
                attempts += 1;
                let pause = pause(attempts);
                let condition = if outcome.is_ok() {
                    "Success"
                } else if attempts > function.config.retries {
                    "RetriesExhausted"
                } else if lab.clock.now() + pause > queued + function.config.event_age_max {
                    "EventAgeExceeded"
                } else {
                    lab.clock.sleep(pause).await;
                    continue;
                };
                (condition, outcome)
            }
            Err(Throttled) if function.config.reserved_concurrency == Some(0) => ("ZeroReservedConcurrency", NEVER_RAN),
            Err(Throttled) if lab.clock.now() > queued + function.config.event_age_max => {
                ("EventAgeExceeded", NEVER_RAN)
            }
            Err(Throttled) => {
                lab.clock.sleep(throttle_pause(throttled)).await;
                throttled += 1;
                continue;
            }
        };
        let record = record(&lab, &function, &request_id, condition, attempts, &payload, &outcome);
        return report(&lab, &function, &outcome, record);
    }
}

/// "Lambda retries function errors twice, waiting one minute, then two" (asynchronous invocation, error handling).
fn pause(attempts: u32) -> Duration {
    Duration::from_secs(60 * u64::from(attempts))
}

/// "For throttling errors (429) and system errors (500-series), Lambda … attempts to run the function again for up to 6
/// hours by default. The retry interval increases exponentially from 1 second … to a maximum of 5 minutes" (same place).
fn throttle_pause(throttled: u32) -> Duration {
    Duration::from_secs((1 << throttled.min(9)).min(300))
}

/// "Invocation record" in the Lambda developer guide.
fn record(
    lab: &Lab,
    function: &Function,
    request_id: &str,
    condition: &str,
    attempts: u32,
    payload: &Value,
    outcome: &Outcome,
) -> Value {
    let mut context = json!({"statusCode": 200, "executedVersion": "$LATEST"});
    let response = match outcome {
        Ok(response) => response,
        Err(Value::Null) => {
            context = Value::Null;
            &Value::Null
        }
        Err(error) => {
            context["functionError"] = json!("Unhandled");
            error
        }
    };
    json!({
        "version": "1.0",
        "timestamp": lab.clock.now().strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string(),
        "requestContext": {
            "requestId": request_id,
            "functionArn": format!("{}:$LATEST", function.arn),
            "condition": condition,
            "approximateInvokeCount": attempts,
        },
        "requestPayload": payload,
        "responseContext": context,
        "responsePayload": response,
    })
}

fn report(lab: &Arc<Lab>, function: &Function, outcome: &Outcome, record: Value) {
    let destination = if outcome.is_ok() { &function.config.on_success } else { &function.config.on_failure };
    let Some(destination) = destination else { return };
    let Some(arn) = Arn::parse(destination) else { return };
    // Lambda sends with the function's own role ("Adding a destination": the execution role needs these permissions).
    let action = match arn.service {
        "lambda" => "lambda:InvokeFunction",
        "sqs" => "sqs:SendMessage",
        "sns" => "sns:Publish",
        _ => "events:PutEvents",
    };
    if let Err(message) = lab.allow(&function.config.name, action, destination, arn.region) {
        lab.record(What::Fault { what: format!("invocation record dropped: {message}") });
        return measure(lab, function, &[("DestinationDeliveryFailures", 1.0)]);
    }
    if !lab.has(destination) {
        // "If Lambda can't send a record to a destination you have configured, it sends a DestinationDeliveryFailures metric".
        return measure(lab, function, &[("DestinationDeliveryFailures", 1.0)]);
    }
    match arn.service {
        "lambda" => invoke_async(lab, destination, record),
        "sqs" => lab.carry(Message::Queued { queue: destination, body: record.to_string(), attributes: &[] }),
        "sns" => {
            lab.carry(Message::Notification { topic: destination, subject: None, text: &record.to_string() });
        }
        _ => {
            let how = if outcome.is_ok() { "Success" } else { "Failure" };
            let event = json!({
                "source": "lambda",
                "detail-type": format!("Lambda Function Invocation Result - {how}"),
                "resources": [destination, format!("{}:$LATEST", function.arn)],
                "detail": record,
            });
            let bus = arn.named("event-bus/").unwrap_or_default();
            lab.carry(Message::Event { region: arn.region, bus, event });
        }
    }
}
