//! A planned move to DR: nobody's write is lost, since nobody moves before DR provably has it.

use super::Stuck;
use super::play::Play;
use crate::evidence::Evidence;
use crate::stage::{Credentials, PRIMARY};

const SWITCHOVER: [&str; 4] = ["switchover", "--reason", "a drill", "--writes-stopped"];

impl Play {
    /// Somebody says that writes have stopped while users write; then they have stopped. Twenty minutes after it the old primary takes writes
    /// again, for whoever would still come to it.
    pub(super) async fn switchover(mut self) -> Result<Evidence, Stuck> {
        self.stage.asks_databases = Credentials::Secret;
        self.begin().await?;
        let refused = self.stage.holdfast(&SWITCHOVER, false).await.map_err(|error| Stuck::new(error.to_string()))?;
        self.say("writes stop at the primary");
        self.stage.lab.sites.fail_page(PRIMARY, "/write");
        let stopped_at = self.stage.lab.clock.now();
        self.operator(&SWITCHOVER).await?;
        self.stage.minutes(20).await;
        self.say("the old primary takes writes again");
        self.stage.lab.sites.mend_page(PRIMARY, "/write");
        let mended_at = self.stage.lab.clock.now();
        self.stage.minutes(31).await;
        let mut evidence = self.evidence(stopped_at, Some(mended_at));
        evidence.is_planned = true;
        evidence.refusals = vec![String::from_utf8_lossy(&refused.stderr).into_owned()];
        Ok(evidence)
    }
}
