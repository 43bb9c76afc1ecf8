//! One invocation of a function: from its event to what it returns, in as many steps as it makes calls.

use std::fmt;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use aws::telemetry;
use failover::message::Sender;
use failover::outcome::Outcome;
use failover::plan::Plan;
use futures_util::future::LocalBoxFuture;
use futures_util::task::noop_waker_ref;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::{Delivery, Function, Subject};
use crate::calls::{Aws, Caller};

/// As the template sets it for replica-promoter; the others' are shorter, and end sooner.
pub const TIMEOUT: SignedDuration = SignedDuration::from_secs(180);

/// What a function returns.
#[derive(Debug)]
pub enum Returned {
    /// Those that decide.
    Outcome(Box<Outcome>),
    /// The notifier.
    Told,
}

/// An invocation under way.
pub struct Invocation {
    pub(super) delivery: Delivery,
    pub(super) began: Timestamp,
    pub(super) aws: Aws,
    pub(super) running: LocalBoxFuture<'static, Result<Returned, String>>,
}

impl Invocation {
    /// Runs to its end, which is nothing if it is killed, or to its next pause before a call.
    pub fn poll(&mut self) -> Poll<Option<Result<Returned, String>>> {
        if self.aws.world.get().now.duration_since(self.began) >= TIMEOUT {
            return Poll::Ready(None);
        }
        let mut poll = || Pin::new(&mut self.running).poll(&mut Context::from_waker(noop_waker_ref()));
        let (polled, words) = telemetry::overhear(&mut poll);
        for (at, metric) in words {
            let mut world = self.aws.world.get();
            if let Some(at) = self.aws.sabotage().map_or(Some(at), |sabotage| sabotage.says(at, &metric)) {
                world.hear(at, metric);
            }
        }
        match polled {
            Poll::Ready(returned) => Poll::Ready(Some(returned)),
            Poll::Pending if self.aws.is_killed() => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    }

    /// Runs to its end, or until it waits, without letting others come between.
    pub fn run(&mut self) -> Poll<Option<Result<Returned, String>>> {
        loop {
            let polled = self.poll();
            if polled.is_ready() || self.waits() {
                return polled;
            }
        }
    }

    /// As [`Self::poll`], but where it waits, time passes.
    pub fn step(&mut self) -> Poll<Option<Result<Returned, String>>> {
        let polled = self.poll();
        if let (Poll::Pending, Some(until), true) = (&polled, self.waits_until(), self.waits()) {
            self.aws.world.get().advance_to(until);
        }
        polled
    }

    /// Runs to its end; where it waits, time passes.
    pub fn finish(&mut self) -> Option<Result<Returned, String>> {
        loop {
            if let Poll::Ready(ended) = self.step() {
                return ended;
            }
        }
    }

    /// Until when it waits, by its own will.
    #[must_use]
    pub fn waits_until(&self) -> Option<Timestamp> {
        // Lambda ends what waits too long.
        Some(self.aws.waits_until()?.min(self.began + TIMEOUT))
    }

    /// True if it waits for a time that has not come.
    #[must_use]
    pub fn waits(&self) -> bool {
        self.waits_until().is_some_and(|until| self.aws.world.get().now < until)
    }

    /// The calls it made so far.
    #[must_use]
    pub fn made(&self) -> Vec<&'static str> {
        self.aws.made()
    }

    /// What the notifier is to speak of.
    #[must_use]
    pub fn about(&self) -> Option<Subject> {
        self.delivery.about
    }
}

/// A Lambda from the event's JSON to what it returns, as its `main` does.
pub(super) async fn run(caller: Caller, plan: Rc<Plan>, aws: Aws, event: Value) -> Result<Returned, String> {
    match caller.function {
        Function::AlarmHandler => {
            let signal = alarm_handler::event::parse(event).map_err(|error| error.to_string())?;
            let calls = alarm_handler::handler::Calls {
                reader: aws.clone(),
                writer: aws.clone(),
                alarms: aws.clone(),
                prober: aws.clone(),
                beside: aws,
            };
            outcome(calls.handle(&plan, signal).await)
        }
        Function::ReplicaPromoter => {
            let signal = replica_promoter::event::parse(event).map_err(|error| error.to_string())?;
            let calls = replica_promoter::handler::Calls {
                records: aws.clone(),
                registers: aws.clone(),
                replicas: aws.clone(),
                promoter: aws.clone(),
                lag: aws.clone(),
                beside: aws,
            };
            outcome(calls.handle(&plan, signal).await)
        }
        Function::Fencer => {
            let calls = fencer::handler::Calls { records: aws.clone(), writers: aws.clone(), fence: aws };
            outcome::<String>(Ok(calls.handle(&plan).await))
        }
        Function::Notifier => {
            let invocation = notifier::event::parse(event).map_err(|error| error.to_string())?;
            let invocation = match (caller.sabotage, invocation) {
                (Some(sabotage), notifier::event::News::Returned { outcome, scheduled }) => {
                    let Some(outcome) = sabotage.telling(*outcome) else { return Ok(Returned::Told) };
                    notifier::event::News::Returned { outcome: Box::new(outcome), scheduled }
                }
                (_, invocation) => invocation,
            };
            let sender = Sender { bus: "holdfast".to_owned(), region: "dr".to_owned(), account: "1".to_owned() };
            let told = notifier::handler::handle(&aws, &sender, invocation).await;
            told.map(|_| Returned::Told).map_err(|error| error.to_string())
        }
    }
}

fn outcome<E: fmt::Display>(returned: Result<Outcome, E>) -> Result<Returned, String> {
    returned.map(|outcome| Returned::Outcome(Box::new(outcome))).map_err(|error| error.to_string())
}
