//! The promotion rules: state in, verdict out.

use std::collections::BTreeSet;

use crate::common::*;
use failover::observation::{Attention, ChangeStatus, Changes, NameView};
use failover::promotion::{GATE_TABLE, Gate, GateDecision, decide_gate, failed_over as closed, in_sync as arrived};
use failover::record::{Digest, RecordSet, Routing, Target};
use failover::register::{ArmedBy, Pin, Register, Spread};
use failover::rule::Rule;

/// What differs from the state in which all goes on, and the row that decides: rule, beginning of condition, verdict.
type Case<State, V> = (&'static str, fn(&mut State), Rule, &'static str, V);

/// What the gate is decided from.
struct Workload {
    now: i64,
    names: Vec<NameView>,
    changes: Changes,
}

impl Workload {
    /// Two names, both pinned, in sync since second 100. Their clients drain for 60 s of TTL and the plan's 60 s.
    fn drained() -> Self {
        let register = pinned(0, in_sync(100));
        let names = ["app.example.com", "api.example.com"].map(|of| view(of, DR, Some(&register)));
        Self { now: 220, names: names.into(), changes: Changes::new() }
    }

    /// The first name says this; its records point at DR.
    fn first(&mut self, register: Option<&Register>) {
        self.names[0] = view("app.example.com", DR, register);
    }

    fn status(&mut self, id: &str, status: ChangeStatus) {
        self.changes.insert(id.to_owned(), status);
    }

    fn decide(&self) -> GateDecision {
        decide_gate(&plan(), at(self.now), &self.names, &self.changes)
    }
}

const NONE_PINNED: &str = "no name is pinned";
const FAILED_OVER: &str = "the workload has failed over";
const NOT_EVERY: &str = "not every name";
const CHANGED: &str = "somebody changed";
const SPREADING: &str = "the pin is not known";
const LATE: &str = "the pin was made more than 10 minutes ago";
const ARRIVED: &str = "the pin has arrived";
const DRAINING: &str = "clients may still";
const OPEN: &str = "the pin is in sync";

#[test]
fn while_a_pin_is_on_its_way_nobody_knows_when_clients_have_drained() {
    let mut workload = Workload::drained();
    workload.first(Some(&pinned(0, change("C1"))));
    workload.status("C1", ChangeStatus::Pending);
    let decision = workload.decide();
    assert_eq!((decision.row.id, decision.since), (Rule::R02.row('b'), Some(at(30))), "since the pin was made");
    assert!(decision.facts.iter().all(|fact| fact.about != "clients drained"), "{:?}", decision.facts);
}

