//! Real servers behind RDS: MariaDB's, and MySQL's where they are in `PATH` (`.ci/mysql`). Without `mariadbd` these tests say so and are
//! skipped; `.ci/run` sees to it that it is there.
#![allow(clippy::unwrap_used, reason = "clippy does not know that helpers are a part of tests")]

mod common;

use std::sync::Arc;
use std::time::Duration;

use aws_sdk_rds::Client;
use common::{DR, PRIMARY, lab, sdk};
use jiff::{SignedDuration, Timestamp};
use lab::fault::LinkFault;
use lab::servers::{Brand, Error};
use lab::{Lab, rds};
use mysql_async::OptsBuilder;
use mysql_async::prelude::Queryable;

/// A lab with `db` and its replica `db-dr`, of each brand that there is.
async fn pairs() -> Vec<Arc<Lab>> {
    if !Brand::MariaDb.is_installed() {
        eprintln!("SKIPPED: {}", Error::Missing(Brand::MariaDb));
    }
    let mut labs = Vec::new();
    for brand in [Brand::MariaDb, Brand::MySql].into_iter().filter(|brand| brand.is_installed()) {
        let lab = lab(1000.0).await;
        rds::use_servers(&lab, brand).await.unwrap();
        rds::create_instance(&lab, PRIMARY, "db", None).unwrap();
        rds::create_instance(&lab, DR, "db-dr", Some((PRIMARY, "db"))).unwrap();
        rds::settle(&lab).await.unwrap();
        labs.push(lab);
    }
    labs
}

async fn write(lab: &Lab, region: &str, id: &str, row: &str) -> bool {
    rds::commit(lab, region, id, row, 0).await.is_some()
}

async fn rows(lab: &Lab, region: &str, id: &str) -> Vec<String> {
    rds::rows(lab, region, id).await.unwrap()
}

/// Waits, for some minutes of lab time, until a database has so many rows.
async fn has(lab: &Lab, region: &str, id: &str, count: usize) -> Vec<String> {
    for _ in 0..600 {
        let rows = rows(lab, region, id).await;
        if rows.len() == count {
            return rows;
        }
        lab.clock.sleep(Duration::from_secs(1)).await;
    }
    panic!("{id} has {:?}, not {count} rows", rows(lab, region, id).await);
}

/// Waits until RDS says that an instance is available.
async fn available(client: &Client, lab: &Lab, id: &str) {
    for _ in 0..1200 {
        let told = client.describe_db_instances().db_instance_identifier(id).send().await;
        if told.is_ok_and(|told| told.db_instances()[0].db_instance_status() == Some("available")) {
            return rds::settle(lab).await.unwrap();
        }
        lab.clock.sleep(Duration::from_secs(1)).await;
    }
    panic!("{id} does not become available");
}

