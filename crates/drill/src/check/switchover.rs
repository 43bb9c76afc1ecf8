//! Checks of a planned switchover.

use std::collections::BTreeSet;

use super::{Check, ensure};
use crate::evidence::Evidence;

/// Besides what pins, clients and RDS take.
const OWN_SECONDS_MAX: f64 = 60.0;

/// The promise.
pub const NOTHING_LOST: Check = Check {
    name: "every write that users were told is written is in DR, and so is every row of the primary",
    run: nothing_lost,
};
/// The price.
pub const WRITES_BACK_SOON: Check = Check {
    name: "users cannot write for at most a minute besides what the pin's way, the TTL with DrainSeconds, and RDS's promotion take",
    run: writes_back_soon,
};
/// Nobody's word is enough.
pub const REFUSED_WHILE_WRITTEN: Check = Check {
    name: "while users still write it is refused, whatever is said, and nothing is pinned or promoted",
    run: refused_while_written,
};

fn nothing_lost(evidence: &Evidence) -> Result<String, String> {
    let rows = evidence.rows.as_ref().ok_or("no server was asked")?;
    let in_dr: BTreeSet<&String> = rows.new.iter().collect();
    let missing = rows.old.iter().filter(|id| !in_dr.contains(id)).count();
    let (lost, acknowledged) = (evidence.lost().len(), evidence.acknowledged().count());
    let counts = format!(
        "{lost} of {acknowledged} acknowledged writes lost; {missing} of the primary's {} rows",
        rows.old.len()
    );
    ensure(lost == 0 && missing == 0 && !rows.old.is_empty() && !evidence.promotions().is_empty(), counts)
}

fn writes_back_soon(evidence: &Evidence) -> Result<String, String> {
    let stages = evidence.stages();
    let at = |name: &str| {
        let stage = stages.iter().find(|stage| stage.name == name);
        stage.map(|stage| stage.at_seconds).ok_or(format!("it never came to {name:?}"))
    };
    let (pin, in_sync, drained) = (at("pin requested")?, at("pin in sync")?, at("clients drained")?);
    let (asked, available, written) = (at("promotion asked")?, at("writer available")?, at("first accepted write")?);
    let own = pin + (asked - drained) + (written - available);
    let split = format!(
        "{written:.0} s without writes, of which {:.0} s the pin's way, {:.0} s TTL and DrainSeconds, {:.0} s RDS, and {own:.1} s the rest: {pin:.1} s of proof",
        in_sync - pin,
        drained - in_sync,
        available - asked
    );
    ensure(own <= OWN_SECONDS_MAX, split)
}

fn refused_while_written(evidence: &Evidence) -> Result<String, String> {
    let stopped = evidence.outage_at.ok_or("writes never stopped")?;
    let said = evidence.refusals.first().ok_or("it was not refused")?;
    let pins = evidence.pins();
    let acts = pins.iter().map(|pin| pin.requested_at).chain(evidence.promotions().into_iter().map(|(at, _)| at));
    let early = acts.filter(|at| *at < stopped).count();
    ensure(early == 0 && said.contains("go on") && said.contains("app.writes"), said.trim().to_owned())
}
