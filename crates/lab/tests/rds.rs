//! RDS as its SDK sees it.
#![allow(clippy::unwrap_used, reason = "clippy does not know that helpers are a part of tests")]

mod common;

use std::time::Duration;

use aws_sdk_rds::Client;
use aws_sdk_rds::error::ProvideErrorMetadata;
use aws_sdk_rds::types::{DbCluster, DbInstance, Filter, ServerlessV2ScalingConfiguration};
use common::{DR, PRIMARY, journaled, lab, sdk};
use jiff::{SignedDuration, Timestamp};
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
    let unknown = rds.describe_option_groups().send().await.unwrap_err().into_service_error();
    assert!(unknown.message().unwrap().contains("DescribeOptionGroups"));
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

/// Asks for a new replica cluster of `app`.
fn new_cluster(rds: &Client) -> aws_sdk_rds::operation::create_db_cluster::builders::CreateDBClusterFluentBuilder {
    let source = "arn:aws:rds:us-east-1:123456789012:cluster:app";
    let create = rds.create_db_cluster().db_cluster_identifier("new").engine("aurora-mysql");
    create.replication_source_identifier(source)
}

fn member(rds: &Client) -> aws_sdk_rds::operation::create_db_instance::builders::CreateDBInstanceFluentBuilder {
    rds.create_db_instance().db_instance_identifier("new-1").db_cluster_identifier("new").engine("aurora-mysql")
}

async fn until_available(lab: &Lab, id: &str) {
    let is_up =
        |what: &What| matches!(what, What::Database { id: of, status, .. } if of == id && status == "available");
    journaled(lab, |entry| is_up(&entry.what).then_some(())).await;
}

#[tokio::test]
async fn a_new_replica_cluster_takes_an_instance_once_it_is_available_and_catches_up_then() {
    let lab = lab(1000.0).await;
    lab::rds::create_cluster(&lab, PRIMARY, "app", None, &["app-1"]).unwrap();
    lab::rds::write(&lab, PRIMARY, "app", "old").unwrap();
    let rds = Client::new(&sdk(&lab, DR).await);
    new_cluster(&rds).send().await.unwrap();
    let early = member(&rds).db_instance_class("db.r6g.large").send().await.unwrap_err().into_service_error();
    assert!(early.is_invalid_db_cluster_state_fault(), "{early:?}");
    until_available(&lab, "new").await;
    member(&rds).db_instance_class("db.r6g.large").send().await.unwrap();
    assert!(lab::rds::writes(&lab, DR, "new").is_empty());
    lab.clock.sleep(Duration::from_secs(400)).await;
    assert_eq!(lab::rds::writes(&lab, DR, "new").len(), 1);
}

#[tokio::test]
async fn a_serverless_instance_needs_its_clusters_scaling() {
    let lab = lab(1000.0).await;
    lab::rds::create_cluster(&lab, PRIMARY, "app", None, &["app-1"]).unwrap();
    let rds = Client::new(&sdk(&lab, DR).await);
    new_cluster(&rds).send().await.unwrap();
    until_available(&lab, "new").await;
    let refused = member(&rds).db_instance_class("db.serverless").send().await.unwrap_err().into_service_error();
    assert_eq!(refused.code(), Some("InvalidParameterValue"));
    let scaling = ServerlessV2ScalingConfiguration::builder().min_capacity(0.5).max_capacity(8.0).build();
    let modify = rds.modify_db_cluster().db_cluster_identifier("new").serverless_v2_scaling_configuration(scaling);
    modify.send().await.unwrap();
    member(&rds).db_instance_class("db.serverless").send().await.unwrap();
    let told = described(&rds, "new").await;
    let told = told.serverless_v2_scaling_configuration().unwrap();
    assert_eq!((told.min_capacity(), told.max_capacity()), (Some(0.5), Some(8.0)));
}

async fn instance(rds: &Client, id: &str) -> DbInstance {
    let answer = rds.describe_db_instances().db_instance_identifier(id).send().await.unwrap();
    answer.db_instances()[0].clone()
}

