//! Checks of updates in the middle of an incident.

use lab::journal::What;

use super::{Check, ensure, pinned_at};
use crate::evidence::{Evidence, is_outcome};
use crate::moment::{TO_ONE_STACK, UPDATED};

/// The updates came when they hurt most.
pub const UPDATED_AT_THE_WORST: Check = Check {
    name: "the stack was updated with the pin on its way, before it was in sync, while promoting, and after the end",
    run: updated_at_the_worst,
};
/// New parameters are in force at once.
pub const NEW_PARAMETERS_HEARD: Check = Check {
    name: "a database that does not exist, named by an update, is paged, and stops nothing",
    run: parameters_heard,
};

/// One outage is one incident, whichever stack's alarm rings.
pub const WENT_TO_ONE_STACK: Check = Check {
    name: "the detector's part went into the DR region's stack, and the incident is of the alarm that was in force when it began",
    run: went_to_one_stack,
};

fn went_to_one_stack(evidence: &Evidence) -> Result<String, String> {
    let entries = || evidence.entries().iter().enumerate();
    let is_update = |what: &What| matches!(what, What::Fault { what } if what == TO_ONE_STACK);
    let update = entries().find(|(_, entry)| is_update(&entry.what)).map(|(at, _)| at).ok_or("it did not")?;
    let incident = |what: &What| match what {
        What::Invocation { response, .. } if is_outcome(what, "Pinned") => {
            response["incident"].as_str().map(str::to_owned)
        }
        _ => None,
    };
    let (at, incident) =
        entries().find_map(|(at, entry)| Some((at, incident(&entry.what)?))).ok_or("nothing was pinned")?;
    let wanted = if at > update { "holdfast-prolonged-outage-" } else { "holdfast-failover-started@" };
    if incident.starts_with(wanted) { Ok(incident) } else { Err(format!("{incident} is not of {wanted}…")) }
}

fn updated_at_the_worst(evidence: &Evidence) -> Result<String, String> {
    let is_update = |what: &What| matches!(what, What::Fault { what } if what.starts_with(UPDATED));
    let updates: Vec<_> =
        evidence.entries().iter().filter(|entry| is_update(&entry.what)).map(|entry| entry.at).collect();
    let [on_its_way, pinned, promoting, mended, after] = updates.as_slice() else {
        return Err(format!("{} updates", updates.len()));
    };
    let requested = evidence.pins().first().map(|pin| pin.requested_at).ok_or("nothing was pinned")?;
    let in_sync = pinned_at(evidence)?;
    let promoted = evidence.promotions().first().map(|(at, _)| *at).ok_or("nothing was promoted")?;
    let ended = evidence.first(|what| is_outcome(what, "FailedOver")).ok_or("it never ended")?;
    let order = [*on_its_way, requested, *pinned, in_sync, promoted, *promoting, *mended, ended, *after];
    let seconds = |at: &jiff::Timestamp| at.duration_since(*on_its_way).as_secs();
    let told: Vec<_> = order.iter().map(seconds).collect();
    ensure(
        order.is_sorted(),
        format!("update, pin, update, in sync, promotion, update, update, failed over, update: seconds {told:?}"),
    )
}

fn parameters_heard(evidence: &Evidence) -> Result<String, String> {
    let about_it = evidence.mailbox().iter().filter(|mail| mail.body.contains("app-dt")).count();
    ensure(about_it > 0, format!("{about_it} mails name it"))
}
