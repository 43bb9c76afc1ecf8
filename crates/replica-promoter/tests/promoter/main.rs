//! replica-promoter's whole handler in a small world: what becomes of databases, and what it waits for itself.

#![expect(clippy::unwrap_used, reason = "helpers of tests; clippy knows tests by #[test] only")]

mod databases;
mod staying;
mod world;
