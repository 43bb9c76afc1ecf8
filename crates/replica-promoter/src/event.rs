//! What wakes replica-promoter: the tick, alarm-handler's `Pinned`, RDS, an approval. All but the approval only say
//! "look now"; what is decided comes from what AWS says then.

use aws_lambda_events::event::eventbridge::EventBridgeEvent;
use failover::incident::{Approval, ApprovalError};
use lambda_runtime::Diagnostic;
use serde_json::Value;

/// How often a tick lists the records in any case. It must be well below the ten minutes after which a pin that has not arrived is told.
const LISTS_EVERY_MINUTES: i64 = 5;

/// What an event says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Signal {
    /// The one-minute tick.
    Tick {
        /// The records are listed, whatever name servers say of the registers: every fifth minute, since a pin may never reach them.
        lists: bool,
    },
    /// The names were pinned just now.
    Pinned,
    /// Something happened to a database.
    Hint,
    /// A person approves.
    Approval(Approval),
}

/// Why an event cannot be handled. Lambda tries again, then keeps the event and pages.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum EventError {
    /// Not one of the four forms.
    #[error("replica-promoter takes ticks, Pinned outcomes, RDS events and approvals, not {0}; check the event rules")]
    Unknown(String),
    /// An approval that lifts what may not be lifted, or is none.
    #[error(transparent)]
    Approval(#[from] ApprovalError),
}

impl From<EventError> for Diagnostic {
    fn from(error: EventError) -> Self {
        Self { error_type: "EventNotUnderstood".to_owned(), error_message: error.to_string() }
    }
}

/// Reads an event.
///
/// # Errors
/// If it is of no known form.
pub fn parse(event: Value) -> Result<Signal, EventError> {
    let event: EventBridgeEvent<Value> = serde_json::from_value(event)
        .map_err(|error| EventError::Unknown(format!("what is no EventBridge event ({error})")))?;
    match (event.source.as_str(), event.detail_type.as_str()) {
        ("aws.events" | "aws.scheduler", "Scheduled Event") => {
            Ok(Signal::Tick { lists: event.time.is_none_or(|at| at.timestamp() / 60 % LISTS_EVERY_MINUTES == 0) })
        }
        ("lambda", "Lambda Function Invocation Result - Success") => Ok(Signal::Pinned),
        ("aws.rds", "RDS DB Cluster Event" | "RDS DB Instance Event") => Ok(Signal::Hint),
        ("holdfast.operator", "Holdfast Approval") => Ok(Signal::Approval(Approval::parse(&event.detail.to_string())?)),
        (source, detail_type) => Err(EventError::Unknown(format!("{detail_type:?} from {source:?}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn bridged(source: &str, detail_type: &str, detail: Value) -> Value {
        json!({"version": "0", "id": "1", "account": "1", "region": "eu-central-1", "source": source,
            "time": "2026-01-01T12:00:01Z", "detail-type": detail_type, "detail": detail, "resources": []})
    }

    #[test]
    fn every_wake_up_call_is_understood() {
        let detail = json!({"incident": "a@2026-01-01T12:00:00Z", "by": "kim", "despite": ["R07"]});
        let approval = Approval::parse(&detail.to_string()).unwrap();
        for (event, signal) in [
            (bridged("aws.events", "Scheduled Event", json!({})), Signal::Tick { lists: true }),
            (bridged("lambda", "Lambda Function Invocation Result - Success", json!({})), Signal::Pinned),
            (bridged("aws.rds", "RDS DB Cluster Event", json!({"SourceIdentifier": "rds:app"})), Signal::Hint),
            (bridged("aws.rds", "RDS DB Instance Event", json!({})), Signal::Hint),
            (bridged("holdfast.operator", "Holdfast Approval", detail), Signal::Approval(approval)),
        ] {
            assert_eq!(parse(event), Ok(signal));
        }
    }

    #[test]
    fn one_tick_of_five_lists_the_records() {
        let tick = |minute: u32| {
            let event = bridged("aws.events", "Scheduled Event", json!({}));
            let event = event.to_string().replace("12:00:01", &format!("12:{minute:02}:01"));
            parse(serde_json::from_str(&event).unwrap()).unwrap()
        };
        let listing: Vec<_> = (0..12).filter(|minute| tick(*minute) == Signal::Tick { lists: true }).collect();
        assert_eq!(listing, [0, 5, 10]);
    }

    #[test]
    fn anything_else_is_an_error() {
        for event in [json!(null), json!({"Records": []}), bridged("aws.ec2", "x", json!({}))] {
            assert!(matches!(parse(event), Err(EventError::Unknown(_))));
        }
    }
}
