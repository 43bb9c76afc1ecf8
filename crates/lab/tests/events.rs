//! From an event to its targets.
#![allow(clippy::unwrap_used, reason = "clippy does not know that helpers are a part of tests")]

mod common;

use std::time::Duration;

use aws_sdk_eventbridge::types::PutEventsRequestEntry;
use common::{DR, PRIMARY, count, echo, journaled, lab, sdk};
use lab::Lab;
use lab::events::{RuleConfig, Target};
use lab::fault::{EventEffect, EventFault};
use lab::functions::{FunctionConfig, Functions};
use lab::journal::What;
use serde_json::{Value, json};

/// A rule on a bus that takes everything of source `ours` to a target.
fn rule(lab: &Lab, region: &str, bus: &str, target: Value) {
    let config: RuleConfig = serde_json::from_value(json!({
        "Name": "rule", "EventBusName": bus, "EventPattern": {"source": ["ours"]},
    }))
    .unwrap();
    lab.events.put_rule(region, config, lab.clock.now()).unwrap();
    let target: Target = serde_json::from_value(target).unwrap();
    lab.events.set_targets(region, Some(bus), "rule", vec![target]).unwrap();
}

fn event(n: u32) -> Value {
    json!({"source": "ours", "detail-type": "Test", "detail": {"n": n}})
}

fn queued(what: &What) -> Option<Value> {
    match what {
        What::Queued { body, .. } => serde_json::from_str(body).ok(),
        _ => None,
    }
}

