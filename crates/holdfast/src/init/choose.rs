//! What is decided by what was said beforehand, by a person's answers, or by what there is.

use aws::survey::{HostedZone, Listed};
use failover::name::Name;
use failover::observation::NameView;
use failover::record::{Leads, RecordSet, aws_region};

use super::dialogue::Dialogue;
use super::options::{DrTarget, Options, dr_target};
use super::{databases, names};
use crate::failure::Failure;

/// More names than these are not listed for a choice.
const LISTED_MAX: usize = 30;
/// The same within one line.
const TOLD_MAX: usize = 8;

/// The zone of this id or domain.
///
/// # Errors
/// If there is none, or there are several.
pub fn find(zones: &[HostedZone], text: &str) -> Result<HostedZone, String> {
    let text = text.trim().trim_start_matches("/hostedzone/").trim_end_matches('.');
    let same: Vec<_> = zones.iter().filter(|zone| zone.id == text || zone.domain.eq_ignore_ascii_case(text)).collect();
    match same.as_slice() {
        [zone] => Ok((*zone).clone()),
        [] => Err(format!("there is no hosted zone {text} in this account")),
        _ => Err(format!("there are several hosted zones {text}: say which by its id")),
    }
}

/// The zone: the one that was named, the only public one, or the one that a person chooses.
///
/// # Errors
/// If there is none, or nobody says which.
pub fn zone(zones: &[HostedZone], wanted: Option<&str>, dialogue: &mut Dialogue<'_>) -> Result<HostedZone, Failure> {
    let public: Vec<&HostedZone> = zones.iter().filter(|zone| !zone.is_private).collect();
    let find = |text: &str| match text.trim().parse::<usize>().ok().and_then(|nth| public.get(nth.wrapping_sub(1))) {
        Some(zone) => Ok((*zone).clone()),
        None => self::find(zones, text),
    };
    if let Some(wanted) = wanted {
        return find(wanted).map_err(Failure::Usage);
    }
    match public.as_slice() {
        [] => Err(Failure::Refused(
            "this account has no public hosted zone: nothing could be failed over by DNS".to_owned(),
        )),
        [only] => Ok((*only).clone()),
        several if dialogue.is_open() => {
            dialogue.say("Hosted zones:");
            for (nth, zone) in several.iter().enumerate() {
                dialogue.say(&format!("  {}  {}  {}", nth + 1, zone.domain, zone.id));
            }
            let chosen = dialogue.ask_for("Which zone?", Some("1"), find)?;
            chosen.ok_or_else(|| Failure::Usage("no zone was chosen".to_owned()))
        }
        several => {
            let told: Vec<_> = several.iter().map(|zone| format!("{} ({})", zone.domain, zone.id)).collect();
            Err(Failure::Usage(format!("there are several hosted zones: say --zone, one of {}", told.join(", "))))
        }
    }
}

/// The names: those that were named, those that a person chooses, or all with a pair.
///
/// # Errors
/// If a name is not there, or there is no pair and nobody says which simple record is to become one.
pub fn names(there: &names::Names, options: &Options, dialogue: &mut Dialogue<'_>) -> Result<Vec<Name>, Failure> {
    let all: Vec<&Name> = there.paired.iter().chain(&there.simple).collect();
    let known = |name: &Name| match there.left_out.iter().find(|left| left.name == name.to_string()) {
        Some(left) => Err(format!("{name} {}", left.why)),
        None if all.contains(&name) => Ok(()),
        None => Err(format!("{name} has no A, AAAA or CNAME record in this zone that users are sent by")),
    };
    if !options.names.is_empty() {
        options.names.iter().try_for_each(&known).map_err(Failure::Usage)?;
        let mut names = options.names.clone();
        names.sort();
        names.dedup();
        return Ok(names);
    }
    if all.is_empty() {
        return Err(Failure::Refused("this zone has no A, AAAA or CNAME record that could be failed over".to_owned()));
    }
    if dialogue.is_open() {
        return ask_for_names(there, &all, known, dialogue);
    }
    if there.paired.is_empty() {
        let some: Vec<_> = there.simple.iter().take(TOLD_MAX).map(ToString::to_string).collect();
        let more = if there.simple.len() > TOLD_MAX { ", …" } else { "" };
        let said = format!(
            "no name of this zone has a failover pair; say which is to have one: --name, one of {}{more}",
            some.join(", ")
        );
        return Err(Failure::Usage(said));
    }
    Ok(there.paired.clone())
}

