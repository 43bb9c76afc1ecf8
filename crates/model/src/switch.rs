//! The switch and the latch, model-checked: the same decisions as they ship, in a world with DR's store, four published points, two name
//! servers, and a Route 53 whose API may be dark.
//!
//! It is a model of its own beside [`Holdfast`](crate::Holdfast), with steps of two minutes instead of ten: what a look at the name
//! servers proves is a matter of minutes.

mod bounds;
mod checks;
mod faults;
mod handler;
mod hands;
mod people;
mod promoter;
mod rules;
mod setting;
mod story;
mod watch;
mod world;

use failover::incident::AlarmState;
use stateright::{Model, Property};

pub use bounds::Bounds;
pub use faults::{HOME_BY_NAME_SERVERS, LIFTS_STRAY, MUTATIONS, Mutation};
pub use rules::Rules;
pub use world::World;

use checks::{Child, Point};
use handler::Decided;
use hands::{First, Hand, Read, Sight, Signal};
use people::Deed;
use promoter::{Asked, Next, Question};
use world::Text;

use crate::databases::Database;
use crate::hands::Fate;
use crate::setting::{Setting, Zone, after};
use crate::shared::{Memo, Shared};
use crate::world::{Author, SharedBatch};

/// What is checked.
#[derive(Debug)]
pub struct Switched {
    /// The decisions.
    pub rules: Rules,
    /// How far.
    pub bounds: Bounds,
    /// What does not change.
    pub setting: Setting,
    decisions: Memo<Shared<Sight>, Decided>,
    beats: Memo<(Shared<Sight>, Option<Text>), Option<bool>>,
    looks: Memo<Asked, (Option<Text>, bool)>,
    nexts: Memo<Question, Next>,
    afters: Memo<(Zone, SharedBatch), Option<Zone>>,
}

/// Which of its two answers an invocation has first, and whether the store gave one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Asks {
    /// The records.
    Names,
    /// The latch.
    Latch,
    /// The latch, to no answer.
    LatchInVain,
}

/// Something happens.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Step {
    /// Time passes.
    Time,
    /// The primary goes down and the alarm rings.
    Outage,
    /// The alarm rings though the primary answers.
    FalseAlarm,
    /// The primary is back and the alarm says OK.
    Recovery,
    /// Route 53's API goes dark.
    Dark,
    /// It answers again.
    Light,
    /// CloudWatch hears a point.
    Hears(Point),
    /// A name server hears of the newest status of one of the switch's children, or of all.
    Learns(usize, Option<Child>),
    /// A name server hears of a change of records.
    Arrives(usize),
    /// The promotion is complete.
    Promoted,
    /// An invocation of alarm-handler begins; one in its place dies.
    Handler(usize, Signal, Asks),
    /// It goes on.
    HandlerGoesOn(usize, Fate),
    /// An invocation of replica-promoter begins; one in its place dies.
    Promoter(usize, Asks),
    /// It goes on.
    PromoterGoesOn(usize, Fate),
    /// Somebody does something.
    Person(Deed),
    /// The command goes on.
    CommandGoesOn,
    /// Or is interrupted.
    CommandDies,
}

impl Switched {
    /// The shipped rules within bounds.
    #[must_use]
    pub fn shipped(bounds: Bounds) -> Self {
        Self {
            rules: Rules::shipped(),
            bounds,
            setting: setting::setting(&bounds),
            decisions: Memo::default(),
            beats: Memo::default(),
            looks: Memo::default(),
            nexts: Memo::default(),
            afters: Memo::default(),
        }
    }

    /// A function's batch, whole or not at all; the number of the change.
    fn apply(&self, world: &mut World, batch: &SharedBatch) -> Option<u8> {
        self.write(world, batch, Author::Holdfast)
    }

    fn write(&self, world: &mut World, batch: &SharedBatch, author: Author) -> Option<u8> {
        if world.is_dark {
            return None;
        }
        let before = world.records.clone();
        let next = self
            .afters
            .get((before.clone(), batch.clone()), |(before, batch)| after(&self.setting, 0, before, batch, true))?;
        world.changes += 1;
        world.records = next.clone();
        world.servers.iter_mut().for_each(|server| server.due.push((world.changes, next.clone())));
        world.watch.wrote(author, batch);
        Some(world.changes)
    }

