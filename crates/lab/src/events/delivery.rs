//! From a rule to its targets: at least once, with retries, else to the dead-letter queue.

use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;
use serde_json::Value;

use super::rules::{Delivery, Target, bus_name};
use crate::Lab;
use crate::arn::Arn;
use crate::fault::EventEffect;
use crate::journal::What;
use crate::message::Message;

/// "Typical latency … about half a second" (EventBridge FAQ).
const LATENCY: Duration = Duration::from_millis(400);
const BACKOFF_MAX: Duration = Duration::from_secs(600);

/// Why a target did not take an event; the codes are those of a dead letter's `ERROR_CODE` attribute.
struct Failure {
    code: &'static str,
    message: String,
    retryable: bool,
}

pub(super) async fn deliver(lab: Arc<Lab>, delivery: Delivery, event: Value) {
    let mut copies = 1;
    let mut delay = LATENCY;
    for effect in lab.faults.befall_event(&event, &delivery.target.arn) {
        lab.record(What::Fault {
            what: format!("{effect:?}: event {} on its way to {}", event["id"], delivery.target.arn),
        });
        match effect {
            EventEffect::Deliver(times) => copies = copies.min(1) * times,
            EventEffect::Lose => copies = 0,
            EventEffect::Delay(by) => delay += by,
        }
    }
    if copies == 0 {
        return;
    }
    lab.clock.sleep(delay).await;
    for _ in 0..copies {
        attempt_until_done(&lab, &delivery, &event).await;
    }
}

async fn attempt_until_done(lab: &Arc<Lab>, delivery: &Delivery, event: &Value) {
    let policy = delivery.target.retry_policy.unwrap_or_default();
    let age_max = SignedDuration::from_secs(policy.maximum_event_age_in_seconds.into());
    let first = lab.clock.now();
    let mut attempts = 0;
    loop {
        // A region that is down keeps its events until it is back.
        lab.faults.until_up(&delivery.region).await;
        let Err(failure) = hand_over(lab, delivery, event) else { return };
        let exhausted = if attempts >= policy.maximum_retry_attempts {
            Some("MaximumRetryAttempts")
        } else {
            (lab.clock.now().duration_since(first) >= age_max).then_some("MaximumEventAgeInSeconds")
        };
        if !failure.retryable || exhausted.is_some() {
            return dead_letter(lab, delivery, event, &failure, attempts, exhausted);
        }
        lab.clock.sleep(Duration::from_secs(1 << attempts.min(10)).min(BACKOFF_MAX)).await;
        attempts += 1;
    }
}

fn hand_over(lab: &Arc<Lab>, delivery: &Delivery, event: &Value) -> Result<(), Failure> {
    let target = &delivery.target;
    let missing = |kind: &str| Failure {
        code: "NO_RESOURCE",
        message: format!("{kind} {} does not exist", target.arn),
        retryable: false,
    };
    let arn = Arn::parse(&target.arn).ok_or_else(|| missing("target"))?;
    // `put_targets` refused an input that is no JSON.
    let input = target.input.as_deref().and_then(|input| serde_json::from_str(input).ok());
    let payload = input.unwrap_or_else(|| event.clone());
    match arn.service {
        "lambda" if !lab.has(&target.arn) => return Err(missing("function")),
        "lambda" => lab.carry(Message::Invocation { function: &target.arn, payload }),
        "sqs" if !lab.has(&target.arn) => return Err(missing("queue")),
        "sqs" => lab.carry(Message::Queued { queue: &target.arn, body: payload.to_string(), attributes: &[] }),
        "sns" if !lab.has(&target.arn) => return Err(missing("topic")),
        "sns" => {
            lab.carry(Message::Notification { topic: &target.arn, subject: None, text: &payload.to_string() });
        }
        _ if !lab.faults.connected(&delivery.region, arn.region) => {
            return Err(Failure {
                code: "CROSS_REGION_INGESTION_FAILED",
                message: format!("{} cannot be reached from {}", arn.region, delivery.region),
                retryable: true,
            });
        }
        _ if !lab.events.has_bus(arn.region, bus_name(Some(&target.arn))) => return Err(missing("event bus")),
        _ => {
            lab.allow(role_of(target), "events:PutEvents", &target.arn, arn.region).map_err(|message| Failure {
                code: "NO_PERMISSIONS",
                message,
                retryable: false,
            })?;
            super::put(lab, arn.region, bus_name(Some(&target.arn)), payload);
        }
    }
    Ok(())
}

/// The role that EventBridge takes on for a target, by name.
fn role_of(target: &Target) -> &str {
    target.role_arn.as_deref().and_then(|arn| Arn::parse(arn)?.named("role/")).unwrap_or_default()
}

fn dead_letter(
    lab: &Arc<Lab>,
    delivery: &Delivery,
    event: &Value,
    failure: &Failure,
    attempts: u32,
    exhausted: Option<&str>,
) {
    measure_failure(lab, delivery);
    let Some(queue) = &delivery.target.dead_letter_config else {
        return lab.record(What::Fault {
            what: format!("event {} dropped, no dead-letter queue: {}", event["id"], failure.message),
        });
    };
    let mut attributes = vec![
        ("RULE_ARN", delivery.rule_arn.clone()),
        ("TARGET_ARN", delivery.target.arn.clone()),
        ("ERROR_CODE", failure.code.to_owned()),
        ("ERROR_MESSAGE", failure.message.clone()),
        ("RETRY_ATTEMPTS", attempts.to_string()),
    ];
    attributes.extend(exhausted.map(|condition| ("EXHAUSTED_RETRY_CONDITION", condition.to_owned())));
    lab.carry(Message::Queued { queue: &queue.arn, body: event.to_string(), attributes: &attributes });
}

/// "FailedInvocations: the number of invocations that failed permanently"; with RuleName alone for a rule of the default
/// bus, with EventBusName beside it for others (EventBridge metrics).
fn measure_failure(lab: &Arc<Lab>, delivery: &Delivery) {
    let rule = Arn::parse(&delivery.rule_arn).and_then(|arn| arn.named("rule/")).unwrap_or_default();
    let (bus, name) = rule.split_once('/').map_or((None, rule), |(bus, name)| (Some(bus), name));
    let dimensions: Vec<_> = bus.map(|bus| ("EventBusName", bus)).into_iter().chain([("RuleName", name)]).collect();
    lab.carry(Message::Datum {
        region: &delivery.region,
        namespace: "AWS/Events",
        metric: "FailedInvocations",
        dimensions: &dimensions,
        value: 1.0,
        at: lab.clock.now(),
    });
}
