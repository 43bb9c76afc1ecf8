//! preparer: makes DR ready while an outage is waited out, and does what comes after a failover. A function of its own, so that
//! nothing that fails in it holds up a pin or a promotion, and no other function may touch what it changes.

pub mod handler;
