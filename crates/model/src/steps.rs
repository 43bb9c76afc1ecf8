//! Everything that can happen next.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use failover::incident::AlarmState;
use failover::register::Register;
use failover::rule::Rule;
use stateright::{Checker, HasDiscoveries, Model, Property};

use crate::hands::{self, Fate, Hand, Signal};
use crate::people::{self, Deed};
use crate::rules::Rules;
use crate::watch::Violation;
use crate::world::{Author, Database, World};

/// How far the exploration goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Steps of time.
    pub time: u8,
    /// Invocations of alarm-handler at once, and of replica-promoter.
    pub handlers: usize,
    /// See `handlers`.
    pub promoters: usize,
    /// How many invocations of each may begin in a step of time.
    pub starts: u8,
    /// How many things people do.
    pub people: u8,
    /// How many outages there are.
    pub outages: u8,
    /// Whether calls that were given up may take effect later.
    pub late: bool,
    /// So many crashes and no more; and time stands still until each function has completed an invocation and all is
    /// propagated, as the tick and AWS promise. Only then can anything be said of what must happen.
    pub fair: Option<u8>,
}

impl Bounds {
    /// Two invocations of each function at once, any of them dying anywhere, lost answers and late effects.
    pub const RACES: Self =
        Self { time: 1, handlers: 2, promoters: 2, starts: 2, people: 0, outages: 1, late: true, fair: None };

    /// One invocation of each at a time, dying anywhere, and two things that people do at any moment.
    pub const PEOPLE: Self =
        Self { time: 2, handlers: 1, promoters: 1, starts: 1, people: 2, outages: 1, late: false, fair: None };

    /// Nobody interferes, two invocations die, and AWS keeps its promises: what must happen does.
    pub const LIVENESS: Self =
        Self { time: 8, handlers: 1, promoters: 1, starts: 3, people: 0, outages: 1, late: false, fair: Some(2) };

    /// What the tests explore, by name.
    #[must_use]
    pub fn of_the_tests() -> Vec<(&'static str, Self)> {
        vec![("races", Self::RACES), ("people", Self::PEOPLE), ("liveness", Self::LIVENESS)]
    }

    /// The same, with more of everything.
    #[must_use]
    pub fn deep() -> Vec<(&'static str, Self)> {
        let races = Self { time: 2, people: 1, ..Self::RACES };
        let people = Self { time: 3, people: 3, outages: 2, ..Self::PEOPLE };
        let liveness = Self { handlers: 2, ..Self::LIVENESS };
        vec![("races", races), ("people", people), ("liveness", liveness)]
    }
}

/// Which rules were decided by, over the whole exploration.
#[derive(Clone, Debug, Default)]
pub struct Seen(Arc<Mutex<BTreeSet<Rule>>>);

impl Seen {
    /// A rule has decided.
    pub fn note(&self, rule: Rule) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(rule);
    }

    /// All of them.
    #[must_use]
    pub fn all(&self) -> BTreeSet<Rule> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// What is checked.
#[derive(Clone, Debug)]
pub struct Holdfast {
    /// The decisions.
    pub rules: Rules,
    /// How far.
    pub bounds: Bounds,
    /// Which rules were met.
    pub seen: Seen,
}

/// What an exploration came to.
#[derive(Clone, Debug)]
pub struct Checked {
    /// How many different states there are within the bounds.
    pub states: usize,
    /// How many steps the longest shortest way to one has.
    pub depth: usize,
    /// Which rules decided somewhere.
    pub rules: BTreeSet<Rule>,
    /// Properties that do not hold, with the way there.
    pub broken: Vec<(&'static str, String)>,
    /// Things that should be possible and are not.
    pub never: Vec<&'static str>,
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
    /// A change is at every name server.
    Arrival,
    /// A promotion is complete.
    Promoted,
    /// An invocation of alarm-handler begins; one in its place dies.
    Handler(usize, Signal),
    /// It goes on.
    HandlerGoesOn(usize, Fate),
    /// An invocation of replica-promoter begins; one in its place dies.
    Promoter(usize),
    /// It goes on.
    PromoterGoesOn(usize, Fate),
    /// A batch that was given up takes effect.
    LateBatch,
    /// A promotion that was given up takes effect.
    LatePromotion,
    /// Somebody does something.
    Person(Deed),
}

impl Holdfast {
    /// The shipped rules within bounds.
    #[must_use]
    pub fn shipped(bounds: Bounds) -> Self {
        Self { rules: Rules::shipped(), bounds, seen: Seen::default() }
    }

    /// Serves stateright's explorer until interrupted.
    pub fn explore(self, at: &str) {
        self.checker().serve(at);
    }

