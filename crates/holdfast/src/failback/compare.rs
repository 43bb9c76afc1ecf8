//! What only the old primary holds: AWS knows since when, and the old database's binary log knows what.

use failover::incident::Incident;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use serde_json::json;

use crate::failure::Failure;
use crate::report::records;
use crate::terminal::{BOLD, DIM, Terminal, WARNING};
use crate::workload::Workload;

/// One database of the plan.
#[derive(Debug, Serialize)]
struct Gap {
    database: String,
    /// It had every write up to then when it was promoted; nothing if nobody knows.
    complete_until: Option<Timestamp>,
    lag_seconds: Option<u64>,
    measured_at: Option<Timestamp>,
}

/// Tells since when writes may exist in the old primary alone, and how to list them.
pub async fn compare(workload: &Workload, terminal: &Terminal, incident: Option<Incident>) -> Result<(), Failure> {
    let records = records::gather(workload, incident).await?;
    let gap = |(database, sample): &(failover::plan::ReplicaId, Option<failover::promotion::LagSample>)| {
        let back = |seconds: u64| SignedDuration::from_secs(i64::try_from(seconds).unwrap_or(i64::MAX));
        Gap {
            database: database.to_string(),
            complete_until: sample.and_then(|sample| sample.at.checked_sub(back(sample.seconds)).ok()),
            lag_seconds: sample.map(|sample| sample.seconds),
            measured_at: sample.map(|sample| sample.at),
        }
    };
    let gaps: Vec<_> = records.lags.iter().map(gap).collect();
    terminal.result(&json!({"incident": records.incident, "databases": gaps}));
    terminal.say(format!("incident {}\n", records.incident));
    for Gap { database, complete_until, lag_seconds, measured_at } in &gaps {
        match (complete_until, lag_seconds.zip(*measured_at)) {
            (Some(until), Some((lag, at))) => {
                terminal.say(format!(
                    "{BOLD}{database}{BOLD:#} had every write up to {BOLD}{until}{BOLD:#} (lag {lag} s at {at})"
                ));
            }
            _ => terminal
                .say(format!("{BOLD}{database}{BOLD:#}  {WARNING}nobody knows how far it was behind{WARNING:#}")),
        }
    }
    terminal.say(
        "\nwhat the old primary acknowledged after that is there alone; its binary log has it, from its own endpoint:",
    );
    let from = gaps
        .iter()
        .filter_map(|gap| gap.complete_until)
        .min()
        .map_or("TIME".to_owned(), |at| at.strftime("%F %T").to_string());
    terminal.say(format!(
        "  mysql -h OLD -e 'SHOW BINARY LOGS'\n  mysqlbinlog --read-from-remote-server -h OLD --base64-output=decode-rows --verbose --start-datetime='{from}' LOG"
    ));
    terminal.say(format!(
        "{DIM}the log is kept only as long as the old database says (mysql.rds_show_configuration, binlog retention hours); \
         a fence lets nobody in: holdfast fence lift\nthen: --loss-acknowledged, to say that it has been dealt with{DIM:#}"
    ));
    Ok(())
}
