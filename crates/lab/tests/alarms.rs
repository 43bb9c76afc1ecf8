//! Composite alarms, mute rules and what else keeps an alarm from acting, as the SDK sees them.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod common;

use std::time::Duration;

use aws_sdk_cloudwatch::Client;
use aws_sdk_cloudwatch::error::ProvideErrorMetadata;
use aws_sdk_cloudwatch::types::{
    AlarmMuteRuleStatus, AlarmType, ComparisonOperator, CompositeAlarm, EvaluationState as Told, MuteTargets, Rule,
    Schedule, StateValue, Statistic, WarmUpConfiguration,
};
use common::{count, journaled};
use lab::Lab;
use lab::cloudwatch::EvaluationState;
use lab::journal::What;

const REGION: &str = "us-east-1";
const TOPIC: &str = "arn:aws:sns:us-east-1:123456789012:operators";

/// An alarm that stays as it is set, with an action on the topic for ALARM and OK.
async fn alarm(client: &Client, name: &str) {
    let put = client.put_metric_alarm().alarm_name(name).namespace("N").metric_name(name).statistic(Statistic::Sum);
    let put = put.period(60).evaluation_periods(1).threshold(1.0).treat_missing_data("ignore");
    let put = put.comparison_operator(ComparisonOperator::GreaterThanThreshold).alarm_actions(TOPIC).ok_actions(TOPIC);
    put.send().await.unwrap();
}

async fn set(client: &Client, name: &str, value: StateValue) {
    client.set_alarm_state().alarm_name(name).state_value(value).state_reason("a test").send().await.unwrap();
}

async fn composite(client: &Client) -> CompositeAlarm {
    let ask = client.describe_alarms().alarm_names("both").alarm_types(AlarmType::CompositeAlarm);
    ask.send().await.unwrap().composite_alarms()[0].clone()
}

/// How many actions were taken for an alarm.
async fn actions(client: &Client, name: &str) -> usize {
    let kind = aws_sdk_cloudwatch::types::HistoryItemType::Action;
    let ask = client.describe_alarm_history().alarm_name(name).history_item_type(kind);
    let ask = ask.alarm_types(AlarmType::MetricAlarm).alarm_types(AlarmType::CompositeAlarm);
    ask.send().await.unwrap().alarm_history_items().len()
}

fn transitions(lab: &Lab, of: &str) -> usize {
    count(lab, |what| matches!(what, What::Alarm { name, .. } if name == of))
}

#[tokio::test]
async fn a_composite_alarm_follows_its_children_and_is_told_only_to_those_who_ask_for_its_kind() {
    let lab = common::lab(1.0).await;
    let client = common::cloudwatch(&lab, REGION);
    alarm(&client, "one").await;
    alarm(&client, "two").await;
    set(&client, "two", StateValue::Ok).await;
    let put = client.put_composite_alarm().alarm_name("both").alarm_rule("ALARM(one) AND NOT OK(\"two\")");
    put.alarm_actions(TOPIC).send().await.unwrap();
    assert_eq!(composite(&client).await.state_value(), Some(&StateValue::Ok));
    assert!(
        composite(&client).await.state_reason().unwrap().ends_with("was created and its alarm rule evaluates to OK")
    );
    set(&client, "one", StateValue::Alarm).await;
    assert_eq!(composite(&client).await.state_value(), Some(&StateValue::Ok));
    set(&client, "two", StateValue::InsufficientData).await;
    let now = composite(&client).await;
    assert_eq!(now.state_value(), Some(&StateValue::Alarm));
    assert!(now.state_reason_data().unwrap().contains("triggeringAlarms"));
    assert!(now.state_transitioned_timestamp().is_some());
    assert_eq!(actions(&client, "both").await, 1);
    let event = journaled(&lab, |entry| match &entry.what {
        What::Event { event, .. } if event["detail"]["alarmName"] == "both" => Some(event.clone()),
        _ => None,
    })
    .await;
    assert_eq!(event["detail-type"], "CloudWatch Alarm State Change");
    assert_eq!(event["detail"]["configuration"]["alarmRule"], "ALARM(one) AND NOT OK(\"two\")");
    let all = client.describe_alarms().send().await.unwrap();
    assert_eq!(
        (all.metric_alarms().len(), all.composite_alarms().len()),
        (2, 0),
        "only metric alarms, if none is asked for"
    );
    let page = async |token: Option<String>| {
        let ask = client.describe_alarms().alarm_types(AlarmType::MetricAlarm).alarm_types(AlarmType::CompositeAlarm);
        ask.max_records(2).set_next_token(token).send().await.unwrap()
    };
    let first = page(None).await;
    let second = page(first.next_token.clone()).await;
    let counted = [&first, &second].map(|page| (page.metric_alarms().len(), page.composite_alarms().len()));
    assert_eq!(counted, [(1, 1), (1, 0)], "a page counts alarms of either kind");
}

