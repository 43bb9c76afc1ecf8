//! Holdfast as deployed: its functions, a bus that carries their return values on, asynchronous retries.

mod invocation;

use std::collections::VecDeque;
use std::fmt;
use std::rc::Rc;
use std::task::Poll;

use aws::route53::protected_names;
use failover::observation::{Attention, NameView};
use failover::outcome::{Kind, Outcome};
use failover::plan::Plan;
use futures_util::FutureExt as _;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use serde_json::{Value, json};

use crate::calls::{Aws, Caller};
use crate::event;
use crate::fault::{self, Script};
use crate::sabotage::Sabotage;
use crate::world::Handle;
use invocation::run;
pub use invocation::{Invocation, Returned, TIMEOUT};

/// "Lambda retries two more times … one minute … two minutes" (developer guide, "Error handling for asynchronous
/// invocation").
const RETRY_MINUTES: [i64; 2] = [1, 2];

/// Which Lambda.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Function {
    /// Pins.
    AlarmHandler,
    /// Promotes.
    ReplicaPromoter,
    /// Fences.
    Fencer,
    /// Tells.
    Notifier,
}

impl fmt::Display for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AlarmHandler => "holdfast-alarm-handler",
            Self::ReplicaPromoter => "holdfast-replica-promoter",
            Self::Fencer => "holdfast-fencer",
            Self::Notifier => "holdfast-notifier",
        })
    }
}

/// What the notifier is to speak of: a place in [`Holdfast::outcomes`] or in [`Holdfast::failures`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    /// What a function returned.
    Outcome(usize),
    /// An invocation that failed for good.
    Failure(usize),
}

/// An event on its way to a function.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// To whom.
    pub function: Function,
    /// What.
    pub event: Value,
    /// Not before.
    pub due: Timestamp,
    /// How often it was tried before.
    pub tried: usize,
    /// What the notifier is to speak of.
    pub about: Option<Subject>,
}

/// The deployed functions and what lies between them.
pub struct Holdfast {
    /// What is protected.
    pub plan: Rc<Plan>,
    /// Where it runs.
    pub world: Handle,
    /// What becomes of calls.
    pub script: Script,
    /// A rule that the functions break on purpose.
    pub sabotage: Option<Sabotage>,
    /// Events that wait for their function.
    pub queue: VecDeque<Delivery>,
    /// Invocations that wait, by their own will.
    waiting: Vec<Invocation>,
    /// What the functions that decide returned.
    pub outcomes: Vec<(Timestamp, Function, Outcome)>,
    /// For each outcome, the time that its tick was to come at; nothing if another event woke the function.
    pub scheduled: Vec<Option<Timestamp>>,
    /// The same for each failure.
    pub failed_ticks: Vec<Option<Timestamp>>,
    /// Invocations of those functions that failed for good.
    pub failures: Vec<(Timestamp, Function)>,
    /// Events that the notifier could not handle even when tried again: these are left to its queue's alarm.
    pub dead: Vec<Delivery>,
    invocations: u32,
}

impl Holdfast {
    /// Deploys.
    #[must_use]
    pub fn new(plan: Plan, world: Handle) -> Self {
        let (queue, waiting, outcomes, failures, dead, sabotage) = Default::default();
        let (scheduled, failed_ticks) = Default::default();
        let (plan, script) = (Rc::new(plan), fault::none());
        Self {
            plan,
            world,
            script,
            sabotage,
            queue,
            waiting,
            outcomes,
            scheduled,
            failures,
            failed_ticks,
            dead,
            invocations: 0,
        }
    }

    /// Puts an event on its way to a function.
    pub fn send(&mut self, function: Function, event: Value) {
        self.send_about(function, event, None);
    }

    fn send_about(&mut self, function: Function, event: Value, about: Option<Subject>) {
        let due = self.world.get().now;
        self.queue.push_back(Delivery { function, event, due, tried: 0, about });
    }

    /// Takes what AWS has sent and routes it by the template's event rules.
    pub fn take_outbox(&mut self) {
        let sent = std::mem::take(&mut self.world.get().outbox);
        for event in sent {
            let function = match event["source"].as_str() {
                Some("aws.cloudwatch") => Function::AlarmHandler,
                _ => Function::ReplicaPromoter,
            };
            self.send(function, event);
        }
    }

    /// Sends a tick to every function that takes one.
    pub fn send_ticks(&mut self) {
        if self.sabotage == Some(Sabotage::IgnoresTicks) {
            return;
        }
        let tick = event::tick(self.world.get().now);
        self.send(Function::AlarmHandler, tick.clone());
        if self.plan.fence.is_some() {
            self.send(Function::Fencer, tick.clone());
        }
        self.send(Function::ReplicaPromoter, tick);
    }

    /// The next delivery that is due, the first or another.
    pub fn next_due(&mut self, choose: impl FnOnce(usize) -> usize) -> Option<Delivery> {
        let now = self.world.get().now;
        let is_due = |delivery: &&Delivery| delivery.due <= now;
        let due = self.queue.iter().filter(is_due).count();
        if due == 0 {
            return None;
        }
        let chosen = choose(due) % due;
        let nth = self.queue.iter().enumerate().filter(|(_, delivery)| delivery.due <= now).nth(chosen)?.0;
        self.queue.remove(nth)
    }

