//! A failover committed in DR's own store: what it is committed for, what follows from it, and what proves it.

use std::collections::BTreeMap;

use crate::common::*;
use failover::adopt::adopt;
use failover::change::Change;
use failover::hold;
use failover::incident::AlarmState;
use failover::latch::{
    self, Heard, Latch, Led, Look, Marks, NotProven, commits, denied, homes, in_doubt, proves, stands_in,
};
use failover::message;
use failover::name::Name;
use failover::observation::{Attention, Changes, NameView};
use failover::outcome::{Finding, Outcome, Trigger};
use failover::pin::Verdict;
use failover::plan::{Mode, Plan};
use failover::promotion::{Gate, decide_gate};
use failover::record::{RecordSet, Routing};
use failover::register::{ArmedBy, Evidence, Register};
use failover::rule::Rule;

fn with_switch() -> Plan {
    Plan { switch: Some("switch".to_owned()), ..plan() }
}

/// A name whose PRIMARY record is on the switch, with what else differs.
fn on_switch(of: &str, register: &Register, differs: impl Fn(&mut RecordSet)) -> NameView {
    let name = name(of);
    let mut sets = a_pair(&name, if register.pin().is_some() { DR } else { PRIMARY });
    sets[0].health_check = Some("switch".to_owned());
    sets.iter_mut().for_each(differs);
    sets.push(register.record_set(&name).unwrap());
    NameView::of_name("Z1", &name, &sets)
}

fn armed_on_switch(of: &str) -> NameView {
    on_switch(of, &armed(-7_200, ArmedBy::Operator), |_| ())
}

fn closed() -> Latch {
    Latch::committed(incident(0), at(60))
}

#[test]
fn it_is_committed_only_where_every_name_that_it_moves_is_to_be_pinned() {
    let both = [armed_on_switch("app.example.com"), armed_on_switch("api.example.com")];
    let plan = with_switch();
    let all = |_: &NameView| Some(incident(0));
    let only_app = |view: &NameView| (view.name == app()).then(|| incident(0));
    assert_eq!(commits(&plan, &both, all), Some(incident(0)));
    assert_eq!(commits(&plan, &both, only_app), None, "the other would be moved too");
    let pinned = on_switch("api.example.com", &pinned(0, in_sync(90)), |_| ());
    assert_eq!(commits(&plan, &[both[0].clone(), pinned], only_app), Some(incident(0)));
    let elsewhere = view("api.example.com", PRIMARY, Some(&armed(-7_200, ArmedBy::Operator)));
    assert_eq!(commits(&plan, &[both[0].clone(), elsewhere.clone()], only_app), Some(incident(0)));
    assert_eq!(commits(&plan, &[elsewhere], all), None, "nobody is on the switch");
    let half = NameView::of_name("Z1", &app(), &a_pair(&app(), PRIMARY)[..1]);
    assert_eq!(commits(&plan, &[both[1].clone(), half], all), None, "what is half a pair may be on the switch too");
    assert_eq!(commits(&plan, &[], all), None);
}

#[test]
fn once_committed_a_failover_is_finished_whatever_the_alarm_says_and_whoever_was_to_approve_it() {
    for (state, mode, verdict) in [
        (AlarmState::Alarm, Mode::Automatic, Verdict::Pin),
        (AlarmState::Ok, Mode::Automatic, Verdict::Pin),
        (AlarmState::Ok, Mode::Approval, Verdict::Pin),
        (AlarmState::Ok, Mode::Shadow, Verdict::WouldPin),
    ] {
        let mut scene = Scene { plan: Plan { mode, ..with_switch() }, ..Scene::outage() };
        scene.view = armed_on_switch("app.example.com");
        scene.alarms(&[alarm(0, state, 120), alarm(1, AlarmState::Ok, -90_000)]);
        let mut seen = scene.observation();
        seen.latch = latch::Reading::Closed { latch: closed(), asked: at(60) };
        let decision = failover::pin::decide(&scene.plan, &seen, &scene.view);
        assert_eq!(decision.row.verdict, verdict, "{state:?} {mode:?}");
        if verdict == Verdict::Pin {
            assert_eq!((decision.row.id.rule, decision.incident), (Rule::P13, Some(incident(0))));
        }
        for open in [latch::Reading::Open { asked: at(60) }, latch::Reading::NotKnown("silent".to_owned())] {
            seen.latch = open;
            let is_alarm = state == AlarmState::Alarm && mode == Mode::Automatic;
            assert_eq!(failover::pin::decide(&scene.plan, &seen, &scene.view).row.verdict == Verdict::Pin, is_alarm);
        }
    }
}

