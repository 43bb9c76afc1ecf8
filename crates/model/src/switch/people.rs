//! What people do about a committed failover, in the order in which the command line does it.

use failover::change::{self, Batch, Change, Write};
use failover::failback::{self, Successor};
use failover::incident::AlarmState;
use failover::latch::{Latch, Stage};
use failover::observation::{NameView, Probe, Probes, Silence, Targets};
use failover::order::{self, Order};
use failover::position::{OldOnly, Proof};
use failover::promotion::{self, Instances, LagSample, ReplicaState, Source};
use failover::register::Register;

use super::Switched;
use super::hands::Names;
use super::rules::Unlatching;
use super::setting::{at, sighting, undone_on_switch};
use super::watch::Violation;
use super::world::{Server, Text, World};
use crate::databases::Database;
use crate::hands::batches;
use crate::shared::Shared;
use crate::world::{Author, SharedBatch};

/// What people may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Deed {
    /// `holdfast approve`, of the incident that rings.
    Approve,
    /// `holdfast unlatch --users-move-now`.
    Unlatch,
    /// `holdfast failback switch`.
    FailBack,
    /// `holdfast disarm`.
    Disarm,
    /// Somebody rewrites the pinned PRIMARY record while every name server shows the latch.
    Undo,
}

/// The rest of what a command does.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Command {
    /// It writes registers.
    Orders(SharedBatch),
    /// It lifts the latch that it has seen.
    Unlatches(Text),
    /// A failback asks for the latch; these restore the records.
    Asks(SharedBatch),
    /// A failback lifts the latch.
    Lifts(Text, SharedBatch),
    /// A failback waits until every name server shows the latch open and the switch at the primary; since a step.
    Waits(SharedBatch, u8),
}

impl Switched {
    /// Does it, or the first of it, if it can be done now; true if anything comes of it.
    pub fn act(&self, world: &mut World, deed: Deed) -> bool {
        match deed {
            Deed::Approve => {
                let is_new = world.rang.is_some() && world.approved != world.rang;
                world.approved = world.rang;
                is_new
            }
            Deed::Unlatch => {
                world.command = self.unlatch(world).map(Command::Unlatches);
                world.command.is_some()
            }
            Deed::FailBack => {
                world.command = self.fail_back(world).map(Command::Asks);
                world.command.is_some()
            }
            Deed::Disarm => {
                world.command = self.disarm(world).map(Command::Orders);
                world.command.is_some()
            }
            Deed::Undo => world.watch.stands && self.undo(world),
        }
    }

    /// The command may go on.
    pub fn may_go_on(&self, world: &World) -> bool {
        let is_open =
            |server: &Server| server.children.latch && server.children.again && (self.rules.switch)(server.children);
        match &world.command {
            None => false,
            Some(Command::Waits(_, since)) => {
                (self.rules.failback_awaits)(*since, world.heard) && world.servers.iter().all(is_open)
            }
            Some(_) => true,
        }
    }

    /// It does.
    pub fn command_goes_on(&self, world: &mut World) {
        world.command = match world.command.clone() {
            Some(Command::Orders(batch)) => {
                self.write(world, &batch, Author::Order);
                None
            }
            Some(Command::Unlatches(seen)) => {
                self.lift(world, &seen);
                None
            }
            Some(Command::Asks(batch)) => Some(match world.latch.clone() {
                Some(seen) => Command::Lifts(seen, batch),
                None => Command::Waits(batch, world.time),
            }),
            Some(Command::Lifts(seen, batch)) => self.lift(world, &seen).then_some(Command::Waits(batch, world.time)),
            Some(Command::Waits(batch, _)) => {
                self.write(world, &batch, Author::Failback);
                None
            }
            None => None,
        };
    }

