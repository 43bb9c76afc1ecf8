//! Two regions as far as Holdfast's narrow calls reach them, and a clock that moves only when told to.

use std::cell::{RefCell, RefMut};
use std::collections::BTreeMap;
use std::rc::Rc;

use aws::CallError;
use failover::change::{Batch, Change};
use failover::incident::{AlarmSighting, AlarmState};
use failover::message::Message;
use failover::name::Name;
use failover::plan::{Plan, ReplicaId, alarm_name};
use failover::promotion::{LagSample, ReplicaState};
use failover::record::{RecordSet, Role, Target};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::event;
use crate::route53::{Route53, identity, playing};
use crate::watch::{Author, Watch};

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

/// A database.
#[derive(Clone, Debug)]
pub struct Replica {
    /// What it replicates from, until promoted.
    pub source: Option<String>,
    /// RDS's word.
    pub status: &'static str,
    /// When the promotion under way ends.
    ready: Option<Timestamp>,
}

/// A call whose answer was given up, on its way all the same.
pub type LateEffect = Box<dyn FnOnce(&mut World)>;

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
    /// Whether the primary site answers.
    pub primary_answers: bool,
    /// Whether the DR site answers.
    pub dr_answers: bool,
    /// The databases.
    pub replicas: BTreeMap<ReplicaId, Replica>,
    /// How long a promotion takes.
    pub promotion_time: SignedDuration,
    /// Lag of every replica.
    pub lag: Vec<LagSample>,
    /// What the operators were told, and when.
    pub mailbox: Vec<(Timestamp, Message)>,
    /// Events that AWS has sent and the bus has not taken yet.
    pub outbox: Vec<Value>,
    /// Calls that land late.
    pub late: Vec<LateEffect>,
    /// What happened, for people, if it is to be told.
    pub story: Option<Vec<String>>,
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
        let replica = Replica { source: Some("primary".to_owned()), status: "available", ready: None };
        let arn = plan.alarms.first().cloned().unwrap_or_default();
        let name = alarm_name(&arn).unwrap_or_default().to_owned();
        let since = now - SignedDuration::from_hours(48);
        Self {
            now,
            watch: Watch::new(&records),
            route53,
            alarm: AlarmSighting { arn, name, state: AlarmState::Ok, since },
            primary_answers: true,
            dr_answers: true,
            replicas: plan.replicas.iter().map(|id| (id.clone(), replica.clone())).collect(),
            promotion_time: SignedDuration::from_mins(4),
            lag: vec![LagSample { seconds: 2, at: now }],
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
            story.push(format!("{now} {}", step()));
        }
    }

    /// Lets time pass, and everything happen that falls due meanwhile.
    pub fn advance(&mut self, seconds: i64) {
        let until = self.now + SignedDuration::from_secs(seconds);
        while let Some(at) = self.route53.next_arrival(until) {
            self.now = at;
            self.watch.before_arrival(at, &self.route53);
            self.route53.arrive(at);
            self.watch.after_arrival(at, &self.route53);
        }
        self.now = until;
        for (id, replica) in &mut self.replicas {
            if replica.ready.is_some_and(|at| at <= until) {
                *replica = Replica { source: None, status: "available", ready: None };
                self.outbox.push(event::rds(id, until));
            }
        }
    }

    /// The alarm changes state, and says so.
    pub fn alarm_says(&mut self, state: AlarmState) {
        self.tell(|| format!("the alarm says {state:?}"));
        self.alarm = AlarmSighting { state, since: self.now, ..self.alarm.clone() };
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
        let before = self.route53.records(zone);
        let id = self.route53.submit(zone, changes, self.now)?;
        self.watch.wrote(self.now, author, zone, &before, &self.route53.records(zone));
        self.tell(|| format!("{author:?} wrote {id} in {zone}"));
        Ok(id)
    }

    /// As [`Self::submit`] for Holdfast, but blindly.
    pub fn overwrite(&mut self, batch: &Batch) -> String {
        let before = self.route53.records(&batch.zone);
        let id = self.route53.overwrite(&batch.zone, batch.changes(), self.now);
        self.watch.wrote(self.now, Author::Holdfast, &batch.zone, &before, &self.route53.records(&batch.zone));
        id
    }

    /// Asks RDS to promote, which it does once: "not a replica" and "not available" are the same fault.
    ///
    /// # Errors
    /// `InvalidDBClusterStateFault`.
    pub fn promote(&mut self, id: &ReplicaId) -> Result<(), CallError> {
        let fits = |replica: &&mut Replica| replica.status == "available" && replica.source.is_some();
        let Some(replica) = self.replicas.get_mut(id).filter(fits) else {
            let (code, message) = ("InvalidDBClusterStateFault".to_owned(), format!("{id} is not a replica"));
            return Err(CallError::Refused { call: "PromoteReadReplicaDBCluster", code, message });
        };
        replica.status = "promoting";
        replica.ready = Some(self.now + self.promotion_time);
        self.watch.promoted(self.now, id, &self.route53);
        self.tell(|| format!("RDS promotes {id}"));
        Ok(())
    }

    /// What RDS says of a database.
    #[must_use]
    pub fn replica_state(&self, id: &ReplicaId) -> ReplicaState {
        match self.replicas.get(id) {
            None => ReplicaState::Missing,
            Some(replica) => ReplicaState::Present {
                status: replica.status.to_owned(),
                source: replica.source.clone(),
                writer_available: replica.status == "available",
            },
        }
    }

    /// Lets every late call land now.
    pub fn land_late_calls(&mut self) {
        for effect in std::mem::take(&mut self.late) {
            effect(self);
        }
    }

    /// Someone puts the PRIMARY records of a name back as they were, and leaves the register alone.
    ///
    /// # Errors
    /// As Route 53 refuses.
    pub fn undo_by_hand(&mut self, zone: &str, name: &Name) -> Result<String, CallError> {
        let records = self.route53.records(zone);
        let originals = self.watch.originals_of(zone, name);
        let mut changes = Vec::new();
        for original in originals {
            changes.extend(records.get(&identity(&original)).cloned().map(Change::Delete));
            changes.push(Change::Create(original));
        }
        self.submit(Author::Operator, zone, changes.iter())
    }

    /// What a client is answered: the PRIMARY's target while its health check is healthy, which in this world follows the
    /// alarm, else the SECONDARY's.
    #[must_use]
    pub fn answer(&self, zone: &str, name: &Name, kind: &str) -> Option<Target> {
        let role = if self.alarm.state == AlarmState::Alarm { Role::Secondary } else { Role::Primary };
        playing(self.route53.published(zone)?, name, kind, role).map(|set| set.target.clone())
    }
}
