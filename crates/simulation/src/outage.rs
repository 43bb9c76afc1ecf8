//! One outage, whole: faults, duplicates, lost and late events, invocations that overlap, a primary that comes and goes,
//! people who interfere or sleep. What goes otherwise than in a quiet outage, [`Chance`] decides.

mod hands;
mod orders;

use std::task::Poll;

use failover::incident::{AlarmState, Approval};
use failover::name::Name;
use failover::outcome::Kind;
use failover::promotion::{Database, ReplicaState};
use failover::register::{REPINS_MAX, Register};
use failover::rule::Rule;
use jiff::{SignedDuration, Timestamp};
use rand::Rng as _;

use crate::beside::Beside;
use crate::chance::{About, Chance, Deviation};
use crate::circumstances::{self, Circumstances};
use crate::dns;
use crate::event;
use crate::fault::{Fault, Script, script};
use crate::holdfast::{Function, Holdfast, Invocation};
use crate::judge;
use crate::property::Breach;
use crate::sabotage::Sabotage;
use crate::setup::start;

/// When faults, losses and interference end.
pub const FAULTY_MINUTES: i64 = 12;
/// How long after that, or after the first approval if people had to be asked, an outage may take to be failed over: a minute to
/// pin, 2 to spread, 3 to drain, 5 to promote, 3 for ticks between them.
pub const RECOVERY_MINUTES: i64 = 14;
/// How much longer it may take if it goes by what name servers show: they learn late, and their answers need a margin.
const SHOWN_MINUTES: i64 = 6;
/// What a fault kept from being told, the reminder tells after 16 minutes.
const REMINDER_MINUTES: i64 = 17;
/// A change that never arrives.
const STRANDED: u32 = 1_000;
/// What a single minute may do before anybody says that it never ends.
const STEPS_MAX: usize = 5_000;

/// What came of an outage.
#[derive(Debug, Default)]
pub struct Report {
    /// What should hold, and did not.
    pub broken: Vec<Breach>,
    /// The story, if it was to be told.
    pub story: Vec<(Timestamp, String)>,
    /// What the functions returned, each kind once.
    pub kinds: Vec<Kind>,
    /// If all ended failed over: how many minutes after the end of the faults, or after the first approval.
    pub recovered_minutes: Option<i64>,
    /// How many calls met each of [`Fault::ALL`].
    pub faults: [u64; Fault::ALL.len()],
    /// How many messages people got.
    pub messages: usize,
    /// What went otherwise than in a quiet outage, if it was to be noted.
    pub deviations: Vec<Deviation>,
}

/// How much of an outage is to be known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail {
    /// Only what came of it.
    Result,
    /// Its story, too.
    Story,
}

/// Runs the outage that follows from a seed, with functions that break a rule if one is given.
#[must_use]
pub fn run(seed: u64, sabotage: Option<Sabotage>, detail: Detail) -> Report {
    let chance = if detail == Detail::Story { Chance::noting(seed) } else { Chance::of_seed(seed) };
    Outage::new(chance, sabotage).run(detail)
}

/// Runs the outage in which these things go otherwise than in a quiet one.
#[must_use]
pub fn run_list(deviations: &[Deviation], sabotage: Option<Sabotage>, detail: Detail) -> Report {
    Outage::new(Chance::of_list(deviations), sabotage).run(detail)
}

/// An outage under way.
pub(crate) struct Outage {
    chance: Chance,
    pub(crate) holdfast: Holdfast,
    pub(crate) circumstances: Circumstances,
    running: Vec<Invocation>,
    /// Names whose SECONDARY record somebody pointed at the primary.
    swapped: Vec<(String, Name)>,
    /// The minute in which those were put back.
    mended: Option<i64>,
    /// How much longer clients drain, since somebody gave records a long TTL.
    drain_minutes: i64,
    /// Alarm events so far: any of them may come again.
    heard: Vec<serde_json::Value>,
    /// The minute of the first approval.
    approved: Option<i64>,
    faults: std::rc::Rc<std::cell::RefCell<[u64; Fault::ALL.len()]>>,
}

