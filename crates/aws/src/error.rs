//! What can become of an AWS call, and what follows from it.

use aws_runtime::retries::classifiers::{THROTTLING_ERRORS, TRANSIENT_ERRORS};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use aws_smithy_xml::decode::{Document, ScopedDecoder, try_data};
use failover::refusal::Fate;

/// How often an invocation looks in all, where [`CallError::may_look_again`] says so; then the tick goes on.
pub const PASSES_MAX: usize = 3;

/// What Route 53 calls a batch that was overtaken, and also one that it will never take: the zone tells which.
pub const INVALID_CHANGE_BATCH: &str = "InvalidChangeBatch";

/// How AWS refuses what somebody took away.
const ON_PURPOSE: [&str; 5] = [
    "AccessDenied",
    "AccessDeniedException",
    "NoSuchHostedZone",
    "InvalidClientTokenId",
    "UnrecognizedClientException",
];

/// How AWS refuses what comes while it works on another change, beside what its SDK knows (EventBridge, Lambda, EC2 Auto Scaling).
const PASSING: [&str; 5] = [
    "ConcurrentModificationException",
    "ResourceConflictException",
    "ResourceInUseException",
    "ScalingActivityInProgress",
    "ResourceContention",
];

/// How the names of calls begin that only look.
const LOOKS: [&str; 4] = ["Describe", "Filter", "Get", "List"];

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
    /// It only looks, and nothing came back.
    #[error("{call} was not answered: {why}")]
    Unanswered {
        /// The API's name for the call.
        call: &'static str,
        /// What went wrong.
        why: String,
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

    /// True if AWS would refuse the same request again: neither too much was asked at once, nor is an earlier request still
    /// being worked on.
    #[must_use]
    pub fn is_refused_for_good(&self) -> bool {
        let passes =
            |code: &str| [THROTTLING_ERRORS, TRANSIENT_ERRORS, &PASSING].iter().any(|codes| codes.contains(&code));
        matches!(self, Self::Refused { code, .. } if !passes(code))
    }

    /// True if somebody has taken away the right, or the thing itself: AWS is well, and what was known before must not be gone by.
    #[must_use]
    pub fn is_refused_on_purpose(&self) -> bool {
        matches!(self, Self::Refused { code, .. } if ON_PURPOSE.contains(&code.as_str()))
    }

    /// True if a write was overtaken by another, or its outcome is unknown: the zone itself tells. Other refusals would only be
    /// repeated.
    #[must_use]
    pub fn may_look_again(&self) -> bool {
        match self {
            Self::NeverSent { .. } | Self::Unanswered { .. } | Self::Unknown { .. } => true,
            Self::Refused { .. } => self.is_refused_with(INVALID_CHANGE_BATCH),
        }
    }

    /// What is known of what the call was to do.
    #[must_use]
    pub fn fate(&self) -> Fate {
        match self {
            Self::NeverSent { .. } => Fate::NeverSent,
            Self::Refused { .. } => Fate::Refused,
            Self::Unanswered { .. } => Fate::Unanswered,
            Self::Unknown { .. } => Fate::Unknown,
        }
    }

    /// What the service itself said, or why it said nothing.
    #[must_use]
    pub fn words(&self) -> String {
        match self {
            Self::Refused { code, message, .. } if message.is_empty() => code.clone(),
            Self::Refused { code, message, .. } => format!("{code}: {message}"),
            Self::NeverSent { why, .. } | Self::Unanswered { why, .. } | Self::Unknown { why, .. } => why.clone(),
        }
    }

    /// The error of a call of which nothing came back, or nothing that tells.
    #[must_use]
    pub fn lost(call: &'static str, why: String) -> Self {
        match LOOKS.iter().any(|look| call.starts_with(look)) {
            true => Self::Unanswered { call, why },
            false => Self::Unknown { call, why },
        }
    }

    /// Sorts an SDK error.
    pub fn of<E: ProvideErrorMetadata + std::error::Error + 'static>(
        call: &'static str,
        error: SdkError<E, HttpResponse>,
    ) -> Self {
        match &error {
            SdkError::ConstructionFailure(_) => Self::NeverSent { call, why: in_words(&error) },
            SdkError::ServiceError(answer) => {
                let status = answer.raw().status().as_u16();
                let told = answer.raw().body().bytes().map(Told::read).unwrap_or_default();
                let code = answer.err().code().map(str::to_owned).or(told.code);
                match code {
                    // A 5xx answer may come from a server that had begun.
                    Some(code) if status < 500 => {
                        let sdk = answer.err().message().unwrap_or_default().to_owned();
                        let message = if told.messages.is_empty() { sdk } else { told.messages.join("; ") };
                        Self::Refused { call, code, message }
                    }
                    code => Self::lost(call, format!("HTTP {status} {}", code.unwrap_or_default())),
                }
            }
            _ => Self::lost(call, in_words(&error)),
        }
    }
}

