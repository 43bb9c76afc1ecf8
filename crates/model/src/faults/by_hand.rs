//! What was wrong about records, databases and alarms that people change by hand, brought back.

use failover::change::{self, Change, Write};
use failover::incident::{AlarmState, Incident};
use failover::observation::NameView;
use failover::pin::Verdict;
use failover::promotion;
use failover::record::RecordSet;
use failover::register::{Pin, Register, Spread};
use failover::rule::Rule;
use jiff::Timestamp;

use super::bend::{instead_of, with_pin};
use super::{Mutation, fault};
use crate::bounds::{Bounds, HELD_BACK};
use crate::watch::Violation;

/// One thing that somebody does to the records.
const EDITED: Bounds = Bounds { people: 1, ..Bounds::RECORDS };

/// One thing that somebody does to the database, and no other trouble.
const BY_HAND: Bounds = Bounds { people: 1, trouble: 0, ..Bounds::REPLICAS };

pub(super) const MUTATIONS: &[Mutation] = &[
    fault(
        "what is written down as DR is copied, though it is the old primary",
        EDITED,
        Violation::WroteOldPrimary.property(),
        |rules| {
            rules.write = |view, verdict, incident, now| match (verdict, view.register()) {
                (Verdict::LeaveSwapped, Some(Register::Pinned { pin, .. })) => Ok(copied(view, pin.clone(), now)),
                _ => change::write(view, verdict, incident, now),
            };
        },
    ),
    fault(
        "the TTL of what a pin made again replaced is forgotten",
        EDITED,
        Violation::PromotedTooEarly.property(),
        |rules| {
            rules.write = |view, verdict, incident, now| {
                let written = change::write(view, verdict, incident, now)?;
                Ok(match verdict {
                    Verdict::Repin => {
                        written.map(|write| with_pin(write, view, |pin| Pin { ttl_seconds: None, ..pin.clone() }))
                    }
                    _ => written,
                })
            };
        },
    ),
    fault(
        "a name that somebody moved by hand is pinned, with DR as its original",
        EDITED,
        Violation::OriginalLost.property(),
        |rules| {
            rules.decide_pin = |plan, seen, view| instead_of(Rule::P07, plan, seen, view);
            rules.write = |view, verdict, incident, now| match (verdict, incident) {
                (Verdict::Pin, Some(incident)) => Ok(copied(view, original(view, incident, now), now)),
                _ => change::write(view, verdict, incident, now),
            };
        },
    ),
    fault(
        "a database that takes writes counts as promoted, whoever made it so and whenever",
        BY_HAND,
        Violation::FalseEnd.property(),
        |rules| {
            rules.decide_replica = |plan, now, failover, replica, approval| {
                let mut decision = promotion::decide_replica(plan, now, failover, replica, approval);
                if decision.row.id.rule == Rule::R09 {
                    let done = promotion::REPLICA_TABLE.iter().find(|row| row.id.rule == Rule::R04);
                    decision.row = done.unwrap_or(decision.row);
                }
                decision
            };
        },
    ),
    fault(
        "a cluster that is being failed over to counts as the primary, since it is no secondary like any other",
        Bounds { people: 0, trouble: 0, ..Bounds::GLOBAL },
        Violation::FalseEnd.property(),
        |rules| {
            rules.decide_replica = |plan, now, failover, replica, approval| {
                let mut decision = promotion::decide_replica(plan, now, failover, replica, approval);
                if decision.row.id == Rule::R05.row('b') {
                    let done = promotion::REPLICA_TABLE.iter().find(|row| row.id.rule == Rule::R04);
                    decision.row = done.unwrap_or(decision.row);
                }
                decision
            };
        },
    ),
    fault("an alarm that is not there is a quiet one", Bounds::GUARDS, Violation::Unguarded.property(), |rules| {
        rules.known_alarms = |plan, signal, described, now| {
            let known = signal.known_alarms(plan, described, now)?;
            Some(known.into_iter().filter(|alarm| alarm.state != AlarmState::Missing).collect())
        };
    }),
    fault(
        "a batch that Route 53 refuses for one of its names is given up",
        Bounds { crashes: Some(0), ..Bounds::REHEARSALS },
        HELD_BACK,
        |rules| rules.parts = |_, _| Vec::new(),
    ),
    fault("a rehearsal points at DR", Bounds::REHEARSALS, Violation::RehearsalMoved.property(), |rules| {
        rules.write = |view, verdict, incident, now| {
            let mut written = change::write(view, verdict, incident, now)?;
            if let (Verdict::Rehearse, Some(write)) = (verdict, &mut written) {
                write.changes.retain(|change| !leads_users(change, view));
                write.changes.extend(swaps(view));
            }
            Ok(written)
        };
    }),
];

fn leads_users(change: &Change, view: &NameView) -> bool {
    let (Change::Delete(RecordSet { name, .. }) | Change::Create(RecordSet { name, .. })) = change;
    *name == view.name
}

/// What the PRIMARY records say now, as what a pin replaces.
fn original(view: &NameView, incident: &Incident, now: Timestamp) -> Pin {
    let primaries = view.pairs.iter().flatten().map(|pair| pair.primary());
    Pin::new(now, incident.clone(), primaries.map(|set| (set.kind.clone(), set.target.clone())).collect())
}

/// The PRIMARY records say what the SECONDARY records do, whatever that is.
fn copied(view: &NameView, pin: Pin, now: Timestamp) -> Option<Write> {
    let register = Register::Pinned { pin, spread: Spread::Unrecorded { at: now } };
    let mut write = change::rewrite_register(view, register).ok()?;
    write.changes.extend(swaps(view));
    Some(write)
}

fn swaps(view: &NameView) -> impl Iterator<Item = Change> {
    let pairs = view.pairs.iter().flatten();
    pairs.flat_map(|pair| [Change::Delete(pair.primary().clone()), Change::Create(pair.pinned())])
}
