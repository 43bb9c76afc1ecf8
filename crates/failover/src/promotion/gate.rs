//! `R01`, `R02` and `R08a`: the workload as a whole.

use jiff::Timestamp;

use super::{Page, Quiet, Row, after, decide, row};
use crate::incident::Incident;
use crate::observation::{ChangeStatus, Changes, Fact, NameView};
use crate::plan::Plan;
use crate::register::{Pin, Register, Spread};
use crate::rule::{Id, Rule};

/// How long a pin may be on its way, in seconds. A change is at every name server "generally within 60" seconds (Route 53,
/// GetChange); after ten times that people must look.
pub const ARRIVAL_SECONDS_MAX: u32 = 600;

/// How long a pin may stand by the latch alone, or without its change on record, in seconds: nobody could ask Route 53 about it. What
/// CloudWatch tells is at the name servers within "1–3 minutes" (a budget: AWS documents none).
pub const UNRECORDED_SECONDS_MAX: u32 = 180;

/// What the fact is about that says when clients have drained.
pub const CLIENTS_DRAINED: &str = "clients drained";

/// The pin is on its way to the name servers.
pub(super) const ARRIVING: Id = Rule::R02.row('b');
/// It is there, and that is yet to be put on record.
pub(super) const ARRIVED: Id = Rule::R02.row('c');
/// Clients drain.
pub(super) const DRAINING: Id = Rule::R02.row('d');

/// How many of the names that hold promotion up are told by name.
const UNPINNED_NAMED_MAX: usize = 10;

/// What to do about the workload as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Gate {
    /// Nothing is to be promoted.
    Closed,
    /// Not yet.
    Wait,
    /// Put on record that the pin is in sync.
    RecordInSync,
    /// Each replica is decided by itself.
    Open,
}

/// A row about the workload.
pub type GateRow = Row<GateFacts, Gate>;

/// The rules about the workload. The last row always holds; it opens the gate to [`REPLICA_TABLE`].
#[rustfmt::skip]
pub const GATE_TABLE: &[GateRow] = &[
    row(Rule::R01.row('a'), "no name is pinned", |f| f.pinned == 0 && f.failed_over == 0,
        Gate::Closed, Quiet, "nothing; replicas stay replicas"),
    row(Rule::R01.row('b'), "the workload has failed over already", |f| f.pinned == 0,
        Gate::Closed, Quiet, "nothing; the incident is closed"),
    row(Rule::R01.row('c'), "not every name is pinned", |f| !f.unpinned.is_empty(),
        Gate::Wait, Page, "no database is promoted while clients of those names may still write to the primary: pin them (arm them, or see why alarm-handler does not), or take them out of the plan"),
    row(Rule::R01.row('d'), "somebody changed the pinned records, or they lead where users were before the pin, or to a new place in that AWS region", |f| !f.agree,
        Gate::Wait, Quiet, "clients may be back on the primary; alarm-handler pins again or says why not"),
    row(Rule::R02.row('a'), "the pin was made more than 10 minutes ago, or has stood by the latch alone, or without a change on record, for 3, and is still not known to be at every name server", |f| f.overdue_at.is_some_and(|at| at <= f.now),
        Gate::Wait, Page, "no database is promoted until Route 53 says that the pin has arrived, or every name server shows the latch closed; see Route 53's status page, and alarm-handler's log if the pin's change is not on record"),
    row(ARRIVING, "the pin is not known to be at every name server", |f| f.overdue_at.is_some(),
        Gate::Wait, Quiet, "Holdfast asks Route 53 again within a minute"),
    row(ARRIVED, "the pin has arrived at every name server", |f| f.spreading,
        Gate::RecordInSync, Quiet, "clients of the primary drain now, for the records' TTL and the plan's drain time"),
    row(DRAINING, "clients may still hold the primary's address", |f| f.drained_at.is_some_and(|at| f.now < at),
        Gate::Wait, Quiet, "the databases are promoted when the clients have drained"),
    row(Rule::R08.row('a'), "the pin is in sync and clients have drained", |_| true,
        Gate::Open, Quiet, "each replica is promoted by its own state"),
];

/// What the conditions about the workload are written in.
#[derive(Debug)]
pub struct GateFacts {
    now: Timestamp,
    /// Names neither pinned nor failed over.
    unpinned: Vec<String>,
    pinned: usize,
    failed_over: usize,
    agree: bool,
    /// Some pin is not on record as in sync.
    spreading: bool,
    /// When the first of the pins that are not known to have arrived is overdue; none if all have arrived.
    overdue_at: Option<Timestamp>,
    drained_at: Option<Timestamp>,
}

/// What the rules decided about the workload.
#[derive(Clone, Debug)]
pub struct GateDecision {
    /// Which row decided.
    pub row: &'static GateRow,
    /// The incident that the names are pinned for.
    pub incident: Option<Incident>,
    /// Since when clients of the primary have been gone, or will be; until that is known, since when the names are pinned.
    /// Of a pin that should have arrived, since when it should have.
    pub since: Option<Timestamp>,
    /// What was seen.
    pub facts: Vec<Fact>,
}

