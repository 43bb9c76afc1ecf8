//! Elastic Load Balancing's answers in XML.

use serde::Serialize;

use super::{Balancer, Behind, Listener, TargetGroup, group_arn};
use crate::route53::balancer::ZONE;

#[derive(Serialize)]
struct Members<T> {
    member: Vec<T>,
}

impl<T> FromIterator<T> for Members<T> {
    fn from_iter<I: IntoIterator<Item = T>>(items: I) -> Self {
        Self { member: items.into_iter().collect() }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct LoadBalancers {
    load_balancers: Members<LoadBalancer>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct LoadBalancer {
    load_balancer_arn: String,
    #[serde(rename = "DNSName")]
    dns_name: String,
    canonical_hosted_zone_id: &'static str,
    load_balancer_name: String,
    r#type: &'static str,
    state: State,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct State {
    code: String,
}

impl LoadBalancers {
    pub fn of(all: &[(Balancer, Behind)]) -> Self {
        let described = |(balancer, behind): &(Balancer, Behind)| LoadBalancer {
            load_balancer_arn: balancer.arn(),
            dns_name: balancer.dns_name.clone(),
            canonical_hosted_zone_id: ZONE,
            load_balancer_name: balancer.name.clone(),
            r#type: "application",
            state: State { code: behind.state.clone() },
        };
        Self { load_balancers: all.iter().map(described).collect() }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Attributes {
    attributes: Members<Attribute>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Attribute {
    key: &'static str,
    value: String,
}

impl Attributes {
    pub fn of(behind: &Behind) -> Self {
        // "The default is 60 seconds" (API reference, `LoadBalancerAttribute`).
        let idle = Attribute { key: "idle_timeout.timeout_seconds", value: "60".to_owned() };
        let kept = Attribute { key: "client_keep_alive.seconds", value: behind.keep_alive_seconds.to_string() };
        Self { attributes: [kept, idle].into_iter().collect() }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Listeners {
    listeners: Members<Described>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Described {
    listener_arn: String,
    load_balancer_arn: String,
    port: u16,
    protocol: &'static str,
}

impl Listeners {
    pub fn of(balancer: &Balancer, behind: &Behind) -> Self {
        let described = |listener: &Listener| Described {
            listener_arn: balancer.listener_arn(listener),
            load_balancer_arn: balancer.arn(),
            port: listener.port,
            protocol: listener.protocol,
        };
        Self { listeners: behind.listeners.iter().map(described).collect() }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Certificates {
    certificates: Members<Certificate>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Certificate {
    certificate_arn: String,
    is_default: bool,
}

impl Certificates {
    pub fn of(listener: &Listener) -> Self {
        let described =
            |(nth, arn): (usize, &String)| Certificate { certificate_arn: arn.clone(), is_default: nth == 0 };
        Self { certificates: listener.certificates.iter().enumerate().map(described).collect() }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct TargetGroups {
    target_groups: Members<Group>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Group {
    target_group_arn: String,
    target_group_name: String,
    load_balancer_arns: Members<String>,
}

impl TargetGroups {
    pub fn of(balancer: &Balancer, behind: &Behind) -> Self {
        let described = |group: &TargetGroup| Group {
            target_group_arn: group_arn(&balancer.region, &group.name),
            target_group_name: group.name.clone(),
            load_balancer_arns: [balancer.arn()].into_iter().collect(),
        };
        Self { target_groups: behind.groups.iter().map(described).collect() }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct TargetHealth {
    target_health_descriptions: Members<OfTarget>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct OfTarget {
    target: Target,
    target_health: Health,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Target {
    id: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Health {
    state: String,
}

impl TargetHealth {
    pub fn of(group: &TargetGroup) -> Self {
        let described = |(id, state): &(String, String)| OfTarget {
            target: Target { id: id.clone() },
            target_health: Health { state: state.clone() },
        };
        Self { target_health_descriptions: group.targets.iter().map(described).collect() }
    }
}
