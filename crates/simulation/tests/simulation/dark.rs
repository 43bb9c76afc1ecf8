//! Failovers that are committed beside Route 53, whose API is dark.

use std::cell::Cell;
use std::rc::Rc;

use aws::store::Item;
use aws::telemetry::Metric;
use failover::incident::AlarmState;
use failover::latch::{Latch, Stage};
use jiff::SignedDuration;
use simulation::fault::{Fault, script};
use simulation::holdfast::{Function, Holdfast};
use simulation::property::Property;
use simulation::setup::Setup;

use crate::common::{End, assert_unbroken, deployed, end, minutes, outage, outage_before, states, subjects, was_told};
use crate::delivery::{interleave, tick_for};

/// How long Route 53's API is dark, and how long after that all is written.
const DARK: usize = 22;
const AFTER: usize = 16;

pub fn on_switch() -> Setup {
    Setup { names: 1, switch: true, ..Setup::default() }
}

pub fn latch(holdfast: &Holdfast) -> Option<Latch> {
    let world = holdfast.world.get();
    world.store.get(&Item::Latch).map(|text| Latch::parse(text).unwrap())
}

pub fn is_failed_over_by_latch(holdfast: &Holdfast) -> bool {
    matches!(latch(holdfast), Some(Latch { stage: Stage::FailedOver { .. }, .. }))
}

pub fn go_dark(holdfast: &Holdfast, how: Fault) {
    holdfast.world.get().dark = Some(how);
}

fn light(holdfast: &mut Holdfast) {
    holdfast.world.get().dark = None;
    minutes(holdfast, AFTER);
}

fn good_end(setup: &Setup) -> End {
    let mut holdfast = deployed(setup);
    go_dark(&holdfast, Fault::TimedOutBefore);
    outage(&mut holdfast);
    minutes(&mut holdfast, DARK);
    assert!(is_failed_over_by_latch(&holdfast), "{:?} {:#?}", latch(&holdfast), subjects(&holdfast));
    light(&mut holdfast);
    let end = end(&holdfast);
    assert!(states(&holdfast).iter().all(|state| *state == "failed over"), "{:?}", states(&holdfast));
    end
}

#[test]
fn with_route_53_dark_a_failover_is_committed_at_once_and_its_databases_are_promoted_by_what_name_servers_show() {
    for how in [Fault::TimedOutBefore, Fault::Refused("ServiceUnavailable"), Fault::NeverSent] {
        let mut holdfast = deployed(&Setup { names: 4, switch: true, ..Setup::default() });
        minutes(&mut holdfast, 3);
        assert_eq!(subjects(&holdfast), Vec::<String>::new(), "quiet times are quiet");
        go_dark(&holdfast, how);
        outage(&mut holdfast);
        assert!(latch(&holdfast).is_some(), "{how:?}");
        minutes(&mut holdfast, 14);
        assert!(is_failed_over_by_latch(&holdfast), "{:?} {:#?}", latch(&holdfast), subjects(&holdfast));
        assert_eq!(states(&holdfast), ["armed"; 4], "no record was edited");
        for said in ["COMMITTED to DR", "promoting in DR", "FAILED OVER"] {
            assert!(was_told(&holdfast, &[said]), "{said}: {:#?}", subjects(&holdfast));
        }
        // The primary's return changes nothing, and once Route 53 takes them the pins follow.
        holdfast.world.get().recovery();
        minutes(&mut holdfast, 10);
        light(&mut holdfast);
        assert_eq!(states(&holdfast), ["failed over"; 4]);
        assert_eq!(subjects(&holdfast).iter().filter(|told| told.contains("FAILED OVER")).count(), 1);
    }
}

#[test]
fn a_latch_that_one_name_server_does_not_show_is_told_after_three_minutes_with_where_users_may_be() {
    let mut holdfast = deployed(&on_switch());
    if let Some(switch) = &mut holdfast.world.get().switch {
        switch.servers[3].lag = SignedDuration::from_mins(60);
    }
    go_dark(&holdfast, Fault::TimedOutBefore);
    outage(&mut holdfast);
    let at = latch(&holdfast).expect("it is committed").at;
    let stuck = "promotion is STUCK, users may be at the PRIMARY";
    while !was_told(&holdfast, &[stuck]) {
        assert!(holdfast.world.get().now < at + SignedDuration::from_mins(5), "{:#?}", subjects(&holdfast));
        minutes(&mut holdfast, 1);
    }
    assert!(holdfast.world.get().now >= at + SignedDuration::from_mins(3), "{:#?}", subjects(&holdfast));
    let says_why = |body: &str| body.contains("not every name server shows it") && body.contains("says of the latch");
    assert!(holdfast.world.get().mailbox.iter().any(|letter| says_why(&letter.message.body)));
    minutes(&mut holdfast, 10);
    assert!(matches!(latch(&holdfast), Some(Latch { stage: Stage::Committed, .. })), "nothing is promoted");
}

