//! The steps' rules: what is seen of the outage, of the failover and of a resource, and what follows.

use std::collections::BTreeSet;

use crate::common::{PRIMARY, alarm, armed, at, disarmed, failed_over, in_sync, incident, paused, pinned, plan, view};
use failover::incident::{AlarmSighting, AlarmState, EvaluationTrouble, Incident};
use failover::latch::{Latch, Reading};
use failover::observation::{Alarms, Attention, NameView};
use failover::outcome::{Finding, Kind};
use failover::plan::{Mode, Plan};
use failover::register::{ArmedBy, Register};
use failover::rule::{Id, Rule};
use failover::step::{
    CALM_SECONDS, Due, Entry, Forbidden, List, Moment, Note, Seen, Setting, Stage, Steps, TABLE, Tags, Target, Verdict,
    World, decide,
};

const SITE_DOWN: &str = "arn:aws:cloudwatch:eu-central-1:123456789012:alarm:site-down";

fn steps() -> Steps {
    Steps { site_down_alarm: SITE_DOWN.to_owned(), prepare_after_minutes: 2, entries: vec![group(List::Prepare)] }
}

fn entry(list: List, target: Target) -> Entry {
    Entry { list, arn: "arn".to_owned(), target }
}

fn group(list: List) -> Entry {
    entry(list, Target::Group { name: "shop".to_owned(), size: 6 })
}

fn function(list: List) -> Entry {
    entry(list, Target::Function { name: "warm-caches".to_owned() })
}

fn site_down(state: AlarmState, since: i64) -> AlarmSighting {
    let (arn, name) = (SITE_DOWN.to_owned(), "site-down".to_owned());
    AlarmSighting { arn, name, state, since: at(since), trouble: None }
}

/// Both alarms of the plan, and the site-down alarm.
fn alarms(states: [AlarmState; 2], site: AlarmSighting) -> Alarms {
    Some(vec![alarm(0, states[0], -9_000), alarm(1, states[1], -9_000), site])
}

