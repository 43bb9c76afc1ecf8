//! Holdfast's decisions, model-checked: the functions of `failover` as they ship, in a small world of zones, an alarm,
//! databases, people and time, under every interleaving of invocations, events, propagation, people and faults within bounds.
//!
//! What is explored, what is left out and the numbers are in `docs/proof.md`.

mod bounds;
mod check;
mod databases;
mod decide;
mod edits;
mod faults;
mod hands;
mod offers;
mod people;
mod properties;
mod rules;
mod setting;
mod shared;
mod steps;
mod story;
mod subject;
mod switch;
mod watch;
mod world;

pub use bounds::Bounds;
pub use check::{Broken, Checked, every_row};
pub use rules::Rules;
pub use steps::{Holdfast, Step};
pub use subject::{Fault, Subject, every_fault};
pub use switch::{Bounds as SwitchBounds, HOME_BY_NAME_SERVERS, LIFTS_STRAY, Switched};
pub use watch::Violation;
pub use world::World;
