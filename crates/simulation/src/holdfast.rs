//! Holdfast as deployed: three functions, a bus that carries their return values on, asynchronous retries.

use std::collections::VecDeque;
use std::fmt;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use aws::route53::protected_names;
use failover::observation::{Attention, NameView};
use failover::outcome::{Kind, Outcome};
use failover::plan::Plan;
use futures_util::FutureExt as _;
use futures_util::future::LocalBoxFuture;
use futures_util::task::noop_waker_ref;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::calls::Aws;
use crate::event;
use crate::fault::{self, Script};
use crate::world::Handle;

/// "Lambda retries two more times … one minute … two minutes" (developer guide, "Error handling for asynchronous
/// invocation").
const RETRY_MINUTES: [i64; 2] = [1, 2];

/// Which Lambda.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Function {
    /// Pins.
    AlarmHandler,
    /// Promotes.
    ReplicaPromoter,
    /// Tells.
    Notifier,
}

impl fmt::Display for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AlarmHandler => "holdfast-alarm-handler",
            Self::ReplicaPromoter => "holdfast-replica-promoter",
            Self::Notifier => "holdfast-notifier",
        })
    }
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
}

/// An invocation under way.
pub struct Invocation {
    delivery: Delivery,
    aws: Aws,
    running: LocalBoxFuture<'static, Result<Value, String>>,
}

impl Invocation {
    /// Runs to its end, which is nothing if it is killed, or to its next pause before a call.
    pub fn poll(&mut self) -> Poll<Option<Result<Value, String>>> {
        match Pin::new(&mut self.running).poll(&mut Context::from_waker(noop_waker_ref())) {
            Poll::Ready(returned) => Poll::Ready(Some(returned)),
            Poll::Pending if self.aws.is_killed() => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    }

    /// Runs to its end without letting others come between.
    pub fn finish(&mut self) -> Option<Result<Value, String>> {
        loop {
            if let Poll::Ready(ended) = self.poll() {
                return ended;
            }
        }
    }

    /// The calls it made so far.
    #[must_use]
    pub fn made(&self) -> Vec<&'static str> {
        self.aws.made()
    }
}

/// The deployed functions and what lies between them.
pub struct Holdfast {
    /// What is protected.
    pub plan: Rc<Plan>,
    /// Where it runs.
    pub world: Handle,
    /// What becomes of calls.
    pub script: Script,
    /// Events that wait for their function.
    pub queue: VecDeque<Delivery>,
    /// What alarm-handler and replica-promoter returned.
    pub outcomes: Vec<(Timestamp, Function, Outcome)>,
    /// Events that the notifier could not handle even when tried again: these are left to its queue's alarm.
    pub dead: Vec<Value>,
    invocations: u32,
}

impl Holdfast {
    /// Deploys.
    #[must_use]
    pub fn new(plan: Plan, world: Handle) -> Self {
        let (queue, outcomes, dead) = Default::default();
        Self { plan: Rc::new(plan), world, script: fault::none(), queue, outcomes, dead, invocations: 0 }
    }

