//! ECS: services as people made them. The lab runs no tasks.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::Deserialize;
use serde_json::{Value, json};

use crate::Lab;
use crate::api::{Call, Reply};
use crate::arn::{Arn, arn};
use crate::wire::Refusal;
use crate::wire::json::{JSON_1_1, action, input, reply};

/// Services, by ARN.
#[derive(Debug, Default)]
pub struct Ecs(Mutex<BTreeMap<String, Service>>);

/// A service.
#[derive(Clone, Debug)]
pub struct Service {
    /// How many tasks it is to have.
    pub desired: u32,
    /// How many run.
    pub running: u32,
    /// `REPLICA`, or `DAEMON`: one task on each instance of the cluster.
    pub strategy: &'static str,
    /// `ACTIVE`, or of one that was deleted `DRAINING` and then `INACTIVE`.
    pub status: &'static str,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
}

impl Default for Service {
    fn default() -> Self {
        Self { desired: 0, running: 0, strategy: "REPLICA", status: "ACTIVE", tags: BTreeMap::new() }
    }
}

/// The ARN of a service.
pub fn arn_of(region: &str, cluster: &str, name: &str) -> String {
    arn("ecs", region, &format!("service/{cluster}/{name}"))
}

impl Ecs {
    /// Changes a service as people do; one that is not there yet is made, and its cluster with it.
    pub fn change(&self, arn: &str, change: impl FnOnce(&mut Service)) {
        change(self.services().entry(arn.to_owned()).or_default());
    }

    /// A service as it is now.
    pub fn service(&self, arn: &str) -> Option<Service> {
        self.services().get(arn).cloned()
    }

    fn services(&self) -> MutexGuard<'_, BTreeMap<String, Service>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Describe {
    cluster: String,
    services: Vec<String>,
    #[serde(default)]
    include: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Update {
    cluster: String,
    service: String,
    desired_count: u32,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Tagged {
    resource_arn: String,
    #[serde(default)]
    tags: Vec<Tag>,
    #[serde(default)]
    tag_keys: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Tag {
    key: String,
    value: String,
}

/// Answers one API call.
pub async fn answer(lab: &Arc<Lab>, call: &Call) -> Reply {
    let action = action(call);
    let outcome = match action {
        "DescribeServices" => describe(lab, call),
        "UpdateService" => update(lab, call),
        "TagResource" | "UntagResource" => tag(lab, call),
        other => Err(Refusal::unsupported(format!("the ECS action {other}"))),
    };
    reply(JSON_1_1, action, outcome)
}

/// What a call is about, and the keys of the tags that it writes or takes off. What cannot be read is refused by the service itself.
pub(crate) fn asked(call: &Call) -> (Vec<String>, Vec<String>) {
    if let Ok(Describe { cluster, services, .. }) = input::<Describe>(call) {
        return (services.iter().map(|service| named(call, &cluster, service)).collect(), Vec::new());
    }
    if let Ok(Update { cluster, service, .. }) = input::<Update>(call) {
        return (vec![named(call, &cluster, &service)], Vec::new());
    }
    match input::<Tagged>(call) {
        Ok(Tagged { resource_arn, tags, tag_keys }) => {
            (vec![resource_arn], tags.into_iter().map(|tag| tag.key).chain(tag_keys).collect())
        }
        Err(_) => (vec![String::new()], Vec::new()),
    }
}

/// "The short name or full Amazon Resource Name" of cluster and service (DescribeServices).
fn named(call: &Call, cluster: &str, service: &str) -> String {
    let cluster = cluster.rsplit('/').next().unwrap_or_default();
    if service.starts_with("arn:") { service.to_owned() } else { arn_of(&call.region, cluster, service) }
}

fn clusters_exist(lab: &Lab, call: &Call, cluster: &str) -> Result<(), Refusal> {
    let cluster = cluster.rsplit('/').next().unwrap_or_default();
    let prefix = arn_of(&call.region, cluster, "");
    match lab.ecs.services().keys().any(|arn| arn.starts_with(&prefix)) {
        true => Ok(()),
        false => Err(Refusal::bad_request("ClusterNotFoundException", "Cluster not found.")),
    }
}

/// "Failures: MISSING" is of services that are not there; those that were deleted are told as inactive.
fn describe(lab: &Lab, call: &Call) -> Result<(String, Value), Refusal> {
    let Describe { cluster, services, include } = input(call)?;
    clusters_exist(lab, call, &cluster)?;
    if let Some(other) = include.iter().find(|include| *include != "TAGS") {
        return Err(Refusal::unsupported(format!("services with {other}")));
    }
    let (mut found, mut failures) = (Vec::new(), Vec::new());
    for arn in services.iter().map(|service| named(call, &cluster, service)) {
        let Some(service) = lab.ecs.service(&arn) else {
            failures.push(json!({"arn": arn, "reason": "MISSING"}));
            continue;
        };
        let name = arn.rsplit('/').next().unwrap_or_default();
        let mut told = json!({
            "serviceArn": arn, "serviceName": name, "status": service.status, "schedulingStrategy": service.strategy,
            "desiredCount": service.desired, "runningCount": service.running, "pendingCount": 0,
        });
        if !include.is_empty() {
            let tags = service.tags.iter().map(|(key, value)| json!({"key": key, "value": value}));
            told["tags"] = tags.collect();
        }
        found.push(told);
    }
    Ok((services.join(","), json!({"services": found, "failures": failures})))
}

fn update(lab: &Lab, call: &Call) -> Result<(String, Value), Refusal> {
    let Update { cluster, service, desired_count } = input(call)?;
    clusters_exist(lab, call, &cluster)?;
    let arn = named(call, &cluster, &service);
    let mut services = lab.ecs.services();
    let service = services.get_mut(&arn);
    let service = service.ok_or_else(|| Refusal::bad_request("ServiceNotFoundException", "Service not found."))?;
    if service.status != "ACTIVE" {
        return Err(Refusal::bad_request("ServiceNotActiveException", "Service was not ACTIVE."));
    }
    if service.strategy == "DAEMON" {
        let message = "The daemon scheduling strategy does not support a desired count for the service.";
        return Err(Refusal::bad_request("InvalidParameterException", message));
    }
    service.desired = desired_count;
    let told = json!({"service": {"serviceArn": arn, "status": "ACTIVE", "desiredCount": desired_count}});
    Ok((arn, told))
}

fn tag(lab: &Lab, call: &Call) -> Result<(String, Value), Refusal> {
    let Tagged { resource_arn, tags, tag_keys } = input(call)?;
    let is_here = Arn::parse(&resource_arn).is_some_and(|arn| arn.region == call.region);
    let mut services = lab.ecs.services();
    let service = services.get_mut(&resource_arn).filter(|_| is_here);
    let service = service.ok_or_else(|| {
        Refusal::bad_request("InvalidParameterException", "The specified service could not be found.")
    })?;
    service.tags.extend(tags.into_iter().map(|tag| (tag.key, tag.value)));
    service.tags.retain(|key, _| !tag_keys.contains(key));
    Ok((resource_arn, json!({})))
}
