//! What a person orders by writing registers: arm, disarm, maintenance, reject, pin-again, release. Every write is a compare-and-swap.

mod maintenance;
mod reject;

use aws::route53::{HealthCheckWriter, RecordReader as _, RecordWriter, Writer};
use failover::announcement::Deed;
use failover::change::{self, Batch, Change, Write};
use failover::observation::NameView;
use failover::order::{Order, register_for};
use failover::pin::Observation;
use failover::plan::Names;
use failover::record::RecordSet;
use failover::register::Register;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use crate::announce::announce;
use crate::cli::Ask;
use crate::failure::Failure;
use crate::guard;
use crate::look::{look, not_replicating};
use crate::status::state;
use crate::terminal::{BOLD, Terminal, WARNING, span};
use crate::workload::Workload;

pub use maintenance::maintenance;
pub use reject::reject;

/// A plan may have thousands of names.
const REFUSALS_TOLD_MAX: usize = 3;

/// Lets Holdfast act.
pub async fn arm(workload: &Workload, terminal: &Terminal, reason: &str) -> Result<(), Failure> {
    let seen = look(workload).await?;
    let idle = not_replicating(workload).await?;
    if !idle.is_empty() {
        return Err(Failure::Refused(format!(
            "{}: users would be sent to data that nobody replicates; make a replica of the primary again, then arm",
            idle.join("; ")
        )));
    }
    let settle = SignedDuration::from_secs(workload.plan.limits.settle_seconds.into());
    let then = format!("an alarm within {} of arming asks for an approval (P08)", span(settle));
    let words = Words { reason, then: &then, question: "Let Holdfast act?" };
    obey(workload, terminal, &seen, &Order::Arm, words).await
}

/// Keeps Holdfast from acting.
pub async fn disarm(
    workload: &Workload,
    terminal: &Terminal,
    lasting: Option<SignedDuration>,
    ask: &Ask,
) -> Result<(), Failure> {
    let by = workload.author(&ask.reason).await?;
    let seen = look(workload).await?;
    let order = match lasting {
        Some(lasting) => Order::Pause { until: end(&seen, lasting)?, by },
        None => Order::Disarm { by },
    };
    let words = Words { reason: &ask.reason, then: "", question: "Keep Holdfast from acting?" };
    obey(workload, terminal, &seen, &order, words).await
}

/// Takes back what was left to people (P03).
pub async fn pin_again(workload: &Workload, terminal: &Terminal) -> Result<(), Failure> {
    let seen = look(workload).await?;
    let then = "the next tick, within a minute, points the PRIMARY records at DR again";
    obey(workload, terminal, &seen, &Order::PinAgain, Words { reason: "", then, question: "Pin again?" }).await
}

/// Leaves users where the records send them, and the names disarmed.
pub async fn release(workload: &Workload, terminal: &Terminal, ask: &Ask) -> Result<(), Failure> {
    let by = workload.author(&ask.reason).await?;
    let seen = look(workload).await?;
    let then = format!(
        "{WARNING}no record is changed, nothing brings these names home any more, and no outage fails them over until they are \
         armed{WARNING:#}"
    );
    let question = "Do users belong where the records send them now?";
    obey(workload, terminal, &seen, &Order::Release { by }, Words { reason: &ask.reason, then: &then, question }).await
}

fn end(seen: &Observation, lasting: SignedDuration) -> Result<Timestamp, Failure> {
    seen.now.checked_add(lasting).map_err(|error| Failure::Usage(format!("--for: {error}")))
}

/// What an order writes, and why it leaves names out.
struct Written {
    writes: Vec<Write>,
    refusals: Vec<String>,
}

impl Written {
    /// What of the plan's names the order is about. One name that is in no state for it keeps the others from nothing; if no name is,
    /// it is refused.
    fn of(seen: &Observation, order: &Order) -> Result<Self, Failure> {
        guard::uncommitted(seen, order)?;
        let mut written = Self { writes: Vec::new(), refusals: Vec::new() };
        for view in &seen.names {
            match register_for(order, view, seen.now) {
                Ok(None) => {}
                Ok(Some(register)) => match change::rewrite_register(view, register) {
                    Ok(write) => written.writes.push(write),
                    Err(error) => written.refusals.push(error.to_string()),
                },
                Err(error) => written.refusals.push(error.to_string()),
            }
        }
        match written.writes.is_empty() && !written.refusals.is_empty() {
            true => Err(Failure::Refused(format!("nothing was changed: {}", told(&written.refusals)))),
            false => Ok(written),
        }
    }

