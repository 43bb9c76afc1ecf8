//! Repeat and crash: each fault at each call of each function, one at a time, in an otherwise normal failover.

use std::cell::Cell;
use std::rc::Rc;

use failover::register::Register;
use jiff::SignedDuration;
use simulation::fault::{Fault, script};
use simulation::holdfast::{Function, Holdfast};
use simulation::setup::{Setup, start, write_registers};

use crate::common::{
    End, MINUTES, assert_unbroken, deployed, end, good_end, minutes, outage, states, subjects, was_told,
};

/// A failover in which `function`'s call number `nth`, counted from the alarm on, meets `fault`; `None` if it never
/// makes so many before it is over.
fn failover_with(setup: &Setup, function: Function, nth: u32, fault: Fault) -> Option<Holdfast> {
    let calls = Rc::new(Cell::new(0));
    let count = Rc::clone(&calls);
    let mut holdfast = deployed(setup);
    holdfast.script = script(move |site| {
        let is_it =
            site.function == function && count.replace(count.get() + u32::from(site.function == function)) == nth;
        if is_it { fault } else { Fault::None }
    });
    outage(&mut holdfast);
    minutes(&mut holdfast, 10);
    if calls.get() <= nth {
        return None;
    }
    holdfast.world.get().land_late_calls();
    minutes(&mut holdfast, MINUTES - 10);
    Some(holdfast)
}

fn every_fault_at_every_call_of(function: Function, calls_min: u32) {
    every_fault_at_every_call_in(&Setup::default(), function, calls_min);
}

fn every_fault_at_every_call_in(setup: &Setup, function: Function, calls_min: u32) {
    let good: End = good_end(setup);
    for fault in Fault::ALL {
        let mut nth = 0;
        while let Some(holdfast) = failover_with(setup, function, nth, fault) {
            let what = format!("{fault:?} at call {nth} of {function}: {:#?}", subjects(&holdfast));
            assert_unbroken(&holdfast);
            assert_eq!(end(&holdfast), good, "{what}");
            assert!(was_told(&holdfast, &["pinned to DR", "promoting in DR", "stays on DR"]), "{what}");
            assert!(was_told(&holdfast, &["FAILED OVER"]) || told_after_the_end(&holdfast), "{what}");
            nth += 1;
        }
        assert!(nth >= calls_min, "{function} makes {nth} calls only");
    }
}

/// Whoever failed over did not live to say so; the reminders say it.
fn told_after_the_end(holdfast: &Holdfast) -> bool {
    let ended = holdfast.names().into_iter().filter_map(|view| match view.register()? {
        failover::register::Register::FailedOver { at, .. } => Some(*at),
        _ => None,
    });
    let Some(ended) = ended.max() else { return false };
    let world = holdfast.world.get();
    world.mailbox.iter().any(|letter| letter.at > ended && letter.message.subject.contains("stays on DR"))
}

#[test]
fn any_one_call_of_alarm_handler_may_fail_or_kill_it() {
    every_fault_at_every_call_of(Function::AlarmHandler, 30);
}

#[test]
fn any_one_call_of_replica_promoter_may_fail_or_kill_it() {
    every_fault_at_every_call_of(Function::ReplicaPromoter, 15);
}

#[test]
fn any_one_call_of_notifier_may_fail_or_kill_it() {
    every_fault_at_every_call_of(Function::Notifier, 3);
}

#[test]
fn any_one_call_of_fencer_may_fail_or_kill_it() {
    every_fault_at_every_call_in(&Setup { fence: true, names: 1, ..Setup::default() }, Function::Fencer, 10);
}

#[test]
fn any_one_call_of_replica_promoter_may_fail_or_kill_it_where_the_databases_are_of_both_kinds() {
    let setup = Setup { names: 1, clusters: 1, instances: 2, ..Setup::default() };
    every_fault_at_every_call_in(&setup, Function::ReplicaPromoter, 15);
}

#[test]
fn any_one_call_of_replica_promoter_may_fail_or_kill_it_where_the_database_is_a_global_one() {
    let setup = Setup { names: 1, clusters: 0, globals: 1, ..Setup::default() };
    every_fault_at_every_call_in(&setup, Function::ReplicaPromoter, 15);
}

#[test]
fn any_one_call_of_alarm_handler_may_fail_or_kill_it_where_users_wait_for_drs_targets() {
    let setup = Setup { names: 1, targets: true, ..Setup::default() };
    every_fault_at_every_call_in(&setup, Function::AlarmHandler, 15);
}

#[test]
fn a_function_that_dies_once_at_every_call_in_turn_still_ends_failed_over() {
    for fault in [Fault::KilledBefore, Fault::KilledAfter, Fault::TimedOutAfter] {
        let setup = Setup::default();
        let mut holdfast = deployed(&setup);
        let seen = Rc::new(Cell::new(0_u32));
        // Every third call: no invocation of several calls ever gets through whole, until the faults end.
        holdfast.script = script(move |_| {
            seen.set(seen.get() + 1);
            if seen.get().is_multiple_of(3) && seen.get() < 90 { fault } else { Fault::None }
        });
        outage(&mut holdfast);
        minutes(&mut holdfast, 2 * MINUTES);
        assert_eq!(end(&holdfast), good_end(&setup), "{fault:?}");
    }
}

/// A maintenance of two minutes, in which alarm-handler's call number `nth` meets `fault`; `None` if it never makes so
/// many.
fn maintenance_with(nth: u32, fault: Fault) -> Option<Holdfast> {
    let calls = Rc::new(Cell::new(0));
    let count = Rc::clone(&calls);
    let mut holdfast = deployed(&Setup::default());
    let until = start() + SignedDuration::from_mins(2);
    write_registers(&holdfast, &Register::paused(start(), until, "kim".to_owned())).unwrap();
    holdfast.world.get().watch.is_check_disabled = true;
    holdfast.script = script(move |site| {
        let is_it = site.function == Function::AlarmHandler && count.replace(count.get() + 1) == nth;
        if is_it { fault } else { Fault::None }
    });
    minutes(&mut holdfast, 6);
    (calls.get() > nth).then_some(holdfast)
}

#[test]
fn a_maintenance_ends_by_itself_with_its_health_check_enabled_first_though_any_one_call_fails() {
    for fault in Fault::ALL {
        let mut nth = 0;
        while let Some(holdfast) = maintenance_with(nth, fault) {
            assert_eq!(states(&holdfast), ["armed"; 3], "{fault:?} at call {nth}");
            assert!(!holdfast.world.get().watch.is_check_disabled, "{fault:?} at call {nth}");
            nth += 1;
        }
        assert!(nth >= 10, "alarm-handler makes {nth} calls only");
    }
}