fn ask_for_names(
    there: &names::Names,
    all: &[&Name],
    known: impl Fn(&Name) -> Result<(), String>,
    dialogue: &mut Dialogue<'_>,
) -> Result<Vec<Name>, Failure> {
    dialogue.say("Names that users may be sent by:");
    for (nth, name) in all.iter().take(LISTED_MAX).enumerate() {
        let is = if there.paired.contains(name) { "failover pair" } else { "simple record" };
        dialogue.say(&format!("  {}  {name}  {is}", nth + 1));
    }
    if all.len() > LISTED_MAX {
        dialogue.say(&format!("  … and {} more; type a name to choose it", all.len() - LISTED_MAX));
    }
    let read = |text: &str| -> Result<Vec<Name>, String> {
        if text.eq_ignore_ascii_case("pairs") {
            return Ok(there.paired.clone());
        }
        let one = |word: &str| match word.parse::<usize>() {
            Ok(nth) => {
                let name = all.get(nth.wrapping_sub(1)).copied().cloned();
                name.ok_or_else(|| format!("there is no number {nth}"))
            }
            Err(_) => {
                let name: Name = word.parse().map_err(|error: failover::name::NameError| error.to_string())?;
                known(&name).map(|()| name)
            }
        };
        let mut chosen: Vec<Name> =
            text.split([',', ' ']).filter(|word| !word.is_empty()).map(one).collect::<Result<_, _>>()?;
        chosen.sort();
        chosen.dedup();
        Ok(chosen)
    };
    let offered = if there.paired.is_empty() { None } else { Some("pairs") };
    let chosen = dialogue.ask_for("Protect which? Numbers or names, or pairs for all that have one", offered, read)?;
    chosen.filter(|names| !names.is_empty()).ok_or_else(|| Failure::Usage("no name was chosen".to_owned()))
}

/// Where a simple record's users go in DR.
///
/// # Errors
/// If the terminal is gone.
pub fn targets(name: &Name, options: &Options, dialogue: &mut Dialogue<'_>) -> Result<Vec<String>, Failure> {
    if let Some(said) = options.dr_targets.iter().find(|target| target.name == *name) {
        return Ok(said.targets.clone());
    }
    let question = format!("Where is DR for {name}? Addresses, or a load balancer's name");
    let read = |text: &str| dr_target(&format!("{}={text}", name.as_str()));
    let answer = if dialogue.is_open() { dialogue.ask_for(&question, None, read)? } else { None };
    Ok(answer.map(|DrTarget { targets, .. }| targets).unwrap_or_default())
}

/// The primary region, and how it is known: as was said, or as DR's replicas or the PRIMARY records' targets say with one voice.
#[must_use]
pub fn primary_region(
    said: Option<&str>,
    in_dr: &[Listed],
    views: &[NameView],
    primaries: &[&RecordSet],
    dr_region: &str,
) -> Option<(String, String)> {
    if let Some(said) = said {
        return Some((said.to_owned(), "as you gave it".to_owned()));
    }
    let sources = in_dr.iter().filter_map(|listed| Some((databases::source_region(listed)?.to_owned(), listed)));
    let sources: Vec<_> = sources.collect();
    if let Some((region, listed)) = sources.first() {
        let agree = sources.iter().all(|(other, _)| other == region);
        return agree.then(|| (region.clone(), format!("{} is a replica of a database there", listed.id)));
    }
    let mut led = Vec::new();
    for (view, set) in
        views.iter().flat_map(|view| primaries.iter().filter(|set| set.name == view.name).map(move |set| (view, set)))
    {
        let leads: Leads = view.leads(&set.kind, &set.target);
        let regions = leads.to().filter_map(aws_region).filter(|region| *region != dr_region);
        led.extend(regions.map(|region| (region.to_owned(), view.name.clone())));
    }
    let (region, name) = led.first()?;
    let agree = led.iter().all(|(other, _)| other == region);
    agree.then(|| (region.clone(), format!("{name} leads there")))
}
