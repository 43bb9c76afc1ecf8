//! What CloudWatch says when an alarm changes state: reasons, events, notifications.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::alarm::{Alarm, ComparisonOperator, Judgement, TreatMissingData, Verdict};
use super::composite::CompositeAlarm;
use super::state::{Standing, Why};
use crate::id;

/// The settings of an alarm of either kind.
#[derive(Clone, Debug)]
pub enum Settings {
    /// Of a metric alarm.
    Metric(Alarm),
    /// Of a composite one.
    Composite(CompositeAlarm),
}

/// A change of an alarm's state.
#[derive(Clone, Debug)]
pub struct Transition {
    /// Region of the alarm.
    pub region: String,
    /// Its settings.
    pub settings: Settings,
    /// Its state before.
    pub before: Standing,
    /// Its state now.
    pub after: Standing,
}

impl Settings {
    /// The alarm's name.
    pub fn name(&self) -> &str {
        match self {
            Self::Metric(alarm) => &alarm.alarm_name,
            Self::Composite(alarm) => &alarm.alarm_name,
        }
    }

    fn description(&self) -> Option<&String> {
        match self {
            Self::Metric(alarm) => alarm.alarm_description.as_ref(),
            Self::Composite(alarm) => alarm.alarm_description.as_ref(),
        }
    }

    /// Whether a change of state takes actions.
    pub fn actions_enabled(&self) -> bool {
        match self {
            Self::Metric(alarm) => alarm.actions_enabled,
            Self::Composite(alarm) => alarm.actions_enabled,
        }
    }

    /// ARNs of what to do in a state.
    pub fn actions(&self, state: Verdict) -> &[String] {
        let (ok, alarm, insufficient) = match self {
            Self::Metric(of) => (&of.ok_actions, &of.alarm_actions, &of.insufficient_data_actions),
            Self::Composite(of) => (&of.ok_actions, &of.alarm_actions, &of.insufficient_data_actions),
        };
        match state {
            Verdict::Ok => ok,
            Verdict::Alarm => alarm,
            Verdict::InsufficientData => insufficient,
        }
    }

    fn configuration(&self, region: &str) -> Value {
        let mut configuration = match self {
            Self::Metric(alarm) => configuration(alarm, region),
            Self::Composite(alarm) => json!({ "alarmRule": alarm.alarm_rule }),
        };
        if let Some(description) = self.description() {
            configuration["description"] = json!(description);
        }
        configuration
    }
}

/// CloudWatch's form of a moment: `2026-01-01T12:00:00.000+0000`.
pub(super) fn moment(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S%.3f+0000").to_string()
}

/// How many data points a reason lists at most.
const LISTED_MAX: usize = 5;

/// The reason for a verdict, worded as CloudWatch words it.
pub(super) fn reason(alarm: &Alarm, judgement: &Judgement, verdict: Verdict) -> String {
    let (wanted, needed) = (alarm.evaluation_periods as usize, alarm.datapoints());
    let treated = || {
        let (filled, treat) = (judgement.filled, alarm.treat_missing_data.unwrap_or_default());
        let how = if treat == TreatMissingData::Breaching { "Breaching" } else { "NonBreaching" };
        format!("{filled} missing {} treated as [{how}]", plural(filled, "datapoint was", "datapoints were"))
    };
    if verdict == Verdict::InsufficientData {
        return format!("Insufficient Data: {wanted} {} unknown.", plural(wanted, "datapoint was", "datapoints were"));
    }
    if judgement.points.is_empty() {
        let periods = plural(wanted, "period", "periods");
        return format!("Threshold Crossed: no datapoints were received for {wanted} {periods} and {}.", treated());
    }
    let in_alarm = verdict == Verdict::Alarm;
    let mut telling: Vec<_> = judgement.points.iter().filter(|(_, value)| alarm.breaches(*value) == in_alarm).collect();
    let count = telling.len();
    telling.truncate(LISTED_MAX);
    let listed: Vec<_> =
        telling.iter().map(|(at, value)| format!("{value:?} ({})", at.strftime("%d/%m/%y %H:%M:%S"))).collect();
    let negation = if in_alarm { "" } else { "not " };
    let compared = format!("{} {negation}{}", plural(count, "was", "were"), compared_with(alarm));
    let (minimum, turn) = if in_alarm { (needed, "OK -> ALARM") } else { (wanted - needed + 1, "ALARM -> OK") };
    let minimum = format!("(minimum {minimum} {} for {turn} transition)", plural(minimum, "datapoint", "datapoints"));
    let filled =
        if judgement.filled > 0 && alarm.treat_missing_data.is_some_and(|treat| treat != TreatMissingData::Missing) {
            format!(" and {}", treated())
        } else {
            String::new()
        };
    let of = plural(wanted, "datapoint", "datapoints");
    let listed = listed.join(", ");
    if count > LISTED_MAX {
        format!(
            "Threshold Crossed: {count} out of the last {wanted} {of} {compared}{filled}. The most recent datapoints \
             which crossed the threshold: [{listed}] {minimum}."
        )
    } else {
        format!("Threshold Crossed: {count} out of the last {wanted} {of} [{listed}] {compared}{filled} {minimum}.")
    }
}

