//! The steps' rules: what is seen of a resource when a step is due or not, and what follows.

use std::collections::BTreeSet;

use crate::common::{PRIMARY, armed, at, failed_over, incident, plan, view};
use crate::step_moments::{alarms, moment_of, site_down};
use failover::incident::{AlarmState, Incident};
use failover::latch::Reading;
use failover::observation::Attention;
use failover::outcome::{Finding, Kind};
use failover::register::ArmedBy;
use failover::rule::{Id, Rule};
use failover::step::{
    Entry, Forbidden, List, Moment, Note, Seen, Setting, Stage, TABLE, Tags, Target, Verdict, decide,
};

fn entry(list: List, target: Target) -> Entry {
    Entry { list, arn: "arn".to_owned(), target }
}

fn group(list: List) -> Entry {
    entry(list, Target::Group { name: "shop".to_owned(), size: 6 })
}

fn function(list: List) -> Entry {
    entry(list, Target::Function { name: "warm-caches".to_owned() })
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
        Tags::Note(Note { stage, from: sizes("1/2/4"), to: sizes(to), incident, bus: "holdfast".to_owned() })
    };
    Seen::There { setting: sizes(setting), detail: String::new(), tags: note.map_or(Tags::None, noted) }
}

fn called(stage: Option<Stage>, incident: Incident) -> Seen {
    let (from, to, bus) = (Setting::Nothing, Setting::Nothing, "holdfast".to_owned());
    let note = |stage| Tags::Note(Note { stage, from, to, incident, bus });
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
        (&down, Seen::Unfit("ENABLED_WITH…".to_owned()), Rule::S01.row('e'), Verdict::Trouble),
        (&calm, scrawled, Rule::S01.row('c'), Verdict::Trouble),
        (&unknown, there("1/2/4", None), Rule::S02.row('b'), Verdict::Leave),
        (&unknown, there("6/6/6", note(Set)), Rule::S02.row('b'), Verdict::Leave),
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
        (&calm, there("6/6/6", note(Set)), Rule::S09.row('c'), Verdict::Reopen),
        (&calm, there("3/6/6", note(Left)), Rule::S09.row('c'), Verdict::Reopen),
        (&calm, there("6/6/6", note(Begun)), Rule::S09.row('d'), Verdict::Undo),
        (&calm, there("6/8/9", note(Begun)), Rule::S09.row('d'), Verdict::Undo),
        (&calm, there("1/8/9", note(Set)), Rule::S09.row('e'), Verdict::ForgetTheirs),
        (&calm, there("3/3/4", note(Left)), Rule::S09.row('e'), Verdict::ForgetTheirs),
        (&calm, there("1/2/4", note(Set)), Rule::S09.row('f'), Verdict::Forget),
        (&calm, there("1/2/4", note(Begun)), Rule::S09.row('f'), Verdict::Forget),
    ] {
        assert_eq!(decided(moment, &group(List::Prepare), &seen), (id, verdict), "{seen:?}");
    }
    let [_, over, ..] = moments();
    let done = there("6/6/6", note(Begun));
    assert_eq!(decided(&over, &group(List::After), &done), (Rule::S08.row('b'), Verdict::Confirm));
    assert_eq!(decided(&down, &group(List::After), &done), (Rule::S02.row('b'), Verdict::Leave), "before the failover");
}

