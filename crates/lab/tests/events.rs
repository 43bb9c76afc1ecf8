//! From an event to its targets.
#![allow(clippy::unwrap_used, reason = "clippy does not know that helpers are a part of tests")]

mod common;

use std::time::Duration;

use aws_sdk_eventbridge::Client;
use aws_sdk_eventbridge::error::ProvideErrorMetadata;
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
    assert_eq!(described.event_pattern(), Some(pattern), "as it was given");
    let unknown = events.put_rule().name("r").schedule_expression("cron(0 12 * * ? *)").send().await;
    assert!(format!("{:?}", unknown.unwrap_err()).contains("cron schedules"));
}

#[tokio::test]
async fn an_event_crosses_to_a_bus_in_another_region_unchanged_and_waits_while_that_is_down() {
    let lab = lab(1000.0).await;
    let bus = lab.events.create_bus(DR, "ours", lab.clock.now());
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
        .filter_map(|entry| match &entry.what {
            What::Event { event, .. } => Some(event.clone()),
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

    let bus = lab.events.create_bus(PRIMARY, "theirs", lab.clock.now());
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

#[tokio::test]
async fn a_bus_that_does_not_exist_takes_events_and_nobody_hears_of_them() {
    let lab = lab(1000.0).await;
    let client = Client::new(&sdk(&lab, DR).await);
    let entry = PutEventsRequestEntry::builder().source("s").detail_type("d").detail("{}").event_bus_name("absent");
    let answer = client.put_events().entries(entry.build()).send().await.unwrap();
    assert_eq!((answer.failed_entry_count(), answer.entries()[0].event_id().is_some()), (0, true));
    assert_eq!(count(&lab, |what| matches!(what, What::Event { .. })), 0);
    let absent = client.describe_event_bus().name("absent").send().await.unwrap_err().into_service_error();
    assert!(absent.is_resource_not_found_exception(), "who wants to know must look");
}

#[tokio::test]
async fn what_an_entry_lacks_is_named_and_too_large_a_request_is_refused() {
    let lab = lab(1000.0).await;
    let client = Client::new(&sdk(&lab, DR).await);
    let whole = || PutEventsRequestEntry::builder().source("s").detail_type("d").detail("{}");
    for (name, entry) in [
        ("Source", whole().set_source(None)),
        ("DetailType", whole().set_detail_type(None)),
        ("Detail", whole().set_detail(None)),
    ] {
        let answer = client.put_events().entries(entry.build()).send().await.unwrap();
        let told = format!("Parameter {name} is not valid. Reason: {name} is a required argument.");
        assert_eq!((answer.failed_entry_count(), answer.entries()[0].error_message()), (1, Some(told.as_str())));
    }
    let large = whole().detail(format!("{{\"text\": \"{}\"}}", "x".repeat(1024 * 1024)));
    let refused = client.put_events().entries(large.build()).send().await.unwrap_err().into_service_error();
    assert_eq!(refused.message(), Some("Total size of the entries in the request is over the limit."));
}

#[tokio::test]
async fn a_rule_is_told_as_it_was_given_and_a_pattern_can_be_tried() {
    let lab = lab(1000.0).await;
    let client = Client::new(&sdk(&lab, DR).await);
    let pattern = r#"{"source": ["b"],  "detail": {"a": [{"anything-but": {"prefix": ["x", "y"]}}]}}"#;
    client.put_rule().name("r").event_pattern(pattern).send().await.unwrap();
    let told = client.describe_rule().name("r").send().await.unwrap();
    assert_eq!((told.event_pattern(), told.created_by()), (Some(pattern), Some("123456789012")));
    client.create_event_bus().name("ours").send().await.unwrap();
    assert!(client.describe_event_bus().name("ours").send().await.unwrap().creation_time().is_some());
    let tried = async |event: &str| client.test_event_pattern().event_pattern(pattern).event(event).send().await;
    assert!(tried(r#"{"source": "b", "detail": {"a": "z"}}"#).await.unwrap().result());
    assert!(!tried(r#"{"source": "b", "detail": {"a": "xz"}}"#).await.unwrap().result());
    assert!(format!("{:?}", tried("[]").await.unwrap_err()).contains("Parameter Event is not valid."));
}
