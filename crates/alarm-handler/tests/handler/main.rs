//! The whole handler over a zone in this process.
#![expect(clippy::unwrap_used, reason = "helpers of tests; clippy knows tests by #[test] only")]

mod calls;
mod many_names;
mod refusals;
mod rehearsal;
mod zone;

use failover::message::Sender;

/// Which Holdfast speaks.
fn sender() -> Sender {
    Sender { bus: "holdfast".to_owned(), region: "eu-central-1".to_owned(), account: "123456789012".to_owned() }
}
