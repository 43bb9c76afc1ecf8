//! When a pin is rehearsed: a batch of the pin's own shape that changes nothing, at a quiet minute, so that what Route 53 would
//! refuse in an outage is refused then.

use jiff::{SignedDuration, Timestamp};

use crate::observation::elapsed;
use crate::plan::Plan;
use crate::register::Register;

/// A little less than a day, so that a rehearsal comes at the same minute of each day.
const REHEARSED_SECONDS: u32 = 84_600;

/// The minutes among which the stacks of an account are spread, since Route 53 takes five requests a second from all of them.
/// A rehearsal that was refused is tried again after as many, for nobody remembers that it was.
const MINUTES: u64 = 60;

/// True in the minute of each hour that is this stack's, for this zone, if its rehearsal is due.
pub(crate) fn is_due(plan: &Plan, zone: &str, register: &Register, now: Timestamp) -> bool {
    let Register::Armed { rehearsed, .. } = register else { return false };
    rehearsed.is_none_or(|at| elapsed(at, now, REHEARSED_SECONDS)) && minute(now) % MINUTES == slot(plan, zone)
}

/// The first minute at which the rehearsal was due: until it is taken, each hour since then it was tried.
pub(crate) fn due_since(plan: &Plan, zone: &str, register: &Register) -> Option<Timestamp> {
    let Register::Armed { since, rehearsed, .. } = register else { return None };
    let earliest = rehearsed.map_or(*since, |at| at + SignedDuration::from_secs(REHEARSED_SECONDS.into()));
    let wait = (slot(plan, zone) + MINUTES - minute(earliest) % MINUTES) % MINUTES;
    let at = i64::try_from((minute(earliest) + wait) * 60).ok()?;
    Timestamp::from_second(at).ok()
}

fn minute(at: Timestamp) -> u64 {
    u64::try_from(at.as_second() / 60).unwrap_or_default()
}

/// The same for every name of a zone, so that they share batches and a page; another for another stack. FNV-1a, since the
/// standard library's hash may change from one release to the next.
fn slot(plan: &Plan, zone: &str) -> u64 {
    let text = zone.bytes().chain(plan.alarms.iter().flat_map(|arn| arn.bytes()));
    text.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)) % MINUTES
}
