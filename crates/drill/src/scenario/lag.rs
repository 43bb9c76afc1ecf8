//! How a replica's lag lies, one story a lie. The replicas are simulated, and lie as real ones were seen to (docs/databases.md).

use std::sync::Arc;
use std::time::Duration;

use lab::Lab;
use lab::rds::{self, LostLink, Write};

use super::Stuck;
use super::play::Play;
use crate::evidence::Evidence;
use crate::stage::{CLUSTER, CLUSTER_SOURCE, DR, INSTANCE, PRIMARY};

/// How the journal notes that the link falls silent, and that it is cut inside a transaction.
pub(crate) const CUT: &str = "nothing of the primary arrives in DR any more";

/// How much a slow link holds: minutes of writes that no lag tells of.
const ON_THE_WAY: Duration = Duration::from_secs(5 * 60);

impl Play {
    /// Five minutes of writes are always on their way, RDS's lag says a few seconds, and a heartbeat knows.
    pub(super) async fn slow_link_of_lying_lag(self) -> Result<Evidence, Stuck> {
        self.begin().await?;
        tokio::spawn(beats(self.stage.lab.clone()));
        self.say("five minutes of writes are on their way to DR, and the lag does not count them");
        rds::set_slow_link(&self.stage.lab, DR, CLUSTER, ON_THE_WAY);
        self.stage.minutes(20).await;
        let outage_at = self.fail_primary();
        self.approved_if_asked().await?;
        Ok(self.to_the_end(outage_at).await)
    }

    /// The link falls silent, the lag says 0 for another minute, and fifty seconds after it the primary goes down.
    pub(super) async fn silent_link_of_lying_lag(self) -> Result<Evidence, Stuck> {
        self.begin().await?;
        self.cut(LostLink::Silent);
        self.seconds(50).await;
        let outage_at = self.fail_primary();
        self.approved_if_asked().await?;
        Ok(self.to_the_end(outage_at).await)
    }

    /// The link is cut inside a transaction: the lag counts up, and never says that nothing arrives. Ten minutes later the primary goes down.
    pub(super) async fn cut_transaction_of_lying_lag(self) -> Result<Evidence, Stuck> {
        self.begin().await?;
        self.cut(LostLink::InTransaction);
        self.stage.minutes(10).await;
        let outage_at = self.fail_primary();
        self.approved_if_asked().await?;
        Ok(self.to_the_end(outage_at).await)
    }

    fn cut(&self, lost: LostLink) {
        self.say(CUT);
        for id in [CLUSTER, INSTANCE] {
            rds::set_lost_link(&self.stage.lab, DR, id, lost);
            // The same as a link that is lost, to whoever asks the replica.
            rds::stop_replication(&self.stage.lab, DR, id, true);
        }
    }

    /// Somebody reads the mail, and accepts the loss.
    pub(super) async fn approved_if_asked(&self) -> Result<(), Stuck> {
        let Some(incident) = self.asked(90).await else { return Ok(()) };
        // As long as a person reads.
        self.stage.minutes(5).await;
        self.operator(&["approve", &incident, "--despite", "R07", "--reason", "a drill"]).await
    }
}

/// As the script of examples/heartbeat does, for ever: each minute how old the newest write is that the replica has.
async fn beats(lab: Arc<Lab>) {
    loop {
        lab.clock.sleep(Duration::from_secs(60)).await;
        let newest = rds::writes(&lab, DR, CLUSTER).pop();
        let made = rds::writes(&lab, PRIMARY, CLUSTER_SOURCE);
        let made = made.iter().rev().find(|write: &&Write| newest.as_ref().is_some_and(|newest| newest.id == write.id));
        if let Some(made) = made {
            let now = lab.clock.now();
            let age = now.duration_since(made.at).as_secs_f64();
            lab.cloudwatch.put_metric(DR, "Heartbeat", "Age", &[("Database", CLUSTER)], age, now);
        }
    }
}
