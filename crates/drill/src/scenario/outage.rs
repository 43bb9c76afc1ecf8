//! The primary region fails, or seems to.

use std::time::Duration;

use lab::fault::{EventEffect, EventFault};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde_json::Value;

use super::Stuck;
use super::play::Play;
use crate::evidence::Evidence;
use crate::stage::{DR, PRIMARY};

impl Play {
    pub(super) async fn region_outage(self) -> Result<Evidence, Stuck> {
        self.begin().await?;
        let outage_at = self.fail_primary();
        Ok(self.to_the_end(outage_at).await)
    }

    /// Every minute costs some seconds of the account's five requests a second here, so it is kept short: it settles in two
    /// minutes and ends with the failover.
    pub(super) async fn many_records(self) -> Result<Evidence, Stuck> {
        self.armed().await?;
        self.stage.minutes(3).await;
        let outage_at = self.fail_primary();
        if self.failed_over().await {
            self.stage.minutes(7).await;
        }
        Ok(self.evidence(outage_at, None))
    }

    pub(super) async fn blip(self) -> Result<Evidence, Stuck> {
        self.begin().await?;
        let outage_at = self.fail_primary();
        self.stage.minutes(10).await;
        let healed_at = self.heal_primary();
        self.stage.minutes(45).await;
        Ok(self.evidence(outage_at, Some(healed_at)))
    }

    /// Down for less than the prolonged-outage policy, up for less than it takes to feel safe, again and again.
    pub(super) async fn flapping(self) -> Result<Evidence, Stuck> {
        self.begin().await?;
        let mut chance = StdRng::seed_from_u64(self.settings.seed);
        for _ in 0..chance.random_range(6..=9) {
            self.fail_primary();
            self.seconds(chance.random_range(90..=900)).await;
            self.heal_primary();
            self.seconds(chance.random_range(120..=480)).await;
        }
        let outage_at = self.fail_primary();
        Ok(self.to_the_end(outage_at).await)
    }

    pub(super) async fn primary_still_up(self) -> Result<Evidence, Stuck> {
        self.begin().await?;
        self.mistaken_alarm().await
    }

    /// The health check is wrong for 50 minutes, and the primary well.
    pub(super) async fn mistaken_alarm(self) -> Result<Evidence, Stuck> {
        self.say("the page that the health check asks for breaks; the primary itself is well");
        let outage_at = self.stage.lab.clock.now();
        self.stage.lab.sites.fail_page(PRIMARY, "/health/deep");
        self.stage.minutes(50).await;
        self.say("the page is mended");
        let healed_at = self.stage.lab.clock.now();
        self.stage.lab.sites.mend_page(PRIMARY, "/health/deep");
        self.stage.minutes(20).await;
        Ok(self.evidence(outage_at, Some(healed_at)))
    }

    pub(super) async fn dr_down(self) -> Result<Evidence, Stuck> {
        self.begin().await?;
        self.say("the DR site is unwell");
        self.stage.lab.sites.fail_page(DR, "/health");
        self.held_outage().await
    }

    /// An outage in which nothing may be touched.
    pub(super) async fn held_outage(&self) -> Result<Evidence, Stuck> {
        let outage_at = self.fail_primary();
        self.stage.minutes(50).await;
        let healed_at = self.heal_primary();
        self.stage.minutes(20).await;
        Ok(self.evidence(outage_at, Some(healed_at)))
    }

    /// The two regions cannot see each other; users and health checkers see both.
    pub(super) async fn partition(self) -> Result<Evidence, Stuck> {
        self.begin().await?;
        self.say("the primary and the DR region are cut apart");
        let outage_at = self.stage.lab.clock.now();
        self.stage.lab.faults.partition(PRIMARY, DR);
        self.stage.minutes(120).await;
        self.say("the two regions see each other again");
        let healed_at = self.stage.lab.clock.now();
        self.stage.lab.faults.heal_partition(PRIMARY, DR);
        self.stage.minutes(30).await;
        Ok(self.evidence(outage_at, Some(healed_at)))
    }

    /// Each tick more costs some of the account's five requests a second, so they come doubled only from before the pin to
    /// after the promotion; all else comes threefold throughout.
    pub(super) async fn duplicate_events(self) -> Result<Evidence, Stuck> {
        self.begin().await?;
        let is_tick = |event: &Value| event["detail-type"] == "Scheduled Event";
        let faults = &self.stage.lab.faults;
        let others = || EventFault::when(move |event| !is_tick(event), EventEffect::Deliver(3));
        faults.set_event_fault(others());
        let outage_at = self.fail_primary();
        self.stage.minutes(28).await;
        faults.set_event_fault(EventFault::when(is_tick, EventEffect::Deliver(2)));
        if self.failed_over().await {
            self.stage.minutes(2).await;
        }
        faults.clear_event_faults();
        faults.set_event_fault(others());
        Ok(self.to_the_end(outage_at).await)
    }

    pub(super) async fn lost_event(self) -> Result<Evidence, Stuck> {
        self.begin().await?;
        let faults = &self.stage.lab.faults;
        faults.set_event_fault(EventFault::from_source("aws.cloudwatch", EventEffect::Lose));
        let pinned = |event: &Value| event["detail"]["responsePayload"]["outcome"] == "Pinned";
        faults.set_event_fault(EventFault::when(pinned, EventEffect::Lose));
        let outage_at = self.fail_primary();
        Ok(self.to_the_end(outage_at).await)
    }

    pub(super) async fn seconds(&self, seconds: u64) {
        self.stage.lab.clock.sleep(Duration::from_secs(seconds)).await;
    }
}
