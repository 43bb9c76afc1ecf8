//! Policies as IAM documents them, and the lab that holds callers to them.
#![expect(clippy::expect_used, reason = "clippy does not know that helpers are a part of tests")]

mod common;

use aws_sdk_sns::error::ProvideErrorMetadata;
use common::{DR, PRIMARY, cloudwatch, lab, route53, sdk};
use lab::iam::{Decision, Policy, Request};
use serde_json::{Value, json};

const ZONE: &str = "arn:aws:route53:::hostedzone/Z1";

fn request(action: &str, resource: &str, keys: &[(&str, &[&str])]) -> Request {
    let keys = keys.iter().map(|(key, values)| ((*key).to_owned(), values.iter().map(ToString::to_string).collect()));
    Request { action: action.to_owned(), resource: resource.to_owned(), keys: keys.collect() }
}

fn policy(statements: Value) -> Policy {
    Policy::parse(&json!({"Version": "2012-10-17", "Statement": statements})).expect("the policy is one")
}

#[test]
fn what_no_statement_allows_is_not_allowed_and_a_deny_overrides_every_allow() {
    let policy = policy(json!([
        {"Sid": "Logs", "Effect": "Allow", "Action": "logs:*", "Resource": "*"},
        {"Sid": "Own", "Effect": "Deny", "Action": "logs:*", "NotResource": "arn:aws:logs:*:*:log-group:own:*"},
        {"Sid": "Zone", "Effect": "Allow", "Action": ["route53:List*", "route53:getchange"], "Resource": [ZONE]},
    ]));
    let table = [
        ("logs:PutLogEvents", "arn:aws:logs:r:1:log-group:own:log-stream:a", Decision::Allowed),
        ("logs:PutLogEvents", "arn:aws:logs:r:1:log-group:other:log-stream:a", Decision::Denied),
        ("route53:ListResourceRecordSets", ZONE, Decision::Allowed),
        ("route53:GetChange", ZONE, Decision::Allowed),
        ("route53:ListResourceRecordSets", "arn:aws:route53:::hostedzone/Z12", Decision::NotAllowed),
        ("route53:ChangeResourceRecordSets", ZONE, Decision::NotAllowed),
    ];
    for (action, resource, expected) in table {
        assert_eq!(policy.decide(&request(action, resource, &[])), expected, "{action} on {resource}");
    }
}

#[test]
fn conditions_mean_what_iam_documents() {
    let names: &[(&str, &[&str])] = &[("k", &["a", "b"])];
    let absent: &[(&str, &[&str])] = &[];
    let table = [
        (json!({"ForAllValues:StringEquals": {"k": ["a", "b", "c"]}}), names, true),
        (json!({"ForAllValues:StringEquals": {"k": ["a"]}}), names, false),
        // The trap that the guard below is for.
        (json!({"ForAllValues:StringEquals": {"k": ["a"]}}), absent, true),
        (json!({"ForAllValues:StringEquals": {"k": ["a"]}, "Null": {"k": "false"}}), absent, false),
        (json!({"Null": {"k": "false"}}), names, true),
        (json!({"Null": {"k": true}}), absent, true),
        (json!({"ForAllValues:StringLike": {"K": ["?"]}}), names, true),
        (json!({"StringEquals": {"k": "a"}}), &[("k", &["a"])], true),
        (json!({"StringEquals": {"k": "a"}}), &[("k", &["A"])], false),
        (json!({"StringLike": {"k": "x*"}}), &[("k", &["xyz"])], true),
        (json!({"StringEquals": {"k": "a"}}), names, false),
        (json!({"StringEquals": {"k": "a"}}), absent, false),
        (json!({"ArnEquals": {"k": "arn:aws:s:*:1:x"}}), &[("k", &["arn:aws:s:r:1:x"])], true),
        (json!({"StringEquals": {"k": "a"}, "StringLike": {"l": "b"}}), &[("k", &["a"])], false),
    ];
    for (condition, keys, expected) in table {
        let allow = json!({"Effect": "Allow", "Action": "s:A", "Resource": "*", "Condition": condition.clone()});
        let decision = policy(allow).decide(&request("s:A", "*", keys));
        assert_eq!(decision == Decision::Allowed, expected, "{condition} of {keys:?}");
    }
}