    /// The latch is removed if it still is as it was seen; true if it was.
    fn lift(&self, world: &mut World, seen: &Text) -> bool {
        // A failback comes after the promotion, and the primary is ready for whoever goes home by it.
        let is_home_ready = matches!(world.command, Some(Command::Lifts(..))) && world.database == Database::Writer;
        let found = world.latch_now();
        let is_it =
            if self.rules.lifting_compares { world.swap(Some(seen), None) } else { world.latch.take().is_some() };
        if !is_it {
            return false;
        }
        let is_committed = found.is_some_and(|latch| latch.stage == Stage::Committed);
        let is_held = world.database == Database::Replica || world.servers.iter().all(Server::holds_pin);
        if !(is_home_ready || is_committed && is_held) {
            world.watch.accuse(Violation::LiftedUnderPromotion);
        }
        world.watch.lifted(world.time);
        true
    }

    /// As `holdfast unlatch` decides it.
    fn unlatch(&self, world: &World) -> Option<Text> {
        let (told, text) = (world.names(), world.latch.clone()?);
        let (latch, names) = (Latch::parse(&text).ok()?, told.views()?);
        let seen = Unlatching { latch: &latch, names: &names, is_listed: told.is_listed(), now: at(world.time) };
        (self.rules.may_unlatch)(&seen).then_some(text)
    }

    /// As `holdfast disarm` does, which refuses to take names out of a failover that is committed.
    fn disarm(&self, world: &World) -> Option<SharedBatch> {
        let Names::Listed(zone) = world.names() else { return None };
        if world.latch.is_some() && zone.views.iter().any(|view| view.pin().is_none()) {
            return None;
        }
        let order = Order::Disarm { by: "p".to_owned() };
        let write = |view: &NameView| match order::register_for(&order, view, at(world.time)) {
            Ok(register) => register.and_then(|register| change::rewrite_register(view, register).ok()),
            Err(_) => None,
        };
        batches(zone.views.iter().filter_map(write).collect()).pop()
    }

    /// As `holdfast failback switch` does it, once the databases in the primary region are rebuilt.
    fn fail_back(&self, world: &World) -> Option<SharedBatch> {
        let (plan, now) = (&self.setting.plan, at(world.time));
        let Names::Listed(zone) = world.names() else { return None };
        let created = Some(at(world.time + 1));
        let state = ReplicaState::Present(promotion::Database {
            status: "available".to_owned(),
            source: Source::NoneNamed,
            instances: Instances::Writer,
            created,
            engine: "mysql".to_owned(),
            members: Vec::new(),
        });
        let lags = vec![LagSample { seconds: 0, at: now }; 3];
        let successor = |of: &failover::plan::ReplicaId| Successor {
            of: of.clone(),
            named: Some("new".to_owned()),
            state: state.clone(),
            created,
            lags: lags.clone(),
            proof: Proof::NotAsked,
            old_only: OldOnly::NotAsked,
        };
        let primary = if world.primary_answers { Probe::Answers } else { Probe::Silent(Silence::TimedOut) };
        let seen = failback::Observation {
            now,
            alarms: Some(vec![sighting(plan, world.alarm.0, world.alarm.1)]),
            probes: Probes { primary, dr: Probe::Answers, targets: Targets::Healthy },
            names: zone.views.clone(),
            successors: plan.replicas.iter().map(successor).collect(),
            writes_stopped: Some(now),
            loss_acknowledged: true,
            position_verified: true,
        };
        if world.alarm.0 != AlarmState::Ok || !failback::obstacles(plan, &seen).is_empty() {
            return None;
        }
        let writes = zone.views.iter().map(|view| failback::restore(plan, view, now, "p"));
        let writes = writes.filter_map(Result::transpose).collect::<Result<Vec<_>, _>>().ok()?;
        batches(writes).pop()
    }

    fn undo(&self, world: &mut World) -> bool {
        let Some(view) = world.records.views.first().cloned() else { return false };
        let is_held = view.register().and_then(Register::pin).is_some() && view.agrees();
        let Some(primary) = world.records.primary(&view.name).filter(|_| is_held).cloned() else { return false };
        let changes = vec![Change::Delete(primary), Change::Create(undone_on_switch(&view))];
        let (zone, name) = (view.zone.clone(), view.name.clone());
        let register = Register::disarmed(at(0), "nobody reads this".to_owned());
        let write = Write { zone: zone.clone(), name, register, changes };
        self.write(world, &Shared::new(Batch { zone, writes: vec![write] }), Author::Hand).is_some()
    }
}
