//! The decisions: those that ship, and, to show that the checker notices, some that are wrong on purpose.

use failover::change::{self, Change, Write};
use failover::failback::{self, RestoreError};
use failover::incident::{Approval, Incident};
use failover::observation::{ChangeStatus, Changes, NameView};
use failover::pin::{self, Observation, Verdict};
use failover::plan::Plan;
use failover::promotion::{self, GateDecision, ReplicaDecision, ReplicaView};
use failover::record::Target;
use failover::register::{Register, RegisterError};
use failover::rule::Rule;
use jiff::Timestamp;

use crate::steps::{Bounds, Checked, Holdfast};
use crate::watch::Violation;

/// Every decision the model makes.
#[expect(clippy::type_complexity, reason = "these are the signatures of the functions named")]
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    /// `failover::pin::decide`.
    pub decide_pin: fn(&Plan, &Observation, &NameView) -> pin::Decision,
    /// `failover::change::write`.
    pub write: fn(&NameView, Verdict, Option<&Incident>, Timestamp) -> Result<Option<Write>, RegisterError>,
    /// `failover::promotion::decide_gate`.
    pub decide_gate: fn(&Plan, Timestamp, &[NameView], &Changes) -> GateDecision,
    /// `failover::promotion::decide_replica`.
    pub decide_replica:
        fn(&Plan, Timestamp, &Incident, Option<Timestamp>, &ReplicaView, Option<&Approval>) -> ReplicaDecision,
    /// `failover::failback::restore`.
    pub restore: fn(&Plan, &NameView, Timestamp, &str) -> Result<Option<Write>, RestoreError>,
    /// What is made of Route 53's answer about a change.
    pub believe: fn(ChangeStatus) -> ChangeStatus,
    /// Whether a batch is refused if what it deletes is not there.
    pub compares: bool,
}

impl Rules {
    /// What ships.
    #[must_use]
    pub fn shipped() -> Self {
        Self {
            decide_pin: pin::decide,
            write: change::write,
            decide_gate: promotion::decide_gate,
            decide_replica: promotion::decide_replica,
            restore: failback::restore,
            believe: |status| status,
            compares: true,
        }
    }
}

/// A decision that is wrong on purpose.
#[derive(Clone, Copy, Debug)]
pub struct Mutation {
    /// What is wrong with it.
    pub name: &'static str,
    /// How.
    pub bend: fn(&mut Rules),
    /// Where it shows.
    pub within: Bounds,
    /// Which property notices.
    pub noticed_by: Violation,
}

impl Mutation {
    /// Explores until somebody notices, by one thread, so that it is always the same who does.
    #[must_use]
    pub fn check(&self) -> Checked {
        let mut holdfast = Holdfast::shipped(self.within);
        (self.bend)(&mut holdfast.rules);
        holdfast.check(1)
    }
}

