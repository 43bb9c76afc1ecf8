//! What those who write about the incident afterwards look for. What no record says is said to be unknown.

use failover::outcome::Kind;
use failover::plan::ReplicaId;
use failover::register::Register;
use report::{Entry, Lane, Loss, Moment, Section};

use super::{pins, registers};
use crate::report::records::Records;

/// What to run now, by the state that the names are in.
pub fn what_next(records: &Records) -> Section {
    let has_databases = !records.databases.is_empty();
    let successors = successors(records);
    let is_disarmed = |register: &Register| matches!(register, Register::Disarmed { .. });
    let mut pins = pins(records).peekable();
    let entries = if records.names.is_empty() {
        vec![Entry::command(
            "The state that the names are in now is not known: Route 53 did not answer.",
            "holdfast status",
        )]
    } else if pins.peek().is_none() {
        match (registers(records).any(is_disarmed), has_databases) {
            (true, true) => vec![Entry::command(
                "Names are disarmed: no outage fails them over. If DR's databases replicate nothing since a failback, make them replicas again, \
                 which arms as well:",
                format!("holdfast failback protect{successors}"),
            )],
            (true, false) => vec![Entry::command("Names are disarmed: no outage fails them over.", "holdfast arm")],
            (false, _) => vec![Entry::command(
                "No name is in this incident any more. Whether an outage that began now would be failed over:",
                "holdfast status --check",
            )],
        }
    } else if pins.all(|(_, register)| matches!(register, Register::FailedOver { .. })) {
        failback(&successors, has_databases)
    } else {
        vec![
            Entry::command("The failover is under way. To watch it:", "holdfast status --watch"),
            Entry::command("What waits for a person, if anything does:", "holdfast approve"),
        ]
    };
    Section { title: "What next".to_owned(), entries }
}

/// The options that name the databases which take over; where those are is often known, what they are to be called never is.
fn successors(records: &Records) -> String {
    let region = records.regions.primary.as_deref().unwrap_or("PRIMARY-REGION");
    let of = |database: &ReplicaId| format!(" --successor {}={region}/ID", database.name());
    records.databases.iter().map(of).collect()
}

/// The way home, step by step.
fn failback(successors: &str, has_databases: bool) -> Vec<Entry> {
    let step = |text: &str, command: &str| Entry::command(text, format!("holdfast failback {command}{successors}"));
    let mut steps = vec![step("Users are on DR and stay there until a failback. What is in its way:", "check")];
    if has_databases {
        steps.push(step("Replicas of DR's databases in the primary region:", "rebuild"));
        steps.push(step("Until they have what DR has:", "catch-up"));
    }
    steps.push(step("Users back to the primary, once nothing is in the way:", "switch"));
    if has_databases {
        steps.push(step("Then replicas are made in DR again, and Holdfast is armed:", "protect"));
    }
    steps
}

/// What is known of writes that only the old primary has, and how to find them.
pub fn lost_writes(records: &Records, losses: &[Loss]) -> Section {
    let mut entries = Vec::new();
    if records.databases.is_empty() {
        entries.push(Entry::text("The plan has no databases, so Holdfast promoted none."));
    } else if losses.is_empty() {
        entries.push(Entry::text(match records.lacks("replica-promoter") {
            true => "Not known: the record of promotions did not answer.",
            false => "No promotion is on record, and without a promotion no write is lost.",
        }));
    } else {
        entries.extend(losses.iter().map(|loss| Entry::text(format!("{}: {}.", loss.database, loss.value))));
        let noted = records.orders.iter().flat_map(|order| order.deed.noted().iter().map(|it| (order.at, it)));
        entries.extend(noted.map(|(at, it)| {
            Entry::text(format!("{} had executed {} at {}.", it.database, it.executed, at.strftime("%F %T UTC")))
        }));
        entries.push(Entry::command(
            "How many and which writes these are, no record of AWS tells. The old primary's binary log has them; how to list them:",
            format!("holdfast failback compare {}", records.incident),
        ));
        entries.push(Entry::text(match (records.first(Kind::Fenced), records.is_fenced) {
            (Some(at), _) => format!("The old databases were cut off from clients at {}.", at.strftime("%F %T UTC")),
            (None, true) => "No record says that the old databases were cut off: holdfast fence status.".to_owned(),
            (None, false) => {
                "No fence is set up: what clients that ignore DNS wrote to the old primary later is on no record."
                    .to_owned()
            }
        }));
    }
    Section { title: "Lost writes".to_owned(), entries }
}

/// Who did what.
pub fn people(records: &Records, moments: &[Moment]) -> Section {
    let did = moments.iter().filter(|moment| moment.lane == Lane::People);
    let mut entries: Vec<_> =
        did.map(|moment| Entry::text(format!("{}: {}", moment.at.strftime("%F %T UTC"), moment.what))).collect();
    if records.lacks("the log of") {
        entries.push(Entry::text("Whether people did more is not known: not every log answered."));
    } else if entries.is_empty() {
        entries.push(Entry::text("No approval and no order is on record since the incident began."));
    }
    entries.push(Entry::text("What was done beside holdfast (consoles, other tools), CloudTrail knows."));
    Section { title: "People".to_owned(), entries }
}
