//! One random outage, whole: faults, duplicates, lost and late events, invocations that overlap, a primary that comes
//! and goes, people who interfere. Everything follows from the seed.

use std::task::Poll;

use failover::incident::{AlarmState, Approval};
use failover::outcome::Kind;
use failover::promotion::{LagSample, ReplicaState};
use failover::register::{REPINS_MAX, Register};
use failover::rule::Rule;
use jiff::{SignedDuration, Timestamp};
use rand::rngs::SmallRng;
use rand::{Rng as _, SeedableRng as _};

use crate::event;
use crate::fault::{Fault, Script, script};
use crate::holdfast::{Function, Holdfast, Invocation};
use crate::setup::{NAMES, Setup, start, write_registers};
use crate::watch::Invariant;

/// When faults, losses and interference end.
const FAULTY_MINUTES: i64 = 12;
/// How long after that an outage may take to be failed over: 2 minutes to pin, 3 to spread, 3 to drain, 6 to promote, and
/// ticks between them.
pub const RECOVERY_MINUTES: i64 = 18;
/// What a single outage may do before anybody says that it never ends.
/// What a fault kept from being told, the reminder tells after 16 minutes.
const REMINDER_MINUTES: i64 = 17;

const STEPS_MAX: usize = 5_000;

/// What came of an outage.
#[derive(Debug, Default)]
pub struct Report {
    /// What must never be, and was.
    pub broken: Vec<(Timestamp, Invariant, String)>,
    /// What should have come to be in time, and did not.
    pub missed: Vec<String>,
    /// The story, if it was to be told.
    pub story: Vec<String>,
    /// What the functions returned.
    pub kinds: Vec<Kind>,
    /// True if all ended failed over.
    pub is_failed_over: bool,
}

/// Runs the outage that follows from `seed`.
#[must_use]
pub fn run(seed: u64, is_told: bool) -> Report {
    let mut rng = SmallRng::seed_from_u64(seed);
    let setup = Setup {
        names: rng.random_range(1..=NAMES.len()),
        clusters: rng.random_range(0..=2),
        mode: if rng.random_bool(0.1) { "approval" } else { "automatic" },
        probes: rng.random_bool(0.7),
        ..Setup::default()
    };
    let holdfast = match setup.deploy() {
        Ok(holdfast) => holdfast,
        Err(error) => return Report { missed: vec![error.to_string()], ..Report::default() },
    };
    let outage = Outage { overlaps: rng.random_bool(0.4), holdfast, rng, running: Vec::new(), heard: Vec::new() };
    outage.run(is_told)
}

struct Outage {
    rng: SmallRng,
    holdfast: Holdfast,
    /// Whether invocations run side by side, from call to call.
    overlaps: bool,
    running: Vec<Invocation>,
    /// Alarm events so far: any of them may come again.
    heard: Vec<serde_json::Value>,
}

impl Outage {
    fn run(mut self, is_told: bool) -> Report {
        self.holdfast.world.get().story = is_told.then(Vec::new);
        self.prepare();
        self.holdfast.script = self.faults();
        let begins = self.rng.random_range(1..4);
        let returns = self.rng.random_bool(0.4).then(|| begins + self.rng.random_range(1..10));
        let is_off = self.rng.random_bool(0.08);
        if is_off {
            self.switch_off();
        }
        let mut quiet_minutes = 0;
        for minute in 0..FAULTY_MINUTES + RECOVERY_MINUTES {
            let is_faulty = minute < FAULTY_MINUTES;
            if minute == begins {
                self.holdfast.world.get().outage();
            } else if Some(minute) == returns {
                self.holdfast.world.get().recovery();
            }
            self.interfere(is_faulty);
            self.minute(is_faulty);
            quiet_minutes = if self.is_failed_over() && !is_faulty { quiet_minutes + 1 } else { 0 };
            if quiet_minutes > 3 {
                break;
            }
        }
        for _ in 0..REMINDER_MINUTES {
            if !self.is_failed_over() || self.end_was_told() {
                break;
            }
            self.minute(false);
        }
        self.judge(returns.is_some(), is_off)
    }

