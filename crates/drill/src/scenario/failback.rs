//! Out and back, three times, by the command line's steps.

use super::Stuck;
use super::play::Play;
use crate::evidence::Evidence;
use crate::moment::ROUND_TRIPS;
use crate::stage::DR;

impl Play {
    /// A failover; a failback that is refused until its data is safe; replicas rebuilt on either side; and again.
    pub(super) async fn failback(self) -> Result<Evidence, Stuck> {
        self.begin().await?;
        self.out_and_back().await
    }

    /// The same on the switch: each failback lifts the latch that the failover closed.
    pub(super) async fn failback_on_switch(mut self) -> Result<Evidence, Stuck> {
        self.begin_on_switch().await?;
        self.out_and_back().await
    }

    async fn out_and_back(self) -> Result<Evidence, Stuck> {
        self.operator(&["status"]).await?;
        let (mut refusals, mut restored, mut homes) = (Vec::new(), Vec::new(), Vec::new());
        let mut first_outage = None;
        for round in 0..ROUND_TRIPS {
            let outage_at = self.fail_primary();
            first_outage.get_or_insert(outage_at);
            if !self.failed_over().await {
                break;
            }
            self.stage.minutes(20).await;
            self.heal_primary();
            self.stage.minutes(10 + self.settings.seed % 20).await;
            if round == 0 {
                self.operator(&["report"]).await?;
                refusals = self.refused_failbacks().await?;
            }
            homes.push(self.return_home().await?);
            restored.push(self.stage.records());
            self.stage.minutes(20).await;
            self.patient_operator(&with_successors(&["failback", "protect"])).await?;
            // Beyond the settle time, so that the next outage asks nobody.
            self.stage.minutes(20).await;
        }
        let mut evidence = Evidence::gather(&self.stage, first_outage, None);
        (evidence.restored, evidence.homes, evidence.refusals) = (restored, homes, refusals);
        Ok(evidence)
    }

    /// What the command line answers while users' data would be lost: nobody has rebuilt the primary's databases, and the
    /// old ones are there, and take writes.
    async fn refused_failbacks(&self) -> Result<Vec<String>, Stuck> {
        let with_old =
            with_successors(&["failback", "switch", "--writes-stopped", "--loss-acknowledged", "--position-verified"]);
        let mut refusals = Vec::new();
        for arguments in [&["failback", "switch"][..], &with_old] {
            let ran = self.stage.holdfast(arguments, false).await.map_err(|error| Stuck::new(error.to_string()))?;
            let said = String::from_utf8_lossy(&ran.stderr).into_owned();
            match ran.status.code() {
                Some(1) => refusals.push(said),
                code => return Err(Stuck::new(format!("a failback to be refused, not {code:?}: {said}"))),
            }
        }
        Ok(refusals)
    }

    pub(super) async fn rebuilt_and_caught_up(&self) -> Result<(), Stuck> {
        self.patient_operator(&with_successors(&["failback", "rebuild"])).await?;
        self.patient_operator(&with_successors(&["failback", "catch-up"])).await
    }

    /// The databases are rebuilt under their old names and catch up, writes stop, users are sent home, writes go on.
    async fn return_home(&self) -> Result<jiff::Timestamp, Stuck> {
        self.rebuilt_and_caught_up().await?;
        self.operator(&["failback", "compare"]).await?;
        self.say("writes stop in DR");
        self.stage.lab.sites.fail_page(DR, "/write");
        self.stage.minutes(5).await;
        self.patient_operator(&with_successors(&[
            "failback",
            "switch",
            "--writes-stopped",
            "--loss-acknowledged",
            "--position-verified",
        ]))
        .await?;
        // As it says: resolvers may still send users to DR.
        self.seconds(60).await;
        self.say("writes go on");
        self.stage.lab.sites.mend_page(DR, "/write");
        Ok(self.stage.lab.clock.now())
    }
}

/// The successors have the names that the primary's databases had before.
const SUCCESSORS: [&str; 4] = ["--successor", "app-dr=eu-west-1/app", "--successor", "orders-dr=eu-west-1/orders"];

pub(super) fn with_successors(command: &[&'static str]) -> Vec<&'static str> {
    [command, &SUCCESSORS].concat()
}
