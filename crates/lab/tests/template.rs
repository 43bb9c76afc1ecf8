//! Templates become things that work together.
#![allow(clippy::unwrap_used, reason = "clippy does not know that helpers are a part of tests")]

mod common;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use common::{DR, count, echo, journaled, lab};
use lab::Lab;
use lab::iam::Policy;
use lab::journal::What;
use lab::template::{Binary, DeployError, Outputs, deploy};
use serde_json::{Value, json};

const TEMPLATE: &str = r#"
AWSTemplateFormatVersion: '2010-09-09'
Transform: AWS::Serverless-2016-10-31
Parameters:
  BusName: {Type: String, Default: ours, AllowedPattern: '[a-z]+'}
  Email: {Type: String, Default: ''}
  Mode: {Type: String, Default: fast, AllowedValues: [fast, slow]}
Conditions:
  HasEmail: !Not [!Equals [!Ref Email, '']]
Globals:
  Function:
    Runtime: provided.al2023
    Handler: bootstrap
    Timeout: 5
    Environment:
      Variables: {SHARED: everywhere, LAST: !Ref Zoo}
Resources:
  Worker:
    Type: AWS::Serverless::Function
    Metadata:
      BuildMethod: rust-cargolambda
      BuildProperties: {Binary: worker}
    Properties:
      CodeUri: .
      FunctionName: !Sub '${BusName}-worker'
      Environment:
        Variables:
          PLAN: !Sub '{"mode":"${Mode}"}'
      Policies:
        - Version: '2012-10-17'
          Statement:
            - {Effect: Allow, Action: 'sns:Publish', Resource: !Ref Topic}
      EventInvokeConfig:
        MaximumRetryAttempts: 0
        DestinationConfig:
          OnSuccess: {Type: EventBridge, Destination: !GetAtt Bus.Arn}
          OnFailure: {Type: SQS, Destination: !GetAtt Failed.Arn}
  Bus:
    Type: AWS::Events::EventBus
    Properties: {Name: !Ref BusName}
  Failed:
    Type: AWS::SQS::Queue
    DeletionPolicy: Retain
  # What only the globals refer to is there before the functions.
  Zoo:
    Type: AWS::SQS::Queue
  Topic:
    Type: AWS::SNS::Topic
  Mail:
    Type: AWS::SNS::Subscription
    Condition: HasEmail
    Properties: {TopicArn: !Ref Topic, Protocol: email, Endpoint: !Ref Email}
  AskedRule:
    Type: AWS::Events::Rule
    Properties:
      EventBusName: !Ref Bus
      EventPattern: {source: [test]}
      Targets:
        - Id: worker
          Arn: !GetAtt Worker.Arn
          DeadLetterConfig: {Arn: !GetAtt Failed.Arn}
          RetryPolicy: {MaximumRetryAttempts: 3}
  AskedPermission:
    Type: AWS::Lambda::Permission
    Properties:
      FunctionName: !Ref Worker
      Action: lambda:InvokeFunction
      Principal: events.amazonaws.com
      SourceArn: !GetAtt AskedRule.Arn
  DoneRule:
    Type: AWS::Events::Rule
    DependsOn: Topic
    Properties:
      EventBusName: !Ref Bus
      EventPattern:
        source: [lambda]
        detail: {responsePayload: {event: {detail: {n: [1]}}}}
      Targets: [{Id: topic, Arn: !Ref Topic}]
Outputs:
  Queue: {Value: !Ref Failed}
  Rule: {Value: !GetAtt AskedRule.Arn}
  Nothing: {Condition: HasEmail, Value: !Ref Email}
"#;

fn code(binary: &Binary) -> PathBuf {
    assert_eq!(binary.name, "worker");
    echo()
}