/// They go by the same rows; what they are differs.
#[test]
fn a_service_and_a_mapping_are_changed_and_given_back_as_a_group_is() {
    use Stage::{Begun, Set};
    let [down, over, calm, _] = moments();
    let service =
        entry(List::Prepare, Target::Service { cluster: "main".to_owned(), name: "shop".to_owned(), count: 6 });
    let mapping = entry(List::After, Target::Mapping { id: "0a-1".to_owned(), on: true });
    let seen = |now: &str, stage: Option<Stage>, from: &str, to: &str| {
        let noted =
            |stage| Note { stage, from: sizes(from), to: sizes(to), incident: incident(0), bus: "holdfast".to_owned() };
        let tags = stage.map_or(Tags::None, |stage| Tags::Note(noted(stage)));
        Seen::There { setting: sizes(now), detail: String::new(), tags }
    };
    for (moment, entry, (now, stage, from, to), id) in [
        (&down, &service, ("2", None, "2", "6"), Rule::S06.alone()),
        (&down, &service, ("8", None, "8", "8"), Rule::S04.row('c')),
        (&down, &service, ("2", Some(Begun), "2", "6"), Rule::S07.row('b')),
        (&down, &service, ("6", Some(Begun), "2", "6"), Rule::S08.row('a')),
        (&down, &service, ("4", Some(Set), "2", "6"), Rule::S05.alone()),
        (&down, &service, ("9", Some(Set), "2", "6"), Rule::S04.row('c')),
        (&calm, &service, ("6", Some(Set), "2", "6"), Rule::S09.row('c')),
        (&calm, &service, ("6", Some(Begun), "2", "6"), Rule::S09.row('d')),
        (&calm, &service, ("9", Some(Set), "2", "6"), Rule::S09.row('e')),
        (&calm, &service, ("2", Some(Begun), "2", "6"), Rule::S09.row('f')),
        (&down, &mapping, ("off", None, "off", "on"), Rule::S02.row('b')),
        (&over, &mapping, ("off", None, "off", "on"), Rule::S06.alone()),
        (&over, &mapping, ("off", Some(Begun), "off", "on"), Rule::S07.row('b')),
        (&over, &mapping, ("on", Some(Begun), "off", "on"), Rule::S08.row('b')),
        (&over, &mapping, ("off", Some(Set), "off", "on"), Rule::S05.alone()),
        (&calm, &mapping, ("on", Some(Begun), "off", "on"), Rule::S09.row('d')),
        (&calm, &mapping, ("off", Some(Begun), "off", "on"), Rule::S09.row('f')),
    ] {
        let seen = seen(now, stage, from, to);
        assert_eq!(decided(moment, entry, &seen).0, id, "{seen:?}");
    }
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
    for stage in [Begun, Set] {
        let again = decide(&over, &function(List::Prepare), &called(Some(stage), site()));
        assert_eq!(again.incident, Some(site()), "the outage is named after another alarm by now");
        assert_eq!(again.key(), "site-down@2026-01-01T11:50:00Z Prepare arn");
    }
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
fn that_nobody_says_when_the_primary_is_down_is_told_in_peace_and_no_step_waits_for_it_in_a_failover() {
    let gone = alarms([AlarmState::Ok; 2], site_down(AlarmState::Missing, -9_000));
    for (register, id) in [(armed(-7_200, ArmedBy::Operator), Rule::S02.row('a')), (failed_over(0), Rule::S06.alone())]
    {
        let names = [view("app.example.com", PRIMARY, Some(&register))];
        let moment = moment_of(&plan(), &gone, Ok(&names), &Reading::NoStore);
        assert_eq!(decided(&moment, &group(List::Prepare), &there("1/2/4", None)).0, id);
    }
}

#[test]
fn what_is_in_neither_list_any_more_is_given_back_once_all_is_well_and_never_changed() {
    let [down, over, calm, unknown] = moments();
    let set = || there("6/6/6", Some((Stage::Set, "6/6/6")));
    for (moment, seen, id) in [
        (&down, set(), Rule::S02.row('b')),
        (&over, set(), Rule::S02.row('b')),
        (&unknown, set(), Rule::S02.row('b')),
        (&down, there("1/2/4", None), Rule::S02.row('b')),
        (&calm, set(), Rule::S09.row('c')),
        (&calm, there("6/6/6", Some((Stage::Begun, "6/6/6"))), Rule::S09.row('d')),
        (&calm, there("1/2/4", None), Rule::S09.row('a')),
        (&calm, Seen::Missing, Rule::S09.row('a')),
    ] {
        assert_eq!(decided(moment, &group(List::Neither), &seen).0, id, "{seen:?}");
    }
}

#[test]
fn what_another_stack_has_changed_is_left_to_it_whatever_happens_here() {
    for stage in [Stage::Begun, Stage::Set, Stage::Left] {
        let mut seen = there("6/6/6", Some((stage, "6/6/6")));
        let Seen::There { tags: Tags::Note(note), .. } = &mut seen else { panic!("it has a record") };
        note.bus = "other".to_owned();
        for moment in moments() {
            let decision = decide(&moment, &group(List::Prepare), &seen);
            assert_eq!((decision.row.id, decision.row.verdict), (Rule::S01.row('d'), Verdict::Trouble));
            assert!(decision.facts[0].seen.contains("by other"), "{:?}", decision.facts);
        }
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
    let scaled = begun(&there("4/9/9", Some((Stage::Set, "4/4/4")))).unwrap();
    assert_eq!((scaled.from, scaled.to), (sizes("1/2/4"), sizes("6/6/6")), "a policy's change is not Holdfast's");
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