/// An error and what it came of, without what only a developer can read.
pub(crate) fn in_words(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    let told: Vec<_> = std::iter::once(error.to_string()).chain(causes.map(ToString::to_string)).collect();
    told.join(": ")
}

/// What an XML error says, under either of Route 53's roots: `<ErrorResponse><Error>` with `<Code>` and `<Message>`, and
/// `<InvalidChangeBatch><Messages>` with any number of `<Message>` and no code, of which the SDK reads neither.
#[derive(Debug, Default, PartialEq, Eq)]
struct Told {
    code: Option<String>,
    messages: Vec<String>,
}

impl Told {
    /// What cannot be read says nothing: a service may answer in another language.
    fn read(body: &[u8]) -> Self {
        let mut told = Self::default();
        let Ok(mut document) = Document::try_from(body) else { return told };
        let Ok(mut root) = document.root_element() else { return told };
        if root.start_el().matches(INVALID_CHANGE_BATCH) {
            told.code = Some(INVALID_CHANGE_BATCH.to_owned());
        }
        told.gather(&mut root);
        told
    }

    fn gather(&mut self, within: &mut ScopedDecoder<'_, '_>) {
        while let Some(mut tag) = within.next_tag() {
            match tag.start_el().local() {
                "Code" => self.code = try_data(&mut tag).ok().map(|code| code.trim().to_owned()),
                "Message" | "message" => {
                    let said = try_data(&mut tag).unwrap_or_default().trim().to_owned();
                    self.messages.extend(Some(said).filter(|said| !said.is_empty()));
                }
                _ => self.gather(&mut tag),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(body: &str) -> (Option<String>, Vec<String>) {
        let told = Told::read(body.as_bytes());
        (told.code, told.messages)
    }

    #[test]
    fn route_53s_words_are_read_whole_from_either_root() {
        let code = Some("InvalidChangeBatch".to_owned());
        let old = r#"<?xml version="1.0"?>
            <InvalidChangeBatch xmlns="https://route53.amazonaws.com/doc/2013-04-01/"><Messages>
            <Message>a.example.com. A &lt;protected&gt;</Message><Message>b &amp; c</Message></Messages><RequestId>r</RequestId></InvalidChangeBatch>"#;
        let said = vec!["a.example.com. A <protected>".to_owned(), "b & c".to_owned()];
        assert_eq!(told(old), (code.clone(), said));
        let new = r#"<ErrorResponse xmlns="https://route53.amazonaws.com/doc/2013-04-01/"><Error><Type>Sender</Type>
            <Code>InvalidChangeBatch</Code><Message>[it was not found]</Message></Error><RequestId>r</RequestId></ErrorResponse>"#;
        assert_eq!(told(new), (code, vec!["[it was not found]".to_owned()]));
    }

    #[test]
    fn what_is_no_xml_error_says_nothing() {
        for body in
            ["", "{\"Message\": \"no\"}", "<InvalidChangeBatch", "\u{0}", "<html><p>InvalidChangeBatch</p></html>"]
        {
            let (_, messages) = told(body);
            assert!(messages.is_empty(), "{body}: {messages:?}");
        }
        assert_eq!(told("<html><p>InvalidChangeBatch</p></html>").0, None);
    }

    #[test]
    fn throttling_and_a_prior_request_pass_and_other_refusals_do_not() {
        let refused = |code: &str| CallError::Refused { call: "C", code: code.to_owned(), message: String::new() };
        let known = ["Throttling", "ThrottlingException", "PriorRequestNotComplete", "RequestTimeout"];
        for code in known.into_iter().chain(PASSING) {
            assert!(!refused(code).is_refused_for_good(), "{code}");
        }
        for code in ["InvalidChangeBatch", "AccessDenied", "InvalidInput"] {
            assert!(refused(code).is_refused_for_good(), "{code}");
        }
        assert!(!CallError::Unknown { call: "C", why: String::new() }.is_refused_for_good());
        assert!(
            refused("AccessDenied").is_refused_on_purpose() && !refused("ServiceUnavailable").is_refused_on_purpose()
        );
    }
}
