//! Lambda event source mappings.

use aws_sdk_lambda::Client;
use failover::step::{Seen, Setting, Tags};

use super::function;
use crate::error::CallError;

/// The tags are read first: what is changed in between is then seen as changed, and never taken for what was before. Lambda switches a
/// mapping in its own time, and says until then which way it goes.
pub(super) async fn look(client: &Client, arn: &str, id: &str) -> Result<Seen, CallError> {
    const CALL: &str = "GetEventSourceMapping";
    let tags = function::tags(client, arn).await?;
    let answer = client.get_event_source_mapping().uuid(id).send().await;
    let answer = answer.map_err(|error| CallError::of(CALL, error))?;
    let there = |on: bool| Seen::There { setting: Setting::On(on), detail: String::new(), tags: Tags::read(&tags) };
    match answer.state() {
        Some("Enabled" | "Enabling") => Ok(there(true)),
        Some("Disabled" | "Disabling") => Ok(there(false)),
        Some("Deleting") => Ok(Seen::Missing),
        // While Lambda works on another change it does not say whether it is on, and refuses ours.
        Some(state) => Ok(Seen::NotSeen(format!("Lambda says {state}"))),
        None => Err(CallError::Unanswered { call: CALL, why: "the answer lacks the mapping's state".to_owned() }),
    }
}

pub(super) async fn switch(client: &Client, id: &str, on: bool) -> Result<(), CallError> {
    let call = client.update_event_source_mapping().uuid(id).enabled(on);
    call.send().await.map(drop).map_err(|error| CallError::of("UpdateEventSourceMapping", error))
}