#[test]
fn a_name_armed_before_the_commit_is_in_it_and_no_other() {
    let plan = with_switch();
    let shown = closed().looked_at(true, at(200));
    let rejected = Register::armed(at(90), ArmedBy::Rejection);
    for (register, is_in) in [
        // A person approved it although the alarm was older than the arming (P08).
        (armed(30, ArmedBy::Operator), true),
        (armed(61, ArmedBy::Operator), false),
        (rejected, false),
        (disarmed(), false),
        (paused(9_000), false),
    ] {
        let mut scene = Scene { plan: plan.clone(), ..Scene::outage() };
        scene.view = on_switch("app.example.com", &register, |_| ());
        scene.all_ok_since(40);
        let mut seen = scene.observation();
        seen.latch = latch::Reading::Closed { latch: closed(), asked: at(60) };
        let decided = failover::pin::decide(&plan, &seen, &scene.view).row.verdict;
        assert_eq!(decided == Verdict::Pin, is_in, "{register}");
        let stood_in = stands_in(&plan, &shown, &scene.view);
        assert_eq!(stood_in != scene.view, is_in, "{register}");
        let gate = decide_gate(&plan, at(900), &[stood_in], &Changes::new()).row;
        assert_eq!(gate.verdict == Gate::Open, is_in, "nobody promotes over a person's no: {register}");
    }
}

#[test]
fn a_latch_of_another_incident_says_nothing_of_a_pin() {
    let plan = with_switch();
    let known = Evidence::replica(plan.replicas[0].clone());
    let old = Latch::committed(incident(-90_000), at(-89_000)).looked_at(true, at(-88_000)).knowing(&known);
    let view = on_switch("app.example.com", &pinned(0, unrecorded(30)), |_| ());
    assert_eq!((stands_in(&plan, &old, &view), latch::knowing(&old, &view)), (view.clone(), view));
    let armed_since = armed_on_switch("app.example.com");
    assert_eq!(stands_in(&plan, &old.failed_over(at(-80_000)), &armed_since), armed_since);
}

#[test]
fn a_name_of_which_but_one_type_is_on_the_switch_is_moved_by_it_too() {
    let name = name("api.example.com");
    let mut sets = a_pair(&name, PRIMARY);
    sets[0].health_check = Some("switch".to_owned());
    sets.extend(pair(&name, "AAAA", values(60, &["2001:db8::1"]), values(60, &["2001:db8::2"])));
    sets.push(disarmed().record_set(&name).unwrap());
    let mixed = NameView::of_name("Z1", &name, &sets);
    let only_app = |view: &NameView| (view.name == app()).then(|| incident(0));
    assert_eq!(commits(&with_switch(), &[armed_on_switch("app.example.com"), mixed], only_app), None);
}

#[test]
fn shown_by_every_name_server_it_stands_in_for_a_pin_in_sync_and_opens_the_gate_after_ttl_and_drain() {
    let plan = with_switch();
    let view = armed_on_switch("app.example.com");
    let gate = |latch: &Latch, seconds| {
        decide_gate(&plan, at(seconds), &[stands_in(&plan, latch, &view)], &Changes::new()).row
    };
    assert_eq!((gate(&closed(), 100).id.rule, gate(&closed(), 100).verdict), (Rule::R02, Gate::Wait), "not shown yet");
    assert_eq!(gate(&closed(), 239).attention, Attention::None, "nobody knows how soon Route 53 reads CloudWatch");
    assert_eq!(gate(&closed(), 240).attention, Attention::Page, "not shown for three minutes");
    let shown = closed().looked_at(true, at(200));
    let name = stands_in(&plan, &shown, &view);
    assert!(name.agrees() && name.pin().unwrap().incident == incident(0));
    for (seconds, verdict) in [(200, Gate::Wait), (319, Gate::Wait), (320, Gate::Open)] {
        assert_eq!(gate(&shown, seconds).verdict, verdict, "60 s of TTL and 60 s of drain after second 200: {seconds}");
    }
    let over = gate(&shown.failed_over(at(400)), 900);
    assert_eq!((over.id.rule, over.verdict), (Rule::R01, Gate::Closed), "what is over is not closed again");
}

