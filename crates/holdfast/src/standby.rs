//! `holdfast readiness`: whether DR's half of the workload could carry users.

mod file;
mod past;
mod show;

use std::path::Path;

use aws::route53::{RecordReader as _, protected_names};
use aws::standby::{Reader, StandbyReader as _};
use failover::standby::{Verdict, counts, verdict};
use serde_json::json;

pub use past::{Looked, looked};

use crate::failure::Failure;
use crate::terminal::Terminal;
use crate::workload::Workload;

/// Looks at DR row by row, and refuses unless every fact is as it must be: what nobody knows is not.
pub async fn readiness(
    workload: &Workload,
    terminal: &Terminal,
    file: Option<&Path>,
    verbose: bool,
) -> Result<(), Failure> {
    let wanted = file.map(file::read).transpose()?.unwrap_or_default();
    let Workload { plan, session, records, .. } = workload;
    let names = protected_names(plan, records).await?;
    let findings = Reader::new(session).rows(plan, &wanted, &names, records.now()).await;
    let counts = counts(&findings);
    let is_ready = verdict(&findings) == Verdict::Ready;
    terminal.result(&json!({
        "ready": is_ready,
        "at": session.clock().now(),
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
