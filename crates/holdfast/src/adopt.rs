//! `holdfast adopt`: from now on DNS moves by Holdfast alone; or no longer.

use aws::route53::Writer;
use failover::adopt::adopt as adopted;
use failover::announcement::Deed;
use failover::change::{self, Write};
use failover::latch;
use failover::observation::not_ok;
use failover::pin::Observation;
use failover::plan::{Mode, Plan};
use serde_json::json;

use crate::announce::announce;
use crate::failure::Failure;
use crate::guard;
use crate::hold::holds;
use crate::look::look;
use crate::orders::{named, submit_batch, told};
use crate::terminal::{BOLD, GOOD, Terminal, WARNING};
use crate::workload::Workload;

/// Puts the switch on every PRIMARY record, in place of the alarm's own health check; or gives that back.
pub async fn adopt(workload: &Workload, terminal: &Terminal, off: bool) -> Result<(), Failure> {
    let plan = &workload.plan;
    let check = if off { &plan.failover_health_check } else { &plan.switch };
    let Some(check) = check.as_ref().filter(|_| plan.failover_health_check.is_some()) else {
        let why = "there is no switch: deploy template.yaml with DnsMoves=by-holdfast (and, where detector.yaml has the alarms, with its FailoverHealthCheckId)";
        return Err(Failure::Refused(why.to_owned()));
    };
    let seen = look(workload).await?;
    all_quiet(plan, &seen)?;
    if !off {
        sound(workload).await?;
    }
    guard::writable(workload, terminal, &seen.names).await?;
    let (writes, mut refusals) = adoptions(&seen, check, off);
    let mut names = named(&writes);
    if !writes.is_empty() {
        let by = workload.author("").await?;
        confirm(terminal, &writes, check, off)?;
        // A question may be answered when the alarm has begun to ring.
        let seen = look(workload).await?;
        all_quiet(plan, &seen)?;
        let writes;
        (writes, refusals) = adoptions(&seen, check, off);
        names = named(&writes);
        let writer = Writer::new(&workload.session);
        for batch in change::batches(writes) {
            submit_batch(workload, &writer, &batch).await?;
        }
        // Somebody else may have been quicker.
        if !names.is_empty() {
            let deed = if off { Deed::SwitchGivenBack } else { Deed::SwitchAdopted };
            announce(workload, terminal, deed, &by, &names).await;
            terminal.say(done(&names, check, off));
        }
    }
    terminal.result(&json!({"health_check": check, "changed": names, "left": refusals}));
    if names.is_empty() && refusals.is_empty() {
        terminal.say(format!("nothing is to be changed: every PRIMARY record has the health check {check}"));
    }
    match refusals.is_empty() {
        true => Ok(()),
        false => Err(Failure::Refused(format!("not every name came along: {}", told(&refusals)))),
    }
}

/// What puts the check on the records, and why names are left out. What else moves a name's users would move them off the switch too.
fn adoptions(seen: &Observation, check: &str, off: bool) -> (Vec<Write>, Vec<String>) {
    let (mut writes, mut refusals) = (Vec::new(), Vec::new());
    for view in &seen.names {
        if let Some(warning) = view.warnings.first().filter(|_| !off) {
            refusals.push(format!("{}: {warning}; put that right first", view.name));
            continue;
        }
        match adopted(view, check, seen.now) {
            Ok(write) => writes.extend(write),
            Err(error) => refusals.push(error.to_string()),
        }
    }
    (writes, refusals)
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
        "Holdfast then holds DNS at the primary until it pins; were it silent for five minutes, DNS would follow the alarm (not with \
         WithoutHoldfast=stay)",
    );
    terminal.confirm("Let DNS move by Holdfast alone?")
}

/// What is so from now on.
fn done(names: &[String], check: &str, off: bool) -> String {
    let now = match off {
        false => {
            "from now on Holdfast alone moves their users, by a failover that it commits; `holdfast adopt --off` gives it back"
        }
        true => {
            "from now on Route 53 moves their users as the alarm rings; `holdfast adopt` puts the switch on them again"
        }
    };
    let whose = match names {
        [first, more @ ..] if !more.is_empty() => format!("{first} and {} more", more.len()),
        names => names.concat(),
    };
    format!(
        "{GOOD}done{GOOD:#}: the PRIMARY records of {whose} have the health check {check}, at every name server within a minute; {now}"
    )
}

/// With an alarm that rings, or of which nothing is known, the change would move users by itself.
fn all_quiet(plan: &Plan, seen: &Observation) -> Result<(), Failure> {
    if let Some(why) = not_ok(plan, &seen.alarms).first() {
        return Err(Failure::Refused(format!(
            "nothing was changed: the alarm is not OK ({why}), and the change might move users now; wait until it is"
        )));
    }
    if !matches!(seen.latch, latch::Reading::NoStore | latch::Reading::Open { .. }) {
        let why = "nothing was changed: the latch is not known to be open, and the change might move users now (holdfast status)";
        return Err(Failure::Refused(why.to_owned()));
    }
    Ok(())
}

/// Whether the records may stand on the switch.
async fn sound(workload: &Workload) -> Result<(), Failure> {
    let plan = &workload.plan;
    if plan.mode == Mode::Shadow {
        let why = "nothing was changed: in shadow mode Holdfast pins nothing, so nothing would move users in an outage; shadow leaves \
                   the records' own health check alone";
        return Err(Failure::Refused(why.to_owned()));
    }
    holds(workload).await
}

#[cfg(test)]
mod tests {
    use failover::incident::{AlarmSighting, AlarmState, EvaluationTrouble};

    use super::*;

    #[test]
    fn an_alarm_that_cloudwatch_cannot_evaluate_is_not_quiet_whatever_it_said_last() {
        let arn = "arn:aws:cloudwatch:us-east-1:123456789012:alarm:started";
        let plan = r#"{"mode":"automatic","zones":[{"id":"Z1","names":["a.example.com"]}],"alarms":["ALARM"],"limits":{"lag_seconds_max":60,
            "settle_seconds":900,"cooldown_seconds":3600,"drain_seconds":90,"detection_seconds_max":2400}}"#;
        let plan = Plan::parse(&plan.replace("ALARM", arn)).unwrap();
        let said = |state, trouble| {
            let (arn, name, since) = (arn.to_owned(), "started".to_owned(), jiff::Timestamp::UNIX_EPOCH);
            not_ok(&plan, &Some(vec![AlarmSighting { arn, name, state, since, trouble }])).pop()
        };
        assert_eq!(said(AlarmState::Ok, None), None);
        assert_eq!(said(AlarmState::Ok, Some(EvaluationTrouble::PartialData)), None);
        for trouble in [EvaluationTrouble::Error, EvaluationTrouble::Failure] {
            assert!(said(AlarmState::Ok, Some(trouble)).is_some_and(|why| why.contains("EVALUATION_")));
        }
        assert!(said(AlarmState::Alarm, None).is_some());
        assert!(not_ok(&plan, &None).pop().is_some_and(|why| why.contains("nothing is known")));
    }
}