    /// Puts an event on its way to a function.
    pub fn send(&mut self, function: Function, event: Value) {
        let due = self.world.get().now;
        self.queue.push_back(Delivery { function, event, due, tried: 0 });
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

    /// Sends a tick to both functions that take one.
    pub fn send_ticks(&mut self) {
        let tick = event::tick(self.world.get().now);
        self.send(Function::AlarmHandler, tick.clone());
        self.send(Function::ReplicaPromoter, tick);
    }

    /// The next delivery that is due, the first or another.
    pub fn next_due(&mut self, choose: impl FnOnce(usize) -> usize) -> Option<Delivery> {
        let now = self.world.get().now;
        let due: Vec<_> = (0..self.queue.len()).filter(|&nth| self.queue[nth].due <= now).collect();
        if due.is_empty() {
            return None;
        }
        self.queue.remove(due[choose(due.len()) % due.len()])
    }

    /// Starts an invocation, which does nothing before it is polled.
    #[must_use]
    pub fn start(&mut self, delivery: Delivery, pauses: bool) -> Invocation {
        let (function, plan) = (delivery.function, Rc::clone(&self.plan));
        let aws = Aws::new(self.world.clone(), self.script.clone(), function, self.invocations, pauses);
        self.invocations += 1;
        let running = run(function, plan, aws.clone(), delivery.event.clone()).boxed_local();
        Invocation { delivery, aws, running }
    }

    /// What Lambda does with an invocation that ended; `None` if it was killed.
    pub fn ended(&mut self, invocation: Invocation, ended: Option<Result<Value, String>>) {
        let Invocation { delivery, .. } = invocation;
        let (now, function) = (self.world.get().now, delivery.function);
        match (ended, RETRY_MINUTES.get(delivery.tried)) {
            (Some(Ok(response)), _) if function != Function::Notifier => self.returned(&delivery, &response),
            (Some(Ok(_)), _) => {}
            (_, Some(minutes)) => {
                let due = now + SignedDuration::from_mins(*minutes);
                self.queue.push_back(Delivery { due, tried: delivery.tried + 1, ..delivery });
            }
            (_, None) if function == Function::Notifier => self.dead.push(delivery.event),
            (ended, None) => {
                let error = ended.and_then(Result::err);
                let event = event::failed(function, &delivery.event, error.as_deref(), now);
                self.send(Function::Notifier, event);
            }
        }
    }

    fn returned(&mut self, delivery: &Delivery, response: &Value) {
        let (now, function) = (self.world.get().now, delivery.function);
        let event = event::returned(function, &delivery.event, response, now);
        // What the template's event rules match.
        if response["outcome"] == json!(Kind::Pinned) {
            self.send(Function::ReplicaPromoter, event.clone());
        }
        if [Attention::Notice, Attention::Page].iter().any(|loud| response["attention"] == json!(loud)) {
            self.send(Function::Notifier, event);
        }
        if let Ok(outcome) = serde_json::from_value::<Outcome>(response.clone()) {
            self.world.get().tell(|| format!("{function:?}: {:?}, {}", outcome.outcome, outcome.because));
            self.outcomes.push((now, function, outcome));
        }
    }

    /// Runs one delivery from beginning to end.
    pub fn deliver(&mut self, delivery: Delivery) {
        let mut invocation = self.start(delivery, false);
        let ended = invocation.finish();
        self.ended(invocation, ended);
    }

    /// Runs everything that is due, in order.
    pub fn settle(&mut self) {
        self.take_outbox();
        while let Some(delivery) = self.next_due(|_| 0) {
            self.deliver(delivery);
            self.take_outbox();
        }
    }

    /// A minute passes, and the functions tick.
    pub fn minute(&mut self) {
        self.world.get().advance(60);
        self.send_ticks();
        self.settle();
    }

    /// Every protected name as Route 53 lists it.
    #[must_use]
    pub fn names(&self) -> Vec<NameView> {
        let aws = Aws::new(self.world.clone(), fault::none(), Function::AlarmHandler, 0, false);
        protected_names(&self.plan, &aws).now_or_never().and_then(Result::ok).unwrap_or_default()
    }
}

/// A Lambda from the event's JSON to the outcome's, as its `main` does.
async fn run(function: Function, plan: Rc<Plan>, aws: Aws, event: Value) -> Result<Value, String> {
    match function {
        Function::AlarmHandler => {
            let signal = alarm_handler::event::parse(event).map_err(|error| error.to_string())?;
            let calls = alarm_handler::handler::Calls {
                reader: aws.clone(),
                writer: aws.clone(),
                alarms: aws.clone(),
                prober: aws,
            };
            json_of(calls.handle(&plan, signal).await)
        }
        Function::ReplicaPromoter => {
            let signal = replica_promoter::event::parse(event).map_err(|error| error.to_string())?;
            let calls = replica_promoter::handler::Calls {
                records: aws.clone(),
                registers: aws.clone(),
                replicas: aws.clone(),
                promoter: aws.clone(),
                lag: aws,
            };
            json_of(calls.handle(&plan, signal).await)
        }
        Function::Notifier => {
            let invocation = notifier::event::parse(event).map_err(|error| error.to_string())?;
            json_of(notifier::handler::handle(&aws, "holdfast", invocation).await)
        }
    }
}

fn json_of<T: serde::Serialize, E: fmt::Display>(returned: Result<T, E>) -> Result<Value, String> {
    let value = returned.map_err(|error| error.to_string())?;
    serde_json::to_value(&value).map_err(|error| error.to_string())
}