/// A dark failover in which `function`'s call number `nth` meets `fault`; `None` if it never makes so many, or if that call is a question
/// to a name server, to which most faults are silence.
fn dark_failover_with(setup: &Setup, function: Function, nth: u32, fault: Fault) -> Option<Holdfast> {
    let calls = Rc::new(Cell::new(0));
    let count = Rc::clone(&calls);
    let mut holdfast = deployed(setup);
    go_dark(&holdfast, Fault::TimedOutBefore);
    holdfast.script = script(move |site| {
        let is_it =
            site.function == function && count.replace(count.get() + u32::from(site.function == function)) == nth;
        if is_it { fault } else { Fault::None }
    });
    outage(&mut holdfast);
    minutes(&mut holdfast, DARK - 8);
    if calls.get() <= nth {
        return None;
    }
    holdfast.world.get().land_late_calls();
    minutes(&mut holdfast, 8);
    Some(holdfast)
}

/// In the first minutes, in which all is decided; what comes after only repeats it.
fn every_fault_at_every_call_in_the_dark(function: Function, calls_min: u32, calls_max: u32) {
    let setup = on_switch();
    let good = good_end(&setup);
    for fault in Fault::ALL {
        let mut nth = 0;
        while let Some(mut holdfast) =
            (nth < calls_max).then(|| dark_failover_with(&setup, function, nth, fault)).flatten()
        {
            let what = format!("{fault:?} at call {nth} of {function}: {:#?}", subjects(&holdfast));
            assert!(is_failed_over_by_latch(&holdfast), "{what}");
            assert!(was_told(&holdfast, &["COMMITTED to DR", "promoting in DR", "stays on DR"]), "{what}");
            light(&mut holdfast);
            assert_unbroken(&holdfast);
            assert_eq!(end(&holdfast), good, "{what}");
            assert!(was_told(&holdfast, &["FAILED OVER"]) || told_that_dr_takes_writes(&holdfast), "{what}");
            nth += 1;
        }
        assert!(nth >= calls_min, "{function} makes {nth} calls only");
    }
}

/// Whoever failed over did not live to say so; the repeats of the commit say it.
fn told_that_dr_takes_writes(holdfast: &Holdfast) -> bool {
    holdfast.world.get().mailbox.iter().any(|letter| letter.message.body.contains("DR's databases take writes."))
}

#[test]
fn any_one_call_of_alarm_handler_may_fail_or_kill_it_in_the_dark() {
    every_fault_at_every_call_in_the_dark(Function::AlarmHandler, 30, 60);
}

#[test]
fn any_one_call_of_replica_promoter_may_fail_or_kill_it_in_the_dark() {
    every_fault_at_every_call_in_the_dark(Function::ReplicaPromoter, 100, 240);
}

/// Route 53's API goes dark before call number `nth` of all, and stays so; `None` if fewer are made in the failover.
fn dark_from_call(nth: u32) -> Option<Holdfast> {
    let calls = Rc::new(Cell::new(0));
    let (count, mut holdfast) = (Rc::clone(&calls), deployed(&on_switch()));
    let world = holdfast.world.clone();
    holdfast.script = script(move |_| {
        if count.replace(count.get() + 1) == nth {
            world.get().dark = Some(Fault::TimedOutBefore);
        }
        Fault::None
    });
    outage(&mut holdfast);
    minutes(&mut holdfast, DARK);
    (calls.get() > nth).then_some(holdfast)
}

