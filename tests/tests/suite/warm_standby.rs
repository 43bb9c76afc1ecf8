//! examples/warm-standby: its table leads from the article to resources, and leaves none out.

#![expect(clippy::expect_used, reason = "what a test needs and does not get fails it")]

use std::collections::BTreeSet;

use drill::lambdas::repository;
use lab::template;
use serde_json::Value;

const PAGE: &str = "examples/warm-standby/README.md";
/// The example's own templates, by the names that the table gives them.
const STACKS: [&str; 5] = ["storage", "network", "database", "site", "pipeline"];
/// Holdfast's, of which the table names what the article has.
const HOLDFAST: [(&str, &str); 2] = [("holdfast", "template.yaml"), ("records", "records.yaml")];

fn read(file: &str) -> String {
    std::fs::read_to_string(repository().join(file)).expect("it is there")
}

fn resources(stack: &str, file: &str) -> BTreeSet<String> {
    let template = template::parse(&read(file)).unwrap_or_else(|error| panic!("{file}: {error}"));
    let resources = template["Resources"].as_object().expect("it has resources");
    resources.keys().map(|id| format!("{stack}/{id}")).collect()
}

/// What stands in backticks.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

/// The resources that a text names.
fn named(text: &str) -> BTreeSet<String> {
    let stacks = || STACKS.into_iter().chain(HOLDFAST.map(|(stack, _)| stack));
    let is_one =
        |word: &&str| word.split_once('/').is_some_and(|(stack, id)| stacks().any(|it| it == stack) && !id.is_empty());
    quoted(text).filter(is_one).map(str::to_owned).collect()
}

#[test]
fn every_resource_of_the_warm_standby_is_in_the_table_or_said_to_stand_around_it() {
    let told = named(&read(PAGE));
    let own: BTreeSet<_> =
        STACKS.iter().flat_map(|stack| resources(stack, &format!("examples/warm-standby/{stack}.yaml"))).collect();
    assert!(own.len() > 50, "the templates are written otherwise now: {own:?}");
    let holdfasts: BTreeSet<_> = HOLDFAST.iter().flat_map(|(stack, file)| resources(stack, file)).collect();
    assert_eq!(own.difference(&told).collect::<Vec<_>>(), [""; 0], "{PAGE} leaves them out");
    assert_eq!(told.difference(&(&own | &holdfasts)).collect::<Vec<_>>(), [""; 0], "{PAGE} names what no template has");
}

#[test]
fn no_row_from_the_article_is_without_a_resource() {
    let page = read(PAGE);
    let (_, rest) = page.split_once("\n| the article | here |").expect("the page has the table");
    let table = rest.split("\n\n").next().unwrap_or_default();
    let rows: Vec<_> = table.lines().skip(2).collect();
    assert!(rows.len() > 20, "the table is written otherwise now: {rows:?}");
    for row in rows {
        let cells: Vec<_> = row.trim_matches('|').split(" | ").collect();
        assert!(cells.len() == 3 && cells[0].len() > 3, "not a row: {row}");
        assert!(!named(cells[1]).is_empty(), "no resource: {row}");
    }
}

/// Both sites stand on what the README promises of them.
#[test]
fn the_databases_of_both_regions_are_alike_where_it_matters() {
    let template = template::parse(&read("examples/warm-standby/database.yaml")).expect("it is a template");
    let of = |id: &str| &template["Resources"][id]["Properties"];
    let (source, replica) = (of("SourceCluster"), of("ReplicaCluster"));
    for property in [
        "EngineVersion",
        "KmsKeyId",
        "StorageEncrypted",
        "BackupRetentionPeriod",
        "DBClusterParameterGroupName",
        "DeletionProtection",
    ] {
        assert!(!source[property].is_null(), "{property}");
        assert_eq!(source[property], replica[property], "{property}");
    }
    assert_eq!(of("ClusterParameters")["Parameters"]["binlog_format"], "ROW");
    assert_eq!(of("FirstInstance")["DBInstanceClass"], of("SecondInstance")["DBInstanceClass"]);
    for id in ["SourceCluster", "ReplicaCluster", "FirstInstance", "SecondInstance"] {
        assert_eq!(template["Resources"][id]["DeletionPolicy"], "Retain", "CloudFormation deletes no database: {id}");
    }
}

#[test]
fn the_load_balancer_lets_clients_keep_a_connection_for_no_longer_than_promotion_waits() {
    let site = template::parse(&read("examples/warm-standby/site.yaml")).expect("it is a template");
    let attributes = site["Resources"]["LoadBalancer"]["Properties"]["LoadBalancerAttributes"].as_array();
    let keep_alive = attributes.into_iter().flatten().find(|attribute| attribute["Key"] == "client_keep_alive.seconds");
    let seconds =
        keep_alive.and_then(|attribute| attribute["Value"].as_str()).and_then(|text| text.parse::<u64>().ok());
    let own = template::parse(&read("template.yaml")).expect("it is a template");
    let drains = own["Parameters"]["DrainSeconds"]["Default"].as_u64().expect("it has a default");
    // An alias record counts as a TTL of 60 seconds.
    assert!(seconds.is_some_and(|seconds| seconds <= drains + 60), "{seconds:?}");
    let group = &site["Resources"]["Instances"]["Properties"];
    assert_eq!(group["DesiredCapacity"], Value::Null, "a deployment would scale DR back in the middle of a failover");
}
