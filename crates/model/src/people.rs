//! What people do, by the same code as the command line.

use std::sync::Arc;

use failover::change::{self, Batch, Change, Write};
use failover::failback::{self, Observation, Successor};
use failover::observation::{Probe, Probes};
use failover::order::{Order, register_for};
use failover::promotion::ReplicaState;
use failover::register::Register;

use crate::hands::one_batch;
use crate::rules::Rules;
use crate::world::{Author, Database, THE_PLAN, World, at, incident, original, pinned, sighting};

/// What people may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Deed {
    /// `holdfast approve`, of the incident that rings.
    Approve,
    /// `holdfast disarm`.
    Disarm,
    /// `holdfast disarm --for`, or a maintenance, of two steps.
    Pause,
    /// `holdfast arm`; where databases have no replica, after `failback protect`.
    Arm,
    /// `holdfast reject`, of the incident that rings.
    Reject,
    /// `holdfast failback switch`, once the primary's databases are rebuilt.
    FailBack,
    /// Somebody points the pinned PRIMARY record at the primary again.
    Undo,
}

impl Deed {
    /// Every one.
    pub const ALL: [Self; 7] =
        [Self::Approve, Self::Disarm, Self::Pause, Self::Arm, Self::Reject, Self::FailBack, Self::Undo];
}

/// Does it, if it can be done now; true if anything changed.
pub fn act(rules: &Rules, world: &mut World, deed: Deed) -> bool {
    let by = || "p".to_owned();
    match deed {
        Deed::Approve => {
            let rings = world.rang.last().map(|since| incident(*since));
            let is_new = rings.is_some() && world.approved != rings;
            world.approved = rings;
            is_new
        }
        Deed::Disarm => order(world, &Order::Disarm { by: by() }),
        Deed::Pause => order(world, &Order::Pause { until: at(world.time + 2), by: by() }),
        Deed::Arm => {
            let is_home = world.register().is_none_or(|register| register.pin().is_none());
            if is_home && world.database == Database::Writer {
                world.database = Database::Replica;
            }
            // A promotion under way has no replica to wait for yet.
            world.database == Database::Replica && order(world, &Order::Arm)
        }
        Deed::Reject => match world.rang.last() {
            Some(since) => order(world, &Order::Reject { incident: incident(*since) }),
            None => false,
        },
        Deed::FailBack => fail_back(rules, world),
        Deed::Undo => undo(world),
    }
}

fn order(world: &mut World, order: &Order) -> bool {
    let view = World::view(&world.records);
    let register = register_for(order, &view, world.now()).ok().flatten();
    let write = register.and_then(|register| change::rewrite_register(&view, register).ok());
    submit(world, write, Author::Order)
}

fn submit(world: &mut World, write: Option<Write>, author: Author) -> bool {
    one_batch(write).is_some_and(|batch| world.apply(&batch, author, true).is_some())
}

/// The databases in the primary region have been rebuilt, and take writes.
fn fail_back(rules: &Rules, world: &mut World) -> bool {
    let view = World::view(&world.records);
    let state = ReplicaState::Present { status: "available".to_owned(), source: None, writer_available: true };
    let successor = |of: &failover::plan::ReplicaId| Successor {
        of: of.clone(),
        named: Some("new".to_owned()),
        state: state.clone(),
        created: Some(at(world.time + 1)),
        lag: None,
    };
    let primary = if world.primary_answers { Probe::Answers } else { Probe::Silent };
    let seen = Observation {
        now: world.now(),
        alarms: Some(vec![sighting(world.alarm.0, world.alarm.1)]),
        probes: Probes { primary, dr: Probe::Answers },
        names: vec![view.clone()],
        successors: THE_PLAN.replicas.iter().map(successor).collect(),
        writes_stopped: Some(world.now()),
        loss_acknowledged: true,
    };
    if !failback::obstacles(&THE_PLAN, &seen).is_empty() {
        return false;
    }
    let write = (rules.restore)(&THE_PLAN, &view, world.now(), "p").ok().flatten();
    submit(world, write, Author::Failback)
}

/// The register is left alone.
fn undo(world: &mut World) -> bool {
    let is_pinned = matches!(world.register(), Some(Register::Pinned { .. } | Register::FailedOver { .. }));
    let view = World::view(&world.records);
    let Some(register) = view.register().filter(|_| is_pinned) else { return false };
    let changes = vec![Change::Delete(pinned()), Change::Create(original())];
    let write = Write { zone: view.zone.clone(), name: view.name.clone(), register: register.clone(), changes };
    let batch = Arc::new(Batch { zone: view.zone.clone(), writes: vec![write] });
    world.apply(&batch, Author::Hand, true).is_some()
}
