//! One AWS API call as it arrives, and the answer to it, whatever the protocol.

use axum::body::Bytes;
use axum::http::{HeaderMap, Method, StatusCode};

/// A request signed for a service in a region.
#[derive(Debug)]
pub struct Call {
    /// Who signed it: a function's name where a function did, the access key id otherwise.
    pub caller: String,
    /// The access key id it was signed with, or the one that assumed `role`.
    pub key: String,
    /// ARN of the role it was signed as, if one was assumed for it.
    pub role: Option<String>,
    /// Region of the credential scope.
    pub region: String,
    /// Signing name of the service: `route53`, `rds`, `monitoring`, `sns`, …
    pub service: String,
    /// HTTP method.
    pub method: Method,
    /// Path, percent-encoded as sent.
    pub path: String,
    /// Query string, without `?`.
    pub query: String,
    /// Headers.
    pub headers: HeaderMap,
    /// Body.
    pub body: Bytes,
}

/// An answer, with what the journal should say about the call.
#[derive(Debug)]
pub struct Reply {
    /// The API's name for the call.
    pub action: String,
    /// What the call was about.
    pub resource: String,
    /// HTTP status.
    pub status: StatusCode,
    /// Media type of the body.
    pub content_type: &'static str,
    /// Further headers.
    pub headers: Vec<(&'static str, String)>,
    /// Body.
    pub body: Vec<u8>,
    /// AWS's error code, if this is a refusal.
    pub error: Option<String>,
}

impl Reply {
    /// A successful answer.
    pub fn ok(action: &str, resource: impl Into<String>, content_type: &'static str, body: Vec<u8>) -> Self {
        Self {
            action: action.to_owned(),
            resource: resource.into(),
            status: StatusCode::OK,
            content_type,
            headers: Vec::new(),
            body,
            error: None,
        }
    }
}
