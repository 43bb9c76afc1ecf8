//! The part of the plan that says by which metric the lag of a database is known better than RDS knows it.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{PlanError, ReplicaId};

/// A metric, in seconds: how old the newest heartbeat is that the replica has. A job on the source writes one each second, and a job beside
/// the replica publishes its age each minute; it goes on growing when nothing arrives any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heartbeat {
    /// CloudWatch namespace.
    pub namespace: String,
    /// Metric name.
    pub metric: String,
    /// Dimensions, by name.
    pub dimensions: BTreeMap<String, String>,
}

/// The shape of the JSON.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawHeartbeat {
    database: String,
    namespace: String,
    metric: String,
    #[serde(default)]
    dimensions: BTreeMap<String, String>,
}

/// Each of a database of the plan, and of each at most one.
pub(super) fn parse(
    raw: Vec<RawHeartbeat>,
    replicas: &[ReplicaId],
) -> Result<BTreeMap<ReplicaId, Heartbeat>, PlanError> {
    let mut heartbeats = BTreeMap::new();
    for RawHeartbeat { database, namespace, metric, dimensions } in raw {
        let faulty = |fault| PlanError::Heartbeat { database: database.clone(), fault };
        if namespace.trim().is_empty() || metric.trim().is_empty() {
            return Err(faulty("its namespace or metric is empty"));
        }
        let is_meant = |id: &&ReplicaId| id.name() == database;
        let id = replicas.iter().find(is_meant).ok_or_else(|| faulty("the plan has no such database"))?;
        if heartbeats.insert(id.clone(), Heartbeat { namespace, metric, dimensions }).is_some() {
            return Err(faulty("it has two"));
        }
    }
    Ok(heartbeats)
}
