//! `holdfast unlatch`: a committed failover is taken back, as long as nothing is promoted.

use aws::store::{Item, Swap, Writer};
use failover::announcement::Deed;
use failover::incident::Incident;
use failover::latch::{self, Latch, Stage};
use failover::listing::Source;
use failover::observation::NameView;
use failover::pin::Observation;
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
    if let Some(why) = in_the_way(latch, &seen) {
        return refused(why.to_owned());
    }
    let warned = match latch.stage {
        Stage::Committed => None,
        Stage::Promoting => Some("some of the databases in DR may have been promoted"),
        Stage::FailedOver { .. } => Some("the databases in DR were promoted and take writes"),
    };
    if let Some(warned) = warned {
        terminal.say(format!("{WARNING}{warned}{WARNING:#}: whoever goes back writes to others"));
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

/// What keeps a latch from being lifted. Once databases are being promoted, only a failover that no name is in any more may end so: a database
/// may never be promoted, and no failback ends that (F03). A name may have left it while replica-promoter goes on by what name servers showed
/// or by what it read before.
fn in_the_way(latch: &Latch, seen: &Observation) -> Option<&'static str> {
    let is_stray = !seen.names.iter().any(|view| latch.takes_along(view));
    match latch.stage {
        Stage::Committed => None,
        Stage::FailedOver { .. } if is_stray => None,
        Stage::Promoting if is_stray && seen.source != Source::Listed => Some(
            "databases were being promoted, and replica-promoter may go by what name servers show, since Route 53's API does not answer; run \
             it again once it does",
        ),
        Stage::Promoting if is_stray && !latch.is_left(&seen.names, seen.now) => Some(
            "databases were being promoted, and replica-promoter may still go by registers that it read before names left this failover; run it \
             again five minutes after the last of them did (a name without a register counts from when Holdfast has armed it)",
        ),
        Stage::Promoting if is_stray => None,
        Stage::Promoting | Stage::FailedOver { .. } => Some(
            "databases are being promoted, or are: users who went back would write where nobody reads; holdfast failback brings them home, and \
             a failover that cannot end is left with holdfast release first (docs/operating.md, Limits)",
        ),
    }
}
