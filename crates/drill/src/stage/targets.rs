//! DR's targets: how many of them are healthy, as a load balancer publishes it, and the alarm that says whether that is enough.

use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;
use lab::Lab;
use lab::cloudwatch::{Alarm, ComparisonOperator, Dimension, Statistic, TreatMissingData};
use lab::journal::What;

use super::steps::{self, AFTER, PREPARE, RESOURCES, SETTLES_SOON};
use super::{DR, SetupError, Stage};

const ALARM: &str = "shop-dr-healthy";
const NAMESPACE: &str = "AWS/ApplicationELB";
const METRIC: &str = "HealthyHostCount";
const DIMENSIONS: [(&str, &str); 2] =
    [("LoadBalancer", "app/shop/0123456789abcdef"), ("TargetGroup", "targetgroup/shop/0123456789abcdef")];

/// How the journal notes that enough are healthy.
pub(crate) const HEALTHY: &str = "enough of DR's targets are healthy";

/// Parameters that prepare DR, and send nobody there before its targets are healthy.
pub const TARGETS_ON_SWITCH: &[(&str, &str)] =
    &[SETTLES_SOON, ("DnsMoves", "by-holdfast"), PREPARE, AFTER, RESOURCES, ("DrHealthyAlarmName", ALARM)];

impl Stage {
    /// Puts the alarm there, and a load balancer that publishes how many targets are healthy: those that were there, and so long after the
    /// group was raised the others too, if they ever are.
    ///
    /// # Errors
    /// If the lab refuses the alarm.
    pub fn furnish_targets(&self, booted_after: Option<Duration>) -> Result<(), SetupError> {
        let dimension = |(name, value): (&str, &str)| Dimension { name: name.to_owned(), value: value.to_owned() };
        let alarm = Alarm {
            alarm_name: ALARM.to_owned(),
            alarm_description: None,
            actions_enabled: true,
            ok_actions: Vec::new(),
            alarm_actions: Vec::new(),
            insufficient_data_actions: Vec::new(),
            metric_name: METRIC.to_owned(),
            namespace: NAMESPACE.to_owned(),
            statistic: Statistic::Minimum,
            dimensions: DIMENSIONS.map(dimension).into(),
            period: 60,
            unit: None,
            evaluation_periods: 1,
            datapoints_to_alarm: None,
            threshold: steps::WANTED.into(),
            comparison_operator: ComparisonOperator::LessThanThreshold,
            treat_missing_data: Some(TreatMissingData::Breaching),
            warm_up_configuration: None,
            evaluation_window: None,
        };
        self.lab.cloudwatch.put_alarm(DR, alarm, self.lab.clock.now())?;
        tokio::spawn(publish(self.lab.clone(), booted_after));
        Ok(())
    }
}

/// A number a minute, for as long as the lab runs.
async fn publish(lab: Arc<Lab>, booted_after: Option<Duration>) {
    let booted_after = booted_after.and_then(|after| SignedDuration::try_from(after).ok());
    let (mut raised_at, mut is_told) = (None, false);
    loop {
        let now = lab.clock.now();
        let desired = steps::desired_in_group(&lab);
        if desired >= steps::WANTED {
            raised_at.get_or_insert(now);
        }
        let is_up = raised_at.zip(booted_after).is_some_and(|(at, after)| now >= at + after);
        let healthy = if is_up { desired } else { desired.min(steps::BEFORE) };
        lab.cloudwatch.put_metric(DR, NAMESPACE, METRIC, &DIMENSIONS, healthy.into(), now);
        if is_up && !std::mem::replace(&mut is_told, true) {
            lab.record(What::Fault { what: HEALTHY.to_owned() });
        }
        lab.clock.sleep(Duration::from_secs(60)).await;
    }
}