/// Decides about the workload.
#[must_use]
pub fn decide_gate(plan: &Plan, now: Timestamp, names: &[NameView], changes: &Changes) -> GateDecision {
    let registers = || names.iter().filter_map(NameView::register);
    let spreads = || {
        registers().filter_map(|register| match register {
            Register::Pinned { pin, spread } => Some((pin, spread)),
            _ => None,
        })
    };
    let arrived = |spread: &Spread| match spread {
        Spread::InSync { .. } => true,
        Spread::Change { id } => changes.get(id) == Some(&ChangeStatus::InSync),
        Spread::Unrecorded { .. } => false,
    };
    let drained_at = spreads()
        .filter_map(|(pin, spread)| match spread {
            Spread::InSync { at } => {
                Some(after(*at, i64::from(pin.drain_ttl_seconds()) + i64::from(plan.limits.drain_seconds)))
            }
            _ => None,
        })
        .max();
    let awaited = || spreads().filter(|(_, spread)| !arrived(spread));
    let overdue_at = |(pin, spread): (&Pin, &Spread)| {
        let arrival = after(pin.at, ARRIVAL_SECONDS_MAX.into());
        match spread {
            // Ever since it was made: a later time is that of somebody's edit.
            Spread::Unrecorded { at } if *at <= pin.at => after(*at, UNRECORDED_SECONDS_MAX.into()),
            Spread::Unrecorded { .. } | Spread::Change { .. } | Spread::InSync { .. } => arrival,
        }
    };
    let facts = GateFacts {
        now,
        unpinned: names.iter().filter(|view| !is_pinned(view)).map(|view| view.name.to_string()).collect(),
        pinned: spreads().count(),
        failed_over: registers().filter(|register| matches!(register, Register::FailedOver { .. })).count(),
        agree: names.iter().all(NameView::agrees),
        spreading: spreads().any(|(_, spread)| !matches!(spread, Spread::InSync { .. })),
        overdue_at: awaited().map(overdue_at).min(),
        drained_at,
    };
    let pins = || registers().filter_map(Register::pin);
    let incident = pins().map(|pin| pin.incident.clone()).max();
    let row = decide(GATE_TABLE, &facts);
    let since = match (row.id.rule, row.attention) {
        (Rule::R02, Page) => facts.overdue_at,
        // Until the last has arrived nobody knows when clients of all have drained.
        (Rule::R02, _) if awaited().next().is_some() => awaited().map(|(pin, _)| pin.at).max(),
        _ => drained_at.or_else(|| pins().map(|pin| pin.at).max()),
    };
    GateDecision { row, incident, since, facts: facts.in_words() }
}

/// The register that puts a pin on record as in sync, where its change has arrived.
#[must_use]
pub fn in_sync(view: &NameView, changes: &Changes, now: Timestamp) -> Option<Register> {
    match view.register()? {
        Register::Pinned { pin, spread: Spread::Change { id } } if changes.get(id) == Some(&ChangeStatus::InSync) => {
            Some(Register::Pinned { pin: pin.clone(), spread: Spread::InSync { at: now } })
        }
        _ => None,
    }
}

/// The register that closes the incident, once every database is an available writer.
#[must_use]
pub fn failed_over(view: &NameView, now: Timestamp) -> Option<Register> {
    match view.register()? {
        Register::Pinned { pin, .. } => Some(Register::FailedOver { at: now, pin: pin.clone() }),
        _ => None,
    }
}

/// True if an incident is closed on every name that it pinned.
#[must_use]
pub fn is_over(names: &[NameView]) -> bool {
    let mut pinned = names.iter().filter_map(NameView::register).filter(|register| register.pin().is_some()).peekable();
    pinned.peek().is_some() && pinned.all(|register| matches!(register, Register::FailedOver { .. }))
}

fn is_pinned(view: &NameView) -> bool {
    view.register().and_then(Register::pin).is_some()
}

impl GateFacts {
    fn in_words(&self) -> Vec<Fact> {
        let counts = [(self.pinned, "pinned"), (self.failed_over, "failed over"), (self.unpinned.len(), "neither")];
        // What nobody is has no count.
        let counted = counts.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}"));
        let count = counted.collect::<Vec<_>>().join(", ");
        let mut facts = vec![Fact::new("time", self.now), Fact::new("names", count)];
        facts.extend(self.unpinned.iter().take(UNPINNED_NAMED_MAX).map(|name| Fact::new("not pinned", name)));
        let drained_at = self.drained_at.filter(|_| !self.spreading);
        facts.extend(drained_at.map(|at| Fact::new(CLIENTS_DRAINED, at)));
        facts
    }
}
