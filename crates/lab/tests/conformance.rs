//! Clients that nobody here wrote judge the lab: boto3 and the AWS command line, from a virtual environment set up here.
//!
//! And the tables in `calls/` are complete and true: each call in them succeeded, and no other.

#![expect(clippy::unwrap_used, reason = "what a test needs and does not get fails it")]

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use lab::Lab;
use lab::acm::Certificate;
use lab::codepipeline::Execution;
use lab::elb::{Listener, TargetGroup, group_arn};
use lab::functions::{FunctionConfig, Functions};
use lab::journal::What;
use lab::site::Sites;
use lab::ssm::Parameter;

mod common;

use common::{echo, lab};

const REGION: &str = "eu-central-1";
/// Fast enough that nobody waits for lab minutes, slow enough that a call does not take one.
const SPEED: f64 = 300.0;

fn here() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn run(command: &mut Command) {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}; it needs python3 with venv"));
    let said = [output.stdout, output.stderr].map(|said| String::from_utf8_lossy(&said).into_owned()).concat();
    assert!(output.status.success(), "{command:?}\n{said}");
}

/// The Python in which the requirements are installed; they are installed anew when they change.
fn python() -> &'static Path {
    static PYTHON: OnceLock<PathBuf> = OnceLock::new();
    PYTHON.get_or_init(|| {
        let venv = here().join("../../target/conformance");
        let (python, installed) = (venv.join("bin/python"), venv.join("installed.txt"));
        let requirements = here().join("conformance/requirements.txt");
        let wanted = std::fs::read_to_string(&requirements).unwrap();
        if std::fs::read_to_string(&installed).ok().as_ref() != Some(&wanted) {
            run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&venv));
            run(Command::new(&python).args(["-m", "pip", "install", "--quiet", "--requirement"]).arg(&requirements));
            std::fs::write(&installed, wanted).unwrap();
        }
        python
    })
}

/// Runs a Python file against a lab of its own; returns the lab.
async fn judged(file: &str) -> std::sync::Arc<Lab> {
    let lab = lab(SPEED).await;
    let config = FunctionConfig { retries: 0, ..FunctionConfig::new("echo", echo()) };
    Functions::create(&lab, REGION, config).unwrap();
    let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let site = Sites::open(&lab, REGION, any, (REGION, "none")).await.unwrap();
    lab::dns::balancer::open(&lab, "shop-1.eu-central-1.elb.amazonaws.com", site, "/health").unwrap();
    furnish(&lab);
    let mut command = Command::new(tokio::task::spawn_blocking(python).await.unwrap());
    command
        .args(["-m", "pytest", "-q", "-p", "no:cacheprovider", file])
        .current_dir(here().join("conformance"))
        .env_clear()
        .env("PATH", std::env::var("PATH").unwrap_or_default())
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("AWS_ENDPOINT_URL", lab.endpoint_url())
        .env("AWS_ACCESS_KEY_ID", "conformance")
        .env("AWS_SECRET_ACCESS_KEY", "the-lab-checks-no-signatures")
        .env("AWS_CONFIG_FILE", "/dev/null")
        .env("LAB_DNS", lab.dns.to_string())
        .env("LAB_SITE_PORT", site.port().to_string())
        .env("LAB_FUNCTION", "echo");
    tokio::task::spawn_blocking(move || run(&mut command)).await.unwrap();
    lab
}