#[test]
fn it_stands_in_for_no_name_that_is_not_on_the_switch() {
    let plan = with_switch();
    let shown = closed().looked_at(true, at(200));
    let elsewhere = view("api.example.com", PRIMARY, Some(&armed(-7_200, ArmedBy::Operator)));
    assert_eq!(stands_in(&plan, &shown, &elsewhere), elsewhere);
    let names = [stands_in(&plan, &shown, &armed_on_switch("app.example.com")), elsewhere];
    assert_eq!(decide_gate(&plan, at(900), &names, &Changes::new()).row.verdict, Gate::Wait);
}

#[test]
fn a_pin_in_sync_keeps_its_own_time_and_one_that_is_not_known_to_be_takes_the_latchs() {
    let plan = with_switch();
    let known = Evidence::replica(plan.replicas[0].clone());
    let unshown = closed().knowing(&known);
    let shown = unshown.looked_at(true, at(200));
    for (latch, spread, stands) in [
        (&shown, in_sync(90), in_sync(90)),
        (&shown, change("C1"), in_sync(200)),
        (&shown, unrecorded(30), in_sync(200)),
        (&unshown, in_sync(90), in_sync(90)),
        (&unshown, change("C1"), unrecorded(60)),
    ] {
        let view = on_switch("app.example.com", &pinned(0, spread.clone()), |_| ());
        let name = stands_in(&plan, latch, &view);
        let Some(Register::Pinned { pin, spread: stood_in }) = name.register() else { panic!("it is pinned") };
        assert_eq!((stood_in, &pin.evidence), (&stands, &known), "{spread:?}");
        let Some(Register::Pinned { pin, spread: own }) = latch::knowing(latch, &view).register().cloned() else {
            panic!("it is pinned")
        };
        assert_eq!((own, &pin.evidence), (spread, &known), "what is known of the databases counts for the pin too");
    }
}

#[test]
fn a_remembered_pin_in_sync_is_no_proof_where_name_servers_send_users_elsewhere() {
    let plan = with_switch();
    let remembered = on_switch("app.example.com", &pinned(0, in_sync(90)), |_| ());
    let gate = |view: NameView| decide_gate(&plan, at(400), &[view], &Changes::new()).row;
    assert_eq!(gate(stands_in(&plan, &closed(), &remembered)).verdict, Gate::Open);
    let doubted = gate(in_doubt(&closed(), &stands_in(&plan, &closed(), &remembered)));
    assert_eq!((doubted.id.rule, doubted.verdict), (Rule::R02, Gate::Wait));
    let over = on_switch("app.example.com", &failed_over(100), |_| ());
    assert_eq!(in_doubt(&closed(), &over), over);
}

#[test]
fn a_latch_that_no_name_is_in_pages_with_what_it_does_and_the_command_that_lifts_it_and_lets_go_of_nothing() {
    let finding = Finding::stray_latch(&closed());
    let heartbeat = hold::heartbeat(Trigger::Tick, &Scene::outage().observation(), std::slice::from_ref(&finding));
    assert_eq!(heartbeat, Some(true));
    let message = message::of_outcome(&Outcome::of(at(60), Trigger::Tick, &[finding]), &sender());
    assert_eq!(
        (message.attention, message.subject.as_str()),
        (Attention::Page, "Holdfast: CANNOT fail over: the workload")
    );
    for said in ["no name is in any more", "users of names on the switch on DR", "holdfast unlatch"] {
        assert!(message.body.contains(said), "{said}: {}", message.body);
    }
}

