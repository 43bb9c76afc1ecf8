//! Everything that can happen next.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use failover::incident::AlarmState;
use failover::record::RecordSet;
use failover::register::Register;
use failover::rule::Rule;
use stateright::{Model, Property};

use crate::bounds::{Bounds, LASTS};
use crate::hands::{Answer, Fate, Hand, Question, Signal};
use crate::people::Deed;
use crate::rules::Rules;
use crate::setting::{Setting, Zone, at, original, secondary};
use crate::shared::{Memo, Shared};
use crate::watch::Violation;
use crate::world::{Author, Database, Rebuilt, SharedBatch, Travelling, Trouble, World, after};

/// A row of the rules' tables: the rule, and its condition in words. The rules about failback have none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Row(pub Rule, pub &'static str);

/// Which rows decided, over the whole exploration.
#[derive(Clone, Debug, Default)]
pub struct Seen(Arc<Mutex<BTreeSet<Row>>>);

impl Seen {
    /// A row has decided.
    pub fn note(&self, row: Row) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(row);
    }

    /// All of them.
    #[must_use]
    pub fn all(&self) -> BTreeSet<Row> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// What is checked.
#[derive(Debug)]
pub struct Holdfast {
    /// The decisions.
    pub rules: Rules,
    /// How far.
    pub bounds: Bounds,
    /// What does not change.
    pub setting: Setting,
    /// Which rows were met.
    pub seen: Seen,
    /// What the decisions came to.
    pub answers: Memo<Question, Answer>,
    afters: Memo<(usize, Zone, SharedBatch), Option<Zone>>,
    restored: Memo<(usize, Zone), bool>,
}

/// Something happens.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Step {
    /// Time passes.
    Time,
    /// The primary goes down and the alarm rings.
    Outage,
    /// The alarm rings though the primary is up.
    FalseAlarm,
    /// The primary is back and the alarm says OK.
    Recovery,
    /// A change is at every name server of a zone.
    Arrival(usize),
    /// A promotion is complete.
    Promoted(usize),
    /// The databases in the primary region have come further.
    Rebuilding,
    /// Something else goes wrong.
    Trouble(Trouble),
    /// It is put right.
    Mended(Trouble),
    /// An invocation of alarm-handler begins, by listing the zones, as they are or as they were; one in its place dies.
    Handler(usize, Signal, bool),
    /// It goes on.
    HandlerGoesOn(usize, Fate),
    /// An invocation of replica-promoter begins, by listing the zones, as they are or as they were; one in its place dies.
    Promoter(usize, Signal, bool),
    /// It goes on.
    PromoterGoesOn(usize, Fate),
    /// A batch that was given up takes effect.
    LateBatch,
    /// A promotion that was given up takes effect.
    LatePromotion,
    /// Somebody does something.
    Person(Deed),
    /// The command goes on.
    CommandGoesOn,
    /// Or is interrupted.
    CommandDies,
}

impl Holdfast {
    /// The shipped rules within bounds.
    #[must_use]
    pub fn shipped(bounds: Bounds) -> Self {
        Self {
            rules: Rules::shipped(),
            bounds,
            setting: Setting::new(&bounds.workload),
            seen: Seen::default(),
            answers: Memo::default(),
            afters: Memo::default(),
            restored: Memo::default(),
        }
    }

    /// Applies a batch, whole or not at all; the number of the change.
    pub fn apply(&self, world: &mut World, batch: &SharedBatch, author: Author) -> Option<u8> {
        let zone = self.setting.plan.zones.iter().position(|zone| zone.id == batch.zone)?;
        let before = world.zones[zone].records.clone();
        let after = self.afters.get((zone, before.clone(), batch.clone()), |(zone, before, batch)| {
            after(&self.setting, *zone, before, batch, self.rules.compares)
        })?;
        let undone = world.watch.undone();
        world.changes += 1;
        let (now, number) = (at(world.time), world.changes);
        world.watch.wrote((&self.setting.plan, now), author, zone, (&before, &after), &world.databases);
        let hosted = &mut world.zones[zone];
        hosted.before = (world.left.faults > 0).then_some((before, undone));
        hosted.records = after.clone();
        hosted.travelling.push(Travelling { number, after, author });
        Some(number)
    }

