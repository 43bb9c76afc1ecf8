//! The records, made a page of. Nothing here asks anybody anything.

mod afterwards;
mod measures;
mod moments;

use failover::outcome::Outcome;
use failover::register::{Pin, Register};
use failover::rule::Rule;
use report::{Fact, Page, Stage, Verdict};

use super::records::Records;
use measures::{FAILED_OVER, PINNED, at};

/// A plan may have thousands of names, and the first screen is for the figures.
const LISTED_MAX: usize = 20;

/// The page about an incident.
pub fn page(records: &Records) -> Page {
    let mut page = Page {
        id: Some(format!("incident {}", records.incident)),
        summary: format!("As AWS's own records told it at {}. Times are UTC.", records.now.strftime("%F %T")),
        about: about(records),
        stages: measures::stages(records),
        moments: moments::all(records),
        notes: records.sources.clone(),
        ..Page::default()
    };
    page.arrange();
    page.title = title(records, &page.stages);
    page.spells = measures::spells(records, &page.stages);
    page.losses = measures::losses(records, &page.stages);
    page.figures = measures::figures(records, &page.stages, &page.spells);
    page.shares = at(&page.stages, FAILED_OVER).map(|end| report::shares(&page.stages, end)).unwrap_or_default();
    page.sections = vec![
        afterwards::what_next(records),
        afterwards::lost_writes(records, &page.losses),
        afterwards::people(records, &page.moments),
    ];
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

/// The names that the incident is about, as far as anything tells.
fn names(records: &Records) -> Vec<String> {
    let protected: Vec<_> = records.names.iter().map(|view| view.name.to_string()).collect();
    // The rules of the pin are about names, the others about databases.
    let decided = || records.outcomes().find(|outcome| outcome.rule().is_some_and(|rule| rule <= Rule::P15));
    match protected.is_empty() {
        false => protected,
        true => decided().map(|outcome| outcome.subjects.clone()).unwrap_or_default(),
    }
}

/// What happened to whom, as people say it.
fn title(records: &Records, stages: &[Stage]) -> String {
    let names = names(records);
    let whom = match names.as_slice() {
        [] => "Incident".to_owned(),
        [name] => name.clone(),
        [name, others @ ..] => format!("{name} +{}", others.len()),
    };
    let is_back = pins(records).next().is_none();
    let (what, moved) = match (at(stages, FAILED_OVER), at(stages, PINNED)) {
        (Some(_), _) => ("failed over", true),
        (None, Some(_)) if is_back => ("pinned to DR and brought back", false),
        (None, Some(_)) => ("failing over", true),
        (None, None) => ("not failed over", false),
    };
    let way = match (&records.regions.primary, &records.regions.dr) {
        (Some(primary), Some(dr)) if moved => format!(", {primary} → {dr}"),
        (None, Some(dr)) if moved => format!(" to {dr}"),
        _ => String::new(),
    };
    format!("{whom} {what}{way}, {}", records.incident.began.strftime("%a %-d %b %Y %H:%M UTC"))
}

/// What is concerned. What the records do not say is said to be unknown.
fn about(records: &Records) -> Vec<Fact> {
    let listed = |list: Vec<String>, none: &str| match (list.len(), list.len().saturating_sub(LISTED_MAX)) {
        (0, _) => none.to_owned(),
        (_, 0) => list.join(", "),
        (_, more) => format!("{} and {more} more", list[..LISTED_MAX].join(", ")),
    };
    let databases = records.databases.iter().map(ToString::to_string).collect();
    let known = |region: &Option<String>| region.clone().unwrap_or_else(|| "not known from the records".to_owned());
    let fact = |name: &str, value| Fact { name: name.to_owned(), value };
    vec![
        fact("names", listed(names(records), "not known: Route 53 did not answer")),
        fact("databases in DR", listed(databases, "none in the plan")),
        fact("primary region", known(&records.regions.primary)),
        fact("DR region", known(&records.regions.dr)),
    ]
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
    let last = records.outcomes().next_back().map(|outcome| ruled(outcome, &outcome.because));
    last.unwrap_or_else(|| "no function put a decision on record".to_owned())
}

fn ruled(outcome: &Outcome, what: &str) -> String {
    outcome.id.map_or_else(|| what.to_owned(), |id| format!("{id}: {what}"))
}
