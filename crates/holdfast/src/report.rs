//! `holdfast report`: an incident as AWS's own records tell it.

pub mod records;
mod story;

use std::path::PathBuf;

use failover::incident::Incident;

use crate::failure::Failure;
use crate::terminal::Terminal;
use crate::workload::Workload;

/// Tells an incident: the one named, else the one under way, else the last.
pub async fn tell(
    workload: &Workload,
    terminal: &Terminal,
    incident: Option<Incident>,
    html: Option<PathBuf>,
) -> Result<(), Failure> {
    let records = records::gather(workload, incident).await?;
    if !records.know() {
        return Err(records::unknown(workload, &records).await);
    }
    let page = story::page(&records);
    terminal.result(&page);
    match html {
        None => terminal.say(page.markdown()),
        Some(file) => {
            std::fs::write(&file, page.html())
                .map_err(|error| Failure::Usage(format!("--html {}: {error}", file.display())))?;
            terminal.say(format!("the page is in {}", file.display()));
        }
    }
    Ok(())
}