    /// Whether a failback from here, once the pair is whole and the failover through, restores every PRIMARY record.
    fn restores(&self, zone: usize, records: &Zone) -> bool {
        self.restored.get((zone, records.clone()), |(zone, records)| {
            records.views.iter().all(|view| {
                let Some(pin) = view.register().and_then(Register::pin) else { return true };
                let register = Register::FailedOver { at: at(0), pin: pin.clone() };
                let Ok(register) = register.record_set(&view.name) else { return false };
                let is_replaced = |set: &RecordSet| set.name == register.name || *set == secondary(&view.name);
                let rest = records.sets.iter().filter(|set| !is_replaced(set)).cloned();
                let sets = rest.chain([register.clone(), secondary(&view.name)]).collect();
                let ready = self.setting.zone(*zone, sets);
                let of_name = ready.views.iter().find(|ready| ready.name == view.name);
                let write = of_name.map(|view| (self.rules.restore)(&self.setting.plan, view, at(0), "p"));
                let Some(Ok(Some(write))) = write else { return false };
                let batch = crate::hands::batches(vec![write]);
                let home = batch.first().and_then(|batch| after(&self.setting, *zone, &ready, batch, true));
                home.is_some_and(|home| home.primary(&view.name) == Some(&original(&view.name)))
            })
        })
    }