/// Deliberate faults, and who notices.
pub const MUTATIONS: &[Mutation] = &[
    Mutation {
        name: "the compare-and-swap is dropped: what is there is deleted, whatever it is",
        bend: |rules| rules.compares = false,
        within: Bounds { people: 1, ..Bounds::PEOPLE },
        noticed_by: Violation::WroteWhileOff,
    },
    Mutation {
        name: "every change counts as in sync",
        bend: |rules| rules.believe = |_| ChangeStatus::InSync,
        within: Bounds::RACES,
        noticed_by: Violation::PromotedTooEarly,
    },
    Mutation {
        name: "clients are given no time to drain",
        bend: |rules| {
            rules.decide_gate = |plan, now, names, changes| {
                promotion::decide_gate(plan, now + jiff::SignedDuration::from_secs(600), names, changes)
            };
        },
        within: Bounds::RACES,
        noticed_by: Violation::PromotedTooEarly,
    },
    Mutation {
        name: "a pinned name is pinned again whatever its records say",
        bend: |rules| {
            rules.decide_pin = |plan, seen, view| {
                let mut decision = pin::decide(plan, seen, view);
                if decision.row.rule == Rule::P03 {
                    decision.row = row_of(Verdict::Repin);
                }
                decision
            };
        },
        within: Bounds { promoters: 0, starts: 4, time: 0, people: 3, ..Bounds::PEOPLE },
        noticed_by: Violation::PinnedTwice,
    },
    Mutation {
        name: "a maintenance is no reason to hold",
        bend: |rules| rules.decide_pin = |plan, seen, view| instead_of(Rule::P05, plan, seen, view),
        within: Bounds { people: 1, ..Bounds::PEOPLE },
        noticed_by: Violation::WroteWhileOff,
    },
    Mutation {
        name: "disarmed is no reason to refuse",
        bend: |rules| rules.decide_pin = |plan, seen, view| instead_of(Rule::P04, plan, seen, view),
        within: Bounds { people: 1, ..Bounds::PEOPLE },
        noticed_by: Violation::WroteWhileOff,
    },
    Mutation {
        name: "an alarm from before the failback counts",
        bend: |rules| rules.decide_pin = |plan, seen, view| instead_of(Rule::P06, plan, seen, view),
        within: Bounds { people: 1, ..Bounds::PEOPLE },
        noticed_by: Violation::PinnedForOldAlarm,
    },
    Mutation {
        name: "the primary's own answer is ignored",
        bend: |rules| rules.decide_pin = |plan, seen, view| instead_of(Rule::P09, plan, seen, view),
        within: Bounds::RACES,
        noticed_by: Violation::SkippedRule,
    },
    Mutation {
        name: "the settle time and the cool-down are forgotten",
        bend: |rules| rules.decide_pin = |plan, seen, view| instead_of(Rule::P08, plan, seen, view),
        within: Bounds { people: 1, ..Bounds::PEOPLE },
        noticed_by: Violation::SkippedRule,
    },
    Mutation {
        name: "one field of what the PRIMARY record said is not kept",
        bend: |rules| {
            rules.write = |view, verdict, incident, now| {
                let mut written = change::write(view, verdict, incident, now)?;
                if let Some(write) = &mut written
                    && let Register::Pinned { pin, .. } = &mut write.register
                {
                    for target in pin.original.values_mut() {
                        if let Target::Values { ttl_seconds, .. } = target {
                            *ttl_seconds += 1;
                        }
                    }
                    let set = write.register.record_set(&view.name)?;
                    let is_register =
                        |change: &&mut Change| matches!(change, Change::Create(it) if it.name == set.name);
                    write.changes.iter_mut().filter(is_register).for_each(|it| *it = Change::Create(set.clone()));
                }
                Ok(written)
            };
        },
        within: Bounds::RACES,
        noticed_by: Violation::OriginalLost,
    },
    Mutation {
        name: "a failback leaves the PRIMARY record on DR",
        bend: |rules| {
            rules.restore = |plan, view, now, by| {
                let mut written = failback::restore(plan, view, now, by)?;
                if let Some(write) = &mut written {
                    write.changes.truncate(2);
                }
                Ok(written)
            };
        },
        within: Bounds { people: 1, ..Bounds::PEOPLE },
        noticed_by: Violation::NotRestored,
    },
];

/// What would have been decided without a rule that holds things up: the pin.
fn instead_of(rule: Rule, plan: &Plan, seen: &Observation, view: &NameView) -> pin::Decision {
    let mut decision = pin::decide(plan, seen, view);
    if decision.row.rule == rule && decision.incident.is_some() {
        decision.row = row_of(Verdict::Pin);
    }
    decision
}

/// The table's last row of that verdict.
#[expect(clippy::expect_used, reason = "the table has a row of every verdict that is asked for here")]
fn row_of(verdict: Verdict) -> &'static pin::Row {
    pin::TABLE.iter().rfind(|row| row.verdict == verdict).expect("the table has such a row")
}
