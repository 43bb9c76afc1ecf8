//! What should have come to be in time, and what people should have heard.

use std::collections::BTreeSet;

use failover::observation::Attention;
use failover::outcome::{Kind, Outcome, Trigger};
use failover::register::{Reading, Register};
use failover::rule::Rule;
use jiff::{SignedDuration, Timestamp};

use crate::holdfast::{Function, Holdfast, Subject, TIMEOUT};
use crate::outage::{FAULTY_MINUTES, Outage};
use crate::primary;
use crate::property::{Breach, Property};
use crate::setup::start;

/// When a page that stays true is told, in minutes since it has been so; from the last on every that many minutes.
const PAGE_MINUTES: [i64; 10] = [0, 1, 2, 4, 8, 16, 32, 64, 128, 240];
/// The same of a notice.
const NOTICE_MINUTES: [i64; 3] = [1, 16, 256];
const DAY_MINUTES: i64 = 1_440;
/// How often people hear that a pin was left to them, by the clock.
const QUARTER_MINUTES: i64 = 15;
const REHEARSAL_HOURS: i64 = 4;

/// All that was found of an outage, the watch's findings first.
pub(crate) fn judge(outage: &Outage, is_failed_over: bool) -> Vec<Breach> {
    let holdfast = &outage.holdfast;
    let mut broken = holdfast.world.get().watch.broken.clone();
    let now = holdfast.world.get().now;
    let mut expect = |is_so: bool, property, what: &str| {
        if !is_so {
            broken.push(Breach { at: now, property, what: what.to_owned() });
        }
    };
    let is_committed = !holdfast.world.get().watch.pins().is_empty();
    let is_shadow = holdfast.world.get().watch.is_shadow();
    if outage.circumstances.is_off || is_shadow {
        expect(!is_committed, Property::PinnedThoughOff, "a name is pinned");
    } else if (outage.lasts() || is_committed) && !is_any_disarmed(holdfast) {
        expect(is_failed_over, Property::NotFailedOver, "it is not failed over");
        let is_left_to_the_queue = !holdfast.dead.is_empty();
        expect(is_left_to_the_queue || pin_was_told(outage), Property::EndNotTold, "nobody heard of the pin");
        expect(is_left_to_the_queue || end_was_told(outage), Property::EndNotTold, "nobody heard of the end");
    }
    broken.extend(what_was_told(holdfast));
    broken.extend(who_did_not_look(holdfast));
    broken.extend(who_was_moved(holdfast));
    broken
}

/// What nobody armed before the alarm rang or the others were pinned, or a person disarmed, keeps the workload where it is: people are
/// paged instead.
fn is_any_disarmed(holdfast: &Holdfast) -> bool {
    let names = holdfast.names();
    let pinned_at = names.iter().filter_map(|view| view.pin().map(|pin| pin.at)).min();
    names.iter().any(|view| match view.register() {
        Some(Register::Armed { since, .. }) => pinned_at.is_some_and(|at| *since >= at),
        Some(Register::Disarmed { .. }) => true,
        _ => view.register == Reading::Absent,
    })
}

/// True if every old writer that is to be fenced is.
pub(crate) fn is_fence_complete(holdfast: &Holdfast) -> bool {
    let before = primary::old_writers(&holdfast.plan);
    let world = holdfast.world.get();
    before.iter().all(|(id, open)| world.old_writers.get(id).is_some_and(|old| old.is_fenced(open)))
}

fn was_told(outage: &Outage, words: &str, since: Timestamp) -> bool {
    let world = outage.holdfast.world.get();
    world.mailbox.iter().any(|letter| letter.at >= since && letter.message.subject.contains(words))
}

/// That the names are pinned, by whoever pinned them; or, if that one did not live to say so, by what comes of it, or by the reminder.
fn pin_was_told(outage: &Outage) -> bool {
    let told = |words| was_told(outage, words, start());
    ["pinned to DR", "promoting in DR", "FAILED OVER", "stays on DR"].into_iter().any(told)
}

/// That the incident is closed: so too, but a reminder from before the end says nothing of it.
fn end_was_told(outage: &Outage) -> bool {
    let closed = outage.holdfast.names().into_iter().filter_map(|view| match view.register() {
        Some(Register::FailedOver { at, .. }) => Some(*at),
        _ => None,
    });
    let is_first_line = |words: &str| {
        let world = outage.holdfast.world.get();
        world.mailbox.iter().any(|letter| letter.message.body.contains(words))
    };
    was_told(outage, "FAILED OVER", start())
        || closed.max().is_some_and(|at| was_told(outage, "stays on DR", at))
        // In the dark every message begins with where users are, and whatever leads the outcome hides that nothing else is to be done.
        || (outage.circumstances.beside.is_some()
            && (outage.holdfast.plan.replicas.is_empty() || is_first_line("DR's databases take writes.")))
}

