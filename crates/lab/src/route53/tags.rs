//! The calls about tags of zones and health checks.

use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

use super::wire::{ok, read};
use super::{Outcome, Refusal};
use crate::Lab;
use crate::api::Call;

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Tag {
    key: String,
    #[serde(default)]
    value: String,
}

#[derive(Default, Serialize, Deserialize)]
struct Tags {
    #[serde(rename = "Tag", default)]
    items: Vec<Tag>,
}

#[derive(Default, Deserialize)]
struct Keys {
    #[serde(rename = "Key", default)]
    items: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct ChangeTagsRequest {
    #[serde(rename = "@xmlns", default)]
    _xmlns: IgnoredAny,
    #[serde(default)]
    add_tags: Tags,
    #[serde(default)]
    remove_tag_keys: Keys,
}

/// The kind of resource that a call's path names, if there is such a resource.
fn kind_of(lab: &Lab, call: &Call, id: &str) -> Result<String, Refusal> {
    let path = percent_encoding::percent_decode_str(&call.path).decode_utf8_lossy();
    let kind = path.split_once("/tags/").and_then(|(_, rest)| rest.split('/').next()).unwrap_or_default();
    let state = lab.route53.state();
    match kind {
        "hostedzone" => state.zone(id).map(|_| ()),
        "healthcheck" if state.checks.get(id).is_none() => Err(Refusal::NoSuchHealthCheck(id.to_owned())),
        "healthcheck" => Ok(()),
        other => Err(Refusal::InvalidInput(format!("{other} is no type of resource that has tags"))),
    }?;
    Ok(kind.to_owned())
}

pub(super) fn change(lab: &Lab, call: &Call, id: &str) -> Outcome {
    #[derive(Serialize)]
    struct Empty {}
    let request: ChangeTagsRequest = read(&call.body)?;
    let kind = kind_of(lab, call, id)?;
    let mut state = lab.route53.state();
    // The tag by which people know a check.
    let name = request.add_tags.items.iter().find(|tag| tag.key == "Name").map(|tag| tag.value.clone());
    if let (Some(check), Some(name)) = (state.checks.get_mut(id), name) {
        check.config.name = Some(name);
    }
    let tags = state.tags.entry((kind, id.to_owned())).or_default();
    tags.extend(request.add_tags.items.into_iter().map(|tag| (tag.key, tag.value)));
    tags.retain(|key, _| !request.remove_tag_keys.items.contains(key));
    ok("ChangeTagsForResourceResponse", Empty {})
}

pub(super) fn list(lab: &Lab, call: &Call, id: &str) -> Outcome {
    #[derive(Serialize)]
    #[serde(rename_all = "PascalCase")]
    struct ResourceTagSet {
        resource_type: String,
        resource_id: String,
        tags: Tags,
    }
    #[derive(Serialize)]
    #[serde(rename_all = "PascalCase")]
    struct Answer {
        resource_tag_set: ResourceTagSet,
    }
    let kind = kind_of(lab, call, id)?;
    let state = lab.route53.state();
    let tags = state.tags.get(&(kind.clone(), id.to_owned())).into_iter().flatten();
    let items = tags.map(|(key, value)| Tag { key: key.clone(), value: value.clone() }).collect();
    let set = ResourceTagSet { resource_type: kind, resource_id: id.to_owned(), tags: Tags { items } };
    ok("ListTagsForResourceResponse", Answer { resource_tag_set: set })
}
