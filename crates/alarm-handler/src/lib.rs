//! alarm-handler: decides for every protected name whether its PRIMARY record is pinned to DR, and pins.

mod calls;
pub mod event;
pub mod handler;
mod latch;
pub mod look;
mod pass;
