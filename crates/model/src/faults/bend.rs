//! How decisions and writes are bent.

use failover::change::{Change, Write};
use failover::observation::NameView;
use failover::pin::{self, Observation, Verdict};
use failover::plan::Plan;
use failover::record::{Pair, RecordSet, Target};
use failover::register::{Pin, Register};
use failover::rule::Rule;

/// What would have been decided without a rule that holds things up: the pin.
pub(super) fn instead_of(rule: Rule, plan: &Plan, seen: &Observation, view: &NameView) -> pin::Decision {
    let mut decision = pin::decide(plan, seen, view);
    if decision.row.id.rule == rule && decision.incident.is_some() {
        decision.row = row_of(Verdict::Pin);
    }
    decision
}

/// Another verdict than the shipped one.
pub(super) fn instead(from: Verdict, to: Verdict, plan: &Plan, seen: &Observation, view: &NameView) -> pin::Decision {
    let mut decision = pin::decide(plan, seen, view);
    if decision.row.verdict == from {
        decision.row = row_of(to);
    }
    decision
}

/// The tables' last row of that verdict.
#[expect(clippy::expect_used, reason = "the table has a row of every verdict that is asked for here")]
pub(super) fn row_of(verdict: Verdict) -> &'static pin::Row {
    pin::rows().into_values().rfind(|row| row.verdict == verdict).expect("the table has such a row")
}

/// The write with other originals in the register.
pub(super) fn with_original(write: Write, view: &NameView, change: impl Fn(&Target) -> Target) -> Write {
    with_pin(write, view, |pin| {
        let original = pin.original.iter().map(|(kind, target)| (kind.clone(), change(target))).collect();
        Pin { original, ..pin.clone() }
    })
}

/// The write with another pin in the register.
pub(super) fn with_pin(write: Write, view: &NameView, changed: impl Fn(&Pin) -> Pin) -> Write {
    let register = match &write.register {
        Register::Pinned { pin, spread } => Register::Pinned { pin: changed(pin), spread: spread.clone() },
        Register::FailedOver { at, pin } => Register::FailedOver { at: *at, pin: changed(pin) },
        register => register.clone(),
    };
    with_register(write, view, register)
}

/// The write with another register.
pub(super) fn with_register(mut write: Write, view: &NameView, register: Register) -> Write {
    if let Ok(set) = register.record_set(&view.name) {
        for change in &mut write.changes {
            if matches!(change, Change::Create(it) if it.name == set.name) {
                *change = Change::Create(set.clone());
            }
        }
        write.register = register;
    }
    write
}

/// The name as if its records were pinned.
pub(super) fn as_pinned(view: &NameView) -> NameView {
    let sets = |pair: &Pair| -> [RecordSet; 2] { [pair.pinned(), pair.secondary().clone()] };
    let sets: Vec<_> = view.pairs.iter().flatten().flat_map(sets).collect();
    NameView { pairs: Pair::of_name(&view.name, &sets), ..view.clone() }
}
