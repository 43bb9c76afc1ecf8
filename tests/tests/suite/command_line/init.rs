//! `holdfast init`: what it sees, proposes and writes, under the operators' policy and under less; and that what it writes works.

use std::collections::BTreeSet;
use std::path::PathBuf;

use aws_sdk_route53::Client;
use aws_sdk_route53::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_route53::types::{
    Change, ChangeAction, ChangeBatch, ResourceRecord, ResourceRecordSet, ResourceRecordSetFailover, RrType,
};
use lab::iam::Policy;
use serde_json::json;

use super::*;

/// Beside the names of the stage: what a stranger's zone has.
const SIMPLE: &str = "shop.example.com";

fn client(stage: &Stage) -> Client {
    let config = aws_sdk_route53::Config::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::new("us-east-1"))
        .endpoint_url(stage.lab.endpoint_url())
        .credentials_provider(Credentials::new("owner", "secret", None, None, "test"))
        .build();
    Client::from_conf(config)
}

/// Submits what `aws route53 change-resource-record-sets --change-batch` would read from the file.
async fn submit(stage: &Stage, batch: &Value) -> Result<(), String> {
    let text = |value: &Value| value.as_str().expect("it is a text").to_owned();
    let changes = batch["Changes"].as_array().expect("it has changes").iter().map(|change| {
        let set = &change["ResourceRecordSet"];
        let records = set["ResourceRecords"].as_array().expect("it has values").iter();
        let record =
            |record: &Value| ResourceRecord::builder().value(text(&record["Value"])).build().expect("it has a value");
        let set = ResourceRecordSet::builder()
            .name(text(&set["Name"]))
            .r#type(RrType::from(text(&set["Type"]).as_str()))
            .ttl(set["TTL"].as_i64().expect("it has a TTL"))
            .set_set_identifier(set["SetIdentifier"].as_str().map(str::to_owned))
            .set_failover(set["Failover"].as_str().map(ResourceRecordSetFailover::from))
            .set_health_check_id(set["HealthCheckId"].as_str().map(str::to_owned))
            .set_resource_records(Some(records.map(record).collect()));
        let action = ChangeAction::from(text(&change["Action"]).as_str());
        let set = set.build().expect("the set is whole");
        Change::builder().action(action).resource_record_set(set).build().expect("the change is whole")
    });
    let batch = ChangeBatch::builder().set_changes(Some(changes.collect())).build().expect("the batch is whole");
    let zone = &stage.zones["example.com"];
    let sent = client(stage).change_resource_record_sets().hosted_zone_id(zone).change_batch(batch).send().await;
    sent.map(drop).map_err(|error| format!("{:?}", error.into_service_error()))
}

async fn write_simple(stage: &Stage, action: &str, address: &str, ttl: u32) -> Result<(), String> {
    let set = json!({"Name": SIMPLE, "Type": "A", "TTL": ttl, "ResourceRecords": [{"Value": address}]});
    submit(stage, &json!({"Changes": [{"Action": action, "ResourceRecordSet": set}]})).await
}

/// A directory of the test's own, empty.
fn directory(name: &str) -> PathBuf {
    let path = std::env::temp_dir().join(format!("holdfast-init-{name}-{}", std::process::id()));
    // It need not be there.
    let _ = std::fs::remove_dir_all(&path);
    std::fs::create_dir_all(&path).expect("a directory can be made");
    path
}

fn parameters(proposal: &Value) -> Vec<(String, Option<String>)> {
    let all = proposal["parameters"].as_array().expect("parameters are a list");
    let one =
        |one: &Value| (one["name"].as_str().unwrap_or_default().to_owned(), one["value"].as_str().map(str::to_owned));
    all.iter().map(one).collect()
}

fn value<'a>(parameters: &'a [(String, Option<String>)], name: &str) -> Option<&'a str> {
    parameters.iter().find(|(known, _)| known == name).and_then(|(_, value)| value.as_deref())
}

