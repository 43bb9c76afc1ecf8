//! What keeps Holdfast itself from being heard, or from running at all: its own alarms, muted alarms, functions that do not start.

use aws_sdk_cloudwatch::types::{
    AlarmMuteRuleStatus, AlarmType, Dimension, Metric, MetricDataQuery, MetricStat, StateValue,
};
use aws_smithy_types::DateTime;
use failover::plan::arn_region;
use jiff::{SignedDuration, Timestamp};

use crate::cloudwatch;
use crate::error::CallError;
use crate::session::Session;

/// An alarm about Holdfast.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnAlarm {
    /// Its name.
    pub name: String,
    /// Whether it rings.
    pub rings: bool,
    /// The SNS topics that it tells.
    pub topics: Vec<String>,
}

/// Who has subscribed to a topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Subscriptions {
    /// Those that hear what is published.
    pub confirmed: u64,
    /// Those whose owner has yet to follow the link in SNS's mail.
    pub pending: u64,
}

/// A rule that keeps an alarm from telling anybody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mute {
    /// The rule's name.
    pub rule: String,
    /// Whether it mutes now, or is to later.
    pub is_active: bool,
    /// When the rule itself ends.
    pub expires: Option<Timestamp>,
}

/// How a function fared of late.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Runs {
    /// Invocations that came to an end, good or bad.
    pub invocations: u64,
    /// Those that ended in an error.
    pub errors: u64,
}

/// What a detector calls its alarms about the site: NamePrefix, one of these and maybe more (detector.yaml).
pub(crate) const ABOUT_THE_SITE: [&str; 3] = [SITE_DOWN, PROLONGED, STARTED];
/// What every detector calls the alarm that tells people at once: NamePrefix and this (detector.yaml; BusName and this in template.yaml).
pub const SITE_DOWN: &str = "-site-down";
/// What every detector calls the alarm that starts a failover: NamePrefix and this (detector.yaml).
const STARTED: &str = "-failover-started";
/// What the DR region's stack calls the alarm that starts a failover where there is no other: BusName, this, and its minutes
/// (template.yaml).
pub const PROLONGED: &str = "-prolonged-outage";

/// The detector whose alarm starts failovers: its NamePrefix, or the BusName of the one stack; none if the alarm is somebody's own.
#[must_use]
pub fn detector_of(alarm: &str) -> Option<&str> {
    alarm.strip_suffix(STARTED).or_else(|| Some(alarm.rsplit_once(PROLONGED)?.0))
}

/// The rule that takes an alarm's event to Holdfast: it bears the alarm's name, but for the minutes in it.
#[must_use]
pub(crate) fn rule_of(alarm: &str) -> String {
    match detector_of(alarm) {
        Some(detector) if is_observed(alarm) => format!("{detector}{PROLONGED}"),
        _ => alarm.to_owned(),
    }
}

/// True if the alarm is the DR region's own, on what its observer publishes.
#[must_use]
pub fn is_observed(alarm: &str) -> bool {
    !alarm.ends_with(STARTED) && detector_of(alarm).is_some()
}
/// Every detector has an alarm NamePrefix and the first (detector.yaml), every responder BusName and the second (template.yaml).
const MARKS: [&str; 2] = [STARTED, "-unready"];

/// What a stack's alarms in the region say of Holdfast itself; they are called `STACK-…`.
///
/// # Errors
/// If CloudWatch does not say.
pub async fn own_alarms(session: &Session, stack: &str) -> Result<Vec<OwnAlarm>, CallError> {
    let mut pages = cloudwatch::client(session, None)
        .describe_alarms()
        .alarm_name_prefix(format!("{stack}-"))
        .alarm_types(AlarmType::MetricAlarm)
        .into_paginator()
        .send();
    let mut found = Vec::new();
    while let Some(page) = pages.next().await {
        let page = page.map_err(|error| CallError::of("DescribeAlarms", error))?;
        found.extend(page.metric_alarms().iter().filter_map(|alarm| {
            Some(OwnAlarm {
                name: alarm.alarm_name()?.to_owned(),
                rings: alarm.state_value() == Some(&StateValue::Alarm),
                topics: alarm.alarm_actions().iter().filter(|arn| is_topic(arn)).cloned().collect(),
            })
        }));
    }
    Ok(of_stack(found, stack))
}

fn is_topic(arn: &str) -> bool {
    arn.split(':').nth(2) == Some("sns")
}

/// Who hears a topic, by "SubscriptionsConfirmed" and "SubscriptionsPending" (SNS API, GetTopicAttributes).
///
/// # Errors
/// If SNS does not say.
pub async fn subscriptions(session: &Session, topic_arn: &str) -> Result<Subscriptions, CallError> {
    const CALL: &str = "GetTopicAttributes";
    let session = session.in_region(arn_region(topic_arn).unwrap_or_default());
    let config = aws_sdk_sns::config::Builder::from(session.config()).retry_partition(session.retries()).build();
    let told = aws_sdk_sns::Client::from_conf(config).get_topic_attributes().topic_arn(topic_arn).send().await;
    let told = told.map_err(|error| CallError::of(CALL, error))?.attributes.unwrap_or_default();
    let count = |name: &str| {
        let number = told.get(name).and_then(|value| value.parse().ok());
        number.ok_or_else(|| CallError::lost(CALL, format!("SNS does not tell {name}")))
    };
    Ok(Subscriptions { confirmed: count("SubscriptionsConfirmed")?, pending: count("SubscriptionsPending")? })
}

