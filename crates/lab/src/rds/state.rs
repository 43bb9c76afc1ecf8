//! How clusters and instances move through their states.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::database::{Database, Key, Replication};
use super::global::{Global, GlobalStep};
use super::model::{Cluster, Event, Instance, Status, no_cluster, no_instance};
use super::parameters::Parameters;
use crate::wire::Refusal;

/// What came of the passing of time.
#[derive(Debug)]
pub(super) enum Effect {
    /// A database has another status or role.
    Changed(Key),
    /// RDS has something to tell.
    Told(Event),
}

#[derive(Clone, Debug)]
pub(super) enum Step {
    ClusterAvailable,
    ClusterReboots,
    ClusterPromoted,
    InstanceAvailable,
    InstanceReboots,
    InstancePromoted,
    Renamed { to: String },
    Deleted,
    GroupsApplied,
    Global(GlobalStep),
}

#[derive(Debug, Default)]
pub(super) struct State {
    pub clusters: BTreeMap<Key, Cluster>,
    pub instances: BTreeMap<Key, Instance>,
    /// Global databases, which are of no region.
    pub globals: BTreeMap<String, Global>,
    /// Old primaries of global databases that are failed over, while they go on taking writes.
    pub unfenced: BTreeSet<Key>,
    /// Of every cluster and of every instance outside one.
    pub databases: BTreeMap<Key, Database>,
    /// Where the real servers behind databases are.
    pub addresses: BTreeMap<u64, IpAddr>,
    /// How many databases there ever were.
    pub servers: u64,
    pub events: Vec<Event>,
    /// What people set in parameter groups.
    pub parameters: Parameters,
    /// The moment up to which every replica was brought.
    pub now: Timestamp,
    pub steps: Vec<(Timestamp, Key, Step)>,
    /// Security groups that let nobody in.
    pub closed_groups: BTreeSet<String>,
    /// How long a change of security groups takes, if not the usual time.
    pub groups_take: Option<SignedDuration>,
}

impl State {
    /// "Promotes a read replica DB cluster to a standalone DB cluster" (PromoteReadReplicaDBCluster).
    pub fn promote_cluster(&mut self, key: &Key, now: Timestamp, takes: SignedDuration) -> Result<(), Refusal> {
        let cluster = self.clusters.get_mut(key).ok_or_else(|| no_cluster(&key.1))?;
        let refused = |why| Err(Refusal::bad_request("InvalidDBClusterStateFault", why));
        if cluster.source.is_none() {
            return refused(format!("DB cluster {} is not a read replica.", key.1));
        }
        if cluster.status != Status::Available {
            return refused(format!("DB cluster {} is {}.", key.1, cluster.status.as_str()));
        }
        cluster.status = Status::Promoting;
        self.cut(key);
        self.steps.push((now + takes / 2, key.clone(), Step::ClusterReboots));
        self.steps.push((now + takes, key.clone(), Step::ClusterPromoted));
        Ok(())
    }

    /// "Promotes a read replica DB instance to a standalone DB instance" (PromoteReadReplica).
    pub fn promote_instance(&mut self, key: &Key, now: Timestamp, takes: SignedDuration) -> Result<(), Refusal> {
        let instance = self.instances.get_mut(key).ok_or_else(|| no_instance(&key.1))?;
        let refused = |why| Err(Refusal::bad_request("InvalidDBInstanceState", why));
        if instance.source.is_none() {
            return refused(format!("DB Instance {} is not a read replica.", key.1));
        }
        if instance.status != Status::Available {
            return refused(format!("DB Instance {} is {}.", key.1, instance.status.as_str()));
        }
        instance.status = Status::Modifying;
        self.cut(key);
        self.steps.push((now + takes / 2, key.clone(), Step::InstanceReboots));
        self.steps.push((now + takes, key.clone(), Step::InstancePromoted));
        Ok(())
    }

    /// The host of a database's endpoint: the real server's address, or else a name as AWS gives it.
    pub fn host(&self, key: &Key, kind: &str) -> String {
        let address = self.databases.get(key).and_then(|database| self.addresses.get(&database.server));
        let (region, id) = key;
        address.map_or_else(|| format!("{id}.{kind}.{region}.rds.amazonaws.com"), IpAddr::to_string)
    }

    /// True if a real server stands behind a database.
    pub fn is_on_server(&self, key: &Key) -> bool {
        self.databases.get(key).is_some_and(|database| self.addresses.contains_key(&database.server))
    }

    fn cut(&mut self, key: &Key) {
        if let Some(database) = self.databases.get_mut(key) {
            database.cut();
        }
    }

