//! What only the old primary holds: AWS knows since when, and the old database's binary log knows what.

use std::path::Path;

use aws::rebuild::{Builder, Pattern};
use failover::failback;
use failover::plan::ReplicaId;
use failover::position::{Endpoint, Engine, OldOnly, Transaction, old_only_commands};
use failover::promotion::LagSample;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};

use super::log::{Log, NotRead};
use super::way::{Way, old_primary, unseen};
use crate::cli::Compared;
use crate::database::endpoint;
use crate::failure::Failure;
use crate::report::records;
use crate::terminal::{BOLD, DIM, GOOD, Terminal, WARNING};
use crate::workload::Workload;

/// Before Aurora gives the old primary of a global database new storage it "attempts to take a snapshot of the old storage volume at the
/// point of failure", named `rds:unplanned-global-failover-…` (Aurora user guide).
const SNAPSHOTS: &str = "aws rds describe-db-cluster-snapshots --region OLD-REGION --query \
     \"DBClusterSnapshots[?contains(DBClusterSnapshotIdentifier,'unplanned-global-failover')].[DBClusterSnapshotIdentifier,SnapshotCreateTime]\"";

/// How many transactions a person is shown; all of them are in `--json` and in the files.
const SHOWN_MAX: usize = 20;

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
    /// How many transactions only the old primary has, by the databases' own word; nothing if they did not say.
    transactions_only_in_old: Option<u64>,
    /// Why they did not say, if they were asked.
    not_known: Option<String>,
    /// Those transactions, the oldest first.
    transactions: Vec<Value>,
    /// The files they were written to.
    files: Vec<String>,
}

/// Tells since when writes may exist in the old primary alone, and lists them or says how to.
pub async fn compare(workload: &Workload, terminal: &Terminal, compared: Compared) -> Result<(), Failure> {
    let way = Way::new(workload, &compared.successors).await?;
    if compared.write.is_some() && (way.access().is_none() || way.named.successors.is_empty()) {
        let why = "--write needs a user for the databases (--database-secret or HOLDFAST_DATABASE_USER) and --successor, by which the old primary is found";
        return Err(Failure::Usage(why.to_owned()));
    }
    let records = records::gather(workload, compared.incident).await?;
    let pinned_at = failback::pinned_at(&records.names);
    let mut gaps = Vec::new();
    for (database, sample) in &records.lags {
        let gap = Comparison::of(workload, database, *sample, &way, pinned_at).await?;
        gaps.push(gap.gap(workload, &way, compared.write.as_deref()).await?);
    }
    terminal.result(&json!({"incident": records.incident, "databases": gaps}));
    terminal.say(format!("incident {}\n", records.incident));
    gaps.iter().for_each(|gap| tell(terminal, gap));
    terminal.say(format!(
        "{DIM}the user needs REPLICATION SLAVE, and REPLICATION CLIENT or BINLOG MONITOR; values are shown as @1, @2 in the order of the \
         columns\nthe log is kept only as long as the old database says (mysql.rds_show_configuration, binlog retention hours); \
         a fence lets nobody in: holdfast fence lift\nthen: --loss-acknowledged, to say that it has been dealt with{DIM:#}"
    ));
    Ok(())
}

/// A database in DR beside its old primary.
struct Comparison<'a> {
    database: &'a ReplicaId,
    sample: Option<LagSample>,
    promoted: Option<Pattern>,
    /// Nothing if it was not named or is not there; or why nobody knows.
    old: Result<Option<Pattern>, String>,
    pinned_at: Option<Timestamp>,
}

impl<'a> Comparison<'a> {
    async fn of(
        workload: &Workload,
        database: &'a ReplicaId,
        sample: Option<LagSample>,
        way: &Way<'_>,
        pinned_at: Option<Timestamp>,
    ) -> Result<Self, Failure> {
        let promoted = Builder::new(&workload.session).pattern(database).await?;
        let old = match (way.chosen(database), pinned_at) {
            (Some(chosen), Some(pinned_at)) => {
                old_primary(workload, database, chosen, pinned_at).await.map_err(|error| unseen(&chosen.region, &error))
            }
            _ => Ok(None),
        };
        Ok(Self { database, sample, promoted, old, pinned_at })
    }

