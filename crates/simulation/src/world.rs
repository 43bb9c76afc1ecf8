//! Two regions as far as Holdfast's narrow calls reach them, and a clock that moves only when told to.

mod switched;

use std::cell::{RefCell, RefMut};
use std::collections::BTreeMap;
use std::rc::Rc;

use aws::CallError;
use aws::store::Item;
use failover::change::{Batch, Change};
use failover::incident::{AlarmSighting, AlarmState, Incident};
use failover::message::Message;
use failover::name::Name;
use failover::plan::{Plan, ReplicaId, alarm_name};
use failover::promotion::{LagSample, ReplicaState};
use failover::record::{RecordSet, Role, Target};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::database::{Replica, Turn};
use crate::event;
use crate::fault::Fault;
use crate::holdfast::Subject;
use crate::primary::{self, OldDatabase};
use crate::route53::{Records, Route53};
use crate::switch::Switch;
use crate::watch::{Asked, Author, Watch};
use crate::watched::plays;

/// A handle on the world; clones share it.
#[derive(Clone, Debug)]
pub struct Handle(Rc<RefCell<World>>);

impl Handle {
    /// The world, to look at or to change.
    #[must_use]
    pub fn get(&self) -> RefMut<'_, World> {
        self.0.borrow_mut()
    }
}

impl From<World> for Handle {
    fn from(world: World) -> Self {
        Self(Rc::new(RefCell::new(world)))
    }
}

/// A call whose answer was given up, on its way all the same.
pub type LateEffect = Box<dyn FnOnce(&mut World)>;

/// What the operators were told.
#[derive(Clone, Debug)]
pub struct Letter {
    /// When.
    pub at: Timestamp,
    /// What.
    pub message: Message,
    /// What made the notifier say it.
    pub about: Option<Subject>,
}

/// Everything outside Holdfast.
pub struct World {
    /// Virtual time, AWS's and everybody's.
    pub now: Timestamp,
    /// Records.
    pub route53: Route53,
    /// What must never be.
    pub watch: Watch,
    /// The failover-started alarm.
    pub alarm: AlarmSighting,
    /// Whether somebody has deleted that alarm.
    pub alarm_is_gone: bool,
    /// Whether the primary site answers.
    pub primary_answers: bool,
    /// Whether the DR site answers.
    pub dr_answers: bool,
    /// What the alarm says that is OK while enough of DR's targets are healthy.
    pub targets: AlarmState,
    /// The databases.
    pub replicas: BTreeMap<ReplicaId, Replica>,
    /// The old writers in the primary region.
    pub old_writers: BTreeMap<ReplicaId, OldDatabase>,
    /// How long a promotion takes.
    pub promotion_time: SignedDuration,
    /// Lag of every replica, in seconds, as CloudWatch has it: −1 where it cannot be determined.
    pub lag: Vec<(Timestamp, i64)>,
    /// The longest time from the start of an outage to its alarm.
    detection: SignedDuration,
    /// Whoever asks now is served from a copy that the newest write has not reached.
    pub is_stale: bool,
    /// The health check by which PRIMARY records follow the switch.
    pub(crate) switch_check: Option<String>,
    /// The switch, if there is one.
    pub switch: Option<Switch>,
    /// What becomes of every call to Route 53's API while it is dark.
    pub dark: Option<Fault>,
    /// When alarm-handler did not hear what the alarms say.
    pub deafened: Vec<Timestamp>,
    /// DR's own store.
    pub store: BTreeMap<Item, String>,
    /// What the operators were told.
    pub mailbox: Vec<Letter>,
    /// Events that AWS has sent and the bus has not taken yet.
    pub outbox: Vec<Value>,
    /// Calls that land late.
    pub late: Vec<(&'static str, LateEffect)>,
    /// What happened, for people, if it is to be told.
    pub story: Option<Vec<(Timestamp, String)>>,
}

impl std::fmt::Debug for World {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("World").field("now", &self.now).finish_non_exhaustive()
    }
}

