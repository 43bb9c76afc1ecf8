//! The whole handler over a zone in this process.
#![expect(clippy::unwrap_used, reason = "helpers of tests; clippy knows tests by #[test] only")]

mod many_names;
mod refusals;
mod rehearsal;
mod zone;
