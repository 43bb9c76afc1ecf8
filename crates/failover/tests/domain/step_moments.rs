//! When steps are due: what is seen of the outage and of the failover, and what follows.

use crate::common::{PRIMARY, alarm, armed, at, disarmed, failed_over, in_sync, incident, paused, pinned, plan, view};
use failover::incident::{AlarmSighting, AlarmState, EvaluationTrouble, Incident};
use failover::latch::{Latch, Reading};
use failover::observation::{Alarms, NameView};
use failover::plan::{Limits, Mode, Plan};
use failover::record::PairFault;
use failover::register::{ArmedBy, Register};
use failover::step::{CALM_SECONDS, CALM_SECONDS_OF_OBSERVER, Due, Forbidden, List, Moment, Steps, World};

const SITE_DOWN: &str = "arn:aws:cloudwatch:eu-central-1:123456789012:alarm:site-down";

const BLIND: &str = "arn:aws:cloudwatch:eu-central-1:123456789012:alarm:holdfast-observer-blind";

fn steps() -> Steps {
    Steps {
        bus: "holdfast".to_owned(),
        site_down_alarm: SITE_DOWN.to_owned(),
        blind_alarm: None,
        prepare_after_minutes: 2,
        entries: Vec::new(),
    }
}

pub fn site_down(state: AlarmState, since: i64) -> AlarmSighting {
    let (arn, name) = (SITE_DOWN.to_owned(), "site-down".to_owned());
    AlarmSighting { arn, name, state, since: at(since), trouble: None }
}

/// Both alarms of the plan, and the site-down alarm.
pub fn alarms(states: [AlarmState; 2], site: AlarmSighting) -> Alarms {
    Some(vec![alarm(0, states[0], -9_000), alarm(1, states[1], -9_000), site])
}

/// At second 0 of the plan's clock.
pub fn moment_of(plan: &Plan, alarms: &Alarms, names: Result<&[NameView], &str>, latch: &Reading) -> Moment {
    Moment::of(plan, &steps(), &World { now: at(0), alarms, names, latch })
}

fn due(alarms: &Alarms, registers: &[Option<Register>], latch: &Reading) -> [Due; 2] {
    let names: Vec<_> = registers.iter().map(|register| view("app.example.com", PRIMARY, register.as_ref())).collect();
    let moment = moment_of(&plan(), alarms, Ok(&names), latch);
    [List::Prepare, List::After].map(|list| moment.due(list).clone())
}

fn guarded() -> [Option<Register>; 1] {
    [Some(armed(-7_200, ArmedBy::Operator))]
}

#[test]
fn dr_is_prepared_once_the_site_was_down_for_as_long_as_the_plan_waits() {
    use AlarmState::{Alarm, InsufficientData, Ok};
    let site = |began: i64| Incident { alarm: "site-down".to_owned(), began: at(began) };
    let blind = AlarmSighting { trouble: Some(EvaluationTrouble::Error), ..site_down(Alarm, -600) };
    for (site_alarm, expected) in [
        (site_down(Alarm, -119), Due::Undecided),
        (site_down(Alarm, -120), Due::Yes(site(-120))),
        (blind, Due::Undecided),
        (site_down(InsufficientData, -9_000), Due::Undecided),
        (site_down(Ok, 1 - i64::from(CALM_SECONDS)), Due::Undecided),
        (site_down(Ok, -i64::from(CALM_SECONDS)), Due::No),
    ] {
        let found = due(&alarms([Ok, Ok], site_alarm.clone()), &guarded(), &Reading::NoStore);
        let after = if expected == Due::No { Due::No } else { Due::Undecided };
        assert_eq!(found, [expected, after], "{site_alarm:?}");
    }
}

#[test]
fn nothing_is_undone_while_anything_is_not_known_to_be_well() {
    use AlarmState::{Alarm, InsufficientData, Missing, Ok};
    let well = || site_down(Ok, -9_000);
    let calm = alarms([Ok, Ok], well());
    let open = Reading::Open { asked: at(0) };
    assert_eq!(due(&calm, &guarded(), &open), [Due::No, Due::No]);
    for (story, alarms, latch) in [
        ("CloudWatch is silent", None, open.clone()),
        ("an alarm has no data", alarms([Ok, InsufficientData], well()), open.clone()),
        ("an alarm is gone", alarms([Ok, Missing], well()), open.clone()),
        ("the site-down alarm is not told of", Some(vec![alarm(0, Ok, -9_000), alarm(1, Ok, -9_000)]), open.clone()),
        ("the latch is not known", calm.clone(), Reading::NotKnown("silent".to_owned())),
    ] {
        assert_eq!(due(&alarms, &guarded(), &latch), [Due::Undecided, Due::Undecided], "{story}");
    }
    let calm_seconds = i64::from(CALM_SECONDS);
    for (age, expected) in [(calm_seconds, Due::No), (calm_seconds - 1, Due::Undecided)] {
        let home = [Some(armed(-age, ArmedBy::Failback))];
        assert_eq!(due(&calm, &home, &open)[0], expected, "a failback {age} s ago");
        let Some(mut known) = calm.clone() else { panic!("alarms are known") };
        known[1].since = at(-age);
        assert_eq!(due(&Some(known), &guarded(), &open)[0], expected, "an alarm OK for {age} s");
    }
    let ringing = alarms([Ok, Alarm], well());
    let second = Incident { alarm: "second".to_owned(), began: at(-9_000) };
    assert_eq!(due(&ringing, &guarded(), &open)[0], Due::Yes(second), "a failover is about to begin");
    let unknown = moment_of(&plan(), &calm, Err("silent"), &open);
    assert_eq!(*unknown.due(List::Prepare), Due::Undecided, "names are not known");
}

