//! A cluster of an Aurora global database, and how RDS is asked to promote each kind of database.

use super::{Database, Source};
use crate::plan::ReplicaId;

/// A cluster's place in the global database that the plan names, by `DescribeGlobalClusters`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Membership {
    /// The global database.
    pub global: String,
    /// The cluster's own ARN.
    pub arn: String,
    /// It is the primary (`IsWriter`). Without a word of it, it is not.
    pub is_writer: bool,
    /// The regions of the other clusters: the primary's is among them, and the lag is told under its name.
    pub other_regions: Vec<String>,
    /// The switchover or failover that is under way (`FailoverState`).
    pub operation: Option<GlobalOperation>,
}

/// What is done to a global database.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum GlobalOperation {
    /// A failover, which may lose data, to this cluster: what Holdfast asks for.
    FailoverHere,
    /// Whatever else: people's switchover, a failover to another cluster, one that is being cancelled. In AWS's words.
    Other(String),
}

/// How RDS is asked to make a database the writer. Each is refused by RDS where it was done already.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum PromotionCall {
    /// `PromoteReadReplicaDBCluster`.
    Cluster(String),
    /// `PromoteReadReplica`.
    Instance(String),
    /// `FailoverGlobalCluster` with `AllowDataLoss`, in the cluster's own region.
    Global {
        /// The global database.
        global: String,
        /// The cluster.
        cluster: String,
        /// Its ARN, by which Aurora finds "the cluster in its … Region" (`TargetDbClusterIdentifier`).
        arn: String,
    },
}

impl PromotionCall {
    /// The call for a replica; `None` of what is none, or not the kind of replica that the plan says.
    #[must_use]
    pub fn of(id: &ReplicaId, database: &Database) -> Option<Self> {
        match (id, &database.source) {
            (ReplicaId::AuroraCluster(id), Source::ReplicaOf(_)) => Some(Self::Cluster(id.clone())),
            (ReplicaId::RdsInstance(id), Source::ReplicaOf(_)) => Some(Self::Instance(id.clone())),
            (ReplicaId::GlobalMember { global, cluster }, Source::InGlobal(place)) if !place.is_writer => {
                Some(Self::Global { global: global.clone(), cluster: cluster.clone(), arn: place.arn.clone() })
            }
            _ => None,
        }
    }

    /// Whom it promotes.
    #[must_use]
    pub fn replica(&self) -> ReplicaId {
        match self {
            Self::Cluster(id) => ReplicaId::AuroraCluster(id.clone()),
            Self::Instance(id) => ReplicaId::RdsInstance(id.clone()),
            Self::Global { global, cluster, .. } => {
                ReplicaId::GlobalMember { global: global.clone(), cluster: cluster.clone() }
            }
        }
    }
}
