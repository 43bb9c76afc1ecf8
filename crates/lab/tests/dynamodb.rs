//! DynamoDB as its SDK sees it: tables, and a register that is changed by compare-and-swap.
#![expect(clippy::unwrap_used, reason = "clippy does not know that helpers are a part of tests")]

mod common;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::ProvideErrorMetadata;
use aws_sdk_dynamodb::operation::put_item::builders::PutItemFluentBuilder;
use aws_sdk_dynamodb::types::AttributeValue::{N, S};
use aws_sdk_dynamodb::types::{
    AttributeDefinition, AttributeValue, BillingMode, KeySchemaElement, KeyType, ReturnValue,
    ReturnValuesOnConditionCheckFailure, ScalarAttributeType, TableStatus,
};
use common::{DR, PRIMARY, count, lab, sdk};
use lab::Lab;
use lab::fault::{CallEffect, CallFault};
use lab::iam::Policy;
use lab::journal::What;
use serde_json::json;

const TABLE: &str = "register";
const ARN: &str = "arn:aws:dynamodb:us-west-2:123456789012:table/register";

/// A lab with a table that is ready.
async fn register() -> (Arc<Lab>, Client) {
    let lab = lab(1000.0).await;
    assert_eq!(lab.dynamodb.create_table(DR, TABLE, "pk", lab.clock.now()).unwrap(), ARN);
    let client = Client::new(&sdk(&lab, DR).await);
    (lab, client)
}

fn text(text: &str) -> AttributeValue {
    S(text.to_owned())
}

fn put(client: &Client, state: &str) -> PutItemFluentBuilder {
    client.put_item().table_name(TABLE).item("pk", text("app")).item("state", text(state))
}

/// Puts a state in place of another, if that is what is there.
fn swap(client: &Client, from: &str, to: &str) -> PutItemFluentBuilder {
    let swap = put(client, to).condition_expression("#s = :from").expression_attribute_names("#s", "state");
    swap.expression_attribute_values(":from", text(from))
}

async fn get(client: &Client, is_consistent: bool) -> Option<HashMap<String, AttributeValue>> {
    let get = client.get_item().table_name(TABLE).key("pk", text("app")).consistent_read(is_consistent);
    get.send().await.unwrap().item
}

async fn state(client: &Client, is_consistent: bool) -> Option<String> {
    Some(get(client, is_consistent).await?["state"].as_s().unwrap().clone())
}

#[tokio::test]
async fn of_two_who_swap_the_same_state_one_wins_and_the_other_is_told_what_stands() {
    let (lab, client) = register().await;
    let first = put(&client, "armed").condition_expression("attribute_not_exists(pk)");
    first.clone().send().await.unwrap();
    let again = first.send().await.unwrap_err().into_service_error();
    assert!(again.is_conditional_check_failed_exception(), "{again:?}");
    assert_eq!(again.message(), Some("The conditional request failed"));

    let swaps = ["pinned", "disarmed"].map(|to| {
        let told = ReturnValuesOnConditionCheckFailure::AllOld;
        tokio::spawn(swap(&client, "armed", to).return_values_on_condition_check_failure(told).send())
    });
    let [one, other] = swaps;
    let (one, other) = (one.await.unwrap(), other.await.unwrap());
    assert!(one.is_ok() != other.is_ok());
    let lost = one.err().or(other.err()).unwrap().into_service_error();
    let aws_sdk_dynamodb::operation::put_item::PutItemError::ConditionalCheckFailedException(lost) = lost else {
        panic!("{lost:?}");
    };
    let stands = lab.dynamodb.text(DR, TABLE, "app", "state").unwrap();
    assert_eq!(lost.item().unwrap()["state"], text(&stands));
    let untold = swap(&client, "armed", "lost").send().await.unwrap_err();
    assert!(!format!("{untold:?}").contains(&stands), "nobody asked what stands");
    assert_eq!(
        count(&lab, |what| matches!(what, What::Call { status: 400, error: Some(code), resource, .. }
        if code == "ConditionalCheckFailedException" && resource == ARN)),
        3
    );
}

#[tokio::test]
async fn a_delete_has_a_condition_too_and_tells_what_it_deleted() {
    let (lab, client) = register().await;
    lab.dynamodb.put(DR, TABLE, "app", &[("state", "armed")]);
    let delete = || client.delete_item().table_name(TABLE).key("pk", text("app")).return_values(ReturnValue::AllOld);
    let refused = delete().condition_expression("attribute_exists(written)").send().await.unwrap_err();
    assert!(refused.into_service_error().is_conditional_check_failed_exception());
    let deleted = delete().send().await.unwrap().attributes.unwrap();
    assert_eq!(deleted["state"], text("armed"));
    assert_eq!(get(&client, true).await, None);
    assert_eq!(lab.dynamodb.text(DR, TABLE, "app", "state"), None);
    assert_eq!(delete().send().await.unwrap().attributes, None, "deleting what is not there succeeds");
    let replaced = put(&client, "a").return_values(ReturnValue::AllOld).send().await.unwrap();
    assert_eq!(replaced.attributes, None);
    let replaced = put(&client, "b").return_values(ReturnValue::AllOld).send().await.unwrap();
    assert_eq!(replaced.attributes.unwrap()["state"], text("a"));
}