#[test]
fn route_53_may_go_dark_before_any_call_and_the_failover_is_finished_without_it() {
    for nth in 0..150 {
        let Some(mut holdfast) = dark_from_call(nth) else { break };
        let world = holdfast.world.get();
        let promoted = world.watch.promotions().len();
        drop(world);
        assert_eq!(promoted, 1, "dark from call {nth}: {:?} {:#?}", latch(&holdfast), subjects(&holdfast));
        assert!(was_told(&holdfast, &["FAILED OVER", "stays on DR"]), "dark from call {nth}");
        light(&mut holdfast);
        assert_eq!(states(&holdfast), ["failed over"], "dark from call {nth}");
        assert_unbroken(&holdfast);
    }
}

/// In each of the first minutes of a dark failover, `a` is stopped before each of its calls while `b` runs whole.
fn any_two_may_come_between_in_the_dark(a: Function, b: Function, minutes_max: usize) {
    let setup = on_switch();
    let good = good_end(&setup);
    for minute in 0..minutes_max {
        for stop in 0.. {
            let mut holdfast = deployed(&setup);
            go_dark(&holdfast, Fault::TimedOutBefore);
            outage_before(&mut holdfast, minute);
            let (first, second) = (tick_for(&holdfast, a), tick_for(&holdfast, b));
            let was_stopped = interleave(&mut holdfast, first, second, stop);
            minutes(&mut holdfast, DARK - minute);
            let where_ = format!("{a} stopped before call {stop} in minute {minute} for {b}");
            assert!(is_failed_over_by_latch(&holdfast), "{where_}: {:#?}", subjects(&holdfast));
            assert!(was_told(&holdfast, &["FAILED OVER"]), "{where_}: {:#?}", subjects(&holdfast));
            light(&mut holdfast);
            assert_unbroken(&holdfast);
            assert_eq!(end(&holdfast), good, "{where_}");
            if !was_stopped {
                assert!(stop > 0, "{a} was never stopped in minute {minute}");
                break;
            }
        }
    }
}

#[test]
fn two_alarm_handlers_may_overlap_anywhere_in_a_commit() {
    any_two_may_come_between_in_the_dark(Function::AlarmHandler, Function::AlarmHandler, 3);
}

#[test]
fn two_replica_promoters_may_overlap_anywhere_in_the_dark() {
    any_two_may_come_between_in_the_dark(Function::ReplicaPromoter, Function::ReplicaPromoter, 11);
}

#[test]
fn alarm_handler_and_replica_promoter_may_overlap_anywhere_in_the_dark() {
    any_two_may_come_between_in_the_dark(Function::AlarmHandler, Function::ReplicaPromoter, 6);
    any_two_may_come_between_in_the_dark(Function::ReplicaPromoter, Function::AlarmHandler, 6);
}

/// A zero that was read before the commit is said after it, of the time at which it was read.
#[test]
fn a_late_word_of_an_open_latch_takes_nobody_back() {
    for stop in 1.. {
        let mut holdfast = deployed(&on_switch());
        let early = tick_for(&holdfast, Function::AlarmHandler);
        let mut early = holdfast.start(early, true);
        while early.made().len() < stop {
            if early.step().is_ready() {
                return assert!(stop > 5, "alarm-handler makes {stop} calls only");
            }
        }
        holdfast.world.get().advance(60);
        go_dark(&holdfast, Fault::TimedOutBefore);
        outage(&mut holdfast);
        holdfast.world.get().advance(50);
        early.finish();
        minutes(&mut holdfast, 3);
        holdfast.world.get().recovery();
        minutes(&mut holdfast, 10);
        let switch = holdfast.world.get().switch.clone().unwrap();
        assert_eq!(switch.shows().map(|checks| checks.is_primary()), [false; 4], "stopped before call {stop}");
    }
}

#[test]
fn a_word_of_an_open_latch_that_tells_of_a_later_minute_than_it_was_read_in_is_noticed() {
    let mut holdfast = deployed(&on_switch());
    go_dark(&holdfast, Fault::TimedOutBefore);
    outage(&mut holdfast);
    minutes(&mut holdfast, 2);
    {
        let mut world = holdfast.world.get();
        world.alarm_says(AlarmState::Ok);
        // No tick says anything of this minute.
        world.advance(60);
        let later = world.now;
        world.hear(later, Metric { name: "Latch", unit: "Count", value: 0.0 });
        world.advance(120);
    }
    let world = holdfast.world.get();
    assert!(world.watch.broken.iter().any(|breach| breach.property == Property::LatchedWentBack));
}