fn key() -> (Name, String) {
    (app(), "A".to_owned())
}

fn said(value: &str) -> Heard {
    Ok(vec![value.to_owned()])
}

/// What so many name servers answer once the latch is closed and they know of it.
fn shown(servers: usize, home: &Heard) -> Look {
    let servers = || (1..=servers).map(|nth| format!("192.0.2.{nth}"));
    let marks = |server| Marks { server, latch: said("committed"), again: said("committed"), switch: said("dr") };
    let answers = servers().map(|server| (server, said(DR))).collect();
    Look { marks: servers().map(marks).collect(), names: [(key(), Led { home: home.clone(), answers })].into() }
}

#[test]
fn only_a_name_server_that_answers_denies_the_latch() {
    let all = shown(4, &said(PRIMARY));
    type Spoil = fn(&mut Look);
    let spoilt: [(Spoil, Option<&str>); 6] = [
        (|_| {}, None),
        (|look| look.marks.clear(), None),
        (|look| look.marks[1].latch = Err("timed out".to_owned()), None),
        (|look| look.marks[1].latch = said("open"), Some("the name server 192.0.2.2 says of the latch: open")),
        (
            |look| look.marks[1].again = Ok(Vec::new()),
            Some("the name server 192.0.2.2 says of the latch's second check: nothing"),
        ),
        (|look| look.marks[3].switch = said("primary"), Some("the name server 192.0.2.4 says of the switch: primary")),
    ];
    for (spoil, wanted) in spoilt {
        let mut look = all.clone();
        spoil(&mut look);
        assert_eq!(denied(&look).map(|denied| denied.to_string()).as_deref(), wanted);
    }
}

fn proof(view: &NameView, look: &Look) -> Result<(), NotProven> {
    proves(&with_switch(), std::slice::from_ref(view), look)
}

#[test]
fn every_name_server_must_say_committed_twice_and_dr_and_no_primary() {
    let view = armed_on_switch("app.example.com");
    let all = shown(4, &said(PRIMARY));
    assert_eq!(proof(&view, &all), Ok(()));
    let answer = |look: &mut Look, heard: Heard| {
        look.names.values_mut().for_each(|led| led.answers[3].1.clone_from(&heard));
    };
    let spoilt: [&dyn Fn(&mut Look); 9] = [
        &|look| look.marks[3].latch = said("open"),
        &|look| look.marks[3].latch = Err("timed out".to_owned()),
        &|look| look.marks[3].latch = Ok(Vec::new()),
        &|look| look.marks[3].again = said("open"),
        &|look| look.marks[3].switch = said("primary"),
        &|look| look.marks[3].switch = Err("SERVFAIL".to_owned()),
        &|look| answer(look, said(PRIMARY)),
        &|look| answer(look, Ok(vec![DR.to_owned(), PRIMARY.to_owned()])),
        &|look| answer(look, Ok(Vec::new())),
    ];
    for (nth, spoil) in spoilt.iter().enumerate() {
        let mut one = all.clone();
        spoil(&mut one);
        assert!(matches!(proof(&view, &one), Err(NotProven::Server { .. })), "{nth}");
    }
    for few in 0..2 {
        assert_eq!(proof(&view, &shown(few, &said(PRIMARY))), Err(NotProven::Servers(few)));
    }
    let unknown = shown(4, &Err("timed out".to_owned()));
    assert!(matches!(proof(&view, &unknown), Err(NotProven::Home { .. })), "where the primary is");
    let unasked = Look { names: BTreeMap::new(), ..all };
    assert!(matches!(proof(&view, &unasked), Err(NotProven::Home { .. })));
}

fn ipv6() -> Vec<RecordSet> {
    pair(&app(), "AAAA", values(60, &["2001:db8::a"]), values(60, &["2001:db8::d"]))
}