#[tokio::test]
async fn a_replica_inherits_what_botocore_says_and_loses_the_rest() {
    let lab = lab(1000.0).await;
    let (there, here) = (Client::new(&sdk(&lab, PRIMARY).await), Client::new(&sdk(&lab, DR).await));
    let create = there.create_db_instance().db_instance_identifier("db").engine("postgres").port(6000).multi_az(true);
    let create = create.db_instance_class("db.m6g.large").deletion_protection(true).backup_retention_period(7);
    let create = create.enable_iam_database_authentication(true).db_parameter_group_name("ours");
    create.option_group_name("options").db_subnet_group_name("private").send().await.unwrap();
    let source = "arn:aws:rds:us-east-1:123456789012:db:db";
    let replica = |rds: &Client, id: &str, source: &str| {
        rds.create_db_instance_read_replica().db_instance_identifier(id).source_db_instance_identifier(source)
    };
    replica(&here, "db-dr", source).send().await.unwrap();
    replica(&there, "near", "db").send().await.unwrap();
    let (far, near, from) =
        (instance(&here, "db-dr").await, instance(&there, "near").await, instance(&there, "db").await);
    let kept = |it: &DbInstance| {
        let flags = (it.multi_az(), it.deletion_protection(), it.iam_database_authentication_enabled());
        (flags, it.backup_retention_period(), it.endpoint().and_then(|endpoint| endpoint.port()))
    };
    assert_eq!(kept(&from), ((Some(true), Some(true), Some(true)), Some(7), Some(6000)));
    for replica in [&far, &near] {
        assert_eq!(kept(replica), ((Some(false), Some(false), Some(false)), Some(0), Some(6000)));
        assert_eq!(replica.engine(), Some("postgres"));
    }
    let groups = |it: &DbInstance| {
        let parameters = it.db_parameter_groups()[0].db_parameter_group_name().unwrap().to_owned();
        let subnets = it.db_subnet_group().unwrap().db_subnet_group_name().unwrap().to_owned();
        (parameters, it.option_group_memberships()[0].option_group_name().unwrap().to_owned(), subnets)
    };
    assert_eq!(groups(&near), ("ours".to_owned(), "options".to_owned(), "private".to_owned()));
    assert_eq!(groups(&far), ("default.postgres16".to_owned(), "options".to_owned(), "default".to_owned()));
    assert_eq!(near.read_replica_source_db_instance_identifier(), Some("db"), "a bare name in the same region");
    assert_eq!(far.read_replica_source_db_instance_identifier(), Some(source));
    assert_eq!(from.read_replica_db_instance_identifiers().len(), 2);
}

#[tokio::test]
async fn an_encrypted_source_needs_a_key_of_the_replicas_region() {
    let lab = lab(1000.0).await;
    let (there, here) = (Client::new(&sdk(&lab, PRIMARY).await), Client::new(&sdk(&lab, DR).await));
    let create = there.create_db_cluster().db_cluster_identifier("app").engine("aurora-mysql").storage_encrypted(true);
    create.send().await.unwrap();
    assert_eq!(described(&there, "app").await.storage_encrypted(), Some(true));
    let refused = new_cluster(&here).send().await.unwrap_err();
    assert_eq!(refused.code(), Some("InvalidParameterCombination"));
    let key = "arn:aws:kms:us-west-2:123456789012:key/ours";
    new_cluster(&here).storage_encrypted(true).kms_key_id(key).send().await.unwrap();
    assert_eq!(described(&here, "new").await.kms_key_id(), Some(key));
}

