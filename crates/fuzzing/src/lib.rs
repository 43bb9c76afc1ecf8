//! What must hold whatever bytes come in: nothing panics, what is read is read back, nothing acts that should not, and
//! what a record said is never lost.
//!
//! One function for each target of `cargo fuzz` (`fuzz/`); `tests/corpus.rs` runs the same functions over the committed
//! corpus and over random bytes. Never shipped.

#![expect(clippy::panic, reason = "to panic is how a fuzz target says that something does not hold")]
#![expect(clippy::expect_used, clippy::unwrap_used, reason = "the same")]

#[cfg(feature = "functions")]
mod events;
mod json;
mod plan;
mod records;
mod register;
mod workload;
#[cfg(feature = "functions")]
mod world;

#[cfg(feature = "functions")]
pub use events::events;
pub use plan::plan;
pub use records::records;
pub use register::register;

/// A fuzz target by the name of its corpus.
pub type Target = (&'static str, fn(&[u8]));

/// Every target.
pub const TARGETS: &[Target] = &[
    #[cfg(feature = "functions")]
    ("events", events),
    ("plan", plan),
    ("records", records),
    ("register", register),
];
