//! Whole outages, in every way they can go wrong.

#![expect(clippy::expect_used, clippy::unwrap_used, reason = "what cannot go on must fail, helpers of tests included")]

mod approvals;
mod broken_rules;
mod command;
mod common;
mod dark;
mod delivery;
mod failover_runs;
mod faults;
mod globals;
mod late;
mod messages;
mod random;
mod sabotage;
mod undone;