fn parameters(given: &[(&str, &str)]) -> BTreeMap<String, String> {
    given.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn deployed(lab: &Arc<Lab>, template: &str, given: &[(&str, &str)]) -> Result<Outputs, DeployError> {
    deploy(lab, DR, "app", template, &parameters(given), &code)
}

async fn environment_of_next_invocation(lab: &Arc<Lab>, n: u32) -> Value {
    lab::events::put(lab, DR, "ours", json!({"source": "test", "detail-type": "Ask", "detail": {"n": n}}));
    journaled(lab, |entry| match &entry.what {
        What::Invocation { request, response, succeeded: true, .. } if request["detail"]["n"] == n => {
            Some(response["environment"].clone())
        }
        _ => None,
    })
    .await
}

#[tokio::test]
async fn a_deployed_stack_carries_an_event_through_function_destination_and_rule_to_a_mail() {
    let lab = lab(1000.0).await;
    let outputs = deployed(&lab, TEMPLATE, &[("Email", "ops@example.com")]).unwrap();
    assert_eq!(outputs["Nothing"], "ops@example.com");
    assert_eq!(outputs["Rule"], "arn:aws:events:us-west-2:123456789012:rule/ours/app-AskedRule");
    assert!(outputs["Queue"].ends_with("/123456789012/app-Failed"));
    let environment = environment_of_next_invocation(&lab, 1).await;
    assert_eq!(environment["AWS_LAMBDA_FUNCTION_NAME"], "ours-worker");
    assert_eq!((&environment["SHARED"], &environment["PLAN"]), (&json!("everywhere"), &json!(r#"{"mode":"fast"}"#)));
    let body = journaled(&lab, |entry| match &entry.what {
        What::Mail { to, body, .. } if to == "ops@example.com" => Some(body.clone()),
        _ => None,
    });
    assert!(body.await.contains("Lambda Function Invocation Result - Success"));
}

#[tokio::test]
async fn deploying_again_changes_functions_and_keeps_queues_and_their_messages() {
    let lab = lab(1000.0).await;
    assert!(!deployed(&lab, TEMPLATE, &[]).unwrap().contains_key("Nothing"));
    let first = environment_of_next_invocation(&lab, 2).await;
    let queue = "arn:aws:sqs:us-west-2:123456789012:app-Failed";
    lab::sqs::send(&lab, queue, "kept".to_owned());
    deployed(&lab, TEMPLATE, &[("Mode", "slow")]).unwrap();
    let second = environment_of_next_invocation(&lab, 3).await;
    assert_eq!((&first["PLAN"], &second["PLAN"]), (&json!(r#"{"mode":"fast"}"#), &json!(r#"{"mode":"slow"}"#)));
    assert_eq!(lab.sqs.bodies(queue), ["kept"]);
    assert_eq!(count(&lab, |what| matches!(what, What::Invocation { .. })), 2, "each rule is there once");
    let smaller = TEMPLATE.replace("  Topic:\n    Type: AWS::SNS::Topic\n", "").replace("!Ref Topic", "x");
    assert!(
        deployed(&lab, &smaller.replace("DependsOn: Topic", ""), &[]).unwrap_err().to_string().contains("remove Topic")
    );
}

#[tokio::test]
async fn a_function_has_the_role_that_sam_makes_and_without_leave_its_destination_gets_nothing() {
    let lab = lab(1000.0).await;
    deployed(&lab, TEMPLATE, &[]).unwrap();
    let role = lab.iam.policy("ours-worker").unwrap();
    let grants: Vec<String> = role.grants().into_iter().map(|grant| grant.statement).collect();
    for statement in ["AWSLambdaBasicExecutionRole", "OnSuccess", "OnFailure"] {
        assert!(grants.iter().any(|known| known == statement), "{grants:?}");
    }
    let deny = json!({"Effect": "Deny", "Action": "events:PutEvents", "Resource": "*"});
    let deny = Policy::parse(&json!({"Version": "2012-10-17", "Statement": deny})).unwrap();
    lab.iam.attach("ours-worker", role.as_ref().clone().and(deny));
    environment_of_next_invocation(&lab, 1).await;
    let dropped = journaled(&lab, |entry| match &entry.what {
        What::Fault { what } if what.starts_with("invocation record dropped") => Some(what.clone()),
        _ => None,
    });
    assert!(dropped.await.contains("ours-worker is not authorized to perform: events:PutEvents"));
}

/// A record set is a change like any other; one that is as it was is left alone.
#[tokio::test]
async fn a_record_set_is_made_and_changed_with_its_stack() {
    let lab = lab(1000.0).await;
    let zone = lab.route53.create_zone(lab.clock.now(), "example.com").unwrap();
    let template = |text: &str| {
        format!(
            "Resources:\n  Up:\n    Type: AWS::Route53::RecordSet\n    Properties: {{HostedZoneId: {zone}, Name: _it.example.com, Type: \
             TXT, TTL: '60', SetIdentifier: up, Failover: SECONDARY, ResourceRecords: ['\"{text}\"']}}\nOutputs:\n  Name: {{Value: !Ref Up}}\n"
        )
    };
    let values = || {
        let sets = lab.route53.records(&zone);
        let it = sets.iter().find(|set| set.key.name.bare() == "_it.example.com").unwrap();
        (it.key.set_identifier.clone().unwrap(), it.failover().is_some(), it.values().to_vec())
    };
    let outputs = deployed(&lab, &template("up"), &[]).unwrap();
    assert_eq!(outputs["Name"], "_it.example.com");
    assert_eq!(values(), ("up".to_owned(), true, vec!["\"up\"".to_owned()]));
    let changes = || count(&lab, |what| matches!(what, What::Change { status, .. } if status == "PENDING"));
    deployed(&lab, &template("up"), &[]).unwrap();
    assert_eq!(changes(), 1, "nothing was to be changed");
    deployed(&lab, &template("well"), &[]).unwrap();
    assert_eq!((values().2, changes()), (vec!["\"well\"".to_owned()], 2));
    let error = deployed(&lab, &template("up").replace("_it.example.com", "_it.example.org"), &[]).unwrap_err();
    assert!(error.to_string().contains("is not permitted in zone"), "{error}");
}

#[tokio::test]
async fn a_rule_of_the_template_is_obeyed_before_anything_is_made() {
    let lab = lab(1000.0).await;
    let rules = "Rules:\n  SlowNeedsMail:\n    RuleCondition: !Equals [!Ref Mode, slow]\n    Assertions:\n      - Assert: !Not [!Equals [!Ref \
                 Email, '']]\n        AssertDescription: a slow one needs Email\n";
    let template = TEMPLATE.replacen("Conditions:\n", &format!("{rules}Conditions:\n"), 1);
    let error = deployed(&lab, &template, &[("Mode", "slow")]).unwrap_err().to_string();
    assert_eq!(error, "rule SlowNeedsMail: a slow one needs Email");
    assert!(lab.stacks.kinds(DR, "app").is_empty());
    deployed(&lab, &template, &[]).unwrap();
    deployed(&lab, &template, &[("Mode", "slow"), ("Email", "a@example.com")]).unwrap();
}

#[tokio::test]
async fn whatever_the_lab_does_not_know_is_refused_by_name() {
    let lab = lab(1000.0).await;
    let table = [
        ("AWS::SNS::Topic", "AWS::S3::Bucket", "AWS::S3::Bucket"),
        ("CodeUri: .", "Layers: [x]", "Layers"),
        ("- Version: '2012-10-17'\n          Statement:", "- AWSLambdaRole\n        - Statement:", "AWSLambdaRole"),
        ("Resource: !Ref Topic}", "Resource: '*', NotAction: 'x:y'}", "NotAction"),
        ("Id: worker\n", "Id: worker\n          InputPath: $.detail\n", "InputPath"),
        ("Type: EventBridge", "Type: S3", "S3"),
        ("Timeout: 5", "Timeout: soon", "soon"),
        ("Outputs:", "Hooks: {}\nOutputs:", "Hooks"),
        ("Transform: AWS::Serverless-2016-10-31", "Transform: AWS::LanguageExtensions", "AWS::LanguageExtensions"),
        ("source: [test]", "source: [{sounds-like: x}]", "sounds-like"),
        ("Type: SQS, Destination: !GetAtt Failed.Arn", "Type: SQS, Destination: !GetAtt Bus.Arn", "no destination"),
        ("DependsOn: Topic", "DependsOn: Absent", "Absent"),
        ("Properties: {Name: !Ref BusName}", "Properties: {Name: !Ref AskedRule}", "circle"),
    ];
    for (known, unknown, named) in table {
        let template = TEMPLATE.replacen(known, unknown, 1);
        assert_ne!(template, TEMPLATE, "{known}");
        let error = deployed(&lab, &template, &[]).unwrap_err().to_string();
        assert!(error.contains(named), "{unknown}: {error}");
    }
    let error = deployed(&lab, TEMPLATE, &[("BusName", "Ours!")]).unwrap_err().to_string();
    assert!(error.contains("BusName") && error.contains("AllowedPattern"), "{error}");
}

const REGISTER: &str = "
Parameters:
  Protected: {Type: String, Default: 'true'}
Resources:
  Register:
    Type: AWS::DynamoDB::Table
    DeletionPolicy: Retain
    Properties:
      AttributeDefinitions: [{AttributeName: pk, AttributeType: S}]
      KeySchema: [{AttributeName: pk, KeyType: HASH}]
      BillingMode: PAY_PER_REQUEST
      DeletionProtectionEnabled: !Ref Protected
      SSESpecification: {SSEEnabled: true}
      PointInTimeRecoverySpecification: {PointInTimeRecoveryEnabled: true}
      Tags: [{Key: a, Value: b}]
Outputs:
  Name: {Value: !Ref Register}
  Arn: {Value: !GetAtt Register.Arn}
";

#[tokio::test]
async fn a_deployed_table_is_ready_at_once_and_keeps_its_items_when_it_is_deployed_again() {
    let lab = lab(1000.0).await;
    let outputs = deployed(&lab, REGISTER, &[]).unwrap();
    assert_eq!(outputs["Name"], "app-Register");
    assert_eq!(outputs["Arn"], "arn:aws:dynamodb:us-west-2:123456789012:table/app-Register");
    lab.dynamodb.put(DR, "app-Register", "k", &[("state", "kept")]);
    deployed(&lab, REGISTER, &[("Protected", "false")]).unwrap();
    assert_eq!(lab.dynamodb.text(DR, "app-Register", "k", "state").as_deref(), Some("kept"));
    for (known, unknown, named) in [
        ("KeyType: HASH", "KeyType: RANGE", "RANGE"),
        ("AttributeType: S", "AttributeType: N", "unknown variant `N`"),
        ("BillingMode: PAY_PER_REQUEST", "BillingMode: PROVISIONED", "PROVISIONED"),
        ("      BillingMode: PAY_PER_REQUEST\n", "", "BillingMode"),
        ("Tags:", "TimeToLiveSpecification: {}\n      Tags:", "TimeToLiveSpecification"),
        ("AttributeName: pk, KeyType", "AttributeName: sk, KeyType", "not defined in AttributeDefinitions"),
        ("Default: 'true'", "Default: 'maybe'", "maybe"),
    ] {
        let error = deployed(&lab, &REGISTER.replacen(known, unknown, 1), &[]).unwrap_err().to_string();
        assert!(error.contains(named), "{unknown}: {error}");
    }
    let other = REGISTER.replace("AttributeName: pk", "AttributeName: id");
    assert!(deployed(&lab, &other, &[]).unwrap_err().to_string().contains("already exists"), "its key cannot change");
}
