//! The records, made a page of. Nothing here asks anybody anything.

use aws::telemetry::Record;
use failover::outcome::{Kind, Outcome, Trigger};
use failover::register::{ArmedBy, Pin, Register, Spread};
use jiff::Timestamp;
use report::{Figure, Lane, Moment, Page, Stage, Verdict, span};

use super::records::{Records, probably_complete_until};

/// The page about an incident.
pub fn page(records: &Records) -> Page {
    let mut page = Page {
        title: format!("Incident {}", records.incident),
        summary: format!("As AWS's own records told it at {}. Times are UTC.", records.now.strftime("%F %T")),
        stages: stages(records),
        moments: [turns(records), decisions(records), told(records), messages(records), people(records)].concat(),
        notes: records.sources.clone(),
        ..Page::default()
    };
    page.arrange();
    page.figures = figures(records, &page.stages);
    page.verdict = Some(verdict(records, &page.stages));
    page
}

fn registers(records: &Records) -> impl Iterator<Item = &Register> {
    records.names.iter().filter_map(|view| view.register())
}

/// The pins of this incident that are still on record, with the registers they are in.
fn pins(records: &Records) -> impl Iterator<Item = (&Pin, &Register)> {
    let pins = registers(records).filter_map(|register| Some((register.pin()?, register)));
    pins.filter(|(pin, _)| pin.incident == records.incident)
}

const FAILOVER_STARTED: &str = "failover started";
const PINNED: &str = "pin requested";
const IN_SYNC: &str = "pin in sync";
const FAILED_OVER: &str = "failed over";

fn stages(records: &Records) -> Vec<Stage> {
    let stage = |name: &str, at| Stage { name: name.to_owned(), at };
    let mut stages = vec![stage(FAILOVER_STARTED, records.incident.began)];
    for turn in records.turns.iter().filter(|turn| turn.to == "ALARM" && turn.at < records.incident.began) {
        let name = turn.alarm.clone();
        stages.retain(|known| known.name != name);
        stages.push(Stage { name, at: turn.at });
    }
    let in_sync = pins(records).filter_map(|(_, register)| match register {
        Register::Pinned { spread: Spread::InSync { at }, .. } => Some(*at),
        _ => None,
    });
    let failed_over = pins(records).filter_map(|(_, register)| match register {
        Register::FailedOver { at, .. } => Some(*at),
        _ => None,
    });
    let reached = [
        (PINNED, pins(records).map(|(pin, _)| pin.at).min().or_else(|| records.first(Kind::Pinned))),
        (IN_SYNC, in_sync.max().or_else(|| records.first(Kind::InSync))),
        ("promotion asked", records.first(Kind::PromotionRequested)),
        (FAILED_OVER, failed_over.max().or_else(|| records.first(Kind::FailedOver))),
    ];
    stages.extend(reached.into_iter().filter_map(|(name, at)| Some(stage(name, at?))));
    stages
}

fn at(stages: &[Stage], name: &str) -> Option<Timestamp> {
    stages.iter().find(|stage| stage.name == name).map(|stage| stage.at)
}

fn figures(records: &Records, stages: &[Stage]) -> Vec<Figure> {
    let took = |from: Timestamp, to: Timestamp| span(to.duration_since(from).as_secs());
    let mut figures = Vec::new();
    let first = stages.first();
    if let (Some(first), Some(end)) = (first, at(stages, FAILED_OVER)) {
        let how = format!(
            "from the first alarm ({}) to every database taking writes in DR; the outage itself began before that alarm was sure",
            first.name
        );
        figures.push(Figure { name: "RTO".to_owned(), value: took(first.at, end), how });
    }
    if let (Some(started), Some(pinned)) = (at(stages, FAILOVER_STARTED), at(stages, PINNED)) {
        let how = "from failover started to the pin accepted by Route 53".to_owned();
        figures.push(Figure { name: "alarm to pin".to_owned(), value: took(started, pinned), how });
    }
    for (database, sample) in records.lags.iter().filter(|_| records.first(Kind::PromotionRequested).is_some()) {
        let (value, how) = match sample {
            Some(sample) => {
                let complete = probably_complete_until(*sample);
                let how = format!(
                    "{database} probably had every write up to then (lag {} s at {}, less two minutes for a silent link); what the \
                     primary took later may be lost",
                    sample.seconds,
                    sample.at.strftime("%T")
                );
                (format!("probably up to {}", complete.strftime("%T")), how)
            }
            None => ("unknown".to_owned(), format!("no good sample of the lag of {database} before it was promoted")),
        };
        figures.push(Figure { name: "RPO".to_owned(), value, how });
    }
    figures
}

