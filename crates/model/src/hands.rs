//! The functions, call by call: look, decide, write. Between any two calls anything else may happen, and any of them may
//! be the last.

use std::sync::Arc;

use failover::change::{self, Batch};
use failover::incident::{AlarmSighting, AlarmState, Approval, Incident};
use failover::observation::{Changes, NameView, Probe, Probes};
use failover::pin::{self, Observation};
use failover::promotion::{Gate, ReplicaView, Verdict};
use failover::register::{Register, Spread};
use failover::rule::Rule;
use jiff::Timestamp;

use crate::rules::Rules;
use crate::steps::Seen;
use crate::world::{Author, Database, Records, THE_PLAN, World, change_id, sighting};

/// What woke alarm-handler.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Signal {
    /// The tick.
    Tick,
    /// The alarm's event, from the step at which it began to ring.
    Rang(u8),
    /// A person's approval, lifting all that one may.
    Approved(Incident),
}

/// How far an invocation has come.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Hand {
    /// There is none.
    Idle,
    /// It has listed the zone.
    Looked {
        /// What it saw.
        records: Records,
        /// Why.
        signal: Signal,
        /// How often somebody had undone the pin by then.
        undone: u8,
    },
    /// It has decided to write this.
    Writes(Arc<Batch>),
    /// It has pinned, and is about to put the change's id on record.
    Records(Arc<Batch>),
    /// It has found the gate open, and is about to look at the database.
    Opened {
        /// What it saw of the zone.
        records: Records,
        /// The incident.
        incident: Incident,
        /// Since when.
        since: Option<Timestamp>,
        /// How often somebody had undone the pin when it listed the zone.
        undone: u8,
    },
    /// It has decided to promote.
    Promotes {
        /// See `Opened`.
        undone: u8,
    },
}

/// The rules that an approval of the model lifts.
pub const LIFTED: [Rule; 4] = [Rule::P08, Rule::P09, Rule::P10, Rule::P12];

/// How a write ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fate {
    /// Route 53 answers.
    Answered,
    /// It takes effect, and nobody lives to hear of it.
    Unanswered,
    /// It is given up, and takes effect later.
    Late,
}

fn approval(incident: &Incident) -> Approval {
    let (by, reason) = ("p".to_owned(), String::new());
    Approval { incident: incident.clone(), by, reason, despite: LIFTED.into_iter().collect() }
}

/// All that one invocation sees when it decides.
fn observation(world: &World, records: &Records, signal: &Signal) -> Observation {
    let described = sighting(world.alarm.0, world.alarm.1);
    let told: Option<AlarmSighting> = match signal {
        Signal::Rang(since) => Some(sighting(AlarmState::Alarm, *since)),
        Signal::Tick | Signal::Approved(_) => None,
    };
    let primary = if world.primary_answers { Probe::Answers } else { Probe::Silent };
    Observation {
        now: world.now(),
        alarms: Some(AlarmSighting::newest(std::iter::once(described).chain(told))),
        probes: Probes { primary, dr: Probe::Answers },
        names: vec![World::view(records)],
        changes: world.change_status(records),
        approval: match signal {
            Signal::Approved(incident) => Some(approval(incident)),
            Signal::Tick | Signal::Rang(_) => None,
        },
        foreign_alarm: false,
    }
}

/// alarm-handler looks at the rest, and decides.
pub fn decide_pin(rules: &Rules, world: &mut World, records: &Records, signal: &Signal, seen: &Seen) -> Hand {
    let sight = observation(world, records, signal);
    let Some(view) = sight.names.first() else { return Hand::Idle };
    let decision = (rules.decide_pin)(&THE_PLAN, &sight, view);
    seen.note(decision.row.rule);
    let unaided = pin::decide(&THE_PLAN, &Observation { approval: None, ..sight.clone() }, view);
    let lifted = if sight.approval.is_some() { &LIFTED[..] } else { &[] };
    world.watch.decided(&decision, &unaided, lifted);
    let write = (rules.write)(view, decision.row.verdict, decision.incident.as_ref(), sight.now);
    one_batch(write.ok().flatten()).map_or(Hand::Idle, Hand::Writes)
}

