//! ECS services.

use std::collections::BTreeMap;

use aws_sdk_ecs::Client;
use aws_sdk_ecs::types::{SchedulingStrategy, Service, ServiceField, Tag};
use failover::step::{Seen, Setting, TAGS, Tags};

use super::by_key;
use crate::error::CallError;

/// Count and tags come in one answer. A service that was deleted is told as inactive for a while.
pub(super) async fn look(client: &Client, arn: &str, cluster: &str) -> Result<Seen, CallError> {
    const CALL: &str = "DescribeServices";
    let call = client.describe_services().cluster(cluster).services(arn).include(ServiceField::Tags);
    let answer = call.send().await.map_err(|error| CallError::of(CALL, error));
    let answer = match answer {
        Err(refused) if refused.is_refused_with("ClusterNotFoundException") => return Ok(Seen::Missing),
        answer => answer?,
    };
    let lacks = |why: &str| CallError::Unanswered { call: CALL, why: why.to_owned() };
    let Some(service) = answer.services().iter().find(|service| service.service_arn() == Some(arn)) else {
        // "For a list of common causes, see API failure reasons": MISSING is what is not there.
        let is_missing = answer.failures().iter().any(|failure| failure.reason() == Some("MISSING"));
        return if is_missing { Ok(Seen::Missing) } else { Err(lacks("the answer lacks the service")) };
    };
    match service.status() {
        Some("ACTIVE") if service.scheduling_strategy() == Some(&SchedulingStrategy::Daemon) => {
            Ok(Seen::Unfit("DAEMON, one task on each instance".to_owned()))
        }
        Some("ACTIVE") => there(service).ok_or_else(|| lacks("the answer lacks the desired count")),
        Some(_) => Ok(Seen::Missing),
        None => Err(lacks("the answer lacks the service's status")),
    }
}

fn there(service: &Service) -> Option<Seen> {
    let tags = by_key(service.tags().iter().map(|tag| (tag.key(), tag.value())));
    let count = u32::try_from(service.desired_count()).ok()?;
    let detail = format!("{} running", service.running_count());
    Some(Seen::There { setting: Setting::Count(count), detail, tags: Tags::read(&tags) })
}

pub(super) async fn resize(client: &Client, arn: &str, cluster: &str, count: u32) -> Result<(), CallError> {
    let count = i32::try_from(count).unwrap_or(i32::MAX);
    let call = client.update_service().cluster(cluster).service(arn).desired_count(count);
    call.send().await.map(drop).map_err(|error| CallError::of("UpdateService", error))
}

pub(super) async fn tag(client: &Client, arn: &str, tags: BTreeMap<String, String>) -> Result<(), CallError> {
    let tags = tags.into_iter().map(|(key, value)| Tag::builder().key(key).value(value).build());
    let call = client.tag_resource().resource_arn(arn).set_tags(Some(tags.collect()));
    call.send().await.map(drop).map_err(|error| CallError::of("TagResource", error))
}

pub(super) async fn untag(client: &Client, arn: &str) -> Result<(), CallError> {
    let keys = TAGS.iter().map(|key| (*key).to_owned()).collect();
    let call = client.untag_resource().resource_arn(arn).set_tag_keys(Some(keys));
    call.send().await.map(drop).map_err(|error| CallError::of("UntagResource", error))
}
