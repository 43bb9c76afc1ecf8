//! The primary comes back, and somebody whom DNS does not reach still writes to it.

use lab::rds;

use super::Stuck;
use super::play::Play;
use crate::evidence::Evidence;
use crate::stage::{PRIMARY, PRIMARY_ADDRESS};

impl Play {
    /// A job writes to the primary by its address; the region goes down, users are pinned to DR, the region comes back. In
    /// the end a person lifts the fence.
    pub(super) async fn fence(self) -> Result<Evidence, Stuck> {
        self.begin().await?;
        self.say("a job writes to the primary site by its address");
        self.stage.clients.stray(PRIMARY_ADDRESS);
        self.stage.minutes(5).await;
        let outage_at = self.fail_primary();
        if !self.failed_over().await {
            return Ok(self.evidence(outage_at, None));
        }
        // Each tick asks the silent region, at its clients' limits and in real time; a few show as much as many.
        self.stage.minutes(2).await;
        let healed_at = self.heal_primary();
        self.stage.minutes(31).await;
        let groups = || [rds::groups(&self.stage.lab, PRIMARY, "app"), rds::groups(&self.stage.lab, PRIMARY, "orders")];
        let fenced = groups();
        self.operator(&["report"]).await?;
        self.operator(&["fence", "lift"]).await?;
        self.stage.minutes(10).await;
        let mut evidence = self.evidence(outage_at, Some(healed_at));
        evidence.old_groups = fenced.into_iter().chain(groups()).collect();
        Ok(evidence)
    }
}
