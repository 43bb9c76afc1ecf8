//! The part of the plan that says which old writers are cut off, and how.

use serde::Deserialize;

use super::{PlanError, ReplicaId, databases};

/// How the old writers in the primary region are cut off once users are pinned to DR.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fence {
    /// The primary region.
    pub region: String,
    /// Id of a security group there that lets nobody in.
    pub security_group: String,
    /// The old writers; never empty.
    pub databases: Vec<ReplicaId>,
}

/// The shape of the JSON.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawFence {
    #[serde(default)]
    region: String,
    #[serde(default)]
    security_group: String,
    #[serde(default)]
    aurora_clusters: Vec<String>,
    #[serde(default)]
    rds_instances: Vec<String>,
}

impl RawFence {
    /// All of it, or nothing: half a fence is a mistake to be told before the outage.
    pub fn parse(self) -> Result<Option<Fence>, PlanError> {
        let (region, security_group) = (self.region.trim().to_owned(), self.security_group.trim().to_owned());
        let databases = databases(self.aurora_clusters, self.rds_instances, Vec::new())?;
        if region.is_empty() && security_group.is_empty() && databases.is_empty() {
            return Ok(None);
        }
        let empty = [
            (region.is_empty(), "fence.region", "set the template's FenceRegion to the primary region"),
            (security_group.is_empty(), "fence.security_group", "set the template's FenceSecurityGroupId"),
            (databases.is_empty(), "fence.databases", "set the template's FenceAuroraClusters or FenceRdsInstances"),
        ];
        match empty.into_iter().find(|(is_empty, ..)| *is_empty) {
            Some((_, field, remedy)) => Err(PlanError::Empty { field, remedy }),
            None => Ok(Some(Fence { region, security_group, databases })),
        }
    }
}
