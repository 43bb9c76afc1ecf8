//! Why Route 53 refuses a request, and how it says so.

use axum::http::StatusCode;

use super::name::BadName;
use super::protections::Fault;
use super::wire;

/// Why Route 53 refuses a request.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The zone is not there.
    #[error("No hosted zone found with ID: {0}")]
    NoSuchHostedZone(String),
    /// The change is not there.
    #[error("A change with the specified change ID does not exist: {0}")]
    NoSuchChange(String),
    /// The health check is not there.
    #[error("A health check with id {0} does not exist.")]
    NoSuchHealthCheck(String),
    /// The creator's reference was used before.
    #[error("A hosted zone has already been created with the specified caller reference: {0}")]
    HostedZoneAlreadyExists(String),
    /// The creator's reference was used before, with other settings.
    #[error("A health check with the same caller reference and other settings already exists: {0}")]
    HealthCheckAlreadyExists(String),
    /// Somebody updated the check in between.
    #[error(
        "The value of HealthCheckVersion in the request doesn't match the value of HealthCheckVersion in the health check."
    )]
    HealthCheckVersionMismatch,
    /// There is more in it than its NS and SOA records.
    #[error("The specified hosted zone contains non-required resource record sets and so cannot be deleted.")]
    HostedZoneNotEmpty,
    /// Something is wrong with the batch.
    #[error("[{}]", .0.join(", "))]
    InvalidChangeBatch(Vec<String>),
    /// Some entries of a request about protections cannot be carried out, so none was.
    #[error("One or more protections in the request could not be processed.")]
    InvalidProtections(Vec<Fault>),
    /// All that is to be protected is protected already.
    #[error("A protection already exists for every name and type in the request.")]
    ProtectionAlreadyExists(Vec<Fault>),
    /// The token of a further page is none that the lab gave.
    #[error("The pagination token {0} is invalid.")]
    InvalidPaginationToken(String),
    /// The zone takes no changes while accelerated recovery is turned on or off. That changes are refused is documented,
    /// with which error is not; this one is modelled for it, and SDKs try it again.
    #[error("The hosted zone {0} is locked while accelerated recovery is being turned on or off.")]
    Locked(String),
    /// Something is wrong with the request.
    #[error("{0}")]
    InvalidInput(String),
    /// The account asks too often.
    #[error("Rate exceeded")]
    Throttling,
    /// The lab does not know the call.
    #[error("the lab does not know {0}")]
    NotImplemented(String),
}

impl Refusal {
    /// AWS's code and status.
    pub(super) fn code(&self) -> (&'static str, StatusCode) {
        match self {
            Self::NoSuchHostedZone(_) => ("NoSuchHostedZone", StatusCode::NOT_FOUND),
            Self::NoSuchChange(_) => ("NoSuchChange", StatusCode::NOT_FOUND),
            Self::NoSuchHealthCheck(_) => ("NoSuchHealthCheck", StatusCode::NOT_FOUND),
            Self::HostedZoneAlreadyExists(_) => ("HostedZoneAlreadyExists", StatusCode::CONFLICT),
            Self::HealthCheckAlreadyExists(_) => ("HealthCheckAlreadyExists", StatusCode::CONFLICT),
            Self::HealthCheckVersionMismatch => ("HealthCheckVersionMismatch", StatusCode::CONFLICT),
            Self::HostedZoneNotEmpty => ("HostedZoneNotEmpty", StatusCode::BAD_REQUEST),
            Self::InvalidChangeBatch(_) => ("InvalidChangeBatch", StatusCode::BAD_REQUEST),
            Self::InvalidProtections(_) => ("InvalidResourceRecordSetProtectionBatch", StatusCode::BAD_REQUEST),
            Self::ProtectionAlreadyExists(_) => ("ProtectionAlreadyExists", StatusCode::CONFLICT),
            Self::InvalidPaginationToken(_) => ("InvalidPaginationToken", StatusCode::BAD_REQUEST),
            Self::Locked(_) => ("PriorRequestNotComplete", StatusCode::BAD_REQUEST),
            Self::InvalidInput(_) => ("InvalidInput", StatusCode::BAD_REQUEST),
            Self::Throttling => ("Throttling", StatusCode::BAD_REQUEST),
            Self::NotImplemented(_) => ("NotImplemented", StatusCode::NOT_IMPLEMENTED),
        }
    }
}

impl Refusal {
    /// The body of the answer.
    pub(super) fn body(&self, root: ErrorRoot, request_id: &str) -> String {
        let more = match self {
            Self::InvalidChangeBatch(messages) if root == ErrorRoot::InvalidChangeBatch => {
                return wire::invalid_change_batch(messages, request_id);
            }
            Self::InvalidProtections(faults) | Self::ProtectionAlreadyExists(faults) => wire::protection_errors(faults),
            _ => String::new(),
        };
        wire::error(self.code().0, &self.to_string(), &more, request_id)
    }
}

/// How an `InvalidChangeBatch` is written. Both are AWS's: its model has `messages` and `message`, recordings of today have
/// the second, and which of them a protection's refusal has is not known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ErrorRoot {
    /// `<ErrorResponse><Error><Code>InvalidChangeBatch</Code><Message>[…]`, as everything else.
    #[default]
    ErrorResponse,
    /// `<InvalidChangeBatch><Messages><Message>…`
    InvalidChangeBatch,
}

impl From<BadName> for Refusal {
    fn from(bad: BadName) -> Self {
        Self::InvalidInput(format!("FATAL problem: {bad}"))
    }
}
