//! Removes what drills made. Every removal is a compare-and-delete of what was just seen, of names that only drills have.

use std::collections::BTreeMap;

use aws::PASSES_MAX;
use aws::route53::{RecordReader as _, RecordWriter, Writer};
use failover::name::Name;
use failover::plan::Names;
use failover::record::RecordSet;
use jiff::SignedDuration;
use serde_json::json;

use super::Zone;
use super::canary::{Canary, Confined, began, concerned, deletion, is_ours};
use crate::failure::Failure;
use crate::terminal::{DIM, Terminal, record};
use crate::workload::Workload;

/// A drill gives up before: it has some dozen waits of ten minutes at most. What is older was left behind.
const DRILL_MAX: SignedDuration = SignedDuration::from_hours(3);

/// What a zone has of drills.
#[derive(Debug, Default)]
pub struct Left {
    /// Each drill's records.
    pub ours: BTreeMap<Name, Vec<RecordSet>>,
    /// What has a drill's name and was not made by one.
    pub others: Vec<RecordSet>,
    /// Drills that may be under way.
    pub young: Vec<Name>,
}

impl Left {
    /// Without the drills that may be under way.
    pub fn without_young(mut self) -> Self {
        self.ours.retain(|name, _| !self.young.contains(name));
        self
    }
}

/// Looks for it in the whole zone.
pub async fn look(workload: &Workload, zone: &Zone) -> Result<Left, Failure> {
    let sets = workload.records.record_sets(&zone.id, &Names::EveryPair).await?;
    let now = workload.records.now();
    let mut left = Left::default();
    for set in sets {
        let name = concerned(&set);
        let Some(began) = began(&name, &zone.domain) else { continue };
        if !is_ours(&set, &name) {
            left.others.push(set);
            continue;
        }
        if now.duration_since(began) < DRILL_MAX && !left.young.contains(&name) {
            left.young.push(name.clone());
        }
        left.ours.entry(name).or_default().push(set);
    }
    Ok(left)
}

/// Removes everything of drills in the zone: those under way too, so it asks.
pub async fn all(workload: &Workload, terminal: &Terminal, zone: &Zone) -> Result<(), Failure> {
    let left = look(workload, zone).await?;
    tell(terminal, &left);
    if left.ours.is_empty() {
        terminal.say(format!("no drill has left anything in {}", zone.domain));
    } else {
        terminal.confirm("Remove these records? A drill of them that is still running would fail.")?;
    }
    let removed = remove_all(workload, zone, &left).await?;
    if !removed.is_empty() {
        terminal.say(format!("removed: {}", removed.join(", ")));
    }
    let others: Vec<_> = left.others.iter().map(record).collect();
    terminal.result(&json!({"zone": zone.id, "removed": removed, "left": others}));
    Ok(())
}

/// Says what is there.
pub fn tell(terminal: &Terminal, left: &Left) {
    for (name, sets) in &left.ours {
        terminal.say(format!("left behind by a drill: {name}"));
        sets.iter().for_each(|set| terminal.say(format!("  {DIM}{}{DIM:#}", record(set))));
    }
    for set in &left.others {
        terminal.say(format!("not made by a drill, and left as it is: {}", record(set)));
    }
}

/// Removes what was found; the names.
pub async fn remove_all(workload: &Workload, zone: &Zone, left: &Left) -> Result<Vec<String>, Failure> {
    for name in left.ours.keys() {
        // The writer is confined to names; which health check a record has it does not ask.
        let canary = Canary { zone: zone.id.clone(), name: name.clone(), check: String::new() };
        remove(workload, &canary).await?;
    }
    Ok(left.ours.keys().map(ToString::to_string).collect())
}

/// Removes what one drill made, until a look shows that nothing is left; the ids of the changes.
pub async fn remove(workload: &Workload, canary: &Canary) -> Result<Vec<String>, Failure> {
    let writer = Confined::new(canary, Writer::new(&workload.session));
    let names = Names::Listed(vec![canary.name.clone()]);
    let (mut changes, mut refused) = (Vec::new(), None);
    for _ in 0..=PASSES_MAX {
        let sets = workload.records.record_sets(&canary.zone, &names).await?;
        let ours: Vec<_> = sets.into_iter().filter(|set| is_ours(set, &canary.name)).collect();
        if ours.is_empty() {
            return Ok(changes);
        }
        let batch = deletion(&canary.zone, &canary.name, ours, workload.records.now());
        match writer.submit(&batch).await {
            Ok(change) => changes.push(change),
            // Refused because something changed, or done without an answer: the next look tells.
            Err(error) if error.may_look_again() => refused = Some(error),
            Err(error) => return Err(error.into()),
        }
    }
    let why = refused.map_or_else(String::new, |error| format!(": {error}"));
    Err(Failure::Refused(format!(
        "the records of {} are still there{why}; `holdfast drill --clean` removes them",
        canary.name
    )))
}
