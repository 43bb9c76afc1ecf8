//! An outage as it should be.

use failover::outcome::Kind;
use failover::plan::Mode;
use failover::record::Target;
use simulation::holdfast::Function;
use simulation::setup::{NAMES, Setup};

use crate::common::{assert_unbroken, deployed, minutes, outage, states, subjects, was_told};

#[test]
fn an_outage_runs_from_its_alarm_to_failed_over_and_the_primarys_return_changes_nothing() {
    let mut holdfast = deployed(&Setup::default());
    minutes(&mut holdfast, 3);
    assert_eq!(subjects(&holdfast), Vec::<String>::new(), "quiet times are quiet");
    outage(&mut holdfast);
    assert_eq!(states(&holdfast), ["pinned"; 3]);
    minutes(&mut holdfast, 12);
    assert_eq!(states(&holdfast), ["failed over"; 3]);
    let came = |kind| holdfast.outcomes.iter().position(|(_, _, outcome)| outcome.outcome == kind);
    let order = [Kind::Pinned, Kind::PromotionRequested, Kind::FailedOver].map(came);
    assert!(order.is_sorted() && order[0].is_some(), "{order:?}");
    for said in ["pinned to DR", "promoting in DR", "FAILED OVER to DR"] {
        assert!(was_told(&holdfast, &[said]), "{said}: {:?}", subjects(&holdfast));
    }
    let before = crate::common::end(&holdfast);
    holdfast.world.get().recovery();
    minutes(&mut holdfast, 30);
    assert_eq!(crate::common::end(&holdfast), before);
    let dr = Target::Values { ttl_seconds: 20, values: vec!["198.51.100.2".to_owned(), "198.51.100.1".to_owned()] };
    let (zone, name) = NAMES[1];
    assert_eq!(holdfast.world.get().answer(zone, &name.parse().unwrap(), "A"), Some(dr), "the health check is healthy");
}

#[test]
fn a_pin_is_committed_after_two_round_trips_to_route_53() {
    let mut holdfast = deployed(&Setup { names: 2, ..Setup::default() });
    holdfast.world.get().outage();
    holdfast.take_outbox();
    let delivery = holdfast.next_due(|_| 0).unwrap();
    let mut invocation = holdfast.start(delivery, true);
    while states(&holdfast) != ["pinned"; 2] {
        assert!(invocation.poll().is_pending(), "it returned before it pinned");
    }
    let is_route_53 = |api: &&&str| api.contains("Record") || api.contains("Change");
    let made = invocation.made();
    let calls: Vec<_> = made.iter().filter(is_route_53).collect();
    assert_eq!(calls[..2], [&"ListResourceRecordSets", &"ChangeResourceRecordSets"]);
    // The call that follows in the same poll, if any, is past the commit.
    assert_eq!(calls.len(), 2, "{calls:?}");
}

#[test]
fn an_alarm_that_the_primarys_own_answer_contradicts_holds() {
    let mut holdfast = deployed(&Setup::default());
    holdfast.world.get().alarm_says(failover::incident::AlarmState::Alarm);
    minutes(&mut holdfast, 10);
    assert_eq!(states(&holdfast), ["armed"; 3]);
    assert!(was_told(&holdfast, &["HELD"]));
}

#[test]
fn users_are_not_pinned_to_a_dead_site_until_it_lives_again() {
    let mut holdfast = deployed(&Setup::default());
    holdfast.world.get().dr_answers = false;
    outage(&mut holdfast);
    minutes(&mut holdfast, 10);
    assert_eq!(states(&holdfast), ["armed"; 3]);
    holdfast.world.get().dr_answers = true;
    minutes(&mut holdfast, 1);
    assert_eq!(states(&holdfast), ["pinned"; 3]);
}

#[test]
fn users_wait_until_an_alarm_says_that_drs_targets_are_healthy_with_the_switch_and_without() {
    use failover::incident::AlarmState::{Alarm, InsufficientData, Ok};
    for switch in [false, true] {
        let mut holdfast = deployed(&Setup { targets: true, switch, ..Setup::default() });
        holdfast.world.get().targets = Alarm;
        outage(&mut holdfast);
        for unwell in [Alarm, InsufficientData] {
            holdfast.world.get().targets = unwell;
            minutes(&mut holdfast, 10);
            assert_eq!(states(&holdfast), ["armed"; 3], "{unwell:?}");
            assert!(holdfast.world.get().store.keys().all(|item| *item != aws::store::Item::Latch), "{unwell:?}");
        }
        assert!(was_told(&holdfast, &["HELD, DR's targets NOT HEALTHY"]));
        holdfast.world.get().targets = Ok;
        minutes(&mut holdfast, 1);
        assert_eq!(states(&holdfast), ["pinned"; 3]);
        // What has begun waits for nothing.
        holdfast.world.get().targets = Alarm;
        minutes(&mut holdfast, 15);
        assert_eq!(states(&holdfast), ["failed over"; 3]);
        assert_unbroken(&holdfast);
    }
}

#[test]
fn a_name_never_armed_is_armed_by_quiet_times_and_then_fails_over() {
    let mut holdfast = deployed(&Setup { register: None, ..Setup::default() });
    minutes(&mut holdfast, 1);
    assert_eq!(states(&holdfast), ["armed"; 3]);
    minutes(&mut holdfast, 20);
    outage(&mut holdfast);
    minutes(&mut holdfast, 12);
    assert_eq!(states(&holdfast), ["failed over"; 3]);
}

#[test]
fn shadow_mode_touches_nothing_and_says_what_it_would_have_done() {
    let mut holdfast = deployed(&Setup { mode: Mode::Shadow, ..Setup::default() });
    outage(&mut holdfast);
    minutes(&mut holdfast, 10);
    assert_eq!(states(&holdfast), ["armed"; 3]);
    assert!(was_told(&holdfast, &["SHADOW would have failed over"]));
    let promoter_was_quiet = |(_, function, outcome): &(_, _, failover::outcome::Outcome)| {
        *function != Function::ReplicaPromoter || outcome.outcome == Kind::Nothing
    };
    assert!(holdfast.outcomes.iter().all(promoter_was_quiet));
    assert_unbroken(&holdfast);
}