fn plural<'a>(count: usize, one: &'a str, many: &'a str) -> &'a str {
    if count == 1 { one } else { many }
}

fn compared_with(alarm: &Alarm) -> String {
    let operator = match alarm.comparison_operator {
        ComparisonOperator::GreaterThanOrEqualToThreshold => "greater than or equal to",
        ComparisonOperator::GreaterThanThreshold => "greater than",
        ComparisonOperator::LessThanOrEqualToThreshold => "less than or equal to",
        ComparisonOperator::LessThanThreshold => "less than",
    };
    format!("{operator} the threshold ({:?})", alarm.threshold)
}

/// The data behind a verdict: a JSON text, as CloudWatch sends it.
pub(super) fn reason_data(alarm: &Alarm, judgement: &Judgement, end: Timestamp, now: Timestamp) -> String {
    let period = SignedDuration::from_secs(i64::from(alarm.period));
    let start = judgement.points.last().map_or(end - period, |(at, _)| *at);
    let recent: Vec<_> = judgement.points.iter().rev().map(|(_, value)| *value).collect();
    let evaluated: Vec<_> =
        judgement.points.iter().map(|(at, value)| json!({ "timestamp": moment(*at), "value": value })).collect();
    let mut data = json!({
        "version": "1.0",
        "queryDate": moment(now),
        "startDate": moment(start),
        "statistic": alarm.statistic,
        "period": alarm.period,
        "recentDatapoints": recent,
        "threshold": alarm.threshold,
        "evaluatedDatapoints": evaluated,
    });
    if let Some(unit) = &alarm.unit {
        data["unit"] = json!(unit);
    }
    data.to_string()
}

fn state(alarm: &Standing) -> Value {
    let mut state = json!({
        "value": alarm.value,
        "reason": alarm.reason,
        "timestamp": moment(alarm.updated),
    });
    if let Some(data) = &alarm.reason_data {
        state["reasonData"] = json!(data);
    }
    state
}

fn configuration(alarm: &Alarm, region: &str) -> Value {
    let dimensions: serde_json::Map<_, _> =
        alarm.dimensions.iter().map(|dimension| (dimension.name.clone(), json!(dimension.value))).collect();
    let mut stat = json!({
        "metric": { "namespace": alarm.namespace, "name": alarm.metric_name, "dimensions": dimensions },
        "period": alarm.period,
        "stat": alarm.statistic,
    });
    if let Some(unit) = &alarm.unit {
        stat["unit"] = json!(unit);
    }
    let query = id::uuid("metric query", id::hash(alarm.arn(region)));
    json!({ "metrics": [{ "id": query, "metricStat": stat, "returnData": true }] })
}

impl Transition {
    /// The alarm's name.
    pub fn name(&self) -> &str {
        self.settings.name()
    }

    fn arn(&self) -> String {
        super::alarm_arn(&self.region, self.name())
    }

    /// Why a composite alarm follows: this one's change.
    pub(super) fn as_trigger(&self) -> Why {
        let (arn, value) = (self.arn(), self.after.value);
        let at = self.after.updated.strftime("%A %d %B, %Y %H:%M:%S UTC");
        let state = json!({ "value": value, "timestamp": moment(self.after.updated) });
        let data = json!({ "triggeringAlarms": [{ "arn": arn, "state": state }] });
        (format!("{arn} transitioned to {} at {at}", value.name()), Some(data.to_string()))
    }

