//! The lag that RDS measures: each engine's own word for how far behind a replica is.

use std::sync::Arc;

use jiff::Timestamp;

use super::database::{Key, Replication};
use super::settings::is_postgres;
use super::state::State;
use super::{current, real};
use crate::Lab;
use crate::message::Message;

const NAMESPACE: &str = "AWS/RDS";

/// A replica's sample: which database, whether it is a cluster, and the seconds.
type Sample = (Key, bool, f64);

/// Publishes every replica's lag.
pub(super) async fn publish_lags(lab: &Arc<Lab>, at: Timestamp) {
    // Real servers are asked; lab time must not run on meanwhile.
    let _working = lab.clock.working();
    let mut samples: Vec<Sample> = {
        let state = current(lab);
        state.databases.keys().filter_map(|key| sample(&state, key)).collect()
    };
    for (key, _, seconds) in &mut samples {
        if let Some(real) = real::seconds_behind(lab, key).await {
            *seconds = real;
        }
    }
    for ((region, id), is_cluster, lag) in samples.iter().filter(|((region, _), ..)| !lab.faults.is_silent(region)) {
        let cluster = [("DBClusterIdentifier", id.as_str()), ("Role", "WRITER")];
        let instance = [("DBInstanceIdentifier", id.as_str())];
        let (metric, dimensions) = match is_cluster {
            true => ("AuroraBinlogReplicaLag", cluster.as_slice()),
            false => ("ReplicaLag", instance.as_slice()),
        };
        lab.carry(Message::Datum { region, namespace: NAMESPACE, metric, dimensions, value: *lag, at });
    }
    publish_global_lags(lab, at);
}

/// "Available only in secondary AWS Regions", in milliseconds; the console lists them under "DBClusterIdentifier, SourceRegion" there
/// (AWS's Aurora labs, global databases).
fn publish_global_lags(lab: &Arc<Lab>, at: Timestamp) {
    let state = current(lab);
    for (key, (source, lag)) in state.clusters.keys().filter_map(|key| Some((key, state.global_lag(key)?))) {
        let (region, id) = key;
        let dimensions = [("DBClusterIdentifier", id.as_str()), ("SourceRegion", source.as_str())];
        let value = lag.as_secs_f64() * 1_000.0;
        for metric in ["AuroraGlobalDBRPOLag", "AuroraGlobalDBReplicationLag"] {
            if !lab.faults.is_silent(region) {
                lab.carry(Message::Datum { region, namespace: NAMESPACE, metric, dimensions: &dimensions, value, at });
            }
        }
    }
}

fn sample(state: &State, key: &Key) -> Option<Sample> {
    let replication = state.databases.get(key)?.replication.as_ref();
    let (source, settings, is_cluster) = match state.clusters.get(key) {
        Some(cluster) => (&cluster.source, &cluster.settings, true),
        None => state.instances.get(key).map(|instance| (&instance.source, &instance.settings, false))?,
    };
    source.as_ref()?;
    // The metric is Aurora's, and no other is documented for a Multi-AZ DB cluster that is a replica.
    if is_cluster && !settings.engine.starts_with("aurora") {
        return None;
    }
    let seconds = match replication {
        Some(replication) if is_postgres(&settings.engine) => replication.age(state.now)?.as_secs_f64(),
        Some(replication) => mysql_lag(state, replication),
        None => -1.0,
    };
    Some((key.clone(), is_cluster, seconds))
}

/// Lag in seconds; −1 while not replicating ("The AuroraBinlogReplicaLag metric … a value of −1", Aurora troubleshooting).
fn mysql_lag(state: &State, replication: &Replication) -> f64 {
    match replication.connected() {
        true => state.behind(replication).as_secs_f64(),
        false => replication.said_when_lost(state.now).map_or(-1.0, |said| said.as_secs_f64()),
    }
}
