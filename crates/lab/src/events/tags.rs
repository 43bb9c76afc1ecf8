//! The tags of rules.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::Lab;
use crate::api::Call;
use crate::arn::Arn;
use crate::wire::Refusal;
use crate::wire::json::input;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Tagged {
    #[serde(rename = "ResourceARN")]
    arn: String,
    #[serde(rename = "Tags", default)]
    tags: Vec<Tag>,
    #[serde(rename = "TagKeys", default)]
    keys: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Tag {
    key: String,
    value: String,
}

/// Answers one call about tags.
pub(super) fn answer(lab: &Lab, call: &Call, action: &str) -> Result<(String, Value), Refusal> {
    let Tagged { arn, tags, keys } = input(call)?;
    let (bus, name) = rule_in(&arn)?;
    let mut state = lab.events.state();
    let kept: &mut BTreeMap<String, String> = &mut state.rule(&call.region, bus.as_deref(), &name)?.tags;
    let answer = match action {
        "TagResource" => {
            kept.extend(tags.into_iter().map(|tag| (tag.key, tag.value)));
            json!({})
        }
        "UntagResource" => {
            kept.retain(|key, _| !keys.contains(key));
            json!({})
        }
        _ => json!({"Tags": kept.iter().map(|(key, value)| json!({"Key": key, "Value": value})).collect::<Vec<_>>()}),
    };
    Ok((arn, answer))
}

fn rule_in(arn: &str) -> Result<(Option<String>, String), Refusal> {
    let rule = Arn::parse(arn).and_then(|arn| arn.named("rule/").map(str::to_owned));
    let rule = rule.ok_or_else(|| Refusal::unsupported(format!("tags of {arn}")))?;
    Ok(match rule.rsplit_once('/') {
        Some((bus, name)) => (Some(bus.to_owned()), name.to_owned()),
        None => (None, rule),
    })
}

/// What an action's resource is, and the keys of the tags that it writes or takes off.
pub(crate) fn asked(call: &Call) -> (String, Vec<String>) {
    match input::<Tagged>(call) {
        Ok(Tagged { arn, tags, keys }) => (arn, tags.into_iter().map(|tag| tag.key).chain(keys).collect()),
        // What cannot be read is refused by the service itself.
        Err(_) => (String::new(), Vec::new()),
    }
}
