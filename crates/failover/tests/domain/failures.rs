//! What operators are told of a function that could not do its work.

use crate::common::*;
use failover::message::{self, Failure};

#[test]
fn a_failure_is_told_with_the_command_that_shows_its_log() {
    let failure = Failure {
        function: "alarm-handler".to_owned(),
        request_id: "1-2".to_owned(),
        error: "EventNotUnderstood".to_owned(),
        event: "{}".to_owned(),
        condition: "RetriesExhausted".to_owned(),
        scheduled: None,
        at: at(0),
    };
    let message = message::of_failure(&failure, &sender());
    assert_eq!(message.subject, "Holdfast: alarm-handler failed");
    for said in [
        "WHAT HAPPENED",
        "EventNotUnderstood",
        "WHAT HAPPENS NEXT",
        "/aws/lambda/alarm-handler",
        "\"1-2\"",
        "THE EVENT\n  {}",
    ] {
        assert!(message.body.contains(said), "{said}: {}", message.body);
    }
}

#[test]
fn a_function_that_was_stopped_is_told_in_its_own_words_and_with_the_way_back() {
    let stopped = Failure {
        function: "holdfast-alarm-handler".to_owned(),
        request_id: "1-2".to_owned(),
        error: "ZeroReservedConcurrency".to_owned(),
        event: "{}".to_owned(),
        condition: "ZeroReservedConcurrency".to_owned(),
        scheduled: None,
        at: at(0),
    };
    let message = message::of_failure(&stopped, &sender());
    assert_eq!(message.subject, "Holdfast: holdfast-alarm-handler is STOPPED");
    for said in [
        "reserved concurrency is 0",
        "aws lambda delete-function-concurrency --region eu-central-1 --function-name holdfast-alarm-handler",
    ] {
        assert!(message.body.contains(said), "{said}: {}", message.body);
    }
    assert!(!message.body.contains("tried again"), "Lambda tried nothing: {}", message.body);
}

/// Lambda sends each event of a stopped function to its failure destination at once, so a tick a minute.
#[test]
fn failing_ticks_are_no_storm_and_whatever_a_person_sent_is_told() {
    let told = |condition: &str, is_tick: bool| {
        let due = |minute: &i64| {
            message::is_failure_due(&Failure {
                function: "alarm-handler".to_owned(),
                request_id: String::new(),
                error: String::new(),
                event: "{}".to_owned(),
                condition: condition.to_owned(),
                scheduled: is_tick.then_some(at(minute * 60 + 23)),
                at: at(minute * 60 + 180),
            })
        };
        (0..=480).filter(due).collect::<Vec<_>>()
    };
    assert_eq!(told("ZeroReservedConcurrency", true), [0, 240, 480]);
    assert_eq!(told("RetriesExhausted", true), (0..=480).step_by(15).collect::<Vec<_>>());
    for condition in ["ZeroReservedConcurrency", "RetriesExhausted"] {
        assert_eq!(told(condition, false).len(), 481, "{condition}");
    }
}

#[test]
fn a_look_that_comes_once_an_hour_is_told_whenever_it_fails_and_promises_no_tick() {
    for minute in [0, 17] {
        let failure = Failure {
            function: "holdfast-readiness".to_owned(),
            request_id: String::new(),
            error: "DR was not looked at".to_owned(),
            event: "{}".to_owned(),
            condition: "RetriesExhausted".to_owned(),
            scheduled: Some(at(minute * 60)),
            at: at(minute * 60 + 180),
        };
        assert!(message::is_failure_due(&failure), "at minute {minute}");
        let body = message::of_failure(&failure, &sender()).body;
        assert!(body.contains("again in an hour") && !body.contains("tick"), "{body}");
    }
}

#[test]
fn a_failure_over_a_huge_event_is_told_with_its_beginning() {
    let failure = |event: String| Failure {
        function: "alarm-handler".to_owned(),
        request_id: "1-2".to_owned(),
        error: format!("EventNotUnderstood: {event}"),
        event,
        condition: "RetriesExhausted".to_owned(),
        scheduled: None,
        at: at(0),
    };
    let whole = message::of_failure(&failure("ü".repeat(20_000)), &sender()).body;
    assert!(whole.ends_with(&format!("THE EVENT\n  {}\n", "ü".repeat(20_000))));
    let cut = message::of_failure(&failure("🦀".repeat(250_000)), &sender()).body;
    let kept = "🦀".repeat(20_000);
    assert!(cut.ends_with(&format!("THE EVENT\n  {kept}\n  (cut here, after 20000 of 250000 characters)\n")));
    assert!(cut.len() < 256 * 1024, "SNS takes no more");
}

#[test]
fn a_failure_pages_and_its_alarm_leaves_out_the_event() {
    let failure = Failure {
        function: "alarm-handler".to_owned(),
        request_id: "1-2".to_owned(),
        error: "EventNotUnderstood".to_owned(),
        event: "a secret".to_owned(),
        condition: "RetriesExhausted".to_owned(),
        scheduled: None,
        at: at(0),
    };
    let message = message::of_failure(&failure, &sender());
    assert_eq!(message.attributes(), [("attention", "page"), ("outcome", "Failed")]);
    let (subject, body) = message.alarm("eu-central-1", "123456789012");
    assert_eq!(subject, "ALARM: Holdfast: alarm-handler failed");
    assert!(body.contains("aws logs tail") && !body.contains("a secret") && !message.card().contains("a secret"));
}