/// What only people can put there: the lab's APIs of these services read.
fn furnish(lab: &Lab) {
    let now = lab.clock.now();
    let certificate =
        Certificate { names: vec!["shop.example.com".to_owned()], status: "ISSUED", not_after: Some(now) };
    let certificate = lab.acm.put(REGION, "shop", certificate);
    lab.elb.change("shop-1.eu-central-1.elb.amazonaws.com", |behind| {
        behind.listeners = vec![Listener { port: 443, protocol: "HTTPS", certificates: vec![certificate] }];
        let targets = vec![("i-1".to_owned(), "healthy".to_owned())];
        behind.groups = vec![TargetGroup { name: "shop".to_owned(), targets }];
    });
    lab.autoscaling.change(REGION, "shop", |group| {
        group.sizes = [1, 4, 2];
        group.instances = vec![("i-1".to_owned(), "InService", "Healthy")];
        group.suspended = vec!["AZRebalance".to_owned()];
        group.target_groups = vec![group_arn(REGION, "shop")];
        let failed = "The image id '[ami-0]' does not exist".to_owned();
        group.activities = vec![(now, "Successful", String::new()), (now, "Failed", failed)];
    });
    lab.ecs.change(&lab::ecs::arn_of(REGION, "main", "shop"), |service| (service.desired, service.running) = (2, 2));
    lab.ecs.change(&lab::ecs::arn_of(REGION, "main", "agent"), |service| service.strategy = "DAEMON");
    lab.ecs.change(&lab::ecs::arn_of(REGION, "main", "old"), |service| service.status = "INACTIVE");
    lab.functions.map(REGION, "0a1b2c3d-0000-4000-8000-000000000001", false);
    lab.kms.set(REGION, "shop", "PendingDeletion");
    lab.secretsmanager.change(REGION, "shop/app", |secret| {
        secret.replicas.insert("eu-west-1".to_owned(), ("Failed", "no key".to_owned()));
        secret.value = Some(r#"{"username": "app"}"#.to_owned());
    });
    lab.secretsmanager.change(REGION, "shop/empty", |_| {});
    for (name, kind, data_type) in [
        ("/shop/bucket", "String", "text"),
        ("/shop/hosts", "StringList", "text"),
        ("/shop/image", "String", "aws:ec2:image"),
        ("plain", "SecureString", "text"),
    ] {
        lab.ssm.put(REGION, name, Parameter { kind, data_type, set_at: now });
    }
    lab.servicequotas.apply(REGION, Some(64.0));
    let executions = [("Failed", "Xq9", None), ("Succeeded", "Lv1", Some("the commit".to_owned()))];
    let execution = |(status, version, said): (_, &str, _)| Execution {
        status,
        changed: now,
        revision: ("Source", version.to_owned(), said),
    };
    lab.codepipeline.change(REGION, "shop", |done| done.extend(executions.map(execution)));
    lab.secretsmanager.change(REGION, "shop/deleted", |secret| secret.deleted = Some(now));
    lab::rds::set_parameter(lab, REGION, "shop", "binlog_format", Some("ROW"));
}

/// Every call of a service that was answered as asked.
fn answered(labs: &[std::sync::Arc<Lab>], service: &str) -> BTreeSet<String> {
    let entries = labs.iter().flat_map(|lab| lab.journal.entries());
    let answered = entries.filter_map(|entry| match &entry.what {
        What::Call { service: of, action, status: 200..=299, .. } if of == service => Some(action.clone()),
        _ => None,
    });
    answered.collect()
}

/// The calls in a service's table.
fn promised(table: &str) -> BTreeSet<String> {
    let path = here().join("calls").join(table);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let rows = text.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next());
    rows.map(str::to_owned).collect()
}

fn the_table_is_complete_and_true(table: &str, service: &str, labs: &[std::sync::Arc<Lab>]) {
    assert_eq!(promised(table), answered(labs, service), "left: calls/{table}, right: what {service} answered");
}

#[tokio::test(flavor = "multi_thread")]
async fn route_53_and_its_health_checks_pass() {
    let labs = [judged("test_route53.py").await, judged("test_health_checks.py").await];
    the_table_is_complete_and_true("route53.md", "route53", &labs);
}

#[tokio::test(flavor = "multi_thread")]
async fn dns_passes() {
    judged("test_dns.py").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn cloudwatch_passes() {
    let labs = [judged("test_cloudwatch.py").await];
    the_table_is_complete_and_true("cloudwatch.md", "monitoring", &labs);
}

#[tokio::test(flavor = "multi_thread")]
async fn eventbridge_passes() {
    let labs = [judged("test_events.py").await];
    the_table_is_complete_and_true("events.md", "events", &labs);
}

#[tokio::test(flavor = "multi_thread")]
async fn dynamodb_passes() {
    let labs = [judged("test_dynamodb.py").await];
    the_table_is_complete_and_true("dynamodb.md", "dynamodb", &labs);
}

#[tokio::test(flavor = "multi_thread")]
async fn lambda_passes() {
    let labs = [judged("test_lambda.py").await];
    the_table_is_complete_and_true("lambda.md", "lambda", &labs);
}

#[tokio::test(flavor = "multi_thread")]
async fn cloudwatch_logs_pass() {
    let labs = [judged("test_logs.py").await];
    the_table_is_complete_and_true("logs.md", "logs", &labs);
}

#[tokio::test(flavor = "multi_thread")]
async fn rds_passes() {
    let labs = [judged("test_rds.py").await];
    the_table_is_complete_and_true("rds.md", "rds", &labs);
}

#[tokio::test(flavor = "multi_thread")]
async fn load_balancers_pass() {
    let labs = [judged("test_balancers.py").await];
    the_table_is_complete_and_true("elasticloadbalancing.md", "elasticloadbalancing", &labs);
}

#[tokio::test(flavor = "multi_thread")]
async fn instances_quotas_certificates_keys_secrets_parameters_and_pipelines_pass() {
    let labs = [judged("test_standby.py").await];
    for service in ["autoscaling", "ecs", "acm", "kms", "secretsmanager", "servicequotas", "ssm", "codepipeline"] {
        the_table_is_complete_and_true(&format!("{service}.md"), service, &labs);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sns_sqs_and_sts_pass() {
    let labs = [judged("test_messages.py").await];
    for service in ["sns", "sqs", "sts"] {
        the_table_is_complete_and_true(&format!("{service}.md"), service, &labs);
    }
}
