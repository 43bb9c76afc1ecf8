//! Where users are, by what is seen.

use crate::common::*;
use failover::incident::{AlarmState, EvaluationTrouble, Incident};
use failover::latch::{self, Latch};
use failover::observation::NameView;
use failover::plan::Plan;
use failover::register::{ArmedBy, Register};
use failover::users::{Place, Users};

const NO_LATCH: &latch::Reading = &latch::Reading::NoStore;

fn names(primary: &str, registers: [Register; 2]) -> Vec<NameView> {
    let of = ["app.example.com", "api.example.com"];
    of.iter().zip(registers).map(|(name, register)| view(name, primary, Some(&register))).collect()
}

#[test]
fn where_users_are_is_what_records_and_alarms_say_and_silence_says_nothing() {
    let calm = || armed(-7_200, ArmedBy::Operator);
    let held = || pinned(0, in_sync(60));
    let declared = Incident::declared(at(0)).as_declared_alarm().unwrap();
    let quiet = || vec![alarm(0, AlarmState::Ok, -90_000), alarm(1, AlarmState::Ok, -90_000)];
    let with = |state| Some(vec![alarm(0, state, 0), alarm(1, AlarmState::Ok, -90_000)]);
    let mut untold = quiet();
    untold[1].trouble = Some(EvaluationTrouble::Failure);
    let mut asked_for = quiet();
    asked_for.push(declared);
    for (alarms, names, place, unpinned) in [
        (Some(quiet()), names(PRIMARY, [calm(), calm()]), Place::Primary, 2),
        // A person has begun a failover that is not decided yet.
        (Some(asked_for), names(PRIMARY, [calm(), calm()]), Place::Primary, 2),
        (with(AlarmState::Alarm), names(PRIMARY, [calm(), disarmed()]), Place::SentToDr { returnable: false }, 2),
        (with(AlarmState::InsufficientData), names(PRIMARY, [calm(), calm()]), Place::Unknown, 2),
        (with(AlarmState::Missing), names(PRIMARY, [calm(), calm()]), Place::Unknown, 2),
        (Some(untold), names(PRIMARY, [calm(), calm()]), Place::Unknown, 2),
        (None, names(PRIMARY, [calm(), calm()]), Place::Unknown, 2),
        // Something else may have moved them: a hand, target health, the end of the check's word.
        (with(AlarmState::Alarm), names(DR, [calm(), calm()]), Place::Unknown, 2),
        (Some(quiet()), names(DR, [calm(), calm()]), Place::Unknown, 2),
        // Pinned, they stay whatever an alarm says or does not say.
        (None, names(DR, [held(), held()]), Place::KeptOnDr, 0),
        (Some(quiet()), names(DR, [held(), calm()]), Place::KeptOnDr, 1),
        (with(AlarmState::Alarm), names(PRIMARY, [held(), failed_over(0)]), Place::Parted { moved: 2 }, 0),
    ] {
        let users = Users::seen(&plan(), &alarms, (None, NO_LATCH), &names);
        assert_eq!((users.place, users.unpinned), (place, unpinned), "{alarms:?}");
        let moved = !matches!(place, Place::Primary | Place::Unknown);
        assert_eq!((users.since, users.cannot_write()), (moved.then_some(at(0)), moved), "{users:?}");
    }
}

#[test]
fn users_whom_the_latch_keeps_on_dr_can_write_once_it_says_that_every_database_is_promoted() {
    let on_switch = Plan { switch: Some("switch".to_owned()), ..plan() };
    let mut sets = a_pair(&app(), PRIMARY);
    sets[0].health_check = on_switch.switch.clone();
    let names = [NameView::of_name("Z1", &app(), &sets)];
    let committed = Latch::committed(incident(0), at(60));
    for (latch, writes) in [(committed.promoting(), false), (committed.promoting().failed_over(at(400)), true)] {
        let latch = latch::Reading::Closed { latch, asked: at(60) };
        let users = Users::seen(&on_switch, &None, (None, &latch), &names);
        assert_eq!((users.place, users.dr_takes_writes), (Place::Latched, Some(writes)));
    }
}

