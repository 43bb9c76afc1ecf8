//! What an operator's command line calls beside what the functions do: the bus, the caller's identity, the deployed plan.

use aws_sdk_eventbridge::types::PutEventsRequestEntry;
use failover::announcement::Announcement;
use failover::incident::Approval;
use serde::Serialize;

use crate::error::CallError;
use crate::session::Session;

/// Whether there is a bus of that name. PutEvents does not tell: of a bus that is not there it takes events all the same, and they come
/// nowhere.
///
/// # Errors
/// If EventBridge does not say.
pub async fn has_bus(session: &Session, bus: &str) -> Result<bool, CallError> {
    let answer = events(session).describe_event_bus().name(bus).send().await;
    match answer.map_err(|error| CallError::of("DescribeEventBus", error)) {
        Ok(_) => Ok(true),
        Err(refused) if refused.is_refused_with("ResourceNotFoundException") => Ok(false),
        Err(error) => Err(error),
    }
}

fn events(session: &Session) -> aws_sdk_eventbridge::Client {
    let config = aws_sdk_eventbridge::config::Builder::from(session.config())
        .retry_partition(session.retries())
        .interceptor(session.clock().clone());
    aws_sdk_eventbridge::Client::from_conf(config.build())
}

/// Puts an operator's approval on the bus.
///
/// # Errors
/// If EventBridge does not take it.
pub async fn put_approval(session: &Session, bus: &str, approval: &Approval) -> Result<(), CallError> {
    put(session, bus, "Holdfast Approval", approval).await
}

/// Puts on the bus what an operator did.
///
/// # Errors
/// If EventBridge does not take it.
pub async fn announce(session: &Session, bus: &str, announcement: &Announcement) -> Result<(), CallError> {
    put(session, bus, "Holdfast Order", announcement).await
}

async fn put(session: &Session, bus: &str, detail_type: &str, detail: &impl Serialize) -> Result<(), CallError> {
    const CALL: &str = "PutEvents";
    let detail =
        serde_json::to_string(detail).map_err(|error| CallError::NeverSent { call: CALL, why: error.to_string() })?;
    let entry = PutEventsRequestEntry::builder()
        .event_bus_name(bus)
        .source("holdfast.operator")
        .detail_type(detail_type)
        .detail(detail)
        .build();
    let answer =
        events(session).put_events().entries(entry).send().await.map_err(|error| CallError::of(CALL, error))?;
    // "If the request fails for an entry, … the error code and message" are in the entry; the call itself succeeds (PutEvents).
    match answer.entries().iter().find_map(|entry| Some((entry.error_code()?, entry.error_message()))) {
        None => Ok(()),
        Some((code, message)) => Err(CallError::Refused {
            call: CALL,
            code: code.to_owned(),
            message: message.unwrap_or_default().to_owned(),
        }),
    }
}

/// Who calls: the ARN of the caller's user or session.
///
/// # Errors
/// If STS does not say.
pub async fn caller(session: &Session) -> Result<String, CallError> {
    const CALL: &str = "GetCallerIdentity";
    let config = aws_sdk_sts::config::Builder::from(session.config()).retry_partition(session.retries());
    let client = aws_sdk_sts::Client::from_conf(config.build());
    let answer = client.get_caller_identity().send().await.map_err(|error| CallError::of(CALL, error))?;
    answer
        .arn()
        .map(str::to_owned)
        .ok_or_else(|| CallError::Unknown { call: CALL, why: "the answer names no ARN".to_owned() })
}

/// An environment variable of a deployed function; `None` if it has none of that name.
///
/// # Errors
/// If Lambda does not say.
pub async fn function_variable(session: &Session, function: &str, name: &str) -> Result<Option<String>, CallError> {
    let config = aws_sdk_lambda::config::Builder::from(session.config())
        .retry_partition(session.retries())
        .interceptor(session.clock().clone());
    let client = aws_sdk_lambda::Client::from_conf(config.build());
    let answer = client.get_function_configuration().function_name(function).send().await;
    let answer = answer.map_err(|error| CallError::of("GetFunctionConfiguration", error))?;
    Ok(answer.environment().and_then(|environment| environment.variables()?.get(name).cloned()))
}
