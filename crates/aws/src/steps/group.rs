//! Auto Scaling groups.

use std::collections::BTreeMap;

use aws_sdk_autoscaling::Client;
use aws_sdk_autoscaling::types::{AutoScalingGroup, LifecycleState, Tag};
use failover::step::{Seen, Setting, Sizes, TAGS, Tags};

use super::by_key;
use crate::error::CallError;

/// Sizes and tags come in one answer.
pub(super) async fn look(client: &Client, name: &str) -> Result<Seen, CallError> {
    const CALL: &str = "DescribeAutoScalingGroups";
    let answer = client.describe_auto_scaling_groups().auto_scaling_group_names(name).send().await;
    let answer = answer.map_err(|error| CallError::of(CALL, error))?;
    let Some(group) = answer.auto_scaling_groups().iter().find(|group| group.auto_scaling_group_name() == Some(name))
    else {
        return Ok(Seen::Missing);
    };
    let Some(sizes) = sizes(group) else {
        return Err(CallError::Unanswered { call: CALL, why: "the answer lacks a size of the group".to_owned() });
    };
    let serves = group.instances().iter().filter(|it| it.lifecycle_state() == Some(&LifecycleState::InService)).count();
    let tags = by_key(group.tags().iter().map(|tag| (tag.key(), tag.value())));
    let detail = format!("{serves} in service");
    Ok(Seen::There { setting: Setting::Sizes(sizes), detail, tags: Tags::read(&tags) })
}

fn sizes(group: &AutoScalingGroup) -> Option<Sizes> {
    let size = |size: Option<i32>| u32::try_from(size?).ok();
    Some(Sizes { min: size(group.min_size())?, desired: size(group.desired_capacity())?, max: size(group.max_size())? })
}

pub(super) async fn resize(client: &Client, name: &str, sizes: Sizes) -> Result<(), CallError> {
    let size = |size: u32| i32::try_from(size).unwrap_or(i32::MAX);
    let call = client.update_auto_scaling_group().auto_scaling_group_name(name);
    let call = call.min_size(size(sizes.min)).desired_capacity(size(sizes.desired)).max_size(size(sizes.max));
    call.send().await.map(drop).map_err(|error| CallError::of("UpdateAutoScalingGroup", error))
}

fn tag_of(name: &str, key: &str) -> aws_sdk_autoscaling::types::builders::TagBuilder {
    Tag::builder().resource_type("auto-scaling-group").resource_id(name).key(key)
}

pub(super) async fn tag(client: &Client, name: &str, tags: BTreeMap<String, String>) -> Result<(), CallError> {
    let tags = tags.into_iter().map(|(key, value)| tag_of(name, &key).value(value).propagate_at_launch(false).build());
    let call = client.create_or_update_tags().set_tags(Some(tags.collect()));
    call.send().await.map(drop).map_err(|error| CallError::of("CreateOrUpdateTags", error))
}

pub(super) async fn untag(client: &Client, name: &str) -> Result<(), CallError> {
    let tags = TAGS.iter().map(|key| tag_of(name, key).build());
    let call = client.delete_tags().set_tags(Some(tags.collect()));
    call.send().await.map(drop).map_err(|error| CallError::of("DeleteTags", error))
}
