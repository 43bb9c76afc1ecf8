//! `holdfast fence`: the old writers in the primary region, cut off or let in again.

use aws::rds::{self, FenceWriter as _, OldWriterReader as _};
use failover::announcement::Deed;
use failover::fence::{self, Decision, Note, OldWriter, Stage};
use failover::plan::{Fence, ReplicaId};
use fencer::handler::Calls;
use serde_json::{Value, json};

use crate::announce::announce;
use crate::cli;
use crate::failure::Failure;
use crate::look::look;
use crate::terminal::{BOLD, DIM, GOOD, Terminal};
use crate::workload::Workload;

/// Shows, fences, or lifts.
pub async fn run(workload: &Workload, terminal: &Terminal, command: cli::Fence) -> Result<(), Failure> {
    let Some(fence) = &workload.plan.fence else {
        let why =
            "the plan has no fence; set the template's FenceRegion, FenceSecurityGroupId and the databases to fence";
        return Err(Failure::Refused(why.to_owned()));
    };
    match command {
        cli::Fence::Status => {
            let seen = look_at(workload, fence).await?;
            tell(terminal, &seen);
            terminal.result(&json!({"fence": seen.iter().map(as_json).collect::<Vec<_>>()}));
            Ok(())
        }
        cli::Fence::Now => now(workload, terminal, fence).await,
        cli::Fence::Lift => {
            let lifted = lift(workload, terminal).await?;
            if lifted.is_empty() {
                terminal.say("no fence of Holdfast's stands");
            }
            terminal.result(&json!({"lifted": lifted}));
            Ok(())
        }
    }
}

async fn look_at(workload: &Workload, fence: &Fence) -> Result<Vec<Decision>, Failure> {
    let committed = fence::committed(&look(workload).await?.names);
    let reader = rds::Reader::new(&workload.session.in_region(&fence.region));
    let mut seen = Vec::new();
    for id in &fence.databases {
        let writer = reader.old_writer(id).await.unwrap_or_else(|error| OldWriter::Unanswered(error.to_string()));
        seen.push(fence::decide(fence, committed.as_ref(), id, &writer));
    }
    Ok(seen)
}

fn tell(terminal: &Terminal, seen: &[Decision]) {
    for Decision { id, row, facts, .. } in seen {
        terminal.say(format!("{BOLD}{id}{BOLD:#}  {} {}", row.id, row.condition));
        facts.iter().for_each(|fact| terminal.say(format!("  {}: {}", fact.about, fact.seen)));
        terminal.say(format!("  {DIM}{}{DIM:#}", row.next));
    }
}

fn as_json(Decision { id, row, facts, .. }: &Decision) -> Value {
    json!({"database": id.to_string(), "rule": row.id.rule, "row": row.id.letter, "because": row.condition, "next": row.next, "facts": facts})
}

/// By the function's own code, so by its rules: a person who fences before the pin is refused too.
async fn now(workload: &Workload, terminal: &Terminal, fence: &Fence) -> Result<(), Failure> {
    let seen = look_at(workload, fence).await?;
    tell(terminal, &seen);
    if let Some(early) = seen.iter().find(|decision| decision.incident.is_none()) {
        return Err(Failure::Refused(format!("nothing was changed: {}", early.row.condition)));
    }
    terminal.confirm("Cut the old writers off, and reboot them?")?;
    let primary = workload.session.in_region(&fence.region);
    let (records, writers) = (workload.records.clone(), rds::Reader::new(&primary));
    let calls = Calls { records, writers, fence: rds::Writer::new(&primary) };
    let outcome = calls.handle(&workload.plan).await;
    terminal.result(&outcome);
    terminal.say(format!("{}: {}", outcome.subjects.join(", "), outcome.because));
    terminal.say(format!("{DIM}{}{DIM:#}", outcome.next));
    Ok(())
}

/// Gives the old writers back what they had before; which of them.
pub async fn lift(workload: &Workload, terminal: &Terminal) -> Result<Vec<String>, Failure> {
    let Some(fence) = &workload.plan.fence else { return Ok(Vec::new()) };
    let (mut lifted, by) = (Vec::new(), workload.author("").await?);
    for (id, arn, note) in fenced(workload, fence).await? {
        let groups: Vec<_> = note.original.iter().map(String::as_str).collect();
        // RDS takes an empty list for nothing to do, and the fence would stay.
        if groups.is_empty() {
            return Err(Failure::Refused(format!(
                "the fence stays: the tags of {id} in {} name no security groups that it had before; give it its own back by hand",
                fence.region
            )));
        }
        terminal.say(format!("{BOLD}{id} in {}{BOLD:#} had the security groups {}", fence.region, groups.join(", ")));
        terminal.confirm(&format!("Let connections to {id} in again? Its data is that of before the failover."))?;
        let writer = rds::Writer::new(&workload.session.in_region(&fence.region));
        // First, so that the tick does not take it for an unfinished fence.
        writer.note(&arn, &Note { stage: Stage::Lifted, ..note.clone() }).await?;
        writer.set_groups(&id, &note.original).await?;
        terminal.say(format!("{GOOD}lifted{GOOD:#}: {id} has its security groups back"));
        lifted.push(id.to_string());
    }
    if !lifted.is_empty() {
        announce(workload, terminal, Deed::FenceLifted, &by, &lifted).await;
    }
    Ok(lifted)
}

/// The old writers behind a fence, with what is on record of them.
async fn fenced(workload: &Workload, fence: &Fence) -> Result<Vec<(ReplicaId, String, Note)>, Failure> {
    let reader = rds::Reader::new(&workload.session.in_region(&fence.region));
    let mut fenced = Vec::new();
    for id in &fence.databases {
        if let OldWriter::Present { arn, groups, note: Some(note), .. } = reader.old_writer(id).await?
            && groups.contains_key(&fence.security_group)
        {
            fenced.push((id.clone(), arn, note));
        }
    }
    Ok(fenced)
}
