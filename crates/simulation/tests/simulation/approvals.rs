//! An approval is said once: whatever becomes of the calls, it is not lost.

use std::cell::Cell;
use std::rc::Rc;

use failover::incident::{AlarmState, Approval, Incident};
use failover::outcome::Kind;
use failover::plan::Mode;
use failover::register::{ArmedBy, Register};
use failover::rule::Rule;
use jiff::SignedDuration;
use simulation::fault::{Fault, none, script};
use simulation::holdfast::{Function, Holdfast};
use simulation::setup::{Setup, fail_back, start, write_registers};

use crate::common::{
    End, MINUTES, approved, assert_unbroken, deployed, end, good_end, minutes, outage, states, subjects,
};

fn asked(holdfast: &Holdfast) -> Incident {
    let asked = holdfast.outcomes.iter().rev().find(|(_, _, outcome)| outcome.outcome == Kind::ApprovalNeeded);
    asked.and_then(|(_, _, outcome)| outcome.incident.clone()).expect("approval is asked for")
}

/// Approves once, at a time when `function` waits for it; its calls from there on are counted, and one meets `fault`.
fn approve(holdfast: &mut Holdfast, function: Function, nth: u32, fault: Fault) -> bool {
    let incident = asked(holdfast);
    let approval = Approval { incident, by: "kim".to_owned(), reason: String::new(), despite: [Rule::R07].into() };
    let calls = Rc::new(Cell::new(0));
    let count = Rc::clone(&calls);
    holdfast.script = script(move |_| if count.replace(count.get() + 1) == nth { fault } else { Fault::None });
    let event = approved(holdfast, &approval);
    holdfast.send(function, event);
    let delivery = holdfast.next_due(|_| 0).expect("it is due");
    holdfast.deliver(delivery);
    holdfast.script = none();
    calls.get() > nth
}

fn at_every_call(function: Function, setup: &Setup, good: &End, waiting: impl Fn() -> Holdfast) {
    for fault in Fault::ALL {
        for nth in 0.. {
            let mut holdfast = waiting();
            let was_hit = approve(&mut holdfast, function, nth, fault);
            minutes(&mut holdfast, MINUTES);
            assert_unbroken(&holdfast);
            let what = format!("{fault:?} at call {nth} of {function}: {:#?}", subjects(&holdfast));
            assert_eq!(end(&holdfast), *good, "{setup:?} {what}");
            if !was_hit {
                assert!(nth > 3);
                break;
            }
        }
    }
}

#[test]
fn an_approval_to_pin_survives_any_one_fault() {
    let setup = Setup { mode: Mode::Approval, probes: false, ..Setup::default() };
    let good = good_end(&Setup { mode: Mode::Automatic, ..setup.clone() });
    at_every_call(Function::AlarmHandler, &setup, &good, || {
        let mut holdfast = deployed(&setup);
        outage(&mut holdfast);
        assert_eq!(states(&holdfast), ["armed"; 3]);
        holdfast
    });
}

#[test]
fn an_approval_to_lose_data_survives_any_one_fault() {
    let setup = Setup { clusters: 2, ..Setup::default() };
    let good = good_end(&setup);
    at_every_call(Function::ReplicaPromoter, &setup, &good, || {
        let mut holdfast = deployed(&setup);
        holdfast.world.get().lag.clear();
        outage(&mut holdfast);
        minutes(&mut holdfast, 6);
        assert!(holdfast.world.get().watch.promotions().is_empty());
        holdfast
    });
}

/// Armed five minutes before the alarm, so P08 asks and a person approves; failed over, failed back, armed again by whatever.
fn approved_failed_back_and_armed_again(by: ArmedBy) -> (Holdfast, serde_json::Value) {
    let since = start() - SignedDuration::from_mins(5);
    let register = Some(Register::armed(since, ArmedBy::Operator));
    let mut holdfast = deployed(&Setup { probes: false, names: 1, register, ..Setup::default() });
    outage(&mut holdfast);
    let incident =
        holdfast.outcomes.iter().rev().find_map(|(_, _, outcome)| outcome.incident.clone()).expect("it asks");
    let despite = [Rule::P08].into();
    let approval = Approval { incident, by: "kim".to_owned(), reason: String::new(), despite };
    let event = approved(&holdfast, &approval);
    holdfast.send(Function::AlarmHandler, event.clone());
    holdfast.settle();
    minutes(&mut holdfast, 20);
    assert_eq!(states(&holdfast), ["failed over"]);
    {
        let mut world = holdfast.world.get();
        world.primary_answers = true;
        (world.alarm.state, world.alarm.since) = (AlarmState::Ok, world.now);
    }
    fail_back(&holdfast).expect("nothing stands in the way");
    holdfast.world.get().advance(600);
    let since = holdfast.world.get().now;
    write_registers(&holdfast, &Register::armed(since, by)).expect("nobody else writes");
    (holdfast, event)
}

#[test]
fn an_approval_delivered_again_after_a_failback_undoes_nothing_though_cloudwatch_is_silent() {
    for by in [ArmedBy::Operator, ArmedBy::MaintenanceEnd, ArmedBy::Failback] {
        let (mut holdfast, event) = approved_failed_back_and_armed_again(by);
        holdfast.world.get().advance(3_600);
        holdfast.script = script(|site| if site.api == "DescribeAlarms" { Fault::TimedOutBefore } else { Fault::None });
        holdfast.send(Function::AlarmHandler, event);
        holdfast.settle();
        assert_eq!(states(&holdfast), ["armed"], "armed by {by:?}");
        assert!(holdfast.world.get().watch.broken.is_empty());
    }
}
