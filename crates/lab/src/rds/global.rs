//! Aurora global databases: one primary cluster, and secondary ones whose storage follows it.

pub(super) mod api;
#[cfg(test)]
mod tests;

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::database::{Database, Key, LostLink, Replication};
use super::model::{Event, Status, no_cluster};
use super::settings::Settings;
use super::state::{Effect, State, Step};
use crate::arn::arn;
use crate::wire::Refusal;

/// "The global cluster's primary DB cluster and the specified secondary DB cluster are being verified before the operation starts"
/// (`FailoverState`). AWS documents the status, not the time.
const PENDING: SignedDuration = SignedDuration::from_secs(5);
/// How long write fencing is tried before "the process to stop writes timed out". AWS documents the event, not the time.
const FENCING: SignedDuration = SignedDuration::from_secs(30);
/// How long a primary region that is back takes writes before Aurora has made its cluster a secondary: "writes might be momentarily
/// accepted in the old primary Region".
const MOMENTARILY: SignedDuration = SignedDuration::from_secs(60);
/// "A few minutes to several hours": the new storage of an old primary.
const REBUILD: SignedDuration = SignedDuration::from_mins(10);
/// "Typical latency of less than 1 second".
const LAG: Duration = Duration::from_millis(600);

/// A global database.
#[derive(Clone, Debug)]
pub(crate) struct Global {
    /// Its clusters, in the order in which they came.
    pub members: Vec<Key>,
    /// Which of them is the primary.
    pub writer: Key,
    /// The switchover or failover under way.
    pub operation: Option<Operation>,
    /// The next failover fails half-way.
    pub is_to_fail: bool,
}

/// A switchover or failover under way (`FailoverState`).
#[derive(Clone, Debug)]
pub(crate) struct Operation {
    pub status: &'static str,
    pub from: Key,
    pub to: Key,
    pub is_data_loss_allowed: bool,
}

/// What happens to a global database in time.
#[derive(Clone, Debug)]
pub(super) enum GlobalStep {
    /// The failover was verified.
    Begins { global: String },
    /// The new primary's instances restart.
    Restarts,
    /// The new primary takes writes, or the failover has failed.
    Ends { global: String },
    /// Aurora has stopped writes to the old primary, or has tried to until then.
    Fences { global: String, tried_until: Timestamp },
    /// The old primary gets new storage.
    Rebuilds { global: String },
    /// The old primary is a secondary.
    Returns { global: String },
    /// A failover that failed is undone.
    Cancelled { global: String },
}

pub(super) fn no_global(id: &str) -> Refusal {
    Refusal::not_found("GlobalClusterNotFoundFault", format!("Global cluster {id} not found."))
}

fn in_state(global: &str, why: &str) -> Refusal {
    Refusal::bad_request("InvalidGlobalClusterStateFault", format!("Global cluster {global} {why}."))
}

fn cluster_in_state(id: &str, why: &str) -> Refusal {
    Refusal::bad_request("InvalidDBClusterStateFault", format!("DB cluster {id} {why}."))
}

pub(super) fn cluster_arn((region, id): &Key) -> String {
    arn("rds", region, &format!("cluster:{id}"))
}

impl State {
    /// The global database that a cluster is in.
    pub fn global_of(&self, cluster: &Key) -> Option<(&String, &Global)> {
        self.globals.iter().find(|(_, global)| global.members.contains(cluster))
    }

    /// True of a secondary cluster, and of a primary that is being left; but for one that could not be fenced.
    pub fn is_read_only_member(&self, cluster: &Key) -> bool {
        let is_left = |operation: &Operation| {
            operation.from == *cluster && matches!(operation.status, "failing-over" | "switching-over")
        };
        let is_read_only =
            |global: &Global| global.writer != *cluster || global.operation.as_ref().is_some_and(is_left);
        !self.unfenced.contains(cluster) && self.global_of(cluster).is_some_and(|(_, global)| is_read_only(global))
    }

