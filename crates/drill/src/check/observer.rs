//! Checks of what the observer made of what it heard.

use jiff::{SignedDuration, Timestamp};
use lab::journal::What;

use super::reality::noted_at;
use super::{Check, ensure};
use crate::evidence::Evidence;
use crate::moment::{NOTHING_ANSWERS, SERVERS_FAIL};
use crate::stage::DETECTOR;

/// Five minutes of silence, and what metrics take.
const BLINDNESS_MAILED_WITHIN: SignedDuration = SignedDuration::from_mins(9);

/// The outage was told by the DR region alone.
pub const OBSERVED: Check = Check {
    name: "the outage's alarm is the DR region's own, after the minutes of its name, and no alarm is in us-east-1",
    run: observed,
};
/// Silence is told.
pub const BLINDNESS_MAILED: Check = Check {
    name: "operators are told within minutes that nobody can tell whether the primary is up, each time",
    run: blindness_mailed,
};
/// Silence is no outage.
pub const NO_OUTAGE_INVENTED: Check =
    Check { name: "no minute is taken for an outage that nobody could tell", run: no_outage_invented };

fn observed(evidence: &Evidence) -> Result<String, String> {
    const MINUTES: SignedDuration = SignedDuration::from_mins(5);
    let outage = evidence.outage_at.ok_or("there was no outage")?;
    if evidence.count(|what| matches!(what, What::Alarm { region, .. } if region == DETECTOR)) > 0 {
        return Err(format!("an alarm is in {DETECTOR}"));
    }
    let rang = evidence.first(|what| matches!(what, What::Alarm { name, to, .. } if name == "holdfast-prolonged-outage-5min" && to == "ALARM"));
    let took = rang.ok_or("it never rang")?.duration_since(outage);
    // What is missing is made up for by as many minutes, and CloudWatch looks but little further back than it counts.
    ensure(took >= MINUTES && took <= MINUTES * 3, format!("after {} s", took.as_secs()))
}

fn blindness_mailed(evidence: &Evidence) -> Result<String, String> {
    let mailbox = evidence.mailbox();
    let mailed_after = |since: Timestamp| {
        let mail =
            mailbox.iter().find(|mail| mail.at >= since && mail.subject.contains("ALARM: \"holdfast-observer-blind\""));
        mail.map(|mail| mail.at.duration_since(since))
    };
    let mut seconds = Vec::new();
    for story in [SERVERS_FAIL, NOTHING_ANSWERS] {
        let since = noted_at(evidence, story)?;
        let took = mailed_after(since).ok_or_else(|| format!("no mail came after {story}"))?;
        if took > BLINDNESS_MAILED_WITHIN {
            return Err(format!("{} s after {story}", took.as_secs()));
        }
        seconds.push(format!("{} s after {story}", took.as_secs()));
    }
    Ok(seconds.join(", "))
}

fn no_outage_invented(evidence: &Evidence) -> Result<String, String> {
    let rang = |infix: &str| {
        evidence.count(|what| matches!(what, What::Alarm { name, to, .. } if name.contains(infix) && to == "ALARM"))
    };
    let (down, prolonged) = (rang("-site-down"), rang("-prolonged-outage"));
    let published = evidence.count(|what| {
        matches!(what, What::Log { function, line } if function == "holdfast-observer" && line.contains("\"PrimaryDown\":1"))
    });
    ensure(
        down + prolonged + published == 0,
        format!("{down} site-down, {prolonged} prolonged outages, {published} minutes down"),
    )
}
