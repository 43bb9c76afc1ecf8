//! `holdfast plan`: the dry run.

mod replay;

use std::collections::BTreeSet;

use failover::change::Batch;
use failover::incident::Incident;
use failover::pin::{Decision, Observation};
use failover::promotion;
use failover::rule::Rule;
use serde_json::json;

use crate::cli::WhatIf;
use crate::failure::Failure;
use crate::look;
use crate::status::print_findings;
use crate::steps::{Around, Imagined};
use crate::terminal::{BOLD, DIM, Terminal, record};
use crate::workload::Workload;

/// Shows what the functions would do, in the words of their own rules and batches.
pub async fn show(workload: &Workload, terminal: &Terminal, what_if: &WhatIf) -> Result<(), Failure> {
    if what_if.replay {
        return replay::show(workload, terminal).await;
    }
    let now = look::look(workload).await?;
    let now = Observation { now: what_if.at.unwrap_or(now.now), ..now };
    let seen = if what_if.alarm { look::with_alarm(workload, &now) } else { now };
    let decisions = look::decide(workload, &seen);
    let findings = look::findings(&decisions);
    let batches = look::batches(&seen, &decisions)?;
    let incident = look::incident(&decisions).cloned();
    let imagined = look::real_or_imagined(workload, &seen, &decisions);
    let replicas = look::replicas(workload, &seen, &imagined).await;
    let gate = look::gate(workload, &seen);
    let imagined_end = if what_if.alarm { Imagined::Over } else { Imagined::Nothing };
    let steps = Around::look(workload, &seen, imagined_end).await;
    let lifted = lifted(workload, &seen, &decisions, &imagined)?;
    terminal.result(&json!({
        "at": seen.now,
        "incident": incident,
        "pin": findings,
        "batches": batches.iter().map(batch_as_json).collect::<Vec<_>>(),
        "if_lifted": lifted.as_ref().map(|Lifted { despite, batches }| {
            json!({"despite": despite, "batches": batches.iter().map(batch_as_json).collect::<Vec<_>>()})
        }),
        "promotion": {"rule": gate.row.id.rule, "row": gate.row.id.letter, "because": gate.row.condition, "next": gate.row.next},
        "databases": replicas.iter().map(|replica| json!({
            "database": replica.id.to_string(),
            "rule": replica.row.id.rule,
            "row": replica.row.id.letter,
            "verdict": format!("{:?}", replica.row.verdict),
            "because": replica.row.condition,
            "facts": replica.facts,
        })).collect::<Vec<_>>(),
        "steps": steps.as_json(),
    }));
    terminal.say(format!("{BOLD}alarm-handler{BOLD:#} at {} would decide", seen.now));
    print_findings(terminal, &findings);
    match batches.as_slice() {
        [] => terminal.say("and write nothing"),
        batches => {
            terminal.say("and write");
            terminal.show_batches(batches);
        }
    }
    if let Some(Lifted { despite, batches }) = &lifted {
        let rules: Vec<_> = despite.iter().map(ToString::to_string).collect();
        terminal.say(format!("\nwith an approval that lifts {} it would write", rules.join(", ")));
        terminal.show_batches(batches);
    }
    terminal.say(format!("\n{BOLD}replica-promoter{BOLD:#} would decide"));
    terminal.say(format!("  {BOLD}{}{BOLD:#}  {}", gate.row.id, gate.row.condition));
    terminal.say(format!("      {DIM}{}{DIM:#}", gate.row.next));
    if !replicas.is_empty() {
        terminal.say("and, once a pin is in sync and clients have drained");
    }
    for replica in &replicas {
        terminal.say(format!(
            "  {BOLD}{} {:?}{BOLD:#}  {}: {}",
            replica.row.id, replica.row.verdict, replica.id, replica.row.condition
        ));
        replica.facts.iter().for_each(|fact| terminal.say(format!("      {DIM}{}: {}{DIM:#}", fact.about, fact.seen)));
        if replica.row.verdict == promotion::Verdict::Ask {
            terminal.say(format!("      {DIM}{}{DIM:#}", replica.row.next));
        }
    }
    if workload.plan.has_steps {
        let when = if what_if.alarm { ", what comes after the failover as if it were over" } else { "" };
        terminal.say(format!("\n{BOLD}preparer{BOLD:#} would decide{when}"));
        steps.print(terminal);
    }
    terminal.say("\nnothing was changed");
    if batches.is_empty() && lifted.is_none() && !what_if.alarm {
        terminal.say("what an alarm would start now: holdfast plan --alarm");
    }
    Ok(())
}

/// What an approval of all that asks or holds would let through.
struct Lifted {
    despite: BTreeSet<Rule>,
    batches: Vec<Batch>,
}

fn lifted(
    workload: &Workload,
    seen: &Observation,
    decisions: &[Decision],
    incident: &Incident,
) -> Result<Option<Lifted>, Failure> {
    let despite: BTreeSet<_> = decisions.iter().flat_map(|decision| decision.despite.iter().copied()).collect();
    if despite.is_empty() {
        return Ok(None);
    }
    let approved = look::approved(seen, incident.clone(), despite.clone());
    let batches = look::batches(&approved, &look::decide(workload, &approved))?;
    Ok(Some(Lifted { despite, batches }))
}

fn batch_as_json(batch: &Batch) -> serde_json::Value {
    use failover::change::Change;
    let changes = batch.changes().map(|change| match change {
        Change::Delete(set) => json!({"action": "DELETE", "record": record(set), "set": set}),
        Change::Create(set) => json!({"action": "CREATE", "record": record(set), "set": set}),
    });
    json!({"zone": batch.zone, "changes": changes.collect::<Vec<_>>()})
}
