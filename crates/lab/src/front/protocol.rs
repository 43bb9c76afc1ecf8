//! What the front door must know of a call before, or instead of, the service it is for: its action, and how that service refuses.

use crate::api::{Call, Reply};
use crate::wire::{Refusal, json, query};
use crate::{cloudwatch, functions, route53};

/// The API's name for a call, as far as it can be told before the service has read it.
pub(super) fn action(call: &Call) -> String {
    match call.service.as_str() {
        "route53" => route53::name_of(call).0.to_owned(),
        "lambda" => functions::name_of(call).to_owned(),
        _ if call.headers.contains_key("x-amz-target") => json::action(call).to_owned(),
        _ => match call.path.rsplit_once("/operation/") {
            Some((_, operation)) => operation.to_owned(),
            None => query::action(call),
        },
    }
}

/// A refusal that does not come from the service itself, in the protocol of the call.
pub(super) fn refuse(call: &Call, action: &str, refusal: Refusal) -> Reply {
    match call.service.as_str() {
        "route53" => route53::refuse(action, &refusal),
        "lambda" => functions::refuse(action, refusal),
        "monitoring" => cloudwatch::refuse(call, action, refusal),
        _ if call.headers.contains_key("x-amz-target") => json::reply(json::JSON_1_0, action, Err(refusal)),
        _ => query::reply::<()>(action, Err(refusal)),
    }
}
