//! Looks at everything, and lets the rules of the functions decide about it: nothing here can write.

use std::collections::BTreeSet;
use std::time::Duration;

use alarm_handler::look::{Memory, observe};
use aws::rds::ReplicaReader as _;
use failover::change::{self, Batch};
use failover::incident::{AlarmSighting, AlarmState, Approval, Incident};
use failover::observation::{Fact, Probe, Silence};
use failover::pin::{self, Decision, Observation, Verdict};
use failover::plan::alarm_name;
use failover::promotion::{self, Failover, Gate, GateDecision, ReplicaDecision, ReplicaState};
use failover::rule::{Id, Rule};
use failover::signal::Signal;
use futures_util::future::join_all;
use jiff::Timestamp;
use replica_promoter::databases::observe_replica;
use serde::Serialize;

use crate::failure::Failure;
use crate::workload::Workload;

/// For all databases together.
const HELD_WITHIN: Duration = Duration::from_secs(10);

/// What alarm-handler would see now.
pub async fn look(workload: &Workload) -> Result<Observation, Failure> {
    let Workload { plan, records, metrics, prober, beside, .. } = workload;
    let seen = observe(plan, records, metrics, prober, beside, (&Signal::Tick, Memory::InNeed)).await;
    seen.map_err(|blind| Failure::Aws(blind.error))
}

/// Databases in DR that are no replicas.
pub async fn not_replicating(workload: &Workload) -> Result<Vec<String>, Failure> {
    let mut idle = Vec::new();
    for id in &workload.plan.replicas {
        match workload.databases.state(id).await? {
            ReplicaState::Present(database) if database.is_replica() => {}
            ReplicaState::Present(database) => idle.push(format!("{id} is {}", database.source)),
            ReplicaState::Missing => idle.push(format!("{id} does not exist")),
            ReplicaState::Unanswered(why) => idle.push(format!("{id} is not known: RDS did not answer: {why}")),
        }
    }
    Ok(idle)
}

/// The same, as if the plan's first alarm had just begun to ring.
pub fn with_alarm(workload: &Workload, seen: &Observation) -> Observation {
    let mut alarms = seen.alarms.clone().unwrap_or_default();
    if let Some(arn) = workload.plan.alarms.first() {
        let name = alarm_name(arn).unwrap_or_default().to_owned();
        alarms.retain(|alarm| alarm.arn != *arn);
        alarms.push(AlarmSighting { arn: arn.clone(), name, state: AlarmState::Alarm, since: seen.now, trouble: None });
    }
    Observation { alarms: Some(alarms), ..seen.clone() }
}

/// The same, as if the outage were real: the primary does not answer either.
pub fn in_an_outage(workload: &Workload, seen: &Observation) -> Observation {
    let mut imagined = with_alarm(workload, seen);
    if imagined.probes.primary != Probe::NotAsked {
        imagined.probes.primary = Probe::Silent(Silence::TimedOut);
    }
    imagined
}

/// The same, as if a person had lifted these rules in this incident.
pub fn approved(seen: &Observation, incident: Incident, despite: BTreeSet<Rule>) -> Observation {
    let approval = Approval { incident, by: "you".to_owned(), reason: String::new(), despite };
    Observation { approval: Some(approval), ..seen.clone() }
}

/// What the pin rules decide, name by name.
pub fn decide(workload: &Workload, seen: &Observation) -> Vec<Decision> {
    seen.names.iter().map(|view| pin::decide(&workload.plan, seen, view)).collect()
}

/// What alarm-handler would submit.
pub fn batches(seen: &Observation, decisions: &[Decision]) -> Result<Vec<Batch>, Failure> {
    let writes = seen
        .names
        .iter()
        .zip(decisions)
        .map(|(view, decision)| change::write(view, decision.row.verdict, decision.incident.as_ref(), seen.now));
    let writes = writes.filter_map(Result::transpose).collect::<Result<_, _>>();
    writes.map(change::batches).map_err(|error| Failure::Refused(error.to_string()))
}

/// What the promotion rules decide about the workload.
pub fn gate(workload: &Workload, seen: &Observation) -> GateDecision {
    promotion::decide_gate(&workload.plan, seen.now, &seen.names, &seen.changes)
}

/// What the promotion rules would decide about each database in an incident, were the gate open.
pub async fn replicas(workload: &Workload, seen: &Observation, incident: &Incident) -> Vec<ReplicaDecision> {
    let Workload { plan, databases, metrics, .. } = workload;
    let (now, failover) = (seen.now, &Failover::of(incident, None, &seen.names));
    join_all(plan.replicas.iter().map(|id| async move {
        let replica = observe_replica(plan, id, incident, now, databases, metrics).await;
        promotion::decide_replica(plan, now, failover, &replica, None)
    }))
    .await
}