#[tokio::test]
async fn an_event_put_with_the_sdk_reaches_the_function_its_rule_names() {
    let lab = lab(1000.0).await;
    let function = Functions::create(&lab, DR, FunctionConfig::new("echo", echo())).unwrap();
    let events = aws_sdk_eventbridge::Client::new(&sdk(&lab, DR).await);
    events.create_event_bus().name("ours").send().await.unwrap();
    let pattern = r#"{"detail": {"n": [{"numeric": [">", 1]}]}}"#;
    events.put_rule().name("rule").event_bus_name("ours").event_pattern(pattern).send().await.unwrap();
    let target = aws_sdk_eventbridge::types::Target::builder().id("1").arn(&function).build().unwrap();
    events.put_targets().rule("rule").event_bus_name("ours").targets(target).send().await.unwrap();
    for n in 1..=2 {
        let entry = PutEventsRequestEntry::builder().event_bus_name("ours").source("ours").detail_type("Test");
        let put = events.put_events().entries(entry.detail(json!({"n": n}).to_string()).build()).send().await.unwrap();
        assert_eq!(put.failed_entry_count(), 0);
    }
    let request = journaled(&lab, |entry| match &entry.what {
        What::Invocation { request, .. } => Some(request.clone()),
        _ => None,
    })
    .await;
    assert_eq!(request["detail"], json!({"n": 2}));
    assert_eq!((&request["account"], &request["region"]), (&json!(lab::ACCOUNT), &json!(DR)));
    let described = events.describe_rule().name("rule").event_bus_name("ours").send().await.unwrap();
    assert_eq!(described.event_pattern(), Some(r#"{"detail":{"n":[{"numeric":[">",1]}]}}"#));
    let unknown = events.put_rule().name("r").schedule_expression("cron(0 12 * * ? *)").send().await;
    assert!(format!("{:?}", unknown.unwrap_err()).contains("cron schedules"));
}

#[tokio::test]
async fn an_event_crosses_to_a_bus_in_another_region_unchanged_and_waits_while_that_is_down() {
    let lab = lab(1000.0).await;
    let bus = lab.events.create_bus(DR, "ours");
    rule(&lab, PRIMARY, "default", json!({"Id": "dr", "Arn": bus, "RoleArn": "arn:aws:iam::123456789012:role/r"}));
    lab.faults.fail_region(DR);
    lab::events::put(&lab, PRIMARY, "default", event(1));
    lab.clock.sleep(Duration::from_secs(120)).await;
    let arrived = |what: &What| matches!(what, What::Event { bus, .. } if bus == "ours");
    assert_eq!(count(&lab, arrived), 0);
    lab.faults.heal_region(DR);
    journaled(&lab, |entry| arrived(&entry.what).then_some(())).await;
    let events: Vec<Value> = lab
        .journal
        .entries()
        .into_iter()
        .filter_map(|entry| match entry.what {
            What::Event { event, .. } => Some(event),
            _ => None,
        })
        .collect();
    assert_eq!(events[0], events[1], "id, region and time are those of the origin");
}

#[tokio::test]
async fn what_cannot_be_delivered_goes_to_the_dead_letter_queue() {
    let lab = lab(1000.0).await;
    let queue = lab.sqs.create(DR, "dead", Duration::from_secs(30));
    let absent = "arn:aws:lambda:us-west-2:123456789012:function:absent";
    rule(&lab, DR, "default", json!({"Id": "1", "Arn": absent, "DeadLetterConfig": {"Arn": queue}}));
    lab::events::put(&lab, DR, "default", event(1));
    assert_eq!(journaled(&lab, |entry| queued(&entry.what)).await["detail"], json!({"n": 1}));

    let bus = lab.events.create_bus(PRIMARY, "theirs");
    let retries = json!({"MaximumRetryAttempts": 2});
    rule(
        &lab,
        DR,
        "default",
        json!({
            "Id": "1", "Arn": bus, "RoleArn": "r", "DeadLetterConfig": {"Arn": queue}, "RetryPolicy": retries,
        }),
    );
    lab.faults.partition(PRIMARY, DR);
    lab::events::put(&lab, DR, "default", event(2));
    let second = |what: &What| queued(what).filter(|event| event["detail"] == json!({"n": 2}));
    journaled(&lab, |entry| second(&entry.what)).await;
}

#[tokio::test]
async fn deliveries_can_be_doubled_lost_and_delayed_and_the_journal_says_so() {
    let lab = lab(1000.0).await;
    let queue = lab.sqs.create(DR, "queue", Duration::from_secs(30));
    rule(&lab, DR, "default", json!({"Id": "1", "Arn": queue}));
    let numbered = |n: u32| move |event: &Value| event["detail"]["n"] == n;
    lab.faults.set_event_fault(EventFault::when(numbered(1), EventEffect::Delay(Duration::from_secs(300))));
    lab.faults.set_event_fault(EventFault::when(numbered(2), EventEffect::Deliver(2)));
    lab.faults.set_event_fault(EventFault::when(numbered(3), EventEffect::Lose));
    for n in 1..=3 {
        lab::events::put(&lab, DR, "default", event(n));
    }
    journaled(&lab, |_| (lab.sqs.bodies(&queue).len() == 3).then_some(())).await;
    let order: Vec<Value> = lab.journal.entries().iter().filter_map(|entry| queued(&entry.what)).collect();
    let order: Vec<&Value> = order.iter().map(|event| &event["detail"]["n"]).collect();
    assert_eq!(order, [2, 2, 1]);
    assert_eq!(count(&lab, |what| matches!(what, What::Fault { .. })), 3);
}

#[tokio::test]
async fn a_schedule_fires_every_period_with_its_rule_as_the_resource() {
    let lab = lab(1000.0).await;
    let queue = lab.sqs.create(DR, "ticks", Duration::from_secs(30));
    let tick: RuleConfig =
        serde_json::from_value(json!({"Name": "tick", "ScheduleExpression": "rate(1 minute)"})).unwrap();
    let arn = lab.events.put_rule(DR, tick, lab.clock.now()).unwrap();
    let target = serde_json::from_value(json!({"Id": "1", "Arn": queue})).unwrap();
    lab.events.set_targets(DR, None, "tick", vec![target]).unwrap();
    journaled(&lab, |_| (lab.sqs.bodies(&queue).len() == 3).then_some(())).await;
    let events: Vec<Value> = lab.journal.entries().iter().filter_map(|entry| queued(&entry.what)).collect();
    assert_eq!(events[0]["source"], "aws.events");
    assert_eq!(events[0]["detail-type"], "Scheduled Event");
    assert_eq!(events[0]["resources"], json!([arn]));
    let times: Vec<jiff::Timestamp> = events.iter().map(|e| e["time"].as_str().unwrap().parse().unwrap()).collect();
    assert!(times.windows(2).all(|pair| pair[1].duration_since(pair[0]).as_secs() == 60), "{times:?}");
}
