//! What happens, as it happens: one line each, or all of it on a board.

pub mod board;
pub mod view;

use std::collections::BTreeMap;

use jiff::Timestamp;
use lab::Lab;
use lab::journal::{Entry, What};
use tokio::sync::broadcast::error::RecvError;

use crate::stage::Workload;

/// Prints the drill's events to standard error for as long as the lab lives.
pub async fn follow(lab: std::sync::Arc<Lab>, workload: Workload, colour: bool) {
    let mut journal = lab.journal.follow();
    let start = lab.clock.now();
    drop(lab);
    let mut returned = BTreeMap::new();
    loop {
        match journal.recv().await {
            Ok(entry) => {
                if let Some(line) = line(&entry, &workload).filter(|line| is_news(&mut returned, &entry.what, line)) {
                    print(&entry.at, start, &line, colour && is_trouble(&entry.what));
                }
            }
            Err(RecvError::Lagged(_)) => {}
            Err(RecvError::Closed) => return,
        }
    }
}

/// What lasts is returned every minute; nobody wants to read it more than once.
fn is_news(returned: &mut BTreeMap<String, String>, what: &What, line: &str) -> bool {
    let What::Invocation { function, .. } = what else { return true };
    returned.insert(function.clone(), line.to_owned()).as_deref() != Some(line)
}

fn print(at: &Timestamp, start: Timestamp, line: &str, red: bool) {
    let seconds = at.duration_since(start).as_secs();
    let (on, off) = if red { ("\x1b[31m", "\x1b[0m") } else { ("", "") };
    eprintln!("{:>3}:{:02}  {on}{line}{off}", seconds / 60, seconds % 60);
}

fn is_trouble(what: &What) -> bool {
    match what {
        What::Fault { .. } | What::HealthCheck { healthy: false, .. } | What::Invocation { succeeded: false, .. } => {
            true
        }
        What::Alarm { to, .. } => to == "ALARM",
        _ => false,
    }
}

/// What an entry has to say to somebody who watches, if anything.
pub(crate) fn line(entry: &Entry, workload: &Workload) -> Option<String> {
    match &entry.what {
        // Too many to watch.
        What::Fault { what } if what.starts_with("Deliver") || what.contains(" by holdfast-") => None,
        What::Fault { what } => Some(format!("!! {what}")),
        What::HealthCheck { name, healthy, .. } => {
            Some(format!("health check {name} is {}", if *healthy { "healthy" } else { "UNHEALTHY" }))
        }
        What::Alarm { name, to, .. } if to != "INSUFFICIENT_DATA" => Some(format!("alarm {name} is {to}")),
        What::Change { id, status, names, .. } if !names.iter().all(|name| name.starts_with("_holdfast.")) => {
            let names: Vec<_> =
                names.iter().filter(|name| !name.starts_with("_holdfast.")).map(String::as_str).collect();
            Some(format!("Route 53 change {id} of {} is {status}", names.join(", ")))
        }
        What::Call { action, resource, status, error, .. }
            if action.starts_with("Promote") || action == "FailoverGlobalCluster" =>
        {
            Some(format!("RDS {action} {resource}: {}", error.clone().unwrap_or_else(|| status.to_string())))
        }
        What::Database { id, status, writable, .. } if workload.has_database(id) => {
            Some(format!("database {id} is {status}{}", if *writable { " and takes writes" } else { "" }))
        }
        What::Invocation { function, response, succeeded, .. } => invocation(function, response, *succeeded),
        What::Mail { subject, .. } => Some(format!("mail: {}", subject.as_deref().unwrap_or_default())),
        What::Queued { queue, .. } => Some(queued(queue)),
        _ => None,
    }
}

/// Holdfast's own queues keep what could not be delivered, and are called so by its templates; whatever else comes to a queue is for whoever reads it.
fn queued(queue: &str) -> String {
    let name = queue.rsplit(':').next().unwrap_or(queue);
    match name.contains("DeadLetters") {
        true => format!("dead letter in {name}"),
        false => format!("message in queue {name}"),
    }
}

fn invocation(function: &str, response: &serde_json::Value, succeeded: bool) -> Option<String> {
    if !succeeded {
        return Some(format!("{function} FAILED: {response}"));
    }
    let outcome = response["outcome"].as_str()?;
    if ["Nothing", "Waiting", "StaysOnDr"].contains(&outcome) {
        return None;
    }
    let (rule, row) = (response["rule"].as_str().unwrap_or("no rule"), response["row"].as_str().unwrap_or_default());
    Some(format!("{function} returns {outcome} ({rule}{row}: {})", response["because"].as_str().unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_to_a_queue_is_a_dead_letter_in_holdfasts_own_alone() {
        assert_eq!(queued("arn:aws:sqs:eu-central-1:123456789012:mails"), "message in queue mails");
        let kept = "arn:aws:sqs:eu-central-1:123456789012:holdfast-DeadLetters";
        assert_eq!(queued(kept), "dead letter in holdfast-DeadLetters");
    }
}