/// Without the alarms of stacks whose own names begin with this stack's (`shop-eu-unready` is none of the stack `shop`), and without
/// what a detector's alarms say of a site.
fn of_stack(alarms: Vec<OwnAlarm>, stack: &str) -> Vec<OwnAlarm> {
    let marked = |alarm: &OwnAlarm| MARKS.iter().find_map(|mark| alarm.name.strip_suffix(mark)).map(str::to_owned);
    let others = alarms.iter().filter_map(marked).filter(|other| other != stack);
    let others: Vec<_> = others.map(|other| format!("{other}-")).collect();
    let is_about_a_site = |name: &str| {
        let rest = name.strip_prefix(stack);
        rest.is_some_and(|rest| ABOUT_THE_SITE.iter().any(|about| rest.starts_with(about)))
    };
    let is_own =
        |alarm: &OwnAlarm| !others.iter().any(|other| alarm.name.starts_with(other)) && !is_about_a_site(&alarm.name);
    alarms.into_iter().filter(is_own).collect()
}

/// The rules that mute an alarm, now or later.
///
/// # Errors
/// If CloudWatch does not say.
pub async fn mutes(session: &Session, region: Option<&str>, alarm: &str) -> Result<Vec<Mute>, CallError> {
    let mut pages = cloudwatch::client(session, region)
        .list_alarm_mute_rules()
        .alarm_name(alarm)
        .statuses(AlarmMuteRuleStatus::Active)
        .statuses(AlarmMuteRuleStatus::Scheduled)
        .into_paginator()
        .send();
    let mut found = Vec::new();
    while let Some(page) = pages.next().await {
        let page = page.map_err(|error| CallError::of("ListAlarmMuteRules", error))?;
        found.extend(page.alarm_mute_rule_summaries().iter().map(|rule| Mute {
            rule: rule.alarm_mute_rule_arn().and_then(|arn| arn.rsplit(':').next()).unwrap_or_default().to_owned(),
            is_active: rule.status() == Some(&AlarmMuteRuleStatus::Active),
            expires: rule.expire_date().and_then(|at| Timestamp::from_second(at.secs()).ok()),
        }));
    }
    Ok(found)
}

/// How a function fared in the minutes before `now`; none if CloudWatch has nothing of it.
///
/// # Errors
/// If CloudWatch does not say.
pub async fn runs(
    session: &Session,
    function: &str,
    now: Timestamp,
    lookback: SignedDuration,
) -> Result<Option<Runs>, CallError> {
    let query = |id: &str, metric: &str| {
        let dimension = Dimension::builder().name("FunctionName").value(function).build();
        let metric = Metric::builder().namespace("AWS/Lambda").metric_name(metric).dimensions(dimension).build();
        let stat = MetricStat::builder().metric(metric).period(60).stat("Sum").build();
        MetricDataQuery::builder().id(id).metric_stat(stat).build()
    };
    let answer = cloudwatch::client(session, None)
        .get_metric_data()
        .metric_data_queries(query("invocations", "Invocations"))
        .metric_data_queries(query("errors", "Errors"))
        .start_time(DateTime::from_secs((now - lookback).as_second()))
        .end_time(DateTime::from_secs(now.as_second()))
        .send()
        .await
        .map_err(|error| CallError::of("GetMetricData", error))?;
    let values = |wanted: &str| {
        let of_id = answer.metric_data_results().iter().filter(move |result| result.id() == Some(wanted));
        of_id.flat_map(|result| result.values().iter().copied()).collect::<Vec<f64>>()
    };
    let (invocations, errors) = (values("invocations"), values("errors"));
    let whole = |values: Vec<f64>| cloudwatch::whole(values.iter().sum());
    Ok((!invocations.is_empty()).then(|| Runs { invocations: whole(invocations), errors: whole(errors) }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_detector_of_an_alarm_is_known_by_its_name() {
        for (alarm, detector, observed, rule) in [
            ("shop-failover-started", Some("shop"), false, "shop-failover-started"),
            ("shop-prolonged-outage-30min", Some("shop"), true, "shop-prolonged-outage"),
            ("somebody-s-own", None, false, "somebody-s-own"),
        ] {
            let known = (detector_of(alarm), is_observed(alarm), rule_of(alarm));
            assert_eq!(known, (detector, observed, rule.to_owned()), "{alarm}");
        }
    }

    #[test]
    fn of_two_stacks_in_an_account_each_has_its_own_alarms_though_one_name_begins_with_the_other() {
        let all = [
            "shop-dead-letters",
            "shop-detector-dead-letters",
            "shop-eu-dead-letters",
            "shop-eu-failover-started",
            "shop-eu-site-down",
            "shop-eu-unready",
            "shop-failover-started",
            "shop-prolonged-outage-30min-0123abcd",
            "shop-site-down",
            "shop-unready",
        ];
        let named = |stack: &str| {
            let alarms = all.iter().filter(|name| name.starts_with(&format!("{stack}-")));
            let alarms =
                alarms.map(|name| OwnAlarm { name: (*name).to_owned(), rings: false, topics: Vec::new() }).collect();
            of_stack(alarms, stack).into_iter().map(|alarm| alarm.name).collect::<Vec<_>>()
        };
        assert_eq!(named("shop"), ["shop-dead-letters", "shop-detector-dead-letters", "shop-unready"]);
        assert_eq!(named("shop-eu"), ["shop-eu-dead-letters", "shop-eu-unready"]);
    }
}
