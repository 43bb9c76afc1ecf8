//! notifier: turns each outcome worth a person's attention, and each failed invocation, into one SNS message.

pub mod event;
pub mod handler;
