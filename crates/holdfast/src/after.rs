//! `holdfast after`: the checklist after a failover, asked of the databases where Holdfast may, else as commands.

use aws::rebuild::{Builder, Pattern};
use failover::after::{Finding, Weight, checklist, commands};
use failover::failback;
use failover::plan::ReplicaId;
use failover::position::{Endpoint, Engine};
use serde_json::{Value, json};

use crate::cli::Successors;
use crate::database::{Access, Client, Nobody, decide, endpoint};
use crate::failback::{old_primary, unseen};
use crate::failure::Failure;
use crate::look::look;
use crate::terminal::{BOLD, DIM, GOOD, Terminal, WARNING};
use crate::workload::Workload;

/// Why an old primary is not asked.
const NOT_NAMED: &str = "the old primary was not named, or is not there: --successor";

/// Goes through the list for every database of the plan; changes nothing.
pub async fn after(workload: &Workload, terminal: &Terminal, named: &Successors) -> Result<(), Failure> {
    let access = Access::of(&workload.session, &named.access).await?;
    let pinned_at = failback::pinned_at(&look(workload).await?.names);
    if pinned_at.is_none() {
        terminal.say(format!("{DIM}no name is pinned to DR: this is the list for when there is{DIM:#}\n"));
    }
    let mut told = Vec::new();
    for database in &workload.plan.replicas {
        let Some(dr) = Builder::new(&workload.session).pattern(database).await? else {
            return Err(Failure::Refused(format!("{database} does not exist")));
        };
        let chosen = named.of(database);
        let old = match (chosen, pinned_at) {
            (Some(chosen), Some(pinned_at)) => {
                let old = old_primary(workload, database, chosen, pinned_at).await;
                old.map_err(|error| unseen(&chosen.region, &error))
            }
            _ => Ok(None),
        };
        let old = old.and_then(|old| old.ok_or_else(|| NOT_NAMED.to_owned()));
        told.push(about(terminal, database, &dr, &old, access.as_ref()).await);
    }
    terminal.result(&json!({"databases": told}));
    terminal.say(format!("{DIM}nothing was changed: each statement is yours to run{DIM:#}"));
    Ok(())
}

async fn about(
    terminal: &Terminal,
    database: &ReplicaId,
    dr: &Pattern,
    old: &Result<Pattern, String>,
    access: Option<&Access>,
) -> Value {
    let engine = Engine::of(&dr.engine.0, &dr.engine.1);
    terminal.say(format!("{BOLD}{database}{BOLD:#}"));
    let (findings, commands) = match access.filter(|access| matches!(engine, Engine::Known(_)) && access.knows(dr)) {
        Some(access) => (asked(dr, old, access).await, Vec::new()),
        None => {
            if let Err(why) = old {
                terminal.say(format!("  {WARNING}OLD below{WARNING:#}: {why}"));
            }
            let old = old.as_ref().map_or_else(|_| Endpoint::unnamed("OLD"), endpoint);
            (Vec::new(), commands(engine, &endpoint(dr), &old))
        }
    };
    findings.iter().for_each(|finding| tell(terminal, finding));
    commands.iter().for_each(|line| terminal.say(format!("  {line}")));
    terminal.say("");
    json!({
        "database": database.to_string(),
        "findings": findings.iter().map(as_json).collect::<Vec<_>>(),
        "commands": commands,
    })
}

async fn asked(dr: &Pattern, old: &Result<Pattern, String>, access: &Access) -> Vec<Finding> {
    let mut dr: Client = access.client(dr);
    match old {
        Ok(old) => decide(&mut dr, &mut access.client(old), |known| checklist(known, Ok(()))).await,
        Err(why) => decide(&mut dr, &mut Nobody, |known| checklist(known, Err(why))).await,
    }
}

fn tell(terminal: &Terminal, finding: &Finding) {
    let Finding { about, weight, seen, remedies } = finding;
    let mark = match weight {
        Weight::Good => format!("{GOOD}ok{GOOD:#}       "),
        Weight::ToDo => format!("{WARNING}to do{WARNING:#}    "),
        Weight::NotKnown => format!("{WARNING}not known{WARNING:#}"),
    };
    terminal.say(format!("  {mark}  {about}: {seen}"));
    remedies.iter().for_each(|remedy| terminal.say(format!("               {remedy}")));
}

fn as_json(finding: &Finding) -> Value {
    let weight = match finding.weight {
        Weight::Good => "good",
        Weight::ToDo => "to do",
        Weight::NotKnown => "not known",
    };
    json!({"about": finding.about, "weight": weight, "seen": finding.seen, "remedies": finding.remedies})
}
