//! Creates resources, type by type.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::properties::{self, read};
use super::scope::{Created, Scope, text};
use super::{Binary, edges, roles};
use crate::Lab;
use crate::arn::{Arn, arn};
use crate::events::RuleConfig;
use crate::functions::{FunctionConfig, Functions};
use crate::wire::Refusal;
use crate::{dynamodb, iam, sqs};

/// Types taken without effect, and why.
const WITHOUT_EFFECT: [(&str, &str); 7] = [
    ("AWS::Lambda::Permission", "policies of resources are not evaluated in the lab"),
    ("AWS::SQS::QueuePolicy", "policies of resources are not evaluated in the lab"),
    ("AWS::SNS::TopicPolicy", "policies of resources are not evaluated in the lab"),
    ("AWS::Events::EventBusPolicy", "policies of resources are not evaluated in the lab"),
    ("AWS::Logs::LogGroup", "functions' logs go to the journal"),
    ("AWS::CloudWatch::Dashboard", "it only shows"),
    ("AWS::KMS::Key", "nothing is encrypted in the lab"),
];

/// One resource of a template, resolved.
#[derive(Debug)]
pub(super) struct Resource<'a> {
    pub id: &'a str,
    pub kind: &'a str,
    pub properties: Value,
    pub metadata: Value,
}

pub(super) fn create(
    lab: &Arc<Lab>,
    scope: &Scope,
    resource: Resource<'_>,
    code: &dyn Fn(&Binary) -> PathBuf,
) -> Result<Created, String> {
    match resource.kind {
        "AWS::Serverless::Function" => function(lab, scope, resource, code),
        "AWS::Events::EventBus" => event_bus(lab, scope, resource),
        "AWS::Events::Rule" => rule(lab, scope, resource),
        "AWS::IAM::Role" => {
            let name = roles::create(lab, scope, resource.id, resource.properties)?;
            Ok(created(&name, [("Arn", iam::role_arn(&name))]))
        }
        "AWS::DynamoDB::Table" => table(lab, scope, resource),
        "AWS::SNS::Topic" => topic(lab, scope, resource),
        "AWS::SNS::Subscription" => subscription(lab, resource),
        "AWS::SQS::Queue" => queue(lab, scope, resource),
        "AWS::CloudWatch::Alarm" => alarm(lab, scope, resource),
        "AWS::Route53::HealthCheck" => {
            let id = edges::create_health_check(lab, &resource.properties)?;
            Ok(created(&id, [("HealthCheckId", id.clone())]))
        }
        "AWS::Route53::RecordSet" => Ok(created(&edges::put_record_set(lab, &resource.properties)?, [])),
        kind if WITHOUT_EFFECT.iter().any(|(known, _)| *known == kind) => Ok(without_effect(scope, &resource)),
        _ => Err("the lab does not know this type".to_owned()),
    }
}

fn created<const N: usize>(reference: &str, attributes: [(&str, String); N]) -> Created {
    let attributes = attributes.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    Created { reference: reference.to_owned(), attributes }
}

/// CloudFormation makes up names of stack, logical id and chance; the lab leaves chance out.
pub(super) fn name(scope: &Scope, id: &str, given: Option<String>) -> String {
    given.unwrap_or_else(|| format!("{}-{id}", scope.stack))
}

fn function(
    lab: &Arc<Lab>,
    scope: &Scope,
    resource: Resource<'_>,
    code: &dyn Fn(&Binary) -> PathBuf,
) -> Result<Created, String> {
    let properties: properties::Function = read(resource.properties)?;
    if (properties.runtime.as_str(), properties.handler.as_str()) != ("provided.al2023", "bootstrap") {
        return Err("the lab runs only Runtime provided.al2023 with Handler bootstrap".to_owned());
    }
    let build: properties::BuildMetadata =
        read(resource.metadata).map_err(|error| format!("Metadata names no BuildProperties.Binary: {error}"))?;
    let architecture = properties.architectures.into_iter().next().unwrap_or_else(|| "x86_64".to_owned());
    let binary = Binary { name: build.build_properties.binary, architecture };
    let name = name(scope, resource.id, properties.function_name);
    let mut config = FunctionConfig::new(&name, code(&binary));
    for (variable, value) in properties.environment.variables {
        config.environment.insert(variable, text(&value).map_err(|error| error.to_string())?);
    }
    let seconds = |seconds: u32| Duration::from_secs(seconds.into());
    let invoke = properties.event_invoke_config;
    config.timeout = properties.timeout.map_or(config.timeout, seconds);
    config.memory = properties.memory_size.unwrap_or(config.memory);
    config.retries = invoke.maximum_retry_attempts.unwrap_or(config.retries);
    config.event_age_max = invoke.maximum_event_age_in_seconds.map_or(config.event_age_max, seconds);
    config.reserved_concurrency = properties.reserved_concurrent_executions;
    config.on_success = invoke.destination_config.on_success.map(destination).transpose()?;
    config.on_failure = invoke.destination_config.on_failure.map(destination).transpose()?;
    let destinations = [config.on_success.as_deref(), config.on_failure.as_deref()];
    roles::of_function(lab, &name, properties.policies, destinations)?;
    let function_arn = Functions::create(lab, &scope.region, config).map_err(|refusal| refusal.message)?;
    Ok(created(&name, [("Arn", function_arn)]))
}

