//! What wakes alarm-handler: an alarm in three envelopes, the tick, an approval.
//!
//! The envelopes are those of `aws_lambda_events`; what is inside is read by lenient types of our own, since the crate's
//! refuse alarms that exist (metric math, a null description, a day's period).

use aws_lambda_events::event::eventbridge::EventBridgeEvent;
use aws_lambda_events::event::sns::SnsEvent;
use failover::incident::{AlarmSighting, AlarmState, Approval, ApprovalError};
use failover::signal::Signal;
use jiff::Timestamp;
use lambda_runtime::Diagnostic;
use serde::Deserialize;
use serde_json::Value;

/// Why an event cannot be handled. Lambda tries again, then keeps the event and pages.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum EventError {
    /// Not one of the five forms.
    #[error("alarm-handler takes alarms, ticks and approvals, not {0}; check the event rules")]
    Unknown(String),
    /// One of the five forms, with a field missing or unreadable.
    #[error("the {form} cannot be read: {why}")]
    Unreadable {
        /// Which form.
        form: &'static str,
        /// What is wrong.
        why: String,
    },
    /// An approval that lifts what may not be lifted, or is none.
    #[error(transparent)]
    Approval(#[from] ApprovalError),
}

impl From<EventError> for Diagnostic {
    fn from(error: EventError) -> Self {
        Self { error_type: "EventNotUnderstood".to_owned(), error_message: error.to_string() }
    }
}

/// Reads an event.
///
/// # Errors
/// If it is of no known form, or a needed field is missing.
pub fn parse(event: Value) -> Result<Signal, EventError> {
    if event.get("Records").is_some() {
        return from_sns(event);
    }
    if event.get("alarmData").is_some() {
        return from_alarm_action(event);
    }
    if event.get("detail-type").is_none() {
        return Err(EventError::Unknown("an event without detail-type, Records or alarmData".to_owned()));
    }
    let sent = event["time"].as_str().and_then(|time| time.parse().ok());
    let event: EventBridgeEvent<Value> =
        serde_json::from_value(event).map_err(|error| unreadable("EventBridge event", &error))?;
    match (event.source.as_str(), event.detail_type.as_str()) {
        ("aws.events" | "aws.scheduler", "Scheduled Event") => Ok(Signal::Tick),
        ("aws.cloudwatch", "CloudWatch Alarm State Change") => from_state_change(event),
        ("holdfast.operator", "Holdfast Approval") => {
            let given = sent.ok_or_else(|| unreadable("approval", &"its time is missing"))?;
            Ok(Signal::Approval { approval: Approval::parse(&event.detail.to_string())?, given })
        }
        (source, detail_type) => Err(EventError::Unknown(format!("{detail_type:?} from {source:?}"))),
    }
}

/// Of an alarm's state as EventBridge and the direct action give it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AlarmData {
    alarm_name: String,
    state: State,
}

#[derive(Deserialize)]
struct State {
    value: AlarmState,
    timestamp: String,
}

/// Of the direct alarm action (CloudWatch user guide, "Invoke a Lambda function from an alarm").
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AlarmAction {
    alarm_arn: String,
    alarm_data: AlarmData,
}

/// Of the JSON that CloudWatch publishes to SNS.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct SnsAlarm {
    alarm_name: String,
    alarm_arn: String,
    new_state_value: AlarmState,
    state_change_time: String,
}

fn from_state_change(event: EventBridgeEvent<Value>) -> Result<Signal, EventError> {
    const FORM: &str = "alarm state change";
    let data: AlarmData = serde_json::from_value(event.detail).map_err(|error| unreadable(FORM, &error))?;
    let arn = event.resources.and_then(|mut arns| arns.pop()).ok_or_else(|| unreadable(FORM, &"resources is empty"))?;
    sighting(FORM, arn, data.alarm_name, data.state.value, &data.state.timestamp)
}

fn from_alarm_action(event: Value) -> Result<Signal, EventError> {
    const FORM: &str = "alarm action";
    let AlarmAction { alarm_arn, alarm_data } =
        serde_json::from_value(event).map_err(|error| unreadable(FORM, &error))?;
    sighting(FORM, alarm_arn, alarm_data.alarm_name, alarm_data.state.value, &alarm_data.state.timestamp)
}

fn from_sns(event: Value) -> Result<Signal, EventError> {
    const FORM: &str = "alarm message from SNS";
    let event: SnsEvent = serde_json::from_value(event).map_err(|error| unreadable(FORM, &error))?;
    // SNS invokes with exactly one record ("Invoking Lambda functions with Amazon SNS notifications").
    let record = event.records.into_iter().next().ok_or_else(|| unreadable(FORM, &"Records is empty"))?;
    let alarm: SnsAlarm = serde_json::from_str(&record.sns.message).map_err(|error| unreadable(FORM, &error))?;
    sighting(FORM, alarm.alarm_arn, alarm.alarm_name, alarm.new_state_value, &alarm.state_change_time)
}

