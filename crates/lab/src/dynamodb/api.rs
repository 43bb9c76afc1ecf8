//! DynamoDB's API.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use super::attribute::{Item, read_item, read_to_store, write_item};
use super::condition::{self, Condition};
use super::refusal::{Refused, constraint, serialization, validation};
use super::schema::{AttributeDefinition, BillingMode, KeySchemaElement, key_of};
use super::table_of;
use crate::Lab;
use crate::api::{Call, Reply};
use crate::id;
use crate::wire::Refusal;
use crate::wire::json::{JSON_1_0, action};

/// Answers one API call.
pub async fn answer(lab: &Arc<Lab>, call: &Call) -> Reply {
    let action = action(call);
    let outcome = match action {
        "CreateTable" => create_table(lab, call).map_err(Refused::from),
        "DescribeTable" => describe_table(lab, call).map_err(Refused::from),
        "DeleteTable" => delete_table(lab, call).map_err(Refused::from),
        "GetItem" => get_item(lab, call).map_err(Refused::from),
        "PutItem" => put_item(lab, call),
        "DeleteItem" => delete_item(lab, call),
        other => Err(Refusal::unsupported(format!("the DynamoDB action {other}")).into()),
    };
    let (body, refusal) = match outcome {
        Ok(result) => (result, None),
        Err(refused) => (refused.body(), Some(refused.refusal)),
    };
    let body = body.to_string().into_bytes();
    let headers = vec![
        ("x-amzn-requestid", id::uuid("dynamodb request", lab.dynamodb.next_request())),
        ("x-amz-crc32", crc32(&body).to_string()),
    ];
    let reply = Reply { headers, ..Reply::ok(action, table_of(call), JSON_1_0, body) };
    match refusal {
        Some(refusal) => Reply { status: refusal.status, error: Some(refusal.code), ..reply },
        None => reply,
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct CreateTable {
    table_name: String,
    attribute_definitions: Vec<AttributeDefinition>,
    key_schema: Vec<KeySchemaElement>,
    billing_mode: Option<BillingMode>,
    #[serde(default)]
    deletion_protection_enabled: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct TableName {
    table_name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct GetItem {
    table_name: String,
    key: Map<String, Value>,
    #[serde(default)]
    consistent_read: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct PutItem {
    table_name: String,
    item: Map<String, Value>,
    condition_expression: Option<String>,
    expression_attribute_names: Option<BTreeMap<String, String>>,
    expression_attribute_values: Option<Map<String, Value>>,
    #[serde(default)]
    return_values: ReturnValues,
    #[serde(default)]
    return_values_on_condition_check_failure: OnFailure,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct DeleteItem {
    table_name: String,
    key: Map<String, Value>,
    condition_expression: Option<String>,
    expression_attribute_names: Option<BTreeMap<String, String>>,
    expression_attribute_values: Option<Map<String, Value>>,
    #[serde(default)]
    return_values: ReturnValues,
    #[serde(default)]
    return_values_on_condition_check_failure: OnFailure,
}

#[derive(Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum ReturnValues {
    #[default]
    None,
    AllOld,
    AllNew,
    UpdatedOld,
    UpdatedNew,
}

#[derive(Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum OnFailure {
    #[default]
    None,
    AllOld,
}

fn create_table(lab: &Lab, call: &Call) -> Result<Value, Refusal> {
    let new: CreateTable = input(call)?;
    check_new_name(&new.table_name)?;
    if new.billing_mode.is_none() {
        return Err(Refusal::unsupported("tables of provisioned capacity"));
    }
    let key = key_of(&new.key_schema, &new.attribute_definitions)?;
    let (name, is_protected) = (&new.table_name, new.deletion_protection_enabled);
    let told = lab.dynamodb.create(&call.region, name, key, is_protected, lab.clock.now())?;
    Ok(json!({"TableDescription": told}))
}

fn describe_table(lab: &Lab, call: &Call) -> Result<Value, Refusal> {
    let TableName { table_name } = input(call)?;
    check_name(&table_name)?;
    Ok(json!({"Table": lab.dynamodb.describe(&call.region, &table_name, lab.clock.now())?}))
}

fn delete_table(lab: &Lab, call: &Call) -> Result<Value, Refusal> {
    let TableName { table_name } = input(call)?;
    check_name(&table_name)?;
    Ok(json!({"TableDescription": lab.dynamodb.delete(&call.region, &table_name, lab.clock.now())?}))
}

fn get_item(lab: &Lab, call: &Call) -> Result<Value, Refusal> {
    let GetItem { table_name, key, consistent_read } = input(call)?;
    check_name(&table_name)?;
    let (key, now) = (read_item(&key)?, lab.clock.now());
    let found = lab.dynamodb.with_table(&call.region, &table_name, now, |table, _| {
        let key = table.key_alone(&key)?;
        let found = if consistent_read { table.newest(&key) } else { table.eventual(&key, now) };
        Ok::<_, Refusal>(found.map(write_item))
    })??;
    // "If there is no matching item, GetItem does not return any data and there will be no Item element in the response."
    Ok(found.map_or_else(|| json!({}), |item| json!({"Item": item})))
}

fn put_item(lab: &Lab, call: &Call) -> Result<Value, Refused> {
    let asked: PutItem = input(call)?;
    check_name(&asked.table_name)?;
    let wants_old = wants_old(asked.return_values)?;
    let item = read_to_store(&asked.item)?;
    let (names, values) = (asked.expression_attribute_names.as_ref(), asked.expression_attribute_values.as_ref());
    let condition = condition::read(asked.condition_expression.as_deref(), names, values)?;
    let terms = Terms { condition, wants_old, on_failure: asked.return_values_on_condition_check_failure };
    let now = lab.clock.now();
    lab.dynamodb.with_table(&call.region, &asked.table_name, now, |table, staleness| {
        let key = table.key_within(&item)?;
        let old = terms.accept(table.newest(&key))?;
        table.write(key, Some(item), now, staleness);
        Ok(old)
    })?
}

fn delete_item(lab: &Lab, call: &Call) -> Result<Value, Refused> {
    let asked: DeleteItem = input(call)?;
    check_name(&asked.table_name)?;
    let wants_old = wants_old(asked.return_values)?;
    let key = read_item(&asked.key)?;
    let (names, values) = (asked.expression_attribute_names.as_ref(), asked.expression_attribute_values.as_ref());
    let condition = condition::read(asked.condition_expression.as_deref(), names, values)?;
    let terms = Terms { condition, wants_old, on_failure: asked.return_values_on_condition_check_failure };
    let now = lab.clock.now();
    lab.dynamodb.with_table(&call.region, &asked.table_name, now, |table, staleness| {
        let key = table.key_alone(&key)?;
        let old = terms.accept(table.newest(&key))?;
        table.write(key, None, now, staleness);
        Ok(old)
    })?
}

/// On what terms an item is changed, and what is told of the one before.
struct Terms {
    condition: Option<Condition>,
    wants_old: bool,
    on_failure: OnFailure,
}

impl Terms {
    /// The answer to a change of this item, if it may be changed.
    fn accept(&self, old: Option<&Item>) -> Result<Value, Refused> {
        if self.condition.as_ref().is_some_and(|condition| !condition.holds(old)) {
            return Err(Refused::condition(old.filter(|_| self.on_failure == OnFailure::AllOld).cloned()));
        }
        let old = old.filter(|_| self.wants_old);
        Ok(old.map_or_else(|| json!({}), |old| json!({"Attributes": write_item(old)})))
    }
}

/// "The values returned are … NONE … ALL_OLD"; the others are UpdateItem's.
fn wants_old(asked: ReturnValues) -> Result<bool, Refusal> {
    match asked {
        ReturnValues::None => Ok(false),
        ReturnValues::AllOld => Ok(true),
        // In the envelope since 2026 (recorded from AWS by nubo-db/dynamodb-conformance).
        _ => Err(validation("1 validation error detected: ReturnValues can only be ALL_OLD or NONE")),
    }
}

/// "Table names … a minimum of 3 characters, and a maximum of 255" (Naming rules); only the making of one asks for three.
pub(super) fn check_new_name(name: &str) -> Result<(), Refusal> {
    match name.len() {
        1..=2 => Err(constraint(&format!("'{name}'"), "tableName", "have length greater than or equal to 3")),
        _ => check_name(name),
    }
}

fn check_name(name: &str) -> Result<(), Refusal> {
    let broken = |what: &str| Err(constraint(&format!("'{name}'"), "tableName", what));
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
    match name.len() {
        0 => broken("have length greater than or equal to 1"),
        _ if name.starts_with("arn:") => Err(Refusal::unsupported("a table named by its ARN")),
        256.. => broken("have length less than or equal to 255"),
        _ if !name.chars().all(is_allowed) => broken("satisfy regular expression pattern: [a-zA-Z0-9_.-]+"),
        _ => Ok(()),
    }
}

/// Reads a call's parameters; what the lab does not know is refused by name, and what is missing in AWS's words.
fn input<T: DeserializeOwned>(call: &Call) -> Result<T, Refusal> {
    serde_json::from_slice(&call.body).map_err(|error| {
        Refusal::unread(error, |error| match error.split_once("missing field `") {
            Some((_, rest)) => {
                let field = rest.split('`').next().unwrap_or_default();
                let (first, others) = field.split_at(field.len().min(1));
                constraint("null", &format!("{}{others}", first.to_ascii_lowercase()), "not be null")
            }
            None => serialization(error),
        })
    })
}

/// The checksum that DynamoDB sends with every answer, and SDKs check where they find it.
fn crc32(body: &[u8]) -> u32 {
    !body.iter().fold(u32::MAX, |sum, byte| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| if sum & 1 == 1 { sum >> 1 ^ 0xedb8_8320 } else { sum >> 1 })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_the_one_of_everybody() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
    }
}
