//! Route 53's health checks: their settings, their thresholds, and what they say. Who looks is in `checkers`.

mod config;
mod rules;

pub(crate) use self::config::children;
pub use self::config::{AlarmIdentifier, CheckType, HealthCheckConfig, InsufficientData};
pub(crate) use self::rules::CHECKERS;
pub use self::rules::{Check, Checker, Checks, Due};
