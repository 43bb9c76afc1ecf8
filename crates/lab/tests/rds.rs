//! RDS as its SDK sees it.
#![allow(clippy::unwrap_used, reason = "clippy does not know that helpers are a part of tests")]

mod common;

use std::time::Duration;

use aws_sdk_rds::Client;
use aws_sdk_rds::error::ProvideErrorMetadata;
use aws_sdk_rds::types::{DbCluster, Filter};
use common::{DR, PRIMARY, journaled, lab, sdk};
use lab::Lab;
use lab::journal::What;

/// A cluster `app` in the primary region with its replica `app-dr`.
async fn pair(lab: &Lab) -> Client {
    lab::rds::create_cluster(lab, PRIMARY, "app", None, &["app-1", "app-2"]).unwrap();
    lab::rds::create_cluster(lab, DR, "app-dr", Some((PRIMARY, "app")), &["app-dr-1"]).unwrap();
    Client::new(&sdk(lab, DR).await)
}

async fn described(rds: &Client, id: &str) -> DbCluster {
    let answer = rds.describe_db_clusters().db_cluster_identifier(id).send().await.unwrap();
    answer.db_clusters()[0].clone()
}

#[tokio::test]
async fn a_replica_names_its_source_and_the_source_its_replica() {
    let lab = lab(1000.0).await;
    let rds = pair(&lab).await;
    let replica = described(&rds, "app-dr").await;
    let source = "arn:aws:rds:us-east-1:123456789012:cluster:app";
    assert_eq!(replica.replication_source_identifier(), Some(source));
    assert_eq!(replica.status(), Some("available"));
    let members = replica.db_cluster_members();
    assert_eq!((members.len(), members[0].is_cluster_writer()), (1, Some(true)));
    let primary = Client::new(&sdk(&lab, PRIMARY).await);
    let replicas = described(&primary, "app").await.read_replica_identifiers().to_vec();
    assert_eq!(replicas, [replica.db_cluster_arn().unwrap()]);
    let by_cluster = Filter::builder().name("db-cluster-id").values("app-dr").build();
    let members = rds.describe_db_instances().filters(by_cluster).send().await.unwrap();
    assert_eq!(members.db_instances()[0].db_instance_identifier(), Some("app-dr-1"));
}

#[tokio::test]
async fn a_promotion_takes_minutes_and_ends_with_a_writer_and_an_event() {
    let lab = lab(1000.0).await;
    let rds = pair(&lab).await;
    let begun = lab.clock.now();
    let answer = rds.promote_read_replica_db_cluster().db_cluster_identifier("app-dr").send().await.unwrap();
    assert_eq!(answer.db_cluster().unwrap().status(), Some("promoting"));
    let again = rds.promote_read_replica_db_cluster().db_cluster_identifier("app-dr").send().await.unwrap_err();
    assert!(again.into_service_error().is_invalid_db_cluster_state_fault());
    assert!(!lab::rds::writable(&lab, DR, "app-dr"));
    let event = journaled(&lab, |entry| match &entry.what {
        What::Event { event, source, .. } if source == "aws.rds" => Some(event.clone()),
        _ => None,
    })
    .await;
    assert_eq!(event["detail-type"], "RDS DB Cluster Event");
    assert_eq!(event["detail"]["SourceArn"], "arn:aws:rds:us-west-2:123456789012:cluster:app-dr");
    assert!(lab.clock.now().duration_since(begun).as_secs() >= 120);
    let promoted = described(&rds, "app-dr").await;
    assert_eq!((promoted.status(), promoted.replication_source_identifier()), (Some("available"), None));
    assert!(lab::rds::writable(&lab, DR, "app-dr"));
    let told = rds.describe_events().source_identifier("app-dr").send().await.unwrap();
    assert!(told.events()[0].message().unwrap().starts_with("Promoted Read Replica cluster"));
}