fn sighting(
    form: &'static str,
    arn: String,
    name: String,
    state: AlarmState,
    since: &str,
) -> Result<Signal, EventError> {
    let since: Timestamp = since.parse().map_err(|error| unreadable(form, &error))?;
    // Whole seconds, as CloudWatch's API tells the same moment, so that both name one incident.
    let since = Timestamp::from_second(since.as_second()).map_err(|error| unreadable(form, &error))?;
    Ok(Signal::Alarm(AlarmSighting { arn, name, state, since }))
}

fn unreadable(form: &'static str, why: &dyn std::fmt::Display) -> EventError {
    EventError::Unreadable { form, why: why.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn seen() -> Signal {
        Signal::Alarm(AlarmSighting {
            arn: "arn:aws:cloudwatch:us-east-1:1:alarm:a".to_owned(),
            name: "a".to_owned(),
            state: AlarmState::Alarm,
            since: "2026-01-01T12:00:00Z".parse().unwrap(),
        })
    }

    fn bridged(source: &str, detail_type: &str, detail: Value) -> Value {
        json!({"version": "0", "id": "1", "account": "1", "region": "us-east-1", "source": source,
            "time": "2026-01-01T12:00:01Z", "detail-type": detail_type, "detail": detail,
            "resources": ["arn:aws:cloudwatch:us-east-1:1:alarm:a"]})
    }

    #[test]
    fn one_alarm_is_the_same_in_every_envelope() {
        let data = json!({"alarmName": "a", "state": {"value": "ALARM", "timestamp": "2026-01-01T12:00:00.250+0000"},
            "configuration": {"metrics": [{"id": "e1", "expression": "m1*2"}]}});
        let state_change = bridged("aws.cloudwatch", "CloudWatch Alarm State Change", data.clone());
        let action = json!({"source": "aws.cloudwatch", "alarmArn": "arn:aws:cloudwatch:us-east-1:1:alarm:a",
            "accountId": "1", "time": "2026-01-01T12:00:00Z", "region": "us-east-1", "alarmData": data});
        let message = json!({"AlarmName": "a", "AlarmDescription": null, "NewStateValue": "ALARM",
            "AlarmArn": "arn:aws:cloudwatch:us-east-1:1:alarm:a", "StateChangeTime": "2026-01-01T12:00:00.250+0000"});
        let sns = json!({"Records": [{"EventVersion": "1.0", "EventSubscriptionArn": "s", "EventSource": "aws:sns", "Sns": {
            "SignatureVersion": "1", "Timestamp": "2026-01-01T12:00:00.000Z", "Signature": "x", "SigningCertUrl": "x",
"MessageId": "1", "Message": message.to_string(), "MessageAttributes": {}, "Type": "Notification",
            "UnsubscribeUrl": "x", "TopicArn": "t", "Subject": "ALARM"}}]});
        for event in [state_change, action, sns] {
            assert_eq!(parse(event.clone()), Ok(seen()), "{event}");
        }
    }

    #[test]
    fn the_schedule_is_a_tick_and_the_operators_word_an_approval() {
        assert_eq!(parse(bridged("aws.events", "Scheduled Event", json!({}))), Ok(Signal::Tick));
        let detail = json!({"incident": "a@2026-01-01T12:00:00Z", "by": "kim", "despite": ["P09"]});
        let approval = Approval::parse(&detail.to_string()).unwrap();
        let given = "2026-01-01T12:00:01Z".parse().unwrap();
        assert_eq!(
            parse(bridged("holdfast.operator", "Holdfast Approval", detail)),
            Ok(Signal::Approval { approval, given })
        );
    }

    #[test]
    fn what_is_not_understood_is_an_error_that_says_why() {
        for (event, said) in [
            (json!({}), "without detail-type"),
            (json!(7), "without detail-type"),
            (bridged("aws.ec2", "EC2 Instance State-change Notification", json!({})), "aws.ec2"),
            (bridged("aws.cloudwatch", "CloudWatch Alarm State Change", json!({"alarmName": "a"})), "state"),
            (json!({"Records": []}), "Records"),
            (json!({"alarmData": {}}), "alarmName"),
            (bridged("holdfast.operator", "Holdfast Approval", json!({"by": "kim"})), "incident"),
        ] {
            let error = parse(event).unwrap_err().to_string();
            assert!(error.contains(said), "{error}");
        }
    }
}
