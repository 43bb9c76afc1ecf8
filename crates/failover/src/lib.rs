//! The domain of Holdfast: what is protected, what is known, what follows.
//!
//! Everything here is a pure function of its arguments: no I/O, no async, no clock, no AWS. The same code decides in the
//! Lambdas, the command line's dry run, the simulator, the model checker and the tests.

pub mod adopt;
pub mod after;
pub mod announcement;
pub mod change;
mod fact;
pub mod failback;
pub mod fence;
mod finding;
#[cfg(test)]
mod fixture;
pub mod hold;
pub mod incident;
pub mod latch;
pub mod listing;
pub mod message;
pub mod name;
pub mod observation;
pub mod observer;
pub mod order;
pub mod outcome;
pub mod pin;
pub mod plan;
pub mod position;
mod probe;
pub mod promotion;
pub mod rebuild;
pub mod record;
pub mod refusal;
pub mod register;
mod rehearsal;
pub mod rule;
pub mod signal;
pub mod standby;
pub mod step;
mod switch;
pub mod switchover;
mod targets;
pub mod unready;
pub mod users;
mod verdict;
mod view;
