//! Writes the files, and none over another that is there unless a person says so.

use std::io::{self, IsTerminal as _};
use std::path::Path;

use super::options::Options;
use super::proposal::Proposal;
use super::{samconfig, tfvars};
use crate::failure::Failure;
use crate::terminal::{GOOD, Terminal};

/// Writes samconfig.toml, the same for Terraform, and the change batches; the paths.
pub fn write(terminal: &Terminal, options: &Options, proposal: &Proposal) -> Result<Vec<String>, Failure> {
    let path = |file: &str| options.out.join(file);
    let sam = path(samconfig::FILE);
    let there = read_if_there(&sam)?;
    let filled = match &there {
        Some(text) => match samconfig::filled(text, &proposal.parameters) {
            Err(_) if options.force => samconfig::filled(samconfig::SHIPPED, &proposal.parameters),
            filled => filled,
        },
        None => samconfig::filled(samconfig::SHIPPED, &proposal.parameters),
    };
    let filled = filled.map_err(|why| Failure::Refused(format!("{}: {why}; nothing was written", sam.display())))?;
    let mut files = vec![(sam, filled), (path(tfvars::FILE), tfvars::written(&proposal.parameters))];
    for file in &proposal.batches {
        let text = serde_json::to_string_pretty(&file.batch).unwrap_or_default() + "\n";
        files.push((path(&file.file), text));
    }
    let old: Vec<String> =
        files.iter().filter(|(path, _)| path.exists()).map(|(path, _)| path.display().to_string()).collect();
    if !old.is_empty() && !options.force {
        if terminal.yes || terminal.json || !io::stdin().is_terminal() {
            let said = format!(
                "{} is there already: --force changes it, --out DIR writes elsewhere; nothing was written",
                old.join(", ")
            );
            return Err(Failure::Refused(said));
        }
        terminal.confirm(&format!("{} is there already. Change it?", old.join(", ")))?;
    } else {
        let all: Vec<String> = files.iter().map(|(path, _)| path.display().to_string()).collect();
        terminal.confirm(&format!("Write {}?", all.join(", ")))?;
    }
    let mut written = Vec::new();
    for (path, text) in &files {
        let failed = |error: io::Error| Failure::Usage(format!("{}: {error}", path.display()));
        std::fs::write(path, text).map_err(failed)?;
        terminal.say(format!("{GOOD}wrote{GOOD:#} {}", path.display()));
        written.push(path.display().to_string());
    }
    Ok(written)
}

fn read_if_there(path: &Path) -> Result<Option<String>, Failure> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Failure::Usage(format!("{}: {error}", path.display()))),
    }
}
