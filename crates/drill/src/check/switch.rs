//! Checks of where users are while the switch holds DNS.

use std::collections::BTreeMap;
use std::net::IpAddr;

use jiff::SignedDuration;

use super::reality::noted_at;
use super::{Check, ensure};
use crate::evidence::{Evidence, Mail, site};
use crate::moment::{FUNCTIONS_DIE, METRICS_DARK};
use crate::stage::{DR_ADDRESS, PRIMARY_ADDRESS};

/// Users ask every few seconds, one name or another.
const ANSWERED_NEAR: SignedDuration = SignedDuration::from_secs(45);

/// Five minutes of outage and five without a heartbeat, which run side by side, and what metrics and resolvers take.
const DNS_FOLLOWS_WITHIN: SignedDuration = SignedDuration::from_mins(12);

/// The pin is what moves users.
pub const MOVED_BY_PIN: Check =
    Check { name: "nobody is sent to DR before Holdfast has asked for the pin", run: moved_by_pin };
/// Nothing blinks.
pub const MOVED_ONCE: Check = Check {
    name: "each name's answers change once, from the primary to DR, and never before the outage",
    run: moved_once,
};
/// What a hold by metrics costs.
pub const MOVED_BY_SILENCE: Check = Check {
    name: "users stay at the primary until DR's metrics are silent, and are on DR within minutes of it",
    run: moved_by_silence,
};
/// What a hold is worth.
pub const NOBODY_SENT_TO_DR: Check =
    Check { name: "nobody is ever sent to a DR that takes no writes", run: nobody_sent_to_dr };
/// People know where users are.
pub const HOLD_TOLD: Check = Check {
    name: "each message that says that Holdfast waits begins with where users are: still at the primary",
    run: hold_told,
};
/// The first line of a message is true.
pub const TOLD_AS_DNS: Check =
    Check { name: "no message says that users are at the primary once DNS answers with DR", run: told_as_dns };
/// Silence is told.
pub const HOLD_LAPSED_MAILED: Check =
    Check { name: "operators are told before the outage that Holdfast holds no more", run: hold_lapsed_mailed };
/// The article's order, where nobody decides.
pub const DNS_FOLLOWED: Check =
    Check { name: "without Holdfast DNS answers with DR within minutes of the outage's alarm", run: dns_followed };

fn moved_by_pin(evidence: &Evidence) -> Result<String, String> {
    let outage = evidence.outage_at.ok_or("there was no outage")?;
    let pinned = evidence.pins().first().map(|pin| pin.requested_at).ok_or("nothing was pinned")?;
    let mut before = evidence.answers_after(outage).take_while(|answer| answer.at <= pinned);
    match before.find(|answer| answer.address == Some(DR_ADDRESS)) {
        Some(early) => Err(format!("{} was answered with DR at {}", early.name, early.at)),
        None => {
            Ok(format!("the pin was asked for {} s after the outage began", pinned.duration_since(outage).as_secs()))
        }
    }
}

fn moved_once(evidence: &Evidence) -> Result<String, String> {
    let set = evidence.armed_at().ok_or("nothing was armed")?;
    let outage = evidence.outage_at.ok_or("there was no outage")?;
    let mut moves: BTreeMap<&str, (usize, Option<IpAddr>)> = BTreeMap::new();
    for answer in evidence.answers_after(set).filter(|answer| answer.address.is_some()) {
        let (count, last) = moves.entry(answer.name.as_str()).or_default();
        if last.is_some() && *last != answer.address {
            *count += 1;
            if answer.at < outage {
                return Err(format!("{} moved to {} at {}, in peace", answer.name, site(answer.address), answer.at));
            }
        }
        *last = answer.address;
    }
    let counts: Vec<_> = moves.iter().map(|(name, (count, _))| format!("{name} {count}")).collect();
    ensure(!moves.is_empty() && moves.values().all(|(count, _)| *count == 1), counts.join(", "))
}

