//! The DR region's stack is all there is: its observer tells an outage.

use std::time::Duration;

use lab::fault::Ailment;

use super::Stuck;
use super::play::Play;
use crate::evidence::Evidence;
use crate::moment::{NOTHING_ANSWERS, SERVERS_FAIL};
use crate::stage::ELSEWHERE;

impl Play {
    /// A maintenance ends by itself in peace. For up to three minutes of the outage, by the seed, the observer hears one name server alone: nothing is published then.
    pub(super) async fn one_stack(self) -> Result<Evidence, Stuck> {
        self.begin().await?;
        self.operator(&["status"]).await?;
        self.operator(&["maintenance", "begin", "--for", "10m", "--reason", "a drill"]).await?;
        self.stage.minutes(12).await;
        self.armed().await?;
        self.stage.lab.clock.sleep(Duration::from_secs(self.stage.settle_seconds() + 60)).await;
        let outage_at = self.fail_primary();
        let (lab, blind) = (&self.stage.lab, self.settings.seed % 4);
        self.stage.minutes(2 + self.settings.seed % 5).await;
        if blind > 0 {
            self.say(SERVERS_FAIL);
            lab.faults.ail_name_servers(&lab.name_servers[1..], Some(Ailment::Failing));
            self.stage.minutes(blind).await;
            lab.faults.ail_name_servers(&lab.name_servers, None);
        }
        let evidence = self.to_the_end(outage_at).await;
        self.operator(&["report"]).await?;
        Ok(evidence)
    }

    /// In peace the observer hears one name server alone; then the primary is down, and so is whoever else it asks.
    pub(super) async fn observer_blind(self) -> Result<Evidence, Stuck> {
        self.begin().await?;
        let (lab, faults) = (&self.stage.lab, &self.stage.lab.faults);
        self.say(SERVERS_FAIL);
        // Users' resolvers ask the first.
        faults.ail_name_servers(&lab.name_servers[1..], Some(Ailment::Failing));
        self.stage.minutes(8).await;
        self.say("the name servers are well");
        faults.ail_name_servers(&lab.name_servers, None);
        self.stage.minutes(8).await;
        self.say(NOTHING_ANSWERS);
        faults.fail_region(ELSEWHERE);
        let outage_at = self.fail_primary();
        self.stage.minutes(10).await;
        faults.heal_region(ELSEWHERE);
        let healed_at = self.heal_primary();
        self.stage.minutes(15).await;
        Ok(self.evidence(outage_at, Some(healed_at)))
    }
}
