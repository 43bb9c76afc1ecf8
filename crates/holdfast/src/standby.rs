//! `holdfast readiness`: whether DR's half of the workload could carry users.

mod entrance;
mod file;
mod look;
mod show;

use std::path::Path;

use failover::standby::{Verdict, counts, verdict};
use serde_json::json;

use crate::failure::Failure;
use crate::terminal::Terminal;
use crate::workload::Workload;
use file::File;

/// Looks at DR row by row, and refuses unless every fact is as it must be: what nobody knows is not.
pub async fn readiness(
    workload: &Workload,
    terminal: &Terminal,
    file: Option<&Path>,
    verbose: bool,
) -> Result<(), Failure> {
    let file = file.map(File::read).transpose()?.unwrap_or_default();
    let findings = look::look(workload, &file).await?;
    let counts = counts(&findings);
    let is_ready = verdict(&findings) == Verdict::Ready;
    terminal.result(&json!({
        "ready": is_ready,
        "at": workload.session.clock().now(),
        "not_ready": counts[&Verdict::NotReady],
        "not_known": counts[&Verdict::NotKnown],
        "rows": findings,
    }));
    show::show(terminal, &findings, verbose);
    match is_ready {
        true => Ok(()),
        false => Err(Failure::Refused(format!("DR is not known to be ready: {}", show::tally(&findings)))),
    }
}
