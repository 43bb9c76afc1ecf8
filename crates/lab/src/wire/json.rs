//! The AWS JSON protocols: the action in `X-Amz-Target`, JSON both ways.

use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::Refusal;
use crate::api::{Call, Reply};

/// A version of the protocol, which is only a media type.
pub const JSON_1_0: &str = "application/x-amz-json-1.0";
/// See [`JSON_1_0`].
pub const JSON_1_1: &str = "application/x-amz-json-1.1";

/// The action a call names, without the service's prefix.
pub fn action(call: &Call) -> &str {
    let target = call.headers.get("x-amz-target").and_then(|target| target.to_str().ok()).unwrap_or_default();
    target.rsplit('.').next().unwrap_or_default()
}

/// Reads a call's parameters; a parameter the lab does not know is refused by name.
pub fn input<T: DeserializeOwned>(call: &Call) -> Result<T, Refusal> {
    serde_json::from_slice(&call.body)
        .map_err(|error| Refusal::unread(error, |error| Refusal::bad_request("SerializationException", error)))
}

/// Writes the answer: the resource the call was about and its result, or the refusal.
pub fn reply(media: &'static str, action: &str, outcome: Result<(String, Value), Refusal>) -> Reply {
    match outcome {
        Ok((resource, result)) => Reply::ok(action, resource, media, result.to_string().into_bytes()),
        Err(refusal) => {
            let body = json!({"__type": refusal.code, "message": refusal.message});
            Reply {
                status: refusal.status,
                error: Some(refusal.code),
                ..Reply::ok(action, "", media, body.to_string().into_bytes())
            }
        }
    }
}
