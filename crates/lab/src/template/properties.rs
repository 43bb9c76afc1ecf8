//! The properties the lab knows of each type of resource; any other is refused by name.
//!
//! Fields that begin with an underscore have no effect in the lab: nothing is billed or encrypted, and descriptions and tags
//! are for people.

use std::collections::BTreeMap;

use serde::de::{DeserializeOwned, Error};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::dynamodb::{AttributeDefinition, BillingMode, KeySchemaElement};
use crate::events::Target;

/// Reads resolved properties.
pub(super) fn read<T: DeserializeOwned>(properties: Value) -> Result<T, String> {
    serde_json::from_value(properties).map_err(|error| error.to_string())
}

/// A number, also where a parameter made it text.
fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u32>, D::Error> {
    match Value::deserialize(deserializer)? {
        Value::String(text) => {
            text.parse().map(Some).map_err(|error| D::Error::custom(format!("{text:?} is no number: {error}")))
        }
        other => serde_json::from_value(other).map(Some).map_err(D::Error::custom),
    }
}

/// A truth, also where a parameter made it text.
fn truth<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    match Value::deserialize(deserializer)? {
        Value::String(text) => {
            text.parse().map_err(|_| D::Error::custom(format!("{text:?} is neither true nor false")))
        }
        other => serde_json::from_value(other).map_err(D::Error::custom),
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct Function {
    pub function_name: Option<String>,
    pub runtime: String,
    pub handler: String,
    #[serde(default)]
    pub architectures: Vec<String>,
    #[serde(default, deserialize_with = "number")]
    pub memory_size: Option<u32>,
    #[serde(default, deserialize_with = "number")]
    pub timeout: Option<u32>,
    #[serde(default)]
    pub environment: Environment,
    #[serde(default)]
    pub event_invoke_config: EventInvokeConfig,
    pub policies: Option<Value>,
    #[serde(default, deserialize_with = "number")]
    pub reserved_concurrent_executions: Option<u32>,
    /// Where the code is built from; the deployer is told which executable stands behind each binary instead.
    #[serde(rename = "CodeUri")]
    _code_uri: Option<Value>,
    #[serde(rename = "Description")]
    _description: Option<Value>,
    #[serde(rename = "Tags")]
    _tags: Option<Value>,
    #[serde(rename = "Tracing")]
    _tracing: Option<Value>,
    /// What a role may at most is not evaluated.
    #[serde(rename = "PermissionsBoundary")]
    _permissions_boundary: Option<Value>,
    #[serde(rename = "KmsKeyArn")]
    _kms_key_arn: Option<Value>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct Environment {
    #[serde(default)]
    pub variables: BTreeMap<String, Value>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct EventInvokeConfig {
    #[serde(default, deserialize_with = "number")]
    pub maximum_retry_attempts: Option<u32>,
    #[serde(default, deserialize_with = "number")]
    pub maximum_event_age_in_seconds: Option<u32>,
    #[serde(default)]
    pub destination_config: DestinationConfig,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct DestinationConfig {
    pub on_success: Option<Destination>,
    pub on_failure: Option<Destination>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct Destination {
    pub r#type: String,
    pub destination: String,
}

/// `Metadata` of a function that SAM builds with cargo-lambda.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct BuildMetadata {
    pub build_properties: BuildProperties,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct BuildProperties {
    pub binary: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct Role {
    pub role_name: Option<String>,
    #[serde(default)]
    pub policies: Vec<RolePolicy>,
    /// Who may take it on is not evaluated.
    #[serde(rename = "AssumeRolePolicyDocument")]
    _trust: Value,
    /// What a role may at most is not evaluated.
    #[serde(rename = "PermissionsBoundary")]
    _permissions_boundary: Option<Value>,
    #[serde(rename = "Description")]
    _description: Option<Value>,
    #[serde(rename = "Tags")]
    _tags: Option<Value>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct RolePolicy {
    #[serde(rename = "PolicyName")]
    _name: Value,
    pub policy_document: Value,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct EventBus {
    pub name: String,
    #[serde(rename = "KmsKeyIdentifier")]
    _kms_key_identifier: Option<Value>,
    #[serde(rename = "Description")]
    _description: Option<Value>,
    #[serde(rename = "Tags")]
    _tags: Option<Value>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct Rule {
    pub name: Option<String>,
    pub event_bus_name: Option<String>,
    pub event_pattern: Option<Value>,
    pub schedule_expression: Option<String>,
    pub state: Option<String>,
    pub description: Option<String>,
    #[serde(default)]
    pub targets: Vec<Target>,
    #[serde(rename = "RoleArn")]
    _role_arn: Option<Value>,
    #[serde(rename = "Tags")]
    _tags: Option<Value>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct Topic {
    pub topic_name: Option<String>,
    #[serde(default)]
    pub subscription: Vec<TopicSubscription>,
    #[serde(rename = "DisplayName")]
    _display_name: Option<Value>,
    #[serde(rename = "KmsMasterKeyId")]
    _kms_master_key_id: Option<Value>,
    #[serde(rename = "Tags")]
    _tags: Option<Value>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct TopicSubscription {
    pub protocol: String,
    pub endpoint: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct Subscription {
    pub topic_arn: String,
    pub protocol: String,
    pub endpoint: String,
    pub filter_policy: Option<Value>,
    #[serde(rename = "FilterPolicyScope")]
    _filter_policy_scope: Option<FilterPolicyScope>,
}

/// What a filter policy looks at. The lab filters by attributes alone, as SNS does unless told otherwise, so another scope is
/// refused by name.
#[derive(Debug, Deserialize)]
pub(super) enum FilterPolicyScope {
    MessageAttributes,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct Queue {
    pub queue_name: Option<String>,
    #[serde(default, deserialize_with = "number")]
    pub visibility_timeout: Option<u32>,
    /// Days where a drill takes hours: nothing expires in the lab.
    #[serde(rename = "MessageRetentionPeriod")]
    _message_retention_period: Option<Value>,
    #[serde(rename = "SqsManagedSseEnabled")]
    _sqs_managed_sse_enabled: Option<Value>,
    #[serde(rename = "KmsMasterKeyId")]
    _kms_master_key_id: Option<Value>,
    #[serde(rename = "Tags")]
    _tags: Option<Value>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct Table {
    pub table_name: Option<String>,
    pub attribute_definitions: Vec<AttributeDefinition>,
    pub key_schema: Vec<KeySchemaElement>,
    #[serde(rename = "BillingMode")]
    _billing_mode: BillingMode,
    #[serde(default, deserialize_with = "truth")]
    pub deletion_protection_enabled: bool,
    #[serde(rename = "SSESpecification")]
    _sse_specification: Option<Value>,
    /// Nothing is restored in the lab.
    #[serde(rename = "PointInTimeRecoverySpecification")]
    _point_in_time_recovery_specification: Option<Value>,
    #[serde(rename = "Tags")]
    _tags: Option<Value>,
}
