//! Everything that happened, each in the lane of whose doing it was.

use aws::telemetry::Record;
use failover::announcement::Announcement;
use failover::outcome::{Kind, Outcome, Trigger};
use failover::register::{ArmedBy, Register};
use jiff::{SignedDuration, Timestamp};
use report::{Lane, Moment};

use super::{registers, ruled};
use crate::report::records::Records;

/// An order is told when it is carried out: seconds after its register was written.
const SAME_ORDER: SignedDuration = SignedDuration::from_mins(2);

/// Everything, in no order yet.
pub fn all(records: &Records) -> Vec<Moment> {
    [turns(records), decisions(records), told(records), messages(records), people(records)].concat()
}

fn turns(records: &Records) -> Vec<Moment> {
    let moment = |turn: &aws::history::Turn| {
        Moment::new(turn.at, Lane::Alarms, format!("{} is {}", turn.alarm, turn.to), vec![turn.reason.clone()])
    };
    records.turns.iter().map(moment).collect()
}

fn told(records: &Records) -> Vec<Moment> {
    let moment = |told: &aws::history::Told| {
        Moment::new(told.at, Lane::Databases, format!("{}: {}", told.database, told.message), Vec::new())
    };
    records.told.iter().map(moment).collect()
}

fn messages(records: &Records) -> Vec<Moment> {
    let told = records.log.iter().filter_map(|(at, record)| match record {
        Record::Told { subject, body, .. } => {
            let moment = Moment::new(*at, Lane::Messages, subject.as_str(), Vec::new());
            Some(Moment { body: body.clone(), ..moment })
        }
        Record::Returned(_) => None,
    });
    told.collect()
}

fn decisions(records: &Records) -> Vec<Moment> {
    records.outcomes().map(decision).collect()
}

fn decision(outcome: &Outcome) -> Moment {
    let subjects = outcome.subjects_in_words(if outcome.subject_count() > 5 { 1 } else { 5 });
    let mut details = vec![ruled(outcome, &outcome.because)];
    details.extend(outcome.facts.iter().map(|fact| format!("{}: {}", fact.about, fact.seen)));
    details.extend(outcome.also.iter().map(|also| format!("also {also}")));
    details.push(format!("next: {}", outcome.next));
    Moment::new(outcome.at, Lane::Holdfast, format!("{}: {subjects}", words(outcome.outcome)), details)
}

/// `PromotionRequested` as people write it.
fn words(kind: Kind) -> String {
    let mut words = String::new();
    for letter in format!("{kind:?}").chars() {
        match words.is_empty() || letter.is_lowercase() {
            true => words.push(letter),
            false => words.extend([' ', letter.to_ascii_lowercase()]),
        }
    }
    words.replace(" dr", " DR")
}

/// Approvals, as the functions got them; orders, as they were told, or else as the registers keep them.
fn people(records: &Records) -> Vec<Moment> {
    let approvals = records.outcomes().filter(|outcome| outcome.trigger == Trigger::Approval).filter_map(|outcome| {
        let fact = outcome.facts.iter().find(|fact| fact.about == "approval")?;
        Some((outcome.at, format!("approval {}", fact.seen)))
    });
    let orders = records.orders.iter().map(|order| (order.at, order_in_words(order)));
    let is_told = |at: Timestamp| records.orders.iter().any(|order| order.at.duration_since(at).abs() <= SAME_ORDER);
    let kept = registers(records).filter_map(|register| kept(register).filter(|(at, _)| !is_told(*at)));
    let mut did: Vec<_> = approvals.chain(orders).chain(kept).filter(|(at, _)| *at >= records.incident.began).collect();
    did.sort();
    // An approval reaches two functions.
    did.dedup_by(|later, earlier| later.1 == earlier.1 && later.0.duration_since(earlier.0) <= SAME_ORDER);
    did.into_iter().map(|(at, what)| Moment::new(at, Lane::People, what, Vec::new())).collect()
}

fn order_in_words(order: &Announcement) -> String {
    let names = match (order.names.as_slice(), order.names_unlisted) {
        ([], _) => String::new(),
        ([name], 0) => format!(": {name}"),
        ([name, others @ ..], unlisted) => format!(": {name} and {} more", others.len() + unlisted),
    };
    let noted: String =
        order.deed.noted().iter().map(|it| format!("; {} had executed {}", it.database, it.executed)).collect();
    format!("{}{names}, by {}{noted}", order.deed.headline(), order.by)
}

/// The last order that a register still tells of.
fn kept(register: &Register) -> Option<(Timestamp, String)> {
    match register {
        Register::Disarmed { at, by, .. } => Some((*at, format!("disarmed by {by}"))),
        Register::Paused { at, until, by, .. } => Some((*at, format!("maintenance until {until} by {by}"))),
        Register::Armed { since, by: ArmedBy::Operator, .. } => Some((*since, "armed by a person".to_owned())),
        Register::Armed { since, by: ArmedBy::Failback, .. } => Some((*since, "failed back by a person".to_owned())),
        Register::Armed { since, by: ArmedBy::Rejection, .. } => Some((*since, "rejected by a person".to_owned())),
        Register::Armed { .. } | Register::Pinned { .. } | Register::FailedOver { .. } => None,
    }
}
