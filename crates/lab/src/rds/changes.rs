//! What people do to databases beside promoting them: modify, rename, reboot, delete.

use jiff::{SignedDuration, Timestamp};

use super::database::{Database, Key};
use super::model::{Status, instance_exists, key, no_cluster, no_instance};
use super::settings::Settings;
use super::state::{Effect, State, Step};
use crate::arn::arn;
use crate::wire::Refusal;

const RENAME: SignedDuration = SignedDuration::from_mins(2);
const REBOOT: SignedDuration = SignedDuration::from_mins(1);
const DELETE: SignedDuration = SignedDuration::from_mins(3);

/// What a modification asks for.
#[derive(Debug)]
pub(super) struct Modification {
    pub new_id: Option<String>,
    pub settings: Settings,
    pub groups: Option<Vec<String>>,
}

/// "This parameter can only be specified if …": how both deletions refuse to lose data unasked (DeleteDBCluster).
fn keeps_data(protected: bool, has_snapshot_choice: bool, kind: &str) -> Result<(), Refusal> {
    let refused = |why: String| Err(Refusal::bad_request("InvalidParameterCombination", why));
    match (protected, has_snapshot_choice) {
        (true, _) => {
            refused(format!("Cannot delete protected {kind}, please disable deletion protection and try again."))
        }
        (_, false) => {
            refused(format!("Final{kind}SnapshotIdentifier is required unless SkipFinalSnapshot is specified."))
        }
        (false, true) => Ok(()),
    }
}

impl State {
    /// "ModifyDBCluster".
    pub fn modify_cluster(&mut self, key: &Key, change: Modification, now: Timestamp) -> Result<(), Refusal> {
        let cluster = self.clusters.get(key).ok_or_else(|| no_cluster(&key.1))?;
        if cluster.status != Status::Available {
            let why = format!("DB cluster {} is {}.", key.1, cluster.status.as_str());
            return Err(Refusal::bad_request("InvalidDBClusterStateFault", why));
        }
        if let Some(to) = &change.new_id {
            self.may_rename(key, to, "DBClusterAlreadyExistsFault", "DB Cluster already exists")?;
            self.set_cluster(key, Status::Renaming);
            self.steps.push((now + RENAME, key.clone(), Step::Renamed { to: to.clone() }));
        }
        if let Some(cluster) = self.clusters.get_mut(key) {
            cluster.settings = change.settings;
        }
        change.groups.into_iter().for_each(|groups| self.set_groups(key, &groups, now));
        Ok(())
    }

    /// "ModifyDBInstance".
    pub fn modify_instance(&mut self, key: &Key, change: Modification, now: Timestamp) -> Result<(), Refusal> {
        self.available_instance(key)?;
        if let Some(to) = &change.new_id {
            let exists = instance_exists();
            self.may_rename(key, to, &exists.code, &exists.message)?;
            self.set_instance(key, Status::Renaming);
            self.steps.push((now + RENAME, key.clone(), Step::Renamed { to: to.clone() }));
        }
        if let Some(instance) = self.instances.get_mut(key) {
            instance.settings = change.settings;
        }
        change.groups.into_iter().for_each(|groups| self.set_groups(key, &groups, now));
        Ok(())
    }

    /// "RebootDBInstance".
    pub fn reboot_instance(&mut self, key: &Key, now: Timestamp) -> Result<(), Refusal> {
        self.available_instance(key)?;
        self.set_instance(key, Status::Rebooting);
        self.steps.push((now + REBOOT, key.clone(), Step::InstanceAvailable));
        Ok(())
    }

    /// "DeleteDBCluster".
    pub fn delete_cluster(&mut self, key: &Key, has_snapshot_choice: bool, now: Timestamp) -> Result<(), Refusal> {
        let cluster = self.clusters.get(key).ok_or_else(|| no_cluster(&key.1))?;
        keeps_data(cluster.settings.deletion_protection, has_snapshot_choice, "Cluster")?;
        let stays = |(at, instance): (&Key, &super::model::Instance)| {
            at.0 == key.0 && instance.cluster.as_ref() == Some(&key.1) && instance.status != Status::Deleting
        };
        if self.instances.iter().any(stays) {
            let why = "Cluster cannot be deleted, it still contains DB instances in non-deleting state.";
            return Err(Refusal::bad_request("InvalidDBClusterStateFault", why));
        }
        self.set_cluster(key, Status::Deleting);
        self.steps.push((now + DELETE, key.clone(), Step::Deleted));
        Ok(())
    }

