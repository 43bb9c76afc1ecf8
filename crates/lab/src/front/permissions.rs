//! What AWS authorises a call against: the actions, resources and condition keys of the service authorization reference. A
//! call that is not in this table is refused to those who have a policy, not waved through.

use axum::http::StatusCode;
use serde_json::Value;

use crate::Lab;
use crate::api::Call;
use crate::arn::arn;
use crate::iam::Request;
use crate::wire::Refusal;
use crate::wire::query::Form;
use crate::{autoscaling, codepipeline, dynamodb, ecs, events, functions, kms, route53, secretsmanager};

/// Lets a call pass if its caller's policy allows it.
pub(super) fn authorise(lab: &Lab, call: &Call, action: &str) -> Result<(), Refusal> {
    if lab.iam.policy(&call.caller).is_none() {
        return Ok(());
    }
    for request in of(lab, call, action)? {
        lab.iam.allow(&call.caller, request).map_err(|message| denied(call, message))?;
    }
    Ok(())
}

/// "AccessDeniedException" in the JSON protocols, "AccessDenied" in XML; SNS has a name of its own for it.
fn denied(call: &Call, message: String) -> Refusal {
    let (status, code) = match call.service.as_str() {
        "dynamodb" | "ecs" | "events" | "logs" => (StatusCode::BAD_REQUEST, "AccessDeniedException"),
        "lambda" => (StatusCode::FORBIDDEN, "AccessDeniedException"),
        "sns" => (StatusCode::FORBIDDEN, "AuthorizationError"),
        _ => (StatusCode::FORBIDDEN, "AccessDenied"),
    };
    Refusal { status, code: code.to_owned(), message: format!("User: {message}") }
}

/// What AWS would authorise before it carries a call out; nothing where no permission is needed.
fn of(lab: &Lab, call: &Call, action: &str) -> Result<Vec<Request>, Refusal> {
    match call.service.as_str() {
        "route53" => of_route53(call, action),
        "monitoring" => of_cloudwatch(call, action),
        "rds" => of_rds(call, action),
        "events" => of_events(call, action),
        "ecs" => of_ecs(call, action),
        "lambda" => of_lambda(call, action),
        "dynamodb" => of_dynamodb(lab, call, action),
        _ => of_others(call, action),
    }
}

fn unknown(call: &Call, action: &str) -> Refusal {
    Refusal::unsupported(format!("what IAM checks {}:{action} against", call.service))
}

fn of_route53(call: &Call, action: &str) -> Result<Vec<Request>, Refusal> {
    let id = route53::name_of(call).1;
    let kind = match action {
        // "Resource types: none" (Service authorization reference, Route 53): of all there is.
        "ListHostedZones" | "ListHealthChecks" | "GetAccountLimit" => {
            return Ok(vec![Request::new(&format!("route53:{action}"), "*", "us-east-1")]);
        }
        "ListResourceRecordSets" | "ChangeResourceRecordSets" | "GetHostedZone" | "GetHostedZoneLimit" => "hostedzone",
        "ListResourceRecordSetProtections"
        | "CreateResourceRecordSetProtections"
        | "DeleteResourceRecordSetProtections"
        | "UpdateHostedZoneFeatures"
        | "UpdateHostedZoneTier" => "hostedzone",
        "GetChange" => "change",
        "GetHealthCheck" | "UpdateHealthCheck" => "healthcheck",
        _ => return Err(unknown(call, action)),
    };
    // "arn:${Partition}:route53:::hostedzone/${Id}"; global services are requested of us-east-1.
    let request = Request::new(&format!("route53:{action}"), format!("arn:aws:route53:::{kind}/{id}"), "us-east-1");
    if action != "ChangeResourceRecordSets" {
        return Ok(vec![request]);
    }
    // What cannot be read is refused by the service itself.
    let Ok(batch) = route53::touched_by(call) else { return Ok(vec![request]) };
    let keys = [("NormalizedRecordNames", batch.names), ("RecordTypes", batch.types), ("Actions", batch.actions)];
    let with_keys = keys.into_iter().fold(request, |request, (key, values)| {
        request.with(&format!("route53:ChangeResourceRecordSets{key}"), values.into_iter().collect())
    });
    Ok(vec![with_keys])
}

fn of_cloudwatch(call: &Call, action: &str) -> Result<Vec<Request>, Refusal> {
    let resource = match action {
        // Alarms asked for by name are seen to be checked against all of them too (aws-samples/amazon-cloudwatch-auto-alarms#1).
        "DescribeAlarms" | "DescribeAlarmHistory" => arn("cloudwatch", &call.region, "alarm:*"),
        "GetMetricData" | "ListAlarmMuteRules" => "*".to_owned(),
        _ => return Err(unknown(call, action)),
    };
    Ok(vec![Request::new(&format!("cloudwatch:{action}"), resource, &call.region)])
}

