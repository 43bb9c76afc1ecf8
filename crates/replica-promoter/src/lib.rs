//! replica-promoter: promotes the replicas once the pin is in sync and clients have drained, and closes the incident.

mod calls;
pub mod databases;
pub mod event;
mod ground;
pub mod handler;
mod stay;
mod unwritten;
