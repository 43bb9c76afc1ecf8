//! Checks of a failback.

use jiff::SignedDuration;
use lab::route53::RecordSet;

use super::{ANSWER_ON_ITS_WAY, Check, ensure, is_register};
use crate::client::Write;
use crate::evidence::{Evidence, site};
use crate::moment::ROUND_TRIPS;
use crate::stage::{CLUSTER, INSTANCE, NAMES, PRIMARY_ADDRESS};

/// What replication may lag behind, with what the outage's beginning adds.
const LAG_MAX: SignedDuration = SignedDuration::from_secs(60);

/// No return to data that lacks what DR wrote.
pub const BACK_WAS_GUARDED: Check = Check {
    name: "no failback while the primary's databases lack what was written in DR (F06)",
    run: back_was_guarded,
};
/// One change each way, one promotion each way.
pub const OUT_BACK_AND_OUT: Check = Check {
    name: "each name moves out and back once a round trip, and each database is promoted once a move",
    run: out_back_and_out,
};
/// The records are home.
pub const RECORDS_RESTORED: Check =
    Check { name: "the failback restores every record field by field", run: records_restored };
/// The users are home.
pub const USERS_CAME_HOME: Check = Check {
    name: "after each failback, until the next outage, every write goes to the primary, and is acknowledged",
    run: users_came_home,
};
/// What may still be needed.
pub const NOTHING_DELETED: Check =
    Check { name: "old databases are renamed and none is deleted", run: nothing_deleted };
/// Only the outages cost data.
pub const LOSS_NEAR_OUTAGES: Check = Check {
    name: "no acknowledged write is lost but those of the last seconds before an outage",
    run: loss_near_outages,
};

fn back_was_guarded(evidence: &Evidence) -> Result<String, String> {
    let guarded = evidence.refusals.iter().filter(|said| said.contains("F06")).count();
    ensure(guarded == 2, format!("{guarded} failbacks refused"))
}

fn out_back_and_out(evidence: &Evidence) -> Result<String, String> {
    let pins = evidence.pins();
    let moves = NAMES.map(|name| pins.iter().filter(|pin| pin.name == name).count());
    let promotions = evidence.promotions();
    let of = |id: &str| promotions.iter().filter(|(_, resource)| resource == id).count();
    let promoted = [of(CLUSTER), of(INSTANCE), of("app"), of("orders")];
    ensure(
        moves == [2 * ROUND_TRIPS; 5] && promoted == [ROUND_TRIPS; 4],
        format!("changes {moves:?}; promotions of {CLUSTER}, {INSTANCE}, app, orders: {promoted:?}"),
    )
}

fn records_restored(evidence: &Evidence) -> Result<String, String> {
    for (nth, restored) in evidence.restored.iter().enumerate() {
        let restored: Vec<&RecordSet> = restored.iter().filter(|set| !is_register(set)).collect();
        if let Some(other) = evidence.original.iter().find(|set| !restored.contains(set)) {
            return Err(format!("expected {} to be {other:?} again after failback {}", other.key, nth + 1));
        }
        if restored.len() != evidence.original.len() {
            return Err(format!("{} record sets instead of {}", restored.len(), evidence.original.len()));
        }
    }
    let (times, sets) = (evidence.restored.len(), evidence.original.len());
    ensure(times == evidence.outages().count(), format!("{sets} record sets compared, {times} times"))
}

/// "The old cluster is renamed, never deleted."
fn nothing_deleted(evidence: &Evidence) -> Result<String, String> {
    let (deleted, renamed) = (evidence.done_by("operator", "DeleteDB"), evidence.done_by("operator", "ModifyDB"));
    // Two databases, on either side, each time.
    let expected = 4 * ROUND_TRIPS;
    ensure(
        deleted.is_empty() && renamed.len() == expected,
        format!("{} old databases renamed, {} deleted", renamed.len(), deleted.len()),
    )
}

fn users_came_home(evidence: &Evidence) -> Result<String, String> {
    let mut count = 0;
    for home in &evidence.homes {
        let next = evidence.outages().find(|outage| outage > home).unwrap_or(evidence.ended_at);
        let writes: Vec<_> = evidence.writes_after(*home + evidence.ttl()).filter(|write| write.at < next).collect();
        let is_good = |write: &&&Write| write.acknowledged && write.address == Some(PRIMARY_ADDRESS);
        if let Some(bad) = writes.iter().find(|write| !is_good(write)) {
            return Err(format!(
                "{} at {} went to {} and was refused or unanswered",
                bad.id,
                bad.at,
                site(bad.address)
            ));
        }
        if writes.is_empty() {
            return Err(format!("nobody wrote after the failback of {home}"));
        }
        count += writes.len();
    }
    let times = evidence.homes.len();
    ensure(times == evidence.outages().count(), format!("{count} writes after {times} failbacks, all acknowledged"))
}

fn loss_near_outages(evidence: &Evidence) -> Result<String, String> {
    let (lost, all) = (evidence.lost(), evidence.acknowledged().count());
    let is_near = |at| {
        let mut outages = evidence.outages();
        outages.any(|outage| at <= outage + ANSWER_ON_ITS_WAY && outage.duration_since(at) <= LAG_MAX)
    };
    match lost.iter().find(|write| !is_near(write.at)) {
        Some(write) => Err(format!("{} of {} is lost", write.id, write.at)),
        None => Ok(format!("{} of {all} acknowledged writes lost", lost.len())),
    }
}
