//! What Holdfast itself adds to an outage.

use super::{Check, ensure, minutes};
use crate::evidence::Evidence;

/// Nothing waits for a tick.
pub const NO_TICK_AWAITED: Check = Check {
    name: "Holdfast adds no minute of its own: not from the alarm to the pin, nor from drained clients to the promotion, nor to the last word",
    run: no_tick_awaited,
};

/// A failover without patience.
pub const BACK_SOON: Check = Check {
    name: "all users write in DR within eleven minutes of the outage, of which six can be RDS's and Route 53's",
    run: back_soon,
};

/// At the worst: 40 s until Route 53's checkers say so, three minutes until a whole one of the observer's is down and the alarm has seen it, 60 s of
/// propagation, 90 s of TTL and `DrainSeconds`, 300 s of promotion.
const BACK_SECONDS_MAX: f64 = 660.0;

/// A tick comes after half a minute on average. A look takes a second; on a busy machine, where programs' time is the lab's, some.
const OWN_SECONDS_MAX: f64 = 25.0;

/// All functions of a workload together.
const CALLS_A_MINUTE_MAX: f64 = 20.0;

fn no_tick_awaited(evidence: &Evidence) -> Result<String, String> {
    let (pin, promotion) = evidence.own_seconds().ok_or("there was no failover by the pin")?;
    let told = evidence.told_seconds().ok_or("nobody was told of the end")?;
    let each = evidence.calls_a_minute();
    let calls: f64 = each.values().sum();
    let mut found = format!(
        "{pin:.1} s from the alarm to the pin, {promotion:.1} s from drained clients to the promotion, {told:.1} s from the last database's \
         first write to FAILED OVER; {calls:.1} calls of AWS a minute meanwhile"
    );
    if calls > CALLS_A_MINUTE_MAX {
        let each: Vec<_> = each.iter().map(|(call, rate)| format!("{rate:.1} {call}")).collect();
        found.push_str(&format!(": {}", each.join(", ")));
    }
    ensure(
        [pin + promotion, told].iter().all(|seconds| *seconds <= OWN_SECONDS_MAX) && calls <= CALLS_A_MINUTE_MAX,
        found,
    )
}

fn back_soon(evidence: &Evidence) -> Result<String, String> {
    let took = evidence.all_served_seconds().ok_or("not all were served by the end")?;
    ensure(took <= BACK_SECONDS_MAX, format!("after {}", minutes(took)))
}
