//! CloudWatch as the SDK sees it.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod common;

use std::time::Duration;

use aws_sdk_cloudwatch::Client;
use aws_sdk_cloudwatch::error::ProvideErrorMetadata;
use aws_sdk_cloudwatch::operation::put_metric_alarm::builders::PutMetricAlarmFluentBuilder;
use aws_sdk_cloudwatch::primitives::DateTime;
use aws_sdk_cloudwatch::types::{
    ComparisonOperator, Dimension, HistoryItemType, Metric, MetricDataQuery, MetricDatum, MetricStat, StandardUnit,
    StateValue, Statistic,
};
use jiff::{SignedDuration, Timestamp};
use lab::journal::What;

fn noon() -> Timestamp {
    common::START.parse().unwrap()
}

fn wire(at: Timestamp) -> DateTime {
    DateTime::from_secs(at.as_second())
}

fn minutes(n: i64) -> SignedDuration {
    SignedDuration::from_mins(n)
}

fn cluster() -> Dimension {
    Dimension::builder().name("DBClusterIdentifier").value("app-dr").build()
}

async fn put_lag(client: &Client, at: Timestamp, seconds: f64) {
    let datum = MetricDatum::builder()
        .metric_name("AuroraBinlogReplicaLag")
        .dimensions(cluster())
        .timestamp(wire(at))
        .value(seconds)
        .build();
    client.put_metric_data().namespace("AWS/RDS").metric_data(datum).send().await.unwrap();
}

fn lag_alarm(client: &Client) -> PutMetricAlarmFluentBuilder {
    client
        .put_metric_alarm()
        .alarm_name("lag")
        .namespace("AWS/RDS")
        .metric_name("AuroraBinlogReplicaLag")
        .dimensions(cluster())
        .statistic(Statistic::Maximum)
        .period(60)
        .evaluation_periods(1)
        .threshold(60.0)
        .comparison_operator(ComparisonOperator::GreaterThanThreshold)
}

#[tokio::test]
async fn metrics_come_back_as_they_were_put_and_only_in_their_region() {
    let lab = common::lab(1.0).await;
    let (east, west) = (common::cloudwatch(&lab, "us-east-1"), common::cloudwatch(&lab, "us-west-2"));
    for (minute, lag) in [(-3, 7.5), (-2, -1.0), (-1, 3.25)] {
        put_lag(&west, noon() + minutes(minute), lag).await;
    }
    let metric = Metric::builder().namespace("AWS/RDS").metric_name("AuroraBinlogReplicaLag").dimensions(cluster());
    let stat = MetricStat::builder().metric(metric.build()).period(60).stat("Maximum").build();
    let query = MetricDataQuery::builder().id("lag").metric_stat(stat).build();
    let ask = |client: &Client| {
        let range = client.get_metric_data().start_time(wire(noon() - minutes(10))).end_time(wire(noon()));
        range.metric_data_queries(query.clone()).send()
    };
    let answer = ask(&west).await.unwrap();
    let result = &answer.metric_data_results()[0];
    assert_eq!(result.id(), Some("lag"));
    assert_eq!(result.values(), [3.25, -1.0, 7.5], "the latest comes first");
    assert_eq!(result.timestamps()[0], wire(noon() - minutes(1)));
    assert!(ask(&east).await.unwrap().metric_data_results()[0].values().is_empty());

    let statistics = west
        .get_metric_statistics()
        .namespace("AWS/RDS")
        .metric_name("AuroraBinlogReplicaLag")
        .dimensions(cluster())
        .start_time(wire(noon() - minutes(10)))
        .end_time(wire(noon()))
        .period(600)
        .statistics(Statistic::Average)
        .statistics(Statistic::SampleCount)
        .send()
        .await
        .unwrap();
    let point = &statistics.datapoints()[0];
    assert_eq!((point.average(), point.sample_count(), point.sum()), (Some(3.25), Some(3.0), None));
}

