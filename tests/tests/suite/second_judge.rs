//! The lab's author is not its only judge: the functions' conversation with Route 53 and RDS, the real binaries and the real SDK, against
//! an emulator that nobody here wrote (ministack, installed from the Python package index into a virtual environment of its own).
//!
//! It applies a batch whole or not at all and refuses a DELETE that does not match, which is what Holdfast rests on, and it fails global
//! databases over. It makes read replicas of instances and promotes none (`InvalidAction`), and moto's replicas are replicas still after a promotion
//! (5.2.5). All other services are the lab's.

#![expect(clippy::expect_used, reason = "what a test needs and does not get fails it")]

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, Instant};

use aws_sdk_route53::Client;
use aws_sdk_route53::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_route53::types::{
    Change, ChangeAction, ChangeBatch, HealthCheckConfig, HealthCheckType, ResourceRecord, ResourceRecordSet,
    ResourceRecordSetFailover, RrType,
};
use drill::lambdas::build;
use failover::register::{ArmedBy, Register};
use jiff::{SignedDuration, Timestamp};
use lab::functions::{FunctionConfig, Functions, invoke_async};
use lab::journal::What;
use lab::{Lab, Options};
use serde_json::{Value, json};
use tests::emulator::Emulator;

const PRIMARY: &str = "eu-west-1";
const DR: &str = "eu-central-1";
const ALARM: &str = "arn:aws:cloudwatch:us-east-1:123456789012:alarm:started";
const NAME: &str = "app.example.com";
const PRIMARY_TARGET: &str = "192.0.2.1";
const DR_TARGET: &str = "198.51.100.1";
const PATIENCE: Duration = Duration::from_secs(30);

fn route53(endpoint: &str) -> Client {
    let config = aws_sdk_route53::Config::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::new("us-east-1"))
        .endpoint_url(endpoint)
        .credentials_provider(Credentials::new("operator", "secret", None, None, "test"))
        .build();
    Client::from_conf(config)
}

fn record(target: &str) -> ResourceRecord {
    ResourceRecord::builder().value(target).build().expect("it has a value")
}

/// Short, since these tests are played in real time.
const TTL_SECONDS: i64 = 2;

fn half(role: ResourceRecordSetFailover, target: &str, check: &str) -> ResourceRecordSet {
    let is_primary = role == ResourceRecordSetFailover::Primary;
    let set = ResourceRecordSet::builder().name(NAME).r#type(RrType::A).ttl(TTL_SECONDS);
    let set = set.resource_records(record(target));
    let set = set.set_identifier(role.as_str()).set_health_check_id(is_primary.then(|| check.to_owned()));
    set.failover(role).build().expect("it has name and type")
}

/// Zone id and health check of a workload armed an hour ago.
async fn workload(client: &Client) -> (String, String) {
    let zone = client.create_hosted_zone().name("example.com").caller_reference("1").send().await.expect("a zone");
    let zone = zone.hosted_zone().expect("it is described").id().trim_start_matches("/hostedzone/").to_owned();
    let config =
        HealthCheckConfig::builder().r#type(HealthCheckType::Http).fully_qualified_domain_name("p.example.com");
    let config = config.build().expect("it has a type");
    let check = client.create_health_check().caller_reference("1").health_check_config(config).send().await;
    let check = check.expect("a check").health_check().expect("it is described").id().to_owned();
    let since = Timestamp::from_second((Timestamp::now() - SignedDuration::from_hours(1)).as_second()).expect("a time");
    let text = format!("\"{}\"", Register::armed(since, ArmedBy::Operator));
    let register = ResourceRecordSet::builder().name(format!("_holdfast.{NAME}")).r#type(RrType::Txt).ttl(60);
    let register = register.resource_records(record(&text)).build().expect("it has name and type");
    let sets = [
        half(ResourceRecordSetFailover::Primary, PRIMARY_TARGET, &check),
        half(ResourceRecordSetFailover::Secondary, DR_TARGET, &check),
        register,
    ];
    change(client, &zone, ChangeAction::Create, sets).await;
    (zone, check)
}

async fn change(client: &Client, zone: &str, action: ChangeAction, sets: impl IntoIterator<Item = ResourceRecordSet>) {
    let change = |set| Change::builder().action(action.clone()).resource_record_set(set).build().expect("it is whole");
    let batch = ChangeBatch::builder().set_changes(Some(sets.into_iter().map(change).collect())).build();
    let batch = batch.expect("it has changes");
    client.change_resource_record_sets().hosted_zone_id(zone).change_batch(batch).send().await.expect("it is accepted");
}

