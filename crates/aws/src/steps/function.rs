//! The user's own Lambda functions; and the tags of all that is Lambda's.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_lambda::Client;
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::InvocationType;
use failover::step::{Seen, Setting, TAGS, Tags};
use serde_json::Value;

use super::by_key;
use crate::error::CallError;

/// Nothing but the tags tells whether it was called.
pub(super) async fn look(client: &Client, arn: &str) -> Result<Seen, CallError> {
    let tags = tags(client, arn).await?;
    Ok(Seen::There { setting: Setting::Nothing, detail: String::new(), tags: Tags::read(&tags) })
}

/// Of functions and event source mappings alike.
pub(super) async fn tags(client: &Client, arn: &str) -> Result<BTreeMap<String, String>, CallError> {
    let answer = client.list_tags().resource(arn).send().await.map_err(|error| CallError::of("ListTags", error))?;
    let tags = answer.tags().into_iter().flatten();
    Ok(by_key(tags.map(|(key, value)| (Some(key.as_str()), Some(value.as_str())))))
}

/// "Event: Invoke the function asynchronously … The API response only includes a status code" (Invoke).
pub(super) async fn call(client: &Client, arn: &str, payload: &Value) -> Result<(), CallError> {
    let call = client.invoke().function_name(arn).invocation_type(InvocationType::Event);
    let call = call.payload(Blob::new(payload.to_string()));
    call.send().await.map(drop).map_err(|error| CallError::of("Invoke", error))
}

pub(super) async fn tag(client: &Client, arn: &str, tags: BTreeMap<String, String>) -> Result<(), CallError> {
    let call = client.tag_resource().resource(arn).set_tags(Some(tags.into_iter().collect::<HashMap<_, _>>()));
    call.send().await.map(drop).map_err(|error| CallError::of("TagResource", error))
}

pub(super) async fn untag(client: &Client, arn: &str) -> Result<(), CallError> {
    let keys = TAGS.iter().map(|key| (*key).to_owned()).collect();
    let call = client.untag_resource().resource(arn).set_tag_keys(Some(keys));
    call.send().await.map(drop).map_err(|error| CallError::of("UntagResource", error))
}
