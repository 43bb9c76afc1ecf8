//! What only the old primary holds: AWS knows since when, and the old database's binary log knows what.

use aws::rebuild::Builder;
use failover::incident::Incident;
use failover::plan::ReplicaId;
use failover::promotion::LagSample;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::json;

use super::position::{self, Engine};
use crate::failure::Failure;
use crate::report::records::{self, probably_complete_until};
use crate::terminal::{BOLD, DIM, Terminal, WARNING};
use crate::workload::Workload;

/// Before Aurora gives the old primary of a global database new storage it "attempts to take a snapshot of the old storage volume at the
/// point of failure", named `rds:unplanned-global-failover-…` (Aurora user guide).
const SNAPSHOTS: &str = "aws rds describe-db-cluster-snapshots --region OLD-REGION --query \
     \"DBClusterSnapshots[?contains(DBClusterSnapshotIdentifier,'unplanned-global-failover')].[DBClusterSnapshotIdentifier,SnapshotCreateTime]\"";

/// One database of the plan.
#[derive(Debug, Serialize)]
struct Gap {
    database: String,
    /// It probably had every write up to then when it was promoted; nothing if nobody knows.
    complete_until: Option<Timestamp>,
    lag_seconds: Option<u64>,
    measured_at: Option<Timestamp>,
    /// How to list what came later.
    commands: Vec<String>,
}

/// Tells since when writes may exist in the old primary alone, and how to list them.
pub async fn compare(workload: &Workload, terminal: &Terminal, incident: Option<Incident>) -> Result<(), Failure> {
    let records = records::gather(workload, incident).await?;
    let mut gaps = Vec::new();
    for (database, sample) in &records.lags {
        gaps.push(gap(workload, database, *sample).await?);
    }
    terminal.result(&json!({"incident": records.incident, "databases": gaps}));
    terminal.say(format!("incident {}\n", records.incident));
    for Gap { database, complete_until, lag_seconds, measured_at, commands } in &gaps {
        match (complete_until, lag_seconds.zip(*measured_at)) {
            (Some(until), Some((lag, at))) => {
                terminal.say(format!(
                    "{BOLD}{database}{BOLD:#} probably had every write up to {BOLD}{until}{BOLD:#} (lag {lag} s at {at}, less two \
                     minutes in which a silent link looks like no lag)"
                ));
            }
            _ => terminal
                .say(format!("{BOLD}{database}{BOLD:#}  {WARNING}nobody knows how far it was behind{WARNING:#}")),
        }
        terminal.say("what the old primary acknowledged after that is there alone; its binary log has it, from its own endpoint OLD, or a snapshot:");
        commands.iter().for_each(|line| terminal.say(format!("  {line}")));
        terminal.say("");
    }
    terminal.say(format!(
        "{DIM}USER needs REPLICATION SLAVE, and REPLICATION CLIENT or BINLOG MONITOR; values are shown as @1, @2 in the order of the \
         columns\nthe log is kept only as long as the old database says (mysql.rds_show_configuration, binlog retention hours); \
         a fence lets nobody in: holdfast fence lift\nthen: --loss-acknowledged, to say that it has been dealt with{DIM:#}"
    ));
    Ok(())
}

async fn gap(workload: &Workload, database: &ReplicaId, sample: Option<LagSample>) -> Result<Gap, Failure> {
    let promoted = Builder::new(&workload.session).pattern(database).await?;
    let (engine, endpoint) = match &promoted {
        Some(promoted) => (Engine::of(&promoted.engine.0, &promoted.engine.1), promoted.endpoint.as_str()),
        // Whatever it was: most are MySQL.
        None => (Engine::MySql { new_names: false }, "NEW"),
    };
    let complete_until = sample.map(probably_complete_until);
    Ok(Gap {
        database: database.to_string(),
        complete_until,
        lag_seconds: sample.map(|sample| sample.seconds),
        measured_at: sample.map(|sample| sample.at),
        commands: match database {
            ReplicaId::GlobalMember { .. } => vec![SNAPSHOTS.to_owned()],
            ReplicaId::AuroraCluster(_) | ReplicaId::RdsInstance(_) => {
                position::old_only(&engine, endpoint, complete_until)
            }
        },
    })
}