#[test]
fn what_the_lab_does_not_know_in_a_policy_is_refused_and_never_ignored() {
    let allow = |extra: Value| {
        let mut statement = json!({"Effect": "Allow", "Action": "s:A", "Resource": "*"});
        statement.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        statement
    };
    let table = [
        (allow(json!({"Condition": {"NumericLessThan": {"k": "1"}}})), "NumericLessThan"),
        (allow(json!({"Condition": {"StringEqualsIfExists": {"k": "1"}}})), "StringEqualsIfExists"),
        (allow(json!({"Condition": {"ForAnyValue:StringEquals": {"k": "1"}}})), "ForAnyValue"),
        (allow(json!({"Condition": {"StringEquals": {"k": "${aws:username}"}}})), "policy variable"),
        (allow(json!({"Resource": "arn:aws:s3:::${aws:username}"})), "policy variable"),
        (allow(json!({"NotAction": "s:B"})), "NotAction"),
        (allow(json!({"Principal": "*"})), "Principal"),
        (allow(json!({"Effect": "Maybe"})), "Maybe"),
        (json!({"Sid": "Far", "Effect": "Allow", "Action": "s:A", "NotResource": "x"}), "Far"),
        (json!({"Effect": "Deny", "Action": "s:A"}), "NotResource"),
    ];
    for (statement, named) in table {
        let read = Policy::parse(&json!({"Version": "2012-10-17", "Statement": [statement.clone()]}));
        let error = read.expect_err("it is refused").to_string();
        assert!(error.contains(named), "{statement}: {error}");
    }
    assert!(Policy::parse(&json!({"Version": "2008-10-17", "Statement": []})).is_err());
}

#[test]
fn what_a_policy_grants_and_nobody_uses_is_found() {
    let policy = policy(json!([
        {"Sid": "Zone", "Effect": "Allow", "Action": ["route53:A", "route53:B"], "Resource": ZONE,
         "Condition": {"ForAllValues:StringEquals": {"names": ["x", "y"]}}},
    ]));
    let used = policy.used_by(&request("route53:A", ZONE, &[("names", &["x"])]));
    let spare: Vec<String> = policy.grants().difference(&used).map(|grant| format!("{:?}", grant.what)).collect();
    assert_eq!(used.len(), 2);
    assert_eq!(spare.len(), 2);
    assert!(spare[0].contains("route53:B") && spare[1].contains("\"y\""), "{spare:?}");
    assert!(policy.used_by(&request("route53:A", ZONE, &[("names", &["z"])])).is_empty());
}

#[tokio::test]
async fn whoever_has_a_policy_is_held_to_it_in_the_words_of_each_service_and_others_are_not() {
    let lab = lab(1000.0).await;
    let zone = lab.route53.create_zone(lab.clock.now(), "example.com").unwrap();
    let topic = lab.sns.create_topic(DR, "ops");
    let allow = |action: &str, resource: &str| json!({"Effect": "Allow", "Action": action, "Resource": resource});
    let whole = format!("arn:aws:route53:::hostedzone/{zone}");
    lab.iam.attach("tester", policy(allow("route53:ListResourceRecordSets", &whole)));
    lab.iam.attach("TESTER", policy(allow("rds:DescribeDBClusters", "*")));

    let records = route53(&lab);
    records.list_resource_record_sets().hosted_zone_id(&zone).send().await.unwrap();
    let denied = records.get_change().id("C1").send().await.unwrap_err();
    assert_eq!(denied.code(), Some("AccessDenied"));
    assert!(denied.message().unwrap().contains("route53:GetChange on resource: arn:aws:route53:::change/C1"));
    let denied = cloudwatch(&lab, PRIMARY).describe_alarms().send().await.unwrap_err();
    assert_eq!(denied.code(), Some("AccessDenied"));
    let config = sdk(&lab, DR).await;
    let sns = aws_sdk_sns::Client::new(&config);
    let denied = sns.publish().topic_arn(&topic).message("x").send().await.unwrap_err();
    assert_eq!(denied.code(), Some("AuthorizationError"));
    let unknown = sns.list_topics().send().await.unwrap_err();
    assert_eq!(unknown.code(), Some("NotImplemented"), "what IAM would check is not known, so it is not waved through");
    aws_sdk_rds::Client::new(&config).describe_db_clusters().send().await.unwrap();

    lab.iam.attach("TESTER", policy(allow("sns:Publish", &topic)));
    sns.publish().topic_arn(&topic).message("x").send().await.unwrap();
    let asked = &lab.iam.everyone()["TESTER"];
    assert_eq!((asked.asked.len(), asked.denied.len()), (2, 1));
}
