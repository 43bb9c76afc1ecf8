//! What the operators hear, and how often.

use failover::incident::AlarmState;
use jiff::Timestamp;
use serde_json::json;
use simulation::fault::{Fault, script};
use simulation::holdfast::{Function, Holdfast};
use simulation::setup::Setup;

use crate::common::{deployed, minutes, subjects};

fn told_at(holdfast: &Holdfast, since: Timestamp, words: &str) -> Vec<i64> {
    let world = holdfast.world.get();
    let about = world.mailbox.iter().filter(|letter| letter.message.subject.contains(words));
    about.map(|letter| letter.at.duration_since(since).as_mins()).collect()
}

#[test]
fn a_page_that_stays_true_in_an_incident_is_repeated_every_quarter_of_an_hour_and_then_every_hour() {
    let mut holdfast = deployed(&Setup::default());
    holdfast.world.get().alarm_says(AlarmState::Alarm);
    let since = holdfast.world.get().now;
    holdfast.settle();
    minutes(&mut holdfast, 310);
    let quarters = (1..=16).map(|nth| 15 * nth);
    let expected: Vec<_> = [0, 1, 2, 4, 8].into_iter().chain(quarters).chain([300]).collect();
    assert_eq!(told_at(&holdfast, since, "HELD"), expected);
}

#[test]
fn what_lasts_well_is_said_rarely() {
    let mut holdfast = deployed(&Setup::default());
    crate::common::outage(&mut holdfast);
    let since = holdfast.world.get().now;
    minutes(&mut holdfast, 26 * 60);
    let reminders = told_at(&holdfast, since, "stays on DR");
    assert!((2..=3).contains(&reminders.len()), "soon after the end, and once a day: {reminders:?}");
}

#[test]
fn an_event_that_no_function_understands_pages_once_it_was_tried_three_times() {
    for (function, said) in [
        (Function::AlarmHandler, "holdfast-alarm-handler failed"),
        (Function::ReplicaPromoter, "holdfast-replica-promoter failed"),
    ] {
        let mut holdfast = deployed(&Setup::default());
        holdfast.send(function, json!({"what": "is this"}));
        holdfast.settle();
        minutes(&mut holdfast, 2);
        assert_eq!(subjects(&holdfast), Vec::<String>::new(), "it is tried again first");
        minutes(&mut holdfast, 10);
        assert_eq!(subjects(&holdfast), [format!("Holdfast: {said}")]);
    }
}

#[test]
fn an_invocation_that_dies_every_time_pages() {
    let mut holdfast = deployed(&Setup::default());
    holdfast.script = script(|site| match site.function {
        Function::AlarmHandler => Fault::KilledBefore,
        _ => Fault::None,
    });
    // Failing ticks are told once a quarter of an hour.
    minutes(&mut holdfast, 20);
    assert!(subjects(&holdfast).contains(&"Holdfast: holdfast-alarm-handler failed".to_owned()));
}

#[test]
fn a_message_that_sns_does_not_take_is_tried_again_and_else_kept() {
    let mut holdfast = deployed(&Setup::default());
    holdfast.script = script(|site| if site.api == "Publish" { Fault::Refused("Throttling") } else { Fault::None });
    crate::common::outage(&mut holdfast);
    minutes(&mut holdfast, 6);
    assert_eq!(subjects(&holdfast), Vec::<String>::new());
    assert!(!holdfast.dead.is_empty());
}
