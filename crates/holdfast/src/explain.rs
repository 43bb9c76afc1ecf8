//! What the rules say: printed from the tables that decide.

use std::fmt::Debug;

use failover::observation::Attention;
use failover::pin;
use failover::promotion::{GATE_TABLE, REPLICA_TABLE};
use failover::rule::Rule;
use failover::{failback, fence};
use serde::Serialize;

use crate::failure::Failure;
use crate::terminal::{BOLD, DIM, Terminal};

/// One row of a table.
#[derive(Debug, Serialize)]
struct Line {
    when: &'static str,
    verdict: String,
    next: &'static str,
    attention: Attention,
}

#[derive(Debug, Serialize)]
struct Explanation {
    rule: Rule,
    may_be_approved: bool,
    rows: Vec<Line>,
}

/// Prints every row of a rule.
pub fn explain(terminal: &Terminal, rule: Rule) -> Result<(), Failure> {
    let line =
        |when, verdict: &dyn Debug, next, attention| Line { when, verdict: format!("{verdict:?}"), next, attention };
    let pin = pin::TABLE.iter().filter(|row| row.rule == rule);
    let pin = pin.map(|row| line(row.condition, &row.verdict, row.next, row.attention));
    let gate = GATE_TABLE.iter().filter(|row| row.rule == rule);
    let gate = gate.map(|row| line(row.condition, &row.verdict, row.next, row.attention));
    let replica = REPLICA_TABLE.iter().filter(|row| row.rule == rule);
    let replica = replica.map(|row| line(row.condition, &row.verdict, row.next, row.attention));
    let failback = failback::RULES.iter().filter(|(of, ..)| *of == rule);
    let failback = failback.map(|(_, when, next)| line(when, &"Refuse", next, Attention::None));
    let fence = fence::TABLE.iter().filter(|row| row.rule == rule);
    let fence = fence.map(|row| line(row.condition, &row.verdict, row.next, row.attention));
    let rows = pin.chain(gate).chain(replica).chain(failback).chain(fence).collect();
    let explanation = Explanation { rule, may_be_approved: rule.is_liftable(), rows };
    terminal.result(&explanation);
    terminal.say(format!("{BOLD}{rule}{BOLD:#}  {}", about(rule)));
    for row in &explanation.rows {
        terminal.say(format!("\n  when  {}\n  then  {}{}", row.when, row.verdict, told(row.attention)));
        terminal.say(format!("  {DIM}next  {}{DIM:#}", row.next));
    }
    let approval = match explanation.may_be_approved {
        true => format!("holdfast approve INCIDENT --despite {rule} lifts it for one incident"),
        false => "no approval lifts it".to_owned(),
    };
    terminal.say(format!("\n{approval}"));
    Ok(())
}

fn about(rule: Rule) -> &'static str {
    match rule.to_string().chars().next() {
        Some('P') => "a rule about the pin; the first row of all P rules that holds decides",
        Some('R') => "a rule about promotion; the first row of all R rules that holds decides",
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