    fn begins(world: &World, signal: Signal, asks: Asks) -> Hand {
        let first = match asks {
            Asks::Names => First::Names(world.names()),
            Asks::Latch => First::Latch(Read::Text(world.latch.clone(), world.time)),
            Asks::LatchInVain => First::Latch(Read::Failed(world.time)),
        };
        Hand::Began(first, signal)
    }

    fn begin_outage(world: &mut World, primary_answers: bool) {
        world.left.outages -= 1;
        world.primary_answers = primary_answers;
        world.alarm = (AlarmState::Alarm, world.time);
        world.rang = Some(world.time);
    }

    fn pass_time(&self, world: &mut World) {
        world.watch.passes(world.time, &world.said);
        world.time += 1;
        world.left.starts = self.bounds.starts;
    }

    fn learns(&self, world: &mut World, server: usize, child: Option<Child>) {
        let mut truth = world.truth(self);
        let known = &mut world.servers[server].children;
        match child {
            Some(child) => *known.of(child) = *truth.of(child),
            None => *known = truth,
        }
    }

    fn arrives(&self, world: &mut World, server: usize) {
        let is_here = |nth: usize| nth == server || self.bounds.is_together;
        for (_, server) in world.servers.iter_mut().enumerate().filter(|(nth, _)| is_here(*nth)) {
            server.records = server.due.remove(0).1;
        }
    }

    fn handler_begins(&self, world: &mut World, place: usize, signal: Signal, asks: Asks) {
        world.left.starts.0 -= 1;
        world.left.faults -= u8::from(asks == Asks::LatchInVain);
        world.handlers[place] = Self::begins(world, signal, asks);
        while self.bounds.is_whole.0 && world.handlers[place] != Hand::Idle {
            self.handler_goes_on(world, place, Fate::Answered);
        }
    }

    fn promoter_begins(&self, world: &mut World, place: usize, asks: Asks) {
        world.left.starts.1 -= 1;
        world.left.faults -= u8::from(asks == Asks::LatchInVain);
        world.promoters[place] = Self::begins(world, Signal::Tick, asks);
        while self.bounds.is_whole.1 && world.promoters[place] != Hand::Idle {
            self.promoter_goes_on(world, place, Fate::Answered);
        }
    }

    fn happens(&self, world: &mut World, step: &Step) -> bool {
        match *step {
            Step::Time => self.pass_time(world),
            Step::Outage => Self::begin_outage(world, false),
            Step::FalseAlarm => Self::begin_outage(world, true),
            Step::Recovery => (world.primary_answers, world.alarm) = (true, (AlarmState::Ok, 0)),
            Step::Dark => (world.is_dark, world.left.dark) = (true, world.left.dark - 1),
            Step::Light => world.is_dark = false,
            Step::Hears(point) => world.hear(self, point),
            Step::Learns(server, child) => self.learns(world, server, child),
            Step::Arrives(server) => self.arrives(world, server),
            Step::Promoted => world.database = Database::Writer,
            Step::Handler(place, signal, asks) => self.handler_begins(world, place, signal, asks),
            Step::Promoter(place, asks) => self.promoter_begins(world, place, asks),
            Step::HandlerGoesOn(place, fate) => self.handler_goes_on(world, place, fate),
            Step::PromoterGoesOn(place, fate) => self.promoter_goes_on(world, place, fate),
            Step::Person(deed) => {
                world.left.people -= 1;
                return self.act(world, deed);
            }
            Step::CommandGoesOn => self.command_goes_on(world),
            Step::CommandDies => world.command = None,
        }
        true
    }
}

impl Model for Switched {
    type State = World;
    type Action = Step;

    fn init_states(&self) -> Vec<World> {
        vec![World::new(&self.bounds, &self.setting)]
    }

    fn actions(&self, world: &World, steps: &mut Vec<Step>) {
        if world.watch.violations.is_empty() {
            self.offer(world, steps);
        }
    }

    fn next_state(&self, before: &World, step: Step) -> Option<World> {
        let mut world = before.clone();
        if !self.happens(&mut world, &step) {
            return None;
        }
        world.forget_what_was_said(self);
        world.judge(self, before);
        let world = world.canonical();
        (world != *before).then_some(world)
    }

    fn format_action(&self, step: &Step) -> String {
        Self::in_words(None, step)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        self.all_properties()
    }
}

mod offers;
mod properties;
