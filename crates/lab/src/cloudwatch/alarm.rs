//! Alarms: their settings, and when they are in which state.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::metric::{Dimension, MetricId, Metrics, Statistic};

/// How a value is compared with the threshold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names say it all")]
pub enum ComparisonOperator {
    GreaterThanOrEqualToThreshold,
    GreaterThanThreshold,
    LessThanOrEqualToThreshold,
    LessThanThreshold,
}

/// What a missing data point counts as.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the names say it all")]
pub enum TreatMissingData {
    #[default]
    Missing,
    Ignore,
    Breaching,
    NotBreaching,
}

/// The state of an alarm, and what a look at its metric says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Verdict {
    /// Within the threshold.
    Ok,
    /// Beyond it.
    Alarm,
    /// Not enough data to tell.
    InsufficientData,
}

impl Verdict {
    /// AWS's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ok => "OK",
            Self::Alarm => "ALARM",
            Self::InsufficientData => "INSUFFICIENT_DATA",
        }
    }
}

pub(super) fn enabled() -> bool {
    true
}

/// How long after each creation or update an alarm stays in `INSUFFICIENT_DATA` and takes no actions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct WarmUp {
    /// 1 to 2,880.
    #[serde(rename = "WarmUpPeriodDurationInMinutes")]
    pub minutes: u32,
}

/// Which range of data an alarm looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum EvaluationWindow {
    /// The latest whole minutes: what every alarm does that has no window.
    SlidingWindow {},
    /// Whole periods by the clock in UTC, such as full hours.
    WallClockWindow {},
}

/// The settings of a metric alarm, as in `PutMetricAlarm` and `DescribeAlarms`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Alarm {
    /// Name, unique in its region.
    pub alarm_name: String,
    /// Description.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alarm_description: Option<String>,
    /// Whether a change of state takes its actions.
    #[serde(default = "enabled")]
    pub actions_enabled: bool,
    /// ARNs of what to do on `OK`.
    #[serde(rename = "OKActions", default)]
    pub ok_actions: Vec<String>,
    /// ARNs of what to do on `ALARM`.
    #[serde(default)]
    pub alarm_actions: Vec<String>,
    /// ARNs of what to do on `INSUFFICIENT_DATA`.
    #[serde(default)]
    pub insufficient_data_actions: Vec<String>,
    /// Name of the metric.
    pub metric_name: String,
    /// Namespace of the metric.
    pub namespace: String,
    /// How samples become a data point.
    pub statistic: Statistic,
    /// Dimensions of the metric.
    #[serde(default)]
    pub dimensions: Vec<Dimension>,
    /// Seconds in a data point.
    pub period: u32,
    /// Unit of the samples to look at; any, if none is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// How many data points to look at.
    pub evaluation_periods: u32,
    /// How many of them must be breaching; all, if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub datapoints_to_alarm: Option<u32>,
    /// What to compare with.
    pub threshold: f64,
    /// How to compare.
    pub comparison_operator: ComparisonOperator,
    /// What a missing data point counts as.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub treat_missing_data: Option<TreatMissingData>,
    /// Its warm-up, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warm_up_configuration: Option<WarmUp>,
    /// Its window, if one was chosen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evaluation_window: Option<EvaluationWindow>,
}

/// A data point: when its period starts, and its value if there are samples.
pub type Point = (Timestamp, Option<f64>);

/// What a look at the metric says, and the data points it rests on, latest first.
#[derive(Clone, Debug, PartialEq)]
pub struct Judgement {
    /// The state to be in; nothing to stay in the present one.
    pub verdict: Option<Verdict>,
    /// The points with data that were looked at.
    pub points: Vec<(Timestamp, f64)>,
    /// How many missing points were filled in.
    pub filled: usize,
}

impl Alarm {
    /// ARN in a region.
    pub fn arn(&self, region: &str) -> String {
        super::alarm_arn(region, &self.alarm_name)
    }

    /// How many of the data points must be breaching.
    pub fn datapoints(&self) -> usize {
        self.datapoints_to_alarm.unwrap_or(self.evaluation_periods) as usize
    }

    /// True if a value is beyond the threshold.
    pub fn breaches(&self, value: f64) -> bool {
        match self.comparison_operator {
            ComparisonOperator::GreaterThanOrEqualToThreshold => value >= self.threshold,
            ComparisonOperator::GreaterThanThreshold => value > self.threshold,
            ComparisonOperator::LessThanOrEqualToThreshold => value <= self.threshold,
            ComparisonOperator::LessThanThreshold => value < self.threshold,
        }
    }

