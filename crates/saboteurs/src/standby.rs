//! The sabotage of readiness.

use aws::standby::{Reader, StandbyReader};
use failover::observation::NameView;
use failover::plan::Plan;
use failover::standby::news::Past;
use failover::standby::wanted::Wanted;
use failover::standby::{Finding, Look, Verdict};
use jiff::Timestamp;

use crate::bent::{Bent, Sabotage};

impl StandbyReader for Bent<Reader> {
    async fn rows(&self, plan: &Plan, wanted: &Wanted, names: &[NameView], now: Timestamp) -> Vec<Finding> {
        let mut rows = self.honest.rows(plan, wanted, names, now).await;
        if self.sabotage == Sabotage::SeesNoRed {
            let red = rows.iter_mut().filter(|row| row.verdict == Verdict::NotReady);
            red.for_each(|row| row.verdict = Verdict::Ready);
        }
        rows
    }

    async fn before(&self, function: &str, now: Timestamp) -> Look<Vec<Past>> {
        self.honest.before(function, now).await
    }
}