impl Outage {
    fn new(chance: Chance, sabotage: Option<Sabotage>) -> Self {
        let setup = circumstances::setup(&chance);
        let holdfast = sabotage.map_or_else(|| setup.deploy(), |sabotage| setup.deploy_sabotaged(sabotage));
        let circumstances = Circumstances::draw(&chance, &setup, &holdfast);
        let heard = circumstances.old_alarm.iter().cloned().collect();
        let mut outage = Self {
            chance,
            holdfast,
            circumstances,
            heard,
            running: Vec::new(),
            swapped: Vec::new(),
            mended: None,
            drain_minutes: 0,
            approved: None,
            faults: std::rc::Rc::default(),
        };
        outage.holdfast.script = outage.script();
        outage
    }

    fn run(mut self, detail: Detail) -> Report {
        if detail == Detail::Story {
            let told = self.circumstances.told.clone();
            let mut world = self.holdfast.world.get();
            world.story = Some(Vec::new());
            told.into_iter().for_each(|line| world.tell(|| line));
        }
        let (mut minute, mut quiet_minutes) = (0, 0);
        while minute < self.deadline() && quiet_minutes <= 3 {
            let is_faulty = minute < FAULTY_MINUTES;
            self.chance.begin_minute(minute);
            if let Some(beside) = &mut self.circumstances.beside {
                beside.befall(&self.chance, &mut self.holdfast.world.get(), minute);
            }
            if minute == self.circumstances.begins {
                self.holdfast.world.get().outage();
            } else if Some(minute) == self.circumstances.returns {
                self.holdfast.world.get().recovery();
            }
            self.interfere(minute, is_faulty);
            self.minute(is_faulty);
            quiet_minutes = if !is_faulty && self.is_failed_over() { quiet_minutes + 1 } else { 0 };
            minute += 1;
        }
        for _ in 0..REMINDER_MINUTES {
            if !self.is_failed_over() || judge::was_all_told(&self) {
                break;
            }
            self.minute(false);
        }
        let recovered_minutes = minute - quiet_minutes - self.recovery_begins();
        self.report(recovered_minutes)
    }

    fn recovery_begins(&self) -> i64 {
        let dark_until = self.circumstances.beside.as_ref().map_or(0, Beside::dark_until);
        FAULTY_MINUTES.max(self.approved.unwrap_or_default()).max(self.mended.unwrap_or_default()).max(dark_until)
    }

    fn deadline(&self) -> i64 {
        let asleep = if self.approved.is_none() { self.circumstances.asleep_minutes } else { 0 };
        let shown = if self.circumstances.beside.is_some() { SHOWN_MINUTES } else { 0 };
        self.recovery_begins()
            + asleep
            + RECOVERY_MINUTES
            + self.drain_minutes
            + shown
            + self.circumstances.retry_minutes
    }

    fn report(self, recovered_minutes: i64) -> Report {
        let is_failed_over = self.is_failed_over();
        let broken = judge::judge(&self, is_failed_over);
        let mut kinds: Vec<_> = self.holdfast.outcomes.iter().map(|(_, _, outcome)| outcome.outcome).collect();
        kinds.sort_unstable();
        kinds.dedup();
        let mut world = self.holdfast.world.get();
        let story = world.story.take().unwrap_or_default();
        let recovered_minutes = is_failed_over.then_some(recovered_minutes);
        let (faults, messages) = (*self.faults.borrow(), world.mailbox.len());
        Report { broken, story, kinds, recovered_minutes, faults, messages, deviations: self.chance.noted() }
    }

