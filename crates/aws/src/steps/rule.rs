//! EventBridge rules.

use std::collections::BTreeMap;

use aws_sdk_eventbridge::Client;
use aws_sdk_eventbridge::error::BuildError;
use aws_sdk_eventbridge::types::{RuleState, Tag};
use failover::step::{Seen, Setting, TAGS, Tags};

use super::by_key;
use crate::error::CallError;

/// The tags are read first: what is changed in between is then seen as changed, and never taken for what was before.
pub(super) async fn look(client: &Client, arn: &str, bus: Option<&str>, name: &str) -> Result<Seen, CallError> {
    let tags = client.list_tags_for_resource().resource_arn(arn).send().await;
    let tags = tags.map_err(|error| CallError::of("ListTagsForResource", error))?;
    let tags = by_key(tags.tags().iter().map(|tag| (Some(tag.key()), Some(tag.value()))));
    let answer = client.describe_rule().name(name).set_event_bus_name(bus.map(str::to_owned)).send().await;
    let answer = answer.map_err(|error| CallError::of("DescribeRule", error))?;
    if answer.arn().is_some_and(|of| of != arn) {
        return Ok(Seen::Missing);
    }
    match answer.state() {
        Some(RuleState::Enabled) => Ok(there(true, &tags)),
        Some(RuleState::Disabled) => Ok(there(false, &tags)),
        // Enabling a rule makes it plainly enabled, so any other state could not be given back.
        Some(other) => Ok(Seen::Unfit(other.as_str().to_owned())),
        None => {
            Err(CallError::Unanswered { call: "DescribeRule", why: "the answer lacks the rule's state".to_owned() })
        }
    }
}

fn there(on: bool, tags: &BTreeMap<String, String>) -> Seen {
    Seen::There { setting: Setting::On(on), detail: String::new(), tags: Tags::read(tags) }
}

pub(super) async fn switch(client: &Client, bus: Option<&str>, name: &str, on: bool) -> Result<(), CallError> {
    let bus = bus.map(str::to_owned);
    if on {
        let call = client.enable_rule().name(name).set_event_bus_name(bus);
        call.send().await.map(drop).map_err(|error| CallError::of("EnableRule", error))
    } else {
        let call = client.disable_rule().name(name).set_event_bus_name(bus);
        call.send().await.map(drop).map_err(|error| CallError::of("DisableRule", error))
    }
}

pub(super) async fn tag(client: &Client, arn: &str, tags: BTreeMap<String, String>) -> Result<(), CallError> {
    const CALL: &str = "TagResource";
    let tags = tags.into_iter().map(|(key, value)| Tag::builder().key(key).value(value).build());
    let tags: Result<Vec<_>, BuildError> = tags.collect();
    let tags = tags.map_err(|error| CallError::NeverSent { call: CALL, why: error.to_string() })?;
    let call = client.tag_resource().resource_arn(arn).set_tags(Some(tags));
    call.send().await.map(drop).map_err(|error| CallError::of(CALL, error))
}

pub(super) async fn untag(client: &Client, arn: &str) -> Result<(), CallError> {
    let keys = TAGS.iter().map(|key| (*key).to_owned()).collect();
    let call = client.untag_resource().resource_arn(arn).set_tag_keys(Some(keys));
    call.send().await.map(drop).map_err(|error| CallError::of("UntagResource", error))
}
