//! Clusters, instances, and what RDS says of them.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::database::Key;
use super::settings::Settings;
use crate::arn::Arn;
use crate::wire::Refusal;

/// The statuses the lab uses ("Viewing DB cluster status" and "Viewing DB instance status", Aurora user guide).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Status {
    Available,
    Creating,
    Deleting,
    Modifying,
    Promoting,
    Rebooting,
    Renaming,
    /// One that the lab's own course of things does not know, set for a drill.
    Other(&'static str),
}

impl Status {
    /// True if users can work in it ("Viewing DB instance status": these are available too).
    pub fn serves(self) -> bool {
        matches!(self, Self::Available | Self::Other("storage-optimization" | "backing-up"))
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Available => "available",
            Self::Creating => "creating",
            Self::Deleting => "deleting",
            Self::Modifying => "modifying",
            Self::Promoting => "promoting",
            Self::Rebooting => "rebooting",
            Self::Renaming => "renaming",
            Self::Other(name) => name,
        }
    }
}

#[derive(Clone, Debug)]
pub(super) struct Cluster {
    pub arn: String,
    pub settings: Settings,
    pub status: Status,
    pub created: Timestamp,
    /// ARN of the cluster it replicates.
    pub source: Option<String>,
    /// Identifiers; the first is the writer.
    pub members: Vec<String>,
    pub access: Access,
}

#[derive(Clone, Debug)]
pub(super) struct Instance {
    pub arn: String,
    pub class: String,
    pub settings: Settings,
    pub status: Status,
    pub created: Timestamp,
    /// Identifier of the cluster it is a member of.
    pub cluster: Option<String>,
    /// ARN of the instance, or the cluster, it replicates.
    pub source: Option<String>,
    pub access: Access,
}

/// Who may connect, and what people wrote on it.
#[derive(Clone, Debug)]
pub(super) struct Access {
    pub groups: Vec<Group>,
    pub tags: BTreeMap<String, String>,
    /// Nobody is connected, and nobody can be: its groups let nobody in, and it was rebooted since. "Existing connections …
    /// are not interrupted" when a security group changes (VPC user guide, "Connection tracking").
    pub is_cut_off: bool,
}

/// A security group of a database: until a change has been applied, what held before it holds.
#[derive(Clone, Debug)]
pub(super) struct Group {
    pub id: String,
    pub status: GroupStatus,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum GroupStatus {
    Active,
    Adding,
    Removing,
}

impl GroupStatus {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Adding => "adding",
            Self::Removing => "removing",
        }
    }
}

impl Default for Access {
    fn default() -> Self {
        let group = Group { id: "sg-default".to_owned(), status: GroupStatus::Active };
        Self { groups: vec![group], tags: BTreeMap::new(), is_cut_off: false }
    }
}

/// What RDS tells of.
#[derive(Clone, Debug)]
pub(super) struct Event {
    pub at: Timestamp,
    pub region: String,
    pub id: String,
    pub arn: String,
    pub category: &'static str,
    pub message: &'static str,
}

impl Event {
    /// As DescribeEvents spells it.
    pub fn source_type(&self) -> &'static str {
        if cluster_key(&self.arn).is_some() { "db-cluster" } else { "db-instance" }
    }
}

pub(super) fn key(region: &str, id: &str) -> Key {
    (region.to_owned(), id.to_owned())
}

/// The cluster an ARN names.
pub(super) fn cluster_key(text: &str) -> Option<Key> {
    let arn = Arn::parse(text)?;
    Some(key(arn.region, arn.named("cluster:")?))
}

/// The instance an ARN names.
pub(super) fn instance_key(text: &str) -> Option<Key> {
    let arn = Arn::parse(text)?;
    Some(key(arn.region, arn.named("db:")?))
}

pub(super) fn no_cluster(id: &str) -> Refusal {
    Refusal::not_found("DBClusterNotFoundFault", format!("DBCluster {id} not found."))
}

pub(super) fn no_instance(id: &str) -> Refusal {
    Refusal::not_found("DBInstanceNotFound", format!("DBInstance {id} not found."))
}

pub(super) fn instance_exists() -> Refusal {
    Refusal::bad_request("DBInstanceAlreadyExists", "DB Instance already exists")
}
