//! Lambda's API.

use std::sync::Arc;

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Function, Throttled, invoke, invoke_async, mappings, tags};
use crate::Lab;
use crate::api::{Call, Reply};
use crate::arn::arn;
use crate::wire::Refusal;

pub(super) const JSON: &str = "application/json";

/// Answers one API call.
pub async fn answer(lab: &Arc<Lab>, call: &Call) -> Reply {
    let action = name_of(call);
    let outcome = match (action, target(call)) {
        ("ListTags" | "TagResource" | "UntagResource", _) => tags::answer(lab, call, action),
        ("GetEventSourceMapping" | "UpdateEventSourceMapping", _) => mappings::answer(lab, call, action),
        ("Invoke", Some((name, _))) => run(lab, call, name).await,
        ("GetFunctionConfiguration", Some((name, _))) => find(lab, call, name).map(|function| configuration(&function)),
        _ => Err(Refusal::unsupported(format!("the Lambda call {} {}", call.method, call.path))),
    };
    outcome.unwrap_or_else(|refusal| refuse(action, refusal))
}

/// The API's name of a call.
pub(crate) fn name_of(call: &Call) -> &'static str {
    match target(call) {
        Some((_, "invocations")) if call.method == Method::POST => "Invoke",
        Some((_, "configuration")) if call.method == Method::GET => "GetFunctionConfiguration",
        _ => tags::name_of(call).or_else(|| mappings::name_of(call)).unwrap_or("?"),
    }
}

/// The answer that says why not.
pub(crate) fn refuse(action: &str, refusal: Refusal) -> Reply {
    Reply {
        status: refusal.status,
        headers: vec![("x-amzn-errortype", refusal.code.clone())],
        error: Some(refusal.code),
        ..Reply::ok(action, "", JSON, json!({"Type": "User", "Message": refusal.message}).to_string().into_bytes())
    }
}

fn target(call: &Call) -> Option<(&str, &str)> {
    call.path.strip_prefix("/2015-03-31/functions/")?.split_once('/')
}

/// The ARN of the function a call is about.
pub(crate) fn arn_in(call: &Call) -> String {
    let other = tags::arn_in(call).or_else(|| mappings::arn_in(call));
    if let Some(other) = other {
        return other;
    }
    arn_of(call, target(call).map_or("", |(name, _)| name))
}

/// A function is named by its name or its ARN, percent-encoded.
fn arn_of(call: &Call, name: &str) -> String {
    let name = percent_encoding::percent_decode_str(name).decode_utf8_lossy();
    if name.starts_with("arn:") { name.into_owned() } else { arn("lambda", &call.region, &format!("function:{name}")) }
}

fn find(lab: &Lab, call: &Call, name: &str) -> Result<Arc<Function>, Refusal> {
    if !call.query.is_empty() {
        return Err(Refusal::unsupported(format!("the query {}", call.query)));
    }
    let function_arn = arn_of(call, name);
    lab.functions
        .find(&function_arn)
        .ok_or_else(|| Refusal::not_found("ResourceNotFoundException", format!("Function not found: {function_arn}")))
}

async fn run(lab: &Arc<Lab>, call: &Call, name: &str) -> Result<Reply, Refusal> {
    let function = find(lab, call, name)?;
    let header = |name: &str| call.headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(log) = header("x-amz-log-type").filter(|log| *log != "None") {
        return Err(Refusal::unsupported(format!("the log type {log}")));
    }
    let body = if call.body.is_empty() { b"{}".as_slice() } else { &call.body };
    let payload: Value = serde_json::from_slice(body)
        .map_err(|error| Refusal::bad_request("InvalidRequestContentException", error.to_string()))?;
    let reply = |body: Value| Reply::ok("Invoke", function.arn.clone(), JSON, body.to_string().into_bytes());
    match header("x-amz-invocation-type").unwrap_or("RequestResponse") {
        "Event" => {
            invoke_async(lab, &function.arn, payload);
            Ok(Reply { status: StatusCode::ACCEPTED, body: Vec::new(), ..reply(Value::Null) })
        }
        "RequestResponse" => {
            let request_id = Uuid::new_v4().to_string();
            let outcome = invoke(lab, &function, &request_id, &payload).await.map_err(|Throttled| Refusal {
                status: StatusCode::TOO_MANY_REQUESTS,
                ..Refusal::bad_request("TooManyRequestsException", "Rate Exceeded.")
            })?;
            let mut headers = vec![("x-amz-executed-version", "$LATEST".to_owned())];
            headers.extend(outcome.is_err().then(|| ("x-amz-function-error", "Unhandled".to_owned())));
            let (Ok(body) | Err(body)) = outcome;
            Ok(Reply { headers, ..reply(body) })
        }
        other => Err(Refusal::unsupported(format!("the invocation type {other}"))),
    }
}

fn configuration(function: &Function) -> Reply {
    let config = &function.config;
    let body = json!({
        "FunctionName": config.name,
        "FunctionArn": function.arn,
        "Runtime": "provided.al2023",
        "Handler": "bootstrap",
        "Timeout": config.timeout.as_secs(),
        "MemorySize": config.memory,
        "Version": "$LATEST",
        "State": "Active",
        "LastUpdateStatus": "Successful",
        "Environment": {"Variables": config.environment},
    });
    Reply::ok("GetFunctionConfiguration", function.arn.clone(), JSON, body.to_string().into_bytes())
}