/// An AAAA alias to a load balancer that has IPv4 alone answers nothing, for ever.
#[test]
fn a_type_that_leads_nowhere_is_no_proof_by_itself_and_no_doubt_beside_one_that_leads_to_dr() {
    let mut sets = [pair(&app(), "A", values(60, &[PRIMARY]), values(60, &[DR])), ipv6()].concat();
    sets.iter_mut().step_by(2).for_each(|primary| primary.health_check = Some("switch".to_owned()));
    sets.push(armed(-7_200, ArmedBy::Operator).record_set(&app()).unwrap());
    let view = NameView::of_name("Z1", &app(), &sets);
    let with = |kinds: &[&str], spoil: fn(&mut Led)| {
        let mut look = shown(4, &said(PRIMARY));
        let answers = (1..=4).map(|nth| (format!("192.0.2.{nth}"), said("2001:db8::d"))).collect();
        look.names.insert((app(), "AAAA".to_owned()), Led { home: said("2001:db8::a"), answers });
        look.names.iter_mut().filter(|((_, kind), _)| kinds.contains(&kind.as_str())).for_each(|(_, led)| spoil(led));
        proof(&view, &look)
    };
    assert_eq!(with(&[], |_| ()), Ok(()));
    let no_home: fn(&mut Led) = |led| led.home = Ok(Vec::new());
    let no_answer: fn(&mut Led) = |led| led.answers.iter_mut().for_each(|(_, heard)| *heard = Ok(Vec::new()));
    let neither: fn(&mut Led) = |led| {
        led.home = Ok(Vec::new());
        led.answers.iter_mut().for_each(|(_, heard)| *heard = Ok(Vec::new()));
    };
    for spoil in [no_home, no_answer, neither] {
        assert_eq!(with(&["AAAA"], spoil), Ok(()));
        assert_eq!(with(&["A", "AAAA"], spoil), Err(NotProven::Nowhere("app.example.com".parse().unwrap())));
    }
    let half: fn(&mut Led) = |led| led.answers[2].1 = Ok(Vec::new());
    assert!(matches!(with(&["AAAA"], half), Err(NotProven::Server { .. })), "one server knows less than the others");
}

#[test]
fn a_name_that_something_else_may_move_is_no_proof() {
    let armed = armed(-7_200, ArmedBy::Operator);
    let is_primary = |set: &RecordSet| format!("{:?}", set.routing).contains("Primary");
    let differences: [&dyn Fn(&mut RecordSet); 3] = [
        &|set| set.health_check = is_primary(set).then(|| "hc-1".to_owned()),
        &|set| set.health_check = Some("switch".to_owned()),
        &|set| set.target = alias("dr.elb.example"),
    ];
    for (nth, differs) in differences.iter().enumerate() {
        let view = on_switch("app.example.com", &armed, differs);
        assert!(matches!(proof(&view, &shown(2, &said(PRIMARY))), Err(NotProven::Name { .. })), "{nth}");
    }
}

#[test]
fn the_primary_of_a_pinned_name_is_what_its_pin_replaced() {
    let view = on_switch("app.example.com", &pinned(0, change("C1")), |_| ());
    assert_eq!(homes(&view), [(key(), values(60, &[PRIMARY]))]);
    assert_eq!(proof(&view, &shown(2, &said(PRIMARY))), Ok(()));
}

#[test]
fn what_adoption_writes_is_what_counts_as_on_the_switch() {
    let before = view("app.example.com", PRIMARY, Some(&armed(-7_200, ArmedBy::Operator)));
    let write = adopt(&before, "switch", at(60)).unwrap().unwrap();
    let mut sets: Vec<_> = write
        .changes
        .iter()
        .filter_map(|change| if let Change::Create(set) = change { Some(set.clone()) } else { None })
        .collect();
    sets.extend(a_pair(&app(), PRIMARY).into_iter().filter(|set| format!("{:?}", set.routing).contains("Secondary")));
    assert!(sets.iter().any(|set| matches!(set.routing, Routing::Failover { .. })));
    let after = NameView::of_name("Z1", &app(), &sets);
    assert_eq!(commits(&with_switch(), &[after], |_| Some(incident(0))), Some(incident(0)));
}
