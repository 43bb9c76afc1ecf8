//! What only real servers show: replication that says nothing of what the link still holds.

use jiff::SignedDuration;
use lab::fault::LinkFault;
use lab::rds;

use super::Stuck;
use super::play::Play;
use crate::evidence::Evidence;
use crate::stage::{CLUSTER, DR, NAMES, PRIMARY};

/// How the journal notes that the link gets slow.
pub(crate) const LINK_SLOW: &str = "the link to DR carries 25 kB/s, and a job writes 100 kB/s";
/// How the journal notes that the replica's table is locked.
pub(crate) const TABLE_LOCKED: &str = "a backup of the replica locks its table: what arrives there is not applied";
/// How the journal notes that the link falls silent.
pub(crate) const LINK_SILENT: &str = "the link to DR falls silent, and nobody is told";

impl Play {
    /// Commits of 100 kB/s over a link of 25 kB/s for five minutes, and then the primary goes down.
    pub(super) async fn slow_link(self) -> Result<Evidence, Stuck> {
        const ROW_BYTES: usize = 20_000;
        const EVERY: SignedDuration = SignedDuration::from_millis(200);
        self.begin().await?;
        self.say(LINK_SLOW);
        let slow = LinkFault { bytes_per_second: Some(25_000), ..LinkFault::default() };
        self.stage.lab.faults.set_link(PRIMARY, DR, slow);
        self.stage.clients.load(NAMES[0], EVERY, ROW_BYTES);
        self.stage.minutes(5).await;
        let outage_at = self.fail_primary();
        Ok(self.to_the_end(outage_at).await)
    }

    /// A backup of the replica locks its table, as `mysqldump --lock-tables` does, and is still at it when the primary goes down. All
    /// writes arrive and none is applied, and the promotion drops them.
    pub(super) async fn fetched_not_applied(self) -> Result<Evidence, Stuck> {
        self.begin().await?;
        self.say(TABLE_LOCKED);
        let locked = rds::session(&self.stage.lab, DR, CLUSTER, &["LOCK TABLES app.writes READ"]).await;
        let backup = locked.map_err(|error| Stuck::new(format!("to lock a table: {error}")))?;
        self.seconds(50).await;
        let outage_at = self.fail_primary();
        if let Some(incident) = self.asked(90).await {
            self.operator(&["approve", &incident, "--despite", "R07", "--reason", "a drill"]).await?;
        }
        let evidence = self.to_the_end(outage_at).await;
        drop(backup);
        Ok(evidence)
    }

    /// The link dies without a word, and fifty seconds later the primary does.
    pub(super) async fn silent_cut(self) -> Result<Evidence, Stuck> {
        self.begin().await?;
        self.say(LINK_SILENT);
        self.stage.lab.faults.set_link(PRIMARY, DR, LinkFault { is_silent: true, ..LinkFault::default() });
        self.seconds(50).await;
        let outage_at = self.fail_primary();
        Ok(self.to_the_end(outage_at).await)
    }
}
