//! What CloudWatch says when an alarm changes state: reasons, events, notifications.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::alarm::{Alarm, ComparisonOperator, Judgement, TreatMissingData, Verdict};
use super::state::AlarmState;
use crate::id;

/// A change of an alarm's state.
#[derive(Clone, Debug)]
pub struct Transition {
    /// Region of the alarm.
    pub region: String,
    /// The alarm before.
    pub before: AlarmState,
    /// The alarm now.
    pub after: AlarmState,
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

fn state(alarm: &AlarmState) -> Value {
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
    let mut configuration = json!({ "metrics": [{ "id": query, "metricStat": stat, "returnData": true }] });
    if let Some(description) = &alarm.alarm_description {
        configuration["description"] = json!(description);
    }
    configuration
}

impl Transition {
    fn alarm(&self) -> &Alarm {
        &self.after.alarm
    }

    fn data(&self) -> Value {
        json!({
            "alarmName": self.alarm().alarm_name,
            "state": state(&self.after),
            "previousState": state(&self.before),
            "configuration": configuration(self.alarm(), &self.region),
        })
    }

    /// The EventBridge event (CloudWatch User Guide, "Alarm events and EventBridge").
    pub fn event(&self) -> Value {
        let arn = self.alarm().arn(&self.region);
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
            "alarmArn": self.alarm().arn(&self.region),
            "accountId": crate::ACCOUNT,
            "time": moment(self.after.updated),
            "region": self.region,
            "alarmData": self.data(),
        })
    }

    /// Subject and body of the SNS message.
    pub fn mail(&self) -> (String, String) {
        let (alarm, region) = (self.alarm(), region_name(&self.region));
        let dimensions = alarm.dimensions.iter().map(|given| json!({ "value": given.value, "name": given.name }));
        let body = json!({
            "AlarmName": alarm.alarm_name,
            "AlarmDescription": alarm.alarm_description,
            "AWSAccountId": crate::ACCOUNT,
            "AlarmConfigurationUpdatedTimestamp": moment(self.after.configured),
            "NewStateValue": self.after.value,
            "NewStateReason": self.after.reason,
            "StateChangeTime": moment(self.after.updated),
            "Region": region,
            "AlarmArn": alarm.arn(&self.region),
            "OldStateValue": self.before.value,
            "OKActions": alarm.ok_actions,
            "AlarmActions": alarm.alarm_actions,
            "InsufficientDataActions": alarm.insufficient_data_actions,
            "Trigger": {
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
            },
        });
        (format!("{}: \"{}\" in {region}", self.after.value.name(), alarm.alarm_name), body.to_string())
    }
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