    /// "DeleteDBInstance"; what a member of a cluster holds is the cluster's, so no snapshot is asked for.
    pub fn delete_instance(&mut self, key: &Key, has_snapshot_choice: bool, now: Timestamp) -> Result<(), Refusal> {
        let instance = self.instances.get(key).ok_or_else(|| no_instance(&key.1))?;
        keeps_data(
            instance.settings.deletion_protection,
            has_snapshot_choice || instance.cluster.is_some(),
            "DB Instance",
        )?;
        if instance.status == Status::Deleting {
            let why = format!("Instance {} is already being deleted.", key.1);
            return Err(Refusal::bad_request("InvalidDBInstanceState", why));
        }
        self.set_instance(key, Status::Deleting);
        self.steps.push((now + DELETE, key.clone(), Step::Deleted));
        Ok(())
    }

    fn available_instance(&self, key: &Key) -> Result<(), Refusal> {
        let instance = self.instances.get(key).ok_or_else(|| no_instance(&key.1))?;
        if instance.status.serves() {
            return Ok(());
        }
        let why = format!("DB Instance {} is {}.", key.1, instance.status.as_str());
        Err(Refusal::bad_request("InvalidDBInstanceState", why))
    }

    fn may_rename(&self, from: &Key, to: &str, code: &str, message: &str) -> Result<(), Refusal> {
        if self.global_of(from).is_some() {
            return Err(Refusal::unsupported(format!("renaming {}, which is in a global database", from.1)));
        }
        let to = key(&from.0, to);
        if self.clusters.contains_key(&to) || self.instances.contains_key(&to) {
            return Err(Refusal::bad_request(code, message));
        }
        let follows = |database: &Database| database.replication.as_ref().is_some_and(|to| to.source == *from);
        if self.databases.values().any(follows) {
            return Err(Refusal::unsupported(format!("renaming {}, which has replicas", from.1)));
        }
        Ok(())
    }

    /// The end of a renaming: everything that spoke of the old name speaks of the new one.
    pub(super) fn renamed(&mut self, from: &Key, to: &str) -> Vec<Effect> {
        let new = key(&from.0, to);
        if let Some(mut cluster) = self.clusters.remove(from) {
            cluster.arn = arn("rds", &from.0, &format!("cluster:{to}"));
            cluster.status = Status::Available;
            self.clusters.insert(new.clone(), cluster);
            for ((region, _), member) in &mut self.instances {
                if *region == from.0 && member.cluster.as_ref() == Some(&from.1) {
                    member.cluster = Some(to.to_owned());
                }
            }
        } else if let Some(mut instance) = self.instances.remove(from) {
            instance.arn = arn("rds", &from.0, &format!("db:{to}"));
            instance.status = Status::Available;
            let owner = instance.cluster.as_ref().and_then(|id| self.clusters.get_mut(&key(&from.0, id)));
            for member in owner.into_iter().flat_map(|cluster| &mut cluster.members) {
                if *member == from.1 {
                    to.clone_into(member);
                }
            }
            self.instances.insert(new.clone(), instance);
        }
        if let Some(database) = self.databases.remove(from) {
            self.databases.insert(new.clone(), database);
        }
        vec![Effect::Changed(new)]
    }

    /// Removes a cluster with its members, or an instance, and what is in it; replicas of it stop where they are.
    pub fn remove(&mut self, key: &Key) {
        self.clusters.remove(key);
        self.databases.remove(key);
        self.globals.values_mut().for_each(|global| global.members.retain(|member| member != key));
        let follows = |database: &Database| database.replication.as_ref().is_some_and(|from| from.source == *key);
        self.databases.values_mut().filter(|database| follows(database)).for_each(Database::cut);
        let (region, id) = key;
        self.instances
            .retain(|(at, name), instance| at != region || (name != id && instance.cluster.as_ref() != Some(id)));
        self.steps.retain(|(_, of, _)| of != key);
    }
}