    fn was_told(&self, words: &str, since: Timestamp) -> bool {
        let world = self.holdfast.world.get();
        world.mailbox.iter().any(|(at, message)| *at >= since && message.subject.contains(words))
    }

    /// That the names are pinned, by whoever pinned them, or by the reminder if that one did not live to say so.
    fn pin_was_told(&self) -> bool {
        self.was_told("pinned to DR", start()) || self.was_told("stays on DR", start())
    }

    /// That the incident is closed: so too, but a reminder from before the end says nothing of it.
    fn end_was_told(&self) -> bool {
        let closed = self.holdfast.names().into_iter().filter_map(|view| match view.register() {
            Some(Register::FailedOver { at, .. }) => Some(*at),
            _ => None,
        });
        self.was_told("FAILED OVER", start()) || closed.max().is_some_and(|at| self.was_told("stays on DR", at))
    }

    /// Lag as it was when the outage began: mostly fine, sometimes too much, sometimes unknown since long.
    fn prepare(&mut self) {
        let seconds =
            if self.rng.random_bool(0.8) { self.rng.random_range(0..50) } else { self.rng.random_range(50..500) };
        let at = start() - SignedDuration::from_secs(self.rng.random_range(0..3_000));
        let mut world = self.holdfast.world.get();
        world.lag = vec![LagSample { seconds, at }];
        world.promotion_time = SignedDuration::from_secs(self.rng.random_range(30..300));
        world.dr_answers = self.rng.random_bool(0.95);
    }

    fn faults(&mut self) -> Script {
        let mut rng = SmallRng::seed_from_u64(self.rng.random());
        let odds = rng.random_range(0.0..0.25);
        let world = self.holdfast.world.clone();
        let end = start() + SignedDuration::from_mins(FAULTY_MINUTES);
        script(move |_| match world.get().now < end && rng.random_bool(odds) {
            true => Fault::ALL[rng.random_range(0..Fault::ALL.len())],
            false => Fault::None,
        })
    }

    fn switch_off(&mut self) {
        let (at, by) = (self.holdfast.world.get().now, "kim".to_owned());
        let off = match self.rng.random_bool(0.5) {
            true => Register::Disarmed { at, by },
            false => {
                self.holdfast.world.get().watch.is_check_disabled = true;
                Register::Paused { at, until: at + SignedDuration::from_hours(2), by }
            }
        };
        let switched = write_registers(&self.holdfast, &off);
        self.holdfast.world.get().tell(|| format!("switched off: {switched:?}"));
    }

    /// What others do between two minutes.
    fn interfere(&mut self, is_faulty: bool) {
        let delay = SignedDuration::from_secs(self.rng.random_range(1..110));
        let is_stranded = is_faulty && self.rng.random_bool(0.05);
        {
            let mut world = self.holdfast.world.get();
            world.route53.delay = (!is_stranded).then_some(delay);
            world.dr_answers |= !is_faulty;
            if !is_faulty || self.rng.random_bool(0.3) {
                world.land_late_calls();
            }
            self.heard.extend(world.outbox.iter().filter(|event| event["source"] == "aws.cloudwatch").cloned());
        }
        if !self.heard.is_empty() && self.rng.random_bool(0.2) {
            let again = self.heard[self.rng.random_range(0..self.heard.len())].clone();
            self.holdfast.send(Function::AlarmHandler, again);
        }
        // Only between invocations: what is undone between a look and the promotion that follows nobody can see.
        if is_faulty && self.running.is_empty() && self.rng.random_bool(0.02) {
            self.undo_one();
        }
        if !is_faulty {
            self.approve();
        }
    }

    fn undo_one(&mut self) {
        let names = self.holdfast.names();
        let view = &names[self.rng.random_range(0..names.len())];
        if view.register().is_some_and(|register| register.pin().is_some_and(|pin| pin.repins < REPINS_MAX))
            && view.agrees()
        {
            let mut world = self.holdfast.world.get();
            world.tell(|| format!("{} is undone by hand", view.name));
            drop(world.undo_by_hand(&view.zone, &view.name));
        }
    }

