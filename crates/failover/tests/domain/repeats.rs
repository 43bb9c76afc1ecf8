//! When operators are told, and told again.

use crate::common::*;
use failover::message;
use failover::observation::{Attention, Changes};
use failover::outcome::{Finding, Kind, Outcome, Trigger};
use failover::promotion::decide_gate;

#[test]
fn pages_are_repeated_after_doubling_minutes_and_then_every_four_hours() {
    let told: Vec<_> =
        (0..=1_000).filter(|minute| message::is_due(&peaceful(Attention::Page, minute * 60 + 59))).collect();
    assert_eq!(told, [0, 1, 2, 4, 8, 16, 32, 64, 128, 240, 480, 720, 960]);
}

/// A state that lasts since second 0, of no incident.
fn peaceful(attention: Attention, seconds: i64) -> Outcome {
    Outcome { incident: None, ..outcome(Kind::Held, attention, Trigger::Tick, seconds) }
}

/// A hold of 70 minutes turns into a question to a person: whoever slept through the one is to hear of the other soon.
#[test]
fn in_an_incident_a_question_that_follows_another_is_told_within_a_quarter_of_an_hour() {
    for (offset, since) in [(0, Some(0)), (7, Some(0)), (0, None)] {
        let due = |minute: &i64| {
            let outcome = outcome(Kind::ApprovalNeeded, Attention::Page, Trigger::Tick, (minute - offset) * 60);
            message::is_due_at(&Outcome { since: since.map(at), ..outcome }, at((minute - offset) * 60))
        };
        let told: Vec<_> = (offset..=700).filter(due).map(|minute| minute - offset).collect();
        let expected: &[i64] = match since {
            Some(_) => {
                &[0, 1, 2, 4, 8, 15, 30, 45, 60, 75, 90, 105, 120, 135, 150, 165, 180, 195, 210, 225, 240, 300, 360]
            }
            None => &[0, 15, 30, 45, 60, 75, 90],
        };
        assert!(told.starts_with(expected), "{offset} {since:?}: {told:?}");
    }
}

/// `EventBridge` starts a tick within its minute, and Lambda tries a failed one again after one minute and after two.
#[test]
fn a_late_or_retried_tick_neither_loses_nor_doubles_a_message() {
    for (attention, minutes) in
        [(Attention::Page, &[0, 1, 2, 4, 8, 16, 32, 64, 128, 240, 480][..]), (Attention::Notice, &[1, 16, 256][..])]
    {
        for offset in [0, 1, 29, 59] {
            let due = |minute: i64| {
                let scheduled = minute * 60 + offset;
                let late = [0, 7, 41, 59, 61, 178][usize::try_from(minute).unwrap() % 6];
                message::is_due_at(&peaceful(attention, scheduled + late), at(scheduled))
            };
            let told: Vec<_> = (0..500).filter(|&minute| due(minute)).collect();
            assert_eq!(told, minutes, "{attention:?}, {offset} s into the minute");
        }
    }
    let just_after = outcome(Kind::Held, Attention::Page, Trigger::Tick, 10);
    assert!(!message::is_due_at(&just_after, at(-20)) && message::is_due_at(&just_after, at(40)));
    let by_the_clock = |kind, since: Option<i64>, minutes: i64| {
        let due = |minute: &i64| {
            let outcome = outcome(kind, Attention::Page, Trigger::Tick, minute * 60 + 95 * (minute % 2));
            message::is_due_at(&Outcome { since: since.map(at), incident: None, ..outcome }, at(minute * 60))
        };
        (0..=minutes).filter(due).collect::<Vec<_>>()
    };
    assert_eq!(by_the_clock(Kind::Refused, None, 500), [0, 240, 480]);
    assert_eq!(by_the_clock(Kind::Yielded, Some(0), 40), [0, 15, 30]);
}

#[test]
fn that_a_name_stays_on_dr_is_told_once_soon_and_then_once_a_day_whatever_the_alarm_says() {
    for trigger in [Trigger::Tick, Trigger::Event] {
        let told: Vec<_> = (-1..=3_000)
            .filter(|minute| message::is_due(&outcome(Kind::StaysOnDr, Attention::Notice, trigger, minute * 60)))
            .collect();
        assert_eq!(told, [16, 1_440, 2_880], "{trigger:?}");
    }
}

#[test]
fn a_wait_that_has_become_too_long_is_told_at_once() {
    let register = pinned(0, change("C1"));
    let names = [view("app.example.com", DR, Some(&register))];
    let due = |now| {
        let gate = decide_gate(&plan(), at(now), &names, &Changes::new());
        let outcome = Outcome::of(at(now), Trigger::Tick, &[gate.into()]);
        message::is_due(&outcome).then(|| message::of_outcome(&outcome, &sender()))
    };
    assert_eq!(due(629), None);
    let message = due(630).unwrap();
    assert_eq!(message.subject, "Holdfast: promotion is STUCK: the workload");
    assert!(message.body.contains("Holdfast still waits before it goes on with the workload."), "{}", message.body);
    assert!(message.body.contains("R02a: the pin was made more than 10 minutes ago"), "{}", message.body);
}

#[test]
fn notices_are_repeated_seldom() {
    let told: Vec<_> = (0..=5_000)
        .filter(|minute| message::is_due(&outcome(Kind::Held, Attention::Notice, Trigger::Tick, minute * 60)))
        .collect();
    assert_eq!(told, [1, 16, 256, 4_096]);
}

#[test]
fn what_was_left_to_people_is_told_every_quarter_of_an_hour() {
    let told: Vec<_> = (0..=60)
        .filter(|minute| message::is_due(&outcome(Kind::Yielded, Attention::Page, Trigger::Tick, minute * 60)))
        .collect();
    assert_eq!(told, [0, 15, 30, 45, 60]);
}

#[test]
fn what_has_no_known_beginning_is_told_once_every_four_hours() {
    let of_unknown_age = |minute: i64| Outcome { since: None, ..peaceful(Attention::Page, minute * 60) };
    let told: Vec<_> = (0..=700).filter(|minute| message::is_due(&of_unknown_age(*minute))).collect();
    assert_eq!(told, [0, 240, 480]);
}

/// What happens once, as against a state that lasts.
const ONCE: [Kind; 12] = [
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
];

#[test]
fn what_happens_once_and_what_an_event_brings_up_is_always_told() {
    for kind in every_kind() {
        for attention in [Attention::Notice, Attention::Page] {
            assert!(message::is_due(&outcome(kind, attention, Trigger::Approval, 420)), "{kind:?}");
            let changes_nothing = kind == Kind::StaysOnDr;
            assert_eq!(message::is_due(&outcome(kind, attention, Trigger::Event, 420)), !changes_nothing, "{kind:?}");
            assert_eq!(
                message::is_due(&outcome(kind, attention, Trigger::Tick, 420)),
                ONCE.contains(&kind),
                "{kind:?}"
            );
        }
        assert!(!message::is_due(&outcome(kind, Attention::None, Trigger::Event, 0)), "{kind:?}");
    }
}

#[test]
fn a_page_that_the_clock_dates_to_the_future_is_told() {
    assert!(message::is_due(&outcome(Kind::Held, Attention::Page, Trigger::Tick, -300)));
}

#[test]
fn a_state_of_several_names_has_lasted_since_the_last_of_them_came_into_it() {
    let since = |seconds| Finding { since: Some(at(seconds)), ..finding(Kind::StaysOnDr, Attention::Notice, "a") };
    let outcome = Outcome::of(at(600), Trigger::Tick, &[since(300), since(60)]);
    assert_eq!(outcome.since, Some(at(300)));
}
