//! The tags of functions and of event source mappings.

use std::collections::BTreeMap;

use axum::http::Method;
use serde::Deserialize;
use serde_json::json;

use super::api::JSON;
use crate::Lab;
use crate::api::{Call, Reply};
use crate::wire::Refusal;
use crate::wire::json::input;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Tags {
    tags: BTreeMap<String, String>,
}

/// The API's name of a call about tags.
pub(super) fn name_of(call: &Call) -> Option<&'static str> {
    arn_in(call)?;
    match call.method {
        Method::GET => Some("ListTags"),
        Method::POST => Some("TagResource"),
        Method::DELETE => Some("UntagResource"),
        _ => None,
    }
}

/// The ARN whose tags a call is about.
pub(super) fn arn_in(call: &Call) -> Option<String> {
    let arn = call.path.strip_prefix("/2017-03-31/tags/")?;
    Some(percent_encoding::percent_decode_str(arn).decode_utf8_lossy().into_owned())
}

/// The keys of the tags that a call writes or takes off.
pub(crate) fn keys_in(call: &Call) -> Vec<String> {
    let written = input::<Tags>(call).map(|tags| tags.tags.into_keys().collect::<Vec<_>>()).unwrap_or_default();
    let taken = form_urlencoded::parse(call.query.as_bytes()).filter(|(field, _)| field == "tagKeys");
    written.into_iter().chain(taken.map(|(_, key)| key.into_owned())).collect()
}

/// Answers one call about tags.
pub(super) fn answer(lab: &Lab, call: &Call, action: &'static str) -> Result<Reply, Refusal> {
    let arn = arn_in(call).unwrap_or_default();
    if !lab.functions.exists(&arn) && lab.functions.is_mapped(&arn).is_none() {
        return Err(Refusal::not_found("ResourceNotFoundException", format!("Resource not found: {arn}")));
    }
    let mut state = lab.functions.state();
    let kept = state.tags.entry(arn.clone()).or_default();
    let body = match action {
        "TagResource" => {
            kept.extend(input::<Tags>(call)?.tags);
            Vec::new()
        }
        "UntagResource" => {
            let keys = keys_in(call);
            kept.retain(|key, _| !keys.contains(key));
            Vec::new()
        }
        _ => json!({"Tags": kept}).to_string().into_bytes(),
    };
    Ok(Reply::ok(action, arn, JSON, body))
}
