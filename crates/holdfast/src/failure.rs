//! Why a command did not do what it was asked for.

use aws::access::unready;
use aws::secret::{SecretArn, Unreadable};
use aws::{CallError, Session};

use crate::unreached::{other_policy, remedy};

/// How AWS says that the credentials themselves are no good, or not any more.
const STALE: [&str; 5] =
    ["ExpiredToken", "ExpiredTokenException", "InvalidClientTokenId", "RequestExpired", "UnrecognizedClientException"];
/// How it says that they may not do this.
const DENIED: [&str; 3] = ["AccessDenied", "AccessDeniedException", "UnauthorizedOperation"];

/// What went wrong, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// A rule or the state of things does not allow it.
    #[error("{0}")]
    Refused(String),
    /// The command cannot be understood or carried out here.
    #[error("{0}")]
    Usage(String),
    /// AWS did not do its part.
    #[error("{0}; {next}", next = goes_on(.0))]
    Aws(#[from] CallError),
    /// AWS was not reached, or did not answer.
    #[error(
        "{error}; it was asked {place}. {remedy}. Nothing was changed by it: run the command again", remedy = remedy(&error.words())
    )]
    Unreached {
        /// The call.
        error: CallError,
        /// Where: the region, and the endpoint if this machine was given one.
        place: String,
    },
    /// A secret gives no user for the databases, so that nobody was asked.
    #[error("--database-secret {arn}: {why}. Nothing was changed")]
    Secret {
        /// Which.
        arn: SecretArn,
        /// Why not.
        why: Unreadable,
    },
    /// A person did not confirm.
    #[error("not confirmed, so it was not done{0}")]
    NotConfirmed(&'static str),
}

fn goes_on(error: &CallError) -> &'static str {
    match error {
        CallError::Refused { code, message, .. } if DENIED.contains(&code.as_str()) => other_policy(message).unwrap_or(
            "the operators' policy allows all that holdfast does: docs/policies/operator.json; for holdfast drill it is drill.json there",
        ),
        _ => "run the command again: it goes on from what it finds",
    }
}

/// Where a session's calls go; what was asked of the primary region fails in the same words.
fn place(session: &Session) -> String {
    let region = session.config().region().map_or("no region", |region| region.as_ref());
    match session.config().endpoint_url() {
        Some(url) => format!(
            "at {url} (AWS_ENDPOINT_URL or the profile) for {region}, or for the primary region where that is asked"
        ),
        None => format!("at AWS's endpoint for {region}, or for the primary region where that is asked"),
    }
}

impl Failure {
    /// A call that did not come off, by what this machine lacks if that is why.
    pub async fn of_call(session: &Session, error: CallError) -> Self {
        match &error {
            CallError::Refused { code, .. } if STALE.contains(&code.as_str()) => {
                Self::Usage(format!("AWS does not take these credentials (any more): {error}. Log in again"))
            }
            CallError::Refused { .. } => Self::Aws(error),
            _ => match unready(session).await {
                Some(unready) => Self::Usage(unready.to_string()),
                None if matches!(error, CallError::Unanswered { .. }) => {
                    Self::Unreached { error, place: place(session) }
                }
                None => Self::Aws(error),
            },
        }
    }

    /// What the shell is told; `holdfast --help` lists them.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Refused(_) => 1,
            Self::Secret { why: Unreadable::Denied { .. } | Unreadable::Unanswered { .. }, .. } => 3,
            Self::Usage(_) | Self::Secret { .. } => 2,
            Self::Aws(_) | Self::Unreached { .. } => 3,
            Self::NotConfirmed(_) => 4,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(code: &str) -> Failure {
        Failure::Aws(CallError::Refused { call: "DescribeAlarms", code: code.to_owned(), message: "no".to_owned() })
    }

    fn secret(why: Unreadable) -> Failure {
        let arn = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:shop/database".parse().unwrap();
        Failure::Secret { arn, why }
    }

    #[test]
    fn whoever_may_not_do_it_is_told_which_policy_allows_it_and_everybody_else_to_try_again() {
        for denied in DENIED {
            assert!(refused(denied).to_string().contains("docs/policies/operator.json"), "{denied}");
        }
        assert!(refused("Throttling").to_string().ends_with("run the command again: it goes on from what it finds"));
    }

    #[test]
    fn a_script_tells_failures_apart_by_the_codes_that_help_lists() {
        let unreached = CallError::Unanswered { call: "DescribeAlarms", why: "no answer came in time".to_owned() };
        for (failure, listed) in [
            (Failure::Refused("P09".to_owned()), "1 refused"),
            (Failure::Usage("--region".to_owned()), "2 wrong usage"),
            (refused("Throttling"), "3 AWS did not do its part"),
            (
                Failure::Unreached { error: unreached, place: "at AWS's endpoint".to_owned() },
                "3 AWS did not do its part",
            ),
            (secret(Unreadable::NotJson), "2 wrong usage"),
            (secret(Unreadable::Denied { said: "no".to_owned() }), "3 AWS did not do its part"),
            (Failure::NotConfirmed(""), "4 not confirmed"),
        ] {
            assert!(listed.starts_with(&failure.exit_code().to_string()), "{failure}");
            assert!(crate::examples::PROGRAM.contains(listed), "{listed}");
        }
    }
}
