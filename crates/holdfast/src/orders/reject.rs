//! `holdfast reject`: an incident is no reason to fail over.

use failover::incident::{AlarmSighting, AlarmState, Incident};
use failover::order::Order;
use failover::pin::Observation;

use super::{Words, Written, obey};
use crate::cli::Ask;
use crate::failure::Failure;
use crate::look::look;
use crate::report::records;
use crate::terminal::{Terminal, WARNING};
use crate::workload::Workload;

/// Says that an incident is none.
pub async fn reject(workload: &Workload, terminal: &Terminal, incident: Incident, ask: &Ask) -> Result<(), Failure> {
    let seen = look(workload).await?;
    let order = Order::Reject { incident: incident.clone() };
    Written::of(&seen, &order)?;
    known(workload, terminal, &seen, &incident).await?;
    let question = format!("Not fail over in {incident}?");
    obey(workload, terminal, &seen, &order, Words { reason: &ask.reason, then: "", question: &question }).await
}

/// Refuses an incident that nothing tells of: to reject one arms the names anew, and for SettleSeconds a real outage asks first.
async fn known(
    workload: &Workload,
    terminal: &Terminal,
    seen: &Observation,
    incident: &Incident,
) -> Result<(), Failure> {
    let rings = |alarm: &AlarmSighting| {
        let began = (alarm.name.as_str(), alarm.since.as_second());
        alarm.state == AlarmState::Alarm && began == (incident.alarm.as_str(), incident.began.as_second())
    };
    if seen.alarms.iter().flatten().any(rings) {
        return Ok(());
    }
    let records = records::gather(workload, Some(incident.clone())).await?;
    if records.know() {
        return Ok(());
    }
    // What did not answer may be what knows of it.
    if records.lacks("the log of ") || records.lacks("the history of ") {
        terminal.say(format!(
            "{WARNING}whether there is such an incident is not known{WARNING:#}: not every record of AWS's answered"
        ));
        return Ok(());
    }
    match records::unknown(workload, &records).await {
        Failure::Refused(why) => Err(Failure::Refused(format!("nothing was changed: {why}"))),
        failure => Err(failure),
    }
}