    /// Says what is wrong with the settings.
    pub(crate) fn fault(&self) -> Option<String> {
        let periods = self.evaluation_periods;
        let fault = if self.alarm_name.is_empty() || self.alarm_name.len() > 255 {
            "AlarmName must have between 1 and 255 characters"
        } else if self.period == 0 {
            "Period must be at least 1"
        } else if periods == 0 || u64::from(periods) * u64::from(self.period) > 86_400 {
            // "The number of evaluation periods multiplied by the length of each cannot exceed one day."
            "EvaluationPeriods must be at least 1 and cover at most one day"
        } else if self.datapoints_to_alarm.is_some_and(|datapoints| datapoints == 0 || datapoints > periods) {
            "DatapointsToAlarm must be between 1 and EvaluationPeriods"
        } else if self.warm_up_configuration.is_some_and(|warm_up| !(1..=2_880).contains(&warm_up.minutes)) {
            "WarmUpPeriodDurationInMinutes must be between 1 and 2880"
        } else {
            return None;
        };
        Some(fault.to_owned())
    }

    /// What of the settings AWS has and the lab lacks.
    pub(crate) fn unsupported(&self) -> Option<String> {
        let actions = self.ok_actions.iter().chain(&self.alarm_actions).chain(&self.insufficient_data_actions);
        match !self.period.is_multiple_of(60) {
            true => Some("periods that are not whole minutes".to_owned()),
            false => unknown_action(actions),
        }
    }

    /// True while it warms up.
    pub(super) fn is_warming_up(&self, configured: Timestamp, now: Timestamp) -> bool {
        self.warm_up_configuration
            .is_some_and(|warm_up| now < configured + SignedDuration::from_mins(i64::from(warm_up.minutes)))
    }

    /// The data points up to `end`, latest first. "CloudWatch attempts to retrieve a higher number of data points than
    /// the number specified as Evaluation Periods"; its example retrieves five for three.
    pub fn points(&self, metrics: &Metrics, end: Timestamp) -> Vec<Point> {
        let id = MetricId::new(&self.namespace, &self.metric_name, &self.dimensions);
        let period = SignedDuration::from_secs(i64::from(self.period));
        let end = match self.evaluation_window {
            Some(EvaluationWindow::WallClockWindow {}) => {
                end - SignedDuration::from_secs(end.as_second().rem_euclid(i64::from(self.period)))
            }
            _ => end,
        };
        (1..=i32::try_from(self.evaluation_periods).unwrap_or(i32::MAX).saturating_add(2))
            .map(|back| end - period * back)
            .map(|start| {
                let samples = metrics.over(&id, start, self.period, self.unit.as_deref());
                (start, samples.map(|samples| samples.value(self.statistic)))
            })
            .collect()
    }

    /// Judges data points, latest first, as documented under "How alarm state is evaluated when data is missing" and
    /// "Avoiding premature transitions to alarm state" (`CloudWatch` User Guide).
    pub fn judge(&self, points: &[Point], treat: TreatMissingData) -> Judgement {
        let (needed, wanted) = (self.datapoints(), self.evaluation_periods as usize);
        let present: Vec<_> = points.iter().filter_map(|(at, value)| Some((*at, (*value)?))).take(wanted).collect();
        let filled = wanted - present.len();
        let breaching = present.iter().filter(|(_, value)| self.breaches(*value)).count();
        // "Alarms are designed to always go into ALARM state when the oldest available breaching datapoint … is at least
        // as old as the value of Datapoints to Alarm, and all other more recent data points are breaching or missing."
        let age = points.iter().rposition(|(_, value)| value.is_some()).map_or(0, |position| position + 1);
        let all_breach = !present.is_empty() && breaching == present.len();
        let verdict = match treat {
            _ if breaching >= needed => Some(Verdict::Alarm),
            _ if filled == 0 => Some(Verdict::Ok),
            TreatMissingData::Breaching if breaching + filled >= needed => Some(Verdict::Alarm),
            TreatMissingData::Breaching | TreatMissingData::NotBreaching => Some(Verdict::Ok),
            _ if !present.is_empty() && !all_breach => Some(Verdict::Ok),
            TreatMissingData::Ignore => None,
            TreatMissingData::Missing if all_breach && age >= needed => Some(Verdict::Alarm),
            TreatMissingData::Missing => Some(Verdict::InsufficientData),
        };
        Judgement { verdict, points: present, filled }
    }
}