    /// How far behind a secondary cluster says it is, and the region of its primary; nothing of any other cluster. While the primary
    /// cannot be reached "the replication lag may continue to increase".
    pub fn global_lag(&self, cluster: &Key) -> Option<(String, Duration)> {
        let (_, global) = self.global_of(cluster)?;
        let replication = self.databases.get(cluster)?.replication.as_ref()?;
        let lag = match replication.connected() {
            true => Some(self.behind(replication)),
            false => replication.said_when_lost(self.now),
        };
        Some((global.writer.0.clone(), lag?))
    }

    /// "CreateGlobalCluster" with `SourceDBClusterIdentifier`.
    pub fn create_global(&mut self, id: &str, primary: Key) -> Result<(), Refusal> {
        if self.globals.contains_key(id) {
            let why = format!("Global cluster {id} already exists.");
            return Err(Refusal::bad_request("GlobalClusterAlreadyExistsFault", why));
        }
        let cluster = self.clusters.get(&primary).ok_or_else(|| no_cluster(&primary.1))?;
        if cluster.source.is_some() || cluster.status != Status::Available || self.global_of(&primary).is_some() {
            return Err(cluster_in_state(&primary.1, "cannot become a global database's primary"));
        }
        let global = Global { members: vec![primary.clone()], writer: primary, operation: None, is_to_fail: false };
        self.globals.insert(id.to_owned(), global);
        Ok(())
    }

    /// "CreateDBCluster" with `GlobalClusterIdentifier`: a secondary cluster, in another region than every other.
    pub fn add_secondary(&mut self, id: &str, region: &str, cluster: &str, settings: Settings) -> Result<Key, Refusal> {
        let global = self.globals.get(id).ok_or_else(|| no_global(id))?;
        if global.members.iter().any(|(other, _)| other == region) {
            return Err(in_state(id, &format!("has a cluster in {region}")));
        }
        let writer = global.writer.clone();
        let key = self.add_cluster(region, cluster, settings, None)?;
        self.follow(&key, &writer);
        if let Some(global) = self.globals.get_mut(id) {
            global.members.push(key.clone());
        }
        Ok(key)
    }

    /// A cluster's storage becomes a copy of the primary's, and follows it.
    fn follow(&mut self, member: &Key, writer: &Key) {
        let copy = self.databases.get(writer).map(|database| database.writes().to_vec()).unwrap_or_default();
        if let Some(database) = self.databases.get_mut(member) {
            let mut replication = Replication::of(writer.clone());
            (replication.lag, replication.lost) = (LAG, LostLink::InTransaction);
            let server = database.server;
            *database = Database::copy_of(copy, replication);
            database.server = server;
        }
    }

    /// "RemoveFromGlobalCluster": a cluster of its own, which takes writes.
    pub fn remove_from_global(&mut self, id: &str, member: &Key) -> Result<(), Refusal> {
        let global = self.globals.get_mut(id).ok_or_else(|| no_global(id))?;
        if global.operation.is_some() {
            return Err(in_state(id, "is being switched or failed over"));
        }
        if !global.members.contains(member) {
            return Err(no_cluster(&member.1));
        }
        if global.writer == *member && global.members.len() > 1 {
            return Err(in_state(id, "still has secondary clusters"));
        }
        global.members.retain(|other| other != member);
        if let Some(database) = self.databases.get_mut(member) {
            database.cut();
        }
        Ok(())
    }

    fn target(&self, id: &str, to: &Key, is_down: &dyn Fn(&str) -> bool) -> Result<&Global, Refusal> {
        let global = self.globals.get(id).ok_or_else(|| no_global(id))?;
        let cluster = self.clusters.get(to).filter(|_| global.members.contains(to)).ok_or_else(|| no_cluster(&to.1))?;
        if let Some(operation) = &global.operation {
            return Err(in_state(id, &format!("is {}", operation.status)));
        }
        if global.writer == *to {
            return Err(cluster_in_state(&to.1, "is the primary already"));
        }
        // "Before you can perform a switchover or failover to a headless secondary … you must add a DB instance to it".
        if cluster.status != Status::Available || is_down(&to.0) || !self.can_replicate(to) {
            return Err(cluster_in_state(&to.1, "is not available with an instance"));
        }
        Ok(global)
    }

