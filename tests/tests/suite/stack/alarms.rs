//! The stack that watches the site also watches itself.

use std::path::PathBuf;
use std::time::Duration;

use drill::lambdas::{LAMBDAS, repository};
use drill::stage::{DETECTOR, DR, Settings, start_lab};
use jiff::SignedDuration;
use lab::journal::What;
use lab::template::Binary;
use lab::{Lab, arn, events, template};

use super::{deployed, invoke};

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

fn is_mailed(lab: &Lab, subject: &str) -> bool {
    let is_it = |what: &What| matches!(what, What::Mail { subject: Some(it), .. } if it.contains(subject));
    lab.journal.entries().iter().any(|entry| is_it(&entry.what))
}

/// Waits for a mail, unless it has come already.
async fn mailed(lab: &Lab, subject: &str, minutes_max: i64) {
    if !is_mailed(lab, subject) {
        minutes_to_mail(lab, subject, minutes_max).await;
    }
}

/// As `aws events` does it.
async fn switch_ticks(lab: &Lab, action: &str) {
    let _working = lab.clock.working();
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
    let lab = deployed(&[], |yaml| yaml, None).await;
    let deployed_at = lab.clock.now();
    let dimensions = [("Function", "holdfast-alarm-handler")];
    lab.clock.sleep(Duration::from_secs(300)).await;
    switch_ticks(&lab, "DisableRule").await;
    let took = minutes_to_mail(&lab, "holdfast-tick-stopped", 20).await;
    assert!((9..=16).contains(&took), "it took {took} minutes");
    for function in ["replica-promoter", "fencer", "preparer"] {
        mailed(&lab, &format!("ALARM: \"holdfast-{function}-tick-stopped\""), 3).await;
    }
    switch_ticks(&lab, "EnableRule").await;
    minutes_to_mail(&lab, "OK: \"holdfast-tick-stopped\"", 10).await;

    // Nobody waits for a day of ticks: what the function measures each minute is measured for it, once an hour.
    switch_ticks(&lab, "DisableRule").await;
    let is_measured = |what: &What| {
        let measured = ["\"ArmedNames\":0", "\"UnreadyNames\":", "\"Function\":\"holdfast-alarm-handler\""];
        matches!(what, What::Log { line, .. } if measured.iter().all(|part| line.contains(part)))
    };
    assert!(lab.journal.entries().iter().any(|entry| is_measured(&entry.what)), "the function itself measures it");
    let began = lab.clock.now();
    // First all is well, so that nothing counts that the ticks measured before.
    for period in 0..16 {
        let at = began + SignedDuration::from_mins(5 * period);
        let unready = if (3..11).contains(&period) { 1.0 } else { 0.0 };
        lab.cloudwatch.put_metric(DR, "Holdfast", "UnreadyNames", &dimensions, unready, at);
    }
    let took = minutes_to_mail(&lab, "ALARM: \"holdfast-unready\"", 60).await;
    assert!(took >= 35, "it took {took} minutes, of which 15 were well");
    minutes_to_mail(&lab, "OK: \"holdfast-unready\"", 30).await;
    let began = lab.clock.now();
    for hour in 0..24 {
        let at = began + SignedDuration::from_hours(hour);
        lab.cloudwatch.put_metric(DR, "Holdfast", "ArmedNames", &dimensions, 0.0, at);
    }
    minutes_to_mail(&lab, "ALARM: \"holdfast-not-armed\"", 26 * 60).await;
    // The hours before, in which the ticks measured it, count as well.
    let took = lab.clock.now().duration_since(deployed_at);
    assert!(took >= SignedDuration::from_hours(23), "it took {took:#}");
    lab.cloudwatch.put_metric(DR, "Holdfast", "ArmedNames", &dimensions, 1.0, lab.clock.now());
    minutes_to_mail(&lab, "OK: \"holdfast-not-armed\"", 130).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn people_are_told_of_every_function_that_always_fails_and_of_messages_they_did_not_get() {
    let lab = deployed(&[], |yaml| yaml, Some("/bin/false")).await;
    for function in LAMBDAS {
        let alarm = format!("ALARM: \"holdfast-{function}-errors\"");
        mailed(&lab, &alarm, 20).await;
    }
    let alarm = "ALARM: \"holdfast-notifier-dead-letters\"";
    mailed(&lab, alarm, 20).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn people_are_told_of_a_function_that_lambda_does_not_start() {
    let lab = deployed(&[("ReservedConcurrency", "1")], |yaml| yaml, None).await;
    // Until it rings, since what is throttled once may run a second later.
    let pressed = lab.clone();
    let press = tokio::spawn(async move {
        loop {
            for function in LAMBDAS.into_iter().flat_map(|function| [function; 4]) {
                invoke(&pressed, function, serde_json::json!({}));
            }
            pressed.clock.sleep(Duration::from_secs(60)).await;
        }
    });
    for function in LAMBDAS {
        let alarm = format!("ALARM: \"holdfast-{function}-throttled\"");
        mailed(&lab, &alarm, 30).await;
    }
    press.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn people_are_told_of_a_function_whose_outcomes_do_not_reach_the_bus() {
    // As after a bus, and a queue, deleted by hand.
    let gone = |yaml: String| {
        yaml.replace(
            "{Type: EventBridge, Destination: !GetAtt Bus.Arn}",
            "{Type: EventBridge, Destination: !Sub 'arn:aws:events:${AWS::Region}:${AWS::AccountId}:event-bus/gone'}",
        )
        .replace(
            "{Type: SQS, Destination: !GetAtt NotifierDeadLetters.Arn}",
            "{Type: SQS, Destination: !Sub 'arn:aws:sqs:${AWS::Region}:${AWS::AccountId}:gone'}",
        )
    };
    let lab = deployed(&[("Readiness", "on")], gone, None).await;
    invoke(&lab, "notifier", serde_json::json!({"this": "is no record of an invocation"}));
    invoke(&lab, "readiness", serde_json::json!({}));
    for function in LAMBDAS.into_iter().chain(["readiness"]) {
        let alarm = format!("ALARM: \"holdfast-{function}-undelivered\"");
        mailed(&lab, &alarm, 20).await;
    }
}

/// Nobody waits two real minutes for a function that hangs: what Lambda measures is measured here. That it measures it,
/// and in milliseconds, the lab's own tests show.
#[tokio::test(flavor = "multi_thread")]
async fn people_are_told_of_a_function_that_takes_four_fifths_of_its_time() {
    let lab = deployed(&[], |yaml| yaml, None).await;
    let rings = |function: &str, milliseconds: f64| {
        let dimensions = [("FunctionName", format!("holdfast-{function}"))];
        let dimensions = dimensions.each_ref().map(|(name, value)| (*name, value.as_str()));
        lab.cloudwatch.put_metric(DR, "AWS/Lambda", "Duration", &dimensions, milliseconds, lab.clock.now());
    };
    for function in LAMBDAS {
        let seconds = lab.functions.timeout(&arn::arn("lambda", DR, &format!("function:holdfast-{function}")));
        let milliseconds = seconds.expect("it is deployed").as_secs_f64() * 1000.0;
        rings(function, milliseconds * 0.79);
        lab.clock.sleep(Duration::from_secs(180)).await;
        assert!(!is_mailed(&lab, &format!("ALARM: \"holdfast-{function}-slow\"")), "79 % are no alarm");
        rings(function, milliseconds * 0.81);
        minutes_to_mail(&lab, &format!("ALARM: \"holdfast-{function}-slow\""), 5).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn people_are_told_when_the_alarm_cannot_be_taken_to_the_responder() {
    let lab = start_lab(Settings { seed: 1, speed: 3_600.0 }, 0, 0).await.expect("the lab starts");
    let parameters = [
        ("EndpointDomain", "primary.example.com"),
        ("OperatorEmail", "a@example.com"),
        ("ResponderRegion", DR),
        ("ResponderBusName", "a-bus-that-is-not-there"),
    ];
    let parameters = parameters.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    let yaml = std::fs::read_to_string(repository().join("detector.yaml")).expect("the template is there");
    let none = |_: &Binary| PathBuf::new();
    let outputs = template::deploy(&lab, DETECTOR, "detector", &yaml, &parameters, &none).expect("it deploys");
    let changed = serde_json::json!({
        "source": "aws.cloudwatch",
        "detail-type": "CloudWatch Alarm State Change",
        "resources": [outputs["FailoverStartedAlarmArn"]],
    });
    events::put(&lab, DETECTOR, events::DEFAULT_BUS, changed);
    minutes_to_mail(&lab, "ALARM: \"holdfast-forward-failed\"", 10).await;
    let kept = "ALARM: \"holdfast-detector-dead-letters\"";
    mailed(&lab, kept, 10).await;
}