fn of_rds(call: &Call, action: &str) -> Result<Vec<Request>, Refusal> {
    let mut form = Form::read(call);
    let mut given = |field: &str| form.take(field);
    let named = |kind: &str, id: Option<String>| match id {
        Some(arn) if arn.starts_with("arn:") => arn,
        id => arn("rds", &call.region, &format!("{kind}:{}", id.unwrap_or_else(|| "*".to_owned()))),
    };
    let member_of = given("DBClusterIdentifier");
    let cluster = named("cluster", member_of.clone());
    let instance = named("db", given("DBInstanceIdentifier"));
    // A group nobody names is the default one, and is checked all the same.
    let mut group = |kind: &str, field: &str| named(kind, Some(given(field).unwrap_or_else(|| "default".to_owned())));
    let option_group = group("og", "OptionGroupName");
    let resources = match action {
        "DescribeDBClusterParameters" => {
            vec![named("cluster-pg", form.take("DBClusterParameterGroupName"))]
        }
        "DescribeDBParameters" => vec![named("pg", form.take("DBParameterGroupName"))],
        "DescribeDBClusters" | "PromoteReadReplicaDBCluster" => vec![cluster],
        "DescribeDBInstances" | "PromoteReadReplica" | "RebootDBInstance" => vec![instance],
        // A new name must be allowed like the old one.
        "ModifyDBCluster" => {
            and_perhaps(cluster, form.take("NewDBClusterIdentifier").map(|id| named("cluster", Some(id))))
        }
        "ModifyDBInstance" => {
            and_perhaps(instance, form.take("NewDBInstanceIdentifier").map(|id| named("db", Some(id))))
        }
        // "arn:${Partition}:rds::${Account}:global-cluster:${GlobalClusterName}"; both types are marked as required.
        "DescribeGlobalClusters" => vec![global_cluster(form.take("GlobalClusterIdentifier"))],
        "FailoverGlobalCluster" | "SwitchoverGlobalCluster" => {
            let target = form.take("TargetDbClusterIdentifier").unwrap_or_default();
            vec![global_cluster(form.take("GlobalClusterIdentifier")), target]
        }
        "DescribeEvents" => vec!["*".to_owned()],
        "AddTagsToResource" => vec![form.take("ResourceName").unwrap_or_default()],
        "CreateDBCluster" => vec![
            cluster,
            group("cluster-pg", "DBClusterParameterGroupName"),
            group("subgrp", "DBSubnetGroupName"),
            option_group,
        ],
        "CreateDBInstance" => {
            let owner = member_of.map(|id| named("cluster", Some(id)));
            let placed = [group("pg", "DBParameterGroupName"), group("subgrp", "DBSubnetGroupName"), option_group];
            std::iter::once(instance).chain(owner).chain(placed).collect()
        }
        "CreateDBInstanceReadReplica" => vec![
            instance,
            group("pg", "DBParameterGroupName"),
            group("subgrp", "DBSubnetGroupName"),
            option_group,
            named("db", form.take("SourceDBInstanceIdentifier")),
        ],
        _ => return Err(unknown(call, action)),
    };
    let request = |resource| Request::new(&format!("rds:{action}"), resource, &call.region);
    let tags: Vec<String> = Form::read(call).tag_keys();
    let tagged = |request: Request| with_tag_keys(request, tags.clone());
    Ok(resources.into_iter().map(request).map(tagged).chain(of_key(call, action)).collect())
}

/// "aws:TagKeys … to compare the tag keys in a request" (IAM user guide, global condition keys): only where there are any.
fn with_tag_keys(request: Request, keys: Vec<String>) -> Request {
    if keys.is_empty() { request } else { request.with("aws:TagKeys", keys) }
}

fn global_cluster(id: Option<String>) -> String {
    arn("rds", "", &format!("global-cluster:{}", id.unwrap_or_else(|| "*".to_owned())))
}