    /// "FailoverGlobalCluster" with `AllowDataLoss`: it "doesn't wait for data to synchronize".
    pub fn fail_over_global(
        &mut self,
        id: &str,
        to: &Key,
        (now, takes): (Timestamp, SignedDuration),
        is_down: &dyn Fn(&str) -> bool,
    ) -> Result<(), Refusal> {
        let from = self.target(id, to, is_down)?.writer.clone();
        self.operate(id, "pending", &from, to, true);
        let global = id.to_owned();
        self.later(now + PENDING, to, GlobalStep::Begins { global: global.clone() });
        self.later(now + PENDING + takes / 2, to, GlobalStep::Restarts);
        self.later(now + PENDING + takes, to, GlobalStep::Ends { global });
        Ok(())
    }

    /// "SwitchoverGlobalCluster": "only on … clusters and other services … in a healthy state". Here the primary takes no writes from the
    /// beginning, where AWS first waits until the secondary has nearly everything.
    pub fn switch_over_global(
        &mut self,
        id: &str,
        to: &Key,
        (now, takes): (Timestamp, SignedDuration),
        is_down: &dyn Fn(&str) -> bool,
    ) -> Result<(), Refusal> {
        let global = self.target(id, to, is_down)?;
        let from = global.writer.clone();
        let is_healthy = |member: &Key| !is_down(&member.0) && self.can_replicate(member);
        if let Some(ill) = global.members.iter().find(|member| !is_healthy(member)) {
            return Err(cluster_in_state(&ill.1, "is not available"));
        }
        self.operate(id, "switching-over", &from, to, false);
        let global = id.to_owned();
        self.later(now + takes / 2, to, GlobalStep::Restarts);
        self.later(now + takes, to, GlobalStep::Ends { global });
        Ok(())
    }

    fn operate(&mut self, id: &str, status: &'static str, from: &Key, to: &Key, is_data_loss_allowed: bool) {
        if let Some(global) = self.globals.get_mut(id) {
            global.operation = Some(Operation { status, from: from.clone(), to: to.clone(), is_data_loss_allowed });
        }
    }

    fn later(&mut self, at: Timestamp, key: &Key, step: GlobalStep) {
        self.steps.push((at, key.clone(), Step::Global(step)));
    }

    fn tell_of(&mut self, key: &Key, at: Timestamp, message: &'static str) -> Effect {
        let ((region, id), arn) = (key.clone(), cluster_arn(key));
        let event = Event { at, region, id, arn, category: "global-failover", message };
        self.events.push(event.clone());
        Effect::Told(event)
    }

    pub(super) fn global_step(&mut self, key: &Key, step: GlobalStep, now: Timestamp) -> Vec<Effect> {
        match step {
            GlobalStep::Begins { global } => self.begin_failover(&global, key, now),
            GlobalStep::Restarts => self.set_members(key, Status::Rebooting),
            GlobalStep::Ends { global } => return self.end_operation(&global, key, now),
            GlobalStep::Cancelled { global } => {
                if let Some(global) = self.globals.get_mut(&global) {
                    global.operation = None;
                }
            }
            GlobalStep::Fences { global, tried_until } => return self.fence(global, key, tried_until, now),
            GlobalStep::Rebuilds { global } => {
                self.unfenced.remove(key);
                self.set_cluster(key, Status::Creating);
                self.set_members(key, Status::Rebooting);
                self.later(now + REBUILD, key, GlobalStep::Returns { global });
                return vec![
                    Effect::Changed(key.clone()),
                    self.tell_of(key, now, "Started resynchronizing members of the DB cluster after global failover."),
                ];
            }
            GlobalStep::Returns { global } => {
                let writer = self.globals.get(&global).map(|global| global.writer.clone());
                writer.into_iter().for_each(|writer| self.follow(key, &writer));
                self.set_cluster(key, Status::Available);
                self.set_members(key, Status::Available);
                return vec![
                    Effect::Changed(key.clone()),
                    self.tell_of(key, now, "Finished resynchronizing members of the DB cluster after global failover."),
                ];
            }
        }
        vec![Effect::Changed(key.clone())]
    }

