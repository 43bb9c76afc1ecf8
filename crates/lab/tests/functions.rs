//! Functions are processes: what happens to invocations of one.
#![allow(clippy::unwrap_used, reason = "clippy does not know that helpers are a part of tests")]

mod common;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::http::{HeaderMap, HeaderValue, Method};
use common::{DR, count, echo, journaled, lab, sdk};
use jiff::SignedDuration;
use lab::Lab;
use lab::api::{Call, Reply};
use lab::functions::{FunctionConfig, Functions, invoke_async};
use lab::journal::{Entry, What};
use serde_json::{Value, json};

fn config() -> FunctionConfig {
    FunctionConfig::new("echo", echo())
}

fn ended(entry: &Entry) -> Option<(Value, bool)> {
    match &entry.what {
        What::Invocation { response, succeeded, .. } => Some((response.clone(), *succeeded)),
        _ => None,
    }
}

fn queued(entry: &Entry) -> Option<Value> {
    match &entry.what {
        What::Queued { body, .. } => serde_json::from_str(body).ok(),
        _ => None,
    }
}

async fn log(lab: &Lab, expected: &str) {
    journaled(lab, |entry| matches!(&entry.what, What::Log { line, .. } if line == expected).then_some(())).await;
}

async fn nth_end(lab: &Lab, n: usize) -> (Value, bool) {
    journaled(lab, |_| lab.journal.entries().iter().filter_map(|entry| ended(entry)).nth(n)).await
}

#[tokio::test]
async fn a_function_sees_lambdas_environment_and_its_own_and_nothing_else() {
    let lab = lab(1000.0).await;
    let mut config = config();
    config.environment = BTreeMap::from([
        ("OWN".to_owned(), "mine".to_owned()),
        ("SSL_CERT_FILE".to_owned(), "/nowhere/ca-bundle.crt".to_owned()),
    ]);
    let arn = Functions::create(&lab, DR, config).unwrap();
    invoke_async(&lab, &arn, json!({"hello": "world"}));
    let (response, succeeded) = journaled(&lab, ended).await;
    assert!(succeeded, "{response}");
    assert_eq!(response["event"], json!({"hello": "world"}));
    let environment = response["environment"].as_object().unwrap();
    assert_eq!(environment["OWN"], "mine");
    assert_eq!(environment["AWS_REGION"], DR);
    assert_eq!(environment["AWS_ENDPOINT_URL"], lab.endpoint_url());
    let key = environment["AWS_ACCESS_KEY_ID"].as_str().unwrap();
    assert_eq!(lab.functions.process_of_key(key).unwrap().function, "echo");
    assert!(!environment.contains_key("SSL_CERT_FILE"), "the file does not exist here");
    assert!(!environment.contains_key("HOME"), "the tests' own environment stays outside");
    log(&lab, "cold start").await;
}