#[test]
fn where_the_observer_feeds_site_down_nothing_is_undone_unless_it_is_known_to_hear() {
    use AlarmState::{Alarm, InsufficientData, Ok};
    let calm = i64::from(CALM_SECONDS_OF_OBSERVER);
    let steps = Steps { blind_alarm: Some(BLIND.to_owned()), ..steps() };
    let names = [view("app.example.com", PRIMARY, guarded()[0].as_ref())];
    let blind = |state, since| Some(AlarmSighting { arn: BLIND.to_owned(), ..site_down(state, since) });
    for (story, site_since, blind, expected) in [
        ("it hears", -calm, blind(Ok, -calm), Due::No),
        (
            "one minute of up, and blind since: its alarm has not had time to ring",
            1 - calm,
            blind(Ok, -9_000),
            Due::Undecided,
        ),
        ("blind", -9_000, blind(Alarm, -9_000), Due::Undecided),
        ("it hears again, but has not for long", -9_000, blind(Ok, 1 - calm), Due::Undecided),
        ("its alarm has no data", -9_000, blind(InsufficientData, -9_000), Due::Undecided),
        ("its alarm is not told of", -9_000, None, Due::Undecided),
    ] {
        let Some(mut known) = alarms([Ok, Ok], site_down(Ok, site_since)) else { panic!("alarms are known") };
        known.extend(blind);
        let world = World { now: at(0), alarms: &Some(known), names: Result::Ok(&names), latch: &Reading::NoStore };
        assert_eq!(Moment::of(&plan(), &steps, &world).prepare, expected, "{story}");
    }
}

#[test]
fn nothing_is_undone_after_a_failback_before_the_last_client_may_have_left_dr() {
    let calm = alarms([AlarmState::Ok; 2], site_down(AlarmState::Ok, -9_000));
    let drain_seconds = 1_200;
    let plan = Plan { limits: Limits { drain_seconds, ..plan().limits }, ..plan() };
    let named = |age: i64| view("app.example.com", PRIMARY, Some(&armed(-age, ArmedBy::Failback)));
    let leaves = i64::from(named(0).kept_seconds(at(0)) + drain_seconds);
    assert!(leaves > i64::from(drain_seconds), "the records have a TTL");
    for (age, expected) in [(leaves, Due::No), (leaves - 1, Due::Undecided)] {
        assert_eq!(moment_of(&plan, &calm, Ok(&[named(age)]), &Reading::NoStore).prepare, expected, "{age} s ago");
    }
    let off = |age: i64| Register::disarmed(at(-age), "failback".to_owned());
    for (age, expected) in [(leaves, Due::No), (leaves - 1, Due::Undecided)] {
        let names = [named(leaves), view("www.example.com", PRIMARY, Some(&off(age)))];
        assert_eq!(moment_of(&plan, &calm, Ok(&names), &Reading::NoStore).prepare, expected, "left off {age} s ago");
    }
    let no_pairs = NameView { pairs: Err(PairFault::Missing("app.example.com".parse().unwrap())), ..named(9_000) };
    assert_eq!(moment_of(&plan, &calm, Ok(&[no_pairs]), &Reading::NoStore).prepare, Due::Undecided, "no TTL is known");
}

#[test]
fn what_comes_after_a_failover_waits_for_every_name() {
    use AlarmState::Ok;
    let calm = alarms([Ok, Ok], site_down(Ok, -9_000));
    let [over, on_its_way] = [Some(failed_over(0)), Some(pinned(0, in_sync(40)))];
    let yes = Due::Yes(incident(0));
    assert_eq!(due(&calm, &[over.clone(), over.clone()], &Reading::NoStore), [yes.clone(), yes.clone()]);
    for other in [on_its_way, guarded()[0].clone(), None] {
        let found = due(&calm, &[over.clone(), other.clone()], &Reading::NoStore);
        assert_eq!(found, [yes.clone(), Due::Undecided], "{other:?}");
    }
    let committed = Latch::committed(incident(0), at(60));
    let latched = |latch: Latch| due(&calm, &guarded(), &Reading::Closed { latch, asked: at(70) });
    assert_eq!(latched(committed.clone()), [yes.clone(), Due::Undecided]);
    let over = committed.promoting().failed_over(at(400));
    assert_eq!(latched(over), [yes.clone(), yes], "though Route 53 takes no register");
}

#[test]
fn steps_are_taken_as_long_as_one_name_is_on() {
    let off = Some(disarmed());
    for (one, other, expected) in [
        (Some(armed(-7_200, ArmedBy::Operator)), off.clone(), None),
        (Some(armed(-7_200, ArmedBy::Operator)), Some(paused(600)), None),
        (Some(armed(-7_200, ArmedBy::Operator)), None, None),
        (Some(pinned(0, in_sync(40))), off.clone(), None),
        (Some(failed_over(0)), off.clone(), None),
        (Some(paused(600)), off.clone(), Some(Forbidden::Maintenance)),
        (None, off.clone(), Some(Forbidden::Disarmed)),
    ] {
        for pair in [[&one, &other], [&other, &one]] {
            let names = pair.map(|register| view("app.example.com", PRIMARY, register.as_ref()));
            assert_eq!(moment_of(&plan(), &None, Ok(&names), &Reading::NoStore).forbidden, expected, "{pair:?}");
        }
    }
    let shadow = Plan { mode: Mode::Shadow, ..plan() };
    assert_eq!(moment_of(&shadow, &None, Err("silent"), &Reading::NoStore).forbidden, Some(Forbidden::Shadow));
    assert_eq!(moment_of(&plan(), &None, Err("silent"), &Reading::NoStore).forbidden, Some(Forbidden::NotKnown));
}