    fn script(&self) -> Script {
        let (chance, world, trouble) = (self.chance.clone(), self.holdfast.world.clone(), self.circumstances.trouble);
        let faults = self.faults.clone();
        let odds = chance.odds(0.25);
        let end = start() + SignedDuration::from_mins(FAULTY_MINUTES);
        script(move |site| {
            let now = world.get().now;
            if now >= end {
                return Fault::None;
            }
            let lasting = trouble.and_then(|trouble| trouble.befalls(now, site.function, site.api));
            // One look asks name servers some forty questions.
            let odds = if site.api == dns::CALL { odds / 10.0 } else { odds };
            let draw = || chance.one_of(About::Call(site.function, site.api), odds, Fault::ALL.len() as u32) as usize;
            let chosen = match lasting {
                Some(fault) => return fault,
                None => draw(),
            };
            let Some(nth) = chosen.checked_sub(1) else { return Fault::None };
            faults.borrow_mut()[nth] += 1;
            Fault::ALL[nth]
        })
    }

    /// What others do between two minutes.
    fn interfere(&mut self, minute: i64, is_faulty: bool) {
        let delay = self.chance.choose(About::Delay, |rng| match rng.random_range(0..100) {
            0..5 if is_faulty => STRANDED,
            5..60 => rng.random_range(1..110),
            _ => 0,
        });
        {
            let mut world = self.holdfast.world.get();
            world.route53.delay = match delay {
                STRANDED => None,
                0 => Some(SignedDuration::from_secs(40)),
                seconds => Some(SignedDuration::from_secs(seconds.into())),
            };
            world.dr_answers |= !is_faulty;
            let turns = self.chance.one_of_targets(About::TargetsTurn, 0.3, 3);
            world.targets = match turns {
                _ if !is_faulty => AlarmState::Ok,
                0 => world.targets,
                1 => AlarmState::Alarm,
                2 => AlarmState::InsufficientData,
                _ => AlarmState::Ok,
            };
            self.heard.extend(world.outbox.iter().filter(|event| event["source"] == "aws.cloudwatch").cloned());
        }
        let has_late = !self.holdfast.world.get().late.is_empty();
        if has_late && !(is_faulty && self.chance.happens(About::Late, 0.7)) {
            self.holdfast.world.get().land_late_calls();
        }
        let again = self.chance.one_of(About::EventAgain, 0.2, 1_000) as usize;
        if again > 0 && !self.heard.is_empty() {
            self.holdfast.world.get().tell(|| "an alarm event is delivered again".to_owned());
            self.holdfast.send(Function::AlarmHandler, self.heard[again % self.heard.len()].clone());
        }
        // Only between invocations: what is undone between a look and what follows it nobody can see.
        if is_faulty && self.at_work().is_empty() {
            match self.chance.one_of(About::Undo, 0.02, 1_000) as usize {
                0 => {}
                choice => self.undo_one(choice),
            }
        }
        if is_faulty && self.chance.happens(About::Disarm, 0.005) {
            self.disarm();
        }
        self.give_orders(minute, is_faulty);
        self.lay_hands(minute, is_faulty);
        if minute >= FAULTY_MINUTES + self.circumstances.asleep_minutes {
            self.approve(minute);
        }
    }

    /// The operators approve whatever was asked for.
    fn approve(&mut self, minute: i64) {
        let asked = self.holdfast.outcomes.iter().rev().find(|(_, _, outcome)| outcome.outcome == Kind::ApprovalNeeded);
        let Some(incident) = asked.and_then(|(_, _, outcome)| outcome.incident.clone()) else { return };
        let despite = Rule::LIFTABLE.into();
        let approval = Approval { incident, by: "kim".to_owned(), reason: "really down".to_owned(), despite };
        self.approved.get_or_insert(minute);
        let event = {
            let mut world = self.holdfast.world.get();
            world.tell(|| format!("kim approves {}", approval.incident));
            let event = event::approval(&approval, world.now);
            world.watch.approvals.push(approval);
            event
        };
        self.holdfast.send(Function::AlarmHandler, event.clone());
        self.holdfast.send(Function::ReplicaPromoter, event);
    }