    /// Replication has stopped for good; what had not arrived is lost.
    fn begin_failover(&mut self, id: &str, to: &Key, now: Timestamp) {
        let Some(operation) = self.globals.get_mut(id).and_then(|global| global.operation.as_mut()) else { return };
        operation.status = "failing-over";
        let from = operation.from.clone();
        if let Some(replication) = self.databases.get_mut(to).and_then(|database| database.replication.as_mut()) {
            replication.is_stopped = true;
        }
        self.set_cluster(to, Status::Other("failing-over"));
        let (global, tried_until) = (id.to_owned(), now + FENCING);
        self.unfenced.insert(from.clone());
        self.later(now, &from, GlobalStep::Fences { global, tried_until });
    }

    fn end_operation(&mut self, id: &str, to: &Key, now: Timestamp) -> Vec<Effect> {
        let Some(operation) = self.globals.get(id).and_then(|global| global.operation.clone()) else {
            return Vec::new();
        };
        self.set_cluster(to, Status::Available);
        self.set_members(to, Status::Available);
        let fails = self.globals.get_mut(id).is_some_and(|global| std::mem::take(&mut global.is_to_fail));
        if fails {
            // It was a secondary before, and is one now; whatever had arrived is there.
            if let Some(replication) = self.databases.get_mut(to).and_then(|database| database.replication.as_mut()) {
                replication.is_stopped = false;
            }
            self.unfenced.remove(&operation.from);
            let is_of_old =
                |step: &Step| matches!(step, Step::Global(GlobalStep::Fences { global, .. }) if global == id);
            self.steps.retain(|(_, _, step)| !is_of_old(step));
            self.operate(id, "cancelling", &operation.from, to, operation.is_data_loss_allowed);
            self.later(now + PENDING, to, GlobalStep::Cancelled { global: id.to_owned() });
            return vec![
                Effect::Changed(to.clone()),
                self.tell_of(to, now, "Global failover to the DB cluster failed."),
            ];
        }
        if !operation.is_data_loss_allowed {
            // "Aurora … waits for the target … to be fully synchronized".
            self.follow(to, &operation.from);
        }
        if let Some(database) = self.databases.get_mut(to) {
            database.cut();
        }
        let members = self.globals.get(id).map(|global| global.members.clone()).unwrap_or_default();
        if let Some(global) = self.globals.get_mut(id) {
            (global.writer, global.operation) = (to.clone(), None);
        }
        // "Aurora rebuilds these secondary Regions to have the exact same point-in-time data as the new primary Region cluster".
        let others = members.iter().filter(|member| *member != to);
        let others = others.filter(|member| !operation.is_data_loss_allowed || **member != operation.from);
        others.for_each(|member| self.follow(member, to));
        let message = match operation.is_data_loss_allowed {
            true => "Global failover to the DB cluster completed.",
            false => "Global switchover to the DB cluster finished.",
        };
        vec![Effect::Changed(to.clone()), Effect::Changed(operation.from), self.tell_of(to, now, message)]
    }

    /// A step in a region that is down waits until the region is back; then the time for fencing is over.
    fn fence(&mut self, global: String, old: &Key, tried_until: Timestamp, now: Timestamp) -> Vec<Effect> {
        let (again, message) = match now <= tried_until {
            true => {
                self.unfenced.remove(old);
                (now + FENCING, "Writes to the old primary DB cluster were stopped.")
            }
            false => (now + MOMENTARILY, "The process to stop writes to the old primary DB cluster timed out."),
        };
        self.later(again, old, GlobalStep::Rebuilds { global });
        vec![Effect::Changed(old.clone()), self.tell_of(old, now, message)]
    }
}
