//! The stack that watches the site also watches itself.

#![expect(clippy::expect_used, reason = "what a test needs and does not get fails it")]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use drill::lambdas::{self, repository};
use drill::stage::{DR, Settings, start_lab};
use jiff::SignedDuration;
use lab::journal::What;
use lab::{Lab, template};

async fn deployed() -> Arc<Lab> {
    let lambdas = tokio::task::spawn_blocking(lambdas::build).await.expect("the build ends").expect("all builds");
    let lab = start_lab(Settings { seed: 1, speed: 3_600.0 }, 0, 0).await.expect("the lab starts");
    let zone = lab.route53.create_zone(lab.clock.now(), "example.com").expect("the zone is new");
    let parameters =
        [("HostedZoneId", zone.as_str()), ("RecordNames", "app.example.com"), ("OperatorEmail", "a@example.com")];
    let parameters: BTreeMap<_, _> = parameters.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    let yaml = std::fs::read_to_string(repository().join("template.yaml")).expect("the template is there");
    template::deploy(&lab, DR, "responder", &yaml, &parameters, &|binary| lambdas.join(&binary.name))
        .expect("it deploys");
    lab
}

/// Waits for a mail; how many lab minutes that took.
async fn minutes_to_mail(lab: &Lab, subject: &str, minutes_max: i64) -> i64 {
    let began = lab.clock.now();
    let has_it = |what: &What| matches!(what, What::Mail { subject: Some(it), .. } if it.contains(subject));
    while !lab.journal.entries().iter().any(|entry| entry.at >= began && has_it(&entry.what)) {
        let waited = lab.clock.now().duration_since(began).as_mins();
        assert!(waited < minutes_max, "no mail {subject:?} in {waited} minutes");
        lab.clock.sleep(Duration::from_secs(60)).await;
    }
    lab.clock.now().duration_since(began).as_mins()
}

/// As `aws events` does it.
async fn switch_ticks(lab: &Lab, action: &str) {
    let rules = call(lab, "ListRules", serde_json::json!({})).await;
    let scheduled = rules["Rules"].as_array().into_iter().flatten().find(|rule| rule["ScheduleExpression"].is_string());
    let name = scheduled.expect("there is a tick")["Name"].clone();
    call(lab, action, serde_json::json!({"Name": name})).await;
}

async fn call(lab: &Lab, action: &str, body: serde_json::Value) -> serde_json::Value {
    let scope = format!(
        "AWS4-HMAC-SHA256 Credential=operator/20260101/{DR}/events/aws4_request, SignedHeaders=host, Signature=0"
    );
    let request = reqwest::Client::new().post(lab.endpoint_url()).header("authorization", scope);
    let request = request.header("x-amz-target", format!("AWSEvents.{action}")).body(body.to_string());
    let answer = request.send().await.expect("the lab answers");
    assert!(answer.status().is_success(), "{action}: {answer:?}");
    serde_json::from_str(&answer.text().await.expect("a text")).unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn people_are_told_when_the_ticks_stop_and_when_nothing_has_been_armed_for_a_day() {
    let lab = deployed().await;
    let dimensions = [("Function", "alarm-handler")];
    lab.clock.sleep(Duration::from_secs(300)).await;
    switch_ticks(&lab, "DisableRule").await;
    let took = minutes_to_mail(&lab, "holdfast-tick-stopped", 20).await;
    assert!((9..=13).contains(&took), "it took {took} minutes");
    switch_ticks(&lab, "EnableRule").await;
    minutes_to_mail(&lab, "OK: \"holdfast-tick-stopped\"", 10).await;

    // Nobody waits for a day of ticks: what the function measures each minute is measured for it, once an hour.
    switch_ticks(&lab, "DisableRule").await;
    let is_measured = |what: &What| matches!(what, What::Log { line, .. } if line.contains("\"ArmedNames\":0"));
    assert!(lab.journal.entries().iter().any(|entry| is_measured(&entry.what)), "the function itself measures it");
    let began = lab.clock.now();
    for hour in 0..24 {
        let at = began + SignedDuration::from_hours(hour);
        lab.cloudwatch.put_metric(DR, "Holdfast", "ArmedNames", &dimensions, 0.0, at);
    }
    let took = minutes_to_mail(&lab, "ALARM: \"holdfast-not-armed\"", 26 * 60).await;
    assert!(took >= 22 * 60, "it took {took} minutes");
    lab.cloudwatch.put_metric(DR, "Holdfast", "ArmedNames", &dimensions, 1.0, lab.clock.now());
    minutes_to_mail(&lab, "OK: \"holdfast-not-armed\"", 130).await;
}
