//! Event source mappings: whether functions get what queues and streams hold. The lab carries nothing from one to the other.

use std::time::Duration;

use axum::http::Method;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::json;

use super::api::JSON;
use crate::Lab;
use crate::api::{Call, Reply};
use crate::arn::arn;
use crate::wire::Refusal;
use crate::wire::json::input;

/// How long Lambda takes to switch one; undocumented, some seconds up to a minute are seen.
const SWITCHES_IN: Duration = Duration::from_secs(20);

/// A mapping.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mapping {
    on: bool,
    since: Timestamp,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Update {
    enabled: bool,
}

/// The ARN of a mapping.
pub fn arn_of(region: &str, id: &str) -> String {
    arn("lambda", region, &format!("event-source-mapping:{id}"))
}

impl super::Functions {
    /// Makes a mapping as people do; its ARN.
    pub fn map(&self, region: &str, id: &str, on: bool) -> String {
        let arn = arn_of(region, id);
        self.state().mappings.insert(arn.clone(), Mapping { on, since: Timestamp::MIN });
        arn
    }

    /// Whether a mapping is on, or on its way there.
    pub fn is_mapped(&self, arn: &str) -> Option<bool> {
        self.state().mappings.get(arn).map(|mapping| mapping.on)
    }
}

/// The API's name of a call about a mapping.
pub(super) fn name_of(call: &Call) -> Option<&'static str> {
    id_in(call)?;
    match call.method {
        Method::GET => Some("GetEventSourceMapping"),
        Method::PUT => Some("UpdateEventSourceMapping"),
        _ => None,
    }
}

/// The ARN of the mapping that a call is about.
pub(super) fn arn_in(call: &Call) -> Option<String> {
    id_in(call).map(|id| arn_of(&call.region, id))
}

fn id_in(call: &Call) -> Option<&str> {
    call.path.strip_prefix("/2015-03-31/event-source-mappings/")
}

/// Answers one call about a mapping.
pub(super) fn answer(lab: &Lab, call: &Call, action: &'static str) -> Result<Reply, Refusal> {
    let (arn, now) = (arn_in(call).unwrap_or_default(), lab.clock.now());
    let mut state = lab.functions.state();
    let mapping = state
        .mappings
        .get_mut(&arn)
        .ok_or_else(|| Refusal::not_found("ResourceNotFoundException", "The resource you requested does not exist."))?;
    if action == "UpdateEventSourceMapping" {
        let Update { enabled } = input(call)?;
        if mapping.is_at_work(now) {
            let message = "Cannot update the event source mapping because it is in use.";
            return Err(Refusal::bad_request("ResourceInUseException", message));
        }
        *mapping = Mapping { on: enabled, since: if mapping.on == enabled { mapping.since } else { now } };
    }
    let told = match (mapping.on, mapping.is_at_work(now)) {
        (true, true) => "Enabling",
        (true, false) => "Enabled",
        (false, true) => "Disabling",
        (false, false) => "Disabled",
    };
    let id = arn.rsplit(':').next().unwrap_or_default();
    let body = json!({"UUID": id, "EventSourceMappingArn": arn, "State": told, "StateTransitionReason": "User action"});
    Ok(Reply::ok(action, arn, JSON, body.to_string().into_bytes()))
}

impl Mapping {
    fn is_at_work(self, now: Timestamp) -> bool {
        self.since + SWITCHES_IN > now
    }
}