#[tokio::test]
async fn every_way_in_which_a_database_is_or_was_a_replica_is_told() {
    let lab = lab(1000.0).await;
    lab::rds::create_multi_az_cluster(&lab, DR, "app", "mysql", None).unwrap();
    lab::rds::create_instance(&lab, PRIMARY, "db", None).unwrap();
    let of_cluster = Some(lab::rds::Source::Cluster(DR, "app"));
    lab::rds::create_instance_of(&lab, DR, "of-cluster", "mysql", of_cluster).unwrap();
    for id in ["stopped", "orphan", "restored", "full"] {
        lab::rds::create_instance(&lab, DR, id, Some((PRIMARY, "db"))).unwrap();
    }
    let rds = Client::new(&sdk(&lab, DR).await);
    let status = async |id: &str| {
        let told = instance(&rds, id).await;
        let info = told.status_infos().first().map(|info| (info.status().unwrap().to_owned(), info.normal().unwrap()));
        (told.read_replica_source_db_instance_identifier().is_some(), info)
    };
    assert_eq!(status("stopped").await, (true, Some(("replicating".to_owned(), true))));
    lab::rds::stop_replication(&lab, DR, "stopped", true);
    lab::rds::restore_from_snapshot(&lab, DR, "restored");
    lab::rds::set_status(&lab, DR, "full", "storage-full");
    assert_eq!(status("stopped").await, (true, Some(("stopped".to_owned(), false))));
    assert_eq!(status("restored").await, (false, None));
    assert_eq!(instance(&rds, "full").await.db_instance_status(), Some("storage-full"));
    let told = instance(&rds, "of-cluster").await;
    assert_eq!(told.read_replica_source_db_instance_identifier(), None);
    assert_eq!(told.read_replica_source_db_cluster_identifier(), Some("app"));
    let elsewhere = lab::rds::create_instance_of(&lab, PRIMARY, "far", "mysql", of_cluster).unwrap_err();
    assert!(elsewhere.message.contains("must be in the same Region"), "{elsewhere:?}");
    lab::rds::create_cluster(&lab, DR, "aurora", None, &["aurora-1"]).unwrap();
    let of_aurora = Some(lab::rds::Source::Cluster(DR, "aurora"));
    assert!(lab::rds::create_instance_of(&lab, DR, "of-aurora", "mysql", of_aurora).is_err());
    lab::rds::create_multi_az_cluster(&lab, DR, "app-dr", "mysql", Some((PRIMARY, "db"))).unwrap();
    let cluster = rds.describe_db_clusters().db_cluster_identifier("app-dr").send().await.unwrap();
    let cluster = &cluster.db_clusters()[0];
    assert_eq!((cluster.engine(), cluster.db_cluster_members().len()), (Some("mysql"), 3));
    assert!(cluster.replication_source_identifier().is_some_and(|arn| arn.ends_with(":db:db")), "{cluster:?}");
    lab.faults.partition(PRIMARY, DR);
    assert_eq!(status("orphan").await, (true, Some(("error".to_owned(), false))));
    lab::rds::delete(&lab, PRIMARY, "db");
    assert_eq!(status("orphan").await, (true, Some(("terminated".to_owned(), false))));
}

#[tokio::test]
async fn security_groups_are_adding_and_removing_before_they_hold() {
    let lab = lab(60.0).await;
    let rds = pair(&lab).await;
    lab::rds::close_group(&lab, "sg-closed");
    lab::rds::set_time_for_groups(&lab, Duration::from_secs(600));
    let primary = Client::new(&sdk(&lab, PRIMARY).await);
    let modify = primary.modify_db_cluster().db_cluster_identifier("app").vpc_security_group_ids("sg-closed");
    modify.send().await.unwrap();
    let groups = async || {
        let told = described(&primary, "app").await;
        let groups = told.vpc_security_groups().iter();
        groups.map(|it| format!("{} {}", it.vpc_security_group_id().unwrap(), it.status().unwrap())).collect::<Vec<_>>()
    };
    assert_eq!(groups().await, ["sg-default removing", "sg-closed adding"]);
    primary.reboot_db_instance().db_instance_identifier("app-1").send().await.unwrap();
    lab.clock.sleep(Duration::from_secs(120)).await;
    assert!(lab::rds::writable(&lab, PRIMARY, "app"), "a reboot before the bar stands lets everybody in again");
    lab.clock.sleep(Duration::from_secs(600)).await;
    assert_eq!(groups().await, ["sg-closed active"]);
    assert!(lab::rds::writable(&lab, PRIMARY, "app"), "who is connected stays");
    primary.reboot_db_instance().db_instance_identifier("app-1").send().await.unwrap();
    lab.clock.sleep(Duration::from_secs(120)).await;
    assert!(!lab::rds::writable(&lab, PRIMARY, "app"));
    drop(rds);
}

/// The newest sample of a database's lag.
async fn newest_lag(lab: &Lab, id: &str) -> f64 {
    use aws_sdk_cloudwatch::primitives::DateTime;
    use aws_sdk_cloudwatch::types::{Dimension, Statistic};
    let now = lab.clock.now().as_second();
    let ask = common::cloudwatch(lab, DR);
    let ask = ask.get_metric_statistics().namespace("AWS/RDS").metric_name("ReplicaLag").statistics(Statistic::Maximum);
    let ask = ask.dimensions(Dimension::builder().name("DBInstanceIdentifier").value(id).build()).period(60);
    let ask = ask.start_time(DateTime::from_secs(now - 600)).end_time(DateTime::from_secs(now + 60));
    let mut points = ask.send().await.unwrap().datapoints.unwrap();
    points.sort_by_key(|point| point.timestamp);
    points.last().unwrap().maximum().unwrap()
}

