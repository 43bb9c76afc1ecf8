//! us-east-1 is dark: neither Route 53's API nor CloudWatch there tells or takes anything. The switch stands on the records, and the
//! DR region's stack is all there is.

use super::Stuck;
use super::play::Play;
use crate::evidence::Evidence;
use crate::moment::{DARK, LIGHT};
use crate::stage::{DETECTOR, DR, Stage};

/// The signing name of the API.
const CONTROL_PLANE: &str = "route53";

const STORE: &str = "holdfast-store";

/// The text of the latch, as DR's store has it.
fn latch(stage: &Stage) -> Option<String> {
    stage.lab.dynamodb.text(DR, STORE, "latch", "text")
}

impl Play {
    /// From before the outage until after the promotion. Before, a maintenance has come and gone.
    pub(super) async fn us_east_1_dark(mut self) -> Result<Evidence, Stuck> {
        self.armed().await?;
        self.operator(&["maintenance", "begin", "--for", "10m", "--reason", "a drill"]).await?;
        self.stage.minutes(12).await;
        self.begin_on_switch().await?;
        self.darken();
        self.stage.minutes(3 + self.settings.seed % 3).await;
        let outage_at = self.fail_primary();
        self.failed_over_in_the_dark().await?;
        self.lighten();
        Ok(self.to_the_end(outage_at).await)
    }

    /// Both go in the same second.
    pub(super) async fn primary_in_us_east_1(mut self) -> Result<Evidence, Stuck> {
        self.begin_on_switch().await?;
        self.darken();
        let outage_at = self.fail_primary();
        self.failed_over_in_the_dark().await?;
        self.lighten();
        Ok(self.to_the_end(outage_at).await)
    }

    /// The same, and what the switch goes by never hears of the commit: DNS follows the outage once the hold has lapsed, which proves
    /// nothing.
    pub(super) async fn latch_lost(mut self) -> Result<Evidence, Stuck> {
        self.begin_on_switch().await?;
        self.say("the latch's metric does not arrive");
        self.stage.lab.faults.lose_metric("Latch");
        self.darken();
        let outage_at = self.fail_primary();
        self.must(60, "no failover was committed", |stage| latch(stage).is_some()).await?;
        self.told_by_status("Users may still be at the primary").await?;
        self.stage.minutes(25 + self.settings.seed % 5).await;
        self.lighten();
        Ok(self.to_the_end(outage_at).await)
    }

    fn darken(&self) {
        self.say(DARK);
        self.stage.lab.faults.fail_service(CONTROL_PLANE);
        self.stage.lab.faults.fail_metrics(DETECTOR);
    }

    fn lighten(&self) {
        self.say(LIGHT);
        self.stage.lab.faults.heal_service(CONTROL_PLANE);
        self.stage.lab.faults.heal_metrics(DETECTOR);
    }

    async fn failed_over_in_the_dark(&self) -> Result<(), Stuck> {
        let is_over = |stage: &Stage| latch(stage).is_some_and(|text| text.starts_with("v=1 failed-over "));
        self.must(90, "the failover did not end while us-east-1 was dark", is_over).await
    }
}
