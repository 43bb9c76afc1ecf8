//! DR is made ready before users come, and more is done once they are there.

use std::time::Duration;

use lab::fault::{CallEffect, CallFault, Site};
use lab::wire::Refusal;

use super::Stuck;
use super::play::Play;
use crate::evidence::Evidence;
use crate::stage::steps::{PREPARER, Stepped};

impl Play {
    async fn furnished(&self) -> Result<(), Stuck> {
        self.stage.furnish_steps().map_err(|error| Stuck::new(format!("what the steps are about: {error}")))?;
        self.begin().await
    }

    /// An outage to its end, and what is done around it.
    pub(super) async fn prepare(self) -> Result<Evidence, Stuck> {
        self.furnished().await?;
        let outage_at = self.fail_primary();
        self.must(6, "DR to be prepared", |stage| stage.stepped() == Stepped::whole(false)).await?;
        let prepared = self.stage.stepped();
        self.operator(&["status"]).await?;
        self.operator(&["plan", "--alarm"]).await?;
        if self.failed_over().await {
            self.stage.until(Duration::from_secs(300), |stage| stage.stepped() == Stepped::whole(true)).await;
        }
        let over = self.stage.stepped();
        self.operator(&["report"]).await?;
        let mut evidence = self.to_the_end(outage_at).await;
        evidence.stepped = vec![prepared, over, self.stage.stepped()];
        Ok(evidence)
    }

    /// Too short for a failover, and long enough for DR to be made ready.
    pub(super) async fn prepare_undone(self) -> Result<Evidence, Stuck> {
        self.furnished().await?;
        let outage_at = self.fail_primary();
        self.stage.minutes(10).await;
        let prepared = self.stage.stepped();
        let healed_at = self.heal_primary();
        self.stage.minutes(45).await;
        let mut evidence = self.evidence(outage_at, Some(healed_at));
        evidence.stepped = vec![prepared, self.stage.stepped()];
        Ok(evidence)
    }

    /// AWS refuses what is to be done after the failover, and does not answer what is to be done before it.
    pub(super) async fn after_fails(self) -> Result<Evidence, Stuck> {
        self.furnished().await?;
        let faults = &self.stage.lab.faults;
        let refusal = Refusal::bad_request("InvalidParameterValueException", "the lab refuses it");
        let calls = |site: &Site<'_>| {
            site.caller == PREPARER && matches!(site.action, "EnableRule" | "Invoke" | "UpdateEventSourceMapping")
        };
        faults.set_call_fault(CallFault::when(calls, CallEffect::Refuse(refusal)));
        let sizes = |site: &Site<'_>| {
            site.caller == PREPARER && matches!(site.action, "UpdateAutoScalingGroup" | "UpdateService")
        };
        faults.set_call_fault(CallFault::when(sizes, CallEffect::unavailable()));
        let outage_at = self.fail_primary();
        let mut evidence = self.to_the_end(outage_at).await;
        evidence.stepped = vec![self.stage.stepped()];
        Ok(evidence)
    }

    async fn with_targets(&mut self, booted_after: Option<Duration>) -> Result<(), Stuck> {
        let furnished = self.stage.furnish_steps().and_then(|()| self.stage.furnish_targets(booted_after));
        furnished.map_err(|error| Stuck::new(format!("what the steps are about: {error}")))?;
        self.begin_on_switch().await
    }

    /// DR's instances take longer to be healthy than the outage is waited out.
    pub(super) async fn dr_not_healthy(mut self) -> Result<Evidence, Stuck> {
        self.with_targets(Some(Duration::from_secs(30 * 60))).await?;
        let outage_at = self.fail_primary();
        Ok(self.to_the_end(outage_at).await)
    }

    /// They never are, and a person knows that DR can do without.
    pub(super) async fn dr_never_healthy(mut self) -> Result<Evidence, Stuck> {
        self.with_targets(None).await?;
        let outage_at = self.fail_primary();
        let Some(incident) = self.held_back(60).await else { return Ok(self.to_the_end(outage_at).await) };
        self.stage.minutes(30).await;
        self.approver(&["approve", &incident, "--despite", "P15", "--reason", "a drill"]).await?;
        Ok(self.to_the_end(outage_at).await)
    }
}