impl World {
    /// A quiet world with these records and the plan's databases, replicating well.
    #[must_use]
    pub fn new(plan: &Plan, now: Timestamp, records: Vec<(String, RecordSet)>) -> Self {
        let mut route53 = Route53::new(SignedDuration::from_secs(40));
        for (zone, set) in &records {
            route53.seed(zone, set.clone());
        }
        let arn = plan.alarms.first().cloned().unwrap_or_default();
        let name = alarm_name(&arn).unwrap_or_default().to_owned();
        let since = now - SignedDuration::from_hours(48);
        Self {
            now,
            watch: Watch::new(plan, &records),
            route53,
            alarm: AlarmSighting { arn, name, state: AlarmState::Ok, since, trouble: None },
            alarm_is_gone: false,
            primary_answers: true,
            dr_answers: true,
            targets: AlarmState::Ok,
            replicas: plan.replicas.iter().map(|id| (id.clone(), Replica::of(id))).collect(),
            old_writers: primary::old_writers(plan),
            promotion_time: SignedDuration::from_mins(4),
            lag: vec![(now, 2)],
            detection: SignedDuration::from_secs(i64::from(plan.limits.detection_seconds_max)),
            is_stale: false,
            switch_check: plan.switch.clone(),
            switch: plan.latch.as_ref().and_then(|it| Some(Switch::new(it.shown.as_ref()?.pairs.clone(), now))),
            dark: None,
            deafened: Vec::new(),
            store: BTreeMap::new(),
            mailbox: Vec::new(),
            outbox: Vec::new(),
            late: Vec::new(),
            story: None,
        }
    }

    /// Tells the story one step further.
    pub fn tell(&mut self, step: impl FnOnce() -> String) {
        let now = self.now;
        if let Some(story) = &mut self.story {
            story.push((now, step()));
        }
    }

    /// Lets time pass, and everything happen that falls due meanwhile.
    pub fn advance(&mut self, seconds: i64) {
        self.advance_to(self.now + SignedDuration::from_secs(seconds));
    }

    /// Lets time pass until then.
    pub fn advance_to(&mut self, until: Timestamp) {
        self.switch_goes_on();
        loop {
            let turn = self.switch.as_ref().and_then(|switch| switch.next_event(until));
            let Some(at) = self.route53.next_arrival(until).into_iter().chain(turn).min() else { break };
            self.now = at;
            self.watch.before_arrival(at, &self.route53, &self.shows());
            self.route53.arrive(at);
            self.switch_goes_on();
            self.watch.after_arrival(at, &self.route53, &self.shows());
        }
        self.now = until;
        for (id, replica) in &mut self.replicas {
            let Some(turn) = replica.go_on(until) else { continue };
            self.outbox.push(event::rds(id, turn, until));
            if turn == Turn::Failed {
                self.watch.promotion_failed(id);
            }
        }
    }

    /// The alarm changes state, and says so.
    pub fn alarm_says(&mut self, state: AlarmState) {
        self.tell(|| format!("the alarm says {state:?}"));
        self.alarm = AlarmSighting { state, since: self.now, ..self.alarm.clone() };
        if state == AlarmState::Alarm {
            self.watch.rang.push(Incident { alarm: self.alarm.name.clone(), began: self.now });
        }
        self.outbox.push(event::alarm(&self.alarm, self.now));
    }

    /// The primary dies, and the alarm says that failover has started.
    pub fn outage(&mut self) {
        self.primary_answers = false;
        self.alarm_says(AlarmState::Alarm);
    }

    /// The primary comes back.
    pub fn recovery(&mut self) {
        self.primary_answers = true;
        self.alarm_says(AlarmState::Ok);
    }

    /// What the control plane lists to whoever asks now.
    #[must_use]
    pub fn listing(&self, zone: &str) -> Records {
        if self.is_stale { self.route53.stale_records(zone, self.now) } else { self.route53.records(zone) }
    }

