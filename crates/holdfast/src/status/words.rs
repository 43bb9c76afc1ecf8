//! The status in words.

use std::collections::BTreeSet;

use failover::incident::AlarmState;
use failover::users::Place;

use super::{FAILED_OVER, Name, Outage, Record, Status};
use crate::asked;
use crate::look::Finding;
use crate::readiness::{Shortcoming, Weight};
use crate::standby::Looked;
use crate::terminal::{BAD, BOLD, DIM, GOOD, Terminal, WARNING, age};

/// How many of the names that are alike are named.
const NAMED_MAX: usize = 8;

/// The verdict first: where users are, and what Holdfast does or would do; then what that comes of.
pub fn print(terminal: &Terminal, status: &Status, verbose: bool) {
    let users = match status.users.place {
        Place::Primary => GOOD,
        _ if status.users.cannot_write() => BAD,
        _ => WARNING,
    };
    let said = match status.users.place {
        Place::Unknown => {
            "Where users are is not known: not all that tells it was seen. Below is what DNS answers.".to_owned()
        }
        _ => status.users.to_string(),
    };
    terminal.say(format!("{users}{said}{users:#}"));
    asked::print(terminal, &status.waits_for_you);
    if let Some(asked) = status.waits_for_you.first() {
        terminal.say(format!("      to go on: holdfast approve; not at all: holdfast reject {}", asked.incident));
    }
    if let Some(Outage { since, fails_over_at }) = &status.outage {
        let down = age(*since, status.at);
        let then = fails_over_at.map_or(String::new(), |at| {
            format!(": if it stays so, the failover starts at about {at}, in {}", age(status.at, at))
        });
        terminal
            .say(format!("{BAD}the site is down{BAD:#} for {down}{then}. To go now: holdfast failover --reason WHY"));
    }
    if let Some(incident) = &status.incident {
        terminal.say(format!("{BAD}incident{BAD:#}  {incident}, {} ago", age(incident.began, status.at)));
    }
    terminal.say(format!("\n{BOLD}now{BOLD:#}  {DIM}mode {}, {}{DIM:#}", status.mode, status.at));
    print_findings(terminal, &status.now);
    if status.incident.is_none() {
        terminal.say(format!("{BOLD}if the alarm fired now{BOLD:#}"));
        print_findings(terminal, &status.if_the_alarm_rang);
    }
    print_readiness(terminal, status);
    terminal.say("");
    print_signals(terminal, status);
    match verbose {
        true => status.names.iter().for_each(|name| print_name(terminal, name)),
        false => print_names(terminal, &status.names),
    }
    status.steps.print(terminal);
    // In peace its facts are those of an outage that has not begun.
    let when = if status.incident.is_none() { ", if the alarm fired now" } else { "" };
    for database in &status.databases {
        terminal.say(format!("\n{BOLD}{}{BOLD:#}  {DIM}{}{when}{DIM:#}", database.database, database.id));
        database.facts.iter().for_each(|fact| terminal.say(format!("  {}: {}", fact.about, fact.seen)));
    }
}

fn print_signals(terminal: &Terminal, status: &Status) {
    match &status.alarms {
        None => terminal.say(format!("alarm     {WARNING}unknown: CloudWatch did not answer{WARNING:#}")),
        Some(alarms) => alarms.iter().for_each(|alarm| {
            let style = if alarm.state == AlarmState::Ok { GOOD } else { BAD };
            let since = age(alarm.since, status.at);
            terminal.say(format!("alarm     {} {style}{}{style:#} for {since}", alarm.name, state_word(alarm.state)));
        }),
    }
    if let Some(latch) = &status.latch {
        terminal.say(format!("latch     {BAD}{latch}{BAD:#}"));
    }
    let word = |site: &str| status.probes[site].as_str().unwrap_or_default().to_owned();
    terminal.say(format!("probes    primary {}, DR {}", word("primary"), word("dr")));
    if let Some(targets) = status.probes["targets"].as_str() {
        terminal.say(format!("targets   {targets}"));
    }
    let ago = match &status.looked {
        Looked::Last { at, .. } => format!("{} ago: ", age(*at, status.at)),
        Looked::NotKnown(_) => String::new(),
    };
    terminal.say(format!("DR looked at  {ago}{}", status.looked));
}

/// As CloudWatch writes it.
fn state_word(state: AlarmState) -> String {
    serde_json::to_value(state).ok().and_then(|word| Some(word.as_str()?.to_owned())).unwrap_or_default()
}

fn style_of(name: &Name) -> anstyle::Style {
    match name.state {
        "armed" => GOOD,
        "pinned to DR" | "failed over to DR" | "unreadable" => BAD,
        _ => WARNING,
    }
}