#[tokio::test]
async fn a_consistent_read_finds_the_newest_and_any_other_may_find_an_older_copy_for_a_while() {
    let (lab, client) = register().await;
    lab.dynamodb.set_staleness(Duration::from_secs(600)..=Duration::from_secs(600));
    let working = lab.clock.working();
    for to in ["first", "second"] {
        put(&client, to).send().await.unwrap();
    }
    let mut seen = HashMap::<_, u32>::new();
    for _ in 0..60 {
        assert_eq!(state(&client, true).await.as_deref(), Some("second"));
        *seen.entry(state(&client, false).await).or_default() += 1;
    }
    let kinds = [None, Some("first".to_owned()), Some("second".to_owned())];
    assert!(kinds.iter().all(|kind| seen[kind] > 5) && seen.len() == 3, "{seen:?}");
    // A condition is held against the newest whatever reads find.
    swap(&client, "second", "third").send().await.unwrap();

    drop(working);
    lab.clock.sleep(Duration::from_secs(600)).await;
    for _ in 0..20 {
        assert_eq!(state(&client, false).await.as_deref(), Some("third"));
    }
}

#[tokio::test]
async fn without_staleness_and_after_a_setup_by_hand_every_read_finds_the_newest() {
    let (lab, client) = register().await;
    lab.dynamodb.set_staleness(Duration::ZERO..=Duration::ZERO);
    let working = lab.clock.working();
    put(&client, "armed").send().await.unwrap();
    put(&client, "pinned").send().await.unwrap();
    for _ in 0..20 {
        assert_eq!(state(&client, false).await.as_deref(), Some("pinned"));
    }
    drop(working);
    lab.dynamodb.put(DR, TABLE, "app", &[("state", "by hand")]);
    assert_eq!(state(&client, false).await.as_deref(), Some("by hand"));
}

#[tokio::test]
async fn a_table_comes_and_goes_in_its_time_and_not_while_it_is_protected() {
    let lab = lab(1000.0).await;
    let client = Client::new(&sdk(&lab, DR).await);
    let create = client.create_table().table_name(TABLE).billing_mode(BillingMode::PayPerRequest);
    let definition = AttributeDefinition::builder().attribute_name("pk").attribute_type(ScalarAttributeType::S);
    let key = KeySchemaElement::builder().attribute_name("pk").key_type(KeyType::Hash);
    let create = create
        .attribute_definitions(definition.build().unwrap())
        .key_schema(key.build().unwrap())
        .deletion_protection_enabled(true);
    let working = lab.clock.working();
    let made = create.clone().send().await.unwrap().table_description.unwrap();
    assert_eq!((made.table_arn(), made.table_status()), (Some(ARN), Some(&TableStatus::Creating)));
    let early = put(&client, "armed").send().await.unwrap_err().into_service_error();
    assert!(early.is_resource_not_found_exception(), "it is not ready: {early:?}");
    assert!(create.send().await.unwrap_err().into_service_error().is_resource_in_use_exception());
    drop(working);

    lab.clock.sleep(Duration::from_secs(10)).await;
    put(&client, "armed").send().await.unwrap();
    let described = client.describe_table().table_name(TABLE).send().await.unwrap().table.unwrap();
    assert_eq!((described.table_status(), described.item_count()), (Some(&TableStatus::Active), Some(1)));
    assert_eq!(described.billing_mode_summary().unwrap().billing_mode(), Some(&BillingMode::PayPerRequest));
    let protected = client.delete_table().table_name(TABLE).send().await.unwrap_err();
    assert_eq!(protected.code(), Some("ValidationException"));
    assert_eq!(
        protected.message(),
        Some(
            "Resource cannot be deleted as it is currently protected against deletion. Disable deletion protection first."
        )
    );

    lab.dynamodb.protect(DR, TABLE, false);
    let going = client.delete_table().table_name(TABLE).send().await.unwrap().table_description.unwrap();
    assert_eq!(going.table_status(), Some(&TableStatus::Deleting));
    lab.clock.sleep(Duration::from_secs(10)).await;
    let gone = client.describe_table().table_name(TABLE).send().await.unwrap_err();
    assert_eq!(gone.message(), Some("Requested resource not found: Table: register not found"));
}

