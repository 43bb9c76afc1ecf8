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

    /// A request that could not be read: the lab's own refusal where it names something that the lab does not know, or else
    /// what AWS says of it.
    pub fn unread(error: impl std::fmt::Display, otherwise: impl FnOnce(String) -> Self) -> Self {
        let error = error.to_string();
        match lacking(&error) {
            Some(what) => Self::unsupported(what),
            None => otherwise(error),
        }
    }
}

/// What the lab lacks, if that is why a reader gave up: a parameter, or a value of an enumeration. AWS might know it, so
/// no error of AWS's fits. Every service's readers refuse what they do not know (`deny_unknown_fields`), and ask here.
pub fn lacking(error: &str) -> Option<String> {
    let named = |what: &str, start: &str| {
        let name = error.split_once(start)?.1.split('`').next()?;
        Some(format!("the {what} {name}"))
    };
    named("parameter", "unknown field `").or_else(|| named("value", "unknown variant `"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_lab_lacks_is_told_apart_from_what_aws_refuses() {
        let read = |error: &str| Refusal::unread(error, |error| Refusal::bad_request("InvalidInput", error));
        let unknown = read("unknown field `Weight`, expected one of `Name`, `Type` at line 1 column 43");
        assert_eq!((unknown.status, unknown.code.as_str()), (StatusCode::NOT_IMPLEMENTED, "NotImplemented"));
        assert_eq!(unknown.message, "the lab does not know the parameter Weight");
        assert_eq!(read("unknown variant `UDP`, expected `TCP`").message, "the lab does not know the value UDP");
        assert_eq!(read("missing field `Name`").code, "InvalidInput");
    }
}