/// Nothing more is to be waited for.
pub(crate) fn was_all_told(outage: &Outage) -> bool {
    pin_was_told(outage) && end_was_told(outage)
}

/// What the operators were promised to hear of an outcome, in the words of the operators' guide rather than of the code.
fn is_promised(outcome: &Outcome, scheduled: Option<Timestamp>) -> bool {
    let at = scheduled.unwrap_or(outcome.at);
    let clock = at.as_second() / 60;
    let lasts = |since: Timestamp| at.duration_since(since).as_secs().div_euclid(60);
    let is_transition = [
        Kind::StepUndone,
        Kind::StepLeft,
        Kind::Prepared,
        Kind::AfterDone,
        Kind::Armed,
        Kind::Confirmed,
        Kind::Followed,
        Kind::PinnedAgain,
        Kind::Fenced,
        Kind::PromotionRequested,
        Kind::Pinned,
        Kind::FailedOver,
    ]
    .contains(&outcome.outcome);
    match (outcome.attention, outcome.trigger, outcome.outcome, outcome.since) {
        (Attention::None, ..) => false,
        _ if is_transition || outcome.also_happened => true,
        (_, Trigger::Approval, ..) => true,
        (_, Trigger::Event, kind, _) if kind != Kind::StaysOnDr => true,
        (_, _, Kind::Yielded | Kind::Swapped, _) => clock % QUARTER_MINUTES == 0,
        (_, _, Kind::WriteRefused, Some(since)) if outcome.rule() == Some(Rule::P14) => {
            (lasts(since) + 30) / 60 % REHEARSAL_HOURS == 0
        }
        (_, _, Kind::StaysOnDr, Some(since)) => {
            let minutes = lasts(since);
            minutes == 16 || (minutes > 0 && minutes % DAY_MINUTES == 0)
        }
        (Attention::Page, _, _, None) if outcome.incident.is_some() => clock % QUARTER_MINUTES == 0,
        (_, _, _, None) => clock % PAGE_MINUTES[9] == 0,
        (Attention::Page, _, _, Some(since)) => {
            let minutes = lasts(since);
            if outcome.incident.is_some() && minutes > 8 {
                return clock % if minutes < PAGE_MINUTES[9] { QUARTER_MINUTES } else { 60 } == 0;
            }
            // A tick of the minute before that looked late leaves it to the next; what is dated further ahead is told.
            minutes < -1 || PAGE_MINUTES.contains(&minutes) || (minutes > 0 && minutes % PAGE_MINUTES[9] == 0)
        }
        (Attention::Notice, _, _, Some(since)) => NOTICE_MINUTES.contains(&lasts(since)),
    }
}

/// What was promised and not told, or told and not promised. What the notifier's queue holds, its alarm tells.
fn what_was_told(holdfast: &Holdfast) -> Vec<Breach> {
    let world = holdfast.world.get();
    let told: BTreeSet<_> = world.mailbox.iter().filter_map(|letter| letter.about).collect();
    let kept: BTreeSet<_> = holdfast.dead.iter().filter_map(|delivery| delivery.about).collect();
    let mut broken = Vec::new();
    let mut accuse = |at, property, what| broken.push(Breach { at, property, what });
    for (nth, (at, function, outcome)) in holdfast.outcomes.iter().enumerate() {
        let subject = Subject::Outcome(nth);
        let what = || format!("{function:?}: {:?} since {:?}, {}", outcome.outcome, outcome.since, outcome.because);
        let scheduled = holdfast.scheduled.get(nth).copied().flatten();
        match (is_promised(outcome, scheduled), told.contains(&subject)) {
            (true, false) if !kept.contains(&subject) => accuse(*at, Property::NotTold, what()),
            (false, true) => accuse(*at, Property::ToldOutOfTurn, what()),
            _ => {}
        }
    }
    for (nth, (at, function)) in holdfast.failures.iter().enumerate() {
        let subject = Subject::Failure(nth);
        // Failing ticks are told once a quarter of an hour, by the clock.
        let tick = holdfast.failed_ticks.get(nth).copied().flatten();
        let is_due = tick.is_none_or(|tick| tick.as_second() / 60 % QUARTER_MINUTES == 0);
        if is_due && !told.contains(&subject) && !kept.contains(&subject) {
            accuse(*at, Property::NotTold, format!("{function:?} failed"));
        }
    }
    broken
}