    /// The same where all names must come along: a maintenance is about the health check of them all.
    fn of_all(seen: &Observation, order: &Order) -> Result<Vec<Write>, Failure> {
        let Self { writes, refusals } = Self::of(seen, order)?;
        match refusals.is_empty() {
            true => Ok(writes),
            false => Err(Failure::Refused(format!("nothing was changed: {}", told(&refusals)))),
        }
    }
}

/// The names that writes are about.
pub fn named(writes: &[Write]) -> Vec<String> {
    writes.iter().map(|write| write.name.to_string()).collect()
}

/// The first of them, and how many more there are.
pub fn told(refusals: &[String]) -> String {
    let more = match refusals.len().saturating_sub(REFUSALS_TOLD_MAX) {
        0 => String::new(),
        more => format!("; and {more} more names alike"),
    };
    let first: Vec<_> = refusals.iter().take(REFUSALS_TOLD_MAX).map(String::as_str).collect();
    format!("{}{more}", first.join("; "))
}

/// What is said about an order.
#[derive(Clone, Copy)]
struct Words<'a> {
    /// Why, for the record.
    reason: &'a str,
    /// What comes of it; said only where something is to be changed.
    then: &'a str,
    /// What is asked before.
    question: &'a str,
}

/// Writes what the order is about, and then says which names it left out.
async fn obey(
    workload: &Workload,
    terminal: &Terminal,
    seen: &Observation,
    order: &Order,
    words: Words<'_>,
) -> Result<(), Failure> {
    let Words { reason, then, question } = words;
    let Written { writes, refusals } = Written::of(seen, order)?;
    if !writes.is_empty() && !then.is_empty() {
        terminal.say(then);
    }
    refusals
        .iter()
        .take(REFUSALS_TOLD_MAX)
        .for_each(|why| terminal.say(format!("{WARNING}left as it is{WARNING:#}: {why}")));
    let names = named(&writes);
    // Before anything is written: what is done is told. Where the register has no room for the reason, the message has it.
    let by = match order {
        Order::Disarm { by } | Order::Pause { by, .. } | Order::Release { by } => by.clone(),
        Order::Arm | Order::Resume | Order::Reject { .. } | Order::PinAgain => workload.author(reason).await?,
    };
    submit(workload, terminal, seen, writes, question).await?;
    if !names.is_empty() {
        announce(workload, terminal, Deed::of(order), &by, &names).await;
    }
    // A name that was never in an incident is rejected as much as it can be, and what Holdfast holds is not left to anybody.
    let concerns_some = matches!(order, Order::Reject { .. } | Order::PinAgain | Order::Release { .. });
    match refusals.is_empty() || concerns_some {
        true => Ok(()),
        false => Err(Failure::Refused(format!("not every name came along: {}", told(&refusals)))),
    }
}

async fn submit(
    workload: &Workload,
    terminal: &Terminal,
    seen: &Observation,
    writes: Vec<Write>,
    question: &str,
) -> Result<(), Failure> {
    if !writes.is_empty() {
        for write in &writes {
            terminal.say(format!("{BOLD}{}{BOLD:#}  {}", write.name, write.register));
        }
        terminal.confirm(question)?;
        let writer = Writer::new(&workload.session);
        let check = workload.plan.failover_health_check.as_ref().filter(|_| ends_pause(seen, &writes));
        if let Some(check) = check {
            writer.set_disabled(check, false).await?;
        }
        for batch in change::batches(writes) {
            submit_batch(workload, &writer, &batch).await?;
        }
        // Somebody whose maintenance began just now may have disabled it in between, and have found names paused still.
        if let Some(check) = check {
            writer.set_disabled(check, false).await?;
        }
        report(terminal, &look(workload).await?);
        return Ok(());
    }
    terminal.say("nothing is to be changed:");
    report(terminal, seen);
    Ok(())
}

/// True while a maintenance is under way for a name.
pub fn is_paused(names: &[NameView]) -> bool {
    names.iter().any(|view| matches!(view.register(), Some(Register::Paused { .. })))
}

/// True if a name leaves a pause: the check that a maintenance disabled must be enabled first, or nobody would.
fn ends_pause(seen: &Observation, writes: &[Write]) -> bool {
    is_paused(&seen.names) && writes.iter().any(|write| !matches!(write.register, Register::Paused { .. }))
}

