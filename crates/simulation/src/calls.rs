//! The narrow AWS calls, answered by the world, each of them able to fail in every way a call can.

use std::cell::{Cell, RefCell};
use std::future::{pending, poll_fn};
use std::rc::Rc;
use std::task::Poll;

use aws::CallError;
use aws::cloudwatch::{AlarmReader, LagOf, LagReader};
use aws::probe::Prober;
use aws::rds::{ReplicaReader, ReplicaWriter};
use aws::route53::{HealthCheckWriter, RecordReader, RecordWriter};
use aws::sns::Publisher;
use failover::change::Batch;
use failover::incident::AlarmSighting;
use failover::message::Message;
use failover::observation::{ChangeStatus, Probe, Probes, Silence, Targets};
use failover::plan::{Names, ReplicaId};
use failover::promotion::{LagSample, PromotionCall, ReplicaState};
use failover::record::RecordSet;
use failover::register::Register;
use jiff::{SignedDuration, Timestamp};

use crate::fault::{Fault, Script, Site};
use crate::holdfast::{Function, Subject};
use crate::sabotage::Sabotage;
use crate::watch::Author;
use crate::world::{Handle, Letter, World, is_of_targets};

/// AWS as one invocation reaches it; clones share the invocation's line.
#[derive(Clone)]
pub struct Aws {
    /// What answers.
    pub world: Handle,
    line: Rc<Line>,
}

/// Whose invocation it is.
#[derive(Clone, Copy, Debug)]
pub struct Caller {
    /// Which function.
    pub function: Function,
    /// Which of all invocations, from 0.
    pub invocation: u32,
    /// What the notifier is to speak of.
    pub about: Option<Subject>,
    /// A rule that the function breaks on purpose.
    pub sabotage: Option<Sabotage>,
    /// It stops once before each call, so that another invocation may come between.
    pub pauses: bool,
}

impl From<Function> for Caller {
    fn from(function: Function) -> Self {
        Self { function, invocation: 0, about: None, sabotage: None, pauses: false }
    }
}

/// What the calls of one invocation have in common.
struct Line {
    script: Script,
    caller: Caller,
    /// What the sites answered.
    saw: Cell<Probes>,
    made: RefCell<Vec<&'static str>>,
    is_killed: Cell<bool>,
    /// Until when it waits, by its own will.
    waits_until: Cell<Option<Timestamp>>,
}

impl Aws {
    /// For one invocation.
    #[must_use]
    pub fn new(world: Handle, script: Script, caller: Caller) -> Self {
        let (saw, made, is_killed, waits_until) = Default::default();
        Self { world, line: Rc::new(Line { script, caller, saw, made, is_killed, waits_until }) }
    }

    /// Until when the invocation waits, by its own will.
    #[must_use]
    pub fn waits_until(&self) -> Option<Timestamp> {
        self.line.waits_until.get()
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

    pub(crate) async fn call<T: 'static>(
        &self,
        api: &'static str,
        effect: impl Fn(&mut World) -> Result<T, CallError> + 'static,
    ) -> Result<T, CallError> {
        self.pause().await;
        let fault = self.fault(api);
        if fault != Fault::None {
            let Caller { function, invocation, .. } = self.line.caller;
            self.world.get().tell(|| format!("{function:?} {invocation}: {api} {}", fault.in_words()));
        }
        let timed_out = || Err(CallError::lost(api, "timed out".to_owned()));
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
                self.world.get().late.push((api, Box::new(move |world| drop(effect(world)))));
                timed_out()
            }
            Fault::KilledBefore => self.die().await,
            Fault::KilledAfter => {
                let _ = effect(&mut self.world.get());
                self.die().await
            }
            Fault::Twice => {
                let _ = effect(&mut self.world.get());
                self.pause().await;
                effect(&mut self.world.get())
            }
            Fault::Stale => {
                let mut world = self.world.get();
                world.is_stale = true;
                let answer = effect(&mut world);
                world.is_stale = false;
                answer
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
        let Caller { function, invocation, .. } = self.line.caller;
        let fault = (self.line.script.borrow_mut())(Site { function, invocation, call, api });
        match (self.world.get().dark.filter(|_| is_route_53(api)), fault) {
            (None, fault) => fault,
            (Some(_), Fault::KilledBefore | Fault::KilledAfter) => Fault::KilledBefore,
            (Some(dark), _) => dark,
        }
    }