    /// Brings every replica up to `now`.
    pub fn replicate(&mut self, now: Timestamp, connected: &dyn Fn(&str, &str) -> bool) {
        self.now = now;
        let replicas: Vec<Key> = self.databases.keys().cloned().collect();
        for replica in replicas {
            let Some(Replication { source, .. }) = self.databases.get(&replica).and_then(|db| db.replication.as_ref())
            else {
                continue;
            };
            let connected = connected(&source.0, &replica.0) && self.can_replicate(&replica);
            let source = source.clone();
            // The source is taken out and put back: a replica and its source are two entries of one map.
            let Some(from) = self.databases.remove(&source) else { continue };
            if let Some(database) = self.databases.get_mut(&replica) {
                let applied = database.replication.as_ref().map_or(0, Replication::applied);
                database.advance(&from.writes()[applied..], now, connected);
            }
            self.databases.insert(source, from);
        }
    }

    /// How far behind its source a replica says it is: not at all once it has applied whatever it received.
    pub fn behind(&self, replication: &Replication) -> Duration {
        let source = self.databases.get(&replication.source);
        let missing = source.map(|source| &source.writes()[replication.applied()..]);
        match missing.is_some_and(|missing| replication.has_received(missing, self.now)) {
            true => replication.lag,
            false => Duration::ZERO,
        }
    }

    /// The next moment something happens by itself in a region that is up.
    pub fn next_step(&self, down: &dyn Fn(&str) -> bool) -> Option<Timestamp> {
        self.steps.iter().filter(|(_, (region, _), _)| !down(region)).map(|(at, ..)| *at).min()
    }

    /// Does what is due; databases in a region that is down wait until it is back.
    pub fn tick(&mut self, now: Timestamp, down: &dyn Fn(&str) -> bool) -> Vec<Effect> {
        let is_due = |(at, (region, _), _): &mut (Timestamp, Key, Step)| *at <= now && !down(region);
        let mut due: Vec<_> = self.steps.extract_if(.., is_due).collect();
        due.sort_by_key(|(at, ..)| *at);
        due.into_iter().flat_map(|(_, key, step)| self.step(&key, step, now)).collect()
    }

    fn step(&mut self, key: &Key, step: Step, now: Timestamp) -> Vec<Effect> {
        match &step {
            Step::Renamed { to } => return self.renamed(key, to),
            Step::Global(step) => return self.global_step(key, step.clone(), now),
            Step::Deleted => self.remove(key),
            Step::GroupsApplied => self.apply_groups(key),
            Step::ClusterAvailable => self.set_cluster(key, Status::Available),
            Step::ClusterReboots => self.set_members(key, Status::Rebooting),
            Step::ClusterPromoted => {
                self.set_members(key, Status::Available);
                self.set_cluster(key, Status::Available);
            }
            Step::InstanceAvailable | Step::InstancePromoted => {
                self.set_instance(key, Status::Available);
                self.reconnect(key);
            }
            Step::InstanceReboots => self.set_instance(key, Status::Rebooting),
        }
        let told = match step {
            Step::ClusterPromoted => self.clusters.get_mut(key).map(|cluster| {
                cluster.source = None;
                // Aurora user guide, "Migrating data from an RDS for MySQL DB instance … by using an Aurora read replica".
                (cluster.arn.clone(), "Promoted Read Replica cluster to a stand-alone database cluster")
            }),
            Step::InstancePromoted => self.instances.get_mut(key).map(|instance| {
                instance.source = None;
                // "BackupRetentionPeriod … Default: 1" (PromoteReadReplica).
                instance.settings.backup_retention_days = instance.settings.backup_retention_days.max(1);
                // By analogy: the documents read for the lab do not give this one.
                (instance.arn.clone(), "Promoted Read Replica instance to a stand-alone database instance")
            }),
            _ => None,
        };
        let (region, id) = key.clone();
        let event = told.map(|(arn, message)| Event { at: now, region, id, arn, category: "notification", message });
        self.events.extend(event.clone());
        std::iter::once(Effect::Changed(key.clone())).chain(event.map(Effect::Told)).collect()
    }

    pub fn set_cluster(&mut self, key: &Key, status: Status) {
        if let Some(cluster) = self.clusters.get_mut(key) {
            cluster.status = status;
        }
    }

    pub fn set_instance(&mut self, key: &Key, status: Status) {
        if let Some(instance) = self.instances.get_mut(key) {
            instance.status = status;
        }
    }

