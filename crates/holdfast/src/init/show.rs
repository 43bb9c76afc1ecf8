//! The proposal for a person to read.

use std::fmt::Display;

use anstyle::Style;

use super::costs::Cost;
use super::proposal::{Proposal, Protected};
use crate::readiness::{Shortcoming, Weight};
use crate::terminal::{self, BAD, BOLD, DIM, GOOD, Terminal, WARNING, in_words};

/// Room for prose; commands are never broken.
const COLUMNS: usize = 72;
const COLUMNS_MIN: usize = 20;

/// Shows it all.
pub fn show(terminal: &Terminal, proposal: &Proposal) {
    let Proposal { zone, region, .. } = proposal;
    let second = proposal.second_zone.as_ref();
    let and = second.map_or_else(String::new, |second| format!(" and {} (zone {})", second.domain, second.id));
    terminal.say(format!("{BOLD}Holdfast in {region} for {}{BOLD:#} (zone {}){and}", zone.domain, zone.id));
    match (&proposal.primary_region, &proposal.primary_because) {
        (Some(primary), Some(why)) => terminal.say(format!("the primary region is {primary}: {why}")),
        _ => terminal.say(format!("{WARNING}the primary region is not known{WARNING:#}")),
    }
    heading(terminal, "names");
    proposal.names.iter().for_each(|name| show_name(terminal, name, second.is_some()));
    if let [first, more @ ..] = proposal.left_out.as_slice() {
        terminal.say(format!("{DIM}  left out: {} {}{DIM:#}", first.name, first.why));
        if !more.is_empty() {
            let names = if more.len() == 1 { "name" } else { "names" };
            terminal.say(format!("{DIM}  and {} more {names} (--json lists them){DIM:#}", more.len()));
        }
    }
    show_other_zones(terminal, proposal);
    heading(terminal, "databases");
    match proposal.databases.as_deref() {
        None => terminal.say(format!("  {WARNING}not known{WARNING:#}: they could not be looked at")),
        Some([]) => terminal.say(format!("  no replica in {region}: users alone would move")),
        Some(databases) => databases.iter().for_each(|one| {
            terminal.say(format!("  {}  {}", one.id, one.engine));
            terminal.say(format!("    {}", one.source));
        }),
    }
    heading(terminal, "parameters");
    for parameter in &proposal.parameters {
        match &parameter.value {
            Some(value) => terminal.say(format!("  {}={value}  {DIM}{}{DIM:#}", parameter.name, parameter.why)),
            None => terminal.say(format!("  {WARNING}{}=FILL IN{WARNING:#}  {}", parameter.name, parameter.why)),
        }
    }
    for (weight, title, style) in [
        (Weight::Keeps, "what would not work", BAD),
        (Weight::Unknown, "what is not known", WARNING),
        (Weight::Advises, "what would be better", Style::new()),
    ] {
        show_findings(terminal, proposal, weight, title, style);
    }
    show_estimate(terminal, proposal);
    show_cost(terminal, &proposal.cost);
    for file in &proposal.batches {
        heading(terminal, format!("{}: applied whole or not at all", file.file));
        file.changes.iter().for_each(|change| terminal.say(format!("  {}", in_words(change))));
    }
    heading(terminal, "next");
    for (nth, step) in proposal.next.iter().enumerate() {
        terminal.say(format!("  {}. {step}", nth + 1));
    }
}

fn heading(terminal: &Terminal, title: impl Display) {
    terminal.say(format!("\n{BOLD}{title}{BOLD:#}"));
}

/// What Holdfast does not protect by this proposal, and how it would.
fn show_other_zones(terminal: &Terminal, proposal: &Proposal) {
    let [first, more @ ..] = proposal.other_zones.as_slice() else { return };
    let more = if more.is_empty() { String::new() } else { format!(" and {} more", more.len()) };
    let how = match proposal.second_zone {
        Some(_) => "One stack protects two zones; others need a stack of their own: --zone and another --bus",
        None => {
            "If its names fail over together with these: --second-zone. If they are a workload of their own: a second stack, by --zone and \
             another --bus"
        }
    };
    terminal.say(format!("{DIM}  not looked at: the zone {} ({}){more}. {how}{DIM:#}", first.domain, first.id));
}

