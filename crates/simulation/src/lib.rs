//! Holdfast's Lambdas, whole from parse to outcome, in a world that takes no time and no AWS.
//!
//! Never shipped and never depended on by what is: this crate only tests. The handlers are the ones that run in Lambda;
//! below them stand fakes of the narrow AWS calls with the documented semantics the design rests on, above them the bus
//! that carries their return values on. Time is virtual, every call can fail in every way a call can, and a [`watch`]
//! that knows nothing of the rules looks at each effect the moment it happens and says what must never be.

mod beside;
pub mod calls;
pub mod campaign;
pub mod chance;
mod circumstances;
pub mod database;
pub mod dns;
pub mod event;
pub mod fault;
pub mod holdfast;
mod judge;
pub mod outage;
pub mod primary;
pub mod property;
pub mod route53;
pub mod sabotage;
pub mod setup;
pub mod shrink;
mod store;
pub mod switch;
pub mod watch;
mod watched;
pub mod world;

/// Half of a simulated outage is allocation, and half of that is saved here.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;
