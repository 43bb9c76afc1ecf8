//! Checks of where users are while the switch holds DNS.

use jiff::SignedDuration;

use super::reality::noted_at;
use super::{Check, ensure};
use crate::evidence::{Evidence, Mail};
use crate::scenario::FUNCTIONS_DIE;
use crate::stage::{DR_ADDRESS, PRIMARY_ADDRESS};

/// Five minutes of outage and five without a heartbeat, which run side by side, and what metrics and resolvers take.
const DNS_FOLLOWS_WITHIN: SignedDuration = SignedDuration::from_mins(12);

/// The pin is what moves users.
pub const MOVED_BY_PIN: Check =
    Check { name: "nobody is sent to DR before Holdfast has asked for the pin", run: moved_by_pin };
/// What a hold is worth.
pub const NOBODY_SENT_TO_DR: Check =
    Check { name: "nobody is ever sent to a DR that takes no writes", run: nobody_sent_to_dr };
/// People know where users are.
pub const HOLD_TOLD: Check = Check {
    name: "each message that says that Holdfast waits begins with where users are: still at the primary",
    run: hold_told,
};
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