/// replica-promoter asks for the change, and decides about the workload.
pub fn decide_gate(rules: &Rules, world: &World, (records, undone): (&Records, u8), seen: &Seen) -> Hand {
    let names = [World::view(records)];
    let changes: Changes =
        world.change_status(records).into_iter().map(|(id, status)| (id, (rules.believe)(status))).collect();
    let gate = (rules.decide_gate)(&THE_PLAN, world.now(), &names, &changes);
    seen.note(gate.row.rule);
    match (gate.row.verdict, gate.incident) {
        (Gate::RecordInSync, _) => rewrite(&names[0], |view| arrived(view, &changes, world.now())),
        (Gate::Open, Some(incident)) => {
            Hand::Opened { records: Arc::clone(records), incident, since: gate.since, undone }
        }
        (Gate::Open | Gate::Closed | Gate::Wait, _) => Hand::Idle,
    }
}

/// replica-promoter looks at the database, and decides about it; if it is done, the incident is closed.
pub fn decide_replica(
    rules: &Rules,
    world: &World,
    (records, incident, since, undone): (&Records, &Incident, Option<Timestamp>, u8),
    seen: &Seen,
) -> Hand {
    let Some(id) = THE_PLAN.replicas.first() else { return Hand::Idle };
    let replica = ReplicaView { id: id.clone(), state: world.replica_state(), lag: Some(world.lag()) };
    let decision = (rules.decide_replica)(&THE_PLAN, world.now(), incident, since, &replica, None);
    seen.note(decision.row.rule);
    let failed_over = |view: &NameView| match view.register()? {
        Register::Pinned { pin, .. } => Some(Register::FailedOver { at: world.now(), pin: pin.clone() }),
        _ => None,
    };
    match decision.row.verdict {
        Verdict::Promote => Hand::Promotes { undone },
        Verdict::Done => rewrite(&World::view(records), failed_over),
        Verdict::Wait | Verdict::Trouble | Verdict::Ask => Hand::Idle,
    }
}

fn rewrite(view: &NameView, next: impl Fn(&NameView) -> Option<Register>) -> Hand {
    let write = next(view).and_then(|register| change::rewrite_register(view, register).ok());
    one_batch(write).map_or(Hand::Idle, Hand::Writes)
}

fn arrived(view: &NameView, changes: &Changes, now: Timestamp) -> Option<Register> {
    use failover::observation::ChangeStatus::InSync;
    match view.register()? {
        Register::Pinned { pin, spread: Spread::Change { id } } if changes.get(id) == Some(&InSync) => {
            Some(Register::Pinned { pin: pin.clone(), spread: Spread::InSync { at: now } })
        }
        _ => None,
    }
}

/// One name's write is one batch.
pub fn one_batch(write: Option<change::Write>) -> Option<Arc<Batch>> {
    change::batches(write.into_iter().collect()).into_iter().next().map(Arc::new)
}

/// A write ends; what its invocation does next.
pub fn submit(rules: &Rules, world: &mut World, batch: &Arc<Batch>, fate: Fate) -> Hand {
    if fate == Fate::Late {
        world.late_batch = Some(Arc::clone(batch));
        return Hand::Idle;
    }
    let number = world.apply(batch, Author::Holdfast, rules.compares);
    let has_pinned = batch.writes.iter().any(|write| {
        matches!(write.register, Register::Pinned { spread: Spread::Unrecorded { .. }, .. }) && write.changes.len() > 2
    });
    match (number, fate) {
        (Some(number), Fate::Answered) if has_pinned => {
            let spread = Spread::Change { id: change_id(number) };
            let records = batch.writes.iter().find_map(|it| change::record_spread(it, spread.clone()).ok().flatten());
            one_batch(records).map_or(Hand::Idle, Hand::Records)
        }
        _ => Hand::Idle,
    }
}

/// RDS is asked to promote, and does so where there is a replica. Route 53 and RDS have no transaction in common: whoever
/// undoes a pin after the promoter has looked is not seen by it.
pub fn promote(world: &mut World, undone: u8) {
    if world.database == Database::Replica {
        world.database = Database::Promoting;
        let (time, published, register) = (world.time, Arc::clone(&world.published), world.register());
        let was_undone_since = world.watch.undone() != undone;
        world.watch.promoted(time, &published, register.as_ref(), was_undone_since);
    }
}
