//! Auto Scaling groups.

use std::collections::BTreeMap;

use aws_sdk_autoscaling::Client;
use aws_sdk_autoscaling::types::{AutoScalingGroup, LifecycleState, Tag};
use failover::step::{Seen, Setting, Sizes, TAGS, Tags};

use super::by_key;
use crate::error::CallError;

/// Sizes and tags come in one answer. A group that was deleted and made again by its name has another ARN, and is another.
pub(super) async fn look(client: &Client, arn: &str, name: &str) -> Result<Seen, CallError> {
    const CALL: &str = "DescribeAutoScalingGroups";
    let answer = client.describe_auto_scaling_groups().auto_scaling_group_names(name).send().await;
    let answer = answer.map_err(|error| CallError::of(CALL, error))?;
    let is_it = |group: &&AutoScalingGroup| {
        group.auto_scaling_group_name() == Some(name) && group.auto_scaling_group_arn().is_none_or(|of| of == arn)
    };
    let Some(group) = answer.auto_scaling_groups().iter().find(is_it) else {
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

pub(super) async fn resize(client: &Client, name: &str, now: Sizes, to: Sizes) -> Result<(), CallError> {
    let [min, desired, max] = asked(now, to).map(|size| size.map(|size| i32::try_from(size).unwrap_or(i32::MAX)));
    let call = client.update_auto_scaling_group().auto_scaling_group_name(name);
    let call = call.set_min_size(min).set_desired_capacity(desired).set_max_size(max);
    call.send().await.map(drop).map_err(|error| CallError::of("UpdateAutoScalingGroup", error))
}

/// The least, the desired and the most that AWS is asked for: what differs. "If you specify a new value for MinSize without specifying a
/// value for DesiredCapacity, and the new MinSize is larger than the current size of the group, this sets the group's DesiredCapacity to the
/// new MinSize value" (UpdateAutoScalingGroup): so a policy that raised it further since it was read is not overruled.
fn asked(now: Sizes, to: Sizes) -> [Option<u32>; 3] {
    let differing = |now: u32, to: u32| Some(to).filter(|to| *to != now);
    let is_raised_by_min = to.desired > now.desired && to.min > now.min;
    let desired = differing(now.desired, to.desired).filter(|_| !is_raised_by_min);
    [differing(now.min, to.min), desired, differing(now.max, to.max)]
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_differs_is_asked_for_and_no_desired_size_that_aws_raises_by_itself() {
        let sizes = |[min, desired, max]: [u32; 3]| Sizes { min, desired, max };
        for (now, to, expected, story) in [
            ([1, 2, 8], [6, 6, 8], [Some(6), None, None], "raised"),
            ([1, 2, 4], [6, 6, 6], [Some(6), None, Some(6)], "raised, and there was no room"),
            ([1, 9, 9], [6, 9, 9], [Some(6), None, None], "a policy has raised it already"),
            ([6, 2, 8], [6, 6, 8], [None, Some(6), None], "AWS left the desired size behind"),
            ([6, 6, 8], [1, 2, 8], [Some(1), Some(2), None], "undone"),
            ([6, 9, 9], [1, 9, 9], [Some(1), None, None], "undone, but for a policy's change"),
        ] {
            assert_eq!(asked(sizes(now), sizes(to)), expected, "{story}");
        }
    }
}
