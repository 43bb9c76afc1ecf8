//! What notifier is given: Lambda's account of an invocation, as the asynchronous destination puts it on the bus; and what a person did.

use failover::announcement::Announcement;
use failover::message::Failure;
use failover::outcome::Outcome;
use failover::standby::news::Report;
use jiff::Timestamp;
use lambda_runtime::Diagnostic;
use serde::Deserialize;
use serde_json::Value;

/// What there is to tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum News {
    /// An invocation returned an outcome.
    Returned {
        /// What it returned.
        outcome: Box<Outcome>,
        /// When the tick that woke it was to come, if a tick did.
        scheduled: Option<Timestamp>,
    },
    /// An invocation failed for good.
    Failed(Failure),
    /// A person did something by the command line.
    Ordered(Announcement),
    /// DR's half of the workload was looked at.
    Looked(Report),
}

/// What the command line calls the event of what a person did.
const ORDER: &str = "Holdfast Order";

/// Why an event cannot be told. Lambda tries again, then keeps the event; the queue's alarm pages.
#[derive(Debug, thiserror::Error)]
#[error(
    "notifier takes Lambda's invocation records and people's orders, and this is neither: {0}; check the event rules"
)]
pub struct EventError(String);

impl From<EventError> for Diagnostic {
    fn from(error: EventError) -> Self {
        Self { error_type: "EventNotUnderstood".to_owned(), error_message: error.to_string() }
    }
}

/// Of the event that carries a record. It is read in one go, since whole events are nested in it.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Event {
    detail_type: String,
    detail: Record,
}