fn moved_by_silence(evidence: &Evidence) -> Result<String, String> {
    let outage = evidence.outage_at.ok_or("there was no outage")?;
    let dark = noted_at(evidence, METRICS_DARK)?;
    let sent = evidence.answers_after(outage).find(|answer| answer.address == Some(DR_ADDRESS));
    let sent = sent.ok_or("DNS never answered with DR")?.at;
    let seconds = sent.duration_since(dark).as_secs();
    ensure(sent > dark && sent <= dark + DNS_FOLLOWS_WITHIN, format!("{seconds} s after the metrics fell silent"))
}

fn nobody_sent_to_dr(evidence: &Evidence) -> Result<String, String> {
    let outage = evidence.outage_at.ok_or("there was no trouble")?;
    let answers: Vec<_> = evidence.answers_after(outage).collect();
    if let Some(sent) = answers.iter().find(|answer| answer.address == Some(DR_ADDRESS)) {
        return Err(format!("{} was answered with DR at {}", sent.name, sent.at));
    }
    let on_dr = evidence.writes_after(outage).filter(|write| write.address == Some(DR_ADDRESS)).count();
    let on_primary = answers.iter().filter(|answer| answer.address == Some(PRIMARY_ADDRESS)).count();
    ensure(on_dr == 0 && on_primary > 0, format!("{on_primary} answers, all the primary; {on_dr} writes went to DR"))
}

fn hold_told(evidence: &Evidence) -> Result<String, String> {
    let waits = |subject: &str| ["HELD", "APPROVE", "SHADOW", "DISARMED"].iter().any(|word| subject.contains(word));
    let is_of_incident = |mail: &&Mail| waits(&mail.subject) && mail.body.contains("\nINCIDENT\n");
    let mailbox = evidence.mailbox();
    let mails: Vec<_> = mailbox.iter().filter(is_of_incident).collect();
    let tells = |body: &str| body.starts_with("WHERE USERS ARE\n  Users are still sent to the primary");
    match mails.iter().find(|mail| !tells(&mail.body) || !mail.subject.contains("sers stay on PRIMARY")) {
        Some(mail) => Err(format!("{:?}: {}", mail.subject, mail.body)),
        None => ensure(!mails.is_empty(), format!("{} messages", mails.len())),
    }
}

fn told_as_dns(evidence: &Evidence) -> Result<String, String> {
    let outage = evidence.outage_at.ok_or("there was no outage")?;
    let mailbox = evidence.mailbox();
    let says = |mail: &&Mail| mail.body.contains("Users are still sent to the primary");
    let mut told = 0;
    for mail in mailbox.iter().filter(says) {
        told += 1;
        // What one of them was answered a moment before and a moment after.
        let near =
            evidence.answers_after(mail.at - ANSWERED_NEAR).take_while(|answer| answer.at <= mail.at + ANSWERED_NEAR);
        let mut near = near.filter(|answer| answer.address.is_some()).peekable();
        if near.peek().is_some() && near.all(|answer| answer.address == Some(DR_ADDRESS)) {
            return Err(format!("{:?} at {}, when DNS answered with DR", mail.subject, mail.at));
        }
    }
    let all = mailbox.iter().filter(|mail| mail.at >= outage).count();
    Ok(format!("{told} of {all} messages say so, each in time"))
}

fn hold_lapsed_mailed(evidence: &Evidence) -> Result<String, String> {
    let outage = evidence.outage_at.ok_or("there was no outage")?;
    let died = noted_at(evidence, FUNCTIONS_DIE)?;
    let mailbox = evidence.mailbox();
    let rings = |mail: &&Mail| mail.subject.starts_with("ALARM") && mail.subject.contains("hold-lapsed");
    let mail =
        mailbox.iter().filter(rings).find(|mail| (died..outage).contains(&mail.at)).ok_or("no such mail came")?;
    Ok(format!("{:?} {} s after the functions died", mail.subject, mail.at.duration_since(died).as_secs()))
}

fn dns_followed(evidence: &Evidence) -> Result<String, String> {
    let outage = evidence.outage_at.ok_or("there was no outage")?;
    let sent = evidence.answers_after(outage).find(|answer| answer.address == Some(DR_ADDRESS));
    let after = sent.ok_or("DNS never answered with DR")?.at.duration_since(outage);
    ensure(after <= DNS_FOLLOWS_WITHIN, format!("{} s after the outage began", after.as_secs()))
}
