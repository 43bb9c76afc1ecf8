//! What only real servers show: replication that says nothing of what the link still holds.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use lab::fault::LinkFault;
use lab::{Lab, rds};

use super::Stuck;
use super::failback::with_successors;
use super::play::Play;
use crate::evidence::Evidence;
use crate::moment::{LINK_OF_TRANSACTION, LINK_SILENT, LINK_SLOW, TABLE_LOCKED};
use crate::stage::{CLUSTER, CLUSTER_SOURCE, Credentials, DR, NAMES, PRIMARY, PRIMARY_ADDRESS};

/// How the journal notes that the link home gets slow.
const LINK_HOME_SLOW: &str = "the link home carries 2 kB/s, and a job in DR writes 100 kB/s";
/// The parameter that names the heartbeat, as in examples/heartbeat.
pub(super) const HEARTBEATS: (&str, &str) = (
    "Heartbeats",
    r#"[{"database":"app-dr","namespace":"Heartbeat","metric":"Age","dimensions":{"Database":"app-dr"}}]"#,
);

/// As the script of examples/heartbeat does, for ever: each minute how old the newest write is that the replica has. Somebody writes every
/// second or two, so that users' own rows beat.
async fn publish_heartbeats(lab: Arc<Lab>) {
    loop {
        lab.clock.sleep(Duration::from_secs(60)).await;
        let _working = lab.clock.working();
        if let Some(newest) = rds::newest(&lab, DR, CLUSTER).await {
            let now = lab.clock.now();
            let age = now.duration_since(newest).as_secs_f64();
            lab.cloudwatch.put_metric(DR, "Heartbeat", "Age", &[("Database", CLUSTER)], age, now);
        }
    }
}

/// What a link is given for some minutes, and what it carries meanwhile. On the way home it is so little that what it holds outlasts any wait for
/// samples of the lag.
const ROW_BYTES: usize = 20_000;
const ROW_EVERY: SignedDuration = SignedDuration::from_millis(200);
const SLOW_HOME: LinkFault = LinkFault { bytes_per_second: Some(2_000), ..SLOW };
/// Eighty seconds of what a slow link carries.
const TRANSACTION_ROWS: usize = 100;
const SLOW: LinkFault = LinkFault { bytes_per_second: Some(25_000), is_silent: false, is_refused: false };

impl Play {
    /// Out; replicas rebuilt; a busy last few minutes over a slow link; home by position, which waits for what the link still holds.
    pub(super) async fn failback_over_slow_link(mut self) -> Result<Evidence, Stuck> {
        self.stage.asks_databases = Credentials::Environment;
        self.home_over_slow_link(&[]).await
    }

    /// The same by the lag, as replicas are promoted elsewhere: somebody says that positions were compared, and has not compared them.
    pub(super) async fn failback_by_lag(self) -> Result<Evidence, Stuck> {
        self.home_over_slow_link(&["--position-verified"]).await
    }

    async fn home_over_slow_link(self, vouched: &[&'static str]) -> Result<Evidence, Stuck> {
        self.begin().await?;
        let outage_at = self.fail_primary();
        if !self.failed_over().await {
            return Ok(self.evidence(outage_at, None));
        }
        self.stage.minutes(20).await;
        let healed_at = self.heal_primary();
        self.stage.minutes(10).await;
        self.rebuilt_and_caught_up().await?;
        self.operator(&with_successors(&["failback", "compare"])).await?;
        self.say(LINK_HOME_SLOW);
        self.stage.lab.faults.set_link(DR, PRIMARY, SLOW_HOME);
        self.stage.clients.load(NAMES[0], ROW_EVERY, ROW_BYTES);
        self.stage.minutes(3).await;
        self.say("writes stop in DR");
        self.stage.lab.sites.fail_page(DR, "/write");
        let switch = ["failback", "switch", "--writes-stopped", "--loss-acknowledged"];
        self.patient_operator(&with_successors(&[&switch, vouched].concat())).await?;
        self.seconds(60).await;
        self.stage.lab.sites.mend_page(DR, "/write");
        let home = self.stage.lab.clock.now();
        self.stage.minutes(10).await;
        let mut evidence = self.evidence(outage_at, Some(healed_at));
        evidence.homes = vec![home];
        Ok(evidence)
    }

    /// Commits of 100 kB/s over a link of 25 kB/s for five minutes, and then the primary goes down.
    pub(super) async fn slow_link(self) -> Result<Evidence, Stuck> {
        self.begin().await?;
        let outage_at = self.overload_the_link().await;
        Ok(self.to_the_end(outage_at).await)
    }

    /// The same, and a heartbeat.
    pub(super) async fn slow_link_with_heartbeat(self) -> Result<Evidence, Stuck> {
        tokio::spawn(publish_heartbeats(self.stage.lab.clone()));
        self.begin().await?;
        let outage_at = self.overload_the_link().await;
        self.approved_if_asked().await?;
        Ok(self.to_the_end(outage_at).await)
    }

    async fn overload_the_link(&self) -> Timestamp {
        self.say(LINK_SLOW);
        self.stage.lab.faults.set_link(PRIMARY, DR, SLOW);
        self.stage.clients.load(NAMES[0], ROW_EVERY, ROW_BYTES);
        self.stage.minutes(5).await;
        self.fail_primary()
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
        self.approved_if_asked().await?;
        let evidence = self.to_the_end(outage_at).await;
        drop(backup);
        Ok(evidence)
    }

    /// A job commits two megabytes in one transaction over a link of 25 kB/s, and the primary goes down while half of it is on its way.
    pub(super) async fn long_transaction(self) -> Result<Evidence, Stuck> {
        self.begin().await?;
        self.say(LINK_OF_TRANSACTION);
        self.stage.lab.faults.set_link(PRIMARY, DR, SLOW);
        let writer = (PRIMARY, CLUSTER_SOURCE);
        if !self.stage.clients.commit_at_once(writer, PRIMARY_ADDRESS, TRANSACTION_ROWS, ROW_BYTES).await {
            return Err(Stuck::new("to commit a long transaction"));
        }
        self.seconds(40).await;
        let outage_at = self.fail_primary();
        self.approved_if_asked().await?;
        Ok(self.to_the_end(outage_at).await)
    }

    /// The primary's health pages fail for good while its database goes on taking writes, and a program holds a pool of connections to it.
    pub(super) async fn pool_of_connections(self) -> Result<Evidence, Stuck> {
        self.begin().await?;
        if !self.stage.clients.write_over_pool((PRIMARY, CLUSTER_SOURCE), PRIMARY_ADDRESS).await {
            return Err(Stuck::new("to open a pool of connections"));
        }
        self.stragglers_meanwhile().await
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