#[test]
fn users_on_dr_can_write_once_every_name_has_failed_over_and_of_no_database_nothing_is_said() {
    let writes = |plan: &Plan, registers| Users::kept(plan, &names(DR, registers)).unwrap().dr_takes_writes;
    assert_eq!(writes(&plan(), [failed_over(0), failed_over(0)]), Some(true));
    assert_eq!(writes(&plan(), [failed_over(0), pinned(0, in_sync(60))]), Some(false));
    let with_check = Plan { failover_health_check: Some("hc-1".to_owned()), ..plan() };
    let ringing = Some(vec![alarm(0, AlarmState::Alarm, 0)]);
    let sent = Users::seen(&with_check, &ringing, (None, NO_LATCH), &names(PRIMARY, [disarmed(), disarmed()]));
    assert!(sent.maintenance_brings_back(), "{sent:?}");
    let in_maintenance =
        Users::seen(&with_check, &ringing, (None, NO_LATCH), &names(PRIMARY, [paused(600), paused(600)]));
    let calm = Some(vec![alarm(0, AlarmState::Ok, -90_000), alarm(1, AlarmState::Ok, -90_000)]);
    let calm = Users::seen(&with_check, &calm, (None, NO_LATCH), &names(PRIMARY, [paused(600), paused(600)]));
    assert_eq!(calm.place, Place::Primary, "the check is disabled: nobody is moved");
    assert_eq!(in_maintenance.place, Place::Unknown, "the check is disabled, and the alarm has not heard of it yet");
    let without_databases = Plan { replicas: Vec::new(), ..plan() };
    assert_eq!(writes(&without_databases, [failed_over(0), failed_over(0)]), None);
    assert_eq!(Users::kept(&plan(), &names(PRIMARY, [disarmed(), disarmed()])), None);
}

#[test]
fn while_the_switch_stands_on_its_records_a_name_is_held_at_the_primary_though_the_alarm_rings() {
    let switch =
        |check: &str| Plan { switch: Some(check.to_owned()), failover_health_check: Some("hc".to_owned()), ..plan() };
    let ringing = Some(vec![alarm(0, AlarmState::Alarm, 0)]);
    let seen = |plan: &Plan, registers| {
        Users::seen(plan, &ringing, (Some(AlarmState::Ok), NO_LATCH), &names(PRIMARY, registers))
    };
    for registers in
        [[disarmed(), disarmed()], [paused(600), paused(600)], [armed(-7_200, ArmedBy::Operator), disarmed()]]
    {
        let users = seen(&switch("hc-1"), registers.clone());
        assert_eq!((users.place, users.since), (Place::HeldAtPrimary, None), "{registers:?}");
        assert!(users.are_held() && !users.cannot_write());
    }
    // The records have another health check than the switch.
    assert_eq!(seen(&switch("other"), [disarmed(), disarmed()]).place, Place::SentToDr { returnable: true });
    let mut apart = names(PRIMARY, [disarmed(), disarmed()]);
    let mut sets = pair(&apart[1].name, "A", values(60, &[PRIMARY]), values(60, &[DR]));
    sets[0].health_check = Some("hc".to_owned());
    apart[1] = NameView::of_name("Z1", &apart[1].name, &sets);
    let of_apart = Users::seen(&switch("hc-1"), &ringing, (Some(AlarmState::Ok), NO_LATCH), &apart);
    assert_eq!(of_apart.place, Place::Unknown, "one is held and one is moved");
    // Whether the switch hears the heartbeat decides where they are; where that is not known, neither are they.
    let both = names(PRIMARY, [disarmed(), disarmed()]);
    for (hold, place) in [
        (Some(AlarmState::Alarm), Place::SentToDr { returnable: true }),
        (Some(AlarmState::InsufficientData), Place::Unknown),
        (Some(AlarmState::Missing), Place::Unknown),
        (None, Place::Unknown),
    ] {
        assert_eq!(Users::seen(&switch("hc-1"), &ringing, (hold, NO_LATCH), &both).place, place, "{hold:?}");
    }
}

#[test]
fn whoever_the_switch_held_is_on_dr_since_the_pin_and_not_since_the_alarm() {
    let on_switch = Plan { switch: Some("hc-1".to_owned()), ..plan() };
    let held = || names(DR, [pinned(0, in_sync(60)), pinned(0, in_sync(60))]);
    assert_eq!(Users::kept(&on_switch, &held()).unwrap().since, Some(at(30)));
    assert_eq!(Users::kept(&plan(), &held()).unwrap().since, Some(at(0)));
}
