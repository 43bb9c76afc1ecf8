//! Holdfast's decisions, model-checked: the functions of `failover` as they ship, in a world of one protected name with one
//! database, under every interleaving of invocations, events, propagation, people and time within bounds.
//!
//! What is explored, what is left out and the numbers are in `docs/proof.md`.

mod hands;
mod people;
mod rules;
mod steps;
mod watch;
mod world;

pub use rules::{MUTATIONS, Mutation, Rules};
pub use steps::{Bounds, Checked, Holdfast, Step};
pub use watch::Violation;
pub use world::World;
