//! Checks of the hourly look at DR's half of the workload.

use jiff::{SignedDuration, Timestamp};
use lab::journal::What;

use super::{Check, ensure, minutes};
use crate::evidence::Evidence;
use crate::stage::unready::{BROKEN, PAGER};

/// Two looks, and a few minutes for the message.
const PAGED_WITHIN: SignedDuration = SignedDuration::from_mins(125);
/// One look that finds all well.
const TOLD_WITHIN: SignedDuration = SignedDuration::from_mins(65);

const RED: &str = "DR could NOT carry users";
const READY: &str = "DR could carry users again";
const ALARM: &str = "holdfast-dr-unready";

/// What turned red.
pub const UNREADY_PAGED: Check = Check {
    name: "a page within two looks names each row that turned red and what puts it right, once; the alarm rings too",
    run: unready_paged,
};
/// And its end.
pub const READY_TOLD: Check =
    Check { name: "once all is put right, the next look tells that DR could carry users again, once", run: ready_told };
/// Before it.
pub const SILENCE_WHILE_READY: Check =
    Check { name: "while every row is ready nobody hears of readiness", run: silence_while_ready };

/// What was sent of that subject: when, to whom, the whole text.
fn sent<'a>(evidence: &'a Evidence, words: &'a str) -> impl Iterator<Item = (Timestamp, &'a str, &'a str)> {
    evidence.entries().iter().filter_map(move |entry| match &entry.what {
        What::Mail { to, subject: Some(subject), body, .. } if subject.contains(words) => {
            Some((entry.at, to.as_str(), body.as_str()))
        }
        _ => None,
    })
}

fn unready_paged(evidence: &Evidence) -> Result<String, String> {
    let broken = evidence.outage_at.ok_or("nothing was broken")?;
    let (pages, mails): (Vec<_>, Vec<_>) = sent(evidence, RED).partition(|(_, to, _)| *to == PAGER);
    let ([(at, _, page)], [(_, _, mail)]) = (pages.as_slice(), mails.as_slice()) else {
        return Err(format!("{} pages and {} mails", pages.len(), mails.len()));
    };
    let unnamed = BROKEN
        .iter()
        .find(|(row, remedy)| ![page, mail].iter().all(|text| text.contains(row) && text.contains(remedy)));
    if let Some((row, remedy)) = unnamed {
        return Err(format!("{row} is not named with {remedy:?}: {mail}"));
    }
    let rings = sent(evidence, &format!("ALARM: \"{ALARM}\"")).filter(|(at, ..)| *at > broken).count();
    let took = at.duration_since(broken);
    ensure(
        took <= PAGED_WITHIN && rings > 0,
        format!("after {} min; the alarm rang {rings} times", minutes(took.as_secs_f64())),
    )
}

fn ready_told(evidence: &Evidence) -> Result<String, String> {
    let mended = evidence.healed_at.ok_or("nothing was put right")?;
    let mails: Vec<_> = sent(evidence, READY).map(|(at, ..)| at).collect();
    let [at] = mails.as_slice() else { return Err(format!("{} mails", mails.len())) };
    let took = at.duration_since(mended);
    let ends = sent(evidence, &format!("OK: \"{ALARM}\"")).filter(|(at, ..)| *at > mended).count();
    ensure(
        took.is_positive() && took <= TOLD_WITHIN && ends > 0,
        format!("after {} min, to nobody's pager; the alarm ended {ends} times", minutes(took.as_secs_f64())),
    )
}

fn silence_while_ready(evidence: &Evidence) -> Result<String, String> {
    let broken = evidence.outage_at.ok_or("nothing was broken")?;
    let early =
        [RED, READY, "nobody knows whether"].map(|words| sent(evidence, words).filter(|(at, ..)| *at < broken).count());
    ensure(early == [0; 3], format!("{} messages before anything was broken", early.iter().sum::<usize>()))
}
