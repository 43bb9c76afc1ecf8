//! Whole outages, in every way they can go wrong.

mod approvals;
mod broken_rules;
mod common;
mod delivery;
mod failover_runs;
mod faults;
mod late;
mod messages;
mod random;
mod undone;
