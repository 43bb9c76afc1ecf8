//! Looks at DR's half of a workload, and at what of the primary's it is held against. Nothing here can write.

mod capacity;
mod copies;
mod database;
mod metrics;
mod traffic;

pub use capacity::{groups, most_needed};
pub use copies::{bucket, secret};
pub use database::replica;
pub use traffic::{balancer, listeners, region_of};