#[rustfmt::skip]
const GATE_CASES: &[Case<Workload, Gate>] = &[
    ("armed names keep the gate closed", |w| w.names = vec![view("app.example.com", PRIMARY, Some(&armed(0, ArmedBy::Operator)))], Rule::R01, NONE_PINNED, Gate::Closed),
    ("so do names without a register", |w| w.names = vec![view("app.example.com", DR, None)], Rule::R01, NONE_PINNED, Gate::Closed),
    ("so does a workload without names", |w| w.names.clear(), Rule::R01, NONE_PINNED, Gate::Closed),
    ("so does a workload that has failed over", |w| w.names = vec![view("app.example.com", DR, Some(&failed_over(0)))], Rule::R01, FAILED_OVER, Gate::Closed),
    ("even when its records drift", |w| w.names = vec![view("app.example.com", PRIMARY, Some(&failed_over(0)))], Rule::R01, FAILED_OVER, Gate::Closed),
    ("even when a name is added to it", |w| { w.first(Some(&failed_over(0))); w.names[1] = view("api.example.com", PRIMARY, None); }, Rule::R01, FAILED_OVER, Gate::Closed),
    ("even when its failback is half done", |w| { w.first(Some(&failed_over(0))); w.names[1] = view("api.example.com", PRIMARY, Some(&armed(900, ArmedBy::Failback))); }, Rule::R01, FAILED_OVER, Gate::Closed),
    ("one armed name keeps all waiting", |w| w.first(Some(&armed(-7_200, ArmedBy::Operator))), Rule::R01, NOT_EVERY, Gate::Wait),
    ("one disarmed name keeps all waiting", |w| w.first(Some(&disarmed())), Rule::R01, NOT_EVERY, Gate::Wait),
    ("one name in maintenance keeps all waiting", |w| w.first(Some(&paused(9_000))), Rule::R01, NOT_EVERY, Gate::Wait),
    ("one name added in the incident keeps all waiting", |w| w.first(None), Rule::R01, NOT_EVERY, Gate::Wait),
    ("one unreadable register keeps all waiting", |w| w.names[0] = unreadable("app.example.com", DR), Rule::R01, NOT_EVERY, Gate::Wait),
    ("drift keeps all waiting", |w| w.names[0] = view("app.example.com", PRIMARY, Some(&pinned(0, in_sync(100)))), Rule::R01, CHANGED, Gate::Wait),
    ("drift of a failed-over name keeps the others waiting", |w| w.names[0] = view("app.example.com", PRIMARY, Some(&failed_over(0))), Rule::R01, CHANGED, Gate::Wait),
    ("so do records that agree, on the old primary", |w| w.names[0] = led_home(PRIMARY), Rule::R01, CHANGED, Gate::Wait),
    ("and those that agree on an alias to its record", |w| w.names[0] = led_home("198.51.100.77"), Rule::R01, CHANGED, Gate::Wait),
    ("a pinned name without its pair keeps all waiting", |w| { let set = pinned(0, in_sync(100)).record_set(&app()).unwrap(); w.names[0] = NameView::of_name("Z1", &app(), &[set]); }, Rule::R01, CHANGED, Gate::Wait),
    ("a pin whose change is not on record keeps all waiting, for 3 minutes quietly", |w| { w.first(Some(&pinned(0, unrecorded(30)))); w.now = 209; }, Rule::R02, SPREADING, Gate::Wait),
    ("and then people look", |w| { w.first(Some(&pinned(0, unrecorded(30)))); w.now = 210; }, Rule::R02, LATE, Gate::Wait),
    ("a record that somebody edited since is late by its pin's time", |w| { w.first(Some(&pinned(0, unrecorded(31)))); w.now = 629; }, Rule::R02, SPREADING, Gate::Wait),
    ("a pending change keeps all waiting", |w| { w.first(Some(&pinned(0, change("C1")))); w.status("C1", ChangeStatus::Pending); }, Rule::R02, SPREADING, Gate::Wait),
    ("a lost change keeps all waiting", |w| { w.first(Some(&pinned(0, change("C1")))); w.status("C1", ChangeStatus::Lost); }, Rule::R02, SPREADING, Gate::Wait),
    ("a change not asked for keeps all waiting", |w| w.first(Some(&pinned(0, change("C1")))), Rule::R02, SPREADING, Gate::Wait),
    ("another change's arrival is no news of this one", |w| { w.first(Some(&pinned(0, change("C1")))); w.status("C2", ChangeStatus::InSync); }, Rule::R02, SPREADING, Gate::Wait),
    ("one of two changes keeps all waiting", |w| { both(w, "C1", "C2"); w.status("C1", ChangeStatus::InSync); w.status("C2", ChangeStatus::Pending); }, Rule::R02, SPREADING, Gate::Wait),
    ("for 10 minutes that is usual", |w| { w.first(Some(&pinned(0, change("C1")))); w.now = 629; }, Rule::R02, SPREADING, Gate::Wait),
    ("and then it is not", |w| { w.first(Some(&pinned(0, change("C1")))); w.now = 630; }, Rule::R02, LATE, Gate::Wait),
    ("nor that no change is on record, however often it is tried", |w| { w.first(Some(&pinned(0, unrecorded(629)))); w.now = 630; }, Rule::R02, LATE, Gate::Wait),
    ("the first of two late pins counts", |w| { both(w, "C1", "C2"); w.first(Some(&pinned_at(400, change("C1")))); w.now = 630; }, Rule::R02, LATE, Gate::Wait),
    ("but not one that has arrived", |w| { w.first(Some(&pinned_at(400, change("C1")))); w.now = 999; }, Rule::R02, SPREADING, Gate::Wait),
    ("a pin that arrives late has arrived", |w| { w.first(Some(&pinned(0, change("C1")))); w.status("C1", ChangeStatus::InSync); w.now = 9_000; }, Rule::R02, ARRIVED, Gate::RecordInSync),
    ("a pin in the far future is never late", |w| { w.names = vec![view("app.example.com", DR, Some(&Register::Pinned { pin: Pin { at: jiff::Timestamp::MAX, ..pin(0, 0) }, spread: change("C1") }))]; w.now = 9_000; }, Rule::R02, SPREADING, Gate::Wait),
    ("when both have arrived that is put on record", |w| { both(w, "C1", "C2"); w.status("C1", ChangeStatus::InSync); w.status("C2", ChangeStatus::InSync); }, Rule::R02, ARRIVED, Gate::RecordInSync),
    ("when the last has arrived that is put on record", |w| { w.first(Some(&pinned(0, change("C1")))); w.status("C1", ChangeStatus::InSync); }, Rule::R02, ARRIVED, Gate::RecordInSync),
    ("clients drain to the last second", |w| w.now = 219, Rule::R02, DRAINING, Gate::Wait),
    ("the last of the names counts", |w| w.first(Some(&pinned(0, in_sync(101)))), Rule::R02, DRAINING, Gate::Wait),
    ("the longest TTL counts", |w| w.first(Some(&with_ttl(61))), Rule::R02, DRAINING, Gate::Wait),
    ("it is what the PRIMARY said before, not what the pin says", |w| { w.first(Some(&with_ttl(300))); w.now = 459; }, Rule::R02, DRAINING, Gate::Wait),
    ("and then the gate opens", |w| { w.first(Some(&with_ttl(300))); w.now = 460; }, Rule::R08, OPEN, Gate::Open),
    ("the longest TTL on record counts", |w| { w.first(Some(&knowing_ttl(300))); w.now = 459; }, Rule::R02, DRAINING, Gate::Wait),
    ("and no longer than that", |w| { w.first(Some(&knowing_ttl(300))); w.now = 460; }, Rule::R08, OPEN, Gate::Open),
    ("and never less than the original's", |w| { w.first(Some(&knowing_ttl(1))); w.now = 219; }, Rule::R02, DRAINING, Gate::Wait),
    ("an alias drains for the 60 s that AWS keeps its answers", |w| { w.first(Some(&from_alias())); w.names.truncate(1); w.now = 219; }, Rule::R02, DRAINING, Gate::Wait),
    ("and no longer", |w| { w.first(Some(&from_alias())); w.names.truncate(1); }, Rule::R08, OPEN, Gate::Open),
    ("a pin in sync in the far future never drains", |w| w.first(Some(&pinned(0, Spread::InSync { at: jiff::Timestamp::MAX }))), Rule::R02, DRAINING, Gate::Wait),
    ("when all have drained the gate opens", |_| {}, Rule::R08, OPEN, Gate::Open),
    ("a name already failed over does not keep the others waiting", |w| w.first(Some(&failed_over(0))), Rule::R08, OPEN, Gate::Open),
    ("a mix of both waits for the pinned", |w| { w.first(Some(&failed_over(0))); w.now = 219; }, Rule::R02, DRAINING, Gate::Wait),
];

