//! The narrow AWS calls, answered by the world, each of them able to fail in every way a call can.

use std::cell::{Cell, RefCell};
use std::future::{pending, poll_fn};
use std::rc::Rc;
use std::task::Poll;

use aws::CallError;
use aws::cloudwatch::{AlarmReader, LagReader};
use aws::probe::Prober;
use aws::rds::{ReplicaReader, ReplicaWriter};
use aws::route53::{HealthCheckWriter, RecordReader, RecordWriter};
use aws::sns::Publisher;
use failover::change::Batch;
use failover::incident::AlarmSighting;
use failover::message::Message;
use failover::observation::{ChangeStatus, Probe};
use failover::plan::{Names, ReplicaId};
use failover::promotion::{LagSample, ReplicaState};
use failover::record::RecordSet;
use jiff::Timestamp;

use crate::fault::{Fault, Script, Site};
use crate::holdfast::Function;
use crate::watch::Author;
use crate::world::{Handle, World};

/// AWS as one invocation reaches it; clones share the invocation's line.
#[derive(Clone)]
pub struct Aws {
    /// What answers.
    pub world: Handle,
    line: Rc<Line>,
}

/// What the calls of one invocation have in common.
struct Line {
    script: Script,
    function: Function,
    invocation: u32,
    /// Stop once before each call, so that another invocation may come between.
    pauses: bool,
    made: RefCell<Vec<&'static str>>,
    is_killed: Cell<bool>,
}

impl Aws {
    /// For one invocation.
    #[must_use]
    pub fn new(world: Handle, script: Script, function: Function, invocation: u32, pauses: bool) -> Self {
        let (made, is_killed) = Default::default();
        Self { world, line: Rc::new(Line { script, function, invocation, pauses, made, is_killed }) }
    }

    /// True if a call killed the invocation.
    #[must_use]
    pub fn is_killed(&self) -> bool {
        self.line.is_killed.get()
    }

    /// The calls made so far, in order.
    #[must_use]
    pub fn made(&self) -> Vec<&'static str> {
        self.line.made.borrow().clone()
    }

    async fn call<T: 'static>(
        &self,
        api: &'static str,
        effect: impl FnOnce(&mut World) -> Result<T, CallError> + 'static,
    ) -> Result<T, CallError> {
        if self.line.pauses {
            pause().await;
        }
        let fault = self.fault(api);
        if fault != Fault::None {
            self.world.get().tell(|| format!("{:?} {}: {api} {fault:?}", self.line.function, self.line.invocation));
        }
        let timed_out = || Err(CallError::Unknown { call: api, why: "timed out".to_owned() });
        match fault {
            Fault::None => effect(&mut self.world.get()),
            Fault::NeverSent => Err(CallError::NeverSent { call: api, why: "no route".to_owned() }),
            Fault::Refused(code) => {
                Err(CallError::Refused { call: api, code: code.to_owned(), message: String::new() })
            }
            Fault::TimedOutBefore => timed_out(),
            Fault::TimedOutAfter => {
                let _ = effect(&mut self.world.get());
                timed_out()
            }
            Fault::TimedOutLate => {
                self.world.get().late.push(Box::new(|world| drop(effect(world))));
                timed_out()
            }
            Fault::KilledBefore => self.die().await,
            Fault::KilledAfter => {
                let _ = effect(&mut self.world.get());
                self.die().await
            }
        }
    }

    async fn die<T>(&self) -> T {
        self.line.is_killed.set(true);
        pending().await
    }

    fn fault(&self, api: &'static str) -> Fault {
        let mut made = self.line.made.borrow_mut();
        let call = u32::try_from(made.len()).unwrap_or(u32::MAX);
        made.push(api);
        let site = Site { function: self.line.function, invocation: self.line.invocation, call, api };
        (self.line.script.borrow_mut())(site)
    }
}

/// Lets others run once.
async fn pause() {
    let mut has_paused = false;
    poll_fn(|context| {
        if std::mem::replace(&mut has_paused, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

impl RecordReader for Aws {
    async fn record_sets(&self, zone: &str, _names: &Names) -> Result<Vec<RecordSet>, CallError> {
        let zone = zone.to_owned();
        self.call("ListResourceRecordSets", move |world| Ok(world.route53.records(&zone).into_values().collect())).await
    }

    async fn change_status(&self, id: &str) -> Result<ChangeStatus, CallError> {
        let id = id.to_owned();
        self.call("GetChange", move |world| Ok(world.route53.status(&id))).await
    }

    fn now(&self) -> Timestamp {
        self.world.get().now
    }
}

impl RecordWriter for Aws {
    async fn submit(&self, batch: &Batch) -> Result<String, CallError> {
        let batch = batch.clone();
        self.call("ChangeResourceRecordSets", move |world| world.submit(Author::Holdfast, &batch.zone, batch.changes()))
            .await
    }
}

impl HealthCheckWriter for Aws {
    async fn set_disabled(&self, _check: &str, disabled: bool) -> Result<(), CallError> {
        self.call("UpdateHealthCheck", move |world| {
            world.watch.is_check_disabled = disabled;
            Ok(())
        })
        .await
    }
}

impl AlarmReader for Aws {
    async fn alarms(&self, arns: &[String]) -> Result<Vec<AlarmSighting>, CallError> {
        let arns = arns.to_vec();
        self.call("DescribeAlarms", move |world| {
            Ok(std::iter::once(world.alarm.clone()).filter(|alarm| arns.contains(&alarm.arn)).collect())
        })
        .await
    }
}

impl Prober for Aws {
    async fn probe(&self, url: Option<&str>) -> Probe {
        let Some(url) = url else { return Probe::NotAsked };
        let is_primary = url.contains("primary");
        let answers =
            self.call("GET", move |world| Ok(if is_primary { world.primary_answers } else { world.dr_answers })).await;
        // A prober that hears nothing cannot tell its own failure from the site's.
        if answers == Ok(true) { Probe::Answers } else { Probe::Silent }
    }
}

impl ReplicaReader for Aws {
    async fn state(&self, replica: &ReplicaId) -> Result<ReplicaState, CallError> {
        let replica = replica.clone();
        self.call("DescribeDBClusters", move |world| Ok(world.replica_state(&replica))).await
    }
}

impl ReplicaWriter for Aws {
    async fn promote(&self, replica: &ReplicaId) -> Result<(), CallError> {
        let replica = replica.clone();
        self.call("PromoteReadReplicaDBCluster", move |world| world.promote(&replica)).await
    }
}

impl LagReader for Aws {
    async fn last_good_lag(
        &self,
        _replica: &ReplicaId,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Option<LagSample>, CallError> {
        self.call("GetMetricData", move |world| {
            let samples = world.lag.iter().filter(|sample| (from..=to).contains(&sample.at));
            Ok(samples.max_by_key(|sample| sample.at).copied())
        })
        .await
    }
}

impl Publisher for Aws {
    async fn publish(&self, message: &Message) -> Result<(), CallError> {
        let message = message.clone();
        self.call("Publish", move |world| {
            let now = world.now;
            world.tell(|| format!("told: {}", message.subject));
            world.mailbox.push((now, message));
            Ok(())
        })
        .await
    }
}