/// At second 0 of the plan's clock.
fn moment_of(plan: &Plan, alarms: &Alarms, names: Result<&[NameView], &str>, latch: &Reading) -> Moment {
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
fn one_name_that_is_switched_off_keeps_every_step_from_being_taken() {
    let on = armed(-7_200, ArmedBy::Operator);
    for (other, expected) in [
        (Some(on.clone()), None),
        (Some(pinned(0, in_sync(40))), None),
        (Some(paused(600)), Some(Forbidden::Maintenance)),
        (Some(disarmed()), Some(Forbidden::Disarmed)),
        (None, Some(Forbidden::Disarmed)),
    ] {
        let names = [Some(&on), other.as_ref()].map(|register| view("app.example.com", PRIMARY, register));
        assert_eq!(moment_of(&plan(), &None, Ok(&names), &Reading::NoStore).forbidden, expected, "{other:?}");
    }
    let shadow = Plan { mode: Mode::Shadow, ..plan() };
    assert_eq!(moment_of(&shadow, &None, Err("silent"), &Reading::NoStore).forbidden, Some(Forbidden::Shadow));
    assert_eq!(moment_of(&plan(), &None, Err("silent"), &Reading::NoStore).forbidden, Some(Forbidden::NotKnown));
}

/// A moment in which DR is to be prepared, one in which users are on DR, one of peace, and one in which nobody can tell.
fn moments() -> [Moment; 4] {
    use AlarmState::{Alarm, Ok};
    let down = alarms([Ok, Ok], site_down(Alarm, -600));
    let calm = alarms([Ok, Ok], site_down(Ok, -9_000));
    let on = [view("app.example.com", PRIMARY, Some(&armed(-7_200, ArmedBy::Operator)))];
    let over = [view("app.example.com", PRIMARY, Some(&failed_over(0)))];
    let none = Reading::NoStore;
    [
        moment_of(&plan(), &down, Result::Ok(&on), &none),
        moment_of(&plan(), &down, Result::Ok(&over), &none),
        moment_of(&plan(), &calm, Result::Ok(&on), &none),
        moment_of(&plan(), &None, Result::Ok(&on), &none),
    ]
}

fn sizes(text: &str) -> Setting {
    text.parse().unwrap()
}

fn there(setting: &str, note: Option<(Stage, &str)>) -> Seen {
    let noted = |(stage, to): (Stage, &str)| {
        let incident = Incident { alarm: "site-down".to_owned(), began: at(-600) };
        Tags::Note(Note { stage, from: sizes("1/2/4"), to: sizes(to), incident })
    };
    Seen::There { setting: sizes(setting), detail: String::new(), tags: note.map_or(Tags::None, noted) }
}

fn called(stage: Option<Stage>, incident: Incident) -> Seen {
    let note = |stage| Tags::Note(Note { stage, from: Setting::Nothing, to: Setting::Nothing, incident });
    Seen::There { setting: Setting::Nothing, detail: String::new(), tags: stage.map_or(Tags::None, note) }
}

fn decided(moment: &Moment, entry: &Entry, seen: &Seen) -> (Id, Verdict) {
    let row = decide(moment, entry, seen).row;
    (row.id, row.verdict)
}

#[test]
fn a_group_is_raised_step_by_step_and_undone_only_where_it_is_what_holdfast_made_of_it() {
    use Stage::{Begun, Left, Set};
    let [down, _, calm, unknown] = moments();
    let unreadable = Tags::Unreadable("nonsense".to_owned());
    let scrawled = Seen::There { setting: sizes("1/2/4"), detail: String::new(), tags: unreadable };
    let silent = || Seen::NotSeen("timed out".to_owned());
    let note = |stage| Some((stage, "6/6/6"));
    for (moment, seen, id, verdict) in [
        (&down, Seen::Missing, Rule::S01.row('a'), Verdict::Trouble),
        (&calm, Seen::Missing, Rule::S01.row('a'), Verdict::Trouble),
        (&down, silent(), Rule::S01.row('b'), Verdict::Wait),
        (&calm, scrawled, Rule::S01.row('c'), Verdict::Trouble),
        (&unknown, there("1/2/4", None), Rule::S02.alone(), Verdict::Leave),
        (&unknown, there("6/6/6", note(Set)), Rule::S02.alone(), Verdict::Leave),
        (&down, there("1/2/4", note(Left)), Rule::S04.row('a'), Verdict::Leave),
        (&down, there("6/6/6", None), Rule::S04.row('c'), Verdict::Leave),
        (&down, there("7/9/20", None), Rule::S04.row('c'), Verdict::Leave),
        (&down, there("6/9/9", note(Set)), Rule::S04.row('c'), Verdict::Leave),
        (&down, there("1/2/4", note(Set)), Rule::S05.alone(), Verdict::LeaveToThem),
        (&down, there("5/6/6", note(Set)), Rule::S05.alone(), Verdict::LeaveToThem),
        (&down, there("1/2/4", None), Rule::S06.alone(), Verdict::Remember),
        // A deployment during the outage wants more than the one before.
        (&down, there("5/5/5", Some((Set, "5/5/5"))), Rule::S06.alone(), Verdict::Remember),
        (&down, there("1/2/4", note(Begun)), Rule::S07.row('b'), Verdict::Change),
        (&down, there("6/6/6", note(Begun)), Rule::S08.row('a'), Verdict::Confirm),
        (&calm, there("1/2/4", None), Rule::S09.row('a'), Verdict::Leave),
        (&calm, there("6/6/6", note(Set)), Rule::S09.row('c'), Verdict::Undo),
        (&calm, there("6/6/6", note(Begun)), Rule::S09.row('c'), Verdict::Undo),
        (&calm, there("6/8/9", note(Set)), Rule::S09.row('c'), Verdict::Undo),
        (&calm, there("1/8/9", note(Set)), Rule::S09.row('d'), Verdict::ForgetTheirs),
        (&calm, there("3/3/4", note(Left)), Rule::S09.row('d'), Verdict::ForgetTheirs),
        (&calm, there("1/2/4", note(Set)), Rule::S09.row('e'), Verdict::Forget),
        (&calm, there("1/2/4", note(Begun)), Rule::S09.row('e'), Verdict::Forget),
    ] {
        assert_eq!(decided(moment, &group(List::Prepare), &seen), (id, verdict), "{seen:?}");
    }
    let [_, over, ..] = moments();
    let done = there("6/6/6", note(Begun));
    assert_eq!(decided(&over, &group(List::After), &done), (Rule::S08.row('b'), Verdict::Confirm));
    assert_eq!(decided(&down, &group(List::After), &done), (Rule::S02.alone(), Verdict::Leave), "before the failover");
}

#[test]
fn a_function_is_called_once_an_incident() {
    use Stage::{Begun, Set};
    let [down, over, calm, _] = moments();
    let site = || Incident { alarm: "site-down".to_owned(), began: at(-600) };
    for (moment, list, seen, id, verdict) in [
        (&down, List::Prepare, called(None, site()), Rule::S06.alone(), Verdict::Remember),
        (&down, List::Prepare, called(Some(Begun), site()), Rule::S07.row('a'), Verdict::Call),
        (&down, List::Prepare, called(Some(Set), site()), Rule::S04.row('b'), Verdict::Leave),
        // The outage is named after another alarm by now, and is the same outage.
        (&over, List::Prepare, called(Some(Set), site()), Rule::S04.row('b'), Verdict::Leave),
        (&over, List::After, called(Some(Set), incident(0)), Rule::S04.row('b'), Verdict::Leave),
        // Of the failover before, from which nothing was undone.
        (&over, List::After, called(Some(Set), incident(-90_000)), Rule::S06.alone(), Verdict::Remember),
        (&calm, List::After, called(Some(Set), incident(0)), Rule::S09.row('b'), Verdict::ForgetCall),
    ] {
        assert_eq!(decided(moment, &function(list), &seen), (id, verdict), "{list:?} {seen:?}");
    }
    let decision = decide(&over, &function(List::After), &called(None, site()));
    assert_eq!(decision.key(), "started@2026-01-01T12:00:00Z After arn");
}

#[test]
fn what_may_not_be_changed_is_said_and_only_where_something_would_be() {
    use Forbidden::{Disarmed, Maintenance, NotKnown, Shadow};
    let [down, _, calm, unknown] = moments();
    let with = |moment: &Moment, why| Moment { forbidden: Some(why), ..moment.clone() };
    let set = || there("6/6/6", Some((Stage::Set, "6/6/6")));
    for (why, letter) in [(Shadow, 'a'), (Maintenance, 'b'), (Disarmed, 'c'), (NotKnown, 'd')] {
        for (moment, seen) in
            [(&down, there("1/2/4", None)), (&calm, set()), (&down, there("6/6/6", Some((Stage::Begun, "6/6/6"))))]
        {
            let said = decided(&with(moment, why), &group(List::Prepare), &seen);
            assert_eq!(said, (Rule::S03.row(letter), Verdict::Would), "{seen:?}");
        }
        for (moment, seen) in [(&down, set()), (&calm, there("1/2/4", None)), (&unknown, set())] {
            assert_eq!(decided(&with(moment, why), &group(List::Prepare), &seen).1, Verdict::Leave, "{seen:?}");
        }
        let call = decided(&with(&down, why), &function(List::Prepare), &called(None, incident(0)));
        assert_eq!(call.1, Verdict::Would);
    }
}

#[test]
fn what_is_put_on_record_is_what_was_before_however_often_it_is_written() {
    let [down, ..] = moments();
    let begun = |seen: &Seen| {
        let Seen::There { setting, tags, .. } = seen else { panic!("it is there") };
        decide(&down, &group(List::Prepare), seen).begun(*setting, tags)
    };
    let first = begun(&there("1/2/4", None)).unwrap();
    assert_eq!((first.stage, first.from, first.to), (Stage::Begun, sizes("1/2/4"), sizes("6/6/6")));
    let again = begun(&there("5/5/5", Some((Stage::Set, "5/5/5")))).unwrap();
    assert_eq!((again.from, again.to), (sizes("1/2/4"), sizes("6/6/6")), "what was before the first change");
    let unreadable = Tags::Unreadable(String::new());
    assert_eq!(begun(&Seen::There { setting: sizes("1/2/4"), detail: String::new(), tags: unreadable }), None);
}

#[test]
fn a_failed_call_wakes_somebody_only_in_an_outage_and_only_if_it_will_fail_again() {
    let [down, _, calm, _] = moments();
    for (moment, for_good, attention) in [
        (&down, true, Attention::Page),
        (&down, false, Attention::Notice),
        (&calm, true, Attention::Notice),
        (&calm, false, Attention::None),
    ] {
        let silent = Seen::NotSeen("it failed".to_owned());
        let finding = decide(moment, &group(List::Prepare), &silent).failed(for_good, &"AccessDenied");
        assert_eq!((finding.kind, finding.attention), (Kind::StepFailed, attention));
        assert!(finding.next.contains("do not wait for it"), "{}", finding.next);
    }
}

#[test]
fn each_outcome_has_its_kind_and_no_two_rows_share_an_id() {
    let ids: BTreeSet<_> = TABLE.iter().map(|row| row.id).collect();
    assert_eq!(ids.len(), TABLE.len());
    let [down, over, ..] = moments();
    let begun = |to| there(to, Some((Stage::Begun, "6/6/6")));
    for (moment, list, kind) in [(&down, List::Prepare, Kind::Prepared), (&over, List::After, Kind::AfterDone)] {
        let finding = Finding::from(decide(moment, &group(list), &begun("6/6/6")));
        assert_eq!((finding.kind, finding.subject.as_str()), (kind, "Auto Scaling group shop"));
        assert!(finding.facts[0].seen.contains("before min 1, desired 2, max 4"), "{:?}", finding.facts);
    }
}
