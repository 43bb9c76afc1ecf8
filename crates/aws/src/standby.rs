//! Looks at DR's half of a workload, and at what of the primary's it is held against. Nothing here can write.

mod capacity;
mod copies;
mod database;
mod look;
mod metrics;
mod past;
mod pipeline;
mod quota;
mod traffic;

use failover::observation::NameView;
use failover::plan::Plan;
use failover::standby::news::Past;
use failover::standby::wanted::Wanted;
use failover::standby::{Finding, Look};
use jiff::Timestamp;
pub use past::{NOT_KNOWN_ROWS, NOT_READY_ROWS, ON_DR};

use crate::session::Session;

/// Someone who looks at DR's half of a workload, and remembers nothing.
pub trait StandbyReader {
    /// Every row about everything that the plan, the records and people name. What does not answer is not known, and keeps nothing else from
    /// being told.
    async fn rows(&self, plan: &Plan, wanted: &Wanted, names: &[NameView], now: Timestamp) -> Vec<Finding>;

    /// What the function of that name found in its looks of the last days, the oldest first, by the metrics that it published of them.
    async fn before(&self, function: &str, now: Timestamp) -> Look<Vec<Past>>;
}

/// Looks by AWS's SDKs.
#[derive(Clone, Debug)]
pub struct Reader {
    session: Session,
}

impl Reader {
    /// Looks in the session's region, DR's, and in whichever the primary's turns out to be.
    #[must_use]
    pub fn new(session: &Session) -> Self {
        Self { session: session.clone() }
    }
}

impl StandbyReader for Reader {
    async fn rows(&self, plan: &Plan, wanted: &Wanted, names: &[NameView], now: Timestamp) -> Vec<Finding> {
        look::look(&self.session, plan, wanted, names, now).await
    }

    async fn before(&self, function: &str, now: Timestamp) -> Look<Vec<Past>> {
        past::looks(&self.session, function, now).await
    }
}