    /// Explores everything.
    #[must_use]
    pub fn check(self, threads: usize) -> Checked {
        let seen = self.seen.clone();
        let checker = self.checker().threads(threads).finish_when(HasDiscoveries::AnyFailures).spawn_bfs().join();
        let discoveries = checker.discoveries();
        let model = checker.model();
        let of = |expected: stateright::Expectation| {
            model.properties().into_iter().filter(move |property| property.expectation == expected).map(|it| it.name)
        };
        let story = |path: &stateright::Path<World, Step>| {
            path.clone().into_actions().iter().map(|step| format!("{step:?}\n")).collect::<String>()
        };
        let broken = of(stateright::Expectation::Always).filter_map(|name| Some((name, story(discoveries.get(name)?))));
        Checked {
            states: checker.unique_state_count(),
            depth: checker.max_depth(),
            rules: seen.all(),
            broken: broken.collect(),
            never: of(stateright::Expectation::Sometimes).filter(|name| !discoveries.contains_key(name)).collect(),
        }
    }

    fn may_time_pass(&self, world: &World) -> bool {
        // A promotion that was given up takes effect within minutes or never; a batch, whenever it likes.
        if world.late_promotion.is_some() {
            return false;
        }
        let is_quiet = world.travelling.is_empty() && world.database != Database::Promoting;
        world.time < self.bounds.time && (self.bounds.fair.is_none() || (is_quiet && world.completed == (true, true)))
    }

    fn begin(&self, world: &World, steps: &mut Vec<Step>) {
        // Places are alike: an invocation takes the first free one, or the place of one that dies.
        let places = |hands: &[Hand]| match hands.iter().position(|hand| *hand == Hand::Idle) {
            Some(free) => vec![free],
            None if world.crashes == Some(0) => Vec::new(),
            None => (0..hands.len()).collect(),
        };
        if world.starts.0 > 0 {
            for place in places(&world.handlers) {
                steps.push(Step::Handler(place, Signal::Tick));
                steps.extend(world.rang.iter().map(|since| Step::Handler(place, Signal::Rang(*since))));
                steps.extend(world.approved.iter().map(|it| Step::Handler(place, Signal::Approved(it.clone()))));
            }
        }
        if world.starts.1 > 0 {
            steps.extend(places(&world.promoters).into_iter().map(Step::Promoter));
        }
    }

    fn fates(&self, world: &World, hand: &Hand) -> Vec<Fate> {
        match hand {
            Hand::Idle => Vec::new(),
            Hand::Looked { .. } | Hand::Opened { .. } | Hand::Records(_) => vec![Fate::Answered],
            Hand::Writes(_) if self.bounds.late && world.late_batch.is_none() => {
                vec![Fate::Answered, Fate::Unanswered, Fate::Late]
            }
            Hand::Writes(_) if world.crashes != Some(0) => vec![Fate::Answered, Fate::Unanswered],
            Hand::Writes(_) => vec![Fate::Answered],
            Hand::Promotes { .. } if self.bounds.late && world.late_promotion.is_none() => {
                vec![Fate::Answered, Fate::Late]
            }
            Hand::Promotes { .. } => vec![Fate::Answered],
        }
    }

    fn handler_goes_on(&self, world: &mut World, place: usize, fate: Fate) {
        let next = match world.handlers[place].clone() {
            Hand::Looked { records, signal, .. } => {
                hands::decide_pin(&self.rules, world, &records, &signal, &self.seen)
            }
            Hand::Writes(batch) | Hand::Records(batch) => {
                world.crashes = world.crashes.map(|left| left - u8::from(fate == Fate::Unanswered));
                hands::submit(&self.rules, world, &batch, fate)
            }
            Hand::Idle | Hand::Opened { .. } | Hand::Promotes { .. } => Hand::Idle,
        };
        world.completed.0 |= self.bounds.fair.is_some() && next == Hand::Idle && fate == Fate::Answered;
        world.handlers[place] = next;
    }

    fn promoter_goes_on(&self, world: &mut World, place: usize, fate: Fate) {
        let next = match world.promoters[place].clone() {
            Hand::Looked { records, undone, .. } => {
                hands::decide_gate(&self.rules, world, (&records, undone), &self.seen)
            }
            Hand::Opened { records, incident, since, undone } => {
                hands::decide_replica(&self.rules, world, (&records, &incident, since, undone), &self.seen)
            }
            Hand::Writes(batch) => {
                world.crashes = world.crashes.map(|left| left - u8::from(fate == Fate::Unanswered));
                hands::submit(&self.rules, world, &batch, fate)
            }
            Hand::Promotes { undone } => {
                match fate {
                    Fate::Late => world.late_promotion = Some(undone),
                    Fate::Answered | Fate::Unanswered => hands::promote(world, undone),
                }
                Hand::Idle
            }
            Hand::Idle | Hand::Records(_) => Hand::Idle,
        };
        world.completed.1 |= self.bounds.fair.is_some() && next == Hand::Idle && fate == Fate::Answered;
        world.promoters[place] = next;
    }