/// Lambda's invocation record (Lambda developer guide, "Capturing records of Lambda asynchronous invocations").
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Record {
    timestamp: Timestamp,
    request_context: Context,
    request_payload: Value,
    #[serde(default)]
    response_context: Value,
    #[serde(default)]
    response_payload: Value,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Context {
    request_id: String,
    function_arn: String,
    condition: String,
}

/// Reads an event.
///
/// # Errors
/// If it is neither an invocation record nor an order, or the function returned what is neither outcome nor report.
pub fn parse(event: Value) -> Result<News, EventError> {
    let unreadable = |error: serde_json::Error| EventError(error.to_string());
    if event["detail-type"] == ORDER {
        return serde_json::from_value(event["detail"].clone()).map(News::Ordered).map_err(unreadable);
    }
    let Event { detail_type, detail: record } = serde_json::from_value(event).map_err(unreadable)?;
    if detail_type.ends_with("- Success") {
        if record.response_payload.get("readiness").is_some() {
            return serde_json::from_value(record.response_payload).map(News::Looked).map_err(unreadable);
        }
        let scheduled = scheduled(&record.request_payload);
        let outcome = serde_json::from_value(record.response_payload).map_err(unreadable)?;
        return Ok(News::Returned { outcome, scheduled });
    }
    Ok(News::Failed(Failure {
        function: function_name(&record.request_context.function_arn).to_owned(),
        error: error_text(&record),
        scheduled: scheduled(&record.request_payload),
        condition: record.request_context.condition,
        request_id: record.request_context.request_id,
        event: record.request_payload.to_string(),
        at: record.timestamp,
    }))
}

/// A schedule's event carries the time it was made for, however late or often it is handled.
fn scheduled(request: &Value) -> Option<Timestamp> {
    let is_tick = request["detail-type"] == "Scheduled Event";
    request["time"].as_str().filter(|_| is_tick)?.parse().ok()
}

/// `arn:aws:lambda:REGION:ACCOUNT:function:NAME:QUALIFIER`
fn function_name(arn: &str) -> &str {
    arn.split(':').nth(6).unwrap_or(arn)
}

fn error_text(record: &Record) -> String {
    let text = |value: &Value, member: &str| value.get(member).and_then(Value::as_str).map(str::to_owned);
    text(&record.response_payload, "errorMessage")
        .or_else(|| text(&record.response_context, "functionError"))
        .unwrap_or_else(|| record.request_context.condition.clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn record(detail_type: &str, response: Value) -> Value {
        json!({"version": "0", "id": "1", "account": "1", "region": "eu-central-1", "source": "lambda",
            "time": "2026-01-01T12:00:01Z", "detail-type": detail_type, "resources": [], "detail": {
                "version": "1.0", "timestamp": "2026-01-01T12:00:01Z", "requestPayload": {"id": "7"},
                "requestContext": {"requestId": "r-1", "condition": "RetriesExhausted", "approximateInvokeCount": 3,
                    "functionArn": "arn:aws:lambda:eu-central-1:1:function:holdfast-alarm-handler:$LATEST"},
                "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"},
                "responsePayload": response}})
    }

    #[test]
    fn a_failed_invocation_says_which_function_why_and_over_what() {
        let event = record("Lambda Function Invocation Result - Failure", json!({"errorMessage": "no such event"}));
        let failure = Failure {
            function: "holdfast-alarm-handler".to_owned(),
            request_id: "r-1".to_owned(),
            error: "no such event".to_owned(),
            event: r#"{"id":"7"}"#.to_owned(),
            condition: "RetriesExhausted".to_owned(),
            scheduled: None,
            at: "2026-01-01T12:00:01Z".parse().unwrap(),
        };
        assert_eq!(parse(event).unwrap(), News::Failed(failure));
    }

    #[test]
    fn a_tick_is_known_by_the_time_it_was_scheduled_for() {
        let tick = json!({"source": "aws.events", "detail-type": "Scheduled Event", "time": "2026-01-01T12:00:00Z"});
        assert_eq!(scheduled(&tick), Some("2026-01-01T12:00:00Z".parse().unwrap()));
        for other in [
            json!({"detail-type": "CloudWatch Alarm State Change", "time": "2026-01-01T12:00:00Z"}),
            json!({"detail-type": "Scheduled Event"}),
            json!({"detail-type": "Scheduled Event", "time": "noon"}),
            json!("tick"),
            Value::Null,
        ] {
            assert_eq!(scheduled(&other), None, "{other}");
        }
    }

    #[test]
    fn an_invocation_that_never_ran_is_told_by_its_condition() {
        let mut event = record("Lambda Function Invocation Result - Failure", Value::Null);
        event["detail"]["responseContext"] = Value::Null;
        let News::Failed(failure) = parse(event).unwrap() else { panic!("it failed") };
        assert_eq!(failure.error, "RetriesExhausted");
    }

    #[test]
    fn what_a_person_did_is_read_as_the_command_line_wrote_it_and_nothing_else_is() {
        let order = |detail: Value| json!({"source": "holdfast.operator", "detail-type": ORDER, "detail": detail});
        let written = json!({"deed": {"paused": "2026-01-01T14:00:00Z"}, "by": "arn:aws:iam::1:user/kim: new network",
            "names": ["a.example.com"], "names_unlisted": 4, "at": "2026-01-01T12:00:00Z"});
        let News::Ordered(read) = parse(order(written.clone())).unwrap() else { panic!("a person did it") };
        assert_eq!(serde_json::to_value(read).unwrap(), written);
        for other in
            [json!({}), json!({"deed": "armed"}), json!({"deed": "juggled", "by": "kim", "names": [], "at": 1})]
        {
            assert!(parse(order(other.clone())).is_err(), "{other}");
        }
    }

    #[test]
    fn a_report_about_dr_is_read_as_the_function_returned_it() {
        let report = json!({"readiness": "not-ready", "attention": "page", "at": "2026-01-01T12:00:00Z", "not_ready": 1, "not_known": 0,
            "rows": [{"row": "secret", "about": "secret shop", "verdict": "not-ready", "seen": "it is gone", "remedy": "aws"}]});
        let success = |response| record("Lambda Function Invocation Result - Success", response);
        let News::Looked(read) = parse(success(report.clone())).unwrap() else { panic!("it is a report") };
        assert_eq!(serde_json::to_value(read).unwrap(), report);
        assert!(parse(success(json!({"readiness": "splendid"}))).is_err());
    }

    #[test]
    fn what_is_no_outcome_is_not_told_as_one() {
        assert!(parse(record("Lambda Function Invocation Result - Success", json!({"ok": true}))).is_err());
        assert!(parse(json!({"detail": 1})).is_err());
    }
}
