//! The steps around a failover as preparer would find and decide them: nothing here can write.

use aws::cloudwatch::AlarmReader as _;
use aws::operator;
use aws::steps::{Reader, StepReader as _};
use failover::pin::Observation;
use failover::rule::Id;
use failover::step::{Decision, Moment, STEPS_VARIABLE, Seen, Steps, World, decide};
use serde_json::{Value, json};

use crate::terminal::{BOLD, DIM, Terminal, WARNING};
use crate::workload::Workload;

/// What is to happen around a failover, or why that is not known; nothing if no step is in the plan.
#[derive(Debug)]
pub struct Around(Result<Vec<Decision>, String>);

/// What the failover is imagined to have come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Imagined {
    /// Nothing but what was seen.
    Nothing,
    /// All of it: what comes after it is due too.
    Over,
}

impl Around {
    /// Looks at every step's resource. That it cannot be done stops nothing else from being shown.
    pub async fn look(workload: &Workload, seen: &Observation, imagined: Imagined) -> Self {
        match workload.plan.has_steps {
            true => Self(decisions(workload, seen, imagined).await),
            false => Self(Ok(Vec::new())),
        }
    }

    /// A line each step, and what it comes of.
    pub fn print(&self, terminal: &Terminal) {
        match &self.0 {
            Ok(decisions) => decisions.iter().for_each(|decision| print(terminal, decision)),
            Err(why) => terminal.say(format!("steps     {WARNING}not known: {why}{WARNING:#}")),
        }
    }

    /// The same for programs.
    pub fn as_json(&self) -> Value {
        match &self.0 {
            Ok(decisions) => decisions.iter().map(as_json).collect(),
            Err(why) => json!(format!("not known: {why}")),
        }
    }
}

async fn decisions(workload: &Workload, seen: &Observation, imagined: Imagined) -> Result<Vec<Decision>, String> {
    let function = format!("{}-preparer", workload.bus);
    let text = operator::function_variable(&workload.session, &function, STEPS_VARIABLE).await;
    let text = text.map_err(|error| error.to_string())?;
    let text = text.ok_or_else(|| format!("the function {function} has no {STEPS_VARIABLE}"))?;
    let steps = Steps::parse(&text).map_err(|error| error.to_string())?;
    let arns: Vec<_> = steps.alarms().cloned().collect();
    let site = workload.metrics.alarms(&arns).await;
    let site = site.unwrap_or_default();
    let alarms = seen.alarms.clone().map(|known| known.into_iter().chain(site).collect());
    let world = World { now: seen.now, alarms: &alarms, names: Ok(&seen.names), latch: &seen.latch };
    let moment = Moment::of(&workload.plan, &steps, &world);
    let moment = match imagined {
        Imagined::Nothing => moment,
        Imagined::Over => Moment { after: moment.prepare.clone(), ..moment },
    };
    let reader = Reader::new(&workload.session);
    let mut decisions = Vec::new();
    for entry in &steps.entries {
        let looked = reader.look(entry).await;
        let looked = looked.unwrap_or_else(|error| Seen::NotSeen(error.to_string()));
        decisions.push(decide(&moment, entry, &looked));
    }
    Ok(decisions)
}

fn print(terminal: &Terminal, decision: &Decision) {
    let Decision { entry, row, facts, .. } = decision;
    let seen = facts.first().map_or("", |fact| fact.seen.as_str());
    terminal.say(format!("{:8}  {BOLD}{}{BOLD:#}  {seen}", entry.list.to_string().to_lowercase(), entry.target));
    terminal.say(format!("          {DIM}{} {}: {}{DIM:#}", row.id, row.condition, row.next));
}

fn as_json(decision: &Decision) -> Value {
    let Decision { entry, row, facts, .. } = decision;
    let Id { rule, letter } = row.id;
    json!({
        "list": entry.list.to_string().to_lowercase(),
        "resource": entry.arn,
        "is_to": entry.wanted(),
        "rule": rule,
        "row": letter,
        "verdict": format!("{:?}", row.verdict),
        "because": row.condition,
        "next": row.next,
        "facts": facts,
    })
}
