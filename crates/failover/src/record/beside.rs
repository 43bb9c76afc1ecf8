//! What stands beside a pair, and what is in it: whatever else decides where clients go.

use super::{Leads, Pair, RecordSet, Role, Target};
use crate::name::Name;

/// What an HTTPS or SVCB record does to clients of its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Beside {
    /// Nothing: it leads to the name itself.
    Harmless,
    /// It leads to the name itself, and tells addresses beforehand.
    Hints,
    /// It leads to another name.
    Elsewhere,
}

/// Sorts a record set; every one but HTTPS and SVCB is harmless.
pub(super) fn of(set: &RecordSet) -> Beside {
    match (set.kind.as_str(), &set.target) {
        ("HTTPS" | "SVCB", Target::Values { values, .. }) => {
            values.iter().map(|value| of_value(&set.name, value)).max().unwrap_or(Beside::Harmless)
        }
        // Nobody knows what the target of an alias says.
        ("HTTPS" | "SVCB", Target::Alias { .. }) => Beside::Elsewhere,
        _ => Beside::Harmless,
    }
}

/// `priority target [key=value …]` (RFC 9460, 2.1). A target of `.` means the owner's own name (2.5). Hints are addresses that
/// clients may use before they have asked for any (7.3); their keys have the numbers 4 and 6 (14.3.2).
fn of_value(name: &Name, value: &str) -> Beside {
    let mut words = words(value).into_iter();
    let leads_here = match (words.next(), words.next()) {
        (Some(priority), Some(target)) if priority.parse::<u16>().is_ok() => {
            target == "." || target.parse().as_ref() == Ok(name)
        }
        _ => false,
    };
    let is_hint = |word: &String| {
        let key = word.split('=').next().unwrap_or_default().to_ascii_lowercase();
        ["ipv4hint", "ipv6hint", "key4", "key6"].contains(&key.as_str())
    };
    match (leads_here, words.any(|word| is_hint(&word))) {
        (false, _) => Beside::Elsewhere,
        (true, true) => Beside::Hints,
        (true, false) => Beside::Harmless,
    }
}

/// The words of a value; a space between quotes ends none.
fn words(value: &str) -> Vec<String> {
    let (mut words, mut quoted) = (vec![String::new()], false);
    for character in value.chars() {
        match character {
            '"' => quoted = !quoted,
            space if space.is_whitespace() && !quoted => words.push(String::new()),
            other => words.last_mut().into_iter().for_each(|word| word.push(other)),
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

/// What is not as it should be, and yet does not keep a name from being pinned.
#[derive(Clone, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Warning {
    /// Route 53 moves clients by the health of what an alias leads to, whatever the failover health check says.
    #[error(
        "the {role} record of {name} {kind} has EvaluateTargetHealth=true: {}; set it to false", moves(*.role)
    )]
    TargetHealth {
        /// Which name.
        name: Name,
        /// Which type.
        kind: String,
        /// Which record of the pair.
        role: Role,
    },
    /// DR is not always an answer.
    #[error(
        "the SECONDARY record of {name} {kind} has a health check: {}; remove it, so that DR is always an answer",
        moves(Role::Secondary)
    )]
    Checked {
        /// Which name.
        name: Name,
        /// Which type.
        kind: String,
    },
    /// Browsers may use an address that stays what it is.
    #[error(
        "the {kind} record of {name} tells browsers addresses (ipv4hint, ipv6hint), which stay when the name is pinned; remove them"
    )]
    Hints {
        /// Which name.
        name: Name,
        /// Which type.
        kind: String,
    },
    /// It is not known how long resolvers keep the answer.
    #[error(
        "the PRIMARY record of {name} {kind} is an alias that leads to no record of its zone: nobody knows how long resolvers keep the answer; create the record"
    )]
    LeadsNowhere {
        /// Which name.
        name: Name,
        /// Which type.
        kind: String,
    },
}

fn moves(role: Role) -> &'static str {
    match role {
        Role::Primary => "DNS moves to DR and back by itself with the health of the alias's target",
        Role::Secondary => "should it fail while the primary is down, Route 53 answers with the primary",
    }
}

/// All that is not as it should be of a name's `pairs`, and of what stands beside them among its record sets. `leads` says
/// where a pair's PRIMARY leads.
pub(crate) fn warnings<'a>(
    pairs: &[Pair],
    sets: impl Iterator<Item = &'a RecordSet>,
    leads: impl Fn(&Pair) -> Leads,
) -> Vec<Warning> {
    let mut warnings = Vec::new();
    for pair in pairs {
        let (name, kind) = (|| pair.primary().name.clone(), || pair.kind().to_owned());
        for (role, set) in [(Role::Primary, pair.primary()), (Role::Secondary, pair.secondary())] {
            if matches!(set.target, Target::Alias { evaluate_health: true, .. }) {
                warnings.push(Warning::TargetHealth { name: name(), kind: kind(), role });
            }
        }
        if pair.secondary().health_check.is_some() {
            warnings.push(Warning::Checked { name: name(), kind: kind() });
        }
        if leads(pair).ttl_seconds().is_none() {
            warnings.push(Warning::LeadsNowhere { name: name(), kind: kind() });
        }
    }
    let hinting = sets.filter(|set| of(set) == Beside::Hints);
    warnings.extend(hinting.map(|set| Warning::Hints { name: set.name.clone(), kind: set.kind.clone() }));
    warnings
}