fn both(workload: &mut Workload, first: &str, second: &str) {
    workload.first(Some(&pinned(0, change(first))));
    workload.names[1] = view("api.example.com", DR, Some(&pinned(0, change(second))));
}

fn pinned_at(seconds: i64, spread: Spread) -> Register {
    Register::Pinned { pin: Pin { at: at(seconds), ..pin(0, 0) }, spread }
}

/// Pinned and in sync like the others, from a PRIMARY record of this TTL.
fn with_ttl(seconds: u32) -> Register {
    let original = [("A".to_owned(), values(seconds, &[PRIMARY])), ("AAAA".to_owned(), alias("p.elb"))].into();
    Register::Pinned { pin: Pin { original, ..pin(0, 0) }, spread: in_sync(100) }
}

/// As [`pinned`], and on record that resolvers were given this TTL.
fn knowing_ttl(seconds: u32) -> Register {
    Register::Pinned { pin: Pin { ttl_seconds: Some(seconds), ..pin(0, 0) }, spread: in_sync(100) }
}

/// A pinned name that was at `PRIMARY`, by a record that its PRIMARY was an alias of, and is at `to` now, as both of its
/// records say, by an alias.
fn led_home(to: &str) -> NameView {
    let own = |name: &str| Target::Alias { zone: "Z1".to_owned(), name: name.to_owned(), evaluate_health: false };
    let home = [Digest::of("198.51.100.77")].into();
    let register = Register::Pinned { pin: Pin { home, ..pin(0, 0) }, spread: in_sync(100) };
    let mut sets = pair(&app(), "A", own("leaf.example.com"), own("leaf.example.com"));
    let leaf = RecordSet { name: name("leaf.example.com"), routing: Routing::Simple, ..sets[0].clone() };
    sets.push(RecordSet { target: values(60, &[to]), ..leaf });
    sets.push(register.record_set(&app()).unwrap());
    NameView::of_name("Z1", &app(), &sets)
}

