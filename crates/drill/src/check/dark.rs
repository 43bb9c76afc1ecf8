//! Checks of a failover while Route 53's API is dark.

use super::reality::noted_at;
use super::{Check, ensure};
use crate::evidence::Evidence;
use crate::moment::{DARK, LIGHT};
use crate::stage::PRIMARY_ADDRESS;

/// What stands in for a pin in sync.
pub const GONE_BEFORE_PROMOTION: Check = Check {
    name: "no promotion before DNS has answered nobody with the primary for the TTL, and it never does again",
    run: gone_before_promotion,
};
/// What the latch is for.
pub const PROMOTED_IN_THE_DARK: Check = Check {
    name: "the databases are promoted while Route 53's API is dark, and the pins are written when it is back",
    run: promoted_in_the_dark,
};
/// The latch proves nothing that name servers do not show.
pub const NOTHING_IN_THE_DARK: Check =
    Check { name: "no database is promoted while name servers do not show the latch", run: nothing_in_the_dark };
/// The commit is told.
pub const COMMIT_TOLD: Check = Check {
    name: "operators are told of the commit while Route 53's API is dark, and where users are",
    run: commit_told,
};
/// So is a commit that nobody sees.
pub const STUCK_TOLD: Check = Check {
    name: "operators are told that promotion waits, and of the commit that no name server shows",
    run: stuck_told,
};

fn gone_before_promotion(evidence: &Evidence) -> Result<String, String> {
    let outage = evidence.outage_at.ok_or("there was no outage")?;
    let promoted = evidence.promotions().first().map(|(at, _)| *at).ok_or("nothing was promoted")?;
    let on_primary = evidence.answers_after(outage).filter(|answer| answer.address == Some(PRIMARY_ADDRESS));
    let last = on_primary.map(|answer| answer.at).last().ok_or("nobody was answered with the primary in the outage")?;
    let seconds = promoted.duration_since(last).as_secs();
    ensure(promoted >= last + evidence.ttl(), format!("promotion was asked {seconds} s after the last such answer"))
}

fn promoted_in_the_dark(evidence: &Evidence) -> Result<String, String> {
    let (dark, light) = (noted_at(evidence, DARK)?, noted_at(evidence, LIGHT)?);
    let promotions = evidence.promotions();
    let pins = evidence.pins();
    let in_the_dark = promotions.iter().filter(|(at, _)| (dark..light).contains(at)).count();
    let after = pins.iter().filter(|pin| pin.requested_at >= light).count();
    let seen = format!(
        "{in_the_dark} of {} promotions in the dark, {after} of {} pins after it",
        promotions.len(),
        pins.len()
    );
    ensure(in_the_dark == promotions.len() && after == pins.len() && in_the_dark > 0 && after > 0, seen)
}

fn nothing_in_the_dark(evidence: &Evidence) -> Result<String, String> {
    let light = noted_at(evidence, LIGHT)?;
    let promotions = evidence.promotions();
    let first = promotions.first().map(|(at, _)| *at).ok_or("nothing was promoted")?;
    ensure(
        first > light,
        format!("the first promotion came {} s after us-east-1 was back", first.duration_since(light).as_secs()),
    )
}

fn commit_told(evidence: &Evidence) -> Result<String, String> {
    let light = noted_at(evidence, LIGHT)?;
    let mailbox = evidence.mailbox();
    let mail = mailbox.iter().find(|mail| mail.subject.contains("COMMITTED to DR")).ok_or("no such mail came")?;
    let tells = mail.body.starts_with("WHERE USERS ARE\n  Users are on DR") && mail.at < light;
    ensure(tells, format!("{:?} {} s before us-east-1 was back", mail.subject, light.duration_since(mail.at).as_secs()))
}

fn stuck_told(evidence: &Evidence) -> Result<String, String> {
    let light = noted_at(evidence, LIGHT)?;
    let mailbox = evidence.mailbox();
    let told = |words: &str| mailbox.iter().any(|mail| mail.at < light && mail.subject.contains(words));
    let missing: Vec<_> = ["COMMITTED to DR", "promotion is STUCK"].into_iter().filter(|words| !told(words)).collect();
    ensure(missing.is_empty(), format!("not told: {missing:?}"))
}