fn lags(lab: &Lab, since: Timestamp) -> Vec<f64> {
    let told = lab.cloudwatch.maxima(DR, "AWS/RDS", "ReplicaLag", &[("DBInstanceIdentifier", "db-dr")]);
    told.into_iter().filter(|(at, _)| *at >= since).map(|(_, lag)| lag).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_link_still_holds_is_lost_by_a_promotion_and_nothing_else() {
    for lab in pairs().await {
        assert!(write(&lab, PRIMARY, "db", "arrived").await);
        assert_eq!(has(&lab, DR, "db-dr", 1).await, ["arrived"]);
        assert!(!write(&lab, DR, "db-dr", "to a replica").await, "it is read-only");

        rds::set_lag(&lab, DR, "db-dr", Duration::from_secs(20));
        rds::settle(&lab).await.unwrap();
        assert!(write(&lab, PRIMARY, "db", "on the way").await);
        lab.faults.fail_region(PRIMARY);
        assert!(!write(&lab, PRIMARY, "db", "to a dead region").await);
        let client = Client::new(&sdk(&lab, DR).await);
        client.promote_read_replica().db_instance_identifier("db-dr").send().await.unwrap();
        available(&client, &lab, "db-dr").await;
        assert!(write(&lab, DR, "db-dr", "to the new one").await);
        assert_eq!(rows(&lab, DR, "db-dr").await, ["arrived", "to the new one"]);
        assert_eq!(rows(&lab, PRIMARY, "db").await, ["arrived", "on the way"]);
        rds::close(&lab);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_of_mysql_finds_the_server_where_rds_says() {
    for lab in pairs().await {
        rds::create_cluster(&lab, PRIMARY, "app", None, &["app-1"]).unwrap();
        rds::settle(&lab).await.unwrap();
        assert!(write(&lab, PRIMARY, "app", "1").await);
        let client = Client::new(&sdk(&lab, PRIMARY).await);
        let told = client.describe_db_clusters().db_cluster_identifier("app").send().await.unwrap();
        let cluster = &told.db_clusters()[0];
        let told = client.describe_db_instances().db_instance_identifier("app-1").send().await.unwrap();
        assert_eq!(
            told.db_instances()[0].endpoint().unwrap().address(),
            cluster.endpoint(),
            "one server is the cluster"
        );
        let port = u16::try_from(cluster.port().unwrap()).unwrap();
        let to = OptsBuilder::default().ip_or_hostname(cluster.endpoint().unwrap()).tcp_port(port).user(Some("master"));
        let mut connection = mysql_async::Conn::new(to).await.unwrap();
        let count: Option<u64> = connection.query_first("SELECT COUNT(*) FROM app.writes").await.unwrap();
        assert_eq!(count, Some(1));
        let refused = connection.query_drop("SET GLOBAL read_only = 1").await;
        assert!(refused.is_err(), "RDS's master user has no SUPER");
        rds::close(&lab);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_link_says_0_for_a_minute_and_then_that_there_is_no_lag_and_all_arrives_once_it_is_whole() {
    for lab in pairs().await {
        assert!(write(&lab, PRIMARY, "db", "1").await);
        has(&lab, DR, "db-dr", 1).await;
        let start: Timestamp = common::START.parse().unwrap();
        // Ten seconds before a sample of the lag, whichever minute it is by now.
        let minutes = lab.clock.now().duration_since(start).as_mins() + 2;
        let sample = start + SignedDuration::from_mins(minutes);
        lab.clock.sleep_until(sample - SignedDuration::from_secs(10)).await;
        lab.faults.set_link(PRIMARY, DR, LinkFault { is_silent: true, ..LinkFault::default() });
        assert!(write(&lab, PRIMARY, "db", "2").await);
        lab.clock.sleep_until(sample + SignedDuration::from_secs(200)).await;
        assert_eq!(lags(&lab, sample), [0.0, -1.0, -1.0, -1.0]);
        lab.faults.set_link(PRIMARY, DR, LinkFault::default());
        assert_eq!(has(&lab, DR, "db-dr", 2).await, ["1", "2"]);
        // A reset is noticed at once, and repaired as soon.
        lab.faults.cut_link(PRIMARY, DR);
        assert!(write(&lab, PRIMARY, "db", "3").await);
        has(&lab, DR, "db-dr", 3).await;
        rds::close(&lab);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_connected_stays_when_a_group_is_closed_until_a_reboot_and_what_is_renamed_keeps_its_rows() {
    const CLOSED: &str = "sg-closed";
    for lab in pairs().await {
        let client = Client::new(&sdk(&lab, PRIMARY).await);
        rds::close_group(&lab, CLOSED);
        assert!(write(&lab, PRIMARY, "db", "1").await);
        has(&lab, DR, "db-dr", 1).await;
        client.modify_db_instance().db_instance_identifier("db").vpc_security_group_ids(CLOSED).send().await.unwrap();
        lab.clock.sleep(Duration::from_secs(60)).await;
        assert!(write(&lab, PRIMARY, "db", "2").await, "the connection that was there stays");
        client.reboot_db_instance().db_instance_identifier("db").send().await.unwrap();
        available(&client, &lab, "db").await;
        assert!(!write(&lab, PRIMARY, "db", "fenced").await);
        // Replication is the lab's own way in: a fence is about users.
        assert_eq!(has(&lab, DR, "db-dr", 2).await, ["1", "2"]);

        rds::delete(&lab, DR, "db-dr");
        let rename = client.modify_db_instance().db_instance_identifier("db").new_db_instance_identifier("db-before");
        rename.apply_immediately(true).send().await.unwrap();
        available(&client, &lab, "db-before").await;
        assert_eq!(rows(&lab, PRIMARY, "db-before").await, ["1", "2"]);
        // A replica made of it has all it ever had.
        rds::create_instance(&lab, DR, "db-dr", Some((PRIMARY, "db-before"))).unwrap();
        assert_eq!(has(&lab, DR, "db-dr", 2).await, ["1", "2"]);
        rds::close(&lab);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_cluster_is_read_only() {
    for lab in pairs().await {
        rds::create_cluster(&lab, PRIMARY, "app", None, &["app-1"]).unwrap();
        rds::create_cluster(&lab, DR, "app-dr", Some((PRIMARY, "app")), &["app-dr-1"]).unwrap();
        rds::settle(&lab).await.unwrap();
        assert!(write(&lab, PRIMARY, "app", "1").await);
        has(&lab, DR, "app-dr", 1).await;
        assert!(!write(&lab, DR, "app-dr", "to a replica").await);
        rds::close(&lab);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_promotion_ends_the_session_that_holds_it_up_and_drops_what_was_not_applied() {
    for lab in pairs().await {
        assert!(write(&lab, PRIMARY, "db", "applied").await);
        has(&lab, DR, "db-dr", 1).await;
        let backup = rds::session(&lab, DR, "db-dr", &["LOCK TABLES app.writes READ"]).await.unwrap();
        for row in 1..=20 {
            assert!(write(&lab, PRIMARY, "db", &row.to_string()).await);
        }
        lab.clock.sleep(Duration::from_secs(60)).await;
        lab.faults.fail_region(PRIMARY);
        let client = Client::new(&sdk(&lab, DR).await);
        client.promote_read_replica().db_instance_identifier("db-dr").send().await.unwrap();
        available(&client, &lab, "db-dr").await;
        drop(backup);
        // What waited for the lock is applied as the lock goes: one transaction, of MySQL as many as it has workers. What stood behind it
        // in the relay log is not.
        let rows = rows(&lab, DR, "db-dr").await;
        assert!(rows.len() < 10 && rows[0] == "applied", "{rows:?}");
        assert!(write(&lab, DR, "db-dr", "to the new one").await);
        rds::close(&lab);
    }
}
