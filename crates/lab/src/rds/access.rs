//! Who may connect to a database, and whether it takes writes: its state and its security groups; and the tags on it.

use super::answers::Done;
use super::api::Answer;
use super::current;
use super::database::Key;
use super::model::{Access, Instance, Status, cluster_key, instance_key, key, no_cluster};
use super::state::State;
use crate::Lab;
use crate::wire::Refusal;
use crate::wire::query::Form;

impl State {
    /// What stands for the access to a database: its cluster's, or its own.
    pub fn access(&self, key: &Key) -> Option<&Access> {
        let of_cluster = self.clusters.get(key).map(|cluster| &cluster.access);
        of_cluster.or_else(|| self.instances.get(key).map(|instance| &instance.access))
    }

    fn access_mut(&mut self, key: &Key) -> Option<&mut Access> {
        let of_cluster = self.clusters.get_mut(key).map(|cluster| &mut cluster.access);
        of_cluster.or_else(|| self.instances.get_mut(key).map(|instance| &mut instance.access))
    }

    /// True if the database accepts writes.
    pub fn writable(&self, key: &Key) -> bool {
        let available = |instance: &Instance| instance.status == Status::Available && instance.source.is_none();
        if self.access(key).is_some_and(|access| access.is_cut_off) {
            return false;
        }
        match self.clusters.get(key) {
            Some(cluster) => {
                let writer = cluster.members.first().and_then(|id| self.instances.get(&(key.0.clone(), id.clone())));
                cluster.source.is_none() && cluster.status == Status::Available && writer.is_some_and(available)
            }
            None => self.instances.get(key).is_some_and(|instance| instance.cluster.is_none() && available(instance)),
        }
    }

    /// True if the replica's own side of replication is in order: "a replica cluster with no instance does not replicate".
    pub fn can_replicate(&self, key: &Key) -> bool {
        let up = |id: &String| {
            self.instances.get(&(key.0.clone(), id.clone())).is_some_and(|member| member.status == Status::Available)
        };
        match self.clusters.get(key) {
            Some(cluster) => cluster.status == Status::Available && cluster.members.first().is_some_and(up),
            None => up(&key.1),
        }
    }

    /// Gives a database other security groups: who is let in may connect at once, who is not stays until a reboot.
    pub fn set_groups(&mut self, key: &Key, groups: Vec<String>) {
        let lets_in = groups.iter().any(|group| !self.closed_groups.contains(group));
        if let Some(access) = self.access_mut(key) {
            access.groups = groups;
            access.is_cut_off &= !lets_in;
        }
    }

    /// After a reboot only those are connected whom the security groups let in.
    pub fn reconnect(&mut self, instance: &Key) {
        let owner = self.instances.get(instance).and_then(|instance| instance.cluster.as_ref());
        let database = owner.map_or_else(|| instance.clone(), |cluster| key(&instance.0, cluster));
        let closed = self.closed_groups.clone();
        if let Some(access) = self.access_mut(&database) {
            access.is_cut_off = !access.groups.is_empty() && access.groups.iter().all(|group| closed.contains(group));
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