fn show_name(terminal: &Terminal, name: &Protected, says_zone: bool) {
    let is = if name.has_pair { "" } else { "  (a pair once its batch is applied)" };
    let ttl = name.ttl_seconds.map_or_else(String::new, |seconds| format!("  TTL {seconds} s"));
    let zone = if says_zone { format!("  in {}", name.zone) } else { String::new() };
    terminal.say(format!("  {BOLD}{}{BOLD:#}{zone}{ttl}{is}", name.name));
    for led in &name.records {
        let or_none = |place: &Option<String>| place.clone().unwrap_or_else(|| "nothing".to_owned());
        terminal.say(format!("    {:5} {} → DR {}", led.kind, or_none(&led.primary), or_none(&led.dr)));
    }
}

fn show_findings(terminal: &Terminal, proposal: &Proposal, weight: Weight, title: &str, style: Style) {
    let found: Vec<&Shortcoming> = proposal.shortcomings.iter().filter(|one| one.weight == weight).collect();
    if found.is_empty() {
        if weight == Weight::Keeps {
            heading(terminal, title);
            terminal.say(format!("  {GOOD}nothing of what was looked at{GOOD:#}"));
        }
        return;
    }
    heading(terminal, title);
    // As wide as the terminal at most, or each line would be broken again.
    let columns = terminal::columns().unwrap_or(COLUMNS).clamp(COLUMNS_MIN, COLUMNS);
    for one in found {
        for (nth, line) in wrapped(&format!("{} {}", one.about, one.seen), columns - 4).into_iter().enumerate() {
            let mark = if nth == 0 { format!("{style}•{style:#}") } else { " ".to_owned() };
            terminal.say(format!("  {mark} {line}"));
        }
        terminal.say(format!("    → {}", one.remedy));
    }
}

fn show_estimate(terminal: &Terminal, proposal: &Proposal) {
    let it = proposal.estimate;
    let after = if it.after_remedies { " (once what would not work is mended)" } else { "" };
    heading(terminal, format!("how long an outage lasts{after}"));
    terminal.say(format!("  {} min  until the alarm rings (OutageMinutes; 1 at least)", it.outage_minutes));
    terminal.say("  1 to 2 min  until the pin is at every name server");
    match it.ttl_seconds {
        Some(seconds) => terminal.say(format!("  {seconds} s  that resolvers keep the records")),
        None => terminal.say("  that resolvers keep the records: not known while a name is no pair"),
    }
    match it.promotion_seconds {
        Some(seconds) => {
            terminal.say(format!("  {} s  for clients with caches of their own (DrainSeconds)", it.drain_seconds));
            terminal.say(format!("  = about {} min until promotion is asked for;", seconds.div_ceil(60)));
            terminal.say("  then what RDS takes: \"several minutes or longer\" (Aurora user guide)");
        }
        None if it.promotes => {}
        None => terminal.say("  no database is promoted: users are on DR then"),
    }
}

fn show_cost(terminal: &Terminal, cost: &Cost) {
    heading(terminal, format!("about {:.0} US dollars a month, at list prices (docs/costs.md)", cost.usd_a_month));
    for part in &cost.parts {
        terminal.say(format!("  {:5.2}  {}", part.usd, part.what));
    }
    terminal.say(format!("  {:5.2}  more if the endpoint is not in AWS", cost.usd_if_outside_aws));
    terminal.say(format!("{DIM}  not counted: {}{DIM:#}", cost.not_counted.join("; ")));
}

/// Lines of at most so many characters, unless a word is longer.
fn wrapped(text: &str, columns: usize) -> Vec<String> {
    let (mut lines, mut line) = (Vec::new(), String::new());
    for word in text.split_whitespace() {
        if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > columns {
            lines.push(std::mem::take(&mut line));
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    lines.push(line);
    lines
}

#[cfg(test)]
mod tests {
    use super::wrapped;

    #[test]
    fn prose_is_broken_between_words_and_no_word_is_lost() {
        let text = "one two three https://a-long-word-that-does-not-fit.example.com/x four";
        let lines = wrapped(text, 12);
        assert_eq!(lines, ["one two", "three", "https://a-long-word-that-does-not-fit.example.com/x", "four"]);
        assert_eq!(lines.join(" "), text);
    }
}
