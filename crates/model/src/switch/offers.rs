//! What can happen next.

use failover::incident::AlarmState;
use failover::plan::Mode;

use super::hands::{First, Hand, Signal};
use super::people::Command;
use super::world::{SERVERS, World};
use super::{Asks, Step, Switched};
use crate::databases::Database;
use crate::hands::Fate;

impl Switched {
    /// All of it.
    pub fn offer(&self, world: &World, steps: &mut Vec<Step>) {
        self.offer_surroundings(world, steps);
        self.offer_name_servers(world, steps);
        self.begin(world, steps);
        for (place, hand) in world.handlers.iter().enumerate() {
            steps.extend(Self::fates(world, hand).map(|fate| Step::HandlerGoesOn(place, fate)));
        }
        for (place, hand) in world.promoters.iter().enumerate() {
            steps.extend(Self::fates(world, hand).map(|fate| Step::PromoterGoesOn(place, fate)));
        }
        if self.may_go_on(world) {
            steps.push(Step::CommandGoesOn);
        }
        if world.command.is_some() {
            steps.push(Step::CommandDies);
        } else if world.left.people > 0 {
            steps.extend(self.bounds.deeds.iter().copied().map(Step::Person));
        }
    }

    /// A command ends within a step of time, unless it waits.
    fn may_time_pass(&self, world: &World) -> bool {
        world.time < self.bounds.time && matches!(world.command, None | Some(Command::Waits(..)))
    }

    fn offer_surroundings(&self, world: &World, steps: &mut Vec<Step>) {
        if self.may_time_pass(world) {
            steps.push(Step::Time);
        }
        match world.alarm.0 {
            AlarmState::Ok if world.left.outages > 0 && (world.time == 0 || !self.bounds.begins_with_outage) => {
                steps.push(Step::Outage);
                steps.extend(self.bounds.errs.then_some(Step::FalseAlarm));
            }
            AlarmState::Alarm if self.bounds.recovers => steps.push(Step::Recovery),
            _ => {}
        }
        match world.is_dark {
            true => steps.push(Step::Light),
            false => steps.extend((world.left.dark > 0).then_some(Step::Dark)),
        }
        steps.extend((world.database == Database::Promoting).then_some(Step::Promoted));
    }

    fn offer_name_servers(&self, world: &World, steps: &mut Vec<Step>) {
        steps.extend(world.said.iter().map(|point| Step::Hears(*point)));
        for server in 0..SERVERS {
            let mut unheard = world.unheard(self, server).peekable();
            match self.bounds.is_fine {
                true => steps.extend(unheard.map(|child| Step::Learns(server, Some(child)))),
                false => steps.extend(unheard.peek().map(|_| Step::Learns(server, None))),
            }
            steps.extend((!world.servers[server].due.is_empty()).then_some(Step::Arrives(server)));
        }
    }

    fn begin(&self, world: &World, steps: &mut Vec<Step>) {
        // Places are alike: an invocation takes the first free one, or the place of one that dies.
        let places = |hands: &[Hand]| match hands.iter().position(|hand| *hand == Hand::Idle) {
            Some(free) => vec![free],
            None => (0..hands.len()).collect(),
        };
        let may_fail = (world.left.faults > 0).then_some(Asks::LatchInVain);
        // Where nothing comes between, the order of the answers is all one.
        let firsts = |is_whole: bool| {
            let latch_first = (!is_whole).then_some(Asks::Latch);
            [Asks::Names].into_iter().chain(latch_first).chain(may_fail)
        };
        let is_whole = self.bounds.is_whole;
        let approved = world.approved.filter(|_| self.bounds.mode == Mode::Approval);
        let signals = || [Signal::Tick].into_iter().chain(approved.map(Signal::Approved));
        if world.left.starts.0 > 0 {
            for place in places(&world.handlers) {
                let each =
                    signals().flat_map(|signal| firsts(is_whole.0).map(move |asks| Step::Handler(place, signal, asks)));
                steps.extend(each);
            }
        }
        if world.left.starts.1 > 0 {
            for place in places(&world.promoters) {
                steps.extend(firsts(is_whole.1).map(|asks| Step::Promoter(place, asks)));
            }
        }
    }

    fn fates(world: &World, hand: &Hand) -> impl Iterator<Item = Fate> {
        let asks_store = match hand {
            Hand::Began(First::Names(_), _)
            | Hand::Commits(_)
            | Hand::Shows(..)
            | Hand::ShowsNothing(..)
            | Hand::Starts(_)
            | Hand::Keeps(..) => true,
            Hand::Began(First::Latch(_), _)
            | Hand::Idle
            | Hand::Writes(..)
            | Hand::Records(..)
            | Hand::Opened(_)
            | Hand::Registers(..)
            | Hand::Promotes(_) => false,
        };
        // What takes effect, and nobody lives to hear of it.
        let is_write = matches!(
            hand,
            Hand::Commits(_)
                | Hand::Writes(..)
                | Hand::Shows(..)
                | Hand::Starts(_)
                | Hand::Keeps(..)
                | Hand::Registers(..)
        );
        let answered = (*hand != Hand::Idle).then_some(Fate::Answered);
        let refused = (asks_store && world.left.faults > 0).then_some(Fate::Refused);
        answered.into_iter().chain(refused).chain(is_write.then_some(Fate::Unanswered))
    }
}
