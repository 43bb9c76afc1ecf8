//! Checks of a fence.

use jiff::SignedDuration;

use super::reality::FENCER;
use super::{Check, ensure, pinned_at};
use crate::evidence::Evidence;
use crate::stage::CLOSED_GROUP;

/// A tick, what it does, a reboot of a minute, and a little.
const FENCED_WITHIN: SignedDuration = SignedDuration::from_secs(240);

/// Each old writer, one swap and one reboot, and nothing before the pin.
pub const FENCED_ONCE: Check =
    Check { name: "each old writer is fenced and rebooted once, after the pin, and people are told", run: fenced_once };
/// What the fence is for.
pub const STRAYS_CUT_OFF: Check = Check {
    name: "minutes after the primary's return nobody writes to it, not even by its address",
    run: strays_cut_off,
};
/// The way back.
pub const FENCE_LIFTED: Check =
    Check { name: "a person lifts the fence, the old security groups are back, and stay", run: fence_lifted };

fn fenced_once(evidence: &Evidence) -> Result<String, String> {
    let (swaps, reboots) = (evidence.done_by(FENCER, "ModifyDB"), evidence.done_by(FENCER, "RebootDB"));
    let pinned = pinned_at(evidence)?;
    let early =
        swaps.iter().find(|(at, _)| *at < pinned).map(|(at, what)| format!("; {what} was fenced early, at {at}"));
    let told = evidence.mailbox().iter().filter(|mail| mail.subject.contains("FENCED")).count();
    let held = swaps.len() == 2 && reboots.len() == 2 && early.is_none() && told > 0;
    let early = early.unwrap_or_default();
    ensure(held, format!("{} swaps, {} reboots, {told} mails{early}", swaps.len(), reboots.len()))
}

fn strays_cut_off(evidence: &Evidence) -> Result<String, String> {
    let healed = evidence.healed_at.ok_or("the primary never came back")?;
    let lifted = evidence.done_by("operator", "ModifyDB").first().map_or(evidence.ended_at, |(at, _)| *at);
    let until = healed + FENCED_WITHIN;
    let after: Vec<_> = evidence.strays_after(until).filter(|write| write.at < lifted).collect();
    let before = evidence.strays_after(healed).filter(|write| write.at <= until && write.acknowledged).count();
    match after.iter().find(|write| write.acknowledged) {
        Some(write) => Err(format!("{} was acknowledged at {}", write.id, write.at)),
        None => ensure(
            !after.is_empty(),
            format!("{} writes by address refused; {before} got through before the fence stood", after.len()),
        ),
    }
}

fn fence_lifted(evidence: &Evidence) -> Result<String, String> {
    let closed = vec![CLOSED_GROUP.to_owned()];
    let original = vec!["sg-default".to_owned()];
    let expected = [&closed, &closed, &original, &original];
    ensure(evidence.old_groups.iter().eq(expected), format!("security groups: {:?}", evidence.old_groups))
}
