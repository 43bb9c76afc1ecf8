//! What comes too late, and what is switched off.

use failover::incident::{Approval, Incident};
use failover::register::Register;
use failover::rule::Rule;
use jiff::SignedDuration;
use simulation::fault::{Fault, none, script};
use simulation::holdfast::{Function, Holdfast};
use simulation::setup::{Setup, fail_back, fail_back_one, start, write_registers};

use crate::common::{MINUTES, approved, deployed, minutes, outage, states, was_told};

fn failed_over_and_back() -> (Holdfast, serde_json::Value) {
    let mut holdfast = deployed(&Setup::default());
    holdfast.world.get().outage();
    let alarm = holdfast.world.get().outbox[0].clone();
    holdfast.settle();
    minutes(&mut holdfast, MINUTES);
    assert_eq!(states(&holdfast), ["failed over"; 3]);
    holdfast.world.get().recovery();
    minutes(&mut holdfast, 5);
    fail_back(&holdfast).unwrap();
    (holdfast, alarm)
}

#[test]
fn an_alarm_of_before_the_failback_delivered_again_never_pins() {
    let (mut holdfast, alarm) = failed_over_and_back();
    for _ in 0..3 {
        holdfast.send(Function::AlarmHandler, alarm.clone());
        holdfast.settle();
        minutes(&mut holdfast, 40);
        assert_eq!(states(&holdfast), ["armed"; 3]);
    }
}

#[test]
fn an_old_alarm_never_pins_even_when_cloudwatch_says_nothing_against_it() {
    let (mut holdfast, alarm) = failed_over_and_back();
    holdfast.world.get().primary_answers = false;
    holdfast.script =
        script(|site| if site.api == "DescribeAlarms" { Fault::Refused("Throttling") } else { Fault::None });
    holdfast.send(Function::AlarmHandler, alarm);
    holdfast.settle();
    minutes(&mut holdfast, 3);
    assert_eq!(states(&holdfast), ["armed"; 3]);
}

#[test]
fn an_alarm_that_rings_on_through_a_failback_needs_a_person() {
    let mut holdfast = deployed(&Setup::default());
    outage(&mut holdfast);
    minutes(&mut holdfast, MINUTES);
    fail_back(&holdfast).unwrap();
    minutes(&mut holdfast, 90);
    assert_eq!(states(&holdfast), ["armed"; 3], "the alarm is older than the arming");
}

#[test]
fn no_approval_pins_for_an_alarm_that_rang_before_the_failback() {
    let (mut holdfast, alarm) = failed_over_and_back();
    holdfast.world.get().primary_answers = false;
    holdfast.world.get().alarm_says(failover::incident::AlarmState::Alarm);
    holdfast.world.get().alarm.since = start();
    holdfast.world.get().outbox = vec![alarm];
    let incident = Incident { alarm: "holdfast-failover-started".to_owned(), began: start() };
    let despite = [Rule::P08, Rule::P09, Rule::P10, Rule::P12].into();
    let approval = Approval { incident, by: "kim".to_owned(), reason: String::new(), despite };
    let event = approved(&holdfast, &approval);
    holdfast.send(Function::AlarmHandler, event);
    holdfast.settle();
    minutes(&mut holdfast, 3);
    assert_eq!(states(&holdfast), ["armed"; 3]);
}

/// The databases wait for an approval, and meanwhile people take one name back.
#[test]
fn a_name_failed_back_alone_is_not_pinned_again_with_the_others() {
    let mut holdfast = deployed(&Setup::default());
    holdfast.world.get().lag.clear();
    outage(&mut holdfast);
    minutes(&mut holdfast, 10);
    assert_eq!(states(&holdfast), ["pinned"; 3]);
    fail_back_one(&holdfast, &holdfast.names()[1]).unwrap();
    minutes(&mut holdfast, 20);
    assert_eq!(states(&holdfast), ["pinned", "armed", "pinned"]);
    assert!(holdfast.world.get().watch.promotions().is_empty(), "clients of that name write to the primary");
}

#[test]
fn a_new_outage_within_the_cool_down_asks_and_an_approval_carries_it_out() {
    let (mut holdfast, _) = failed_over_and_back();
    minutes(&mut holdfast, 20);
    outage(&mut holdfast);
    minutes(&mut holdfast, 3);
    assert_eq!(states(&holdfast), ["armed"; 3]);
    assert!(was_told(&holdfast, &["APPROVE"]));
    let incident = holdfast.outcomes.iter().rev().find_map(|(_, _, outcome)| outcome.incident.clone()).unwrap();
    let approval = Approval { incident, by: "kim".to_owned(), reason: String::new(), despite: [Rule::P08].into() };
    let event = approved(&holdfast, &approval);
    holdfast.send(Function::AlarmHandler, event);
    holdfast.settle();
    assert_eq!(states(&holdfast), ["pinned"; 3]);
}

/// Whatever batch of a failover times out and lands only after the failback, it is refused.
#[test]
fn a_batch_that_lands_after_the_failback_is_refused() {
    for lost in 0..12 {
        let mut holdfast = deployed(&Setup::default());
        let mut batches = 0;
        holdfast.script = script(move |site| {
            batches += u32::from(site.api == "ChangeResourceRecordSets");
            let is_it = site.api == "ChangeResourceRecordSets" && batches == lost + 1;
            if is_it { Fault::TimedOutLate } else { Fault::None }
        });
        outage(&mut holdfast);
        minutes(&mut holdfast, MINUTES);
        assert_eq!(states(&holdfast), ["failed over"; 3]);
        let has_late = !holdfast.world.get().late.is_empty();
        assert!(has_late || lost > 5, "a failover of two zones writes six batches at least: {lost}");
        holdfast.script = none();
        holdfast.world.get().recovery();
        minutes(&mut holdfast, 5);
        fail_back(&holdfast).unwrap();
        let before = holdfast.names();
        holdfast.world.get().land_late_calls();
        assert_eq!(holdfast.names(), before);
        minutes(&mut holdfast, 20);
        assert_eq!(holdfast.names(), before);
    }
}

#[test]
fn nothing_is_written_while_disarmed_and_the_operators_are_paged() {
    let mut holdfast = deployed(&Setup::default());
    write_registers(&holdfast, &Register::disarmed(start(), "kim".to_owned())).unwrap();
    outage(&mut holdfast);
    minutes(&mut holdfast, MINUTES);
    assert_eq!(states(&holdfast), ["disarmed"; 3]);
    assert!(was_told(&holdfast, &["CANNOT fail over"]));
}

#[test]
fn nothing_is_written_in_a_maintenance_and_what_rings_on_after_it_waits_for_a_person() {
    let mut holdfast = deployed(&Setup::default());
    let until = start() + SignedDuration::from_mins(10);
    write_registers(&holdfast, &Register::paused(start(), until, "kim".to_owned())).unwrap();
    outage(&mut holdfast);
    minutes(&mut holdfast, 9);
    assert_eq!(states(&holdfast), ["paused"; 3]);
    minutes(&mut holdfast, 30);
    assert_eq!(states(&holdfast), ["armed"; 3]);
}