#[tokio::test]
async fn the_lag_of_postgresql_grows_while_nothing_comes_and_that_of_mysql_is_minus_one() {
    let lab = lab(1000.0).await;
    for (source, replica, engine) in [("pg", "pg-dr", "postgres"), ("my", "my-dr", "mysql")] {
        lab::rds::create_instance_of(&lab, PRIMARY, source, engine, None).unwrap();
        let from = Some(lab::rds::Source::Instance(PRIMARY, source));
        lab::rds::create_instance_of(&lab, DR, replica, engine, from).unwrap();
    }
    lab.clock.sleep(Duration::from_secs(1200)).await;
    let idle = newest_lag(&lab, "pg-dr").await;
    assert!((0.0..=361.0).contains(&idle), "an idle source is a sawtooth of five minutes: {idle}");
    assert_eq!(newest_lag(&lab, "my-dr").await, 0.0);
    lab.faults.fail_region(PRIMARY);
    lab.clock.sleep(Duration::from_secs(1800)).await;
    let grown = newest_lag(&lab, "pg-dr").await;
    assert!((1700.0..=2200.0).contains(&grown), "{grown}");
    assert_eq!(newest_lag(&lab, "my-dr").await, -1.0);
}

#[tokio::test]
async fn a_slow_link_hides_what_is_on_the_way() {
    let lab = lab(1000.0).await;
    lab::rds::create_instance(&lab, PRIMARY, "db", None).unwrap();
    lab::rds::create_instance(&lab, DR, "db-dr", Some((PRIMARY, "db"))).unwrap();
    lab::rds::set_slow_link(&lab, DR, "db-dr", Duration::from_secs(3600));
    lab::rds::write(&lab, PRIMARY, "db", "on the way").unwrap();
    lab.clock.sleep(Duration::from_secs(180)).await;
    assert_eq!(lab::rds::lag(&lab, DR, "db-dr"), Some(Duration::ZERO));
    assert!(lab::rds::writes(&lab, DR, "db-dr").is_empty());
    assert_eq!(newest_lag(&lab, "db-dr").await, 0.0);
}

/// What RDS told of a replica's lag in the minutes after its source was lost, the first sample of each minute.
async fn lags_after_loss(lost: lab::rds::LostLink) -> Vec<f64> {
    let lab = lab(100.0).await;
    lab::rds::create_instance(&lab, PRIMARY, "db", None).unwrap();
    lab::rds::create_instance(&lab, DR, "db-dr", Some((PRIMARY, "db"))).unwrap();
    lab::rds::set_lost_link(&lab, DR, "db-dr", lost);
    // Ten seconds before a sample: lags are sampled each minute from the lab's start on.
    let start: Timestamp = common::START.parse().unwrap();
    lab.clock.sleep_until(start + SignedDuration::from_secs(290)).await;
    lab.faults.fail_region(PRIMARY);
    lab.clock.sleep_until(start + SignedDuration::from_secs(500)).await;
    let id = [("DBInstanceIdentifier", "db-dr")];
    let told = lab.cloudwatch.maxima(DR, "AWS/RDS", "ReplicaLag", &id);
    told.into_iter().filter(|(at, _)| *at >= start + SignedDuration::from_secs(300)).map(|(_, lag)| lag).collect()
}

#[tokio::test]
async fn a_reset_connection_is_told_at_once() {
    assert_eq!(lags_after_loss(lab::rds::LostLink::AtOnce).await, [-1.0, -1.0, -1.0, -1.0]);
}

#[tokio::test]
async fn a_silent_cut_is_told_after_a_minute_of_zeros() {
    assert_eq!(lags_after_loss(lab::rds::LostLink::Silent).await, [0.0, -1.0, -1.0, -1.0]);
}

#[tokio::test]
async fn after_a_cut_inside_a_transaction_the_lag_counts_up_and_never_says_that_it_is_none() {
    // A lag of a second, and ten since the cut.
    let told = lags_after_loss(lab::rds::LostLink::InTransaction).await;
    let expected = [11.0, 71.0, 131.0, 191.0];
    assert!(told.len() == 4 && told.iter().zip(expected).all(|(told, is)| (told - is).abs() < 3.0), "{told:?}");
}
