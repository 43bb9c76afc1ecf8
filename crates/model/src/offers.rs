//! What can happen next.

use failover::incident::AlarmState;

use crate::databases::Database;
use crate::hands::{Fate, Hand, Signal};
use crate::steps::{Holdfast, Step};
use crate::world::{Hosted, Rebuilt, Trouble, World};

impl Holdfast {
    /// All of it.
    pub fn offer(&self, world: &World, steps: &mut Vec<Step>) {
        self.offer_surroundings(world, steps);
        self.begin(world, steps);
        for (place, hand) in world.handlers.iter().enumerate() {
            steps.extend(self.fates(world, hand).into_iter().map(|fate| Step::HandlerGoesOn(place, fate)));
        }
        for (place, hand) in world.promoters.iter().enumerate() {
            steps.extend(self.fates(world, hand).into_iter().map(|fate| Step::PromoterGoesOn(place, fate)));
        }
        if world.command.is_some() {
            steps.extend([Step::CommandGoesOn, Step::CommandDies]);
        }
        if world.left.people > 0 {
            steps.extend(self.bounds.deeds.iter().copied().map(Step::Person));
        }
    }

    fn may_time_pass(&self, world: &World) -> bool {
        // A promotion that was given up takes effect within minutes or never; a batch, whenever it likes. A command goes
        // on within minutes too.
        if world.late_promotion.is_some() || world.command.is_some() {
            return false;
        }
        // So does an invocation, which Lambda ends within two. Elsewhere it does no harm to let it last.
        let ends = |hand: &Hand| matches!(hand, Hand::Looked(..) | Hand::Enables(_));
        if self.bounds.workload.disables_check && world.handlers.iter().any(ends) {
            return false;
        }
        let is_quiet = world.zones.iter().all(|hosted| hosted.travelling.is_empty())
            && !world.databases.contains(&Database::Promoting);
        world.time < self.bounds.time && (!self.bounds.is_fair || (is_quiet && world.completed == (true, true)))
    }

    fn begin(&self, world: &World, steps: &mut Vec<Step>) {
        // Places are alike: an invocation takes the first free one, or the place of one that dies.
        let places = |hands: &[Hand]| match hands.iter().position(|hand| *hand == Hand::Idle) {
            Some(free) => vec![free],
            None if world.left.crashes == Some(0) => Vec::new(),
            None => (0..hands.len()).collect(),
        };
        let may_be_stale = world.left.faults > 0 && world.zones.iter().any(|hosted| hosted.before.is_some());
        let looks = || [false, true].into_iter().filter(move |is_stale| may_be_stale || !is_stale);
        let approved = world.approved.map(|(began, given)| Signal::Approved(began, given));
        if world.left.starts.0 > 0 {
            let rang = world.rang.iter().map(|since| Signal::Rang(*since));
            let foreign = (self.bounds.trouble > 0 && !self.bounds.is_fair).then_some(Signal::Foreign);
            let signals: Vec<_> = [Signal::Tick].into_iter().chain(rang).chain(approved).chain(foreign).collect();
            for place in places(&world.handlers) {
                for signal in &signals {
                    steps.extend(looks().map(|is_stale| Step::Handler(place, *signal, is_stale)));
                }
            }
        }
        if world.left.starts.1 > 0 {
            for place in places(&world.promoters) {
                for signal in [Signal::Tick].into_iter().chain(approved) {
                    steps.extend(looks().map(|is_stale| Step::Promoter(place, signal, is_stale)));
                }
            }
        }
    }

    fn fates(&self, world: &World, hand: &Hand) -> Vec<Fate> {
        let may_fail = world.left.faults > 0;
        let may_die = world.left.crashes != Some(0);
        let mut fates = vec![Fate::Answered];
        match hand {
            Hand::Idle => fates.clear(),
            Hand::Records(..) => {}
            Hand::Looked(..) => fates.extend(may_fail.then_some(Fate::Refused)),
            Hand::Opened(_) => {
                fates.extend(may_fail.then_some(Fate::Refused));
                fates.extend((may_fail && world.database_before.is_some()).then_some(Fate::Stale));
            }
            Hand::Enables(_) => fates.extend(may_die.then_some(Fate::Unanswered)),
            Hand::Writes(batches) => {
                fates.extend(may_die.then_some(Fate::Unanswered));
                fates.extend((may_fail && batches.len() > 1).then_some(Fate::Refused));
                fates.extend((self.bounds.late && world.late_batch.is_none()).then_some(Fate::Late));
            }
            Hand::Promotes(_) => {
                fates.extend((self.bounds.late && world.late_promotion.is_none()).then_some(Fate::Late));
            }
        }
        fates
    }

    fn offer_surroundings(&self, world: &World, steps: &mut Vec<Step>) {
        if self.may_time_pass(world) {
            steps.push(Step::Time);
        }
        match world.alarm.0 {
            AlarmState::Ok if world.left.outages > 0 && (world.time == 0 || !self.bounds.is_fair) => {
                steps.push(Step::Outage);
                steps.extend(self.bounds.recovers.then_some(Step::FalseAlarm));
            }
            AlarmState::Alarm if self.bounds.recovers => steps.push(Step::Recovery),
            _ => {}
        }
        let arrives = |(zone, hosted): (usize, &Hosted)| (!hosted.travelling.is_empty()).then_some(Step::Arrival(zone));
        steps.extend(world.zones.iter().enumerate().filter_map(arrives));
        let promoted =
            |(nth, state): (usize, &Database)| (*state == Database::Promoting).then_some(Step::Promoted(nth));
        steps.extend(world.databases.iter().enumerate().filter_map(promoted));
        if world.rebuilt < Rebuilt::CaughtUp && world.primary_answers && Self::has_failed_over(world) {
            steps.push(Step::Rebuilding);
        }
        if world.left.trouble > 0 {
            let may_begin = |trouble: &&Trouble| {
                !world.troubles.contains(trouble) && (world.rang.is_empty() || !trouble.is_of_lag())
            };
            steps.extend(self.bounds.troubles.iter().filter(may_begin).map(|trouble| Step::Trouble(*trouble)));
        }
        let may_end = |trouble: &&Trouble| !trouble.is_of_lag() && !trouble.is_of_databases();
        steps.extend(world.troubles.iter().filter(may_end).map(|trouble| Step::Mended(*trouble)));
        steps.extend(world.late_batch.is_some().then_some(Step::LateBatch));
        steps.extend(world.late_promotion.map(|_| Step::LatePromotion));
    }
}
