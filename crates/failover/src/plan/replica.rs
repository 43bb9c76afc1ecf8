//! Which databases are promoted.

use super::{PlanError, given};

/// A database that can be promoted.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ReplicaId {
    /// An Aurora MySQL cluster that replicates by binlog.
    AuroraCluster(String),
    /// An RDS read replica instance.
    RdsInstance(String),
    /// The cluster in DR of an Aurora global database, MySQL or PostgreSQL.
    GlobalMember {
        /// The global database.
        global: String,
        /// The cluster.
        cluster: String,
    },
}

impl ReplicaId {
    /// Its identifier at RDS; of a global database's the cluster's.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::AuroraCluster(id) | Self::RdsInstance(id) | Self::GlobalMember { cluster: id, .. } => id,
        }
    }

    /// The same cluster or instance, whatever global database it is in: registers know no more of it, and no less if the plan changes.
    #[must_use]
    pub fn recorded(&self) -> Self {
        match self {
            Self::GlobalMember { cluster, .. } => Self::AuroraCluster(cluster.clone()),
            Self::AuroraCluster(_) | Self::RdsInstance(_) => self.clone(),
        }
    }

    /// As the plan has it: `GLOBAL/CLUSTER`.
    fn of_global(text: &str) -> Result<Self, PlanError> {
        match text.split_once('/') {
            Some((global, cluster)) if !global.is_empty() && !cluster.is_empty() && !cluster.contains('/') => {
                Ok(Self::GlobalMember { global: global.to_lowercase(), cluster: cluster.to_owned() })
            }
            _ => Err(PlanError::GlobalMember(text.to_owned())),
        }
    }
}

impl std::fmt::Display for ReplicaId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::AuroraCluster(id) => write!(f, "Aurora cluster {id}"),
            Self::RdsInstance(id) => write!(f, "RDS instance {id}"),
            Self::GlobalMember { global, cluster } => write!(f, "Aurora cluster {cluster} of global database {global}"),
        }
    }
}

/// Those of each kind, in the plan's order. A cluster is promoted in one way, so it is named once.
pub(super) fn databases(
    aurora_clusters: Vec<String>,
    rds_instances: Vec<String>,
    aurora_global_clusters: Vec<String>,
) -> Result<Vec<ReplicaId>, PlanError> {
    let clusters = given(aurora_clusters).into_iter().map(ReplicaId::AuroraCluster);
    let mut all: Vec<_> = clusters.chain(given(rds_instances).into_iter().map(ReplicaId::RdsInstance)).collect();
    for text in given(aurora_global_clusters) {
        let id = ReplicaId::of_global(&text)?;
        if all.iter().any(|other| other.recorded() == id.recorded()) {
            return Err(PlanError::Twice(format!("the cluster {}", id.name())));
        }
        all.push(id);
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn global(text: &str) -> Result<Vec<ReplicaId>, PlanError> {
        databases(vec!["app-dr".to_owned()], Vec::new(), vec![text.to_owned()])
    }

    #[test]
    fn a_global_databases_cluster_is_named_with_its_global_database() {
        let ids = global(" World/shop-dr ").unwrap();
        assert_eq!(ids[1], ReplicaId::GlobalMember { global: "world".to_owned(), cluster: "shop-dr".to_owned() });
        assert_eq!(ids[1].to_string(), "Aurora cluster shop-dr of global database world");
        assert_eq!((ids[1].name(), ids[1].recorded()), ("shop-dr", ReplicaId::AuroraCluster("shop-dr".to_owned())));
        assert_eq!(global("").unwrap().len(), 1);
    }

    #[test]
    fn half_a_name_is_refused_and_so_is_a_cluster_that_is_named_in_both_ways() {
        for text in ["shop-dr", "/shop-dr", "world/", "world/shop-dr/1"] {
            assert_eq!(global(text), Err(PlanError::GlobalMember(text.to_owned())));
        }
        assert_eq!(global("world/app-dr"), Err(PlanError::Twice("the cluster app-dr".to_owned())));
    }
}
