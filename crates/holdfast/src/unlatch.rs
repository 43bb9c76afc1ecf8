//! `holdfast unlatch`: a committed failover is taken back, as long as nothing is promoted.

use aws::store::{Item, Swap, Writer};
use failover::announcement::Deed;
use failover::incident::Incident;
use failover::latch::{self, Stage};
use failover::observation::NameView;
use failover::plan;
use serde_json::json;

use crate::announce::announce;
use crate::cli::Ask;
use crate::failure::Failure;
use crate::look::look;
use crate::terminal::{Terminal, WARNING};
use crate::workload::Workload;

/// Lifts the latch of this incident, by compare-and-swap: whoever promotes meanwhile has changed it.
pub async fn unlatch(
    workload: &Workload,
    terminal: &Terminal,
    incident: &Incident,
    users_move_now: bool,
    ask: &Ask,
) -> Result<(), Failure> {
    let by = workload.author(&ask.reason).await?;
    let refused = |why: String| Err(Failure::Refused(format!("the latch was not lifted: {why}")));
    let Some(plan::Latch { table, .. }) = &workload.plan.latch else {
        return refused("the plan has none (DnsMoves=by-holdfast makes one)".to_owned());
    };
    let seen = look(workload).await?;
    let latch = match &seen.latch {
        latch::Reading::Closed { latch, .. } => latch,
        latch::Reading::NotKnown(why) => return refused(format!("DR's store does not tell of it: {why}")),
        latch::Reading::NoStore | latch::Reading::Open { .. } => return refused("no failover is committed".to_owned()),
    };
    if latch.incident != *incident {
        return refused(format!("it is closed for {}, and not for {incident}", latch.incident));
    }
    let is_stray = !seen.names.iter().any(|view| latch.takes_along(view));
    let is_promoted = matches!(latch.stage, Stage::FailedOver { .. });
    // A name may have left the failover while promoter goes on by what name servers showed.
    if latch.stage == Stage::Promoting || is_promoted && !is_stray {
        return refused(
            "databases are being promoted, or are: users who went back would write where nobody reads; holdfast failback brings them home"
                .to_owned(),
        );
    }
    if is_promoted {
        terminal.say(format!(
            "{WARNING}the databases in DR were promoted and take writes{WARNING:#}: whoever goes back writes to others"
        ));
    }
    let unpinned: Vec<&NameView> = seen.names.iter().filter(|view| view.pin().is_none()).collect();
    if !unpinned.is_empty() && !users_move_now {
        return refused(format!(
            "{} names are not pinned, and their users go back to the primary at once: see that it is well, and say --users-move-now",
            unpinned.len()
        ));
    }
    terminal.say(format!(
        "{WARNING}while the alarm rings Holdfast commits anew at the next tick{WARNING:#}, unless something holds it: disarm or reject right after"
    ));
    terminal.confirm(&format!("Take back the failover of {incident}?"))?;
    let writer = Writer::new(&workload.session);
    match writer.remove(table, Item::Latch, &latch.to_string()).await? {
        Swap::Done => {}
        Swap::Overtaken => return refused("it has changed meanwhile; look with holdfast status".to_owned()),
    }
    let names: Vec<_> = seen.names.iter().map(|view| view.name.to_string()).collect();
    terminal.say("lifted: the switch goes by outage and hold again, within minutes");
    terminal.result(&json!({"unlatched": incident, "not_pinned": unpinned.len()}));
    announce(workload, terminal, Deed::Unlatched(incident.clone()), &by, &names).await;
    Ok(())
}
