//! The responder's stack is updated in the middle of an incident, at the worst moments.

use std::time::Duration;

use failover::register::{Register, Spread};
use lab::fault::{CallEffect, CallFault, Site};
use lab::journal::What;

use super::Stuck;
use super::faulty::{nth_of_each_call, pinned};
use super::list::QUICK_OUTAGE_MINUTES;
use super::play::Play;
use crate::evidence::{Evidence, is_outcome};
use crate::moment::{TO_ONE_STACK, UPDATED};
use crate::stage::{CLUSTER, Stage};

/// A database that does not exist, named by mistake.
const ABSENT: &str = "app-dr,app-dt";

impl Play {
    /// With the pin on its way; pinned and not yet in sync; between promotion and the end; and once more after it.
    pub(super) async fn redeploy_mid_incident(self) -> Result<Evidence, Stuck> {
        self.begin().await?;
        let lab = &self.stage.lab;
        // A change takes up to a minute, so that an update fits in.
        lab.route53.set_propagation(Duration::from_secs(45)..=Duration::from_secs(60));
        let slow = CallEffect::Slow(Duration::from_secs(3));
        let pins = nth_of_each_call(0);
        let pin = move |site: &Site<'_>| site.action == "ChangeResourceRecordSets" && pins(site);
        lab.faults.set_call_fault(CallFault::when(pin, slow));
        let mut journal = lab.journal.follow();
        let outage_at = self.fail_primary();
        let is_pin = |what: &What| matches!(what, What::Fault { what } if what.contains("slow by"));
        while !is_pin(&journal.recv().await.map_err(|_| Stuck::new("for the pin to be on its way"))?.what) {}
        self.update(&[("LagSecondsMax", "120")])?;
        if self.settings.seed.is_multiple_of(2) {
            self.say("what runs of alarm-handler is killed with it");
            lab.functions.crash("holdfast-alarm-handler");
        }
        // From here on the checks say what is missing.
        if !self.stage.until(Duration::from_secs(600), pinned).await {
            return Ok(self.evidence(outage_at, None));
        }
        self.update(&[("Mode", "shadow")])?;
        let promoting = |stage: &Stage| has(stage, "PromotionRequested");
        if !self.stage.until(Duration::from_secs(1_200), promoting).await {
            return Ok(self.evidence(outage_at, None));
        }
        self.update(&[("Mode", "automatic"), ("AuroraClusters", ABSENT)])?;
        self.stage.until(Duration::from_secs(600), stops_at_absent).await;
        self.update(&[("AuroraClusters", CLUSTER), ("LagSecondsMax", "60")])?;
        if !self.failed_over().await {
            return Ok(self.evidence(outage_at, None));
        }
        self.update(&[])?;
        Ok(self.to_the_end(outage_at).await)
    }

    /// In peace, step by step as the documentation has it; then the primary goes down. The detector is still there, and rings.
    pub(super) async fn two_stacks_to_one(mut self) -> Result<Evidence, Stuck> {
        self.begin().await?;
        let (endpoint, failover) = self.go_to_one_stack().await?;
        // Until the observer's metric has been heard for as long as an outage must last.
        self.stage.minutes(7).await;
        self.stage.put_on_primaries(&failover).await.map_err(|error| Stuck::new(error.to_string()))?;
        (self.stage.endpoint_check, self.stage.failover_check) = (endpoint, failover);
        self.stage.minutes(3).await;
        self.stage.note_original();
        self.stage.adopted_at = Some(self.stage.lab.clock.now());
        self.operator(&["status"]).await?;
        let outage_at = self.fail_primary();
        Ok(self.to_the_end(outage_at).await)
    }

    /// The same with the pin on its way, or once it is in sync, or while databases are promoted, by the seed.
    pub(super) async fn two_stacks_to_one_in_an_incident(mut self) -> Result<Evidence, Stuck> {
        self.begin().await?;
        let outage_at = self.fail_primary();
        let is_time: fn(&Stage) -> bool = match self.settings.seed % 3 {
            0 => |stage| stage.all_registers(|register| register.pin().is_some()),
            1 => |stage| stage.all_registers(is_in_sync),
            _ => |stage| has(stage, "PromotionRequested"),
        };
        if !self.stage.until(Duration::from_secs(3_600), is_time).await {
            return Ok(self.evidence(outage_at, None));
        }
        self.go_to_one_stack().await?;
        Ok(self.to_the_end(outage_at).await)
    }

    async fn go_to_one_stack(&mut self) -> Result<(String, String), Stuck> {
        self.say(TO_ONE_STACK);
        let gone = self.stage.go_to_one_stack(QUICK_OUTAGE_MINUTES).await;
        gone.map_err(|error| Stuck::new(format!("for the stack to be updated: {error}")))
    }

    /// Updates the stack, and notes with which parameters.
    pub(super) fn update(&self, changed: &[(&str, &str)]) -> Result<(), Stuck> {
        let told: Vec<_> = changed.iter().map(|(name, value)| format!("{name}={value}")).collect();
        self.say(&format!("{UPDATED}: {}", told.join(" ")));
        self.stage.update(changed).map_err(|error| Stuck::new(format!("for the stack to be updated: {error}")))
    }
}

/// Both databases are in trouble before, for want of lag; this one only now.
fn stops_at_absent(stage: &Stage) -> bool {
    let names_it =
        |what: &What| matches!(what, What::Invocation { response, .. } if response.to_string().contains("app-dt"));
    stage.lab.journal.entries().iter().any(|entry| is_outcome(&entry.what, "DatabaseTrouble") && names_it(&entry.what))
}

fn is_in_sync(register: &Register) -> bool {
    matches!(register, Register::Pinned { spread: Spread::InSync { .. }, .. })
}

fn has(stage: &Stage, outcome: &str) -> bool {
    stage.lab.journal.entries().iter().any(|entry| is_outcome(&entry.what, outcome))
}
