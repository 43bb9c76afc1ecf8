//! What wakes alarm-handler: an alarm in three envelopes, the tick, an approval.
//!
//! The envelopes are those of `aws_lambda_events`; what is inside is read by lenient types of our own, since the crate's
//! refuse alarms that exist (metric math, a null description, a day's period).
//!
//! Only an alarm's own transition says what the alarm says. What CloudWatch tells of one contributor, and a composite alarm
//! that says once more what it said, are hints: Holdfast looks, and CloudWatch's own description of the alarm counts.

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
        ("aws.cloudwatch", "CloudWatch Alarm Contributor State Change" | "CloudWatch Alarm Configuration Change") => {
            Ok(Signal::Hint)
        }
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
    #[serde(default)]
    previous_state: Value,
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
    #[serde(default)]
    old_state_value: Value,
    state_change_time: String,
}

/// True if CloudWatch speaks of one of an alarm's contributors ("Acting on alarm changes": SNS and Lambda are told of both).
/// Its pages do not say in full by which members, so every one that names a contributor counts; at worst Holdfast asks
/// CloudWatch what it might have read.
fn is_of_a_contributor(told: &Value) -> bool {
    let names_one = |key: &String| key.to_ascii_lowercase().contains("contributor");
    told.as_object().is_some_and(|members| members.keys().any(names_one))
}

fn from_state_change(event: EventBridgeEvent<Value>) -> Result<Signal, EventError> {
    const FORM: &str = "alarm state change";
    if is_of_a_contributor(&event.detail) {
        return Ok(Signal::Hint);
    }
    let data: AlarmData = serde_json::from_value(event.detail).map_err(|error| unreadable(FORM, &error))?;
    let arn = event.resources.and_then(|mut arns| arns.pop()).ok_or_else(|| unreadable(FORM, &"resources is empty"))?;
    data.sighting(FORM, arn)
}

fn from_alarm_action(event: Value) -> Result<Signal, EventError> {
    const FORM: &str = "alarm action";
    if is_of_a_contributor(&event) || is_of_a_contributor(&event["alarmData"]) {
        return Ok(Signal::Hint);
    }
    let AlarmAction { alarm_arn, alarm_data } =
        serde_json::from_value(event).map_err(|error| unreadable(FORM, &error))?;
    alarm_data.sighting(FORM, alarm_arn)
}

impl AlarmData {
    fn sighting(self, form: &'static str, arn: String) -> Result<Signal, EventError> {
        let states = (&self.previous_state["value"], self.state.value);
        sighting(form, arn, self.alarm_name, states, &self.state.timestamp)
    }
}

fn from_sns(event: Value) -> Result<Signal, EventError> {
    const FORM: &str = "alarm message from SNS";
    let event: SnsEvent = serde_json::from_value(event).map_err(|error| unreadable(FORM, &error))?;
    // SNS invokes with exactly one record ("Invoking Lambda functions with Amazon SNS notifications").
    let record = event.records.into_iter().next().ok_or_else(|| unreadable(FORM, &"Records is empty"))?;
    let message: Value = serde_json::from_str(&record.sns.message).map_err(|error| unreadable(FORM, &error))?;
    if is_of_a_contributor(&message) {
        return Ok(Signal::Hint);
    }
    let alarm: SnsAlarm = serde_json::from_value(message).map_err(|error| unreadable(FORM, &error))?;
    let states = (&alarm.old_state_value, alarm.new_state_value);
    sighting(FORM, alarm.alarm_arn, alarm.alarm_name, states, &alarm.state_change_time)
}

fn sighting(
    form: &'static str,
    arn: String,
    name: String,
    (before, state): (&Value, AlarmState),
    since: &str,
) -> Result<Signal, EventError> {
    // A composite alarm's actions are told again when its suppressor's wait ends; the alarm has not changed, and this later
    // time would name a second incident.
    if AlarmState::deserialize(before).is_ok_and(|before| before == state) {
        return Ok(Signal::Hint);
    }
    let since: Timestamp = since.parse().map_err(|error| unreadable(form, &error))?;
    // Whole seconds, as CloudWatch's API tells the same moment, so that both name one incident.
    let since = Timestamp::from_second(since.as_second()).map_err(|error| unreadable(form, &error))?;
    Ok(Signal::Alarm(AlarmSighting { arn, name, state, since, trouble: None }))
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
            trouble: None,
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
    fn what_is_told_of_a_contributor_and_what_is_told_again_are_hints() {
        let state = json!({"value": "OK", "timestamp": "2026-01-01T12:00:00.250+0000"});
        let own = json!({"alarmName": "a", "state": state, "previousState": {"value": "ALARM"}});
        let with = |member: &str, value: Value| {
            let mut told = own.clone();
            told[member] = value;
            told
        };
        let contributor = with("alarmContributor", json!({"id": "1", "attributes": {"InstanceId": "i-1"}}));
        let again = with("previousState", json!({"value": "OK"}));
        let action = |data: &Value| {
            json!({"source": "aws.cloudwatch", "alarmArn": "arn:aws:cloudwatch:us-east-1:1:alarm:a",
                "accountId": "1", "time": "2026-01-01T12:00:00Z", "region": "us-east-1", "alarmData": data})
        };
        let sns = |more: Value| {
            let mut message = json!({"AlarmName": "a", "NewStateValue": "OK", "OldStateValue": "ALARM",
                "AlarmArn": "arn:aws:cloudwatch:us-east-1:1:alarm:a", "StateChangeTime": "2026-01-01T12:00:00.250+0000"});
            message.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            json!({"Records": [{"EventVersion": "1.0", "EventSubscriptionArn": "s", "EventSource": "aws:sns", "Sns": {
                "SignatureVersion": "1", "Timestamp": "2026-01-01T12:00:00.000Z", "Signature": "x", "SigningCertUrl": "x",
                "MessageId": "1", "Message": message.to_string(), "MessageAttributes": {}, "Type": "Notification",
                "UnsubscribeUrl": "x", "TopicArn": "t", "Subject": "OK"}}]})
        };
        let state_change = "CloudWatch Alarm State Change";
        for event in [
            bridged("aws.cloudwatch", "CloudWatch Alarm Contributor State Change", contributor.clone()),
            bridged("aws.cloudwatch", state_change, contributor.clone()),
            bridged("aws.cloudwatch", state_change, again.clone()),
            action(&contributor),
            action(&again),
            sns(json!({"AlarmContributorId": "1"})),
            sns(json!({"OldStateValue": "OK"})),
        ] {
            assert_eq!(parse(event.clone()), Ok(Signal::Hint), "{event}");
        }
        for event in [bridged("aws.cloudwatch", state_change, own.clone()), action(&own), sns(json!({}))] {
            assert!(matches!(parse(event.clone()), Ok(Signal::Alarm(_))), "{event}");
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
