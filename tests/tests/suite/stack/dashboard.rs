//! The dashboard names only what there is.

use std::collections::BTreeSet;
use std::time::Duration;

use drill::databases::Databases;
use drill::stage::{DR, Layout, Settings, Stage};
use lab::Lab;
use lab::cloudwatch::MetricId;
use serde_json::Value;

/// The drill calls its stacks after the templates' files.
const STACK: &str = "template";

/// Everything optional that has a place on the dashboard.
const LAYOUT: Layout = Layout {
    responder: &[
        ("DnsMoves", "by-holdfast"),
        ("FenceRegion", "eu-west-1"),
        ("FenceSecurityGroupId", "sg-1"),
        ("FenceRdsInstances", "orders"),
        ("After", "arn:aws:events:eu-central-1:123456789012:rule/nightly=on"),
        ("StepResources", "arn:aws:events:eu-central-1:123456789012:rule/nightly"),
    ],
    detector: &[],
    crowd: 0,
    one_stack: false,
    is_global: false,
    has_shop: false,
    databases: Databases::Simulated,
    plan: None,
};

fn dashboard(lab: &Lab) -> Value {
    let properties = lab.stacks.properties(DR, STACK, "Dashboard").expect("there is a dashboard");
    let body = properties["DashboardBody"].as_str().expect("its body is text");
    serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}: {body}"))
}

/// What stands between two marks, every time.
fn between<'a>(text: &'a str, open: &str, close: char) -> Vec<&'a str> {
    text.split(open).skip(1).filter_map(|rest| rest.split(close).next()).collect()
}

/// True if some metric is what an array of the dashboard, or the search in it, names.
fn is_measured(metrics: &[MetricId], named: &Value) -> bool {
    let text = |n: usize| named[n].as_str().unwrap_or_default();
    let Some(search) = named[0]["expression"].as_str() else {
        let wanted = (text(2), text(3));
        return metrics.iter().any(|metric| {
            let dimensions: Vec<_> = metric.dimensions.iter().map(|it| (it.name.as_str(), it.value.as_str())).collect();
            (metric.namespace.as_str(), metric.name.as_str()) == (text(0), text(1)) && dimensions == [wanted]
        });
    };
    // {Namespace,Dimension,…} MetricName="…" Dimension="…" ("value" OR "value")
    let schema: Vec<&str> = between(search, "{", '}')[0].split(',').collect();
    let name = between(search, "MetricName=\"", '"')[0];
    let values: BTreeSet<&str> = between(search, "\"", '"').into_iter().collect();
    let listed = between(search, "(\"", ')').first().map(|list| list.split("\" OR \"").count());
    let fitting = metrics.iter().filter(|metric| {
        let dimensions: BTreeSet<_> = metric.dimensions.iter().map(|it| it.name.as_str()).collect();
        (metric.namespace.as_str(), metric.name.as_str()) == (schema[0], name)
            && dimensions == schema[1..].iter().copied().collect()
            && (listed.is_none() || metric.dimensions.iter().any(|it| values.contains(it.value.as_str())))
    });
    fitting.count() >= listed.unwrap_or(1)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_metric_alarm_and_log_group_on_the_dashboard_exists() {
    let lambdas =
        tokio::task::spawn_blocking(drill::lambdas::build).await.expect("the build ends").expect("all builds");
    let stage = Stage::set(Settings { seed: 1, speed: 600.0 }, &LAYOUT, &lambdas).await.expect("the stage can be set");
    let lab = &stage.lab;
    lab.clock.sleep(Duration::from_secs(150)).await;
    // Nothing was worth telling yet, so notifier has not run.
    super::invoke(lab, "notifier", Value::Null);
    lab.clock.sleep(Duration::from_secs(30)).await;
    let dashboard = dashboard(lab);
    let widgets = dashboard["widgets"].as_array().expect("it has widgets");
    let kinds = lab.stacks.kinds(DR, STACK);
    let of_kind = |kind: &str, property: &str| {
        let ids = kinds.iter().filter(|(_, of)| *of == kind).map(|(id, _)| id);
        let named = ids.filter_map(|id| lab.stacks.properties(DR, STACK, id)?[property].as_str().map(str::to_owned));
        named.collect::<BTreeSet<String>>()
    };
    let mut kinds_seen = BTreeSet::new();
    for widget in widgets {
        let properties = &widget["properties"];
        kinds_seen.insert(widget["type"].as_str().unwrap_or_default());
        match widget["type"].as_str() {
            Some("alarm") => {
                let arns = properties["alarms"].as_array().into_iter().flatten().filter_map(Value::as_str);
                let shown: BTreeSet<_> = arns.filter_map(|arn| arn.rsplit(':').next()).map(str::to_owned).collect();
                assert_eq!(shown, of_kind("AWS::CloudWatch::Alarm", "AlarmName"), "all alarms of the stack are shown");
            }
            Some("metric") => {
                let metrics = lab.cloudwatch.metrics(properties["region"].as_str().expect("a widget has a region"));
                for named in properties["metrics"].as_array().expect("a widget has metrics") {
                    assert!(is_measured(&metrics, named), "{named}: {metrics:?}");
                }
            }
            Some("log") => {
                let groups = of_kind("AWS::Logs::LogGroup", "LogGroupName");
                let sources = between(properties["query"].as_str().expect("a widget has a query"), "SOURCE '", '\'');
                assert!(!sources.is_empty() && sources.iter().all(|source| groups.contains(*source)), "{sources:?}");
            }
            other => panic!("a widget of type {other:?}"),
        }
    }
    assert_eq!(kinds_seen, BTreeSet::from(["alarm", "metric", "log"]));
}

#[test]
fn a_metric_that_nobody_publishes_is_noticed() {
    let dimension = |name: &str, value: &str| lab::cloudwatch::Dimension { name: name.into(), value: value.into() };
    let known = [
        MetricId::new("Holdfast", "Decisions", &[dimension("Function", "alarm-handler"), dimension("Rule", "P06")]),
        MetricId::new("AWS/RDS", "ReplicaLag", &[dimension("DBInstanceIdentifier", "orders-dr")]),
    ];
    let search = |text: &str| serde_json::json!([{"expression": text}]);
    for (named, exists) in [
        (serde_json::json!(["Holdfast", "Decisions", "Function", "alarm-handler"]), false),
        (search(r#"SEARCH('{Holdfast,Function,Rule} MetricName="Decisions"','Sum',60)"#), true),
        (search(r#"SEARCH('{Holdfast,Rule} MetricName="Decisions"','Sum',60)"#), false),
        (
            search(r#"SEARCH('{AWS/RDS,DBInstanceIdentifier} MetricName="ReplicaLag" ("orders-dr")','Maximum',60)"#),
            true,
        ),
        (search(r#"SEARCH('{AWS/RDS,DBInstanceIdentifier} MetricName="ReplicaLag" ("other")','Maximum',60)"#), false),
    ] {
        assert_eq!(is_measured(&known, &named), exists, "{named}");
    }
}