/// Minutes after the faults to whose tick a function returned nothing, which is what repeats depend on; and states that last and yet claim
/// to be young.
fn who_did_not_look(holdfast: &Holdfast) -> Vec<Breach> {
    let quiet = start() + SignedDuration::from_mins(FAULTY_MINUTES + 1);
    let end = holdfast.world.get().now;
    let ticks = |of: Function| {
        let ticked = holdfast.outcomes.iter().filter(move |(_, function, _)| *function == of);
        ticked.filter(move |(at, _, outcome)| *at >= quiet && outcome.trigger == Trigger::Tick)
    };
    let mut broken = Vec::new();
    for function in [Function::AlarmHandler, Function::ReplicaPromoter] {
        let of_function = holdfast.outcomes.iter().zip(&holdfast.scheduled).filter(|((_, of, _), _)| *of == function);
        let scheduled =
            of_function.filter_map(|(_, scheduled)| Some(scheduled.as_ref()?.duration_since(quiet).as_mins()));
        let looked: BTreeSet<_> = scheduled.collect();
        // Whoever was woken last may still wait.
        for minute in 0..(end - TIMEOUT).duration_since(quiet).as_mins() {
            if !looked.contains(&minute) {
                let at = quiet + SignedDuration::from_mins(minute);
                broken.push(Breach { at, property: Property::DidNotLook, what: format!("{function:?}") });
            }
        }
        let same = |a: &Outcome, b: &Outcome| {
            (a.outcome, a.id, &a.because, &a.subjects, &a.incident)
                == (b.outcome, b.id, &b.because, &b.subjects, &b.incident)
        };
        let outcomes: Vec<_> = ticks(function).collect();
        for pair in outcomes.windows(2) {
            let [(_, _, before), (at, _, outcome)] = pair else { continue };
            let lasts = outcome.attention == Attention::Page && is_told_by_age(outcome) && same(before, outcome);
            // What began before the samples that are asked for is of unknown age.
            // Where the latch stands in for the pins another clock counts since when clients have drained.
            let has_one_clock = holdfast.plan.latch.is_none();
            if lasts && has_one_clock && outcome.since.is_some() && before.since != outcome.since {
                let what =
                    format!("{function:?}: {:?} since {:?}, then {:?}", outcome.outcome, before.since, outcome.since);
                broken.push(Breach { at: *at, property: Property::ToldOutOfTurn, what });
            }
        }
    }
    broken
}

/// Users whom the switch moved though nothing was committed, and alarm-handler had looked and held within the five minutes for which a
/// heartbeat holds; of the newest ones CloudWatch may not have heard yet.
fn who_was_moved(holdfast: &Holdfast) -> Vec<Breach> {
    let holds = [Kind::Nothing, Kind::Held, Kind::ApprovalNeeded, Kind::WouldHavePinned];
    let world = holdfast.world.get();
    let Some(switch) = &world.switch else { return Vec::new() };
    let saw_all =
        |at: &Timestamp| world.deafened.iter().all(|deaf| !(0..130).contains(&at.duration_since(*deaf).as_secs()));
    let was_heard = |at: &Timestamp| saw_all(at) && !switch.lost.contains(at);
    let held_at = |moved: Timestamp| {
        let mut outcomes = holdfast
            .outcomes
            .iter()
            .filter(|(_, function, outcome)| *function == Function::AlarmHandler && holds.contains(&outcome.outcome));
        let seconds_before = |at: Timestamp| moved.duration_since(at).as_secs();
        outcomes.find(|(at, ..)| (130..300).contains(&seconds_before(*at)) && was_heard(at)).map(|(at, ..)| *at)
    };
    let moved = switch.moved.iter().filter_map(|moved| Some((*moved, held_at(*moved)?)));
    let breach = |(at, held)| Breach {
        at,
        property: Property::MovedUncommitted,
        what: format!("nothing is committed, and alarm-handler held at {held}"),
    };
    moved.map(breach).collect()
}

/// True unless it is told by the clock, or a call failed that others may have made meanwhile.
fn is_told_by_age(outcome: &Outcome) -> bool {
    !outcome.outcome.is_transition()
        && !outcome.also_happened
        && ![Kind::Yielded, Kind::Swapped, Kind::Interrupted].contains(&outcome.outcome)
}
