//! What real zones, databases and clients do: a protected record, other types beside the pairs, a database that is no
//! replica, target health, clients that do not follow DNS.

use std::time::Duration;

use failover::register::Register;
use lab::rds;
use lab::route53::Kind;

use super::Stuck;
use super::play::Play;
use crate::client::Straggler;
use crate::evidence::Evidence;
use crate::moment::{ODD_NAME, PROTECTED_BECAUSE, TARGETS_FAIL, UNPROTECTED};
use crate::stage::{CLUSTER, DR, INSTANCE, NAMES, PRIMARY, Stage};

impl Play {
    /// Somebody protects one name's record after it was armed; in the outage all others are pinned, and a person lifts the
    /// protection.
    pub(super) async fn record_protected(self) -> Result<Evidence, Stuck> {
        self.begin().await?;
        self.say("somebody protects the A records of www.example.com");
        self.stage.protect(ODD_NAME, Kind::A, PROTECTED_BECAUSE).map_err(|_| Stuck::new("to protect a record"))?;
        let outage_at = self.fail_primary();
        let others_pinned = |stage: &Stage| {
            let registers = stage.registers();
            let pinned = |register: &Register| register.pin().is_some();
            registers.iter().all(|(name, register)| pinned(register) != (name == ODD_NAME))
        };
        // Whether they are the checks say.
        self.stage.until(Duration::from_secs(60 * 60), others_pinned).await;
        self.stage.minutes(20).await;
        self.say(UNPROTECTED);
        self.stage.unprotect(ODD_NAME, Kind::A).map_err(|_| Stuck::new("to lift the protection"))?;
        Ok(self.to_the_end(outage_at).await)
    }

    /// MX and ownership pairs, an HTTPS record and an alias with a long TTL stand beside the pairs, as in real zones.
    pub(super) async fn mixed_zone(mut self) -> Result<Evidence, Stuck> {
        self.stage.mix_zone().await.map_err(|error| Stuck::new(format!("to mix the zone: {error}")))?;
        self.begin().await?;
        let outage_at = self.fail_primary();
        Ok(self.to_the_end(outage_at).await)
    }

    /// Somebody puts snapshots of the day before in the replicas' places, for a test; half an hour later the primary goes down.
    pub(super) async fn not_a_replica(self) -> Result<Evidence, Stuck> {
        self.begin().await?;
        self.say("somebody restores a snapshot under the name of each replica");
        for id in [CLUSTER, INSTANCE] {
            rds::restore_from_snapshot(&self.stage.lab, DR, id);
        }
        self.stage.minutes(30).await;
        let outage_at = self.fail_primary();
        let Some(incident) = self.asked(90).await else { return Ok(self.to_the_end(outage_at).await) };
        self.stage.minutes(10 + self.settings.seed % 20).await;
        self.operator(&["approve", &incident, "--despite", "R09", "--reason", "a drill"]).await?;
        Ok(self.to_the_end(outage_at).await)
    }

    /// An alias of the primary evaluates its target's health, and the targets fail for a while, long before the outage.
    pub(super) async fn target_health(mut self) -> Result<Evidence, Stuck> {
        self.stage
            .evaluate_target(ODD_NAME)
            .await
            .map_err(|error| Stuck::new(format!("to edit the alias: {error}")))?;
        self.begin().await?;
        self.told_by_status("lets clients keep a connection for 3600 s").await?;
        // What nobody knows the age of is told once in four hours.
        self.stage.minutes(240).await;
        self.say(TARGETS_FAIL);
        self.stage.fail_target(true);
        self.stage.minutes(10).await;
        self.stage.fail_target(false);
        self.stage.minutes(20).await;
        let outage_at = self.fail_primary();
        Ok(self.to_the_end(outage_at).await)
    }

    /// The primary's health pages fail for good while it goes on taking writes, and three clients do not follow DNS.
    pub(super) async fn stragglers(self) -> Result<Evidence, Stuck> {
        self.begin().await?;
        for kind in Straggler::ALL {
            self.stage.clients.straggle(kind, NAMES[0]);
        }
        self.stragglers_meanwhile().await
    }

    /// A failover while whoever has connections to the primary can use them; to its end, and until the primary has been well for half an hour.
    pub(super) async fn stragglers_meanwhile(self) -> Result<Evidence, Stuck> {
        const PAGES: [&str; 2] = ["/health", "/health/deep"];
        self.stage.minutes(5).await;
        self.say("the primary's health pages fail, and it still takes writes");
        let outage_at = self.stage.lab.clock.now();
        PAGES.iter().for_each(|page| self.stage.lab.sites.fail_page(PRIMARY, page));
        if !self.failed_over().await {
            return Ok(self.evidence(outage_at, None));
        }
        self.stage.minutes(20).await;
        self.say("the primary's health pages are mended");
        let healed_at = self.stage.lab.clock.now();
        PAGES.iter().for_each(|page| self.stage.lab.sites.mend_page(PRIMARY, page));
        self.stage.minutes(31).await;
        Ok(self.evidence(outage_at, Some(healed_at)))
    }
}
