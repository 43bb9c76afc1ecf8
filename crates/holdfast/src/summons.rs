//! What a person asks of the functions through the bus: here a failover that no alarm started; `approve` has the approvals.

use std::time::Duration;

use aws::{CallError, operator};
use failover::incident::{Approval, Incident};
use failover::pin::{Decision, Observation, Verdict};
use failover::rule::Rule;
use failover::signal;
use serde_json::json;

use crate::cli::{Access, Ask};
use crate::failure::Failure;
use crate::look::{self, Finding, look};
use crate::positions::Positions;
use crate::status::print_findings;
use crate::terminal::{BOLD, GOOD, Terminal, WARNING};
use crate::workload::Workload;

const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Lambda retries an event after one minute and again after two ("Error handling for asynchronous invocation").
const PATIENCE: Duration = Duration::from_secs(240);

/// Refuses where nobody would hear: EventBridge takes events for a bus that is not there, and tells nobody.
pub async fn heard(workload: &Workload, terminal: &Terminal) -> Result<(), Failure> {
    let Workload { session, bus, .. } = workload;
    let region = session.config().region().map_or("no region", |region| region.as_ref());
    match operator::has_bus(session, bus).await {
        Ok(true) => Ok(()),
        Ok(false) => Err(Failure::Usage(format!(
            "nothing was said: there is no event bus {bus} in {region}, and EventBridge would take the event and drop it; give the DR \
             region with --region, the stack's BusName with --bus"
        ))),
        // Who may put events may not be allowed to look.
        Err(CallError::Refused { code, .. }) => {
            terminal.say(format!(
                "{WARNING}whether there is an event bus {bus} in {region} is not known ({code}; events:DescribeEventBus): EventBridge takes \
                 events for one that is not there as well{WARNING:#}"
            ));
            Ok(())
        }
        Err(error) => Err(error.into()),
    }
}

/// The approval of whoever runs this.
pub async fn approval(
    workload: &Workload,
    incident: Incident,
    despite: Vec<Rule>,
    ask: &Ask,
) -> Result<Approval, Failure> {
    if let Some(rule) = despite.iter().find(|rule| !rule.is_liftable()) {
        return Err(Failure::Refused(failover::incident::ApprovalError::NotLiftable(*rule).to_string()));
    }
    let by = operator::caller(&workload.session).await?;
    Ok(Approval { incident, by, reason: ask.reason.clone(), despite: despite.into_iter().collect() })
}

/// A failover that a person wants, and what the rules make of it.
pub struct Intent {
    approval: Approval,
    imagined: Observation,
    decisions: Vec<Decision>,
    /// What the rules decide, row by row.
    pub findings: Vec<Finding>,
}

impl Intent {
    /// Looks, and lets the rules decide as if it had been said.
    pub async fn of(workload: &Workload, terminal: &Terminal, despite: Vec<Rule>, ask: &Ask) -> Result<Self, Failure> {
        heard(workload, terminal).await?;
        let seen = look(workload).await?;
        let incident = look::incident_of(&look::decide(workload, &seen), seen.now);
        let approval = approval(workload, incident, despite, ask).await?;
        let mut imagined = Observation { approval: Some(approval.clone()), ..seen };
        imagined.alarms.get_or_insert_default().extend(approval.incident.as_declared_alarm());
        let decisions = look::decide(workload, &imagined);
        let findings = look::findings(&decisions);
        Ok(Self { approval, imagined, decisions, findings })
    }

    /// The incident that it is part of, or begins.
    pub fn incident(&self) -> &Incident {
        &self.approval.incident
    }

    /// Who wants it, and why.
    pub fn by(&self) -> &str {
        &self.approval.by
    }