    pub(crate) fn function(&self) -> Function {
        self.line.caller.function
    }

    /// What the sites answered this invocation.
    pub(crate) fn saw(&self) -> Probes {
        self.line.saw.get()
    }

    /// Lets others run once.
    async fn pause(&self) {
        let mut is_over = !self.line.caller.pauses;
        poll_fn(|context| {
            if std::mem::replace(&mut is_over, true) {
                return Poll::Ready(());
            }
            context.waker().wake_by_ref();
            Poll::Pending
        })
        .await;
    }

    pub(crate) fn sabotage(&self) -> Option<Sabotage> {
        self.line.caller.sabotage
    }

    async fn ask_site(&self, is_primary: bool) -> Probe {
        let answers =
            self.call("GET", move |world| Ok(if is_primary { world.primary_answers } else { world.dr_answers })).await;
        // A prober that hears nothing cannot tell its own failure from the site's.
        if answers == Ok(true) { Probe::Answers } else { Probe::Silent(Silence::TimedOut) }
    }
}

/// The control plane of Route 53; its name servers are not of it.
fn is_route_53(api: &str) -> bool {
    ["ListResourceRecordSets", "GetChange", "ChangeResourceRecordSets", "UpdateHealthCheck"].contains(&api)
}

/// Each name of a batch, and the state that its register is to have.
fn in_words(batch: &Batch) -> String {
    let state = |register: &Register| register.to_string().split(' ').nth(1).unwrap_or_default().to_owned();
    let each = batch.writes.iter().map(|write| format!("{} {}", write.name, state(&write.register)));
    each.collect::<Vec<_>>().join(", ")
}

impl RecordReader for Aws {
    async fn record_sets(&self, zone: &str, _names: &Names) -> Result<Vec<RecordSet>, CallError> {
        let (at, function) = (zone.to_owned(), self.line.caller.function);
        let list = move |world: &mut World| Ok(world.listing(&at).iter().cloned().collect());
        let sets: Vec<RecordSet> = self.call("ListResourceRecordSets", list).await?;
        Ok(match self.sabotage() {
            Some(sabotage) => sabotage.listing(&mut self.world.get(), function, zone, sets),
            None => sets,
        })
    }

    async fn change_status(&self, id: &str) -> Result<ChangeStatus, CallError> {
        let id = id.to_owned();
        let status = self.call("GetChange", move |world| Ok(world.route53.status(&id))).await;
        if self.sabotage() == Some(Sabotage::PromotesOnPending) { Ok(ChangeStatus::InSync) } else { status }
    }

    fn now(&self) -> Timestamp {
        self.world.get().now
    }

    async fn wait(&self, seconds: u32) {
        let until = self.world.get().now + SignedDuration::from_secs(seconds.into());
        self.line.waits_until.set(Some(until));
        poll_fn(|_| if self.world.get().now >= until { Poll::Ready(()) } else { Poll::Pending }).await;
        self.line.waits_until.set(None);
    }
}

impl RecordWriter for Aws {
    async fn submit(&self, batch: &Batch) -> Result<String, CallError> {
        let (author, sabotage) = (Author::Holdfast(self.line.saw.get()), self.sabotage());
        let batch = sabotage.map_or_else(|| batch.clone(), |sabotage| sabotage.batch(batch.clone()));
        let Caller { function, invocation, .. } = self.line.caller;
        self.call("ChangeResourceRecordSets", move |world| {
            let id = match sabotage {
                Some(sabotage) if sabotage.overwrites() => Ok(world.overwrite(author, &batch)),
                _ => world.submit(author, &batch.zone, batch.changes()),
            };
            world.tell(|| {
                let refused = if id.is_ok() { "" } else { ", and is refused" };
                format!("{function:?} {invocation} writes {}{refused}", in_words(&batch))
            });
            id
        })
        .await
    }
}

impl HealthCheckWriter for Aws {
    async fn set_disabled(&self, _check: &str, disabled: bool) -> Result<(), CallError> {
        let is_done = self.sabotage() != Some(Sabotage::LeavesCheckDisabled);
        self.call("UpdateHealthCheck", move |world| {
            if is_done {
                world.watch.is_check_disabled = disabled;
            }
            Ok(())
        })
        .await
    }
}

