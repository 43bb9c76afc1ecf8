//! Whether Holdfast holds DNS at the primary now, and what a maintenance needs for that.

use aws::cloudwatch::AlarmReader as _;
use failover::hold;
use failover::incident::AlarmSighting;
use failover::pin::Observation;

use crate::failure::Failure;
use crate::readiness::switch;
use crate::terminal::{Terminal, WARNING};
use crate::workload::Workload;

/// The health check that a maintenance disables, if DNS is not held without that.
pub async fn maintained_check<'a>(workload: &'a Workload, terminal: &Terminal, seen: &Observation) -> Option<&'a str> {
    let own = workload.plan.failover_health_check.as_deref();
    let Some(check) = own else {
        terminal.say(format!(
            "{WARNING}the plan names no failover health check (the template's FailoverHealthCheckId): Holdfast will not act, but \
             Route 53 answers with DR if the primary is unhealthy{WARNING:#}"
        ));
        return None;
    };
    if hold::maintained_check(&workload.plan, &seen.names).is_some() {
        return own;
    }
    match holds(workload).await {
        Ok(()) => {
            terminal.say(
                "Holdfast holds DNS at the primary meanwhile. Were it silent for five minutes, with the site down for OutageMinutes, \
                 Route 53 would send users to DR (not with WithoutHoldfast=stay)",
            );
            None
        }
        Err(why) => {
            terminal.say(format!("{WARNING}Holdfast does not hold DNS now{WARNING:#}, so {check} is disabled: {why}"));
            own
        }
    }
}

/// Whether Holdfast holds DNS for what stands on the switch now.
pub async fn holds(workload: &Workload) -> Result<(), Failure> {
    let plan = &workload.plan;
    let Some(switch) = switch::look(&workload.session, plan).await else { return Ok(()) };
    let unsound = switch::unsound(plan, &switch);
    if !unsound.is_empty() {
        return Err(Failure::Refused(format!("nothing was changed: {}", unsound.join("; "))));
    }
    has_heartbeat(workload).await
}

async fn has_heartbeat(workload: &Workload) -> Result<(), Failure> {
    let Some(arn) = &workload.plan.hold_alarm else { return Ok(()) };
    let known = workload.metrics.alarms(std::slice::from_ref(arn)).await?;
    match known.first() {
        Some(alarm) if alarm.says_ok() => Ok(()),
        alarm => Err(Failure::Refused(format!(
            "nothing was changed: the alarm {arn} is {}, so nobody knows whether Holdfast's heartbeat is heard; it has data some \
             minutes after the deployment, if alarm-handler runs",
            alarm.map_or("not there".to_owned(), AlarmSighting::in_words)
        ))),
    }
}