#[tokio::test]
async fn refusals_carry_the_codes_the_sdk_knows() {
    let lab = lab(1000.0).await;
    let rds = pair(&lab).await;
    let absent = rds.promote_read_replica_db_cluster().db_cluster_identifier("absent").send().await.unwrap_err();
    assert!(absent.into_service_error().is_db_cluster_not_found_fault());
    let absent = rds.describe_db_instances().db_instance_identifier("absent").send().await.unwrap_err();
    assert!(absent.into_service_error().is_db_instance_not_found_fault());
    let member = rds.promote_read_replica().db_instance_identifier("app-dr-1").send().await.unwrap_err();
    assert!(member.into_service_error().is_invalid_db_instance_state_fault());
    let unknown = rds.describe_db_clusters().max_records(20).send().await.unwrap_err().into_service_error();
    assert_eq!(unknown.code(), Some("NotImplemented"));
    assert!(unknown.message().unwrap().contains("MaxRecords"));
    let unknown = rds.describe_global_clusters().send().await.unwrap_err().into_service_error();
    assert!(unknown.message().unwrap().contains("DescribeGlobalClusters"));
}

#[tokio::test]
async fn a_standalone_instance_has_replicas_that_can_be_promoted() {
    let lab = lab(1000.0).await;
    lab::rds::create_instance(&lab, PRIMARY, "db", None).unwrap();
    lab::rds::create_instance(&lab, DR, "db-dr", Some((PRIMARY, "db"))).unwrap();
    let rds = Client::new(&sdk(&lab, DR).await);
    let replica = rds.describe_db_instances().db_instance_identifier("db-dr").send().await.unwrap();
    let source = replica.db_instances()[0].read_replica_source_db_instance_identifier();
    assert_eq!(source, Some("arn:aws:rds:us-east-1:123456789012:db:db"));
    rds.promote_read_replica().db_instance_identifier("db-dr").send().await.unwrap();
    journaled(&lab, |_| lab::rds::writable(&lab, DR, "db-dr").then_some(())).await;
}

#[tokio::test]
async fn after_a_failover_the_lost_writes_are_those_that_had_not_arrived() {
    let lab = lab(1000.0).await;
    let rds = pair(&lab).await;
    lab::rds::set_lag(&lab, DR, "app-dr", Duration::from_secs(600));
    for n in 0..5 {
        assert!(lab::rds::write(&lab, PRIMARY, "app", &n.to_string()).is_some());
        lab.clock.sleep(Duration::from_secs(180)).await;
    }
    assert!(lab::rds::write(&lab, DR, "app-dr", "too early").is_none());
    lab.faults.fail_region(PRIMARY);
    assert!(lab::rds::write(&lab, PRIMARY, "app", "too late").is_none());
    lab.clock.sleep(Duration::from_secs(3600)).await;
    rds.promote_read_replica_db_cluster().db_cluster_identifier("app-dr").send().await.unwrap();
    journaled(&lab, |_| lab::rds::writable(&lab, DR, "app-dr").then_some(())).await;
    let there: Vec<String> = lab::rds::writes(&lab, DR, "app-dr").into_iter().map(|write| write.id).collect();
    assert_eq!(there, ["0", "1"], "written 900 and 720 seconds before the outage; the third only 540");
    assert_eq!(lab::rds::writes(&lab, PRIMARY, "app").len(), 5);
}

#[tokio::test]
async fn a_new_replica_cluster_catches_up_once_it_has_an_instance() {
    let lab = lab(1000.0).await;
    lab::rds::create_cluster(&lab, PRIMARY, "app", None, &["app-1"]).unwrap();
    lab::rds::write(&lab, PRIMARY, "app", "old").unwrap();
    let rds = Client::new(&sdk(&lab, DR).await);
    let source = "arn:aws:rds:us-east-1:123456789012:cluster:app";
    let create = rds.create_db_cluster().db_cluster_identifier("new").engine("aurora-mysql");
    create.replication_source_identifier(source).send().await.unwrap();
    let create = rds.create_db_instance().db_instance_identifier("new-1").db_cluster_identifier("new");
    create.db_instance_class("db.r6g.large").engine("aurora-mysql").send().await.unwrap();
    assert!(lab::rds::writes(&lab, DR, "new").is_empty());
    lab.clock.sleep(Duration::from_secs(400)).await;
    assert_eq!(lab::rds::writes(&lab, DR, "new").len(), 1);
}