/// An alarm action that the lab does not have.
pub(super) fn unknown_action<'a>(mut actions: impl Iterator<Item = &'a String>) -> Option<String> {
    let unknown = actions.find(|arn| !arn.starts_with("arn:aws:sns:") && !arn.starts_with("arn:aws:lambda:"));
    unknown.map(|arn| format!("the alarm action {arn}"))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn alarm(needed: u32, periods: u32) -> Alarm {
        Alarm {
            alarm_name: "site-down".to_owned(),
            alarm_description: None,
            actions_enabled: true,
            ok_actions: Vec::new(),
            alarm_actions: Vec::new(),
            insufficient_data_actions: Vec::new(),
            metric_name: "HealthCheckStatus".to_owned(),
            namespace: "AWS/Route53".to_owned(),
            statistic: Statistic::Minimum,
            dimensions: Vec::new(),
            period: 60,
            unit: None,
            evaluation_periods: periods,
            datapoints_to_alarm: Some(needed),
            threshold: 1.0,
            comparison_operator: ComparisonOperator::LessThanThreshold,
            treat_missing_data: None,
            warm_up_configuration: None,
            evaluation_window: None,
        }
    }

    /// `0` is within the threshold, `X` beyond it, `-` missing; oldest first, as in AWS's tables.
    fn points(row: &str) -> Vec<Point> {
        let values = row.split(' ').rev().enumerate().map(|(back, mark)| {
            let at = Timestamp::from_second(1_767_268_800 - 60 * back as i64).unwrap();
            (
                at,
                match mark {
                    "X" => Some(0.0),
                    "0" => Some(1.0),
                    _ => None,
                },
            )
        });
        values.collect()
    }

    const KEEP: Option<Verdict> = None;
    const OK: Option<Verdict> = Some(Verdict::Ok);
    const ALARM: Option<Verdict> = Some(Verdict::Alarm);
    const INSUFFICIENT: Option<Verdict> = Some(Verdict::InsufficientData);

    fn check(needed: u32, row: &str, expected: [Option<Verdict>; 4]) {
        let treats = [
            TreatMissingData::Missing,
            TreatMissingData::Ignore,
            TreatMissingData::Breaching,
            TreatMissingData::NotBreaching,
        ];
        for (treat, expected) in treats.into_iter().zip(expected) {
            let judged = alarm(needed, 3).judge(&points(row), treat).verdict;
            assert_eq!(judged, expected, "{needed} out of 3, {row:?}, missing data as {treat:?}");
        }
    }

    #[test]
    fn three_out_of_three_with_missing_data_is_judged_as_aws_documents() {
        check(3, "0 - X - X", [OK, OK, OK, OK]);
        check(3, "0 - - - -", [OK, OK, OK, OK]);
        check(3, "- - - - -", [INSUFFICIENT, KEEP, ALARM, OK]);
        check(3, "0 X X - X", [ALARM, ALARM, ALARM, ALARM]);
        check(3, "- - X - -", [ALARM, KEEP, ALARM, OK]);
        check(3, "- - - - X", [INSUFFICIENT, KEEP, ALARM, OK]);
        check(3, "X - - - -", [ALARM, KEEP, ALARM, OK]);
        check(3, "0 0 X X X", [ALARM, ALARM, ALARM, ALARM]);
        check(3, "X X X X 0", [OK, OK, OK, OK]);
    }

    #[test]
    fn two_out_of_three_with_missing_data_is_judged_as_aws_documents() {
        check(2, "0 - X - X", [ALARM, ALARM, ALARM, ALARM]);
        check(2, "0 0 X 0 X", [ALARM, ALARM, ALARM, ALARM]);
        check(2, "0 - X - -", [OK, OK, ALARM, OK]);
        check(2, "- - - - 0", [OK, OK, ALARM, OK]);
        check(2, "- - - X -", [ALARM, KEEP, ALARM, OK]);
        check(2, "- - - - X", [INSUFFICIENT, KEEP, ALARM, OK]);
    }

    #[test]
    fn every_operator_compares_as_it_is_called() {
        use ComparisonOperator::*;
        for (operator, below, equal, above) in [
            (GreaterThanOrEqualToThreshold, false, true, true),
            (GreaterThanThreshold, false, false, true),
            (LessThanOrEqualToThreshold, true, true, false),
            (LessThanThreshold, true, false, false),
        ] {
            let alarm = Alarm { comparison_operator: operator, ..alarm(1, 1) };
            assert_eq!([0.5, 1.0, 1.5].map(|value| alarm.breaches(value)), [below, equal, above], "{operator:?}");
        }
    }

    #[test]
    fn the_range_is_two_periods_longer_than_what_is_evaluated_and_ends_before_the_present_minute() {
        let end = Timestamp::from_second(1_767_268_800).unwrap();
        let points = alarm(30, 30).points(&Metrics::default(), end);
        assert_eq!(points.len(), 32);
        assert_eq!(points[0].0, end - SignedDuration::from_secs(60));
    }
}
