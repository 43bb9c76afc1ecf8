//! Out, back, and out again.

use lab::rds;

use super::Stuck;
use super::play::Play;
use crate::evidence::Evidence;
use crate::stage::{CLUSTER, DR, INSTANCE, PRIMARY};

/// The databases that people rebuild in the primary region, from DR's.
pub(crate) const REBUILT_CLUSTER: &str = "app-2";
const REBUILT_INSTANCE: &str = "orders-2";

impl Play {
    /// A failover; a failback that is refused until its data is safe; and, when DR replicates again, a second failover.
    pub(super) async fn failback(self) -> Result<Evidence, Stuck> {
        self.begin().await?;
        let first_outage = self.fail_primary();
        if !self.failed_over().await {
            return Ok(self.evidence(first_outage, None));
        }
        self.stage.minutes(20).await;
        let healed_at = self.heal_primary();
        self.stage.minutes(10 + self.settings.seed % 20).await;
        let refusals = self.refused_failbacks().await?;
        self.rebuild((DR, CLUSTER, INSTANCE), (PRIMARY, REBUILT_CLUSTER, REBUILT_INSTANCE))?;
        self.stage.minutes(30).await;
        let home_at = self.return_home().await?;
        let restored = self.stage.zones.values().flat_map(|zone| self.stage.lab.route53.records(zone)).collect();
        self.stage.minutes(60).await;
        rds::delete(&self.stage.lab, DR, CLUSTER);
        rds::delete(&self.stage.lab, DR, INSTANCE);
        self.rebuild((PRIMARY, REBUILT_CLUSTER, REBUILT_INSTANCE), (DR, CLUSTER, INSTANCE))?;
        self.operator(&["arm"]).await?;
        self.stage.minutes(20).await;
        self.fail_primary();
        self.failed_over().await;
        self.stage.minutes(20).await;
        let mut evidence = self.evidence(first_outage, Some(healed_at));
        (evidence.restored, evidence.home_at, evidence.refusals) = (restored, Some(home_at), refusals);
        Ok(evidence)
    }

    /// What the command line answers while users' data would be lost: nobody has rebuilt the primary's databases, and the
    /// old ones are there, and take writes.
    async fn refused_failbacks(&self) -> Result<Vec<String>, Stuck> {
        let old = [format!("{CLUSTER}={PRIMARY}/app"), format!("{INSTANCE}={PRIMARY}/orders")];
        let with_old = ["failback", "switch", "--writes-stopped", "--successor", &old[0], "--successor", &old[1]];
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

    /// People make replicas of the databases in one region in another.
    fn rebuild(&self, from: (&str, &str, &str), to: (&str, &str, &str)) -> Result<(), Stuck> {
        self.say(&format!("somebody makes {} and {} in {}, replicas of {} and {}", to.1, to.2, to.0, from.1, from.2));
        let lab = &self.stage.lab;
        let member = format!("{}-1", to.1);
        let cluster = rds::create_cluster(lab, to.0, to.1, Some((from.0, from.1)), &[&member]);
        let instance = rds::create_instance(lab, to.0, to.2, Some((from.0, from.2)));
        cluster.and(instance).map(drop).map_err(|refusal| Stuck::new(refusal.message))
    }

    /// Writes stop, the command line switches, writes go on.
    async fn return_home(&self) -> Result<jiff::Timestamp, Stuck> {
        let successors =
            [format!("{CLUSTER}={PRIMARY}/{REBUILT_CLUSTER}"), format!("{INSTANCE}={PRIMARY}/{REBUILT_INSTANCE}")];
        self.say("writes stop in DR");
        self.stage.lab.sites.fail_page(DR, "/write");
        self.stage.lab.sites.connect(PRIMARY, REBUILT_CLUSTER);
        self.stage.minutes(5).await;
        let switch =
            ["failback", "switch", "--writes-stopped", "--successor", &successors[0], "--successor", &successors[1]];
        self.patient_operator(&switch).await?;
        self.say("writes go on");
        self.stage.lab.sites.mend_page(DR, "/write");
        Ok(self.stage.lab.clock.now())
    }
}
