//! The article's workload: the application of examples/warm-standby, out and home.

use lab::rds;

use super::Stuck;
use super::play::Play;
use crate::evidence::Evidence;
use crate::moment::{ADDED_IN_DR, PICTURE};
use crate::stage::shop::Shop;
use crate::stage::{CLUSTER, Credentials, DR, NAMES, PRIMARY, TYPED};

/// The new database has the old one's name.
const SUCCESSOR: [&str; 2] = ["--successor", "app-dr=eu-west-1/app"];

impl Play {
    /// A region goes down under the application; everything by itself; home by command.
    pub(super) async fn the_article(mut self) -> Result<Evidence, Stuck> {
        self.stage.asks_databases = Credentials::Environment;
        let shop = self.stage.shop.take().ok_or_else(|| Stuck::new("the application"))?;
        self.put(&shop, PRIMARY, PICTURE, "<svg/>").await?;
        self.begin_on_switch().await?;
        self.stage.clients.order_on_kept_connection(TYPED[0]);
        self.stage.clients.look_at(NAMES[2], PICTURE);
        self.stage.minutes(5).await;
        let outage_at = self.fail_primary();
        if !self.failed_over().await {
            return Ok(self.evidence(outage_at, None));
        }
        self.stage.minutes(20).await;
        self.put(&shop, DR, ADDED_IN_DR, "new prices").await?;
        let healed_at = self.heal_primary();
        self.stage.minutes(31).await;
        let before_home = [self.orders(PRIMARY, "app").await?, self.orders(DR, CLUSTER).await?];
        self.patient_operator(&with_successor(&["failback", "rebuild"])).await?;
        self.patient_operator(&with_successor(&["failback", "catch-up"])).await?;
        self.operator(&with_successor(&["failback", "compare"])).await?;
        self.say("writes stop in DR");
        // A rule of the load balancer with a fixed response.
        self.stage.lab.sites.fail_page(DR, "/orders");
        self.stage.minutes(1).await;
        let switch = ["failback", "switch", "--writes-stopped", "--loss-acknowledged"];
        self.patient_operator(&with_successor(&switch)).await?;
        // Until resolvers have let go of DR, and the load balancer of connections there.
        self.stage.minutes(3).await;
        self.say("writes go on");
        self.stage.lab.sites.mend_page(DR, "/orders");
        let home = self.stage.lab.clock.now();
        let restored = self.stage.records();
        self.stage.minutes(10).await;
        self.patient_operator(&with_successor(&["failback", "protect"])).await?;
        self.stage.minutes(10).await;
        let mut evidence = self.evidence(outage_at, Some(healed_at));
        (evidence.homes, evidence.restored) = (vec![home], vec![restored]);
        evidence.shop = Some(shop.facts(before_home));
        Ok(evidence)
    }

    /// Puts an object into a region's bucket, as whoever looks after the site does.
    async fn put(&self, shop: &Shop, region: &str, key: &str, content: &'static str) -> Result<(), Stuck> {
        let _working = self.stage.lab.clock.working();
        let at = shop.buckets_at[usize::from(region == DR)];
        let put = reqwest::Client::new().put(format!("http://{at}/{key}")).body(content).send().await;
        let done = put.and_then(reqwest::Response::error_for_status);
        done.map(drop).map_err(|error| Stuck::new(format!("to put {key} into the bucket of {region}: {error}")))
    }

    /// The orders that are in a database.
    async fn orders(&self, region: &str, id: &str) -> Result<Vec<String>, Stuck> {
        let rows = rds::rows_of(&self.stage.lab, region, id, self.stage.workload.table).await;
        rows.map_err(|error| Stuck::new(format!("the orders in {id}: {error}")))
    }
}

fn with_successor(command: &[&'static str]) -> Vec<&'static str> {
    [command, &SUCCESSOR].concat()
}
