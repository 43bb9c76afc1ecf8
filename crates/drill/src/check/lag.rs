//! Checks of what is said of a replica whose lag lies.

use jiff::Timestamp;
use lab::journal::What;

use super::{Check, ensure};
use crate::evidence::Evidence;
use crate::stage::CLUSTER;

/// What was lost tells the truth.
pub const NO_FALSE_MOMENT: Check = Check {
    name: "no function names a moment up to which the replica had every write, and it lacks one that was acknowledged before",
    run: no_false_moment,
};

fn no_false_moment(evidence: &Evidence) -> Result<String, String> {
    let outage = evidence.outage_at.ok_or("there was no outage")?;
    let oldest = evidence.lost().iter().map(|write| write.at).min().ok_or("nothing was lost, so no moment is false")?;
    let mut named = 0;
    for entry in evidence.entries().iter().filter(|entry| entry.at >= outage) {
        let What::Invocation { response, .. } = &entry.what else { continue };
        let facts = response["facts"].as_array().into_iter().flatten();
        let of_cluster = facts.filter(|fact| fact["about"].as_str().is_some_and(|about| about.ends_with(CLUSTER)));
        for until in of_cluster.filter_map(|fact| moment(fact["seen"].as_str()?)) {
            named += 1;
            if until > oldest {
                return Err(format!(
                    "at {} it was said to be complete until {until}, and lacks a write of {oldest}",
                    entry.at
                ));
            }
        }
    }
    ensure(named > 0, format!("{named} times a moment was named; the oldest write that it lacks is of {oldest}"))
}

/// The moment that a fact names.
fn moment(fact: &str) -> Option<Timestamp> {
    fact.split_once("complete until ")?.1.split(';').next()?.parse().ok()
}