fn of_weight(proposal: &Value, weight: &str) -> Vec<String> {
    let all = proposal["shortcomings"].as_array().expect("shortcomings are a list").iter();
    let one = |one: &Value| format!("{} {}", one["about"], one["seen"]);
    all.filter(|one| one["weight"] == weight).map(one).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn init_proposes_what_the_stage_was_set_with_writes_it_once_and_changes_nothing_of_aws() {
    let stage = stage(&Layout::default()).await;
    // Until the replicas' lag is known.
    stage.minutes(6).await;
    let before = stage.records();
    let out = directory("proposes");
    let out = out.to_str().expect("the path is a text");
    let told = refused(&stage, &["init"], 2).await;
    contains_all(&told, &["--zone", "example.com", "example.org"]);
    let email = ["--email", "oncall@example.com"];
    let arguments = [&["init", "--zone", "example.com", "--out", out][..], &email].concat();
    let proposal = json(&stage, &arguments).await;
    let given = parameters(&proposal);
    let names: BTreeSet<_> = value(&given, "RecordNames").expect("there are names").split(',').collect();
    assert_eq!(
        names,
        BTreeSet::from(["app.example.com", "*.shop.example.com", "www.example.com", "login.example.com"])
    );
    for (name, known) in [
        ("region", "eu-central-1"),
        ("Mode", "automatic"),
        ("HostedZoneId", stage.zones["example.com"].as_str()),
        ("DomainName", "example.com"),
        ("EndpointDomain", "primary.example.com"),
        ("EndpointType", "HTTP"),
        ("EndpointPath", "/health/deep"),
        ("AuroraClusters", "app-dr"),
        ("RdsInstances", "orders-dr"),
        ("OperatorEmail", "oncall@example.com"),
    ] {
        assert_eq!(value(&given, name), Some(known), "{name}");
    }
    let asked = value(&given, "DrProbeUrl").expect("the stack there has it");
    assert!(asked.starts_with("http://127.0.20.1:"), "what somebody chose is kept, whatever it answers: {asked}");
    let port = value(&given, "EndpointPort").expect("it is not 443");
    let derived = format!("http://primary.example.com:{port}/health/deep");
    let accepted = json(&stage, &["init", "--zone", "example.com", "--dry-run", "--primary-probe", &derived]).await;
    let accepted = parameters(&accepted);
    assert_eq!(
        value(&accepted, "PrimaryProbeUrl"),
        Some(&*derived),
        "given is given, also if it would have been derived"
    );
    assert_eq!(proposal["primary_region"], PRIMARY);
    assert_eq!(of_weight(&proposal, "keeps"), [""; 0]);
    assert_eq!(of_weight(&proposal, "unknown"), [""; 0]);
    assert_eq!(proposal["estimate"]["promotion_seconds"], 2_100, "as status says of the same stage");
    let sam = std::fs::read_to_string(PathBuf::from(out).join("samconfig.toml")).expect("it was written");
    let (_, one_stack) = sam.split_once("[one-stack.deploy.parameters]").expect("it has the one stack");
    let one_stack = one_stack.split("\n[").next().unwrap_or_default();
    contains_all(one_stack, &["\"AuroraClusters=app-dr\"", "\"EndpointPort=", "region = \"eu-central-1\""]);
    contains_all(one_stack, &["\"Mode=automatic\""]);
    assert!(!one_stack.contains("FILL IN"), "{one_stack}");
    assert_eq!(proposal["other_zones"][0]["domain"], "example.org", "what was not looked at is said");
    assert!(proposal["cost"]["usd_a_month"].as_f64().is_some_and(|usd| usd > 10.0), "{}", proposal["cost"]);
    let terraform = std::fs::read_to_string(PathBuf::from(out).join("holdfast.auto.tfvars")).expect("it was written");
    contains_all(&terraform, &["aurora_clusters", "[\"app-dr\"]", "\"dr-region\"", "endpoint_port"]);
    // A second time nothing is overwritten; --force does.
    contains_all(&refused(&stage, &arguments, 1).await, &["is filled in", "nothing was written", "--force"]);
    text(&stage, &[&arguments[..], &["--force"]].concat()).await;
    // Names say their zones.
    let two = ["init", "--name", "app.example.com", "--name", "example.org", "--dry-run"];
    let proposal = json(&stage, &two).await;
    let given = parameters(&proposal);
    for (name, known) in [
        ("HostedZoneId", stage.zones["example.com"].as_str()),
        ("RecordNames", "app.example.com"),
        ("SecondHostedZoneId", stage.zones["example.org"].as_str()),
        ("SecondRecordNames", "example.org"),
    ] {
        assert_eq!(value(&given, name), Some(known), "{name}");
    }
    assert_eq!((&proposal["names"][1]["zone"], &proposal["other_zones"]), (&json!("example.org"), &json!([])));
    assert_eq!(of_weight(&proposal, "keeps"), [""; 0]);
    contains_all(&text(&stage, &two).await, &["example.org  in example.org", "US dollars a month", "not counted:"]);
    assert_eq!(stage.records(), before);
    let operator = stage.lab.iam.everyone()[OPERATOR].clone();
    assert!(operator.denied.is_empty(), "{:?}", operator.denied);
    let reads = ["List", "Get", "Describe"];
    let is_read =
        |action: &str| reads.iter().any(|read| action.split(':').nth(1).is_some_and(|it| it.starts_with(read)));
    assert!(operator.asked.iter().all(|request| is_read(&request.action)), "{:?}", operator.asked);
    std::fs::remove_dir_all(out).expect("the directory can be removed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_simple_record_becomes_a_pair_by_the_batch_that_init_writes_or_not_at_all() {
    let stage = stage(&WITHOUT_DATABASES).await;
    stage.minutes(6).await;
    write_simple(&stage, "CREATE", "127.0.10.1", 300).await.expect("Route 53 takes the record");
    let named = ["init", "--zone", "example.com", "--name", SIMPLE, "--dry-run"];
    let without = json(&stage, &named).await;
    assert_eq!(without["batches"].as_array().map(Vec::len), Some(0));
    assert_eq!(of_weight(&without, "keeps").len(), 1, "{without}");
    assert_eq!(without["estimate"]["promotion_seconds"], Value::Null);
    let target = format!("{SIMPLE}=127.0.20.1");
    let out = directory("pair");
    let written = ["init", "--zone", "example.com", "--name", SIMPLE, "--dr-target", &target, "--out"];
    let proposal = json(&stage, &[&written[..], &[out.to_str().expect("the path is a text")]].concat()).await;
    assert_eq!(of_weight(&proposal, "keeps"), [""; 0]);
    assert_eq!(proposal["batches"][0]["is_complete"], true, "the stack that is there says its health check");
    let file = std::fs::read_to_string(out.join("pair-shop.example.com.json")).expect("it was written");
    let batch: Value = serde_json::from_str(&file).expect("it is JSON");
    // Somebody is quicker: refused whole.
    write_simple(&stage, "UPSERT", "127.0.10.9", 300).await.expect("Route 53 takes the record");
    let before = stage.records();
    let refusal = submit(&stage, &batch).await.expect_err("the record is not what was seen");
    assert!(refusal.contains("InvalidChangeBatch"), "{refusal}");
    assert_eq!(stage.records(), before);
    write_simple(&stage, "UPSERT", "127.0.10.1", 300).await.expect("Route 53 takes the record");
    submit(&stage, &batch).await.expect("Route 53 takes the batch");
    let proposal = json(&stage, &named).await;
    assert_eq!((&proposal["names"][0]["has_pair"], &proposal["names"][0]["ttl_seconds"]), (&json!(true), &json!(60)));
    assert_eq!(of_weight(&proposal, "keeps"), [""; 0]);
    std::fs::remove_dir_all(out).expect("the directory can be removed");
}

#[tokio::test(flavor = "multi_thread")]
async fn until_a_stack_says_its_health_check_a_batch_says_fill_in_and_route_53_refuses_it() {
    let stage = stage(&WITHOUT_DATABASES).await;
    write_simple(&stage, "CREATE", "127.0.10.1", 60).await.expect("Route 53 takes the record");
    let target = format!("{SIMPLE}=127.0.20.1");
    let arguments =
        ["--bus", "other", "init", "--zone", "example.com", "--name", SIMPLE, "--dr-target", &target, "--dry-run"];
    // As the owner of the account: the operators' policy is of one stack.
    let output =
        stage.holdfast_as("owner", &[&arguments[..], &["--json"]].concat(), false).await.expect("holdfast starts");
    assert!(output.status.success(), "{}", stderr(&output));
    let proposal: Value = serde_json::from_str(&stdout(&output)).expect("it is JSON");
    assert_eq!(proposal["batches"][0]["is_complete"], false);
    let refusal = submit(&stage, &proposal["batches"][0]["batch"]).await.expect_err("FILL IN is no health check");
    assert!(refusal.contains("InvalidChangeBatch") || refusal.contains("NoSuchHealthCheck"), "{refusal}");
    // Its own health check, its own name.
    let next = proposal["next"].to_string();
    contains_all(&next, &["FailoverHealthCheckId", "sam deploy", "file://pair-shop.example.com.json"]);
    contains_all(&next, &["holdfast adopt --region eu-central-1 --bus other", "change Mode to approval or automatic"]);
    assert_eq!(value(&parameters(&proposal), "Mode"), Some("shadow"), "no stack of that bus is there");
    assert_eq!(value(&parameters(&proposal), "BusName"), Some("other"));
    stage.lab.route53.set_health_checks_max(3);
    let output =
        stage.holdfast_as("owner", &[&arguments[..], &["--json"]].concat(), false).await.expect("holdfast starts");
    let proposal: Value = serde_json::from_str(&stdout(&output)).expect("it is JSON");
    contains_all(&of_weight(&proposal, "keeps").concat(), &["health checks", "Holdfast needs 6 more"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_iam_refuses_or_a_silent_region_hides_is_not_known_and_never_guessed() {
    let stage = stage(&Layout::default()).await;
    let policy = json!({"Version": "2012-10-17", "Statement": [{"Sid": "Look", "Effect": "Allow",
        "Action": ["route53:ListHostedZones", "route53:ListResourceRecordSets"], "Resource": "*"}]});
    stage.lab.iam.attach("newcomer", Policy::parse(&policy).expect("it is a policy"));
    let arguments = ["init", "--zone", "example.com", "--dry-run", "--json"];
    let output = stage.holdfast_as("newcomer", &arguments, false).await.expect("holdfast starts");
    assert!(output.status.success(), "{}", stderr(&output));
    let proposal: Value = serde_json::from_str(&stdout(&output)).expect("it is JSON");
    let unknown = of_weight(&proposal, "unknown").join("\n");
    contains_all(
        &unknown,
        &[
            "whether its records are protected",
            "guardrails and accelerated recovery are not known",
            "databases in eu-central-1",
            "the primary region",
            "load balancers in eu-central-1",
            "whether a stack is there already",
            "alarms called holdfast-",
            "the quota is not known",
            "so the endpoint is not derived from them",
        ],
    );
    assert_eq!((&proposal["databases"], &proposal["health_checks"]), (&Value::Null, &Value::Null));
    let given = parameters(&proposal);
    assert!(given.contains(&("AuroraClusters".to_owned(), None)), "to be filled in, not left out: {given:?}");
    // Who may list nothing at all is told what to allow.
    let nothing = stage.holdfast_as(APPROVER, &["init"], false).await.expect("holdfast starts");
    assert_eq!(nothing.status.code(), Some(1));
    contains_all(&stderr(&nothing), &["ListHostedZones", "--zone"]);
    stage.lab.faults.fail_region(PRIMARY);
    let silent = json(&stage, &["init", "--zone", "example.com", "--dry-run"]).await;
    contains_all(
        &of_weight(&silent, "unknown").concat(),
        &["databases in eu-west-1", "what has no replica is not known"],
    );
    assert_eq!(value(&parameters(&silent), "AuroraClusters"), Some("app-dr"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_meant_is_refused_with_what_to_say() {
    let stage = stage(&WITHOUT_DATABASES).await;
    for (arguments, said) in [
        (&["--name", "nobody.example.com"][..], "has no A, AAAA or CNAME record"),
        (&["--name", "primary.example.com"], "a site's own name"),
        (&["--primary-region", "eu-central-1"], "is the DR region itself"),
        (&["--endpoint", "https://www.example.com/health"], "www.example.com fails over"),
        (&["--primary-probe", "ftp://primary.example.com"], "PrimaryProbeUrl"),
        (&["--primary-region", "Ireland"], "is no region"),
        (&["--email", "oncall"], "is no e-mail address"),
        (&["--zone", "example.net"], "no hosted zone example.net"),
    ] {
        let zone: &[&str] = if arguments[0] == "--zone" { &[] } else { &["--zone", "example.com"] };
        let told = refused(&stage, &[&["init", "--dry-run"], zone, arguments].concat(), 2).await;
        assert!(told.contains(said), "{arguments:?}: {told}");
    }
}
