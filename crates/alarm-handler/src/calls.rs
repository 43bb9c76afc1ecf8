//! What alarm-handler calls, and what is about to be written.

use failover::change::Write;
use failover::name::Name;
use failover::outcome::Finding;

/// Everything alarm-handler calls. Only `writer` and, in DR's store, `beside` can change anything.
#[derive(Clone, Debug)]
pub struct Calls<Records, Writes, Alarms, Sites, Beside> {
    /// Looks at Route 53.
    pub reader: Records,
    /// Changes Route 53.
    pub writer: Writes,
    /// Looks at alarms.
    pub alarms: Alarms,
    /// Asks the sites.
    pub prober: Sites,
    /// What stands in for Route 53's API while it is silent: DR's store, with the latch and the last listing, and the zone's name servers.
    pub beside: Beside,
}

/// A protected name in its zone.
pub(crate) type Key = (String, Name);

/// What is to be written, with what will be said of it.
pub(crate) type Pending = Vec<(Write, Finding)>;

pub(crate) fn key(write: &Write) -> Key {
    (write.zone.clone(), write.name.clone())
}