fn from_alias() -> Register {
    let original = [("A".to_owned(), alias("p.elb"))].into();
    Register::Pinned { pin: Pin { original, ..pin(0, 0) }, spread: in_sync(100) }
}

fn workload(differs: fn(&mut Workload)) -> Workload {
    let mut workload = Workload::drained();
    differs(&mut workload);
    workload
}

#[test]
fn each_state_of_the_workload_is_decided_by_its_row() {
    for (story, differs, rule, condition, verdict) in GATE_CASES {
        let row = workload(*differs).decide().row;
        assert!(
            (row.id.rule, row.verdict) == (*rule, *verdict) && row.condition.starts_with(condition),
            "{story}: {row:?}"
        );
    }
}

#[test]
fn every_row_about_the_workload_is_reached() {
    let reached: BTreeSet<_> =
        GATE_CASES.iter().map(|(_, differs, ..)| workload(*differs).decide().row.condition).collect();
    for row in GATE_TABLE {
        assert!(reached.contains(row.condition), "no case reaches {row:?}");
    }
}

#[test]
fn whoever_holds_promotion_up_is_named_and_paged() {
    let decision = workload(|w| w.first(Some(&disarmed()))).decide();
    assert_eq!(decision.row.attention, Attention::Page);
    assert!(decision.facts.iter().any(|fact| fact.about == "not pinned" && fact.seen == "app.example.com"));
}

#[test]
fn the_gate_speaks_of_the_newest_incident_and_of_when_it_opened() {
    let newer = Register::Pinned { pin: pin(10, 0), spread: in_sync(100) };
    let mut workload = Workload::drained();
    workload.first(Some(&newer));
    assert_eq!(workload.decide().incident, Some(incident(10)));
    assert_eq!(workload.decide().since, Some(at(220)));
    both(&mut workload, "C1", "C2");
    assert_eq!(workload.decide().since, Some(at(30)), "until it can open, since the pin");
    workload.first(Some(&pinned_at(35, change("C1"))));
    assert_eq!(workload.decide().since, Some(at(35)), "the last of them");
}

