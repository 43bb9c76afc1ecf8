//! Planned work on the primary: registers pause, and where a health check moves DNS it is disabled meanwhile.

use aws::route53::{HealthCheckWriter as _, Writer};
use failover::announcement::Deed;
use failover::order::Order;
use failover::plan::Mode;
use jiff::{SignedDuration, Timestamp};

use super::{Words, Written, end, is_paused, named, obey, report, submit};
use crate::announce::announce;
use crate::cli::{Ask, Maintenance};
use crate::failure::Failure;
use crate::guard;
use crate::hold;
use crate::look::look;
use crate::status;
use crate::terminal::{GOOD, Terminal, WARNING, span};
use crate::workload::Workload;

/// Ten ticks.
const MAINTENANCE_MIN: SignedDuration = SignedDuration::from_mins(10);

/// Planned work on the primary.
pub async fn maintenance(workload: &Workload, terminal: &Terminal, command: Maintenance) -> Result<(), Failure> {
    match command {
        Maintenance::Begin { lasting, ask } => begin(workload, terminal, lasting, &ask).await,
        Maintenance::End => end_now(workload, terminal).await,
        Maintenance::Status => {
            report(terminal, &look(workload).await?);
            Ok(())
        }
    }
}

/// Registers first: whoever is interrupted between the two leaves names paused, which end by themselves, and never a
/// disabled health check that nobody enables again.
async fn begin(workload: &Workload, terminal: &Terminal, lasting: SignedDuration, ask: &Ask) -> Result<(), Failure> {
    if lasting < MAINTENANCE_MIN {
        let why = format!(
            "--for: a maintenance lasts at least {}: the tick must not end it as it begins",
            span(MAINTENANCE_MIN)
        );
        return Err(Failure::Usage(why));
    }
    let by = workload.author(&ask.reason).await?;
    if let Some(since) = status::down_since(workload).await {
        terminal
            .say(format!("{WARNING}the site has been down{WARNING:#} since {since}: a maintenance holds its failover"));
    }
    // Before anything is looked at: a prompt may be answered when what was meant to be has long ended.
    terminal.confirm(&format!("Begin a maintenance of {}?", span(lasting)))?;
    let terminal = &Terminal { yes: true, ..*terminal };
    let seen = look(workload).await?;
    guard::writable(workload, terminal, &seen.names).await?;
    let until = end(&seen, lasting)?;
    let writes = Written::of_all(&seen, &Order::Pause { until, by: by.clone() })?;
    if writes.is_empty() {
        // A check disabled now would have nobody to enable it again.
        let why = "nothing was changed: every name is disarmed, so there is nothing to pause; arm first".to_owned();
        return Err(Failure::Refused(why));
    }
    let check = hold::maintained_check(workload, terminal, &seen).await;
    let names = named(&writes);
    submit(workload, terminal, &seen, writes, &format!("Begin a maintenance until {until}?")).await?;
    if let Some(check) = check {
        disable(workload, check).await?;
    }
    announce(workload, terminal, Deed::MaintenanceBegun(until), &by, &names).await;
    terminal.say(begun(until, lasting, check, workload.plan.failover_health_check.is_some()));
    Ok(())
}

/// What is so until when, and how it ends.
fn begun(until: Timestamp, lasting: SignedDuration, check: Option<&str>, has_check: bool) -> String {
    let dns = match check {
        Some(check) => format!("Health check {check} is disabled: DNS stays on the primary"),
        None if has_check => "Holdfast keeps DNS on the primary".to_owned(),
        None => "DNS goes by the records' own health checks".to_owned(),
    };
    format!(
        "{GOOD}maintenance until {until}{GOOD:#}, for {}: no outage is failed over meanwhile. {dns}. It ends by itself; to end it \
         now: holdfast maintenance end; to move its end: holdfast maintenance begin --for TIME once more",
        span(lasting)
    )
}

/// Disables the check, for as long as a name is paused: whoever ended the pause before that has enabled it, and would not again. Names
/// are looked at after the check was disabled, and who ends a pause enables it after names were armed: whoever comes last sees what the
/// other did.
async fn disable(workload: &Workload, check: &str) -> Result<(), Failure> {
    let writer = Writer::new(&workload.session);
    writer.set_disabled(check, true).await?;
    let seen = look(workload).await?;
    if is_paused(&seen.names) {
        return Ok(());
    }
    writer.set_disabled(check, false).await?;
    Err(Failure::Refused(format!(
        "somebody ended the maintenance while it began: no name is paused any more, and health check {check} is enabled; begin it again if it is \
         still meant"
    )))
}

async fn end_now(workload: &Workload, terminal: &Terminal) -> Result<(), Failure> {
    let seen = look(workload).await?;
    let order = Order::Resume;
    let is_paused = !Written::of(&seen, &order)?.writes.is_empty();
    terminal.confirm("End the maintenance now?")?;
    if let Some(check) = &workload.plan.failover_health_check {
        Writer::new(&workload.session).set_disabled(check, false).await?;
        terminal.say(format!("health check {check} is enabled"));
    }
    obey(workload, &Terminal { yes: true, ..*terminal }, &seen, &order, Words { reason: "", then: "", question: "" })
        .await?;
    let settle = span(SignedDuration::from_secs(workload.plan.limits.settle_seconds.into()));
    terminal.say(match is_paused {
        true => {
            let then = match workload.plan.mode {
                Mode::Automatic => format!(
                    "Holdfast fails an outage over again; if the alarm rings within {settle} from now, it asks you first (P08)"
                ),
                Mode::Approval => "in an outage Holdfast asks you again (P12)".to_owned(),
                Mode::Shadow => "in an outage Holdfast says again what it would have done (P11)".to_owned(),
            };
            format!("{GOOD}the maintenance is over{GOOD:#}: {then}")
        }
        false => "no maintenance was under way".to_owned(),
    });
    Ok(())
}
