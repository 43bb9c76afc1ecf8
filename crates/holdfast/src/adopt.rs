//! `holdfast adopt`: from now on DNS moves by Holdfast alone; or no longer.

use aws::cloudwatch::AlarmReader as _;
use aws::route53::Writer;
use failover::adopt::adopt as adopted;
use failover::change::{self, Write};
use failover::incident::AlarmState;
use failover::pin::Observation;
use failover::plan::{Mode, Plan};
use serde_json::json;

use crate::failure::Failure;
use crate::guard;
use crate::look::look;
use crate::orders::{submit_batch, told};
use crate::readiness::switch::{self, Switch};
use crate::terminal::{BOLD, Terminal, WARNING};
use crate::workload::Workload;

/// Puts the switch on every PRIMARY record, in place of the alarm's own health check; or gives that back.
pub async fn adopt(workload: &Workload, terminal: &Terminal, off: bool) -> Result<(), Failure> {
    let plan = &workload.plan;
    let (Some(switch), Some(own)) = (&plan.switch, &plan.failover_health_check) else {
        let why = "there is no switch: deploy the responder with DnsMoves=by-holdfast and the detector's FailoverHealthCheckId";
        return Err(Failure::Refused(why.to_owned()));
    };
    let seen = look(workload).await?;
    all_quiet(plan, &seen)?;
    if !off {
        sound(workload).await?;
    }
    guard::writable(workload, terminal, &seen.names).await?;
    let check = if off { own } else { switch };
    let (mut writes, mut refusals) = (Vec::new(), Vec::new());
    for view in &seen.names {
        match adopted(view, check) {
            Ok(write) => writes.extend(write),
            Err(error) => refusals.push(error.to_string()),
        }
    }
    if !writes.is_empty() {
        confirm(terminal, &writes, check, off)?;
        let writer = Writer::new(&workload.session);
        for batch in change::batches(writes.clone()) {
            submit_batch(workload, &writer, &batch).await?;
        }
    }
    let names: Vec<_> = writes.iter().map(|write| write.name.to_string()).collect();
    terminal.result(&json!({"health_check": check, "changed": names, "left": refusals}));
    if names.is_empty() && refusals.is_empty() {
        terminal.say(format!("nothing is to be changed: every PRIMARY record has the health check {check}"));
    }
    match refusals.is_empty() {
        true => Ok(()),
        false => Err(Failure::Refused(format!("not every name came along: {}", told(&refusals)))),
    }
}

fn confirm(terminal: &Terminal, writes: &[Write], check: &str, off: bool) -> Result<(), Failure> {
    for write in writes {
        terminal.say(format!("{BOLD}{}{BOLD:#}  its PRIMARY records get the health check {check}", write.name));
    }
    if off {
        terminal.say(format!(
            "{WARNING}Route 53 then moves users as the alarm rings, whatever Holdfast decides{WARNING:#}"
        ));
        return terminal.confirm("Give the PRIMARY records the alarm's own health check back?");
    }
    terminal.say(
        "Holdfast then holds DNS at the primary until it pins; were it silent for five minutes, DNS would follow the alarm",
    );
    terminal.confirm("Let DNS move by Holdfast alone?")
}

/// With an alarm that rings, or of which nothing is known, the change would move users by itself.
fn all_quiet(plan: &Plan, seen: &Observation) -> Result<(), Failure> {
    let is_ok = |arn: &String| {
        let of_arn = seen.alarms.iter().flatten().find(|alarm| alarm.arn == *arn);
        of_arn.is_some_and(|alarm| alarm.state == AlarmState::Ok)
    };
    match plan.alarms.iter().find(|arn| !is_ok(arn)) {
        None => Ok(()),
        Some(arn) => Err(Failure::Refused(format!(
            "nothing was changed: the alarm {arn} is not OK, and the change might move users now; wait until it is"
        ))),
    }
}

/// Whether each child of the switch has data and says what it should.
async fn sound(workload: &Workload) -> Result<(), Failure> {
    let plan = &workload.plan;
    if plan.mode == Mode::Shadow {
        let why = "nothing was changed: in shadow mode Holdfast pins nothing, so nothing would move users in an outage; shadow leaves \
                   the records' own health check alone";
        return Err(Failure::Refused(why.to_owned()));
    }
    let Some(switch) = switch::look(&workload.session, plan).await else { return Ok(()) };
    let unsound = switch::unsound(plan, &switch);
    if !unsound.is_empty() {
        return Err(Failure::Refused(format!("nothing was changed: {}", unsound.join("; "))));
    }
    has_heartbeat(workload, &switch).await
}

async fn has_heartbeat(workload: &Workload, switch: &Switch) -> Result<(), Failure> {
    let name = switch::hold_alarm(&workload.plan, switch).unwrap_or_default();
    let region = workload.session.config().region().map(ToString::to_string).unwrap_or_default();
    let arn = beside(&workload.plan.alarms[0], &region, &name);
    let known = workload.metrics.alarms(&[arn]).await?;
    match known.first().map(|alarm| alarm.state) {
        Some(AlarmState::Ok) => Ok(()),
        state => Err(Failure::Refused(format!(
            "nothing was changed: the alarm {name} in {region} is {}, so nobody knows whether Holdfast's heartbeat is heard; it has \
             data some minutes after the deployment, if alarm-handler runs",
            state.map_or("not there".to_owned(), |state| format!("{state:?}"))
        ))),
    }
}

/// The ARN of another alarm of the same account.
fn beside(arn: &str, region: &str, name: &str) -> String {
    let mut parts: Vec<&str> = arn.splitn(7, ':').collect();
    if let [.., of_region, _, _, of_name] = parts.as_mut_slice() {
        (*of_region, *of_name) = (region, name);
    }
    parts.join(":")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alarm_of_the_same_account_is_named_by_region_and_name() {
        let arn = "arn:aws-cn:cloudwatch:us-east-1:123456789012:alarm:holdfast-failover-started";
        assert_eq!(
            beside(arn, "eu-central-1", "holdfast-hold-lapsed"),
            "arn:aws-cn:cloudwatch:eu-central-1:123456789012:alarm:holdfast-hold-lapsed"
        );
    }
}
