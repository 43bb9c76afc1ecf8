//! The rules of pin and promotion, stated a second time and in another form than the tables that ship: from docs/rules.md and the invariants of
//! ARCHITECTURE.md, as conditions that stand in no order, over facts in plain terms. Whatever is seen, both must say the same, so a rule that
//! is wrong is not wrong in both.

mod causes;
mod database;
mod pins;
mod sight;
mod workload;

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fmt::Debug;

use crate::common::{at, plan};
use failover::pin;
use failover::promotion::{GATE_TABLE, REPLICA_TABLE, Verdict, decide_gate, decide_replica};
use failover::rule::Id;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestRunner};

/// So many that every row of the tables decides a dozen times or more.
const SIGHTS: u32 = 10_000;

/// Holds `compare` against many of what `sights` makes; which rows decided.
fn compare_all<S: Debug>(
    sights: impl Strategy<Value = S>,
    compare: impl Fn(&S) -> Result<Id, TestCaseError>,
) -> BTreeSet<Id> {
    let config = Config { cases: SIGHTS, failure_persistence: None, max_shrink_iters: 5_000, ..Config::default() };
    let decided = RefCell::new(BTreeSet::new());
    let compared = TestRunner::new(config).run(&sights, |sight| {
        decided.borrow_mut().insert(compare(&sight)?);
        Ok(())
    });
    if let Err(difference) = compared {
        panic!("{difference}");
    }
    decided.into_inner()
}

/// A verdict, and when it is the one.
type Sentence<S, V> = (V, fn(&S) -> bool);

/// The one of `sentences` that holds.
fn only<S, V: Copy + Debug>(sentences: &[Sentence<S, V>], sight: &S) -> Result<V, TestCaseError> {
    let holding: Vec<_> = sentences.iter().filter(|(_, holds)| holds(sight)).map(|(verdict, _)| *verdict).collect();
    prop_assert!(holding.len() == 1, "of each sight one sentence holds: {:?}", holding);
    Ok(holding[0])
}

#[test]
fn pins_are_decided_as_a_second_statement_of_their_rules_says() {
    let decided = compare_all(sight::sights(), |sight| {
        let seen = sight.observation();
        let decision = pin::decide(&sight.plan(), &seen, &seen.names[0]);
        let (row, verdict) = (decision.row.id, only(pins::SENTENCES, sight)?);
        prop_assert_eq!((row, decision.row.verdict), (row, verdict));
        prop_assert_eq!((row, decision.row.attention), (row, sight.attention(verdict)));
        prop_assert_eq!(decision.incident, sight.incident());
        prop_assert!(sight.is_so(row), "{} tells of something that is not so", row);
        let despite = if row.rule.is_liftable() { sight.all_hurdles() } else { BTreeSet::new() };
        prop_assert_eq!(decision.despite, despite, "one approval lifts all that stands in the way");
        Ok(row)
    });
    assert_eq!(decided, pin::rows().into_keys().collect(), "every row has decided");
}

#[test]
fn promotion_begins_as_a_second_statement_of_its_rules_says() {
    let decided = compare_all(workload::workloads(), |workload| {
        let decision = decide_gate(&plan(), at(workload.now), &workload.views(), &workload.changes());
        let (row, gate) = (decision.row.id, only(workload::SENTENCES, workload)?);
        prop_assert_eq!((row, decision.row.verdict), (row, gate));
        prop_assert_eq!((row, decision.row.attention), (row, workload.attention(gate)));
        prop_assert_eq!(decision.incident, workload.incident());
        prop_assert!(workload.is_so(row), "{} tells of something that is not so", row);
        Ok(row)
    });
    assert_eq!(decided, GATE_TABLE.iter().map(|row| row.id).collect(), "every row has decided");
}

#[test]
fn each_database_is_promoted_as_a_second_statement_of_its_rules_says() {
    let decided = compare_all(database::sights(), |sight| {
        let (replica, approval) = (sight.replica(), sight.approval());
        let decision = decide_replica(&sight.plan(), at(sight.now), &sight.failover(), &replica, approval.as_ref());
        let (row, verdict) = (decision.row.id, only(database::SENTENCES, sight)?);
        prop_assert_eq!((row, decision.row.verdict), (row, verdict));
        prop_assert_eq!((row, decision.row.attention), (row, sight.attention(verdict)));
        prop_assert_eq!(decision.to_record, sight.to_record(verdict));
        prop_assert_eq!(decision.call.map(|call| call.replica()), (verdict == Verdict::Promote).then_some(replica.id));
        prop_assert!(sight.is_so(row), "{} tells of something that is not so", row);
        Ok(row)
    });
    assert_eq!(decided, REPLICA_TABLE.iter().map(|row| row.id).collect(), "every row has decided");
}