    fn may_time_pass(&self, world: &World) -> bool {
        // A promotion that was given up takes effect within minutes or never; a batch, whenever it likes. A command goes
        // on within minutes too.
        if world.late_promotion.is_some() || world.command.is_some() {
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
            let foreign = (self.bounds.trouble > 0).then_some(Signal::Foreign);
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

    /// A fault is used up; after the last nothing is answered from before any more.
    fn spend(&self, world: &mut World, is_fault: bool, dies: bool) {
        world.left.faults -= u8::from(is_fault);
        world.left.crashes = world.left.crashes.map(|left| left - u8::from(dies));
        if is_fault && world.left.faults == 0 {
            self.forget_before(world);
        }
    }

    fn forget_before(&self, world: &mut World) {
        world.zones.iter_mut().for_each(|hosted| hosted.before = None);
        world.database_before = None;
    }

    fn handler_goes_on(&self, world: &mut World, place: usize, fate: Fate) {
        let next = match world.handlers[place].clone() {
            Hand::Looked(look, signal) => {
                let answer = self.asks_for_pins(world, &look, signal, fate);
                answer.violation.into_iter().for_each(|violation| world.watch.accuse(violation));
                answer.next
            }
            Hand::Enables(batches) => {
                world.check_is_disabled = false;
                if fate == Fate::Answered { Hand::Writes(batches) } else { Hand::Idle }
            }
            Hand::Writes(batches) => self.handler_submits(world, &batches, fate),
            Hand::Records(record, rest) => {
                self.apply(world, &record, Author::Holdfast);
                if rest.is_empty() { Hand::Idle } else { Hand::Writes(rest) }
            }
            Hand::Idle | Hand::Opened(_) | Hand::Promotes(_) => Hand::Idle,
        };
        self.spend(world, matches!(fate, Fate::Refused | Fate::Stale), fate == Fate::Unanswered);
        world.completed.0 |= self.bounds.is_fair && next == Hand::Idle && fate == Fate::Answered;
        world.handlers[place] = next;
    }

    fn promoter_goes_on(&self, world: &mut World, place: usize, fate: Fate) {
        let next = match world.promoters[place].clone() {
            Hand::Looked(look, signal) => self.asks_for_gate(world, &look, signal, fate).next,
            Hand::Opened(open) => self.asks_for_replica(world, &open, fate).next,
            Hand::Writes(batches) => self.promoter_submits(world, &batches, fate),
            Hand::Promotes(open) => {
                let order = self.promotion_of(&open);
                match fate {
                    Fate::Late => world.late_promotion = Some(order),
                    _ => world.promote(order),
                }
                self.after_promotion(&open, world.time)
            }
            Hand::Idle | Hand::Records(..) | Hand::Enables(_) => Hand::Idle,
        };
        self.spend(world, matches!(fate, Fate::Refused | Fate::Stale), fate == Fate::Unanswered);
        world.completed.1 |= self.bounds.is_fair && next == Hand::Idle && fate == Fate::Answered;
        world.promoters[place] = next;
    }

    fn pass_time(&self, world: &mut World) {
        world.time += 1;
        world.left.starts = self.bounds.starts;
        world.completed = (false, false);
        self.forget_before(world);
    }

    fn has_failed_over(world: &World) -> bool {
        world.registers().all(|register| matches!(register, Some(Register::FailedOver { .. })))
    }

    fn offer_surroundings(&self, world: &World, steps: &mut Vec<Step>) {
        if self.may_time_pass(world) {
            steps.push(Step::Time);
        }
        match world.alarm.0 {
            AlarmState::Ok if world.left.outages > 0 => {
                steps.push(Step::Outage);
                steps.extend(self.bounds.recovers.then_some(Step::FalseAlarm));
            }
            AlarmState::Alarm if self.bounds.recovers => steps.push(Step::Recovery),
            _ => {}
        }
        let arrives = |(zone, hosted): (usize, &crate::world::Hosted)| {
            (!hosted.travelling.is_empty()).then_some(Step::Arrival(zone))
        };
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
        let may_end = |trouble: &&Trouble| !trouble.is_of_lag();
        steps.extend(world.troubles.iter().filter(may_end).map(|trouble| Step::Mended(*trouble)));
        steps.extend(world.late_batch.is_some().then_some(Step::LateBatch));
        steps.extend(world.late_promotion.map(|_| Step::LatePromotion));
    }

    /// Somebody deletes the first name's SECONDARY record, or puts it back.
    fn break_pair(&self, world: &mut World, breaks: bool) {
        use failover::change::{Batch, Change, Write};
        let Some(view) = world.views().next() else { return };
        let set = secondary(&view.name);
        let changes = vec![if breaks { Change::Delete(set) } else { Change::Create(set) }];
        let register = Register::Disarmed { at: at(0), by: "nobody reads this".to_owned() };
        let write = Write { zone: view.zone.clone(), name: view.name.clone(), register, changes };
        let batch = Shared::new(Batch { zone: view.zone.clone(), writes: vec![write] });
        self.apply(world, &batch, Author::Hand);
    }

    fn trouble(&self, world: &mut World, trouble: Trouble, begins: bool) {
        match begins {
            true => world.troubles.insert(trouble),
            false => world.troubles.remove(&trouble),
        };
        world.left.trouble -= u8::from(begins);
        if trouble == Trouble::PairBroken {
            self.break_pair(world, begins);
        }
    }

    fn ring(world: &mut World, primary_answers: bool) {
        world.left.outages -= 1;
        world.primary_answers = primary_answers;
        world.alarm = (AlarmState::Alarm, world.time);
        world.rang.push(world.time);
        world.rang.dedup();
    }

    fn listed(world: &World, signal: Signal, is_stale: bool) -> Hand {
        Hand::Looked(Shared::new(world.look(is_stale)), signal)
    }
}

impl Model for Holdfast {
    type State = World;
    type Action = Step;

    fn init_states(&self) -> Vec<World> {
        vec![World::new(&self.bounds, &self.setting)]
    }

    fn actions(&self, world: &World, steps: &mut Vec<Step>) {
        if world.watch.violation.is_some() {
            return;
        }
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

    fn next_state(&self, before: &World, step: Step) -> Option<World> {
        let mut world = before.clone();
        match step {
            Step::Time => self.pass_time(&mut world),
            Step::Outage => Self::ring(&mut world, false),
            Step::FalseAlarm => Self::ring(&mut world, true),
            Step::Recovery => {
                world.primary_answers = true;
                world.alarm = (AlarmState::Ok, world.time);
            }
            Step::Arrival(zone) => world.arrive(zone),
            Step::Promoted(database) => world.becomes(database, Database::Writer),
            Step::Rebuilding => {
                world.rebuilt = if world.rebuilt == Rebuilt::Not { Rebuilt::Behind } else { Rebuilt::CaughtUp };
            }
            Step::Trouble(trouble) => self.trouble(&mut world, trouble, true),
            Step::Mended(trouble) => self.trouble(&mut world, trouble, false),
            Step::Handler(place, signal, is_stale) => {
                world.left.starts.0 -= 1;
                world.dies_in(&before.handlers[place]);
                world.handlers[place] = Self::listed(before, signal, is_stale);
                self.spend(&mut world, is_stale, false);
            }
            Step::Promoter(place, signal, is_stale) => {
                world.left.starts.1 -= 1;
                world.dies_in(&before.promoters[place]);
                world.promoters[place] = Self::listed(before, signal, is_stale);
                self.spend(&mut world, is_stale, false);
            }
            Step::HandlerGoesOn(place, fate) => self.handler_goes_on(&mut world, place, fate),
            Step::PromoterGoesOn(place, fate) => self.promoter_goes_on(&mut world, place, fate),
            Step::LateBatch => {
                let batch = world.late_batch.take()?;
                self.apply(&mut world, &batch, Author::Holdfast);
            }
            Step::LatePromotion => {
                let order = world.late_promotion.take()?;
                world.promote(order);
            }
            Step::Person(deed) => {
                world.left.people -= 1;
                if !self.act(&mut world, deed) {
                    return None;
                }
            }
            Step::CommandGoesOn => self.command_goes_on(&mut world),
            Step::CommandDies => world.command = None,
        }
        let world = world.canonical();
        (world != *before).then_some(world)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        self.all_properties()
    }
}

impl Holdfast {
    fn all_properties(&self) -> Vec<Property<Self>> {
        macro_rules! never {
            ($violation:ident) => {
                Property::<Self>::always(Violation::$violation.property(), |_, world| {
                    world.watch.violation != Some(Violation::$violation)
                })
            };
        }
        let mut properties = vec![
            never!(PromotedTooEarly),
            never!(PromotedTwice),
            never!(LostTooMuch),
            never!(ClosedTooEarly),
            never!(PinnedTwice),
            never!(PinnedForOldAlarm),
            never!(PrimaryAnswered),
            never!(WroteWhileOff),
            never!(NotRestored),
            never!(ArmedWithoutReplica),
            never!(SkippedRule),
            Property::<Self>::always(Violation::OriginalLost.property(), |model, world| {
                world.zones.iter().enumerate().all(|(zone, hosted)| model.restores(zone, &hosted.records))
            }),
        ];
        if self.bounds.workload.disables_check {
            properties.push(Property::<Self>::always(Violation::CheckLeftDisabled.property(), |_, world| {
                let is_paused = |register| matches!(register, Some(&Register::Paused { .. }));
                let is_ending = world.handlers.iter().any(|hand| matches!(hand, Hand::Enables(_)));
                !world.check_is_disabled || is_ending || world.registers().any(is_paused)
            }));
        }
        if self.bounds.workload.mode != failover::plan::Mode::Shadow && self.bounds.may_end_failed_over() {
            properties.push(Property::<Self>::sometimes("an outage ends failed over", |_, world| {
                Self::has_failed_over(world)
            }));
        }
        if self.bounds.is_fair {
            properties.push(Property::<Self>::always(LASTS, |model, world| {
                world.time < model.bounds.time
                    || world.completed != (true, true)
                    || world.rang.first() != Some(&0)
                    || Self::has_failed_over(world)
            }));
        }
        if self.bounds.deeds.contains(&Deed::FailBack) {
            properties.push(Property::<Self>::sometimes("a failback completes", |_, world| {
                let is_home = |register: Option<&Register>| match register {
                    Some(Register::Disarmed { by, .. }) => by.starts_with("failback"),
                    Some(Register::Armed { by, .. }) => *by == failover::register::ArmedBy::Failback,
                    _ => false,
                };
                world.registers().all(is_home) && world.zones.iter().all(|hosted| hosted.published == hosted.records)
            }));
        }
        properties
    }
}
