//! Tells from the DR region whether the primary is down.

pub mod event;
pub mod handler;