#[tokio::test]
async fn a_composite_alarm_needs_a_rule_about_alarms_that_exist() {
    let lab = common::lab(1.0).await;
    let client = common::cloudwatch(&lab, REGION);
    alarm(&client, "one").await;
    for rule in ["ALARM(absent)", "ALARM(one", "one"] {
        let refusal = client.put_composite_alarm().alarm_name("both").alarm_rule(rule).send().await.unwrap_err();
        assert!(refusal.message().unwrap().contains("AlarmRule"), "{refusal:?}");
    }
    let refusal = client.put_composite_alarm().alarm_name("one").alarm_rule("TRUE").send().await.unwrap_err();
    assert!(refusal.message().unwrap().contains("another type"));
}

async fn mute(client: &Client, expression: &str, lasts: &str) {
    let schedule = Schedule::builder().expression(expression).duration(lasts).build();
    let targets = MuteTargets::builder().alarm_names("one").build();
    let put = client.put_alarm_mute_rule().name("sunday").rule(Rule::builder().schedule(schedule).build());
    put.mute_targets(targets).send().await.unwrap();
}

#[tokio::test]
async fn a_mute_rule_holds_actions_while_the_state_and_its_events_go_on() {
    let lab = common::lab(1.0).await;
    let client = common::cloudwatch(&lab, REGION);
    alarm(&client, "one").await;
    mute(&client, "at(2026-01-01T12:00)", "PT2H").await;
    let active = client.list_alarm_mute_rules().alarm_name("one").statuses(AlarmMuteRuleStatus::Active);
    let active = active.send().await.unwrap();
    let [rule] = active.alarm_mute_rule_summaries() else { panic!("{active:?}") };
    assert_eq!(rule.mute_type(), Some("ONE_TIME"));
    set(&client, "one", StateValue::Alarm).await;
    assert_eq!((transitions(&lab, "one"), actions(&client, "one").await), (1, 0));
    client.delete_alarm_mute_rule().alarm_mute_rule_name("sunday").send().await.unwrap();
    assert_eq!(actions(&client, "one").await, 1, "it is still in ALARM, and acts now");
    let gone = client.get_alarm_mute_rule().alarm_mute_rule_name("sunday").send().await.unwrap_err();
    assert_eq!(gone.code(), Some("ResourceNotFoundException"));
}

#[tokio::test]
async fn a_mute_rule_ends_by_itself_and_a_state_that_has_passed_is_not_told() {
    let lab = common::lab(600.0).await;
    let client = common::cloudwatch(&lab, REGION);
    alarm(&client, "one").await;
    mute(&client, "at(2026-01-01T12:00)", "PT10M").await;
    let rule = client.get_alarm_mute_rule().alarm_mute_rule_name("sunday").send().await.unwrap();
    assert_eq!(rule.mute_targets().unwrap().alarm_names(), ["one"]);
    set(&client, "one", StateValue::Alarm).await;
    set(&client, "one", StateValue::Ok).await;
    lab.clock.sleep(Duration::from_secs(720)).await;
    let history = client.describe_alarm_history().alarm_name("one").send().await.unwrap();
    let summaries: Vec<_> = history.alarm_history_items().iter().filter_map(|item| item.history_summary()).collect();
    assert_eq!(actions(&client, "one").await, 1, "OK alone: {summaries:?}");
}

#[tokio::test]
async fn an_alarm_that_warms_up_or_cannot_be_evaluated_stays_silent_and_says_so() {
    let lab = common::lab(600.0).await;
    let client = common::cloudwatch(&lab, REGION);
    alarm(&client, "one").await;
    lab.cloudwatch.set_evaluation_state(REGION, "one", Some(EvaluationState::EvaluationFailure));
    let warm_up = WarmUpConfiguration::builder().warm_up_period_duration_in_minutes(30).build();
    let put = client.put_metric_alarm().alarm_name("two").namespace("N").metric_name("two").statistic(Statistic::Sum);
    let put = put.period(60).evaluation_periods(1).threshold(1.0).treat_missing_data("breaching");
    let put = put.comparison_operator(ComparisonOperator::GreaterThanThreshold).warm_up_configuration(warm_up);
    put.send().await.unwrap();
    for minute in 0..10 {
        let at = lab.clock.now() + Duration::from_secs(60 * minute);
        lab.cloudwatch.put_metric(REGION, "N", "one", &[], 5.0, at);
    }
    lab.clock.sleep(Duration::from_secs(300)).await;
    let told = client.describe_alarms().send().await.unwrap();
    let [one, two] = told.metric_alarms() else { panic!("{told:?}") };
    assert_eq!(
        (one.evaluation_state(), one.state_value()),
        (Some(&Told::EvaluationFailure), Some(&StateValue::InsufficientData))
    );
    assert_eq!(two.state_value(), Some(&StateValue::InsufficientData));
    assert_eq!(two.warm_up_configuration().unwrap().warm_up_period_duration_in_minutes(), Some(30));
    lab.cloudwatch.set_evaluation_state(REGION, "one", None);
    journaled(&lab, |entry| {
        matches!(&entry.what, What::Alarm { name, to, .. } if name == "two" && to == "ALARM").then_some(())
    })
    .await;
    assert!(lab.clock.now().as_second() >= common::START.parse::<jiff::Timestamp>().unwrap().as_second() + 1800);
}