/// The databases that the rules will not promote by themselves, and why, whatever newer samples of their lag may say: an approval of the pin is
/// none of lost writes. An outage goes on meanwhile, so their answers are not waited for.
pub async fn held(workload: &Workload, seen: &Observation) -> Vec<String> {
    use promotion::Verdict::{Ask, Trouble};
    // As if the alarm rang: of an incident that begins now the newest sample, of a minute ago, says too little.
    let incident = real_or_imagined(workload, seen, &[]);
    let Ok(decided) = tokio::time::timeout(HELD_WITHIN, replicas(workload, seen, &incident)).await else {
        let seconds = HELD_WITHIN.as_secs();
        return vec![format!(
            "whether DR's databases will be is not known: RDS or CloudWatch does not answer within {seconds} s"
        )];
    };
    let held = decided.into_iter().filter(|decision| matches!(decision.row.verdict, Ask | Trouble));
    held.map(|decision| {
        format!("{} ({}): {}; {}", decision.id, decision.row.id, decision.row.condition, decision.row.next)
    })
    .collect()
}

/// The incident that the workload is in; else the one it would be in if the plan's first alarm rang now.
pub fn real_or_imagined(workload: &Workload, seen: &Observation, decisions: &[Decision]) -> Incident {
    let alarm = workload.plan.alarms.first().and_then(|arn| alarm_name(arn));
    let imagined = || match alarm {
        Some(alarm) => Incident { alarm: alarm.to_owned(), began: seen.now },
        None => Incident::declared(seen.now),
    };
    incident(decisions).cloned().unwrap_or_else(imagined)
}

/// The incident that a failover is part of: the one that rings, unless it was dismissed. Of a dismissed one Holdfast waits for the next
/// alarm, which does not come while this one rings on, so a person declares one.
pub fn incident_of(decisions: &[Decision], now: Timestamp) -> Incident {
    let rings = decisions.iter().filter(|decision| decision.row.id.rule != Rule::P06);
    let ringing = rings.filter_map(|decision| decision.incident.clone()).next();
    ringing.unwrap_or_else(|| Incident::declared(now))
}

/// The incident that some name is in.
pub fn incident(decisions: &[Decision]) -> Option<&Incident> {
    decisions.iter().find_map(|decision| decision.incident.as_ref())
}

/// Names of which one row decided.
#[derive(Debug, Serialize)]
pub struct Finding {
    /// The row.
    #[serde(flatten)]
    pub id: Id,
    /// What it decides.
    pub verdict: String,
    /// When it decides so.
    pub because: &'static str,
    /// What happens next.
    pub next: &'static str,
    /// What one approval would have to lift.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub despite: BTreeSet<Rule>,
    /// The names, or the databases; none where a workload without databases is waited for.
    pub names: Vec<String>,
    /// What more there is to know of it.
    #[serde(skip)]
    pub hint: Option<String>,
    /// True if this would pin, or has.
    #[serde(skip)]
    pub goes_on: bool,
}

/// What a row says of several cases at once: which it is here.
pub fn hint(id: Id, facts: &[Fact]) -> Option<String> {
    let fact = |about: &str| facts.iter().find(|fact| fact.about == about).map(|fact| fact.seen.as_str());
    match (id.rule, id.letter) {
        (Rule::P08, _) => fact("so soon").map(str::to_owned),
        (Rule::P04, Some('a')) if fact("register").is_some_and(|register| register.starts_with("absent")) => {
            Some("never armed yet: Holdfast arms it by itself once all has been quiet for the settle time".to_owned())
        }
        _ => None,
    }
}

/// What the promotion rules decide in an incident: about all databases together until the gate is open, then about each.
pub fn promotion(gate: &GateDecision, replicas: &[ReplicaDecision]) -> Vec<Finding> {
    let finding = |id: Id, verdict: String, because, next, names: Vec<String>| Finding {
        id,
        verdict,
        because,
        next,
        despite: BTreeSet::new(),
        names,
        hint: None,
        goes_on: true,
    };
    let of_replica = |it: &ReplicaDecision| {
        finding(it.row.id, format!("{:?}", it.row.verdict), it.row.condition, it.row.next, vec![it.id.to_string()])
    };
    match gate.row.verdict {
        Gate::Closed => Vec::new(),
        Gate::Wait | Gate::RecordInSync => {
            let all = replicas.iter().map(|it| it.id.to_string()).collect();
            vec![finding(gate.row.id, format!("{:?}", gate.row.verdict), gate.row.condition, gate.row.next, all)]
        }
        Gate::Open => replicas.iter().map(of_replica).collect(),
    }
}

/// One finding a row, in the order of the names.
pub fn findings(decisions: &[Decision]) -> Vec<Finding> {
    let mut findings: Vec<Finding> = Vec::new();
    for Decision { name, row, despite, facts, .. } in decisions {
        match findings.iter_mut().find(|finding| finding.id == row.id) {
            Some(finding) => finding.names.push(name.to_string()),
            None => findings.push(Finding {
                id: row.id,
                verdict: format!("{:?}", row.verdict),
                because: row.condition,
                next: row.next,
                despite: despite.clone(),
                names: vec![name.to_string()],
                hint: hint(row.id, facts),
                goes_on: matches!(row.verdict, Verdict::Pin | Verdict::Repin | Verdict::Confirm | Verdict::Stay),
            }),
        }
    }
    findings
}