#[tokio::test]
async fn keys_and_items_that_cannot_be_are_refused_in_the_words_of_aws() {
    let (lab, client) = register().await;
    let put = || client.put_item().table_name(TABLE);
    let table = [
        (put().item("pk", text("")), "a key attribute cannot contain an empty string value. Key: pk"),
        (put().item("pk", text(&"x".repeat(2_049))), "exceeded the maximum size limit of2048 bytes"),
        (put().item("pk", N("1".to_owned())), "Type mismatch for key pk expected: S actual: N"),
        (put().item("other", text("x")), "Missing the key pk in the item"),
        (put().item("pk", text("x")).item("n", N("1x".to_owned())), "cannot be converted to a numeric value: 1x"),
        (
            put().item("pk", text("x")).item("a", text(&"x".repeat(400 * 1024))),
            "Item size has exceeded the maximum allowed size",
        ),
        (put().item("pk", text("x")).return_values(ReturnValue::AllNew), "ReturnValues can only be ALL_OLD or NONE"),
        (
            put().item("pk", text("x")).condition_expression("pk = :v"),
            "An expression attribute value used in expression is not defined; attribute value: :v",
        ),
        (
            put()
                .item("pk", text("x"))
                .condition_expression("attribute_exists(pk)")
                .expression_attribute_names("#x", "pk"),
            "Value provided in ExpressionAttributeNames unused in expressions: keys: {#x}",
        ),
    ];
    for (put, why) in table {
        let refused = put.send().await.unwrap_err();
        assert_eq!(refused.code(), Some("ValidationException"), "{why}: {refused:?}");
        assert!(refused.message().unwrap().contains(why), "{why}: {refused:?}");
    }
    let two = client.get_item().table_name(TABLE).key("pk", text("x")).key("sk", text("x")).send().await.unwrap_err();
    assert_eq!(two.message(), Some("The provided key element does not match the schema"));
    let absent = client.get_item().table_name("absent").key("pk", text("x")).send().await.unwrap_err();
    assert_eq!(absent.message(), Some("Requested resource not found"));
    assert!(absent.into_service_error().is_resource_not_found_exception());
    let elsewhere = Client::new(&sdk(&lab, PRIMARY).await);
    assert!(elsewhere.describe_table().table_name(TABLE).send().await.is_err(), "a table is of its region");
}

#[tokio::test]
async fn what_the_lab_does_not_know_is_refused_by_name() {
    let (_lab, client) = register().await;
    let update = client.update_item().table_name(TABLE).key("pk", text("x")).update_expression("SET a = b");
    let refused = update.send().await.unwrap_err();
    assert_eq!(refused.code(), Some("NotImplemented"));
    assert!(refused.message().unwrap().contains("UpdateItem"), "{refused:?}");
    let projected = client.get_item().table_name(TABLE).key("pk", text("x")).projection_expression("a");
    assert!(format!("{:?}", projected.send().await.unwrap_err()).contains("ProjectionExpression"));
    let greater = put(&client, "x").condition_expression("pk > :v").expression_attribute_values(":v", text("a"));
    assert!(format!("{:?}", greater.send().await.unwrap_err()).contains("the operator >"));
}

#[tokio::test]
async fn a_fault_befalls_its_calls_as_those_of_every_service() {
    let (lab, client) = register().await;
    let refusal = lab::wire::Refusal::bad_request("ProvisionedThroughputExceededException", "too much");
    let is_put = |site: &lab::fault::Site<'_>| site.service == "dynamodb" && site.action == "PutItem";
    lab.faults.set_call_fault(CallFault::when(is_put, CallEffect::Refuse(refusal)));
    let refused = put(&client, "x").send().await.unwrap_err().into_service_error();
    assert!(refused.is_provisioned_throughput_exceeded_exception(), "{refused:?}");
    assert_eq!(get(&client, true).await, None);
    lab.faults.clear_call_faults();
    lab.faults.throttle_service("dynamodb");
    put(&client, "x").send().await.unwrap();
    lab.faults.heal_everything();
    assert_eq!(lab.dynamodb.text(DR, TABLE, "app", "state").as_deref(), Some("x"), "the SDK tried again");
}

#[tokio::test]
async fn whoever_has_a_policy_is_held_to_tables_and_leading_keys() {
    let (lab, client) = register().await;
    lab.iam.attach(
        "TESTER",
        Policy::parse(&json!({"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Action": ["dynamodb:GetItem", "dynamodb:PutItem"], "Resource": ARN,
             "Condition": {"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": ["app"]}}},
            {"Effect": "Allow", "Action": "dynamodb:DescribeTable", "Resource": ARN},
        ]}))
        .unwrap(),
    );
    put(&client, "armed").send().await.unwrap();
    assert_eq!(state(&client, true).await.as_deref(), Some("armed"));
    client.describe_table().table_name(TABLE).send().await.unwrap();
    let other = client.get_item().table_name(TABLE).key("pk", text("other")).send().await.unwrap_err();
    assert_eq!(other.code(), Some("AccessDeniedException"));
    assert!(other.message().unwrap().contains(&format!("dynamodb:GetItem on resource: {ARN}")));
    let elsewhere = client.put_item().table_name("other").item("pk", text("app")).send().await.unwrap_err();
    assert_eq!(elsewhere.code(), Some("AccessDeniedException"));
    let deleted = client.delete_item().table_name(TABLE).key("pk", text("app")).send().await.unwrap_err();
    assert_eq!(deleted.code(), Some("AccessDeniedException"));
}