#[tokio::test]
async fn an_alarm_starts_without_data_and_says_why_it_turned_and_when() {
    let lab = common::lab(600.0).await;
    let client = common::cloudwatch(&lab, "us-west-2");
    let topic = "arn:aws:sns:us-west-2:123456789012:operators";
    lag_alarm(&client).alarm_description("replica lag").alarm_actions(topic).send().await.unwrap();
    let describe = || async {
        let answer = client.describe_alarms().alarm_names("lag").send().await.unwrap();
        answer.metric_alarms()[0].clone()
    };
    let new = describe().await;
    assert_eq!(new.state_value(), Some(&StateValue::InsufficientData));
    assert_eq!(new.alarm_arn(), Some("arn:aws:cloudwatch:us-west-2:123456789012:alarm:lag"));
    assert_eq!((new.threshold(), new.period(), new.evaluation_periods()), (Some(60.0), Some(60), Some(1)));
    assert_eq!((new.alarm_description(), new.actions_enabled()), (Some("replica lag"), Some(true)));

    lab.cloudwatch.put_metric(
        "us-west-2",
        "AWS/RDS",
        "AuroraBinlogReplicaLag",
        &[("DBClusterIdentifier", "app-dr")],
        90.0,
        lab.clock.now(),
    );
    let turned = common::entry(&lab, |what| matches!(what, What::Alarm { to, .. } if to == "ALARM")).await;
    // Evaluated shortly after the end of the minute, not within it.
    assert!((10..20).contains(&turned.at.as_second().rem_euclid(60)), "{}", turned.at);
    let known = lab.cloudwatch.alarm_state("us-west-2", "lag").unwrap();
    assert!(known.standing.reason.contains("[90.0 (01/01/26 12:"), "{}", known.standing.reason);
    let history = client
        .describe_alarm_history()
        .alarm_name("lag")
        .history_item_type(HistoryItemType::StateUpdate)
        .send()
        .await
        .unwrap();
    let acted = client.describe_alarm_history().alarm_name("lag").history_item_type(HistoryItemType::Action);
    let acted = acted.send().await.unwrap();
    let acted: Vec<_> = acted.alarm_history_items().iter().filter_map(|item| item.history_summary()).collect();
    assert_eq!(acted, [format!("Successfully executed action {topic}")]);
    let summaries: Vec<_> = history.alarm_history_items().iter().filter_map(|item| item.history_summary()).collect();
    assert_eq!(summaries.last(), Some(&"Alarm updated from INSUFFICIENT_DATA to ALARM"), "{summaries:?}");
}

#[tokio::test]
async fn a_state_set_by_hand_shows_until_the_next_evaluation_and_actions_can_be_switched_off() {
    let lab = common::lab(1.0).await;
    let client = common::cloudwatch(&lab, "us-east-1");
    lag_alarm(&client).alarm_actions("arn:aws:sns:us-east-1:123456789012:operators").send().await.unwrap();
    client.disable_alarm_actions().alarm_names("lag").send().await.unwrap();
    client
        .set_alarm_state()
        .alarm_name("lag")
        .state_value(StateValue::Alarm)
        .state_reason("game day")
        .state_reason_data("{}")
        .send()
        .await
        .unwrap();
    let answer = client.describe_alarms().alarm_names("lag").alarm_names("other").send().await.unwrap();
    let [alarm] = answer.metric_alarms() else { panic!("one alarm of these names exists") };
    assert_eq!((alarm.state_value(), alarm.state_reason()), (Some(&StateValue::Alarm), Some("game day")));
    assert_eq!((alarm.actions_enabled(), alarm.state_reason_data()), (Some(false), Some("{}")));
    assert_eq!(alarm.state_updated_timestamp(), alarm.state_transitioned_timestamp());
    assert!(alarm.state_updated_timestamp().unwrap().secs() >= noon().as_second());
    let history = client.describe_alarm_history().alarm_name("lag").send().await.unwrap();
    let kinds: Vec<_> = history.alarm_history_items().iter().filter_map(|item| item.history_item_type()).collect();
    assert_eq!(kinds, [&HistoryItemType::StateUpdate, &HistoryItemType::ConfigurationUpdate], "no action was taken");
    client.delete_alarms().alarm_names("lag").send().await.unwrap();
    assert!(client.describe_alarms().send().await.unwrap().metric_alarms().is_empty());
}

#[tokio::test]
async fn what_the_lab_does_not_know_is_refused_by_name() {
    let lab = common::lab(1.0).await;
    let client = common::cloudwatch(&lab, "us-east-1");
    let refusal = lag_alarm(&client).extended_statistic("p99").send().await.unwrap_err();
    assert_eq!(refusal.code(), Some("NotImplemented"));
    assert_eq!(refusal.raw_response().unwrap().status().as_u16(), 501);
    assert!(refusal.message().unwrap().contains("ExtendedStatistic"), "{refusal:?}");
    let refusal = lag_alarm(&client).period(10).send().await.unwrap_err();
    assert!(refusal.message().unwrap().contains("whole minutes"));
    let refusal = lag_alarm(&client).alarm_actions("arn:aws:automate:us-east-1:ec2:stop").send().await.unwrap_err();
    assert!(refusal.message().unwrap().contains("arn:aws:automate"));
    let refusal = client.list_metrics().send().await.unwrap_err();
    assert_eq!((refusal.code(), refusal.message().unwrap().contains("ListMetrics")), (Some("NotImplemented"), true));
    let missing = client.set_alarm_state().alarm_name("no").state_value(StateValue::Ok).state_reason("x").send().await;
    assert_eq!(missing.unwrap_err().code(), Some("ResourceNotFound"));
    let expression = MetricDataQuery::builder().id("e").expression("1+1").build();
    let range = client.get_metric_data().start_time(wire(noon() - minutes(1))).end_time(wire(noon()));
    let refusal = range.metric_data_queries(expression).send().await.unwrap_err();
    assert!(refusal.message().unwrap().contains("Expression"));
}