fn verdict(records: &Records, stages: &[Stage]) -> Verdict {
    let is_back = pins(records).next().is_none();
    let (good, text) = match (at(stages, FAILED_OVER), at(stages, PINNED)) {
        (Some(_), _) if is_back => (true, "failed over, and brought back since".to_owned()),
        (Some(_), _) => (true, "failed over to DR; it stays there until a failback".to_owned()),
        (None, Some(_)) if is_back => {
            (false, "pinned to DR, and brought back before every database was promoted".to_owned())
        }
        (None, Some(_)) => (false, "pinned to DR; not every database is promoted yet".to_owned()),
        (None, None) => (false, format!("no failover: {}", last_word(records))),
    };
    Verdict { good, text }
}

fn last_word(records: &Records) -> String {
    let last = records.log.iter().rev().find_map(|(_, record)| match record {
        Record::Returned(outcome) => Some(ruled(outcome, &outcome.because)),
        Record::Told { .. } => None,
    });
    last.unwrap_or_else(|| "no function put a decision on record".to_owned())
}

fn ruled(outcome: &Outcome, what: &str) -> String {
    outcome.id.map_or_else(|| what.to_owned(), |id| format!("{id}: {what}"))
}

fn turns(records: &Records) -> Vec<Moment> {
    let moment = |turn: &aws::history::Turn| Moment {
        at: turn.at,
        lane: Lane::Alarms,
        what: format!("{} is {}", turn.alarm, turn.to),
        details: vec![turn.reason.clone()],
    };
    records.turns.iter().map(moment).collect()
}

fn told(records: &Records) -> Vec<Moment> {
    let moment = |told: &aws::history::Told| Moment {
        at: told.at,
        lane: Lane::Databases,
        what: format!("{}: {}", told.database, told.message),
        details: Vec::new(),
    };
    records.told.iter().map(moment).collect()
}

fn messages(records: &Records) -> Vec<Moment> {
    let told = records.log.iter().filter_map(|(at, record)| match record {
        Record::Told { subject, .. } => Some((at, subject)),
        Record::Returned(_) => None,
    });
    told.map(|(at, subject)| Moment { at: *at, lane: Lane::Messages, what: subject.clone(), details: Vec::new() })
        .collect()
}

fn decisions(records: &Records) -> Vec<Moment> {
    let outcomes = records.log.iter().filter_map(|(_, record)| match record {
        Record::Returned(outcome) => Some(decision(outcome)),
        Record::Told { .. } => None,
    });
    outcomes.collect()
}

fn decision(outcome: &Outcome) -> Moment {
    let subjects = outcome.subjects_in_words(if outcome.subject_count() > 5 { 1 } else { 5 });
    let mut details = vec![ruled(outcome, &outcome.because)];
    details.extend(outcome.facts.iter().map(|fact| format!("{}: {}", fact.about, fact.seen)));
    details.extend(outcome.also.iter().map(|also| format!("also {also}")));
    details.push(format!("next: {}", outcome.next));
    Moment { at: outcome.at, lane: Lane::Holdfast, what: format!("{}: {subjects}", words(outcome.outcome)), details }
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

/// Approvals, as the functions got them, and orders, as the registers keep them.
fn people(records: &Records) -> Vec<Moment> {
    let approvals = records.log.iter().filter_map(|(_, record)| match record {
        Record::Returned(outcome) if outcome.trigger == Trigger::Approval => {
            let fact = outcome.facts.iter().find(|fact| fact.about == "approval")?;
            Some((outcome.at, format!("approval {}", fact.seen)))
        }
        _ => None,
    });
    let orders = registers(records).filter_map(|register| match register {
        Register::Disarmed { at, by, .. } => Some((*at, format!("disarmed by {by}"))),
        Register::Paused { at, until, by, .. } => Some((*at, format!("maintenance until {until} by {by}"))),
        Register::Armed { since, by: ArmedBy::Operator, .. } => Some((*since, "armed by a person".to_owned())),
        Register::Armed { since, by: ArmedBy::Failback, .. } => Some((*since, "failed back by a person".to_owned())),
        Register::Armed { since, by: ArmedBy::Rejection, .. } => Some((*since, "rejected by a person".to_owned())),
        Register::Armed { .. } | Register::Pinned { .. } | Register::FailedOver { .. } => None,
    });
    let mut did: Vec<_> = approvals.chain(orders).filter(|(at, _)| *at >= records.incident.began).collect();
    did.sort();
    did.dedup();
    did.into_iter().map(|(at, what)| Moment { at, lane: Lane::People, what, details: Vec::new() }).collect()
}
