//! One pass of an invocation: what it stands on, and what it came to.

use std::collections::BTreeMap;

use aws::CallError;
use aws::route53::HealthCheckWriter;
use failover::change::{self, Batch, Write};
use failover::incident::{AlarmState, Incident};
use failover::latch::Latch;
use failover::name::Name;
use failover::observation::{Attention, Fact};
use failover::outcome::{Finding, Kind};
use failover::pin::{self, Observation};
use failover::plan::Plan;
use failover::register::{ArmedBy, Register};
use failover::rule::Rule;
use failover::users::Users;

use crate::calls::{Key, Pending};
use crate::look::Blind;

/// What this pass and those before it came to. `settled`, `uncertain`, `taken`, `users` and `latch` are carried over to the next; `findings` and `saw`
/// are the last pass's, since each decides anew.
#[derive(Default)]
pub(crate) struct Pass {
    /// What is to be said of this pass.
    pub findings: Vec<Finding>,
    /// Names this invocation has written, or Route 53 will not let it write.
    pub settled: BTreeMap<Key, Finding>,
    /// Names whose write may have taken effect or not.
    pub uncertain: BTreeMap<Key, (Write, Finding)>,
    /// What Route 53 took, and the ids of the changes.
    pub taken: Vec<(Batch, String)>,
    /// Where users were at the first look.
    pub users: Option<Users>,
    /// What this pass saw, if it acted on it.
    pub saw: Option<Observation>,
    /// The latch, if it is closed.
    pub latch: Option<Latch>,
}

/// What a pass is about to write.
pub(crate) struct Decided {
    pub pending: Pending,
    pub pass: Pass,
}

impl Pass {
    /// The last pass: it could not read Route 53.
    pub(crate) fn ended_by(self, blind: Blind) -> Self {
        let latch = self.latch.or(blind.latch.closed().cloned());
        // Nobody knows how many names are pinned; the failover is committed all the same.
        let committed = latch.as_ref().map(|latch| Finding::latched(latch, 0));
        let findings = [unread(blind)].into_iter().chain(committed).collect();
        Self { findings, saw: None, latch, ..self }
    }

    /// Decides about every name that is not settled in this invocation yet.
    pub(crate) fn decide(self, plan: &Plan, seen: &Observation) -> Decided {
        let users = || Users::seen(plan, &seen.alarms, (seen.hold, &seen.latch), &seen.names);
        let (mut pending, mut findings) = (Vec::new(), Vec::new());
        let Self { mut settled, mut uncertain, taken, users: before, latch, .. } = self;
        let committed = seen.committed();
        let mut decided: BTreeMap<_, Vec<&Name>> = BTreeMap::new();
        for view in &seen.names {
            let key = (view.zone.clone(), view.name.clone());
            if let Some((write, finding)) = uncertain.remove(&key)
                && view.register() == Some(&write.register)
            {
                // Our write took effect after all, or that of another invocation which wrote the same in the same second. Nobody here knows
                // its change: P02b gets one.
                settled.insert(key.clone(), finding);
            }
            if settled.contains_key(&key) {
                continue;
            }
            let decision = pin::decide_among(plan, seen, view, &committed);
            decided.entry((decision.row.id, decision.row.condition)).or_default().push(&view.name);
            let (verdict, incident) = (decision.row.verdict, decision.incident.clone());
            let mut finding = Finding::from(decision);
            match change::write(view, verdict, incident.as_ref(), seen.now) {
                Ok(Some(write)) => pending.push((write, finding)),
                Ok(None) => findings.push(finding),
                Err(error) => {
                    finding.kind = Kind::Refused;
                    finding.facts.push(Fact::new("fault", error));
                    findings.push(finding);
                }
            }
        }
        // A line a rule, since a line a name would be gigabytes a day where there are thousands.
        for ((row, because), names) in decided {
            tracing::info!(rule = %row, because, name = names.first().map(ToString::to_string), names = names.len(), "decided");
        }
        let users = before.or_else(|| Some(users()));
        Decided { pending, pass: Self { findings, settled, taken, users, latch, ..Self::default() } }
    }
}

fn unread(Blind { error, alarms, .. }: Blind) -> Finding {
    let ringing = alarms.iter().flatten().find(|alarm| alarm.state == AlarmState::Alarm);
    let incident = ringing.map(|alarm| Incident { alarm: alarm.name.clone(), began: alarm.since });
    let since = incident.as_ref().map(|incident| incident.began);
    Finding::interrupted("the records".to_owned(), error.fate(), &error, incident, since)
}

/// What is to be said of a write that is not tried again in this invocation.
pub(crate) fn given_up(write: &Write, error: &CallError, found: Finding) -> Finding {
    let Finding { id, incident, since, .. } = found;
    let finding = Finding::interrupted(write.name.to_string(), error.fate(), error, incident, since);
    // A rehearsal that did not come off is tried again in an hour; nobody need get up for it.
    let attention = if id.is_some_and(|id| id.rule == Rule::P14) { Attention::None } else { finding.attention };
    // By P13 `hold::lets_go` knows that a pin was due and is not made, and stops the heartbeat: DNS follows the outage.
    let id = id.filter(|id| id.rule == Rule::P13);
    Finding { attention, id, ..finding }
}

/// Enables the failover health check before any register says that the maintenance is over: whoever is killed in
/// between leaves a register that the next tick ends again. What must wait for the check is left out, and told.
pub(crate) async fn end_maintenance(
    writer: &impl HealthCheckWriter,
    plan: &Plan,
    pending: Pending,
) -> (Pending, Vec<Finding>) {
    let ends_one = |write: &Write| matches!(write.register, Register::Armed { by: ArmedBy::MaintenanceEnd, .. });
    let Some(check) = &plan.failover_health_check else { return (pending, Vec::new()) };
    if !pending.iter().any(|(write, _)| ends_one(write)) {
        return (pending, Vec::new());
    }
    let Err(error) = writer.set_disabled(check, false).await else { return (pending, Vec::new()) };
    let (held, rest): (Pending, Pending) = pending.into_iter().partition(|(write, _)| ends_one(write));
    let held = held.into_iter().map(|(write, finding)| {
        Finding::interrupted(write.name.to_string(), error.fate(), &error, finding.incident, finding.since)
    });
    (rest, held.collect())
}
