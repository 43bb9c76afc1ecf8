//! DNS moves by Holdfast alone: the switch stands on the PRIMARY records.

use lab::fault::{CallEffect, CallFault, Effect, Loss, Site};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::Stuck;
use super::play::Play;
use crate::evidence::Evidence;
use crate::moment::{FUNCTIONS_DIE, METRICS_DARK};
use crate::stage::{DETECTOR, DR};

impl Play {
    /// As [`Play::begin`], and then somebody puts the switch on the records.
    pub(super) async fn begin_on_switch(&mut self) -> Result<(), Stuck> {
        self.begin().await?;
        self.operator(&["adopt"]).await?;
        // Beyond the slowest propagation, so that what follows is after it.
        self.stage.minutes(2).await;
        self.stage.note_original();
        self.stage.adopted_at = Some(self.stage.lab.clock.now());
        Ok(())
    }

    pub(super) async fn switch(mut self) -> Result<Evidence, Stuck> {
        self.begin_on_switch().await?;
        let outage_at = self.fail_primary();
        Ok(self.to_the_end(outage_at).await)
    }

    /// The primary blinks for less than a minute each, so that a sample may say "down" and the alarm ring; then it stays down.
    pub(super) async fn fast(mut self) -> Result<Evidence, Stuck> {
        self.begin_on_switch().await?;
        let mut chance = StdRng::seed_from_u64(self.settings.seed);
        for _ in 0..6 {
            self.fail_primary();
            self.seconds(chance.random_range(10..=55)).await;
            self.heal_primary();
            self.seconds(chance.random_range(90..=300)).await;
        }
        let outage_at = self.fail_primary();
        Ok(self.to_the_end(outage_at).await)
    }

    /// One of seven things holds the failover.
    pub(super) async fn held(mut self) -> Result<Evidence, Stuck> {
        self.begin_on_switch().await?;
        let hold = self.settings.seed % 7;
        match hold {
            0 => return self.mistaken_alarm().await,
            1 => {
                self.say("the DR site is unwell");
                self.stage.lab.sites.fail_page(DR, "/health");
            }
            2 => self.update(&[("Mode", "shadow")])?,
            3 => self.update(&[("Mode", "approval")])?,
            4 => self.operator(&["disarm", "--reason", "a drill"]).await?,
            // Armed within the settle time: so soon a failover needs an approval, as it does in a cool-down.
            5 => self.update(&[("SettleSeconds", "86400")])?,
            _ => self.operator(&["maintenance", "begin", "--for", "2h", "--reason", "a drill"]).await?,
        }
        self.stage.minutes(2).await;
        let Evidence { outage_at, healed_at, .. } = self.held_outage().await?;
        match hold {
            4 => self.operator(&["arm"]).await?,
            6 => self.operator(&["maintenance", "end"]).await?,
            _ => {}
        }
        self.stage.minutes(1).await;
        Ok(Evidence::gather(&self.stage, outage_at, healed_at))
    }

    /// In peace CloudWatch is dark in us-east-1, then in DR, then in both; in the outage the DR site blinks, so that Holdfast holds and
    /// goes on.
    pub(super) async fn flapping_switch(mut self) -> Result<Evidence, Stuck> {
        self.begin_on_switch().await?;
        let faults = &self.stage.lab.faults;
        for dark in [&[DETECTOR][..], &[DR], &[DETECTOR, DR]] {
            self.say(&format!("CloudWatch is dark in {}", dark.join(" and in ")));
            dark.iter().for_each(|region| faults.fail_metrics(region));
            self.stage.minutes(8 + self.settings.seed % 5).await;
            self.say("CloudWatch works again");
            dark.iter().for_each(|region| faults.heal_metrics(region));
            self.stage.minutes(8).await;
        }
        let outage_at = self.fail_primary();
        self.say("the DR site blinks");
        for nth in 0..14 {
            let sites = &self.stage.lab.sites;
            if nth % 2 == 0 {
                sites.fail_page(DR, "/health")
            } else {
                sites.mend_page(DR, "/health")
            }
            self.seconds(45).await;
        }
        Ok(self.to_the_end(outage_at).await)
    }

    /// An outage is held for want of an approval, and DR's CloudWatch falls silent: that looks like a dead Holdfast, and DNS follows the
    /// outage. Then somebody approves.
    pub(super) async fn dr_metrics_dark(mut self) -> Result<Evidence, Stuck> {
        self.begin_on_switch().await?;
        self.update(&[("Mode", "approval")])?;
        self.stage.minutes(2).await;
        let outage_at = self.fail_primary();
        let Some(incident) = self.asked(60).await else { return Ok(self.to_the_end(outage_at).await) };
        self.stage.minutes(5).await;
        self.say(METRICS_DARK);
        self.stage.lab.faults.fail_metrics(DR);
        self.stage.minutes(12 + self.settings.seed % 4).await;
        self.approver(&["approve", &incident, "--despite", "P12", "--reason", "a drill"]).await?;
        self.stage.minutes(5).await;
        self.say("DR's CloudWatch works again");
        self.stage.lab.faults.heal_metrics(DR);
        Ok(self.to_the_end(outage_at).await)
    }

    /// Every function dies at its first call, some time before an outage, and until long after it.
    pub(super) async fn holdfast_dead(mut self) -> Result<Evidence, Stuck> {
        self.begin_on_switch().await?;
        self.say(FUNCTIONS_DIE);
        let of_function = |site: &Site<'_>| site.caller_region.is_some();
        let dies = CallEffect::Lose(Loss::Kill, Effect::Without);
        self.stage.lab.faults.set_call_fault(CallFault::when(of_function, dies));
        self.stage.minutes(10 + self.settings.seed % 5).await;
        self.held_outage().await
    }
}
