//! What changes a group: its sizes and its tags.

use serde::Serialize;

use super::Group;
use crate::Lab;
use crate::wire::Refusal;
use crate::wire::query::Form;

/// The result of a call that answers nothing.
#[derive(Serialize)]
pub(super) struct Nothing {}

fn invalid(message: impl Into<String>) -> Refusal {
    Refusal::bad_request("ValidationError", message)
}

fn change<T>(
    lab: &Lab,
    region: &str,
    name: &str,
    change: impl FnOnce(&mut Group) -> Result<T, Refusal>,
) -> Result<T, Refusal> {
    let mut groups = lab.autoscaling.groups();
    let group = groups.get_mut(&(region.to_owned(), name.to_owned()));
    change(group.ok_or_else(|| invalid("AutoScalingGroup name not found - null"))?)
}

/// "If you specify a new value for MinSize without specifying a value for DesiredCapacity, and the new MinSize is larger than the current
/// size of the group, this sets the group's DesiredCapacity to the new MinSize value" (UpdateAutoScalingGroup), and the same of MaxSize.
pub(super) fn resize(lab: &Lab, region: &str, mut form: Form) -> Result<(String, Nothing), Refusal> {
    let name = form.required("AutoScalingGroupName")?;
    let mut size = |field: &str| match form.take(field) {
        Some(text) => text.parse::<u32>().map(Some).map_err(|_| invalid(format!("{field} must be a number"))),
        None => Ok(None),
    };
    let (min, max, desired) = (size("MinSize")?, size("MaxSize")?, size("DesiredCapacity")?);
    form.finish()?;
    change(lab, region, &name, |group| {
        let [min_now, max_now, desired_now] = group.sizes;
        let (min, max) = (min.unwrap_or(min_now), max.unwrap_or(max_now));
        if min > max {
            return Err(invalid("Max bound must be greater than or equal to min bound"));
        }
        match desired {
            Some(desired) if !(min..=max).contains(&desired) => {
                let bounds = format!("specified min size:{min} and max size:{max}");
                return Err(invalid(format!("Desired capacity:{desired} must be between the {bounds}")));
            }
            Some(desired) => group.sizes = [min, max, desired],
            None => group.sizes = [min, max, desired_now.clamp(min, max)],
        }
        Ok(())
    })?;
    Ok((name, Nothing {}))
}

/// "When you specify a tag with a key that already exists, the operation overwrites the previous tag definition" (CreateOrUpdateTags).
pub(super) fn tag(lab: &Lab, region: &str, mut form: Form, is_kept: bool) -> Result<(String, Nothing), Refusal> {
    let mut named = String::new();
    for nth in 1.. {
        let mut field = |what: &str| form.take(&format!("Tags.member.{nth}.{what}"));
        let Some(key) = field("Key") else { break };
        let (kind, value) = (field("ResourceType").unwrap_or_default(), field("Value").unwrap_or_default());
        let name = field("ResourceId").ok_or_else(|| invalid("ResourceId is required"))?;
        // Whether instances that are launched get it too: the lab launches none.
        field("PropagateAtLaunch");
        if kind != "auto-scaling-group" {
            return Err(Refusal::unsupported(format!("tags of the resource type {kind}")));
        }
        change(lab, region, &name, |group| {
            match is_kept {
                true => drop(group.tags.insert(key, value)),
                false => drop(group.tags.remove(&key)),
            }
            Ok(())
        })?;
        named = name;
    }
    form.finish()?;
    Ok((named, Nothing {}))
}
