//! Holdfast in the lab: scenarios, clients, faults, checks from outside, and the report.
//!
//! A drill deploys the two templates into the lab, lets something happen, and judges by facts anybody could see: what DNS
//! answered, which writes were acknowledged and which exist, what the mailbox received, what the records say at the end.

pub mod check;
pub mod client;
pub mod databases;
pub mod evidence;
pub mod files;
pub mod fleet;
pub mod lambdas;
pub mod live;
mod moment;
mod page;
pub mod permissions;
pub mod plan;
pub mod progress;
pub mod regions;
pub mod report;
pub mod run;
pub mod scenario;
pub mod stage;
