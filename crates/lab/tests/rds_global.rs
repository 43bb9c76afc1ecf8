//! Aurora global databases as RDS's SDK sees them.
#![allow(clippy::unwrap_used, reason = "clippy does not know that helpers are a part of tests")]

mod common;

use std::time::Duration;

use aws_sdk_rds::Client;
use aws_sdk_rds::types::DbCluster;
use common::{DR, PRIMARY, journaled, lab, sdk};
use lab::journal::What;

async fn described(rds: &Client, id: &str) -> DbCluster {
    let answer = rds.describe_db_clusters().db_cluster_identifier(id).send().await.unwrap();
    answer.db_clusters()[0].clone()
}

#[tokio::test]
async fn a_global_database_fails_over_from_the_region_that_is_left() {
    let lab = lab(1000.0).await;
    lab::rds::create_cluster(&lab, PRIMARY, "app", None, &["app-1"]).unwrap();
    lab::rds::create_global(&lab, "world", (PRIMARY, "app"), (DR, "app-dr"), &["app-dr-1"]).unwrap();
    let rds = Client::new(&sdk(&lab, DR).await);
    let secondary = described(&rds, "app-dr").await;
    assert_eq!(
        (secondary.global_cluster_identifier(), secondary.replication_source_identifier()),
        (Some("world"), None)
    );
    assert_eq!(secondary.db_cluster_members()[0].is_cluster_writer(), Some(false));
    lab.faults.fail_region(PRIMARY);
    let target = secondary.db_cluster_arn().unwrap();
    let ask = || rds.failover_global_cluster().global_cluster_identifier("world").target_db_cluster_identifier(target);
    let begun = ask().allow_data_loss(true).send().await.unwrap();
    let under_way = begun.global_cluster().unwrap().failover_state().unwrap();
    assert_eq!((under_way.status().unwrap().as_str(), under_way.is_data_loss_allowed()), ("pending", Some(true)));
    let again = ask().allow_data_loss(true).send().await.unwrap_err().into_service_error();
    assert!(again.is_invalid_global_cluster_state_fault());
    journaled(&lab, |entry| match &entry.what {
        What::Event { event, source, .. } if source == "aws.rds" => {
            event["detail"]["Message"].as_str().filter(|message| message.contains("completed")).map(str::to_owned)
        }
        _ => None,
    })
    .await;
    let found = rds.describe_global_clusters().global_cluster_identifier("world").send().await.unwrap();
    let found = &found.global_clusters()[0];
    let writers = found.global_cluster_members().iter().filter(|member| member.is_writer() == Some(true));
    assert_eq!(writers.filter_map(|member| member.db_cluster_arn()).collect::<Vec<_>>(), [target]);
    assert!(found.failover_state().is_none() && lab::rds::writable(&lab, DR, "app-dr"));
}

#[tokio::test]
async fn a_secondarys_lag_is_told_in_its_region_in_milliseconds() {
    let lab = lab(1000.0).await;
    lab::rds::create_cluster(&lab, PRIMARY, "app", None, &["app-1"]).unwrap();
    lab::rds::create_global(&lab, "world", (PRIMARY, "app"), (DR, "app-dr"), &["app-dr-1"]).unwrap();
    let dimensions = [("DBClusterIdentifier", "app-dr"), ("SourceRegion", PRIMARY)];
    let told = || lab.cloudwatch.maxima(DR, "AWS/RDS", "AuroraGlobalDBRPOLag", &dimensions);
    while told().len() < 2 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    lab.faults.fail_region(PRIMARY);
    let before = told().len();
    while told().len() < before + 3 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert!(told().last().unwrap().1 >= 60_000.0, "{:?}", told());
}