/// What the A records and the register say: PRIMARY, SECONDARY, register.
async fn records(client: &Client, zone: &str) -> [String; 3] {
    let sets = client.list_resource_record_sets().hosted_zone_id(zone).send().await.expect("a listing");
    let value = |wanted: &dyn Fn(&ResourceRecordSet) -> bool| {
        let set = sets.resource_record_sets().iter().find(|set| wanted(set)).expect("the record is there");
        set.resource_records()[0].value().trim_matches('"').replace("\" \"", "")
    };
    [
        value(&|set| set.failover() == Some(&ResourceRecordSetFailover::Primary)),
        value(&|set| set.failover() == Some(&ResourceRecordSetFailover::Secondary)),
        value(&|set| set.name().starts_with("_holdfast.")),
    ]
}

/// The functions, in the lab, but for their Route 53 and RDS.
async fn functions(emulator: &Emulator, zone: &str, differs: Value) -> (Arc<Lab>, BTreeMap<&'static str, String>) {
    let lambdas = tokio::task::spawn_blocking(build).await.expect("the build ends").expect("all builds");
    let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    // At the emulator's pace, which is real time.
    let options = Options { start: Timestamp::now(), speed: 1.0, endpoint: any, dns: any };
    let lab = Lab::start(&options).await.expect("the lab starts");
    let mut plan = json!({"mode": "automatic", "zones": [{"id": zone, "names": [NAME]}], "alarms": [ALARM],
        "limits": {"lag_seconds_max": 60, "settle_seconds": 900, "cooldown_seconds": 3600, "drain_seconds": 600,
            "detection_seconds_max": 2400}});
    if let (Some(plan), Value::Object(differs)) = (plan.as_object_mut(), differs) {
        plan.extend(differs);
    }
    let environment = BTreeMap::from([
        ("HOLDFAST_PLAN".to_owned(), plan.to_string()),
        ("AWS_ENDPOINT_URL_ROUTE_53".to_owned(), emulator.endpoint.clone()),
        ("AWS_ENDPOINT_URL_RDS".to_owned(), emulator.endpoint.clone()),
    ]);
    let arns = ["alarm-handler", "replica-promoter"].map(|name| {
        let config = FunctionConfig::new(name, lambdas.join(name));
        let config = FunctionConfig { environment: environment.clone(), timeout: Duration::from_secs(120), ..config };
        (name, Functions::create(&lab, DR, config).expect("the binary is there"))
    });
    (lab, arns.into())
}