#[test]
fn a_wait_that_has_become_too_long_pages_from_then_on() {
    let mut workload = Workload::drained();
    both(&mut workload, "C1", "C2");
    for (now, attention, since) in
        [(629, Attention::None, 30), (630, Attention::Page, 630), (9_000, Attention::Page, 630)]
    {
        workload.now = now;
        let decision = workload.decide();
        assert_eq!((decision.row.attention, decision.since), (attention, Some(at(since))));
    }
}

/// Every register a name may have, with its records at DR or drifted.
fn states() -> Vec<NameView> {
    let mut registers = vec![None, Some(disarmed()), Some(armed(-7_200, ArmedBy::Operator)), Some(paused(9_000))];
    registers.extend([0, 2].map(|repins| Some(failed_over(repins))));
    let spreads = [unrecorded(31), change("pending"), change("arrived"), change("lost"), in_sync(100), in_sync(101)];
    registers.extend(spreads.map(|spread| Some(pinned(0, spread))));
    let of_both = |register: Option<Register>| [DR, PRIMARY].map(|to| view("app.example.com", to, register.as_ref()));
    let known = registers.into_iter().flat_map(of_both);
    known.chain([DR, PRIMARY].map(|to| unreadable("app.example.com", to))).collect()
}

/// What Route 53 says of the changes in [`states`].
fn statuses() -> Changes {
    [("pending", ChangeStatus::Pending), ("arrived", ChangeStatus::InSync), ("lost", ChangeStatus::Lost)]
        .map(|(id, status)| (id.to_owned(), status))
        .into()
}

#[test]
fn what_is_put_on_record_of_a_pin_is_that_its_change_arrived_and_that_it_failed_over() {
    let changes = statuses();
    let (mut arrivals, mut ends) = (0, 0);
    for name in states() {
        let has_arrived = name.register() == Some(&pinned(0, change("arrived")));
        assert_eq!(arrived(&name, &changes, at(90)), has_arrived.then(|| pinned(0, in_sync(90))), "{name:?}");
        let is_pinned = matches!(name.register(), Some(Register::Pinned { .. }));
        assert_eq!(closed(&name, at(600)), is_pinned.then(|| failed_over(0)), "{name:?}");
        arrivals += usize::from(has_arrived);
        ends += usize::from(is_pinned);
    }
    assert_eq!((arrivals, ends), (2, 12), "with the records at DR, and drifted");
}

#[test]
fn never_promote_before_every_pin_is_in_sync_and_drained_and_stands() {
    let changes = statuses();
    let may_promote = |name: &NameView| match name.register() {
        Some(Register::Pinned { spread: Spread::InSync { at: since }, .. }) => *since == at(100) && name.agrees(),
        Some(Register::FailedOver { .. }) => name.agrees(),
        _ => false,
    };
    let mut opened = 0;
    for first in states() {
        for second in states() {
            let names = vec![first.clone(), second];
            let gate = decide_gate(&plan(), at(220), &names, &changes).row.verdict;
            if gate == Gate::Open {
                assert!(names.iter().all(may_promote), "{names:?}");
                opened += 1;
            }
        }
    }
    assert_eq!(opened, 5, "in sync beside in sync or failed over (of either count of repins), in either order");
}

#[test]
fn whatever_a_decision_about_the_workload_saw_is_told() {
    let workload = workload(|w| {
        w.names.push(view("www.example.com", PRIMARY, None));
        w.names.push(view("old.example.com", DR, Some(&failed_over(0))));
    });
    let seen = [
        "time: 2026-01-01T12:03:40Z",
        "names: 2 pinned, 1 failed over, 1 neither",
        "not pinned: www.example.com",
        "clients drained: 2026-01-01T12:03:40Z",
    ];
    assert_eq!(lines(&workload.decide().facts), seen);
    let pinned = self::workload(|_| {}).decide().facts;
    assert_eq!(lines(&pinned)[1], "names: 2 pinned", "a state that no name is in is left out");
}