#[tokio::test]
async fn a_region_that_is_down_evaluates_no_alarm_until_it_is_back() {
    let lab = common::lab(600.0).await;
    lag_alarm(&common::cloudwatch(&lab, "us-west-2")).send().await.unwrap();
    lab.faults.fail_region("us-west-2");
    let dimensions = [("DBClusterIdentifier", "app-dr")];
    for minute in 0..60 {
        let at = noon() + minutes(minute);
        lab.cloudwatch.put_metric("us-west-2", "AWS/RDS", "AuroraBinlogReplicaLag", &dimensions, 90.0, at);
    }
    lab.clock.sleep(Duration::from_secs(600)).await;
    assert!(!lab.journal.entries().iter().any(|entry| matches!(entry.what, What::Alarm { .. })));
    lab.faults.heal_region("us-west-2");
    common::entry(&lab, |what| matches!(what, What::Alarm { to, .. } if to == "ALARM")).await;
}

#[tokio::test]
async fn what_aws_refuses_is_refused_with_its_codes_and_words() {
    let lab = common::lab(1.0).await;
    let client = common::cloudwatch(&lab, "us-east-1");
    lag_alarm(&client).send().await.unwrap();
    let set = client.set_alarm_state().alarm_name("lag").state_value("INVALID".into()).state_reason("x");
    let refusal = set.send().await.unwrap_err();
    assert_eq!(refusal.code(), Some("ValidationError"));
    assert!(refusal.message().unwrap().starts_with("1 validation error detected: Value 'INVALID' at 'stateValue'"));
    let datum = MetricDatum::builder().metric_name("m").value(1.0).values(2.0).build();
    let refusal = client.put_metric_data().namespace("N").metric_data(datum).send().await.unwrap_err();
    assert!(refusal.into_service_error().is_invalid_parameter_combination_exception());
    let asked = client.get_metric_statistics().namespace("N").metric_name("m").period(60).statistics(Statistic::Sum);
    let asked = asked.start_time(wire(noon() - minutes(1441))).end_time(wire(noon())).send().await.unwrap_err();
    assert!(asked.message().unwrap().starts_with("You have requested up to 1441 datapoints"), "{asked:?}");
    let unnamed = client.describe_alarms().alarm_names("lag").alarm_name_prefix("l").send().await.unwrap_err();
    assert!(unnamed.message().unwrap().contains("mutually exclusive"));
}

#[tokio::test]
async fn labels_tell_results_apart_and_data_points_carry_their_unit() {
    let lab = common::lab(1.0).await;
    let client = common::cloudwatch(&lab, "us-east-1");
    for (unit, value) in [(None, 1.0), (Some(StandardUnit::Count), 2.0)] {
        let datum = MetricDatum::builder().metric_name("m").value(value).set_unit(unit).timestamp(wire(noon())).build();
        client.put_metric_data().namespace("N").metric_data(datum).send().await.unwrap();
    }
    let asked = client.get_metric_statistics().namespace("N").metric_name("m").period(60).statistics(Statistic::Sum);
    let points = asked.start_time(wire(noon())).end_time(wire(noon() + minutes(1))).send().await.unwrap();
    let told: Vec<_> = points.datapoints().iter().map(|point| (point.unit(), point.sum())).collect();
    assert_eq!(told, [(Some(&StandardUnit::Count), Some(2.0)), (Some(&StandardUnit::None), Some(1.0))]);
    let labels = async |asked: &[(&str, i32)]| {
        let queries = asked.iter().zip(0..).map(|((stat, period), n)| {
            let metric = Metric::builder().namespace("N").metric_name("m").build();
            let stat = MetricStat::builder().metric(metric).period(*period).stat(*stat).build();
            MetricDataQuery::builder().id(format!("q{n}")).metric_stat(stat).build()
        });
        let range = client.get_metric_data().start_time(wire(noon())).end_time(wire(noon() + minutes(1)));
        let answer = range.set_metric_data_queries(Some(queries.collect())).send().await.unwrap();
        answer.metric_data_results().iter().filter_map(|it| it.label().map(str::to_owned)).collect::<Vec<_>>()
    };
    assert_eq!(labels(&[("Sum", 60)]).await, ["m"]);
    assert_eq!(labels(&[("Sum", 60), ("Minimum", 60)]).await, ["m Sum", "m Minimum"]);
    assert_eq!(labels(&[("Sum", 60), ("Sum", 120)]).await, ["m 60", "m 120"]);
    assert_eq!(labels(&[("Sum", 60), ("Minimum", 120)]).await, ["m Sum 60", "m Minimum 120"]);
}
