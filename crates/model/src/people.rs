//! What people do, by the same code as the command line.

use failover::change::{self, Write};
use failover::failback::{self, Observation, Successor};
use failover::observation::{NameView, Probe, Probes, Silence, Targets};
use failover::order::Order;
use failover::position::{OldOnly, Proof};
use failover::promotion::{self, Instances, LagSample, ReplicaState, Source};
use failover::register::Register;

use crate::databases::Database;
use crate::hands::{Hand, batches};
use crate::setting::at;
use crate::steps::Holdfast;
use crate::world::{Author, Rebuilt, SharedBatch, Trouble, World};

/// What people may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Deed {
    /// `holdfast approve`, of the incident that rings.
    Approve,
    /// `holdfast disarm`.
    Disarm,
    /// `holdfast disarm --for`, of two steps.
    Pause,
    /// `holdfast maintenance begin`, of two steps.
    Begin,
    /// `holdfast maintenance end`.
    End,
    /// `holdfast arm`; where databases have no replica, after `failback protect`.
    Arm,
    /// `holdfast reject`, of the incident that rings.
    Reject,
    /// `holdfast failback switch`.
    FailBack,
    /// The same without a word of stopped writes, nor of what only the old primary holds.
    FailBackUnsaid,
    /// Somebody rewrites the first name's pinned PRIMARY record.
    Undo,
    /// Whoever did that puts it back.
    Redo,
    /// Somebody makes the old primary the first name's SECONDARY.
    SwapRoles,
    /// Somebody points the first name's SECONDARY record at another place in DR; or at DR again.
    MoveDr,
    /// Somebody is quicker than Holdfast, and points the first name's PRIMARY record at DR.
    MoveByHand,
    /// An apply writes the first name's PRIMARY record back, with a long TTL.
    RaiseTtl,
    /// Somebody promotes the first database by hand.
    PromoteByHand,
    /// Somebody restores a snapshot under the first database's name.
    RestoreUnderName,
}

impl Deed {
    /// Whether it may undo what somebody else did, once a function has seen that.
    pub fn puts_back(&self) -> bool {
        matches!(self, Self::Redo | Self::MoveDr)
    }
}

/// The rest of what a command does. Whoever gives another command, or none, has let it go.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Command {
    /// It disables the failover health check. False if a function may be about to enable it for a maintenance before this
    /// one: whoever ends one and begins the next within the same second may find the check enabled, see `docs/proof.md`.
    Disable(bool),
    /// It writes these.
    Write(Vec<SharedBatch>, Author),
}

impl Holdfast {
    /// Does it, if it can be done now; true if anything changed.
    pub fn act(&self, world: &mut World, deed: Deed) -> bool {
        let by = || "p".to_owned();
        world.command = None;
        match deed {
            Deed::Approve => {
                let rings = world.rang.last().map(|began| (*began, world.time));
                let is_new = rings.is_some() && world.approved != rings;
                world.approved = rings;
                is_new
            }
            Deed::Disarm => self.order(world, &Order::Disarm { by: by() }),
            Deed::Pause => self.order(world, &Order::Pause { until: at(world.time + 2), by: by() }),
            Deed::Begin => {
                let is_ending = |hand: &Hand| matches!(hand, Hand::Looked(..) | Hand::Enables(_));
                let is_alone = world.paused_until().is_some() || !world.handlers.iter().any(is_ending);
                let has_begun = self.order(world, &Order::Pause { until: at(world.time + 2), by: by() });
                world.command = has_begun.then_some(Command::Disable(is_alone));
                has_begun
            }
            Deed::End => self.order(world, &Order::Resume),
            Deed::Arm => {
                let is_home = world.registers().flatten().all(|register| register.pin().is_none());
                for database in 0..world.databases.len() {
                    if is_home && world.databases[database].takes_writes() {
                        world.becomes(database, Database::Replica);
                    }
                }
                // A promotion under way has no replica to wait for yet.
                let protects = world.databases.iter().all(|database| *database == Database::Replica);
                protects && self.order(world, &Order::Arm)
            }
            Deed::Reject => match world.rang.last() {
                Some(began) => self.order(world, &Order::Reject { incident: self.setting.incident(*began) }),
                None => false,
            },
            Deed::FailBack => self.fail_back(world, true),
            Deed::FailBackUnsaid => self.fail_back(world, false),
            Deed::PromoteByHand => world.promote_by_hand(),
            Deed::RestoreUnderName => world.restore_under_name(),
            Deed::Undo | Deed::Redo | Deed::SwapRoles | Deed::MoveDr | Deed::MoveByHand | Deed::RaiseTtl => {
                self.rewrite_by_hand(world, deed)
            }
        }
    }

