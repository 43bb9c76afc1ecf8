//! What a person asks of the functions through the bus: approvals, and a failover that no alarm started.

use std::time::Duration;

use aws::operator;
use failover::incident::{Approval, Incident};
use failover::pin::{Observation, Verdict};
use failover::register::Register;
use failover::rule::Rule;
use serde_json::json;

use crate::cli::Ask;
use crate::failure::Failure;
use crate::look::{self, look};
use crate::status::print_findings;
use crate::terminal::{BOLD, GOOD, Terminal};
use crate::workload::Workload;

const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Lambda retries an event after one minute and again after two ("Error handling for asynchronous invocation").
const PATIENCE: Duration = Duration::from_secs(240);

/// Lets Holdfast go on in an incident.
pub async fn approve(
    workload: &Workload,
    terminal: &Terminal,
    incident: Incident,
    despite: Vec<Rule>,
    ask: &Ask,
) -> Result<(), Failure> {
    let approval = approval(workload, incident, despite, ask).await?;
    let despite: Vec<_> = approval.despite.iter().map(ToString::to_string).collect();
    terminal.say(format!(
        "incident  {}\nby        {}\ndespite   {}",
        approval.incident,
        approval.by,
        despite.join(", ")
    ));
    terminal.confirm("Approve?")?;
    operator::put_approval(&workload.session, &workload.bus, &approval).await?;
    terminal.result(&json!({"approved": approval}));
    terminal.say("approved; Holdfast's answer comes as a message, and `holdfast status` shows what came of it");
    Ok(())
}

async fn approval(workload: &Workload, incident: Incident, despite: Vec<Rule>, ask: &Ask) -> Result<Approval, Failure> {
    if let Some(rule) = despite.iter().find(|rule| !rule.is_liftable()) {
        return Err(Failure::Refused(failover::incident::ApprovalError::NotLiftable(*rule).to_string()));
    }
    let by = operator::caller(&workload.session).await?;
    Ok(Approval { incident, by, reason: ask.reason.clone(), despite: despite.into_iter().collect() })
}

/// Fails over, if the rules allow it, and waits until every name is pinned.
pub async fn failover(workload: &Workload, terminal: &Terminal, despite: Vec<Rule>, ask: &Ask) -> Result<(), Failure> {
    let seen = look(workload).await?;
    let ringing = look::incident(&look::decide(workload, &seen)).cloned();
    let incident = ringing.unwrap_or_else(|| Incident::declared(seen.now));
    let approval = approval(workload, incident, despite, ask).await?;
    let mut imagined = Observation { approval: Some(approval.clone()), ..seen };
    imagined.alarms.get_or_insert_default().extend(approval.incident.as_declared_alarm());
    let decisions = look::decide(workload, &imagined);
    let findings = look::findings(&decisions);
    print_findings(terminal, &findings);
    if decisions.iter().all(|decision| decision.row.verdict == Verdict::Stay) {
        return Err(Failure::Refused("nothing was changed: every name is on DR already".to_owned()));
    }
    if let Some(finding) = findings.iter().find(|finding| !finding.goes_on) {
        let despite: Vec<_> = finding.despite.iter().map(ToString::to_string).collect();
        let remedy = match despite.is_empty() {
            true => finding.next.to_owned(),
            false => format!("--despite {} lifts it, if you must", despite.join(",")),
        };
        let why = format!(
            "nothing was changed: {} ({}): {}; {remedy}",
            finding.names.join(", "),
            finding.rule,
            finding.because
        );
        return Err(Failure::Refused(why));
    }
    terminal.show_batches(&look::batches(&imagined, &decisions)?);
    terminal.say(format!("\n{BOLD}then the databases are promoted, which cannot be undone{BOLD:#}"));
    terminal.confirm(&format!("Fail over {} names to DR?", decisions.len()))?;
    operator::put_approval(&workload.session, &workload.bus, &approval).await?;
    let seen = until_pinned(workload, terminal, &approval.incident).await?;
    terminal.result(&json!({"incident": approval.incident, "pinned": seen.names.iter().map(|view| view.name.to_string()).collect::<Vec<_>>()}));
    terminal.say(format!(
        "{GOOD}pinned to DR{GOOD:#}, incident {}; the databases follow: `holdfast status --watch`",
        approval.incident
    ));
    Ok(())
}

async fn until_pinned(workload: &Workload, terminal: &Terminal, incident: &Incident) -> Result<Observation, Failure> {
    let progress = terminal.wait("waiting for alarm-handler to pin".to_owned());
    let wait = async {
        loop {
            let seen = look(workload).await?;
            if seen.names.iter().all(|view| view.register().and_then(Register::pin).is_some()) {
                return Ok(seen);
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    };
    let waited = tokio::time::timeout(PATIENCE, wait).await;
    progress.finish_and_clear();
    waited.unwrap_or_else(|_| {
        Err(Failure::Refused(format!(
            "not every name is pinned after {} s; `holdfast status` and the messages of {incident} say why",
            PATIENCE.as_secs()
        )))
    })
}
