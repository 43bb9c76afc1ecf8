//! Everything that can happen next.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use failover::incident::AlarmState;
use failover::rule::Id;
use stateright::{Model, Property};

use crate::bounds::Bounds;
use crate::decide::{Answer, Question};
use crate::hands::{Fate, Hand, Signal};
use crate::people::Deed;
use crate::rules::Rules;
use crate::setting::{Setting, Zone, after, at, beside, hints, is_protected};
use crate::shared::{Memo, Shared};
use crate::world::{Author, Rebuilt, SharedBatch, Travelling, Trouble, World};

/// Which rows decided, over the whole exploration.
#[derive(Clone, Debug, Default)]
pub struct Seen(Arc<Mutex<BTreeSet<Id>>>);

impl Seen {
    /// A row has decided.
    pub fn note(&self, row: Id) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(row);
    }

    /// All of them.
    #[must_use]
    pub fn all(&self) -> BTreeSet<Id> {
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
    /// Whether a failback restores what a zone says.
    pub restored: Memo<(usize, Zone), bool>,
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
        if world.troubles.contains(&Trouble::RecordProtected) && is_protected(&world.zones[0].records, batch) {
            return None;
        }
        let before = world.zones[zone].records.clone();
        let after = self.afters.get((zone, before.clone(), batch.clone()), |(zone, before, batch)| {
            after(&self.setting, *zone, before, batch, self.rules.compares)
        })?;
        let undone = world.watch.undone();
        world.changes += 1;
        let (now, number) = (at(world.time), world.changes);
        let told = (world.databases.as_slice(), world.has_approved_what_rings());
        world.watch.wrote((&self.setting.plan, now), author, zone, (&before, &after), told);
        let hosted = &mut world.zones[zone];
        hosted.before = (world.left.faults > 0).then_some((before, undone));
        hosted.records = after.clone();
        hosted.travelling.push(Travelling { number, after, author });
        world.is_maintained &= world.paused_until().is_some();
        Some(number)
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
                let is_current = look.undone == world.watch.undone();
                world.is_left_to_people |=
                    self.bounds.deeds.iter().any(Deed::puts_back) && answer.next == Hand::Idle && is_current;
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

    fn trouble(&self, world: &mut World, trouble: Trouble, begins: bool) {
        match begins {
            true => world.troubles.insert(trouble),
            false => world.troubles.remove(&trouble),
        };
        world.left.trouble -= u8::from(begins);
        match trouble {
            Trouble::PairBroken => self.break_pair(world, begins),
            Trouble::RecordBeside => self.put_beside(world, beside, begins),
            Trouble::HintsBeside => self.put_beside(world, hints, begins),
            Trouble::AlarmGone if !begins && !world.primary_answers => Self::ring(world),
            _ => {}
        }
    }

    /// The primary goes down, or only seems to. What is not there does not ring.
    fn begin_outage(world: &mut World, primary_answers: bool) {
        world.left.outages -= 1;
        world.primary_answers = primary_answers;
        if !world.troubles.contains(&Trouble::AlarmGone) {
            Self::ring(world);
        }
    }

    fn ring(world: &mut World) {
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
        if world.watch.violations.is_empty() {
            self.offer(world, steps);
        }
    }

    fn next_state(&self, before: &World, step: Step) -> Option<World> {
        let mut world = before.clone();
        match step {
            Step::Time => self.pass_time(&mut world),
            Step::Outage => Self::begin_outage(&mut world, false),
            Step::FalseAlarm => Self::begin_outage(&mut world, true),
            Step::Recovery => {
                world.primary_answers = true;
                world.alarm = (AlarmState::Ok, world.time);
            }
            Step::Arrival(zone) => world.arrive(zone),
            Step::Promoted(database) => world.end_promotion(database),
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
                while self.bounds.is_whole && world.handlers[place] != Hand::Idle {
                    self.handler_goes_on(&mut world, place, Fate::Answered);
                }
            }
            Step::Promoter(place, signal, is_stale) => {
                world.left.starts.1 -= 1;
                world.dies_in(&before.promoters[place]);
                world.promoters[place] = Self::listed(before, signal, is_stale);
                self.spend(&mut world, is_stale, false);
                while self.bounds.is_whole && world.promoters[place] != Hand::Idle {
                    self.promoter_goes_on(&mut world, place, Fate::Answered);
                }
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

    fn format_action(&self, step: &Step) -> String {
        Self::in_words(None, step)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        self.all_properties()
    }
}