    /// Refuses what the rules do.
    pub fn allowed(&self) -> Result<(), Failure> {
        if self.decisions.iter().all(|decision| decision.row.verdict == Verdict::Stay) {
            return Err(Failure::Refused("nothing was changed: every name is on DR already".to_owned()));
        }
        let Some(finding) = self.findings.iter().find(|finding| !finding.goes_on) else { return Ok(()) };
        let despite: Vec<_> = finding.despite.iter().map(ToString::to_string).collect();
        let remedy = match despite.is_empty() {
            true => finding.next.to_owned(),
            false => format!("{}; --despite {} lifts it, if you must", finding.next, despite.join(",")),
        };
        let why = format!(
            "nothing was changed: {} ({}): {}; {remedy}",
            finding.names.join(", "),
            finding.id,
            finding.because
        );
        Err(Failure::Refused(why))
    }

    /// Shows what would be written, and asks.
    pub fn confirm(&self, terminal: &Terminal, question: &str) -> Result<(), Failure> {
        terminal.show_batches(&look::batches(&self.imagined, &self.decisions)?);
        terminal.say(format!("\n{BOLD}then the databases are promoted, which cannot be undone{BOLD:#}"));
        terminal.confirm(&format!("{question} {} names to DR?", self.decisions.len()))
    }

    /// Says it.
    pub async fn say(&self, workload: &Workload) -> Result<(), Failure> {
        Ok(operator::put_approval(&workload.session, &workload.bus, &self.approval).await?)
    }

    /// Waits until every name is pinned.
    pub async fn pinned(&self, workload: &Workload, terminal: &Terminal) -> Result<Vec<String>, Failure> {
        let seen = until_pinned(workload, terminal, self.incident()).await?;
        Ok(seen.names.iter().map(|view| view.name.to_string()).collect())
    }
}

/// Fails over, if the rules allow it, and waits until every name is pinned.
pub async fn failover(
    workload: &Workload,
    terminal: &Terminal,
    despite: Vec<Rule>,
    (ask, access): (&Ask, &Access),
) -> Result<(), Failure> {
    let intent = Intent::of(workload, terminal, despite, ask).await?;
    print_findings(terminal, &intent.findings);
    intent.allowed()?;
    let held = look::held(workload, &intent.imagined).await;
    held.iter().for_each(|why| terminal.say(format!("{WARNING}not promoted without you{WARNING:#}: {why}")));
    intent.confirm(terminal, "Fail over")?;
    let positions = Positions::ask(workload, terminal, access).await;
    intent.say(workload).await?;
    positions.announce(workload, terminal, intent.incident(), intent.by()).await;
    let pinned = intent.pinned(workload, terminal).await?;
    let incident = intent.incident();
    terminal.result(&json!({"incident": incident, "pinned": pinned, "positions": positions.as_json(), "held": held}));
    let follows = match held.is_empty() {
        true => "the databases follow, or ask you about lost writes if the primary was down before",
        false => "not every database follows by itself, as was said, and users cannot write until then",
    };
    terminal.say(format!("{GOOD}pinned to DR{GOOD:#}, incident {incident}; {follows}: `holdfast status --watch`"));
    Ok(())
}

async fn until_pinned(workload: &Workload, terminal: &Terminal, incident: &Incident) -> Result<Observation, Failure> {
    let progress = terminal.wait("waiting for alarm-handler to pin".to_owned());
    let wait = async {
        loop {
            // A look that fails is made again: the failover was asked for, and may begin.
            match look(workload).await {
                Ok(seen) if seen.names.iter().all(|view| view.pin().is_some()) => return seen,
                Ok(_) | Err(_) => tokio::time::sleep(LOOK_EVERY).await,
            }
        }
    };
    let waited = tokio::time::timeout(PATIENCE, wait).await;
    progress.finish_and_clear();
    waited.map_err(|_| Failure::Refused(not_pinned(incident)))
}

/// What is said once time is up: an event that is late is acted on all the same.
fn not_pinned(incident: &Incident) -> String {
    let seconds = PATIENCE.as_secs();
    let why =
        format!("not every name is pinned after {seconds} s; `holdfast status` and the messages of {incident} say why");
    match signal::declared_until(incident) {
        Some(until) => format!(
            "{why}. It may still begin until {} UTC: leave writes stopped until then, or stop it first with `holdfast disarm`",
            until.strftime("%H:%M:%S")
        ),
        None => format!("{why}. It goes on as long as its alarm rings; `holdfast reject {incident}` stops it"),
    }
}

