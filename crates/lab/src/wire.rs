//! What the services' wire protocols have in common.

pub mod json;
pub mod query;

use axum::http::StatusCode;

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

    /// The lab's own refusal: AWS can do this, the lab cannot, and says so.
    pub fn unsupported(what: impl std::fmt::Display) -> Self {
        Self {
            status: StatusCode::NOT_IMPLEMENTED,
            code: "NotImplemented".to_owned(),
            message: format!("the lab does not know {what}"),
        }
    }
}