/// Sends events at once; what the functions returned.
async fn outcomes(lab: &Arc<Lab>, function: &str, events: Vec<Value>) -> Vec<String> {
    let ends = |lab: &Lab| -> Vec<String> {
        let entries = lab.journal.entries().into_iter();
        let ended = entries.filter_map(|entry| match &entry.what {
            What::Invocation { response, succeeded, .. } => {
                assert!(succeeded, "{response}");
                Some(response["outcome"].as_str().unwrap_or_default().to_owned())
            }
            _ => None,
        });
        ended.collect()
    };
    let (before, wanted) = (ends(lab).len(), events.len());
    events.into_iter().for_each(|event| invoke_async(lab, function, event));
    let began = Instant::now();
    while ends(lab).len() < before + wanted {
        assert!(began.elapsed() < PATIENCE, "the function does not return");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    ends(lab).split_off(before)
}

fn bridged(source: &str, detail_type: &str, detail: &Value) -> Value {
    json!({"version": "0", "id": "1", "account": "123456789012", "region": DR, "source": source,
        "time": Timestamp::now().to_string(), "detail-type": detail_type, "detail": detail, "resources": [ALARM]})
}

#[tokio::test(flavor = "multi_thread")]
async fn holdfast_pins_once_and_by_compare_and_swap_against_a_route_53_that_nobody_here_wrote() {
    let start = || Emulator::start(&[], Stdio::null());
    let emulator = tokio::task::spawn_blocking(start).await.expect("the emulator starts");
    let client = route53(&emulator.endpoint);
    let (zone, check) = workload(&client).await;
    let (lab, functions) = functions(&emulator, &zone, Value::Null).await;
    let (handler, promoter) = (&functions["alarm-handler"], &functions["replica-promoter"]);
    let state = json!({"value": "ALARM", "timestamp": Timestamp::now().to_string()});
    let detail = json!({"alarmName": "started", "state": state});
    let alarm = bridged("aws.cloudwatch", "CloudWatch Alarm State Change", &detail);
    let tick = bridged("aws.events", "Scheduled Event", &json!({}));

    // The same event three times at once: one batch is taken, the others are refused whole and look again. One that wrote the same in the
    // same second finds its own words in the register, and cannot tell them from those of the invocation that was taken.
    let returned = outcomes(&lab, handler, vec![alarm.clone(); 3]).await;
    let told = |outcome: &str| returned.iter().filter(|it| *it == outcome).count();
    assert!(told("Pinned") >= 1 && told("Pinned") + told("StaysOnDr") == 3, "{returned:?}");
    let pinned = records(&client, &zone).await;
    assert_eq!(pinned[..2], [DR_TARGET, DR_TARGET]);
    assert!(
        pinned[2].contains("pinned") && pinned[2].contains(&format!("A,values,{TTL_SECONDS},{PRIMARY_TARGET}")),
        "{pinned:?}"
    );

    assert_eq!(outcomes(&lab, handler, vec![alarm, tick.clone()]).await, ["StaysOnDr", "StaysOnDr"]);
    assert_eq!(records(&client, &zone).await, pinned, "a duplicate changes nothing");

    let undone = half(ResourceRecordSetFailover::Primary, PRIMARY_TARGET, &check);
    change(&client, &zone, ChangeAction::Upsert, [undone]).await;
    assert_eq!(outcomes(&lab, handler, vec![tick.clone()]).await, ["PinnedAgain"]);
    let again = records(&client, &zone).await;
    assert_eq!(again[..2], [DR_TARGET, DR_TARGET]);
    assert!(again[2].contains("repins=1") && again[2].contains(PRIMARY_TARGET), "the original is kept: {again:?}");

    let began = Instant::now();
    while !records(&client, &zone).await[2].contains("in-sync=") {
        assert!(began.elapsed() < PATIENCE, "GetChange never says INSYNC");
        outcomes(&lab, promoter, vec![tick.clone()]).await;
    }
}

fn rds(endpoint: &str, region: &'static str) -> aws_sdk_rds::Client {
    let config = aws_sdk_rds::Config::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::new(region))
        .endpoint_url(endpoint)
        .credentials_provider(Credentials::new("operator", "secret", None, None, "test"))
        .build();
    aws_sdk_rds::Client::from_conf(config)
}

/// A global database whose primary is elsewhere.
async fn global_database(endpoint: &str) {
    const ENGINE: &str = "aurora-mysql";
    let global = rds(endpoint, PRIMARY).create_global_cluster().global_cluster_identifier("world").engine(ENGINE);
    global.send().await.expect("a global database");
    for (region, cluster, user) in [(PRIMARY, "app", Some("admin")), (DR, "app-dr", None)] {
        let client = rds(endpoint, region);
        let made = client.create_db_cluster().db_cluster_identifier(cluster).engine(ENGINE);
        let made = made.global_cluster_identifier("world").set_master_username(user.map(str::to_owned));
        made.set_master_user_password(user.map(|_| "not-a-secret".to_owned())).send().await.expect("a cluster");
        let instance = client.create_db_instance().db_instance_identifier(format!("{cluster}-1")).engine(ENGINE);
        let instance = instance.db_cluster_identifier(cluster).db_instance_class("db.r6g.large");
        instance.send().await.expect("an instance");
    }
}

