//! Checks of what waits for DR's targets.

use super::{Check, ensure};
use crate::evidence::Evidence;
use crate::stage::targets::HEALTHY;
use lab::journal::What;

/// The alarm sees a minute when it is over, and a tick sees the alarm.
const SEEN_WITHIN_SECONDS: i64 = 300;

/// The pin waits, and no longer than it must.
pub const TARGETS_AWAITED: Check = Check {
    name: "the pin is asked for within minutes after DR's targets are healthy, and not before",
    run: targets_awaited,
};
/// People know why.
pub const HELD_BY_TARGETS: Check = Check {
    name: "operators are paged that the failover is held, since DR's targets are not healthy (P15)",
    run: held_by_targets,
};
/// Where they never are, a person decides.
pub const APPROVED_WITHOUT_TARGETS: Check = Check {
    name: "the pin is asked for only once a person has approved, and DR's targets never were healthy",
    run: approved_without_targets,
};

fn asked_for(evidence: &Evidence) -> Result<jiff::Timestamp, String> {
    evidence.pins().first().map(|pin| pin.requested_at).ok_or_else(|| "nothing was pinned".to_owned())
}

fn is_healthy(what: &What) -> bool {
    matches!(what, What::Fault { what } if what == HEALTHY)
}

fn targets_awaited(evidence: &Evidence) -> Result<String, String> {
    let healthy = evidence.first(is_healthy).ok_or("DR's targets never were healthy")?;
    let pinned = asked_for(evidence)?;
    let seconds = pinned.duration_since(healthy).as_secs();
    ensure((0..=SEEN_WITHIN_SECONDS).contains(&seconds), format!("{seconds} s after"))
}

fn held_by_targets(evidence: &Evidence) -> Result<String, String> {
    let pinned = asked_for(evidence)?;
    let mailbox = evidence.mailbox();
    let pages: Vec<_> = mailbox.iter().filter(|mail| mail.at < pinned && mail.subject.contains("HELD")).collect();
    match pages.iter().find(|mail| !mail.subject.contains("NOT HEALTHY") || !mail.body.contains("--despite P15")) {
        Some(other) => Err(format!("a page says otherwise: {} {}", other.subject, other.body)),
        None => ensure(!pages.is_empty(), format!("{} pages", pages.len())),
    }
}

fn approved_without_targets(evidence: &Evidence) -> Result<String, String> {
    let is_approval = |what: &What| matches!(what, What::Fault { what } if what.contains("holdfast approve"));
    let approved = evidence.first(is_approval).ok_or("nobody approved")?;
    let seconds = asked_for(evidence)?.duration_since(approved).as_secs();
    let ever = evidence.first(is_healthy);
    ensure(ever.is_none() && (0..=60).contains(&seconds), format!("{seconds} s after the approval"))
}