/// "Dependent actions: kms:CreateGrant, kms:DescribeKey" of what is created with a key of one's own: RDS asks as the caller.
/// Everybody in the account may use `aws/rds` by way of RDS, as its own policy says.
fn of_key(call: &Call, action: &str) -> Vec<Request> {
    let creates = matches!(action, "CreateDBCluster" | "CreateDBInstance" | "CreateDBInstanceReadReplica");
    let key =
        creates.then(|| Form::read(call).take("KmsKeyId")).flatten().filter(|key| !key.ends_with("alias/aws/rds"));
    let Some(key) = key else { return Vec::new() };
    let key = if key.starts_with("arn:") { key } else { arn("kms", &call.region, &format!("key/{key}")) };
    let request = |action: &str| {
        let request = Request::new(action, key.clone(), &call.region);
        request.with("kms:ViaService", vec![format!("rds.{}.amazonaws.com", call.region)])
    };
    ["kms:CreateGrant", "kms:DescribeKey"].map(request).into()
}

fn and_perhaps(one: String, other: Option<String>) -> Vec<String> {
    std::iter::once(one).chain(other).collect()
}

fn of_events(call: &Call, action: &str) -> Result<Vec<Request>, Refusal> {
    let body: Value = serde_json::from_slice(&call.body).unwrap_or_default();
    match action {
        "PutEvents" => {}
        // The rules of the default bus alone; those of others have the bus in their ARN.
        "ListTargetsByRule" if body["EventBusName"].is_null() => {
            let rule = format!("rule/{}", body["Rule"].as_str().unwrap_or_default());
            let resource = arn("events", &call.region, &rule);
            return Ok(vec![Request::new("events:ListTargetsByRule", resource, &call.region)]);
        }
        "DescribeRule" | "EnableRule" | "DisableRule" => {
            let rule = body["Name"].as_str().unwrap_or_default();
            let resource = events::rule_arn_of(&call.region, body["EventBusName"].as_str(), rule);
            return Ok(vec![Request::new(&format!("events:{action}"), resource, &call.region)]);
        }
        "ListTagsForResource" | "TagResource" | "UntagResource" => {
            let (resource, keys) = events::tags_asked(call);
            let request = Request::new(&format!("events:{action}"), resource, &call.region);
            return Ok(vec![with_tag_keys(request, keys)]);
        }
        "DescribeEventBus" => {
            let resource = events::bus_arn_of(&call.region, body["Name"].as_str());
            return Ok(vec![Request::new("events:DescribeEventBus", resource, &call.region)]);
        }
        _ => return Err(unknown(call, action)),
    }
    let entries = body["Entries"].as_array().into_iter().flatten();
    let text = |entry: &Value, field: &str| vec![entry[field].as_str().unwrap_or_default().to_owned()];
    let request = |entry: &Value| {
        Request::new("events:PutEvents", events::bus_arn_of(&call.region, entry["EventBusName"].as_str()), &call.region)
            .with("events:source", text(entry, "Source"))
            .with("events:detail-type", text(entry, "DetailType"))
            .with("events:eventBusInvocation", vec!["false".to_owned()])
    };
    Ok(entries.map(request).collect())
}

fn of_lambda(call: &Call, action: &str) -> Result<Vec<Request>, Refusal> {
    let action = match action {
        "Invoke" => "lambda:InvokeFunction",
        "GetFunctionConfiguration" => "lambda:GetFunctionConfiguration",
        // Lambda wants no right to the function for switching a mapping ("Resource types: eventSourceMapping*").
        "GetEventSourceMapping" => "lambda:GetEventSourceMapping",
        "UpdateEventSourceMapping" => "lambda:UpdateEventSourceMapping",
        "ListTags" | "TagResource" | "UntagResource" => {
            let request = Request::new(&format!("lambda:{action}"), functions::arn_in(call), &call.region);
            return Ok(vec![with_tag_keys(request, functions::tag_keys_in(call))]);
        }
        _ => return Err(unknown(call, action)),
    };
    Ok(vec![Request::new(action, functions::arn_in(call), &call.region)])
}

/// "arn:${Partition}:ecs:${Region}:${Account}:service/${ClusterName}/${ServiceName}".
fn of_ecs(call: &Call, action: &str) -> Result<Vec<Request>, Refusal> {
    if !matches!(action, "DescribeServices" | "UpdateService" | "TagResource" | "UntagResource") {
        return Err(unknown(call, action));
    }
    let (resources, keys) = ecs::asked(call);
    let request = |resource| Request::new(&format!("ecs:{action}"), resource, &call.region);
    Ok(resources.into_iter().map(request).map(|request| with_tag_keys(request, keys.clone())).collect())
}