    async fn gap(&self, workload: &Workload, way: &Way<'_>, folder: Option<&Path>) -> Result<Gap, Failure> {
        let Self { database, sample, promoted, old, pinned_at } = self;
        let (old, why) = (old.as_ref().ok().and_then(Option::as_ref), old.as_ref().err());
        // Whatever it was: most are MySQL.
        let engine = promoted.as_ref().map_or(Engine::of("mysql", ""), |it| Engine::of(&it.engine.0, &it.engine.1));
        let at = |it: Option<&Pattern>, otherwise: &str| it.map_or_else(|| Endpoint::unnamed(otherwise), endpoint);
        let complete_until = sample.map(|sample| sample.probably_complete_until());
        let mut gap = Gap {
            database: database.to_string(),
            complete_until,
            lag_seconds: sample.map(|sample| sample.seconds),
            measured_at: sample.map(|sample| sample.at),
            commands: match database {
                ReplicaId::GlobalMember { .. } => vec![SNAPSHOTS.to_owned()],
                ReplicaId::AuroraCluster(_) | ReplicaId::RdsInstance(_) => {
                    old_only_commands(engine, &at(promoted.as_ref(), "NEW"), &at(old, "OLD"), complete_until)
                }
            },
            transactions_only_in_old: None,
            not_known: why.cloned(),
            transactions: Vec::new(),
            files: Vec::new(),
        };
        let said = match pinned_at {
            Some(pinned_at) => way.losses_as_seen(workload, database, *pinned_at).await?,
            None => OldOnly::NotAsked,
        };
        match (said, way.access(), old) {
            (OldOnly::Nothing, ..) => gap.transactions_only_in_old = Some(0),
            (OldOnly::Transactions { count, start }, Some(access), Some(old)) => {
                gap.transactions_only_in_old = count;
                let read = match access.user(old).await {
                    Ok(user) => {
                        let log = Log { access, user, old: endpoint(old), start: &start };
                        log.read(&mut access.client(old), folder.map(|folder| (folder, database.name()))).await
                    }
                    Err(why) => Err(NotRead::NoUser(why)),
                };
                match read {
                    Ok((transactions, files)) => {
                        gap.transactions = transactions.iter().map(as_json).collect();
                        gap.files = files.iter().map(|file| file.display().to_string()).collect();
                    }
                    Err(error) => gap.not_known = Some(format!("which they are: {error}")),
                }
            }
            (OldOnly::NotKnown { why }, ..) => gap.not_known = Some(why),
            (OldOnly::NotAsked | OldOnly::Transactions { .. }, ..) => {}
        }
        Ok(gap)
    }
}

fn as_json(transaction: &Transaction) -> Value {
    let rows =
        transaction.rows.iter().map(|((change, table), rows)| json!({"change": change, "table": table, "rows": rows}));
    json!({
        "id": transaction.id,
        "at": transaction.at,
        "rows": rows.collect::<Vec<_>>(),
        "statements": transaction.statements,
    })
}

fn tell(terminal: &Terminal, gap: &Gap) {
    let Gap { database, complete_until, lag_seconds, measured_at, commands, .. } = gap;
    match (complete_until, lag_seconds.zip(*measured_at)) {
        (Some(until), Some((lag, at))) => {
            terminal.say(format!(
                "{BOLD}{database}{BOLD:#} probably had every write up to {BOLD}{until}{BOLD:#} (lag {lag} s at {at}, less two \
                 minutes in which a silent link looks like no lag)"
            ));
        }
        _ => {
            terminal.say(format!("{BOLD}{database}{BOLD:#}  {WARNING}nobody knows how far it was behind{WARNING:#}"));
        }
    }
    match gap.transactions_only_in_old {
        Some(0) => {
            terminal.say(format!("{GOOD}the old primary has nothing that it lacks{GOOD:#}, by position\n"));
            return;
        }
        Some(count) => {
            terminal.say(format!("{WARNING}{count} transactions are in the old primary alone{WARNING:#}, by position:"))
        }
        None => {}
    }
    gap.transactions.iter().take(SHOWN_MAX).for_each(|transaction| terminal.say(in_words(transaction)));
    if gap.transactions.len() > SHOWN_MAX {
        terminal.say(format!("  … and {} more", gap.transactions.len() - SHOWN_MAX));
    }
    for file in &gap.files {
        let what = if file.ends_with(".sql") {
            "to be replayed once you have read the other: ids may be taken by now"
        } else {
            "to read"
        };
        terminal.say(format!("  written to {file}, {what}"));
    }
    if let Some(why) = &gap.not_known {
        terminal.say(format!("  {WARNING}not known{WARNING:#}: {why}"));
    }
    if gap.transactions.is_empty() {
        terminal
            .say("what the old primary acknowledged after that is there alone; its binary log has it, or a snapshot:");
        commands.iter().for_each(|line| terminal.say(format!("  {line}")));
    }
    terminal.say("");
}

/// One line: `2026-01-05T09:32:10Z  0-1-11  INSERT app.orders 2`.
fn in_words(transaction: &Value) -> String {
    let text = |field: &str| transaction[field].as_str().unwrap_or("?").to_owned();
    let rows = transaction["rows"].as_array().into_iter().flatten().map(|row| {
        let (change, table) = (row["change"].as_str().unwrap_or("?"), row["table"].as_str().unwrap_or("?"));
        format!("{change} {table} {}", row["rows"])
    });
    let statements =
        transaction["statements"].as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned);
    let changes: Vec<_> = rows.chain(statements).collect();
    format!("  {}  {}  {}", text("at"), text("id"), changes.join(", "))
}