    /// Submits a batch on somebody's behalf, under the watch's eyes.
    ///
    /// # Errors
    /// As Route 53 refuses.
    pub fn submit<'a>(
        &mut self,
        author: Author,
        zone: &str,
        changes: impl Iterator<Item = &'a Change>,
    ) -> Result<String, CallError> {
        if author == Author::Operator && self.dark.is_some() {
            return Err(CallError::NeverSent { call: "ChangeResourceRecordSets", why: "it is dark".to_owned() });
        }
        let before = self.route53.records(zone);
        let id = self.route53.submit(zone, changes, self.now)?;
        let unpromoted = self.replicas.iter().find(|(_, replica)| !replica.takes_writes());
        self.watch.unpromoted = unpromoted.map(|(id, _)| id.clone());
        self.watch.wrote(self.now, author, zone, &before, &self.route53.records(zone));
        if author == Author::Operator {
            self.route53.forget_stale();
        }
        Ok(id)
    }

    /// As [`Self::submit`], but blindly.
    pub fn overwrite(&mut self, author: Author, batch: &Batch) -> String {
        let before = self.route53.records(&batch.zone);
        let id = self.route53.overwrite(&batch.zone, batch.changes(), self.now);
        self.watch.wrote(self.now, author, &batch.zone, &before, &self.route53.records(&batch.zone));
        id
    }

    /// Somebody asks for a promotion now, whenever RDS hears of it.
    pub fn asked_to_promote(&mut self) -> Asked {
        self.watch.asked_to_promote(self.now, &self.route53, &self.shows())
    }

    /// Asks RDS to promote, which it does once: "not a replica" and "not available" are the same fault.
    ///
    /// # Errors
    /// `InvalidDBClusterStateFault` or `InvalidDBInstanceState`.
    pub fn promote(&mut self, id: &ReplicaId, asked: &Asked) -> Result<(), CallError> {
        let loss_seconds = self.loss_seconds();
        let Some(replica) = self.replicas.get_mut(id).filter(|replica| replica.is_promotable()) else {
            let (call, code) = match id {
                ReplicaId::AuroraCluster(_) => ("PromoteReadReplicaDBCluster", "InvalidDBClusterStateFault"),
                ReplicaId::RdsInstance(_) => ("PromoteReadReplica", "InvalidDBInstanceState"),
                ReplicaId::GlobalMember { .. } => ("FailoverGlobalCluster", "InvalidGlobalClusterStateFault"),
            };
            return Err(CallError::Refused { call, code: code.to_owned(), message: format!("{id} is not a replica") });
        };
        replica.promote(self.now, self.promotion_time);
        // What people do while the call is under way is not for whoever made it to know.
        let asked = if asked.at < self.now { asked.clone() } else { self.asked_to_promote() };
        self.watch.promoted(self.now, id, loss_seconds, asked);
        self.tell(|| format!("RDS promotes {id}"));
        Ok(())
    }

    /// The samples between two times that CloudWatch has and that are not −1, oldest first.
    #[must_use]
    pub fn good_lags(&self, from: Timestamp, to: Timestamp) -> Vec<LagSample> {
        let between = self.lag.iter().filter(|(at, _)| (from..=to).contains(at));
        let good = between.filter_map(|&(at, lag)| Some(LagSample { seconds: u64::try_from(lag).ok()?, at }));
        let mut good: Vec<_> = good.collect();
        good.sort_by_key(|sample| sample.at);
        good
    }

    /// Writes that a promotion may lose: the last known lag, and all since then up to the earliest start of the outage.
    fn loss_seconds(&self) -> Option<i64> {
        let good = self.lag.iter().filter(|(_, lag)| *lag >= 0);
        let (at, lag) = good.max_by_key(|(at, _)| *at)?;
        let outage = self.watch.rang.last().map_or(self.now, |incident| incident.began) - self.detection;
        Some(lag + outage.duration_since(*at).as_secs().max(0))
    }

    /// What RDS says of a database to whoever asks now.
    #[must_use]
    pub fn replica_state(&self, id: &ReplicaId) -> ReplicaState {
        match self.replicas.get(id) {
            None => ReplicaState::Missing,
            Some(replica) if self.is_stale => replica.stale_state(self.now),
            Some(replica) => replica.state(),
        }
    }

    /// True if a call is still to land whose name begins so.
    #[must_use]
    pub fn is_anything_late(&self, apis: &[&str]) -> bool {
        self.late.iter().any(|(late, _)| apis.iter().any(|api| late.starts_with(api)))
    }

    /// Lets every late call land now.
    pub fn land_late_calls(&mut self) {
        for (api, effect) in std::mem::take(&mut self.late) {
            self.tell(|| format!("{api}, which was given up, lands"));
            effect(self);
        }
    }

    /// Someone puts the PRIMARY records of a name back as they were, and leaves the register alone.
    ///
    /// # Errors
    /// As Route 53 refuses.
    pub fn undo(&mut self, author: Author, zone: &str, name: &Name) -> Result<String, CallError> {
        let records = self.route53.records(zone);
        let originals = self.watch.originals_of(zone, name);
        let mut changes = Vec::new();
        for original in originals {
            changes.extend(records.like(&original).cloned().map(Change::Delete));
            changes.push(Change::Create(original));
        }
        self.submit(author, zone, changes.iter())
    }

    /// A person points the SECONDARY records of a name where its PRIMARY records led, or back at DR.
    ///
    /// # Errors
    /// As Route 53 refuses.
    pub fn swap(&mut self, zone: &str, name: &Name, to_primary: bool) -> Result<String, CallError> {
        let records = self.route53.records(zone);
        let of_name = |set: &&RecordSet| set.name == *name && plays(set, Role::Secondary);
        let changes = records.iter().filter(of_name).flat_map(|set| {
            let target = self.watch.target(zone, set, to_primary).unwrap_or_else(|| set.target.clone());
            [Change::Delete(set.clone()), Change::Create(RecordSet { target, ..set.clone() })]
        });
        let changes: Vec<_> = changes.collect();
        self.submit(Author::Operator, zone, changes.iter())
    }

    /// A person gives the PRIMARY records of a name another TTL; those that are aliases have none.
    pub fn set_ttl(&mut self, zone: &str, name: &Name, ttl_seconds: u32) -> Result<String, CallError> {
        let records = self.route53.records(zone);
        let of_name = |set: &&RecordSet| set.name == *name && plays(set, Role::Primary);
        let changes = records.iter().filter(of_name).flat_map(|set| match &set.target {
            Target::Values { values, .. } => {
                let target = Target::Values { ttl_seconds, values: values.clone() };
                vec![Change::Delete(set.clone()), Change::Create(RecordSet { target, ..set.clone() })]
            }
            Target::Alias { .. } => Vec::new(),
        });
        let changes: Vec<_> = changes.collect();
        self.submit(Author::Operator, zone, changes.iter())
    }

    /// A person promotes a replica, for a reason of their own; true if RDS takes it.
    pub fn promote_by_hand(&mut self, id: &ReplicaId) -> bool {
        let Some(replica) = self.replicas.get_mut(id).filter(|replica| replica.is_promotable()) else { return false };
        replica.promote(self.now, self.promotion_time);
        self.watch.promoted_by_hand(self.now + self.promotion_time, id);
        self.tell(|| format!("kim promotes {id}"));
        true
    }

    /// What a client is answered: the PRIMARY's target while its health check is healthy, which in this world follows the
    /// alarm, else the SECONDARY's.
    #[must_use]
    pub fn answer(&self, zone: &str, name: &Name, kind: &str) -> Option<Target> {
        let role = if self.alarm.state == AlarmState::Alarm { Role::Secondary } else { Role::Primary };
        self.route53.published(zone)?.playing(name, kind, role).map(|set| set.target.clone())
    }
}

/// True of the alarm on DR's targets.
pub(crate) fn is_of_targets(arn: &str) -> bool {
    arn.ends_with(":dr-healthy")
}