    /// The operators approve whatever was asked for.
    fn approve(&mut self) {
        let asked = self.holdfast.outcomes.iter().rev().find(|(_, _, outcome)| outcome.outcome == Kind::ApprovalNeeded);
        let Some(incident) = asked.and_then(|(_, _, outcome)| outcome.incident.clone()) else { return };
        let despite = [Rule::P08, Rule::P09, Rule::P10, Rule::R07].into();
        let approval = Approval { incident, by: "kim".to_owned(), reason: "really down".to_owned(), despite };
        let event = event::approval(&approval, self.holdfast.world.get().now);
        self.holdfast.send(Function::AlarmHandler, event.clone());
        self.holdfast.send(Function::ReplicaPromoter, event);
    }

    /// A minute with its ticks, its deliveries in any order, some of them twice and some never.
    fn minute(&mut self, is_faulty: bool) {
        self.holdfast.send_ticks();
        let pieces = if is_faulty { self.rng.random_range(1..4) } else { 1 };
        for _ in 0..pieces {
            self.work(is_faulty);
            self.holdfast.world.get().advance(60 / pieces);
        }
    }

    fn work(&mut self, is_faulty: bool) {
        for _ in 0..STEPS_MAX {
            self.holdfast.take_outbox();
            let has_room = self.running.len() < if self.overlaps { 4 } else { 1 };
            if has_room && self.take_delivery(is_faulty) {
                continue;
            }
            if self.running.is_empty() {
                return;
            }
            // An invocation may be slow, and others, and time, may pass it by; but not once all is well.
            if self.overlaps && is_faulty && self.rng.random_bool(0.1) {
                return;
            }
            let nth = self.rng.random_range(0..self.running.len());
            if let Poll::Ready(ended) = self.running[nth].poll() {
                let invocation = self.running.swap_remove(nth);
                self.holdfast.ended(invocation, ended);
            }
        }
    }

    fn take_delivery(&mut self, is_faulty: bool) -> bool {
        let rng = &mut self.rng;
        let choice = rng.random_range(0..1_000);
        let Some(delivery) = self.holdfast.next_due(|count| choice % count) else { return false };
        let may_be_lost = is_faulty && delivery.function != Function::Notifier;
        if is_faulty && rng.random_bool(0.08) {
            self.holdfast.queue.push_back(delivery.clone());
        } else if may_be_lost && rng.random_bool(0.05) {
            return true;
        }
        let invocation = self.holdfast.start(delivery, self.overlaps);
        self.running.push(invocation);
        true
    }

    fn is_failed_over(&self) -> bool {
        let names = self.holdfast.names();
        let world = self.holdfast.world.get();
        let is_writer =
            |state: ReplicaState| matches!(state, ReplicaState::Present { source: None, writer_available: true, .. });
        names.iter().all(|view| matches!(view.register(), Some(Register::FailedOver { .. })) && view.agrees())
            && world.replicas.keys().all(|id| is_writer(world.replica_state(id)))
    }

    /// What should have come to be.
    fn judge(self, returned: bool, is_off: bool) -> Report {
        let is_failed_over = self.is_failed_over();
        let (pin_told, end_told) = (self.pin_was_told(), self.end_was_told());
        let kinds: Vec<_> = self.holdfast.outcomes.iter().map(|(_, _, outcome)| outcome.outcome).collect();
        let world = self.holdfast.world.get();
        let is_committed = !world.watch.pins().is_empty();
        let outage_lasts = !returned && world.alarm.state == AlarmState::Alarm;
        let mut missed = Vec::new();
        let mut expect = |came: bool, what: &str| {
            if !came {
                missed.push(what.to_owned())
            }
        };
        if is_off {
            expect(!is_committed, "it was switched off, and pinned");
        } else if outage_lasts || is_committed {
            expect(is_failed_over, "an outage that lasts, or a pin once made, ends failed over in time");
            let is_silent = !self.holdfast.dead.is_empty();
            expect(is_silent || pin_told, "the pin was told");
            expect(is_silent || end_told, "the end was told");
        }
        let (broken, story) = (world.watch.broken.clone(), world.story.clone().unwrap_or_default());
        Report { broken, missed, story, kinds, is_failed_over }
    }
}