    /// The command goes on.
    pub fn command_goes_on(&self, world: &mut World) {
        match world.command.take() {
            Some(Command::Disable(is_alone)) => (world.check_is_disabled, world.is_maintained) = (true, is_alone),
            Some(Command::Write(batches, author)) => {
                self.submit(world, batches, author);
            }
            None => {}
        }
    }

    /// Every name or none; whoever ends a pause enables the health check first.
    fn order(&self, world: &mut World, order: &Order) -> bool {
        let now = at(world.time);
        let register = |view: &NameView| match (self.rules.register_for)(order, view, now) {
            Ok(register) => register.map(|register| change::rewrite_register(view, register).map_err(drop)),
            Err(_) => Some(Err(())),
        };
        let Ok(writes) = world.views().filter_map(register).collect::<Result<Vec<Write>, ()>>() else { return false };
        let is_paused = |register: &Register| matches!(register, Register::Paused { .. });
        let ends_pause =
            world.registers().flatten().any(is_paused) && writes.iter().any(|write| !is_paused(&write.register));
        let batches = batches(writes);
        if ends_pause && self.setting.plan.failover_health_check.is_some() {
            (world.check_is_disabled, world.is_maintained) = (false, false);
            world.command = Some(Command::Write(batches, Author::Order));
            return true;
        }
        self.submit(world, batches, Author::Order)
    }

    /// The first batch; the rest is still to be done.
    fn submit(&self, world: &mut World, mut batches: Vec<SharedBatch>, author: Author) -> bool {
        if batches.is_empty() {
            return false;
        }
        let batch = batches.remove(0);
        if self.apply(world, &batch, author).is_none() {
            return false;
        }
        world.command = (!batches.is_empty()).then_some(Command::Write(batches, author));
        true
    }

    fn fail_back(&self, world: &mut World, is_said: bool) -> bool {
        let plan = &self.setting.plan;
        let now = at(world.time);
        let pinned_at = failback::pinned_at(&world.views().cloned().collect::<Vec<_>>());
        let rebuilt = if is_said { world.rebuilt } else { world.rebuilt.min(Rebuilt::CaughtUp) };
        let successor = |of: &failover::plan::ReplicaId| {
            let source = match rebuilt {
                Rebuilt::Writer => Source::NoneNamed,
                _ => Source::ReplicaOf(identifier(of)),
            };
            let state = match rebuilt {
                Rebuilt::Not => ReplicaState::Missing,
                _ => ReplicaState::Present(promotion::Database {
                    status: "available".to_owned(),
                    source,
                    instances: Instances::Writer,
                    created: Some(at(world.time + 1)),
                    engine: "mysql".to_owned(),
                    members: Vec::new(),
                }),
            };
            let lags = vec![LagSample { seconds: u64::from(rebuilt == Rebuilt::Behind), at: now }; 3];
            let (proof, old_only) = (Proof::NotAsked, OldOnly::NotAsked);
            let (named, created) = (Some("new".to_owned()), Some(at(world.time + 1)));
            Successor { of: of.clone(), named, state, created, lags, proof, old_only }
        };
        let primary = if world.primary_answers { Probe::Answers } else { Probe::Silent(Silence::TimedOut) };
        let alarms = (!world.troubles.contains(&Trouble::CloudWatchSilent))
            .then(|| vec![self.setting.sighting(world.alarm.0, world.alarm.1)]);
        let seen = Observation {
            now,
            alarms,
            probes: Probes { primary, dr: Probe::Answers, targets: Targets::Healthy },
            names: world.views().cloned().collect(),
            successors: plan.replicas.iter().map(successor).collect(),
            writes_stopped: is_said.then_some(now),
            loss_acknowledged: is_said,
            position_verified: is_said,
        };
        let obstacles = failback::obstacles(plan, &seen);
        obstacles.iter().for_each(|obstacle| self.seen.note(obstacle.rule.alone()));
        if !obstacles.is_empty() || pinned_at.is_none() {
            return false;
        }
        world.rebuilt = world.rebuilt.max(Rebuilt::Writer);
        let writes = world.views().map(|view| (self.rules.restore)(plan, view, now, "p"));
        let writes = writes.filter_map(Result::transpose).collect::<Result<Vec<_>, _>>();
        self.submit(world, writes.map(batches).unwrap_or_default(), Author::Failback)
    }
}

fn identifier(database: &failover::plan::ReplicaId) -> String {
    database.name().to_owned()
}
