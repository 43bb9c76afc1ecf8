//! What replica-promoter calls.

/// Everything replica-promoter calls. Only `registers` and `promoter` can change anything.
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
    /// What stands beside Route 53's API. Of it, too, only what it keeps in the latch changes anything.
    pub beside: Beside,
}