/// "arn:${Partition}:dynamodb:${Region}:${Account}:table/${TableName}". Of its condition keys the lab knows `LeadingKeys`.
fn of_dynamodb(lab: &Lab, call: &Call, action: &str) -> Result<Vec<Request>, Refusal> {
    match action {
        "CreateTable" | "DescribeTable" | "DeleteTable" | "GetItem" | "PutItem" | "DeleteItem" => {}
        _ => return Err(unknown(call, action)),
    }
    let request = Request::new(&format!("dynamodb:{action}"), dynamodb::table_of(call), &call.region);
    Ok(vec![match dynamodb::leading_keys(lab, call) {
        Some(keys) => request.with("dynamodb:LeadingKeys", keys),
        None => request,
    }])
}

/// "arn:${Partition}:autoscaling:${Region}:${Account}:autoScalingGroup:${GroupId}:autoScalingGroupName/${GroupFriendlyName}".
fn of_groups(call: &Call, action: &str) -> Vec<Request> {
    let mut form = Form::read(call);
    let keys = form.tag_keys();
    let name = form.take("AutoScalingGroupName").or_else(|| form.take("Tags.member.1.ResourceId"));
    let resource = autoscaling::arn_of(&call.region, &name.unwrap_or_default());
    let request = Request::new(&format!("autoscaling:{action}"), resource, &call.region);
    vec![with_tag_keys(request, keys)]
}

fn of_others(call: &Call, action: &str) -> Result<Vec<Request>, Refusal> {
    let body = || serde_json::from_slice::<Value>(&call.body).unwrap_or_default();
    match (call.service.as_str(), action) {
        ("sns", "Publish" | "GetTopicAttributes") => {
            let topic = Form::read(call).take("TopicArn").unwrap_or_default();
            Ok(vec![Request::new(&format!("sns:{action}"), topic, &call.region)])
        }
        // "In most cases this is arn:…:log-group:NAME:*" (CloudWatch Logs user guide, "Log group ARN formats").
        ("logs", "FilterLogEvents") => {
            let group = body()["logGroupName"].as_str().unwrap_or_default().to_owned();
            let resource = arn("logs", &call.region, &format!("log-group:{group}:log-stream:"));
            Ok(vec![Request::new("logs:FilterLogEvents", resource, &call.region)])
        }
        ("sts", "AssumeRole") => {
            let role = Form::read(call).take("RoleArn").unwrap_or_default();
            Ok(vec![Request::new("sts:AssumeRole", role, &call.region)])
        }
        // "Resource types: none" (Service authorization reference, Elastic Load Balancing V2, EC2 Auto Scaling, Systems Manager,
        // Service Quotas).
        (
            "elasticloadbalancing",
            "DescribeLoadBalancers"
            | "DescribeLoadBalancerAttributes"
            | "DescribeListeners"
            | "DescribeListenerCertificates"
            | "DescribeTargetGroups"
            | "DescribeTargetHealth",
        )
        | ("autoscaling", "DescribeAutoScalingGroups" | "DescribeScalingActivities")
        | ("secretsmanager", "ListSecrets")
        | ("ssm", "DescribeParameters")
        | ("servicequotas", "GetServiceQuota" | "GetAWSDefaultServiceQuota") => {
            Ok(vec![Request::new(&format!("{}:{action}", call.service), "*", &call.region)])
        }
        ("autoscaling", "UpdateAutoScalingGroup" | "CreateOrUpdateTags" | "DeleteTags") => Ok(of_groups(call, action)),
        ("codepipeline", "ListPipelineExecutions") => {
            let pipeline = codepipeline::arn_of(call).unwrap_or_default();
            Ok(vec![Request::new("codepipeline:ListPipelineExecutions", pipeline, &call.region)])
        }
        ("acm", "DescribeCertificate") => {
            let certificate = body()["CertificateArn"].as_str().unwrap_or_default().to_owned();
            Ok(vec![Request::new("acm:DescribeCertificate", certificate, &call.region)])
        }
        ("kms", "DescribeKey") => {
            Ok(vec![Request::new("kms:DescribeKey", kms::key_of(call).unwrap_or_default(), &call.region)])
        }
        ("secretsmanager", "DescribeSecret" | "GetSecretValue") => {
            let secret = secretsmanager::arn_of(call).unwrap_or_default();
            Ok(vec![Request::new(&format!("secretsmanager:{action}"), secret, &call.region)])
        }
        ("secretsmanager", "CreateSecret") => {
            let secret = secretsmanager::new_arn(call).unwrap_or_default();
            Ok(vec![Request::new("secretsmanager:CreateSecret", secret, &call.region)])
        }
        // "No permissions are required to perform this operation."
        ("sts", "GetCallerIdentity") => Ok(Vec::new()),
        _ => Err(unknown(call, action)),
    }
}
