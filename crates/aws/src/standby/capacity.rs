//! The Auto Scaling groups behind a load balancer, and how many instances its users needed.

use aws_sdk_autoscaling::Client;
use aws_sdk_autoscaling::types::{AutoScalingGroup, Instance, LifecycleState};
use failover::standby::Look;
use failover::standby::capacity::{Activity, Group};
use jiff::{SignedDuration, Timestamp};

use super::metrics::{Series, values};
use super::traffic::groups_of;
use crate::error::CallError;
use crate::session::Session;

/// How far back is looked for the most that was needed.
const NEED: SignedDuration = SignedDuration::from_hours(24);

/// The groups behind the load balancer of that DNS name, in the session's region.
///
/// # Errors
/// If AWS does not say, in words.
pub async fn groups(session: &Session, dns_name: &str) -> Look<Vec<Group>> {
    let (_, targets) = groups_of(session, dns_name).await?;
    let client = client(session);
    let mut groups = Vec::new();
    for found in attached(&client, &targets).await? {
        let name = found.auto_scaling_group_name().unwrap_or_default().to_owned();
        let suspended = found.suspended_processes().iter().filter_map(|process| process.process_name());
        groups.push(Group {
            max: found.max_size(),
            in_service: found.instances().iter().filter(|instance| serves(instance)).count(),
            suspended: suspended.map(str::to_owned).collect(),
            last_activity: last_activity(&client, &name).await,
            name,
        });
    }
    Ok(groups)
}

/// The most healthy instances that the groups behind the load balancer of that DNS name had in the last day, by what the load balancer saw.
///
/// # Errors
/// If AWS does not say, or CloudWatch has no data, in words.
pub async fn most_needed(session: &Session, dns_name: &str, now: Timestamp) -> Look<u64> {
    let (balancer, targets) = groups_of(session, dns_name).await?;
    let mut most = 0;
    for group in attached(&client(session), &targets).await? {
        let mut of_group = None;
        for target in targets.iter().filter(|target| is_attached(&group, target)) {
            of_group = of_group.max(healthy_hosts(session, &balancer, target, now).await?);
        }
        let name = group.auto_scaling_group_name().unwrap_or_default();
        most += of_group.ok_or_else(|| format!("CloudWatch has no HealthyHostCount of {name} in the last 24 hours"))?;
    }
    match most {
        0 => Err("no Auto Scaling group with a healthy instance is attached to its target groups".to_owned()),
        most => Ok(most),
    }
}

fn client(session: &Session) -> Client {
    let config = aws_sdk_autoscaling::config::Builder::from(session.config()).retry_partition(session.retries());
    Client::from_conf(config.build())
}

async fn attached(client: &Client, targets: &[String]) -> Look<Vec<AutoScalingGroup>> {
    let all: Result<Vec<_>, _> = client.describe_auto_scaling_groups().into_paginator().items().send().collect().await;
    let mut all = all.map_err(|error| CallError::of("DescribeAutoScalingGroups", error).to_string())?;
    all.retain(|group| targets.iter().any(|target| is_attached(group, target)));
    Ok(all)
}

/// A target group is attached as such, or as a traffic source.
fn is_attached(group: &AutoScalingGroup, target: &str) -> bool {
    group.target_group_arns().iter().any(|arn| arn == target)
        || group.traffic_sources().iter().any(|source| source.identifier() == Some(target))
}

fn serves(instance: &Instance) -> bool {
    instance.lifecycle_state() == Some(&LifecycleState::InService) && instance.health_status() == Some("Healthy")
}

/// "Activities are sorted by start time. Activities still in progress are described first" (DescribeScalingActivities).
async fn last_activity(client: &Client, group: &str) -> Look<Option<Activity>> {
    let found = client.describe_scaling_activities().auto_scaling_group_name(group).max_records(1).send().await;
    let found = found.map_err(|error| CallError::of("DescribeScalingActivities", error).to_string())?;
    Ok(found.activities().first().map(|activity| Activity {
        status: activity.status_code().map(|status| status.as_str().to_owned()),
        message: activity.status_message().unwrap_or_default().to_owned(),
    }))
}

/// The dimensions are what follows `:loadbalancer/` and the last `:` of the ARNs ("CloudWatch metrics for your Application Load Balancer").
async fn healthy_hosts(session: &Session, balancer: &str, target: &str, now: Timestamp) -> Look<Option<u64>> {
    let balancer = balancer.split_once(":loadbalancer/").map_or(balancer, |(_, name)| name);
    let target = target.rsplit(':').next().unwrap_or(target);
    let namespace = if balancer.starts_with("net/") { "AWS/NetworkELB" } else { "AWS/ApplicationELB" };
    let dimensions = [("LoadBalancer", balancer), ("TargetGroup", target)];
    let series =
        Series { namespace, metric: "HealthyHostCount", dimensions: &dimensions, stat: "Maximum", lookback: NEED };
    let values = values(session, &series, now).await?;
    Ok(values.into_iter().max())
}