impl AlarmReader for Aws {
    async fn alarms(&self, arns: &[String]) -> Result<Vec<AlarmSighting>, CallError> {
        let arns = arns.to_vec();
        let asks_for_targets = arns.iter().any(|arn| is_of_targets(arn));
        let asks_for_others = !arns.iter().all(|arn| is_of_targets(arn));
        let described = self.call("DescribeAlarms", move |world| {
            let there = (!world.alarm_is_gone).then(|| world.alarm.clone());
            let hold = arns.iter().filter(|arn| arn.ends_with("-hold-lapsed")).filter_map(|arn| world.hold_alarm(arn));
            let targets = arns.iter().filter(|arn| is_of_targets(arn)).filter_map(|arn| world.targets_alarm(arn));
            Ok(there.into_iter().filter(|alarm| arns.contains(&alarm.arn)).chain(hold).chain(targets).collect())
        });
        let described = described.await;
        if asks_for_targets {
            let of_targets = |alarms: &Vec<AlarmSighting>| {
                alarms.iter().filter(|alarm| is_of_targets(&alarm.arn)).cloned().collect::<Vec<_>>()
            };
            let targets = Targets::of(described.as_ref().ok().map(of_targets).as_deref());
            self.line.saw.set(Probes { targets, ..self.line.saw.get() });
        }
        if asks_for_others && described.is_err() {
            let mut world = self.world.get();
            let now = world.now;
            world.deafened.push(now);
        }
        match self.sabotage() {
            Some(sabotage) => sabotage.alarms(described, self.world.get().now),
            None => described,
        }
    }
}

impl Prober for Aws {
    async fn probe(&self, url: Option<&str>) -> Probe {
        let Some(url) = url else { return Probe::NotAsked };
        let is_primary = url.contains("primary");
        let answer = self.ask_site(is_primary).await;
        let mut saw = self.line.saw.get();
        *(if is_primary { &mut saw.primary } else { &mut saw.dr }) = answer;
        self.line.saw.set(saw);
        match (self.sabotage(), is_primary) {
            (Some(Sabotage::IgnoresProbes), true) => Probe::Silent(Silence::TimedOut),
            (Some(Sabotage::IgnoresProbes), false) => Probe::Answers,
            _ => answer,
        }
    }
}

impl ReplicaReader for Aws {
    async fn state(&self, replica: &ReplicaId) -> Result<ReplicaState, CallError> {
        let (id, api) = match replica {
            ReplicaId::AuroraCluster(_) => (replica.clone(), "DescribeDBClusters"),
            ReplicaId::RdsInstance(_) => (replica.clone(), "DescribeDBInstances"),
            ReplicaId::GlobalMember { .. } => (replica.clone(), "DescribeGlobalClusters"),
        };
        self.call(api, move |world| Ok(world.replica_state(&id))).await
    }
}

impl ReplicaWriter for Aws {
    async fn promote(&self, call: &PromotionCall) -> Result<(), CallError> {
        let (id, api) = match call {
            PromotionCall::Cluster(_) => (call.replica(), "PromoteReadReplicaDBCluster"),
            PromotionCall::Instance(_) => (call.replica(), "PromoteReadReplica"),
            PromotionCall::Global { .. } => (call.replica(), "FailoverGlobalCluster"),
        };
        let is_done = self.sabotage() != Some(Sabotage::NeverPromotes);
        let asked = self.world.get().asked_to_promote();
        self.call(api, move |world| if is_done { world.promote(&id, &asked) } else { Ok(()) }).await
    }
}

impl LagReader for Aws {
    async fn good_lags(&self, _: LagOf<'_>, from: Timestamp, to: Timestamp) -> Result<Vec<LagSample>, CallError> {
        let believes_minus_one = self.sabotage() == Some(Sabotage::BelievesMinusOne);
        self.call("GetMetricData", move |world| match world.lag.iter().max_by_key(|(at, _)| *at) {
            Some((at, -1)) if believes_minus_one => Ok(vec![LagSample { seconds: 0, at: *at }]),
            _ => Ok(world.good_lags(from, to)),
        })
        .await
    }
}

impl Publisher for Aws {
    async fn publish(&self, message: &Message) -> Result<(), CallError> {
        if self.sabotage() == Some(Sabotage::KeepsSilent) {
            return Ok(());
        }
        let (message, about) = (message.clone(), self.line.caller.about);
        self.call("Publish", move |world| {
            let at = world.now;
            world.tell(|| format!("told: {}", message.subject));
            world.mailbox.push(Letter { at, message: message.clone(), about });
            Ok(())
        })
        .await
    }
}
