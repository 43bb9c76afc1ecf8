//! Auto Scaling: groups of instances as people made them. The lab launches nothing.

mod changes;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use serde::Serialize;

use crate::Lab;
use crate::api::{Call, Reply};
use crate::arn::arn;
use crate::wire::Refusal;
use crate::wire::query::{Form, reply};

/// Groups, by region and name.
#[derive(Debug, Default)]
pub struct AutoScaling(Mutex<BTreeMap<(String, String), Group>>);

/// A group.
#[derive(Clone, Debug, Default)]
pub struct Group {
    /// Its tags.
    pub tags: BTreeMap<String, String>,
    /// The fewest instances, the most, and how many it is to have.
    pub sizes: [u32; 3],
    /// Its instances: id, lifecycle state, health.
    pub instances: Vec<(String, &'static str, &'static str)>,
    /// Processes that somebody suspended.
    pub suspended: Vec<String>,
    /// ARNs of the target groups that its instances are registered with.
    pub target_groups: Vec<String>,
    /// What it did, the newest last: when, how it ended, and what AWS says about it.
    pub activities: Vec<(Timestamp, &'static str, String)>,
}

impl AutoScaling {
    /// Changes a group as people do; one that is not there yet is made.
    pub fn change(&self, region: &str, name: &str, change: impl FnOnce(&mut Group)) {
        change(self.groups().entry((region.to_owned(), name.to_owned())).or_default());
    }

    /// Removes a group.
    pub fn delete(&self, region: &str, name: &str) {
        self.groups().remove(&(region.to_owned(), name.to_owned()));
    }

    /// A group as it is now.
    pub fn group(&self, region: &str, name: &str) -> Option<Group> {
        self.groups().get(&(region.to_owned(), name.to_owned())).cloned()
    }

    fn groups(&self) -> MutexGuard<'_, BTreeMap<(String, String), Group>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn of_region(&self, region: &str) -> Vec<(String, Group)> {
        let all = self.groups();
        let here = all.iter().filter(|((of, _), _)| of == region);
        here.map(|((_, name), group)| (name.clone(), group.clone())).collect()
    }
}

#[derive(Serialize)]
struct Members<T> {
    member: Vec<T>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Groups {
    auto_scaling_groups: Members<Described>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Described {
    auto_scaling_group_name: String,
    #[serde(rename = "AutoScalingGroupARN")]
    arn: String,
    min_size: u32,
    max_size: u32,
    desired_capacity: u32,
    #[serde(rename = "TargetGroupARNs")]
    target_groups: Members<String>,
    instances: Members<Instance>,
    suspended_processes: Members<Suspended>,
    tags: Members<Tag>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Tag {
    resource_id: String,
    resource_type: &'static str,
    key: String,
    value: String,
    propagate_at_launch: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Instance {
    instance_id: String,
    lifecycle_state: &'static str,
    health_status: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Suspended {
    process_name: String,
    suspension_reason: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Activities {
    activities: Members<Activity>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Activity {
    activity_id: String,
    auto_scaling_group_name: String,
    cause: &'static str,
    start_time: Timestamp,
    status_code: &'static str,
    status_message: String,
}

/// Answers one API call.
pub async fn answer(lab: &Arc<Lab>, call: &Call) -> Reply {
    let mut form = Form::read(call);
    let action = form.take("Action").unwrap_or_default();
    match action.as_str() {
        "DescribeAutoScalingGroups" => {
            let names: Vec<_> =
                (1..).map_while(|nth| form.take(&format!("AutoScalingGroupNames.member.{nth}"))).collect();
            reply(&action, form.finish().map(|()| (names.join(","), groups(lab, &call.region, &names))))
        }
        "UpdateAutoScalingGroup" => reply(&action, changes::resize(lab, &call.region, form)),
        "CreateOrUpdateTags" => reply(&action, changes::tag(lab, &call.region, form, true)),
        "DeleteTags" => reply(&action, changes::tag(lab, &call.region, form, false)),
        "DescribeScalingActivities" => reply(&action, activities(lab, &call.region, form)),
        other => reply::<()>(other, Err(Refusal::unsupported(format!("the Auto Scaling action {other}")))),
    }
}

/// The ARN of a group.
pub fn arn_of(region: &str, name: &str) -> String {
    arn("autoscaling", region, &format!("autoScalingGroup:0:autoScalingGroupName/{name}"))
}

/// Those of the region; if any are named, those of them that there are.
fn groups(lab: &Lab, region: &str, names: &[String]) -> Groups {
    let described = |(name, group): (String, Group)| {
        let [min_size, max_size, desired_capacity] = group.sizes;
        let instance =
            |(id, lifecycle_state, health_status)| Instance { instance_id: id, lifecycle_state, health_status };
        let tag = |name: &str, key, value| Tag {
            resource_id: name.to_owned(),
            resource_type: "auto-scaling-group",
            key,
            value,
            propagate_at_launch: false,
        };
        let suspended = |process_name| Suspended { process_name, suspension_reason: "User suspended" };
        Described {
            arn: arn_of(region, &name),
            tags: Members { member: group.tags.into_iter().map(|(key, value)| tag(&name, key, value)).collect() },
            auto_scaling_group_name: name,
            min_size,
            max_size,
            desired_capacity,
            target_groups: Members { member: group.target_groups },
            instances: Members { member: group.instances.into_iter().map(instance).collect() },
            suspended_processes: Members { member: group.suspended.into_iter().map(suspended).collect() },
        }
    };
    let is_asked_for = |(name, _): &(String, Group)| names.is_empty() || names.contains(name);
    let found = lab.autoscaling.of_region(region).into_iter().filter(is_asked_for);
    Groups { auto_scaling_groups: Members { member: found.map(described).collect() } }
}

fn activities(lab: &Lab, region: &str, mut form: Form) -> Result<(String, Activities), Refusal> {
    let wanted = form.required("AutoScalingGroupName")?;
    let most = form.take("MaxRecords").and_then(|most| most.parse().ok()).unwrap_or(100);
    form.finish()?;
    let found = lab.autoscaling.of_region(region).into_iter().find(|(name, _)| *name == wanted);
    let (name, group) =
        found.ok_or_else(|| Refusal::bad_request("ValidationError", "AutoScalingGroup name not found - null"))?;
    // "Activities are sorted by start time" (DescribeScalingActivities), the newest first.
    let newest = group.activities.into_iter().enumerate().rev().take(most);
    let described =
        |(nth, (start_time, status_code, status_message)): (usize, (Timestamp, &'static str, String))| Activity {
            activity_id: format!("00000000-0000-0000-0000-{nth:012}"),
            auto_scaling_group_name: name.clone(),
            cause: "a person changed the desired capacity",
            start_time,
            status_code,
            status_message,
        };
    Ok((wanted, Activities { activities: Members { member: newest.map(described).collect() } }))
}
