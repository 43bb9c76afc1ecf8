//! What the services' wire protocols have in common.

pub mod json;
pub mod query;

use axum::http::StatusCode;

use crate::api::{Call, Reply};
use crate::{cloudwatch, functions, route53};

/// The API's name for a call, as far as it can be told before the service has read it.
pub(crate) fn action(call: &Call) -> String {
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
pub(crate) fn refuse(call: &Call, action: &str, refusal: Refusal) -> Reply {
    match call.service.as_str() {
        "route53" => route53::refuse(action, &refusal),
        "lambda" => functions::refuse(action, refusal),
        "monitoring" => cloudwatch::refuse(call, action, refusal),
        _ if call.headers.contains_key("x-amz-target") => json::reply(json::JSON_1_0, action, Err(refusal)),
        _ => query::reply::<()>(action, Err(refusal)),
    }
}

/// Why a call is not answered with a result.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub struct Refusal {
    /// HTTP status.
    pub status: StatusCode,
    /// AWS's error code.
    pub code: String,
    /// For people.
    pub message: String,
}

impl Refusal {
    /// A refusal AWS documents for the caller's mistakes (HTTP 400).
    pub fn bad_request(code: &str, message: impl Into<String>) -> Self {
        Self { status: StatusCode::BAD_REQUEST, code: code.to_owned(), message: message.into() }
    }

    /// A refusal of something AWS calls unknown (HTTP 404).
    pub fn not_found(code: &str, message: impl Into<String>) -> Self {
        Self { status: StatusCode::NOT_FOUND, code: code.to_owned(), message: message.into() }
    }

    /// A refusal for the service's own trouble (HTTP 503).
    pub fn unavailable(message: impl Into<String>) -> Self {
        let status = StatusCode::SERVICE_UNAVAILABLE;
        Self { status, code: "ServiceUnavailable".to_owned(), message: message.into() }
    }

    /// The lab's own refusal: AWS can do this, the lab cannot, and says so.
    pub fn unsupported(what: impl std::fmt::Display) -> Self {
        Self {
            status: StatusCode::NOT_IMPLEMENTED,
            code: "NotImplemented".to_owned(),
            message: format!("the lab does not know {what}"),
        }
    }
}