fn destination(given: properties::Destination) -> Result<String, String> {
    let service = match given.r#type.as_str() {
        "EventBridge" => "events",
        "SQS" => "sqs",
        "SNS" => "sns",
        "Lambda" => "lambda",
        other => return Err(format!("the lab does not know the destination type {other}")),
    };
    match Arn::parse(&given.destination) {
        Some(arn) if arn.service == service => Ok(given.destination),
        _ => Err(format!("{} is no destination of type {}", given.destination, given.r#type)),
    }
}

fn event_bus(lab: &Lab, scope: &Scope, resource: Resource<'_>) -> Result<Created, String> {
    let bus: properties::EventBus = read(resource.properties)?;
    let bus_arn = lab.events.create_bus(&scope.region, &bus.name, lab.clock.now());
    Ok(created(&bus.name, [("Arn", bus_arn), ("Name", bus.name.clone())]))
}

fn rule(lab: &Lab, scope: &Scope, resource: Resource<'_>) -> Result<Created, String> {
    let rule: properties::Rule = read(resource.properties)?;
    let name = name(scope, resource.id, rule.name);
    let bus = rule.event_bus_name.clone();
    let config = RuleConfig {
        name: name.clone(),
        event_bus_name: rule.event_bus_name,
        event_pattern: rule.event_pattern,
        schedule_expression: rule.schedule_expression,
        state: rule.state,
        description: rule.description,
    };
    let message = |refusal: Refusal| refusal.message;
    let rule_arn = lab.events.put_rule(&scope.region, config, lab.clock.now()).map_err(message)?;
    lab.events.set_targets(&scope.region, bus.as_deref(), &name, rule.targets).map_err(message)?;
    Ok(created(&name, [("Arn", rule_arn)]))
}

fn topic(lab: &Lab, scope: &Scope, resource: Resource<'_>) -> Result<Created, String> {
    let topic: properties::Topic = read(resource.properties)?;
    let name = name(scope, resource.id, topic.topic_name);
    let topic_arn = lab.sns.create_topic(&scope.region, &name);
    for subscription in topic.subscription {
        let subscribed = lab.sns.subscribe(&topic_arn, &subscription.protocol, &subscription.endpoint);
        subscribed.map_err(|refusal| refusal.message)?;
    }
    Ok(created(&topic_arn, [("TopicArn", topic_arn.clone()), ("TopicName", name)]))
}

fn subscription(lab: &Lab, resource: Resource<'_>) -> Result<Created, String> {
    let subscription: properties::Subscription = read(resource.properties)?;
    let subscribed = lab.sns.subscribe(&subscription.topic_arn, &subscription.protocol, &subscription.endpoint);
    let subscription_arn = subscribed.map_err(|refusal| refusal.message)?;
    if let Some(policy) = subscription.filter_policy {
        lab.sns.set_filter(&subscription_arn, &policy).map_err(|refusal| refusal.message)?;
    }
    Ok(created(&subscription_arn, [("Arn", subscription_arn.clone())]))
}

fn queue(lab: &Lab, scope: &Scope, resource: Resource<'_>) -> Result<Created, String> {
    let queue: properties::Queue = read(resource.properties)?;
    let name = name(scope, resource.id, queue.queue_name);
    let timeout = queue.visibility_timeout.map_or(sqs::VISIBILITY_TIMEOUT, |s| Duration::from_secs(s.into()));
    let queue_arn = lab.sqs.create(&scope.region, &name, timeout);
    let url = sqs::url(lab, &name);
    Ok(created(&url, [("Arn", queue_arn), ("QueueName", name), ("QueueUrl", url.clone())]))
}

fn table(lab: &Lab, scope: &Scope, resource: Resource<'_>) -> Result<Created, String> {
    let table: properties::Table = read(resource.properties)?;
    let message = |refusal: Refusal| refusal.message;
    let key = dynamodb::key_of(&table.key_schema, &table.attribute_definitions).map_err(message)?;
    let name = name(scope, resource.id, table.table_name);
    let table_arn = lab.dynamodb.create_table(&scope.region, &name, key, lab.clock.now()).map_err(message)?;
    lab.dynamodb.protect(&scope.region, &name, table.deletion_protection_enabled);
    Ok(created(&name, [("Arn", table_arn)]))
}

fn alarm(lab: &Arc<Lab>, scope: &Scope, mut resource: Resource<'_>) -> Result<Created, String> {
    let given = resource.properties.get("AlarmName").and_then(Value::as_str).map(str::to_owned);
    let name = name(scope, resource.id, given);
    resource.properties["AlarmName"] = json!(name);
    edges::create_alarm(lab, &scope.region, &resource.properties)?;
    Ok(created(&name, [("Arn", arn("cloudwatch", &scope.region, &format!("alarm:{name}")))]))
}

/// `Ref` is the thing's name, as far as it has one.
fn without_effect(scope: &Scope, resource: &Resource<'_>) -> Created {
    if resource.kind == "AWS::Logs::LogGroup" {
        let given = resource.properties.get("LogGroupName").and_then(Value::as_str).map(str::to_owned);
        let name = name(scope, resource.id, given);
        return created(&name, [("Arn", arn("logs", &scope.region, &format!("log-group:{name}:*")))]);
    }
    created(&name(scope, resource.id, None), [])
}