    pub(super) fn set_members(&mut self, key: &Key, status: Status) {
        for ((region, _), instance) in &mut self.instances {
            if *region == key.0 && instance.cluster.as_ref() == Some(&key.1) {
                instance.status = status;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arn::arn;
    use crate::rds::model::key;
    use crate::rds::settings::Settings;

    const DR: &str = "us-west-2";

    fn at(seconds: i64) -> Timestamp {
        "2026-01-01T12:00:00Z".parse::<Timestamp>().unwrap() + SignedDuration::from_secs(seconds)
    }

    fn nothing_down(_: &str) -> bool {
        false
    }

    /// A cluster `app` in us-east-1 and its replica `app-dr`, each with two members.
    fn pair() -> (State, Key) {
        let mut state = State::default();
        state.add_cluster("us-east-1", "app", Settings::default_of("aurora-mysql"), None).unwrap();
        let source = arn("rds", "us-east-1", "cluster:app");
        let replica = state.add_cluster(DR, "app-dr", Settings::default_of("aurora-mysql"), Some(&source)).unwrap();
        for (region, cluster) in [("us-east-1", "app"), (DR, "app-dr")] {
            for n in 1..=2 {
                state.add_member(region, &format!("{cluster}-{n}"), "db.r6g.large", cluster).unwrap();
            }
        }
        (state, replica)
    }

    fn statuses(state: &State, key: &Key) -> (&'static str, &'static str, bool) {
        let member = &state.instances[&(key.0.clone(), format!("{}-1", key.1))];
        (state.clusters[key].status.as_str(), member.status.as_str(), state.writable(key))
    }

    #[test]
    fn a_replica_cluster_is_promoted_through_a_reboot_and_writable_only_at_the_end() {
        let (mut state, replica) = pair();
        assert_eq!(statuses(&state, &replica), ("available", "available", false));
        state.promote_cluster(&replica, at(0), SignedDuration::from_secs(200)).unwrap();
        assert_eq!(statuses(&state, &replica), ("promoting", "available", false));
        state.tick(at(100), &nothing_down);
        assert_eq!(statuses(&state, &replica), ("promoting", "rebooting", false));
        let effects = state.tick(at(200), &nothing_down);
        assert_eq!(statuses(&state, &replica), ("available", "available", true));
        assert_eq!(state.clusters[&replica].source, None);
        assert!(
            matches!(&effects[..], [Effect::Changed(_), Effect::Told(event)] if event.message.starts_with("Promoted"))
        );
    }

    #[test]
    fn what_is_no_replica_or_not_available_cannot_be_promoted() {
        let (mut state, replica) = pair();
        let takes = SignedDuration::from_secs(200);
        let code = |result: Result<(), Refusal>| result.unwrap_err().code;
        assert_eq!(code(state.promote_cluster(&key(DR, "absent"), at(0), takes)), "DBClusterNotFoundFault");
        assert_eq!(code(state.promote_cluster(&key("us-east-1", "app"), at(0), takes)), "InvalidDBClusterStateFault");
        state.promote_cluster(&replica, at(0), takes).unwrap();
        assert_eq!(code(state.promote_cluster(&replica, at(1), takes)), "InvalidDBClusterStateFault");
        state.tick(at(200), &nothing_down);
        assert_eq!(code(state.promote_cluster(&replica, at(201), takes)), "InvalidDBClusterStateFault");
        assert_eq!(code(state.promote_instance(&key(DR, "app-dr-1"), at(0), takes)), "InvalidDBInstanceState");
        assert_eq!(code(state.promote_instance(&key(DR, "absent"), at(0), takes)), "DBInstanceNotFound");
    }

    #[test]
    fn a_promotion_stands_still_while_its_region_is_down() {
        let (mut state, replica) = pair();
        state.promote_cluster(&replica, at(0), SignedDuration::from_secs(200)).unwrap();
        let down = |region: &str| region == DR;
        assert!(state.tick(at(300), &down).is_empty());
        assert_eq!(state.next_step(&down), None);
        state.tick(at(300), &nothing_down);
        assert!(state.writable(&replica));
    }

    #[test]
    fn what_had_not_arrived_when_promotion_began_is_lost() {
        let (mut state, replica) = pair();
        let source = key("us-east-1", "app");
        let connected = |_: &str, _: &str| true;
        state.replicate(at(0), &connected);
        for second in 1..=10 {
            state.databases.get_mut(&source).unwrap().write(&second.to_string(), at(second));
        }
        state.databases.get_mut(&replica).unwrap().replication.as_mut().unwrap().lag =
            std::time::Duration::from_secs(4);
        state.replicate(at(10), &connected);
        state.promote_cluster(&replica, at(10), SignedDuration::from_secs(200)).unwrap();
        state.tick(at(210), &nothing_down);
        state.replicate(at(210), &connected);
        assert_eq!(state.databases[&replica].writes().len(), 6);
        assert_eq!(state.databases[&source].writes().len(), 10);
    }

    #[test]
    fn a_replica_cluster_without_an_instance_does_not_replicate() {
        let (mut state, _) = pair();
        let source = arn("rds", "us-east-1", "cluster:app");
        let bare = state.add_cluster(DR, "bare", Settings::default_of("aurora-mysql"), Some(&source)).unwrap();
        state.replicate(at(0), &|_, _| true);
        assert!(!state.databases[&bare].replication.as_ref().unwrap().connected());
        state.add_member(DR, "bare-1", "db.r6g.large", "bare").unwrap();
        state.replicate(at(1), &|_, _| true);
        assert!(state.databases[&bare].replication.as_ref().unwrap().connected());
    }
}
