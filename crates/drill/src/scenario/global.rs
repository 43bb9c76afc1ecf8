//! A global database: over by `FailoverGlobalCluster`, home by `SwitchoverGlobalCluster`.

use super::Stuck;
use super::play::Play;
use crate::evidence::Evidence;

impl Play {
    /// A failover from DR's region; once its own region is back, Aurora makes the old primary a secondary; a failback that needs neither
    /// new databases nor stopped writes.
    pub(super) async fn global_database(self) -> Result<Evidence, Stuck> {
        self.begin().await?;
        self.operator(&["status"]).await?;
        let outage_at = self.fail_primary();
        if !self.failed_over().await {
            return Ok(self.evidence(outage_at, None));
        }
        self.stage.minutes(20).await;
        self.operator(&["report"]).await?;
        let healed_at = self.heal_primary();
        let refused = self.stage.holdfast(&["failback", "switch"], false).await;
        let refused = refused.map_err(|error| Stuck::new(error.to_string()))?;
        self.patient_operator(&["failback", "catch-up"]).await?;
        // Alarms need their time to say that the primary is well.
        self.stage.minutes(10 + self.settings.seed % 20).await;
        self.patient_operator(&["failback", "check"]).await?;
        self.patient_operator(&["failback", "switch"]).await?;
        let home = self.stage.lab.clock.now();
        let restored = self.stage.records();
        self.stage.minutes(31).await;
        let mut evidence = self.evidence(outage_at, Some(healed_at));
        (evidence.restored, evidence.homes) = (vec![restored], vec![home]);
        evidence.refusals = vec![String::from_utf8_lossy(&refused.stderr).into_owned()];
        Ok(evidence)
    }
}
