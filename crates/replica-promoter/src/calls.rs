//! What replica-promoter calls.

/// Everything replica-promoter calls. Only `registers`, `promoter` and, in DR's store, `beside` can change anything.
#[derive(Clone, Debug)]
pub struct Calls<Records, Registers, Databases, Promoter, Lag, Beside> {
    /// Looks at Route 53.
    pub records: Records,
    /// Changes registers.
    pub registers: Registers,
    /// Looks at databases.
    pub replicas: Databases,
    /// Promotes databases.
    pub promoter: Promoter,
    /// Looks at replica lag.
    pub lag: Lag,
    /// What stands in for Route 53's API while it is silent: DR's store, with the latch and the last listing, and the zone's name servers.
    pub beside: Beside,
}
