//! What can become of an AWS call, and what follows from it.

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

/// How often an invocation looks again where [`CallError::may_look_again`] says so; then the tick goes on.
pub const PASSES_MAX: usize = 3;

/// A call that did not succeed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// It never left: trying again is safe.
    #[error("{call} was never sent: {why}")]
    NeverSent {
        /// The API's name for the call.
        call: &'static str,
        /// Why.
        why: String,
    },
    /// AWS refused it and says why; nothing was done.
    #[error("{call} was refused: {code}: {message}")]
    Refused {
        /// The API's name for the call.
        call: &'static str,
        /// AWS's error code.
        code: String,
        /// AWS's words.
        message: String,
    },
    /// It may have taken effect or not: only looking again can tell.
    #[error("{call} has an unknown outcome: {why}")]
    Unknown {
        /// The API's name for the call.
        call: &'static str,
        /// What went wrong.
        why: String,
    },
}

impl CallError {
    /// True if AWS refused with this code.
    #[must_use]
    pub fn is_refused_with(&self, wanted: &str) -> bool {
        matches!(self, Self::Refused { code, .. } if code == wanted)
    }

    /// True if a write was overtaken by another, or its outcome is unknown: the zone itself tells. Other refusals would only be
    /// repeated.
    #[must_use]
    pub fn may_look_again(&self) -> bool {
        match self {
            Self::NeverSent { .. } | Self::Unknown { .. } => true,
            Self::Refused { .. } => self.is_refused_with("InvalidChangeBatch"),
        }
    }

    /// Sorts an SDK error into the three kinds.
    pub fn of<E: ProvideErrorMetadata + std::error::Error + 'static>(
        call: &'static str,
        error: SdkError<E, HttpResponse>,
    ) -> Self {
        match &error {
            SdkError::ConstructionFailure(_) => Self::NeverSent { call, why: in_words(&error) },
            SdkError::ServiceError(answer) => {
                let status = answer.raw().status().as_u16();
                let code = answer.err().code().map(str::to_owned).or_else(|| legacy_code(answer.raw()));
                match code {
                    // A 5xx answer may come from a server that had begun.
                    Some(code) if status < 500 => {
                        let message = answer.err().message().unwrap_or_default().to_owned();
                        Self::Refused { call, code, message }
                    }
                    code => Self::Unknown { call, why: format!("HTTP {status} {}", code.unwrap_or_default()) },
                }
            }
            _ => Self::Unknown { call, why: in_words(&error) },
        }
    }
}

/// An error and what it came of, without what only a developer can read.
fn in_words(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    let told: Vec<_> = std::iter::once(error.to_string()).chain(causes.map(ToString::to_string)).collect();
    told.join(": ")
}

/// Route 53's documented old error root, `<InvalidChangeBatch>`, carries no `<Code>`, so the SDK finds none in it.
fn legacy_code(response: &HttpResponse) -> Option<String> {
    let body = std::str::from_utf8(response.body().bytes()?).ok()?;
    body.contains("<InvalidChangeBatch").then(|| "InvalidChangeBatch".to_owned())
}