#[tokio::test]
async fn a_process_is_kept_warm_and_another_one_starts_only_when_all_are_busy() {
    let lab = lab(1000.0).await;
    let arn = Functions::create(&lab, DR, config()).unwrap();
    for n in 0..2 {
        invoke_async(&lab, &arn, json!({}));
        nth_end(&lab, n).await;
    }
    assert_eq!(nth_end(&lab, 0).await.0["process"], nth_end(&lab, 1).await.0["process"]);
    invoke_async(&lab, &arn, json!({"hang": true}));
    log(&lab, r#"invoked with {"hang":true}"#).await;
    invoke_async(&lab, &arn, json!({}));
    assert_ne!(nth_end(&lab, 2).await.0["process"], nth_end(&lab, 0).await.0["process"]);
}

#[tokio::test]
async fn a_failing_function_is_tried_three_times_over_three_minutes_and_then_its_destination_is_told() {
    let lab = lab(1000.0).await;
    let queue = lab.sqs.create(DR, "failed", Duration::from_secs(30));
    let config = FunctionConfig { on_failure: Some(queue), ..config() };
    let arn = Functions::create(&lab, DR, config).unwrap();
    invoke_async(&lab, &arn, json!({"fail": true}));
    let record = journaled(&lab, queued).await;
    assert_eq!(record["version"], "1.0");
    assert_eq!(record["requestContext"]["condition"], "RetriesExhausted");
    assert_eq!(record["requestContext"]["approximateInvokeCount"], 3);
    assert_eq!(record["requestContext"]["functionArn"], format!("{arn}:$LATEST"));
    assert_eq!(record["requestPayload"], json!({"fail": true}));
    assert_eq!(
        record["responseContext"],
        json!({"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"})
    );
    assert_eq!(record["responsePayload"], json!({"errorType": "Asked", "errorMessage": "as asked"}));
    let moments: Vec<_> = lab.journal.entries().iter().filter(|entry| ended(entry).is_some()).map(|e| e.at).collect();
    let [first, second, third] = moments[..] else { panic!("{moments:?}") };
    assert!(second.duration_since(first) >= SignedDuration::from_secs(60));
    assert!(third.duration_since(second) >= SignedDuration::from_secs(120));
}

#[tokio::test]
async fn what_a_function_returns_becomes_an_event_on_the_bus_it_names() {
    let lab = lab(1000.0).await;
    let bus = lab.events.create_bus(DR, "ours", lab.clock.now());
    let arn = Functions::create(&lab, DR, FunctionConfig { on_success: Some(bus.clone()), ..config() }).unwrap();
    invoke_async(&lab, &arn, json!({"n": 1}));
    let event = journaled(&lab, |entry| match &entry.what {
        What::Event { bus, event, .. } if bus == "ours" => Some(event.clone()),
        _ => None,
    })
    .await;
    assert_eq!(event["source"], "lambda");
    assert_eq!(event["detail-type"], "Lambda Function Invocation Result - Success");
    assert_eq!(event["resources"], json!([bus, format!("{arn}:$LATEST")]));
    assert_eq!(event["detail"]["requestContext"]["condition"], "Success");
    assert_eq!(event["detail"]["responsePayload"]["event"], json!({"n": 1}));
    assert_eq!(event["detail"]["responseContext"].get("functionError"), None);
}

#[tokio::test]
async fn a_process_that_dies_or_hangs_fails_its_invocation() {
    let lab = lab(1000.0).await;
    let config = FunctionConfig { timeout: Duration::from_millis(300), retries: 0, ..config() };
    let arn = Functions::create(&lab, DR, config).unwrap();
    invoke_async(&lab, &arn, json!({"die": true}));
    let (response, succeeded) = nth_end(&lab, 0).await;
    assert!(!succeeded);
    assert_eq!(response["errorType"], "Runtime.ExitError");
    assert!(response["errorMessage"].as_str().unwrap().contains("exit status: 7"), "{response}");
    invoke_async(&lab, &arn, json!({"hang": true}));
    assert_eq!(nth_end(&lab, 1).await.0["errorType"], "Sandbox.Timedout");
    invoke_async(&lab, &arn, json!({}));
    assert!(nth_end(&lab, 2).await.1, "the next invocation has a new process");
}

#[tokio::test]
async fn a_crash_strikes_a_running_invocation_which_is_then_retried() {
    let lab = lab(1000.0).await;
    let config = FunctionConfig { timeout: Duration::from_secs(60), ..config() };
    let arn = Functions::create(&lab, DR, config).unwrap();
    invoke_async(&lab, &arn, json!({"hang": true}));
    log(&lab, r#"invoked with {"hang":true}"#).await;
    lab.functions.crash("echo");
    assert_eq!(nth_end(&lab, 0).await.0["errorType"], "Runtime.ExitError");
    let starts = |what: &What| matches!(what, What::Log { line, .. } if line == "cold start");
    journaled(&lab, |_| (count(&lab, starts) == 2).then_some(())).await;
}

#[tokio::test]
async fn a_region_that_is_down_keeps_its_invocations_until_it_is_back() {
    let lab = lab(1000.0).await;
    let arn = Functions::create(&lab, DR, config()).unwrap();
    lab.faults.fail_region(DR);
    invoke_async(&lab, &arn, json!({}));
    lab.clock.sleep(Duration::from_secs(300)).await;
    assert_eq!(count(&lab, |what| matches!(what, What::Invocation { .. })), 0);
    lab.faults.heal_region(DR);
    assert!(journaled(&lab, ended).await.1);
}

/// A call of Lambda's API as the front door hands it on.
async fn call(lab: &Arc<Lab>, path: &str, invocation_type: &'static str, body: Value) -> Reply {
    let headers =
        HeaderMap::from_iter([("x-amz-invocation-type".parse().unwrap(), HeaderValue::from_static(invocation_type))]);
    let call = Call {
        caller: "tester".to_owned(),
        key: "tester".to_owned(),
        role: None,
        region: DR.to_owned(),
        service: "lambda".to_owned(),
        method: Method::POST,
        path: format!("/2015-03-31/functions/{path}"),
        query: String::new(),
        headers,
        body: Bytes::from(body.to_string()),
    };
    lab::functions::answer(lab, &call).await
}

#[tokio::test]
async fn the_api_invokes_at_once_or_later() {
    let lab = lab(1000.0).await;
    let arn = Functions::create(&lab, DR, config()).unwrap();
    let direct = call(&lab, "echo/invocations", "RequestResponse", json!({"n": 1})).await;
    assert_eq!((direct.status.as_u16(), direct.error), (200, None));
    assert_eq!(serde_json::from_slice::<Value>(&direct.body).unwrap()["event"], json!({"n": 1}));
    let failed = call(&lab, "echo/invocations", "RequestResponse", json!({"fail": true})).await;
    assert_eq!(failed.status.as_u16(), 200);
    assert!(failed.headers.contains(&("x-amz-function-error", "Unhandled".to_owned())));
    let by_arn = format!("{}/invocations", arn.replace(':', "%3A"));
    assert_eq!(call(&lab, &by_arn, "Event", json!({"n": 2})).await.status.as_u16(), 202);
    assert_eq!(nth_end(&lab, 2).await.0["event"], json!({"n": 2}));
    let absent = call(&lab, "absent/invocations", "Event", json!({})).await;
    assert_eq!((absent.status.as_u16(), absent.error.as_deref()), (404, Some("ResourceNotFoundException")));
    let dry = call(&lab, "echo/invocations", "DryRun", json!({})).await;
    assert!(String::from_utf8(dry.body).unwrap().contains("DryRun"));
}

#[tokio::test]
async fn sts_says_who_signed() {
    let lab = lab(1000.0).await;
    let sts = aws_sdk_sts::Client::new(&sdk(&lab, DR).await);
    let identity = sts.get_caller_identity().send().await.unwrap();
    assert_eq!(identity.account(), Some(lab::ACCOUNT));
    assert_eq!(identity.arn(), Some("arn:aws:iam::123456789012:user/TESTER"));
}

#[tokio::test]
async fn no_more_run_at_once_than_are_reserved_and_the_others_wait_their_turn() {
    let lab = lab(1000.0).await;
    let config =
        FunctionConfig { reserved_concurrency: Some(1), timeout: Duration::from_secs(1), retries: 0, ..config() };
    let arn = Functions::create(&lab, DR, config).unwrap();
    invoke_async(&lab, &arn, json!({"hang": true}));
    log(&lab, r#"invoked with {"hang":true}"#).await;
    let direct = call(&lab, "echo/invocations", "RequestResponse", json!({})).await;
    assert_eq!((direct.status.as_u16(), direct.error.as_deref()), (429, Some("TooManyRequestsException")));
    invoke_async(&lab, &arn, json!({"n": 1}));
    assert_eq!(nth_end(&lab, 0).await.0["errorType"], "Sandbox.Timedout");
    assert_eq!(nth_end(&lab, 1).await.0["event"], json!({"n": 1}), "what was throttled is tried again");
    assert!(sampled(&lab, "Throttles").await >= 1.0);
    let took = sampled(&lab, "Duration").await;
    assert!((1_000.0..60_000.0).contains(&took), "milliseconds of the one that hung: {took}");
}

#[tokio::test]
async fn a_function_with_nothing_reserved_never_runs_and_its_destination_is_told_at_once() {
    let lab = lab(1000.0).await;
    let queue = lab.sqs.create(DR, "failed", Duration::from_secs(30));
    let config = FunctionConfig { reserved_concurrency: Some(0), on_failure: Some(queue), ..config() };
    let arn = Functions::create(&lab, DR, config).unwrap();
    invoke_async(&lab, &arn, json!({"n": 1}));
    let record = journaled(&lab, queued).await;
    assert_eq!(record["requestContext"]["condition"], "ZeroReservedConcurrency");
    assert_eq!((&record["requestPayload"], &record["responsePayload"]), (&json!({"n": 1}), &Value::Null));
    assert_eq!(count(&lab, |what| matches!(what, What::Invocation { .. })), 0);
}

#[tokio::test]
async fn an_outcome_whose_destination_is_gone_is_counted() {
    let lab = lab(1000.0).await;
    let gone = lab::arn::arn("events", DR, "event-bus/gone");
    let arn = Functions::create(&lab, DR, FunctionConfig { on_success: Some(gone), ..config() }).unwrap();
    invoke_async(&lab, &arn, json!({}));
    assert!(sampled(&lab, "DestinationDeliveryFailures").await >= 1.0);
}

/// The greatest sum of a minute that a metric of the function has come to, as soon as it is above 0; the greatest sample
/// of `Duration`.
async fn sampled(lab: &Arc<Lab>, metric: &str) -> f64 {
    let client = aws_sdk_cloudwatch::Client::new(&sdk(lab, DR).await);
    let dimension = aws_sdk_cloudwatch::types::Dimension::builder().name("FunctionName").value("echo").build();
    let statistic = if metric == "Duration" { "Maximum" } else { "Sum" };
    loop {
        let now = lab.clock.now().as_second();
        let answer = client
            .get_metric_statistics()
            .namespace("AWS/Lambda")
            .metric_name(metric)
            .dimensions(dimension.clone())
            .start_time(aws_sdk_cloudwatch::primitives::DateTime::from_secs(now - 43_200))
            .end_time(aws_sdk_cloudwatch::primitives::DateTime::from_secs(now + 60))
            .period(60)
            .statistics(statistic.into());
        let answer = answer.send().await.unwrap();
        let values = answer.datapoints().iter().filter_map(|point| point.sum().or(point.maximum()));
        if let Some(greatest) = values.reduce(f64::max).filter(|greatest| *greatest > 0.0) {
            return greatest;
        }
        lab.clock.sleep(Duration::from_secs(5)).await;
    }
}