    /// Starts an invocation, which does nothing before it is polled.
    #[must_use]
    pub fn start(&mut self, delivery: Delivery, pauses: bool) -> Invocation {
        let (invocation, sabotage) = (self.invocations, self.sabotage);
        let caller = Caller { function: delivery.function, invocation, about: delivery.about, sabotage, pauses };
        let aws = Aws::new(self.world.clone(), self.script.clone(), caller);
        self.invocations += 1;
        let running = run(caller, Rc::clone(&self.plan), aws.clone(), delivery.event.clone()).boxed_local();
        let began = self.world.get().now;
        Invocation { delivery, began, aws, running }
    }

    /// What Lambda does with an invocation that ended; `None` if it was killed.
    pub fn ended(&mut self, invocation: Invocation, ended: Option<Result<Returned, String>>) {
        let Invocation { delivery, .. } = invocation;
        let (now, function) = (self.world.get().now, delivery.function);
        match (ended, RETRY_MINUTES.get(delivery.tried)) {
            (Some(Ok(Returned::Outcome(outcome))), _) => self.returned(delivery, *outcome),
            (Some(Ok(Returned::Told)), _) => {}
            (_, Some(minutes)) => {
                let due = now + SignedDuration::from_mins(*minutes);
                self.queue.push_back(Delivery { due, tried: delivery.tried + 1, ..delivery });
            }
            (_, None) if function == Function::Notifier => self.dead.push(delivery),
            (ended, None) => {
                let error = ended.and_then(Result::err);
                self.failed_ticks.push(event::scheduled(&delivery.event));
                let event = event::failed(function, delivery.event, error.as_deref(), now);
                self.failures.push((now, function));
                self.send_about(Function::Notifier, event, Some(Subject::Failure(self.failures.len() - 1)));
            }
        }
    }

    fn returned(&mut self, delivery: Delivery, outcome: Outcome) {
        let (now, function) = (self.world.get().now, delivery.function);
        let about = Subject::Outcome(self.outcomes.len());
        self.scheduled.push(event::scheduled(&delivery.event));
        // What the template's event rules match.
        let (is_pinned, is_loud) = (outcome.outcome == Kind::Pinned, outcome.attention != Attention::None);
        if is_pinned || is_loud {
            let event = event::returned(function, delivery.event, json!(outcome), now);
            if is_pinned {
                self.send(Function::ReplicaPromoter, event.clone());
            }
            if is_loud {
                self.send_about(Function::Notifier, event, Some(about));
            }
        }
        self.tell_if_new(function, &outcome);
        self.outcomes.push((now, function, outcome));
    }

    /// A story says what changes, not that nothing does.
    fn tell_if_new(&self, function: Function, outcome: &Outcome) {
        let mut world = self.world.get();
        if world.story.is_none() {
            return;
        }
        let last = self.outcomes.iter().rev().find(|(_, whose, _)| *whose == function);
        if last.is_none_or(|(.., last)| (last.outcome, &last.because) != (outcome.outcome, &outcome.because)) {
            let row = outcome.id.map(|id| format!("{id}, ")).unwrap_or_default();
            world.tell(|| format!("{function:?}: {:?}: {row}{}", outcome.outcome, outcome.because));
        }
    }

    /// Runs one delivery from beginning to end, or until it waits.
    pub fn deliver(&mut self, delivery: Delivery) {
        let invocation = self.start(delivery, false);
        self.run(invocation);
    }

    fn run(&mut self, mut invocation: Invocation) {
        match invocation.run() {
            Poll::Ready(ended) => self.ended(invocation, ended),
            Poll::Pending => self.waiting.push(invocation),
        }
    }

    /// Whoever waited for a time that has come goes on.
    pub fn wake(&mut self) {
        let (waiting, over): (Vec<_>, _) = std::mem::take(&mut self.waiting).into_iter().partition(Invocation::waits);
        self.waiting = waiting;
        over.into_iter().for_each(|invocation| self.run(invocation));
    }

    /// Runs everything that is due, in order.
    pub fn settle(&mut self) {
        self.wake();
        self.take_outbox();
        while let Some(delivery) = self.next_due(|_| 0) {
            self.deliver(delivery);
            self.take_outbox();
        }
    }

    /// A minute passes, and the functions tick.
    pub fn minute(&mut self) {
        let over = self.world.get().now + SignedDuration::from_mins(1);
        while let Some(at) = self.waiting.iter().filter_map(Invocation::waits_until).filter(|at| *at < over).min() {
            self.world.get().advance_to(at);
            self.settle();
        }
        self.world.get().advance_to(over);
        self.send_ticks();
        self.settle();
    }

    /// Every protected name as Route 53 lists it.
    #[must_use]
    pub fn names(&self) -> Vec<NameView> {
        // Whoever looks from outside sees in the dark.
        let dark = self.world.get().dark.take();
        let aws = Aws::new(self.world.clone(), fault::none(), Function::AlarmHandler.into());
        let names = protected_names(&self.plan, &aws).now_or_never().and_then(Result::ok).unwrap_or_default();
        self.world.get().dark = dark;
        names
    }
}