/// Submits a batch. What Route 53 refuses though all that the batch deletes is there exactly as it was seen, it refuses for good: nobody
/// was faster, and to run the command again helps nobody.
pub async fn submit_batch(workload: &Workload, writer: &Writer, batch: &Batch) -> Result<String, Failure> {
    let error = match writer.submit(batch).await {
        Ok(change) => return Ok(change),
        Err(error) if error.is_refused_with("InvalidChangeBatch") => error,
        Err(error) => return Err(error.into()),
    };
    let names = batch.writes.iter().map(|write| write.name.clone()).collect();
    let sets = workload.records.record_sets(&batch.zone, &Names::Listed(names)).await?;
    Err(Failure::Refused(match is_as_seen(batch, &sets) {
        true => format!(
            "Route 53 will not take this, and took nothing of it: {error}; is a record protected (aws route53 \
             list-resource-record-set-protections --hosted-zone-id {}), or a guardrail on? `holdfast status` says",
            batch.zone
        ),
        false => "the records changed while the command ran, so Route 53 took nothing of it; run it again".to_owned(),
    }))
}

/// Whether all that a batch deletes is there, exactly so, and nothing that it creates beside.
fn is_as_seen(batch: &Batch, sets: &[RecordSet]) -> bool {
    let deleted: Vec<&RecordSet> = batch
        .changes()
        .filter_map(|change| match change {
            Change::Delete(set) => Some(set),
            Change::Create(_) => None,
        })
        .collect();
    let is_same = |one: &RecordSet, other: &RecordSet| {
        (&one.name, &one.kind, &one.routing) == (&other.name, &other.kind, &other.routing)
    };
    batch.changes().all(|change| match change {
        Change::Delete(set) => sets.contains(set),
        Change::Create(set) => {
            deleted.iter().any(|deleted| is_same(deleted, set)) || !sets.iter().any(|there| is_same(there, set))
        }
    })
}

fn report(terminal: &Terminal, seen: &Observation) {
    let names = seen.names.iter().map(|view| {
        let until = match view.register() {
            Some(Register::Paused { until, .. }) => Some(until),
            _ => None,
        };
        json!({"name": view.name.to_string(), "state": state(view), "until": until,
            "register": view.register().map(ToString::to_string)})
    });
    terminal.result(&json!({"at": seen.now, "names": names.collect::<Vec<_>>()}));
    for view in &seen.names {
        let until = match view.register() {
            Some(Register::Paused { until, by, .. }) => format!(" until {until}, by {by}"),
            _ => String::new(),
        };
        terminal.say(format!("{BOLD}{}{BOLD:#}  {}{until}", view.name, state(view)));
    }
}

#[cfg(test)]
mod tests {
    use failover::observation::NameView;
    use failover::record::{Routing, Target};

    use super::*;

    fn register(text: &str) -> RecordSet {
        RecordSet {
            name: "_holdfast.a.example.com".parse().unwrap(),
            kind: "TXT".to_owned(),
            routing: Routing::Simple,
            target: Target::Values { ttl_seconds: 60, values: vec![format!("\"{text}\"")] },
            health_check: None,
        }
    }

    fn order(sets: &[RecordSet]) -> Vec<Batch> {
        let view = NameView::of_name("Z1", &"a.example.com".parse().unwrap(), sets);
        let now = "2026-01-05T10:00:00Z".parse().unwrap();
        let wanted = register_for(&Order::Disarm { by: "kim".to_owned() }, &view, now).unwrap().unwrap();
        change::batches(vec![change::rewrite_register(&view, wanted).unwrap()])
    }

    #[test]
    fn a_refusal_is_a_race_only_if_somebody_was_faster() {
        let seen = register("v=1 armed since=2026-01-05T09:00:00Z by=settling");
        let batch = order(std::slice::from_ref(&seen)).remove(0);
        let faster = register("v=1 armed since=2026-01-05T09:59:59Z by=operator");
        assert!(is_as_seen(&batch, &[seen]), "nobody was: a protection, say");
        assert!(!is_as_seen(&batch, std::slice::from_ref(&faster)));
        assert!(!is_as_seen(&batch, &[]));
        let first = order(&[]).remove(0);
        assert!(is_as_seen(&first, &[]), "a register that is not there yet may be protected too");
        assert!(!is_as_seen(&first, &[faster]));
    }
}