    fn data(&self) -> Value {
        json!({
            "alarmName": self.name(),
            "state": state(&self.after),
            "previousState": state(&self.before),
            "configuration": self.settings.configuration(&self.region),
        })
    }

    /// The EventBridge event (CloudWatch User Guide, "Alarm events and EventBridge").
    pub fn event(&self) -> Value {
        let arn = self.arn();
        json!({
            "version": "0",
            "id": id::uuid("alarm event", id::hash((&arn, self.after.updated.as_nanosecond()))),
            "detail-type": "CloudWatch Alarm State Change",
            "source": "aws.cloudwatch",
            "account": crate::ACCOUNT,
            "time": self.after.updated.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            "region": self.region,
            "resources": [arn],
            "detail": self.data(),
        })
    }

    /// What a Lambda function called as an alarm action is given (same guide, "Invoke a Lambda function from an alarm").
    pub fn invocation(&self) -> Value {
        json!({
            "source": "aws.cloudwatch",
            "alarmArn": self.arn(),
            "accountId": crate::ACCOUNT,
            "time": moment(self.after.updated),
            "region": self.region,
            "alarmData": self.data(),
        })
    }

    /// Subject and body of the SNS message.
    pub fn mail(&self) -> (String, String) {
        let region = region_name(&self.region);
        let mut body = json!({
            "AlarmName": self.name(),
            "AlarmDescription": self.settings.description(),
            "AWSAccountId": crate::ACCOUNT,
            "AlarmConfigurationUpdatedTimestamp": moment(self.after.configured),
            "NewStateValue": self.after.value,
            "NewStateReason": self.after.reason,
            "StateChangeTime": moment(self.after.updated),
            "Region": region,
            "AlarmArn": self.arn(),
            "OldStateValue": self.before.value,
            "OKActions": self.settings.actions(Verdict::Ok),
            "AlarmActions": self.settings.actions(Verdict::Alarm),
            "InsufficientDataActions": self.settings.actions(Verdict::InsufficientData),
        });
        match &self.settings {
            Settings::Metric(alarm) => body["Trigger"] = trigger(alarm),
            Settings::Composite(alarm) => body["AlarmRule"] = json!(alarm.alarm_rule),
        }
        (format!("{}: \"{}\" in {region}", self.after.value.name(), self.name()), body.to_string())
    }
}

fn trigger(alarm: &Alarm) -> Value {
    let dimensions = alarm.dimensions.iter().map(|given| json!({ "value": given.value, "name": given.name }));
    json!({
        "MetricName": alarm.metric_name,
        "Namespace": alarm.namespace,
        "StatisticType": "Statistic",
        "Statistic": format!("{:?}", alarm.statistic).to_uppercase(),
        "Unit": alarm.unit,
        "Dimensions": dimensions.collect::<Vec<_>>(),
        "Period": alarm.period,
        "EvaluationPeriods": alarm.evaluation_periods,
        "DatapointsToAlarm": alarm.datapoints(),
        "ComparisonOperator": alarm.comparison_operator,
        "Threshold": alarm.threshold,
        "TreatMissingData": alarm.treat_missing_data.unwrap_or_default(),
        "EvaluateLowSampleCountPercentile": "",
    })
}

/// The name by which AWS's messages call a region; the code, where the lab does not know one.
fn region_name(region: &str) -> &str {
    match region {
        "us-east-1" => "US East (N. Virginia)",
        "us-east-2" => "US East (Ohio)",
        "us-west-1" => "US West (N. California)",
        "us-west-2" => "US West (Oregon)",
        "eu-central-1" => "EU (Frankfurt)",
        "eu-west-1" => "EU (Ireland)",
        "eu-west-2" => "EU (London)",
        "ap-northeast-1" => "Asia Pacific (Tokyo)",
        "ap-southeast-1" => "Asia Pacific (Singapore)",
        "ap-southeast-2" => "Asia Pacific (Sydney)",
        other => other,
    }
}
