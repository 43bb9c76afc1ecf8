//! What replica-promoter waits for itself, rather than leave it to the next tick.

use jiff::Timestamp;

use super::gate::{ARRIVED, ARRIVING, DRAINING};
use super::replica::ON_ITS_WAY;
use crate::finding::Finding;
use crate::observation::Attention;

/// What an invocation that has done all it could is waiting for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Awaited {
    /// Nothing: what was just put on record is gone on with.
    Nothing,
    /// That the pin arrives at every name server.
    Arrival {
        /// When it was made.
        since: Timestamp,
    },
    /// The time at which clients have drained.
    Drained(Timestamp),
    /// That databases on their way become available.
    Databases,
}

/// What these findings wait for. Nobody waits with what people are to hear of: it is returned, and so told, at once.
#[must_use]
pub fn awaited(findings: &[Finding]) -> Option<Awaited> {
    if findings.iter().any(|finding| finding.attention != Attention::None) {
        return None;
    }
    let of_row = |id| findings.iter().find(|finding| finding.id == Some(id));
    let arrival = || of_row(ARRIVING)?.since.map(|since| Awaited::Arrival { since });
    let drained = || of_row(DRAINING)?.since.map(Awaited::Drained);
    let on_their_way = || of_row(ON_ITS_WAY).map(|_| Awaited::Databases);
    of_row(ARRIVED).map(|_| Awaited::Nothing).or_else(arrival).or_else(drained).or_else(on_their_way)
}