    /// A minute with its ticks, its deliveries in any order, some of them twice and some never.
    fn minute(&mut self, is_faulty: bool) {
        self.holdfast.send_ticks();
        let pieces = if is_faulty { 1 + self.chance.choose(About::Pieces, |rng| rng.random_range(0..3)) } else { 1 };
        for _ in 0..pieces {
            self.work(is_faulty);
            let over = self.holdfast.world.get().now + SignedDuration::from_secs(i64::from(60 / pieces));
            while let Some(at) = self.running.iter().filter_map(Invocation::waits_until).filter(|at| *at < over).min() {
                let mut world = self.holdfast.world.get();
                let now = world.now;
                world.advance_to(at.max(now));
                drop(world);
                self.work(is_faulty);
            }
            self.holdfast.world.get().advance_to(over);
        }
    }

    /// Which invocations are at work, and do not wait by their own will.
    fn at_work(&self) -> Vec<usize> {
        let numbered = self.running.iter().enumerate();
        numbered.filter(|(_, invocation)| !invocation.waits()).map(|(nth, _)| nth).collect()
    }

    fn work(&mut self, is_faulty: bool) {
        let overlaps = self.circumstances.overlaps;
        for _ in 0..STEPS_MAX {
            self.holdfast.take_outbox();
            let at_work = self.at_work();
            let has_room = at_work.len() < if overlaps { 4 } else { 1 };
            if has_room && self.take_delivery(is_faulty) {
                continue;
            }
            if at_work.is_empty() {
                return;
            }
            // An invocation may be slow, and others, and time, may pass it by; but not once all is well.
            if overlaps && is_faulty && self.chance.happens(About::Pace, 0.1) {
                return;
            }
            let running = at_work.len();
            let nth = if running == 1 {
                0
            } else {
                self.chance.choose(About::Turn, |rng| rng.random_range(0..running) as u32) as usize % running
            };
            let nth = at_work[nth];
            if let Poll::Ready(ended) = self.running[nth].poll() {
                let invocation = self.running.remove(nth);
                self.holdfast.ended(invocation, ended);
            }
        }
    }

    fn take_delivery(&mut self, is_faulty: bool) -> bool {
        let chance = self.chance.clone();
        let order = |due: usize| match due {
            1 => 0,
            due => chance.choose(About::Order, |rng| rng.random_range(0..due) as u32) as usize,
        };
        let Some(delivery) = self.holdfast.next_due(order) else { return false };
        let function = delivery.function;
        let is_told_only = function == Function::Notifier;
        let fate = match is_faulty {
            true => self.chance.choose(About::Delivery(function), |rng| match rng.random_range(0..100) {
                0..8 => 1,
                8..13 if !is_told_only => 2,
                _ => 0,
            }),
            false => 0,
        };
        if fate > 0 {
            let what = if fate == 1 { "twice" } else { "never" };
            self.holdfast.world.get().tell(|| format!("an event for {function:?} is delivered {what}"));
        }
        match fate {
            2 => return true,
            1 => self.holdfast.queue.push_back(delivery.clone()),
            _ => {}
        }
        let invocation = self.holdfast.start(delivery, self.circumstances.overlaps);
        self.running.push(invocation);
        true
    }

    fn is_failed_over(&self) -> bool {
        let is_writer = |state: ReplicaState| state.database().is_some_and(Database::is_available_writer);
        let are_writers = self.holdfast.world.get().replicas.values().all(|replica| is_writer(replica.state()));
        let is_closed =
            |view: &_| matches!(failover::observation::NameView::register(view), Some(Register::FailedOver { .. }));
        are_writers
            && judge::is_fence_complete(&self.holdfast)
            && self.holdfast.names().iter().all(|view| is_closed(view) && view.agrees())
    }

    /// True if the alarm rings and nobody took it back.
    pub(crate) fn lasts(&self) -> bool {
        self.circumstances.returns.is_none() && self.holdfast.world.get().alarm.state == AlarmState::Alarm
    }
}
