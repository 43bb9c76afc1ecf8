//! What waits for a person.

use std::collections::BTreeSet;

use failover::incident::Incident;
use failover::observation::Fact;
use failover::pin::Decision;
use failover::promotion::{Gate, GateDecision, ReplicaDecision, Verdict};
use failover::rule::{Id, Rule};
use serde::Serialize;

use crate::look::hint;
use crate::terminal::{BAD, DIM, Terminal};

/// How many names are told by name.
const NAMED_MAX: usize = 3;

/// A decision that only a person can make.
#[derive(Debug, Serialize)]
pub struct Asked {
    /// The row that asks or holds.
    #[serde(flatten)]
    pub id: Id,
    /// The names, or the database.
    pub about: Vec<String>,
    /// When it does so.
    pub because: &'static str,
    /// In which incident.
    pub incident: Incident,
    /// What one approval would have to lift.
    pub despite: BTreeSet<Rule>,
    /// What a person must know to decide.
    pub facts: Vec<Fact>,
}

/// What waits: of the names by the pin rules, and of the databases once the gate is open.
pub fn of(decisions: &[Decision], gate: &GateDecision, replicas: &[ReplicaDecision]) -> Vec<Asked> {
    let mut all: Vec<Asked> = Vec::new();
    for Decision { name, row, despite, facts, incident, .. } in decisions.iter().filter(|it| !it.despite.is_empty()) {
        let Some(incident) = incident else { continue };
        match all.iter_mut().find(|asked| asked.id == row.id && asked.incident == *incident) {
            Some(asked) => asked.about.push(name.to_string()),
            None => all.push(Asked {
                id: row.id,
                about: vec![name.to_string()],
                because: row.condition,
                incident: incident.clone(),
                despite: despite.clone(),
                facts: hint(row.id, facts).map(|hint| Fact::new("so far", hint)).into_iter().collect(),
            }),
        }
    }
    let is_open = gate.row.verdict == Gate::Open;
    let asks = |replica: &&ReplicaDecision| is_open && replica.row.verdict == Verdict::Ask;
    all.extend(replicas.iter().filter(asks).filter_map(|replica| {
        Some(Asked {
            id: replica.row.id,
            about: vec![replica.id.to_string()],
            because: replica.row.condition,
            incident: replica.incident.clone()?,
            despite: [replica.row.id.rule].into(),
            facts: replica.facts.clone(),
        })
    }));
    all
}

/// Whom it is about, why, and what to know before deciding.
pub fn print(terminal: &Terminal, asked: &[Asked]) {
    for Asked { id, about, because, facts, .. } in asked {
        let more = match about.len().saturating_sub(NAMED_MAX) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let about = about[..about.len().min(NAMED_MAX)].join(", ");
        terminal.say(format!("{BAD}WAITS FOR YOU{BAD:#}  {id} {about}{more}: {because}"));
        facts.iter().for_each(|fact| terminal.say(format!("      {DIM}{}: {}{DIM:#}", fact.about, fact.seen)));
    }
}