/// The cluster that takes the global database's writes.
async fn writer(endpoint: &str) -> String {
    let described = rds(endpoint, DR).describe_global_clusters().global_cluster_identifier("world").send().await;
    let described = described.expect("it is described");
    let members = described.global_clusters()[0].global_cluster_members();
    let writers: Vec<_> = members.iter().filter(|member| member.is_writer() == Some(true)).collect();
    assert_eq!(writers.len(), 1, "{members:?}");
    writers[0].db_cluster_arn().unwrap_or_default().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn holdfast_fails_a_global_database_over_once_at_an_rds_that_nobody_here_wrote() {
    let start = || Emulator::start(&[], Stdio::null());
    let emulator = tokio::task::spawn_blocking(start).await.expect("the emulator starts");
    let (zone, _) = workload(&route53(&emulator.endpoint)).await;
    global_database(&emulator.endpoint).await;
    assert!(writer(&emulator.endpoint).await.ends_with(":app"));
    let limits = json!({"lag_seconds_max": 60, "settle_seconds": 900, "cooldown_seconds": 3600, "drain_seconds": 0,
        "detection_seconds_max": 2400});
    let differs = json!({"aurora_global_clusters": ["world/app-dr"], "limits": limits});
    let (lab, functions) = functions(&emulator, &zone, differs).await;
    let lag = [("DBClusterIdentifier", "app-dr")];
    lab.cloudwatch.put_metric(DR, "AWS/RDS", "AuroraGlobalDBRPOLag", &lag, 700.0, Timestamp::now());
    let state = json!({"value": "ALARM", "timestamp": Timestamp::now().to_string()});
    let alarm =
        bridged("aws.cloudwatch", "CloudWatch Alarm State Change", &json!({"alarmName": "started", "state": state}));
    assert_eq!(outcomes(&lab, &functions["alarm-handler"], vec![alarm]).await, ["Pinned"]);

    let tick = bridged("aws.events", "Scheduled Event", &json!({}));
    let began = Instant::now();
    let mut told = Vec::new();
    while told.last().map(String::as_str) != Some("FailedOver") {
        assert!(began.elapsed() < PATIENCE * 3, "{told:?}");
        // Two at once, as events come.
        let mut both = outcomes(&lab, &functions["replica-promoter"], vec![tick.clone(); 2]).await;
        both.sort_by_key(|outcome| outcome == "FailedOver");
        told.extend(both);
    }
    assert_eq!(told.iter().filter(|outcome| *outcome == "PromotionRequested").count(), 1, "{told:?}");
    assert!(writer(&emulator.endpoint).await.ends_with(":app-dr"));
    // What comes late finds nothing to do.
    let late = outcomes(&lab, &functions["replica-promoter"], vec![tick; 2]).await;
    assert!(late.iter().all(|outcome| outcome == "Nothing" || outcome == "DatabaseTrouble"), "{late:?}");
    assert!(writer(&emulator.endpoint).await.ends_with(":app-dr"));
}

/// It makes replicas of instances and knows no `PromoteReadReplica`: what is seen there is a replica, it is asked for, the refusal is told, and
/// nobody is told of an end.
#[tokio::test(flavor = "multi_thread")]
async fn a_replica_of_an_rds_that_nobody_here_wrote_is_seen_as_one_and_a_promotion_that_it_refuses_is_no_end() {
    let start = || Emulator::start(&[], Stdio::null());
    let emulator = tokio::task::spawn_blocking(start).await.expect("the emulator starts");
    let (zone, _) = workload(&route53(&emulator.endpoint)).await;
    let client = rds(&emulator.endpoint, DR);
    let source = client.create_db_instance().db_instance_identifier("orders").engine("mysql");
    let source = source.db_instance_class("db.t4g.micro").master_username("admin").master_user_password("not-a-secret");
    source.allocated_storage(20).send().await.expect("an instance");
    let made = client.create_db_instance_read_replica().db_instance_identifier("orders-dr");
    made.source_db_instance_identifier("orders").send().await.expect("a replica");
    let limits = json!({"lag_seconds_max": 60, "settle_seconds": 900, "cooldown_seconds": 3600, "drain_seconds": 0,
        "detection_seconds_max": 2400});
    let (lab, functions) = functions(&emulator, &zone, json!({"rds_instances": ["orders-dr"], "limits": limits})).await;
    lab.cloudwatch.put_metric(
        DR,
        "AWS/RDS",
        "ReplicaLag",
        &[("DBInstanceIdentifier", "orders-dr")],
        0.0,
        Timestamp::now(),
    );
    let state = json!({"value": "ALARM", "timestamp": Timestamp::now().to_string()});
    let alarm =
        bridged("aws.cloudwatch", "CloudWatch Alarm State Change", &json!({"alarmName": "started", "state": state}));
    assert_eq!(outcomes(&lab, &functions["alarm-handler"], vec![alarm]).await, ["Pinned"]);
    let tick = bridged("aws.events", "Scheduled Event", &json!({}));
    let began = Instant::now();
    let mut told = Vec::new();
    while told.iter().filter(|outcome| *outcome == "Interrupted").count() < 2 {
        assert!(began.elapsed() < PATIENCE * 3, "{told:?}");
        told.extend(outcomes(&lab, &functions["replica-promoter"], vec![tick.clone()]).await);
    }
    assert!(!told.iter().any(|outcome| ["FailedOver", "PromotionRequested"].contains(&outcome.as_str())), "{told:?}");
    let said = lab
        .journal
        .entries()
        .iter()
        .any(|entry| format!("{:?}", entry.what).contains("PromoteReadReplica was refused: InvalidAction"));
    assert!(said, "RDS's own words are told");
}
