//! What can be held against a plan before anything is deployed: its records, its zone, its probes, whoever keeps connections.

use failover::observation::{NameView, Probes};
use jiff::Timestamp;

use super::Around;
use super::clients::KeepAlive;
use super::own::Own;
use super::zones::Zone;

/// The same as a whole look, without what a stack brings along.
pub fn before(
    names: Vec<NameView>,
    zones: Vec<Zone>,
    probes: Probes,
    keep_alives: Vec<KeepAlive>,
    now: Timestamp,
) -> Around {
    let own =
        Own { alarms: Ok(Vec::new()), topics: Vec::new(), mutes: Ok(Vec::new()), runs: Vec::new(), has_to_ring: None };
    let (detectors, idle) = (Vec::new(), Ok(Vec::new()));
    Around { names, detectors, zones, probes, switch: None, own, keep_alives, idle, now }
}
