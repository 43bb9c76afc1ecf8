//! The roles of a template: what SAM makes of a function's `Policies`, and roles written out.

use std::sync::Arc;

use serde_json::{Value, json};

use super::properties::{self, read};
use super::scope::Scope;
use crate::Lab;
use crate::iam::Policy;

/// "AWSLambdaBasicExecutionRole … grants permissions to upload logs to CloudWatch": SAM gives it to every role it makes.
fn basic_execution() -> Value {
    json!({"Version": "2012-10-17", "Statement": {
        "Sid": "AWSLambdaBasicExecutionRole",
        "Effect": "Allow",
        "Action": ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"],
        "Resource": "*",
    }})
}

/// Gives a function its role: the basic one, what its destinations need ("SAM automatically adds permissions for the
/// destination"), and its own policies.
pub(super) fn of_function(
    lab: &Lab,
    name: &str,
    policies: Option<Value>,
    destinations: [Option<&str>; 2],
) -> Result<(), String> {
    let mut policy = document(&basic_execution())?;
    for (sid, destination) in ["OnSuccess", "OnFailure"].into_iter().zip(destinations) {
        let Some(destination) = destination else { continue };
        let action = match destination.split(':').nth(2) {
            Some("events") => "events:PutEvents",
            Some("sqs") => "sqs:SendMessage",
            Some("sns") => "sns:Publish",
            _ => "lambda:InvokeFunction",
        };
        let statement = json!({"Sid": sid, "Effect": "Allow", "Action": action, "Resource": destination});
        policy = policy.and(document(&json!({"Version": "2012-10-17", "Statement": statement}))?);
    }
    let own = match policies {
        Some(Value::Array(list)) => list,
        Some(one) => vec![one],
        None => Vec::new(),
    };
    for own in &own {
        if let Some(managed) = own.as_str() {
            return Err(format!("the lab does not know the managed policy {managed}"));
        }
        policy = policy.and(document(own)?);
    }
    lab.iam.attach(name, policy);
    Ok(())
}

/// Creates a role that is written out.
pub(super) fn create(lab: &Arc<Lab>, scope: &Scope, id: &str, properties: Value) -> Result<String, String> {
    let role: properties::Role = read(properties)?;
    let name = super::resources::name(scope, id, role.role_name);
    let documents: Result<Vec<_>, _> = role.policies.iter().map(|policy| document(&policy.policy_document)).collect();
    lab.iam.attach(&name, documents?.into_iter().fold(Policy::default(), Policy::and));
    Ok(name)
}

fn document(document: &Value) -> Result<Policy, String> {
    Policy::parse(document).map_err(|error| error.to_string())
}