/// Names that are alike share a line: the same state, and DNS answers the same.
fn print_names(terminal: &Terminal, names: &[Name]) {
    let mut alike: Vec<(&Name, Vec<&str>)> = Vec::new();
    for name in names {
        let is_alike =
            |other: &Name| other.state == name.state && other.fault == name.fault && answers(other) == answers(name);
        match alike.iter_mut().find(|(other, _)| is_alike(other)) {
            Some((_, also)) => also.push(&name.name),
            None => alike.push((name, vec![&name.name])),
        }
    }
    for (name, all) in alike {
        let style = style_of(name);
        let count = if all.len() > 1 { format!("{} names ", all.len()) } else { String::new() };
        terminal.say(format!("{count}{style}{}{style:#}  {BOLD}{}{BOLD:#}", name.state, in_short(&all)));
        answers(name).iter().for_each(|answer| terminal.say(format!("          {answer}")));
        if let Some(fault) = &name.fault {
            terminal.say(format!("          {BAD}{fault}{BAD:#}"));
        }
    }
}

fn in_short(names: &[&str]) -> String {
    let named = &names[..names.len().min(NAMED_MAX)];
    match names.len() - named.len() {
        0 => named.join(", "),
        more => format!("{} and {more} more (-v)", named.join(", ")),
    }
}

/// What DNS answers, and what a pinned record was.
fn answers(name: &Name) -> BTreeSet<String> {
    let answer = |Record { kind, was, dns, .. }: &Record| {
        let was = was.as_ref().map_or(String::new(), |was| format!(" (pinned; was {was})"));
        format!("{kind} DNS {dns}{was}")
    };
    name.records.iter().map(answer).collect()
}

fn print_name(terminal: &Terminal, name: &Name) {
    let style = style_of(name);
    terminal.say(format!("\n{BOLD}{}{BOLD:#}  {style}{}{style:#}", name.name, name.state));
    terminal.say(format!("  {DIM}{}{DIM:#}", name.register.as_deref().unwrap_or("no register")));
    if let Some(fault) = &name.fault {
        terminal.say(format!("  {BAD}{fault}{BAD:#}"));
    }
    for record in &name.records {
        let Record { kind, primary, was, secondary, dns } = record;
        let was = was.as_ref().map_or(String::new(), |was| format!(" {DIM}(pinned; was {was}){DIM:#}"));
        terminal.say(format!("  {kind:<5} PRIMARY {primary}{was}  SECONDARY {secondary}  DNS {BOLD}{dns}{BOLD:#}"));
    }
}

/// What keeps a failover from going as planned. Of names that are on DR already there is none to plan: no times, and no advice for one.
fn print_readiness(terminal: &Terminal, status: &Status) {
    let Status { readiness, names, .. } = status;
    let is_planned = status.incident.is_none() && names.iter().any(|name| name.state != FAILED_OVER);
    terminal.say(format!("\n{BOLD}readiness{BOLD:#}"));
    let weighs = |weight| readiness.shortcomings.iter().any(|shortcoming| shortcoming.weight == weight);
    match (weighs(Weight::Keeps), weighs(Weight::Unknown)) {
        (true, _) => {}
        (false, true) => terminal
            .say(format!("  {GOOD}stacks, records and health check agree{GOOD:#}, as far as they could be looked at")),
        (false, false) => terminal.say(format!("  {GOOD}stacks, records and health check agree{GOOD:#}")),
    }
    let told = |it: &&Shortcoming| is_planned || it.weight != Weight::Advises;
    for Shortcoming { about, seen, remedy, weight } in readiness.shortcomings.iter().filter(told) {
        let (style, word) = match weight {
            Weight::Keeps => (BAD, ""),
            Weight::Advises => (WARNING, "advice: "),
            Weight::Unknown => (WARNING, "not known: "),
        };
        terminal.say(format!("  {style}{word}{about}{style:#} {seen}"));
        terminal.say(format!("      {DIM}{remedy}{DIM:#}"));
    }
    if let (true, Some(dns), Some(promotion)) = (is_planned, readiness.dns_seconds, readiness.promotion_seconds) {
        terminal.say(format!(
            "  about {} min from an outage to DNS answering with DR, {} min to the promotion of the databases",
            dns.div_ceil(60),
            promotion.div_ceil(60)
        ));
    }
}

/// What the rules decide, a row a line.
pub fn print_findings(terminal: &Terminal, findings: &[Finding]) {
    for Finding { id, verdict, because, next, names, despite, hint, .. } in findings {
        // That the pin is rehearsed with it, and who arms, the condition says.
        let verdict = verdict.split('(').next().unwrap_or_default().trim_end_matches("Rehearsing");
        let about = match names.as_slice() {
            [] => String::new(),
            [only] => format!("{only}: "),
            [first, more @ ..] => format!("{first} and {} more: ", more.len()),
        };
        terminal.say(format!("  {BOLD}{id} {verdict}{BOLD:#}  {about}{because}"));
        terminal.say(format!("      {DIM}{next}{DIM:#}"));
        hint.iter().for_each(|hint| terminal.say(format!("      {DIM}{hint}{DIM:#}")));
        if !despite.is_empty() {
            let rules: Vec<_> = despite.iter().map(ToString::to_string).collect();
            terminal.say(format!("      {DIM}an approval would have to lift {}{DIM:#}", rules.join(", ")));
        }
    }
}