#[cfg(test)]
mod tests {
    use failover::incident::{AlarmSighting, AlarmState};
    use failover::observation::{Changes, NameView, Probes};
    use failover::pin;
    use failover::plan::Plan;
    use failover::record::{RecordSet, Role, Routing, Target};

    use super::*;

    const ALARM: &str = "arn:aws:cloudwatch:us-east-1:123456789012:alarm:started";

    fn plan() -> Plan {
        let plan = r#"{"mode":"automatic","zones":[{"id":"Z1","names":["a.example.com"]}],"alarms":["ALARM"],"limits":{"lag_seconds_max":60,
            "settle_seconds":900,"cooldown_seconds":3600,"drain_seconds":90,"detection_seconds_max":2400}}"#;
        Plan::parse(&plan.replace("ALARM", ALARM)).unwrap()
    }

    /// Armed by a person's word at that time, with an alarm that rings since 10:00.
    fn decided(by: &str, since: &str) -> Vec<Decision> {
        let name: failover::name::Name = "a.example.com".parse().unwrap();
        let values = |ttl_seconds, value: String| Target::Values { ttl_seconds, values: vec![value] };
        let of = |role, value: &str| RecordSet {
            name: name.clone(),
            kind: "A".to_owned(),
            routing: Routing::Failover { role, set_identifier: format!("{role:?}") },
            target: values(60, value.to_owned()),
            health_check: (role == Role::Primary).then(|| "hc".to_owned()),
        };
        let register = RecordSet {
            name: name.register(),
            kind: "TXT".to_owned(),
            routing: Routing::Simple,
            target: values(60, format!("\"v=1 armed since={since} by={by}\"")),
            health_check: None,
        };
        let sets = [of(Role::Primary, "192.0.2.1"), of(Role::Secondary, "198.51.100.1"), register];
        let alarm = || Incident { alarm: "started".to_owned(), began: "2026-01-05T10:00:00Z".parse().unwrap() };
        let mut rings: AlarmSighting = Incident::declared(alarm().began).as_declared_alarm().unwrap();
        (rings.arn, rings.name, rings.state) = (ALARM.to_owned(), alarm().alarm, AlarmState::Alarm);
        let seen = Observation {
            now: "2026-01-05T11:00:00Z".parse().unwrap(),
            alarms: Some(vec![rings]),
            probes: Probes::default(),
            names: vec![NameView::of_name("Z1", &name, &sets)],
            changes: Changes::new(),
            approval: None,
            hold: None,
            latch: failover::latch::Reading::NoStore,
            source: failover::listing::Source::Listed,
            foreign_alarm: false,
        };
        seen.names.iter().map(|view| pin::decide(&plan(), &seen, view)).collect()
    }

    #[test]
    fn a_failover_is_part_of_the_incident_that_rings_and_of_one_of_its_own_where_that_was_rejected() {
        let now = "2026-01-05T11:00:00Z".parse().unwrap();
        let of = |by, since| look::incident_of(&decided(by, since), now).to_string();
        assert_eq!(of("operator", "2026-01-05T08:00:00Z"), "started@2026-01-05T10:00:00Z");
        assert_eq!(of("rejection", "2026-01-05T10:30:00Z"), "operator@2026-01-05T11:00:00Z");
        assert_eq!(of("failback", "2026-01-05T10:30:00Z"), "operator@2026-01-05T11:00:00Z");
    }

    #[test]
    fn what_was_not_pinned_in_time_may_still_be_and_that_is_said() {
        let began = "2026-01-05T10:00:00Z".parse().unwrap();
        let said = not_pinned(&Incident::declared(began));
        assert!(said.contains("may still begin until 10:15:00 UTC") && said.contains("holdfast disarm"), "{said}");
        let said = not_pinned(&Incident { alarm: "started".to_owned(), began });
        assert!(said.contains("holdfast reject started@2026-01-05T10:00:00Z"), "{said}");
    }
}
