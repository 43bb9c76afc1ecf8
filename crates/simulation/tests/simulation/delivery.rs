//! Events twice, backwards, and invocations that come between each other's calls.

use std::task::Poll;

use simulation::event;
use simulation::holdfast::{Delivery, Function, Holdfast};
use simulation::setup::Setup;

use crate::common::{
    MINUTES, assert_unbroken, deployed, end, good_end, minutes, outage, outage_before, subjects, was_told,
};

/// Everything that is due is delivered twice, the newest first.
fn settle_backwards_and_twice(holdfast: &mut Holdfast) {
    holdfast.wake();
    holdfast.take_outbox();
    while let Some(delivery) = holdfast.next_due(|count| count - 1) {
        holdfast.deliver(delivery.clone());
        let mut again = holdfast.start(delivery, false);
        // Its answer goes nowhere, lest twice become four times, become eight.
        assert!(again.finish().is_some());
        holdfast.take_outbox();
    }
}

#[test]
fn every_event_may_come_twice_and_the_newest_first() {
    let setup = Setup { clusters: 2, ..Setup::default() };
    let mut holdfast = deployed(&setup);
    holdfast.world.get().outage();
    for _ in 0..MINUTES {
        holdfast.send_ticks();
        for _ in 0..6 {
            settle_backwards_and_twice(&mut holdfast);
            assert_unbroken(&holdfast);
            holdfast.world.get().advance(10);
        }
    }
    assert_eq!(end(&holdfast), good_end(&setup));
}

/// Runs one invocation to before its call number `stop`, another from beginning to end, then the rest of the first;
/// `false` if the first makes fewer calls.
pub fn interleave(holdfast: &mut Holdfast, first: Delivery, second: Delivery, stop: usize) -> bool {
    let mut first = holdfast.start(first, true);
    let mut was_stopped = false;
    loop {
        if !was_stopped && first.made().len() >= stop {
            was_stopped = true;
            holdfast.deliver(second.clone());
        }
        if let Poll::Ready(ended) = first.step() {
            holdfast.ended(first, ended);
            return was_stopped;
        }
    }
}

pub fn tick_for(holdfast: &Holdfast, function: Function) -> Delivery {
    let now = holdfast.world.get().now;
    Delivery { function, event: event::tick(now), due: now, tried: 0, about: None }
}

/// Runs two invocations of one function, each to before a call of its own, then the second to its end and then the first: with two
/// zones each may write one and be too late for the other. `false` if the first makes fewer calls.
fn criss_cross(holdfast: &mut Holdfast, tick: &Delivery, stops: [usize; 2]) -> [bool; 2] {
    let mut both = [holdfast.start(tick.clone(), true), holdfast.start(tick.clone(), true)];
    let mut ended = [None, None];
    for nth in [1, 0] {
        while ended[nth].is_none() && both[nth].made().len() < stops[nth] {
            if let Poll::Ready(end) = both[nth].step() {
                ended[nth] = Some(end);
            }
        }
    }
    let were_stopped = ended.each_ref().map(Option::is_none);
    for (invocation, end) in both.into_iter().zip(ended).rev() {
        let mut invocation = invocation;
        let end = end.unwrap_or_else(|| invocation.finish());
        holdfast.ended(invocation, end);
    }
    were_stopped
}

/// In each minute of a failover, two invocations at once of which each may write a part: people hear of it all the same.
fn whatever_two_do_in_parts_is_told(function: Function) {
    let setup = Setup::default();
    let good = good_end(&setup);
    for minute in 0..10 {
        let mut stops = [0, 0];
        loop {
            let mut holdfast = deployed(&setup);
            outage_before(&mut holdfast, minute);
            let tick = tick_for(&holdfast, function);
            let were_stopped = criss_cross(&mut holdfast, &tick, stops);
            minutes(&mut holdfast, MINUTES - minute);
            assert_unbroken(&holdfast);
            let where_ = format!("two of {function} stopped before calls {stops:?} in minute {minute}");
            assert_eq!(end(&holdfast), good, "{where_}");
            for said in ["pinned to DR", "promoting in DR", "FAILED OVER"] {
                assert!(was_told(&holdfast, &[said]), "{where_}: {said} was not told: {:#?}", subjects(&holdfast));
            }
            stops = match were_stopped {
                [true, _] => [stops[0] + 1, stops[1]],
                [false, true] => [0, stops[1] + 1],
                [false, false] => break,
            };
        }
    }
}

#[test]
fn two_alarm_handlers_that_each_write_a_part_are_told_of() {
    whatever_two_do_in_parts_is_told(Function::AlarmHandler);
}

#[test]
fn two_replica_promoters_that_each_write_a_part_are_told_of() {
    whatever_two_do_in_parts_is_told(Function::ReplicaPromoter);
}

/// At each minute of a failover, `a` is stopped before each of its calls while `b` runs whole.
fn any_two_may_come_between(a: Function, b: Function) {
    let setup = Setup::default();
    let good = good_end(&setup);
    for minute in 0..10 {
        for stop in 0.. {
            let mut holdfast = deployed(&setup);
            outage_before(&mut holdfast, minute);
            let (first, second) = (tick_for(&holdfast, a), tick_for(&holdfast, b));
            let was_stopped = interleave(&mut holdfast, first, second, stop);
            minutes(&mut holdfast, MINUTES - minute);
            assert_unbroken(&holdfast);
            let where_ = format!("{a} stopped before call {stop} in minute {minute} for {b}");
            assert_eq!(end(&holdfast), good, "{where_}");
            assert!(!was_told(&holdfast, &["INTERRUPTED"]), "{where_}: {:?}", subjects(&holdfast));
            if !was_stopped {
                assert!(stop > 1, "{a} was never stopped in minute {minute}");
                break;
            }
        }
    }
}

#[test]
fn two_alarm_handlers_may_overlap_anywhere() {
    any_two_may_come_between(Function::AlarmHandler, Function::AlarmHandler);
}

#[test]
fn two_replica_promoters_may_overlap_anywhere() {
    any_two_may_come_between(Function::ReplicaPromoter, Function::ReplicaPromoter);
}

#[test]
fn alarm_handler_and_replica_promoter_may_overlap_anywhere() {
    any_two_may_come_between(Function::AlarmHandler, Function::ReplicaPromoter);
    any_two_may_come_between(Function::ReplicaPromoter, Function::AlarmHandler);
}

#[test]
fn a_slow_answer_about_one_database_holds_up_no_other() {
    let promotions = |made: &[&str]| made.iter().filter(|api| api.starts_with("Promote")).count();
    let asked_at_once = (0..MINUTES).find_map(|minute| {
        let mut holdfast = deployed(&Setup { clusters: 2, instances: 2, ..Setup::default() });
        outage(&mut holdfast);
        minutes(&mut holdfast, minute);
        holdfast.world.get().advance(60);
        let mut promoter = holdfast.start(tick_for(&holdfast, Function::ReplicaPromoter), true);
        loop {
            let is_over = promoter.step().is_ready();
            match promotions(&promoter.made()) {
                0 if is_over => return None,
                0 => {}
                asked => return Some(asked),
            }
        }
    });
    assert_eq!(asked_at_once, Some(4));
}