    fn pass_time(&self, world: &mut World) {
        world.time += 1;
        world.starts = (self.bounds.starts, self.bounds.starts);
        world.completed = (false, false);
    }
}

impl Model for Holdfast {
    type State = World;
    type Action = Step;

    fn init_states(&self) -> Vec<World> {
        vec![World::new(&self.bounds)]
    }

    fn actions(&self, world: &World, steps: &mut Vec<Step>) {
        if world.watch.violation.is_some() {
            return;
        }
        if self.may_time_pass(world) {
            steps.push(Step::Time);
        }
        match world.alarm.0 {
            AlarmState::Ok if world.outages > 0 => {
                steps.push(Step::Outage);
                steps.extend(self.bounds.fair.is_none().then_some(Step::FalseAlarm));
            }
            AlarmState::Alarm if self.bounds.fair.is_none() => steps.push(Step::Recovery),
            _ => {}
        }
        if !world.travelling.is_empty() {
            steps.push(Step::Arrival);
        }
        if world.database == Database::Promoting {
            steps.push(Step::Promoted);
        }
        self.begin(world, steps);
        for (place, hand) in world.handlers.iter().enumerate() {
            steps.extend(self.fates(world, hand).into_iter().map(|fate| Step::HandlerGoesOn(place, fate)));
        }
        for (place, hand) in world.promoters.iter().enumerate() {
            steps.extend(self.fates(world, hand).into_iter().map(|fate| Step::PromoterGoesOn(place, fate)));
        }
        steps.extend(world.late_batch.is_some().then_some(Step::LateBatch));
        steps.extend(world.late_promotion.map(|_| Step::LatePromotion));
        if world.people > 0 {
            steps.extend(Deed::ALL.map(Step::Person));
        }
    }

    fn next_state(&self, before: &World, step: Step) -> Option<World> {
        let mut world = before.clone();
        match step {
            Step::Time => self.pass_time(&mut world),
            Step::Outage | Step::FalseAlarm => {
                world.outages -= 1;
                world.primary_answers = step == Step::FalseAlarm;
                world.alarm = (AlarmState::Alarm, world.time);
                world.rang.push(world.time);
                world.rang.dedup();
            }
            Step::Recovery => {
                world.primary_answers = true;
                world.alarm = (AlarmState::Ok, world.time);
            }
            Step::Arrival => world.arrive(),
            Step::Promoted => world.database = Database::Writer,
            Step::Handler(place, signal) => {
                world.starts.0 -= 1;
                world.dies_in(&before.handlers[place]);
                let (records, undone) = (Arc::clone(&before.records), before.watch.undone());
                world.handlers[place] = Hand::Looked { records, signal, undone };
            }
            Step::Promoter(place) => {
                world.starts.1 -= 1;
                world.dies_in(&before.promoters[place]);
                let (records, undone) = (Arc::clone(&before.records), before.watch.undone());
                world.promoters[place] = Hand::Looked { records, signal: Signal::Tick, undone };
            }
            Step::HandlerGoesOn(place, fate) => self.handler_goes_on(&mut world, place, fate),
            Step::PromoterGoesOn(place, fate) => self.promoter_goes_on(&mut world, place, fate),
            Step::LateBatch => {
                let batch = world.late_batch.take()?;
                world.apply(&batch, Author::Holdfast, self.rules.compares);
            }
            Step::LatePromotion => {
                let undone = world.late_promotion.take()?;
                hands::promote(&mut world, undone);
            }
            Step::Person(deed) => {
                world.people -= 1;
                if !people::act(&self.rules, &mut world, deed) {
                    return None;
                }
            }
        }
        let world = world.canonical();
        (world != *before).then_some(world)
    }

    fn properties(&self) -> Vec<Property<Self>> {
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
            never!(PinnedTwice),
            never!(PinnedForOldAlarm),
            never!(PrimaryAnswered),
            never!(WroteWhileOff),
            never!(OriginalLost),
            never!(NotRestored),
            never!(SkippedRule),
            Property::<Self>::sometimes("an outage ends failed over", |_, world| {
                matches!(world.register(), Some(Register::FailedOver { .. }))
            }),
        ];
        if self.bounds.fair.is_some() {
            properties.push(Property::<Self>::always("an outage that lasts ends failed over", |model, world| {
                world.time < model.bounds.time
                    || world.completed != (true, true)
                    || world.rang.first() != Some(&0)
                    || matches!(world.register(), Some(Register::FailedOver { .. }))
            }));
        }
        if self.bounds.people > 0 {
            properties.push(Property::<Self>::sometimes("a failback completes", |_, world| {
                world.published == world.records
                    && matches!(world.register(), Some(Register::Disarmed { by, .. }) if by.starts_with("failback"))
            }));
        }
        properties
    }
}
