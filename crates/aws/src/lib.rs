//! The narrow AWS calls Holdfast makes, and one classification of their errors.
//!
//! Reading and writing are different types, so that what only looks (a dry run) holds nothing that can write. The calls
//! are traits for the sake of their second user: the in-process world that tests and simulations run handlers in.

#![expect(async_fn_in_trait, reason = "functions and their simulations run on one thread")]

#[cfg(feature = "operator")]
pub mod access;
#[cfg(feature = "standby")]
pub mod balancer;
#[cfg(feature = "store")]
pub mod beside;
pub mod clock;
#[cfg(feature = "cloudwatch")]
pub mod cloudwatch;
#[cfg(feature = "operator")]
pub mod detector;
#[cfg(feature = "dns")]
pub mod dns;
pub mod error;
#[cfg(feature = "operator")]
pub mod history;
#[cfg(feature = "operator")]
pub mod operator;
mod pace;
pub mod probe;
#[cfg(feature = "rds")]
pub mod rds;
mod reach;
#[cfg(feature = "operator")]
pub mod rebuild;
#[cfg(feature = "route53")]
pub mod route53;
#[cfg(feature = "operator")]
pub mod secret;
pub mod session;
#[cfg(feature = "sns")]
pub mod sns;
#[cfg(feature = "standby")]
pub mod standby;
pub mod start;
#[cfg(feature = "steps")]
pub mod steps;
#[cfg(feature = "store")]
pub mod store;
#[cfg(feature = "operator")]
pub mod survey;
pub mod telemetry;
#[cfg(feature = "operator")]
pub mod watch;
#[cfg(feature = "operator")]
pub mod zone;

pub use error::{CallError, PASSES_MAX};
pub use session::Session;
