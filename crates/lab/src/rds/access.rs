//! Who may connect to a database, and whether it takes writes: its state and its security groups; and the tags on it.

use jiff::{SignedDuration, Timestamp};

use super::answers::Done;
use super::api::Answer;
use super::current;
use super::database::Key;
use super::model::{Access, Group, GroupStatus, Instance, cluster_key, instance_key, key, no_cluster};
use super::state::{State, Step};
use crate::Lab;
use crate::wire::Refusal;
use crate::wire::query::Form;

/// How long a change of security groups is `adding` or `removing`. AWS documents the statuses, not the time.
const GROUPS_TAKE: SignedDuration = SignedDuration::from_secs(20);

impl State {
    /// What stands for the access to a database: its cluster's, or its own.
    pub fn access(&self, key: &Key) -> Option<&Access> {
        let of_cluster = self.clusters.get(key).map(|cluster| &cluster.access);
        of_cluster.or_else(|| self.instances.get(key).map(|instance| &instance.access))
    }

    pub fn access_mut(&mut self, key: &Key) -> Option<&mut Access> {
        let of_cluster = self.clusters.get_mut(key).map(|cluster| &mut cluster.access);
        of_cluster.or_else(|| self.instances.get_mut(key).map(|instance| &mut instance.access))
    }

    /// True if the database accepts writes.
    pub fn writable(&self, key: &Key) -> bool {
        let available = |instance: &Instance| instance.status.serves() && instance.source.is_none();
        if self.access(key).is_some_and(|access| access.is_cut_off) {
            return false;
        }
        match self.clusters.get(key) {
            Some(cluster) => {
                let writer = cluster.members.first().and_then(|id| self.instances.get(&(key.0.clone(), id.clone())));
                let takes_writes = cluster.source.is_none() && !self.is_read_only_member(key);
                takes_writes && cluster.status.serves() && writer.is_some_and(available)
            }
            None => self.instances.get(key).is_some_and(|instance| instance.cluster.is_none() && available(instance)),
        }
    }

    /// True if the replica's own side of replication is in order: "a replica cluster with no instance does not replicate".
    pub fn can_replicate(&self, key: &Key) -> bool {
        let up =
            |id: &String| self.instances.get(&(key.0.clone(), id.clone())).is_some_and(|member| member.status.serves());
        match self.clusters.get(key) {
            Some(cluster) => cluster.status.serves() && cluster.members.first().is_some_and(up),
            None => up(&key.1),
        }
    }

    /// Creates a database with these security groups; the default one, if none are named.
    pub fn begin_with(&mut self, key: &Key, groups: Option<Vec<String>>) {
        if let (Some(groups), Some(access)) = (groups, self.access_mut(key)) {
            access.groups = groups.into_iter().map(|id| Group { id, status: GroupStatus::Active }).collect();
        }
    }

    /// Gives a database other security groups, which RDS takes a while to apply.
    pub fn set_groups(&mut self, key: &Key, wanted: &[String], now: Timestamp) {
        let applied = now + self.groups_take.unwrap_or(GROUPS_TAKE);
        let Some(access) = self.access_mut(key) else { return };
        for group in &mut access.groups {
            group.status = match (group.status, wanted.contains(&group.id)) {
                (GroupStatus::Adding, true) => GroupStatus::Adding,
                (_, true) => GroupStatus::Active,
                (_, false) => GroupStatus::Removing,
            };
        }
        let known: Vec<&String> = access.groups.iter().map(|group| &group.id).collect();
        let new: Vec<&String> = wanted.iter().filter(|id| !known.contains(id)).collect();
        let new = new.into_iter().map(|id| Group { id: id.clone(), status: GroupStatus::Adding });
        access.groups.extend(new.collect::<Vec<_>>());
        self.steps.retain(|(_, of, step)| of != key || !matches!(step, Step::GroupsApplied));
        self.steps.push((applied, key.clone(), Step::GroupsApplied));
    }

    /// The change of groups is through: who is let in may connect, who is not stays until a reboot.
    pub fn apply_groups(&mut self, key: &Key) {
        let Some(access) = self.access_mut(key) else { return };
        access.groups.retain(|group| group.status != GroupStatus::Removing);
        access.groups.iter_mut().for_each(|group| group.status = GroupStatus::Active);
        let ids: Vec<String> = access.groups.iter().map(|group| group.id.clone()).collect();
        let lets_in = ids.iter().any(|id| !self.closed_groups.contains(id));
        if let Some(access) = self.access_mut(key) {
            access.is_cut_off &= !lets_in;
        }
    }

    /// True if security groups let nobody connect: those that are applied. What is only being added lets nobody in yet, nor out.
    pub fn keeps_out(&self, access: &Access) -> bool {
        let mut applied = access.groups.iter().filter(|group| group.status != GroupStatus::Adding).peekable();
        applied.peek().is_some() && applied.all(|group| self.closed_groups.contains(&group.id))
    }

    /// After a reboot only those are connected whom the security groups let in.
    pub fn reconnect(&mut self, instance: &Key) {
        let owner = self.instances.get(instance).and_then(|instance| instance.cluster.as_ref());
        let database = owner.map_or_else(|| instance.clone(), |cluster| key(&instance.0, cluster));
        let is_cut_off = self.access(&database).is_some_and(|access| self.keeps_out(access));
        if let Some(access) = self.access_mut(&database) {
            access.is_cut_off = is_cut_off;
        }
    }
}

/// Takes the security groups that a modification names.
pub(super) fn groups(form: &mut Form) -> Option<Vec<String>> {
    let named = (1..).map_while(|n| form.take(&format!("VpcSecurityGroupIds.VpcSecurityGroupId.{n}")));
    Some(named.collect()).filter(|groups: &Vec<String>| !groups.is_empty())
}

/// "AddTagsToResource": a tag of the same key is overwritten.
pub(super) fn add_tags(lab: &Lab, mut form: Form) -> Answer<Done> {
    let arn = form.required("ResourceName")?;
    let mut tags = Vec::new();
    while let Some(tag) = form.take(&format!("Tags.Tag.{}.Key", tags.len() + 1)) {
        let value = form.take(&format!("Tags.Tag.{}.Value", tags.len() + 1)).unwrap_or_default();
        let is_allowed = |c: char| c.is_alphanumeric() || c.is_whitespace() || "_.:/=+-@".contains(c);
        if value.len() > 256 || !tag.chars().chain(value.chars()).all(is_allowed) {
            return Err(Refusal::bad_request("InvalidParameterValue", format!("Tag {tag} is invalid")));
        }
        tags.push((tag, value));
    }
    form.finish()?;
    let key = cluster_key(&arn).or_else(|| instance_key(&arn)).ok_or_else(|| no_cluster(&arn))?;
    let mut state = current(lab);
    state.access_mut(&key).ok_or_else(|| no_cluster(&key.1))?.tags.extend(tags);
    Ok((arn, Done {}))
}
