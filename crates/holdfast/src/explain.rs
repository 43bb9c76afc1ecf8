//! What the rules say: printed from the tables that decide.

use std::fmt::Debug;

use failover::observation::Attention;
use failover::pin;
use failover::promotion::{GATE_TABLE, PEACE_TABLE, REPLICA_TABLE};
use failover::rule::{Id, Row, Rule};
use failover::{failback, fence, step};
use serde::Serialize;

use crate::failure::Failure;
use crate::terminal::{BOLD, DIM, Terminal};

/// One row of a table.
#[derive(Debug, Serialize)]
struct Line {
    #[serde(flatten)]
    id: Id,
    when: &'static str,
    verdict: String,
    next: &'static str,
    attention: Attention,
}

impl Line {
    fn of<H, V: Debug>(row: &Row<H, V>) -> Self {
        let verdict = format!("{:?}", row.verdict);
        Self { id: row.id, when: row.condition, verdict, next: row.next, attention: row.attention }
    }
}

#[derive(Debug, Serialize)]
struct Explanation {
    rule: Rule,
    may_be_approved: bool,
    rows: Vec<Line>,
}

/// Prints a rule's rows, or the one that is asked for.
pub fn explain(terminal: &Terminal, asked: Id) -> Result<(), Failure> {
    let rule = asked.rule;
    let rows: Vec<_> =
        every_row().filter(|line| line.id == asked || (line.id.rule == rule && asked.letter.is_none())).collect();
    if rows.is_empty() {
        return Err(Failure::Usage(format!("{rule} has no row {asked}; holdfast explain {rule} shows those it has")));
    }
    let explanation = Explanation { rule, may_be_approved: rule.is_liftable(), rows };
    terminal.result(&explanation);
    terminal.say(format!("{BOLD}{rule}{BOLD:#}  {}", about(rule)));
    for row in &explanation.rows {
        terminal.say(format!("\n  {BOLD}{}{BOLD:#}", row.id));
        terminal.say(format!("  when  {}\n  then  {}{}", row.when, row.verdict, told(row.attention)));
        terminal.say(format!("  {DIM}next  {}{DIM:#}", row.next));
    }
    let approval = match explanation.may_be_approved {
        true => format!("holdfast approve INCIDENT --despite {rule} lifts it for one incident"),
        false => "no approval lifts it".to_owned(),
    };
    terminal.say(format!("\n{approval}"));
    Ok(())
}

/// The id of every row.
pub fn every_id() -> impl Iterator<Item = Id> {
    every_row().map(|line| line.id)
}

fn every_row() -> impl Iterator<Item = Line> {
    let failback = failback::RULES.iter().map(|&(rule, when, next)| Line {
        id: rule.alone(),
        when,
        verdict: if rule == Rule::F01 { "Nothing" } else { "Refuse" }.to_owned(),
        next,
        attention: Attention::None,
    });
    let pin = pin::rows().into_values().map(Line::of);
    let promotion = GATE_TABLE.iter().map(Line::of).chain(REPLICA_TABLE.iter().map(Line::of));
    let in_peace = PEACE_TABLE.iter().filter(|row| REPLICA_TABLE.iter().all(|known| known.id != row.id)).map(Line::of);
    pin.chain(promotion)
        .chain(in_peace)
        .chain(failback)
        .chain(fence::TABLE.iter().map(Line::of))
        .chain(step::TABLE.iter().map(Line::of))
}

fn about(rule: Rule) -> &'static str {
    match rule.to_string().chars().next() {
        Some('P') => "a rule about the pin; of the rows for the state that a name is in, the first that holds decides",
        Some('R') => "a rule about promotion; the first row of all R rules that holds decides",
        Some('S') => "a rule about the steps around a failover; the first row of all S rules that holds decides",
        Some('X') => "a rule about fencing the old writer; the first row of all X rules that holds decides",
        _ => "a rule about failback; every one that holds is told",
    }
}

fn told(attention: Attention) -> &'static str {
    match attention {
        Attention::None => "",
        Attention::Notice => ", and people are told",
        Attention::Page => ", and people are paged",
    }
}
