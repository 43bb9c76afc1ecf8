//! Something of DR's half breaks in peace, and nobody would have known before the outage.

use super::Stuck;
use super::play::Play;
use crate::evidence::Evidence;

impl Play {
    /// Two rows turn red between two looks, stay red for three, and are put right.
    pub(super) async fn unready(mut self) -> Result<Evidence, Stuck> {
        self.stage.furnish().await.map_err(|error| Stuck::new(format!("DR to be furnished: {error}")))?;
        self.begin().await?;
        self.stage.minutes_measured(60).await;
        self.say("a replica's backups are switched off, and a secret is not copied to DR any more");
        self.stage.unready();
        let broken_at = self.stage.lab.clock.now();
        self.stage.minutes_measured(240).await;
        self.say("both are put right");
        self.stage.ready_again();
        let mended_at = self.stage.lab.clock.now();
        self.stage.minutes_measured(180).await;
        Ok(self.evidence(broken_at, Some(mended_at)))
    }
}
