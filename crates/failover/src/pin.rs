//! The pin rules, P01–P15: whether a name's PRIMARY record is pinned to DR.
//!
//! What the register says picks one of the small tables in `tables`; of its rows the first whose condition holds
//! decides, and the last where none does.

mod conditions;
mod facts;
mod fault;
mod tables;

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::incident::{AlarmState, Approval, Incident};
use crate::latch;
use crate::listing::Source;
use crate::observation::{Alarms, Changes, Fact, NameView, Probes};
use crate::plan::Plan;
use crate::register::{ArmedBy, Register, Spread};
use crate::rehearsal;
use crate::rule::{Rule, first};
pub use crate::verdict::Verdict;
use conditions::Facts;
pub use fault::{Fault, fault};
pub(crate) use tables::HELD_TOO_LONG;
pub use tables::{Row, rows};

/// How long whoever pinned may take to put the change's id on record before another does it, in seconds.
pub const RECORDING_SECONDS: u32 = 30;

/// A second more for so many names: of ten thousand, the batches that pin and those that record take a minute together at the
/// five requests a second that Route 53 takes.
const NAMES_RECORDED_A_SECOND: usize = 100;

/// All that is known when a pin is decided.
#[derive(Clone, Debug)]
pub struct Observation {
    /// AWS's own time.
    pub now: Timestamp,
    /// What the alarms say.
    pub alarms: Alarms,
    /// Whether the switch hears Holdfast's heartbeat, by the alarm that it goes by; none if there is no switch, or if that is not known.
    pub hold: Option<AlarmState>,
    /// The latch, as DR's store has it.
    pub latch: latch::Reading,
    /// Where the names are known from.
    pub source: Source,
    /// What our own health requests found.
    pub probes: Probes,
    /// Every protected name.
    pub names: Vec<NameView>,
    /// The changes that carry pins not yet seen in sync.
    pub changes: Changes,
    /// An approval, if that is what woke us.
    pub approval: Option<Approval>,
    /// An alarm woke us that the plan does not name.
    pub foreign_alarm: bool,
}

impl Observation {
    /// The incidents for which some name is pinned, and into which the workload's other names follow. One that has failed over takes no
    /// name along any more: its databases are promoted, and a name armed since is in another incident.
    #[must_use]
    pub fn committed(&self) -> BTreeSet<&Incident> {
        let pins = self.names.iter().filter_map(|name| match name.register() {
            Some(Register::Pinned { pin, .. }) => Some(&pin.incident),
            _ => None,
        });
        pins.filter(|incident| !incident.is_drill()).collect()
    }
}

/// What a rule decided about one name.
#[derive(Clone, Debug)]
pub struct Decision {
    /// The protected name.
    pub name: crate::name::Name,
    /// Which row decided.
    pub row: &'static Row,
    /// The incident it belongs to, if there is one.
    pub incident: Option<Incident>,
    /// Since when the name has been in the state it is in: pinned, failed over, or in an incident.
    pub since: Option<Timestamp>,
    /// What one approval would have to lift: the deciding rule, and each after it that would stand in the way next.
    pub despite: BTreeSet<Rule>,
    /// What it saw.
    pub facts: Vec<Fact>,
}

/// Decides about one of the observation's names.
#[must_use]
pub fn decide(plan: &Plan, seen: &Observation, view: &NameView) -> Decision {
    decide_among(plan, seen, view, &seen.committed())
}

/// As [`decide`], for who decides about many names and asks once which incidents are [`Observation::committed`].
#[must_use]
pub fn decide_among(plan: &Plan, seen: &Observation, view: &NameView, committed: &BTreeSet<&Incident>) -> Decision {
    let fault = fault(plan, view).map(|fault| fault.to_string());
    let facts = Facts { plan, seen, view, committed, fault: fault.as_deref(), approval: seen.approval.as_ref() };
    let row = first(tables::of(&facts), |holds| holds(&facts));
    let incident = facts.incident();
    let since = match view.register() {
        // Written when the drift was first seen: see `change::leave`.
        Some(Register::Pinned { spread: Spread::Unrecorded { at }, .. }) if row.leaves_drift() => Some(*at),
        Some(Register::Pinned { .. }) if row.leaves_drift() => Some(seen.now),
        Some(Register::Pinned { pin, .. }) => Some(pin.at),
        Some(Register::FailedOver { at, .. }) => Some(*at),
        Some(register) if row.verdict == Verdict::Rehearse => rehearsal::due_since(plan, &view.zone, register),
        None if row.arms_settled() => facts.settled_at(),
        // What begins within an incident is told at once, and not when the incident is due again.
        Some(Register::Armed { since, .. }) if incident.is_some() => incident.as_ref().map(|it| it.began.max(*since)),
        _ => incident.as_ref().map(|incident| incident.began).or_else(|| facts.blind_since().flatten()),
    };
    let despite = if row.id.rule.is_liftable() { facts.in_the_way() } else { BTreeSet::new() };
    Decision { name: view.name.clone(), row, incident, since, despite, facts: facts.in_words() }
}

impl Row {
    fn arms_settled(&self) -> bool {
        matches!(self.verdict, Verdict::Arm(ArmedBy::Settling) | Verdict::ArmRehearsing(ArmedBy::Settling))
    }

    /// True if this row leaves a pinned name's records as they are though they do not agree.
    fn leaves_drift(&self) -> bool {
        matches!(self.verdict, Verdict::Yield | Verdict::LeaveSwapped | Verdict::Refuse)
    }
}
