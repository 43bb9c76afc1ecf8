//! A stranger deploys Holdfast on a Friday, without AWS: the page's commands, the real `sam` and `cargo lambda`, the functions built for
//! release, and an emulator that nobody here wrote, which runs them. Its RDS is the lab's, since it has no promotion.
//!
//! What that emulator lacks, and what is done here in its place:
//!
//! - CloudFormation there refuses `AWS::Route53::HealthCheck`. So detector.yaml, and the one stack, are deployed as copies in which checks
//!   are parameters of the same names; the checks are made through its Route 53 API. Every drill deploys the file itself, into the lab.
//! - It evaluates no alarm and takes no event across regions. So the alarm is set by hand; its event, which nobody but AWS may put on a
//!   bus, is held against the deployed rule, and then given to the rule's target.
//! - It delivers no result of an asynchronous invocation. So it is the tick, not `Pinned`, that wakes replica-promoter.

#![expect(clippy::expect_used, reason = "what a test needs and does not get fails it")]

use std::fs::File;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use drill::lambdas::{LAMBDAS, OTHERS, build, repository};
use jiff::Timestamp;
use lab::journal::What;
use lab::{Lab, Options, rds};
use serde_json::{Value, json};
use tests::emulator::Emulator;

const PAGE: &str = "docs/deploying.md";
const PRIMARY: &str = "eu-west-1";
const DR: &str = "eu-central-1";
const DETECTOR: &str = "us-east-1";
const ALARM: &str = "holdfast-failover-started";
/// A name that gets its pair from records.yaml, and one that had a simple record.
const NAMES: [&str; 2] = ["app.example.com", "www.example.com"];
const PRIMARY_TARGET: &str = "192.0.2.1";
const DR_TARGET: &str = "198.51.100.1";
/// The functions in the template, and the programs that they are.
const PROGRAMS: [(&str, &str); 7] = [
    ("AlarmHandler", "alarm-handler"),
    ("ReplicaPromoter", "replica-promoter"),
    ("Fencer", "fencer"),
    ("Preparer", "preparer"),
    ("Notifier", "notifier"),
    ("Observer", "observer"),
    ("ReadinessFunction", "readiness"),
];
/// Three ticks and the TTL take four minutes; the rest is for a busy machine.
const PATIENCE: Duration = Duration::from_secs(480);

/// Calls AWS as a person would with the AWS command line: service, region, operation, arguments.
const CALL: &str = "
import boto3, json, sys
service, region, operation, arguments = sys.argv[1:]
answer = getattr(boto3.client(service, region), operation)(**json.loads(arguments))
json.dump(answer, sys.stdout, default=lambda it: it.read().decode() if hasattr(it, 'read') else str(it))
";

/// Uploads files: bucket, region, then key and file each.
const UPLOAD: &str = "
import boto3, sys
bucket, region, *files = sys.argv[1:]
s3 = boto3.client('s3', region)
s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={'LocationConstraint': region})
for key, file in zip(files[::2], files[1::2]):
    s3.upload_file(file, bucket, key)
";

/// The stranger at a terminal.
struct Person {
    page: String,
    /// Their copy of samconfig.toml.
    settings: PathBuf,
    emulator: Emulator,
    holdfast: PathBuf,
}

impl Person {
    fn tool(name: &str) -> PathBuf {
        let tool = repository().join("target/ci-venv/bin").join(name);
        assert!(tool.exists(), "{} is missing; .ci/deploy installs it", tool.display());
        tool
    }

    fn command(&self, program: &Path) -> Command {
        let path = std::env::var("PATH").unwrap_or_default();
        let mut command = Command::new(program);
        command
            .current_dir(repository())
            .env("PATH", format!("{}:{path}", repository().join("target/ci-venv/bin").display()))
            .env("AWS_ENDPOINT_URL", &self.emulator.endpoint)
            // The emulator takes the account from it: the lab's.
            .env("AWS_ACCESS_KEY_ID", lab::ACCOUNT)
            .env("AWS_SECRET_ACCESS_KEY", "nobody-checks-it")
            .env("AWS_REGION", DR)
            .env("AWS_DEFAULT_REGION", DR)
            .env("SAM_CLI_TELEMETRY", "0")
            .stdin(Stdio::null());
        command
    }

    /// Runs a `sam` command of the page, in a folder.
    fn sam(&self, folder: &Path, documented: &str, more: &[&str]) -> String {
        assert!(self.page.contains(documented), "{PAGE} does not say {documented:?}");
        let began = Instant::now();
        let arguments: Vec<_> = documented.split_whitespace().skip(1).chain(more.iter().copied()).collect();
        let said = run(self.command(&Self::tool("sam")).current_dir(folder).args(arguments));
        println!("{documented}: {} s", began.elapsed().as_secs());
        said
    }

    fn deploy(&self, stack: &str, more: &[&str]) {
        let settings = self.settings.to_str().expect("it is UTF-8");
        let more = [&["--no-confirm-changeset", "--config-file", settings][..], more].concat();
        self.sam(&repository(), &format!("sam deploy --config-env {stack}"), &more);
    }

    /// Writes into the settings: each text there becomes another.
    fn edit(&self, edits: &[(&str, &str)]) {
        let mut settings = std::fs::read_to_string(&self.settings).expect("it is there");
        for (old, new) in edits {
            assert!(settings.contains(old), "samconfig.toml does not say {old:?}");
            settings = settings.replace(old, new);
        }
        std::fs::write(&self.settings, settings).expect("it can be written to");
    }

    /// What the page says of `key`, to be filled in.
    fn fill_in(&self, key: &str, value: &str) {
        self.edit(&[(&format!("\"{key}=FILL IN\""), &format!("\"{key}={value}\""))]);
    }

    fn call(&self, service: &str, region: &str, operation: &str, arguments: &Value) -> Value {
        let mut command = self.command(&Self::tool("python"));
        let said = run(command.args(["-c", CALL, service, region, operation, &arguments.to_string()]));
        serde_json::from_str(&said).expect("boto3's answer is JSON")
    }

    fn holdfast(&self, arguments: &[&str]) -> Value {
        let said = run(self.command(&self.holdfast).args(arguments).args(["--json", "--yes"]));
        serde_json::from_str(&said).expect("standard output is one JSON document")
    }

    fn output(&self, stack: &str, region: &str, key: &str) -> String {
        let stacks = self.call("cloudformation", region, "describe_stacks", &json!({"StackName": stack}));
        let outputs = stacks["Stacks"][0]["Outputs"].as_array().expect("the stack has outputs");
        let output = outputs.iter().find(|output| output["OutputKey"] == key).expect("the output is there");
        output["OutputValue"].as_str().expect("it is a text").to_owned()
    }

    /// PRIMARY, SECONDARY and register of a name; the register is empty if there is none.
    fn records(&self, zone: &str, name: &str) -> [String; 3] {
        let listed = self.call("route53", DETECTOR, "list_resource_record_sets", &json!({"HostedZoneId": zone}));
        let sets = listed["ResourceRecordSets"].as_array().expect("a list").clone();
        let value = |name: String, role: Option<&str>| {
            let is_it = |set: &&Value| set["Name"] == format!("{name}.") && set["Failover"].as_str() == role;
            let set = sets.iter().find(is_it);
            set.and_then(|set| set["ResourceRecords"][0]["Value"].as_str()).unwrap_or_default().to_owned()
        };
        [
            value(name.to_owned(), Some("PRIMARY")),
            value(name.to_owned(), Some("SECONDARY")),
            value(format!("_holdfast.{name}"), None),
        ]
    }
}

/// Standard output.
fn run(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{command:?}\n{out}\n{err}");
    out.into_owned()
}

fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < PATIENCE, "not within {} s: {what}", PATIENCE.as_secs());
        std::thread::sleep(Duration::from_secs(1));
    }
    println!("{what}: {} s", began.elapsed().as_secs());
}

/// Copies a template without its health checks: where they were referred to by name, parameters of these names stand in.
fn with_given_checks(template: &Path, copy: &Path) {
    let text = std::fs::read_to_string(template).expect("the template is there");
    let lines: Vec<_> = text.lines().collect();
    let (mut kept, mut given, mut dropping) = (Vec::new(), Vec::new(), false);
    for (at, line) in lines.iter().enumerate() {
        let is_key = line.len() > 2 && line.starts_with("  ") && !line[2..].starts_with([' ', '#']);
        if is_key || !line.starts_with(' ') && !line.is_empty() {
            dropping =
                is_key && lines.get(at + 1).is_some_and(|next| next.ends_with("Type: AWS::Route53::HealthCheck"));
            given.extend(dropping.then(|| format!("  {} {{Type: String, Default: ''}}", line.trim())));
        }
        if !dropping {
            kept.push((*line).to_owned());
        }
    }
    let place = kept.iter().position(|line| line == "Parameters:").expect("it has parameters");
    kept.splice(place + 1..place + 1, given);
    let kept = kept.join("\n");
    assert!(!kept.contains("AWS::Route53::HealthCheck"), "a health check is left");
    std::fs::write(copy, kept).expect("the folder can be written to");
}

fn health_check(person: &Person, reference: &str, config: &Value) -> String {
    let arguments = json!({"CallerReference": reference, "HealthCheckConfig": config});
    let made = person.call("route53", DETECTOR, "create_health_check", &arguments);
    made["HealthCheck"]["Id"].as_str().expect("it has an id").to_owned()
}

/// Databases that promote.
async fn lab() -> Arc<Lab> {
    let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    // At the emulator's pace, which is real time.
    let options = Options { start: Timestamp::now(), speed: 1.0, endpoint: any, dns: any };
    let lab = Lab::start(&options).await.expect("the lab starts");
    rds::create_cluster(&lab, PRIMARY, "app", None, &["app-1"]).expect("it is new");
    rds::create_cluster(&lab, DR, "app-dr", Some((PRIMARY, "app")), &["app-dr-1"]).expect("it is new");
    lab
}

/// The functions are what they say: built for release, and without a word of the calls they must not make.
fn built_as_meant() {
    const FOREIGN: [(&str, &[&str]); 7] = [
        ("AlarmHandler", &["PromoteReadReplica", "RebootDBInstance", "ModifyDBCluster"]),
        ("ReplicaPromoter", &["RebootDBInstance", "ModifyDBCluster", "UpdateHealthCheck"]),
        ("Fencer", &["PromoteReadReplica", "ChangeResourceRecordSets"]),
        ("Preparer", &["PromoteReadReplica", "ModifyDBCluster", "ChangeResourceRecordSets"]),
        ("Notifier", &["PromoteReadReplica", "ChangeResourceRecordSets", "DescribeAlarms"]),
        ("Observer", &["PromoteReadReplica", "ChangeResourceRecordSets", "DescribeAlarms", "PutMetricData"]),
        ("ReadinessFunction", &["PromoteReadReplicaDBCluster", "FailoverGlobalCluster", "PutSecretValue"]),
    ];
    // Those are built with the others that only some stacks have.
    assert_eq!(FOREIGN.len(), LAMBDAS.len() + OTHERS.len());
    for (function, calls) in FOREIGN {
        let binary = repository().join(".aws-sam/build").join(function).join("bootstrap");
        let binary = std::fs::read(binary).expect("sam build made it");
        println!("{function}: {:.2} MB", binary.len() as f64 / 1e6);
        for call in calls {
            let has_it = binary.windows(call.len()).any(|window| window == call.as_bytes());
            assert!(!has_it, "{function} can {call}");
        }
    }
}

/// The batch of the page that turns a simple record into a pair.
fn becomes_a_pair(person: &Person, zone: &str, check: &str) {
    let simple = json!({"Name": NAMES[1], "Type": "A", "TTL": 300, "ResourceRecords": [{"Value": PRIMARY_TARGET}]});
    let change = json!({"Changes": [{"Action": "CREATE", "ResourceRecordSet": simple}]});
    person.call(
        "route53",
        DETECTOR,
        "change_resource_record_sets",
        &json!({"HostedZoneId": zone, "ChangeBatch": change}),
    );
    let batch = person.page.split("```json").nth(1).and_then(|rest| rest.split("```").next());
    let batch = batch.expect("the page has a batch").replace("0123abcd-0123-0123-0123-0123456789ab", check);
    let batch: Value = serde_json::from_str(&batch).expect("it is JSON");
    person.call(
        "route53",
        DETECTOR,
        "change_resource_record_sets",
        &json!({"HostedZoneId": zone, "ChangeBatch": batch}),
    );
}

fn set_alarm(person: &Person, state: &str) {
    let arguments = json!({"AlarmName": ALARM, "StateValue": state, "StateReason": "the emulator evaluates none"});
    person.call("cloudwatch", DETECTOR, "set_alarm_state", &arguments);
}

/// What EventBridge would do with the alarm's event: the rule's pattern takes it, the rule's target gets it. What that returned.
fn ring(person: &Person) -> Value {
    let event = std::fs::read_to_string(repository().join("events/alarm-by-eventbridge.json"));
    let mut event: Value = serde_json::from_str(&event.expect("the sample is there")).expect("it is JSON");
    event["resources"] = json!([format!("arn:aws:cloudwatch:{DETECTOR}:{}:alarm:{ALARM}", lab::ACCOUNT)]);
    event["detail"]["alarmName"] = json!(ALARM);
    let now = Timestamp::now().strftime("%Y-%m-%dT%H:%M:%S.000+0000").to_string();
    event["detail"]["state"]["timestamp"] = json!(now);
    let takes = |rule: &Value, event: &Value| {
        let arguments = json!({"EventPattern": rule["EventPattern"], "Event": event.to_string()});
        person.call("events", DR, "test_event_pattern", &arguments)["Result"] == true
    };
    let rules = person.call("events", DR, "list_rules", &json!({"EventBusName": "holdfast"}));
    let rules = rules["Rules"].as_array().expect("a list").iter();
    let taking: Vec<_> = rules.filter(|rule| takes(rule, &event)).map(|rule| rule["Name"].clone()).collect();
    assert_eq!(taking.len(), 1, "one rule takes the alarm's event: {taking:?}");
    let of_rule = json!({"Rule": taking[0], "EventBusName": "holdfast"});
    let targets = person.call("events", DR, "list_targets_by_rule", &of_rule);
    let function = &targets["Targets"][0]["Arn"];
    let arguments = json!({"FunctionName": function, "Payload": event.to_string()});
    let answer = person.call("lambda", DR, "invoke", &arguments);
    assert!(answer["FunctionError"].is_null(), "{answer}");
    serde_json::from_str(answer["Payload"].as_str().expect("a payload")).expect("it is JSON")
}

fn promotions(lab: &Lab) -> usize {
    let is_one =
        |what: &What| matches!(what, What::Call { action, status: 200, .. } if action == "PromoteReadReplicaDBCluster");
    lab.journal.entries().iter().filter(|entry| is_one(&entry.what)).count()
}

/// What the functions are built for and run on.
fn architecture() -> String {
    let this = if cfg!(target_arch = "aarch64") { "arm64" } else { "x86_64" };
    std::env::var("HOLDFAST_ARCHITECTURE").unwrap_or_else(|_| this.to_owned())
}

/// From nothing to both stacks and two pairs; the zone.
fn install(person: &Person) -> String {
    let given = format!("Architecture={}", architecture());
    // The template's own choice needs no word of it.
    let build = if given == "Architecture=arm64" { vec![] } else { vec!["--parameter-overrides", &given] };
    person.sam(&repository(), "sam build --config-env responder", &build);
    built_as_meant();
    let zone = json!({"Name": "example.com", "CallerReference": "1"});
    let zone = person.call("route53", DETECTOR, "create_hosted_zone", &zone);
    let zone = zone["HostedZone"]["Id"].as_str().expect("it has an id").trim_start_matches("/hostedzone/").to_owned();

    person.edit(&[("region = \"FILL IN\"", &format!("region = \"{DR}\""))]);
    for (key, value) in [
        ("HostedZoneId", zone.as_str()),
        ("RecordNames", &NAMES.join(",")),
        ("AuroraClusters", "app-dr"),
        ("OperatorEmail", "oncall@example.com"),
        ("EndpointDomain", "app-primary.example.com"),
        ("ResponderRegion", DR),
        ("RecordName", NAMES[0]),
    ] {
        person.fill_in(key, value);
    }
    // More than must be filled in.
    let quick = format!("\"AuroraClusters=app-dr\", \"SettleSeconds=0\", \"DrainSeconds=0\", \"{given}\"");
    person.edit(&[("\"AuroraClusters=app-dr\"", &quick), ("\"Mode=shadow\"", "\"Mode=approval\"")]);
    person.deploy("responder", &[]);

    let endpoint = json!({"Type": "HTTPS", "FullyQualifiedDomainName": "app-primary.example.com"});
    let endpoint = health_check(person, "endpoint", &endpoint);
    let failover = json!({"Type": "CLOUDWATCH_METRIC", "InsufficientDataHealthStatus": "LastKnownStatus", "AlarmIdentifier":
        {"Name": format!("holdfast-prolonged-outage-30min-{}", &endpoint[..8]), "Region": DETECTOR}});
    let failover = health_check(person, "failover", &failover);
    let checks =
        format!("\"EndpointHealthCheck={endpoint}\", \"FailoverHealthCheck={failover}\", \"ResponderRegion={DR}\"");
    person.edit(&[(&format!("\"ResponderRegion={DR}\""), &checks)]);
    let template = Path::new(env!("CARGO_TARGET_TMPDIR")).join("detector-with-given-checks.yaml");
    with_given_checks(&repository().join("detector.yaml"), &template);
    person.deploy("detector", &["--template-file", template.to_str().expect("it is UTF-8")]);

    let check = person.output("holdfast-detector", DETECTOR, "FailoverHealthCheckId");
    let given = format!("\"FailoverHealthCheckId={check}\"");
    person.edit(&[
        ("# \"FailoverHealthCheckId=0123abcd-0123-0123-0123-0123456789ab\"", &given),
        ("\"FailoverHealthCheckId=FILL IN\"", &given),
        ("PrimaryTarget=FILL IN", &format!("PrimaryTarget={PRIMARY_TARGET}")),
        ("SecondaryTarget=FILL IN", &format!("SecondaryTarget={DR_TARGET}")),
    ]);
    person.deploy("records", &[]);
    becomes_a_pair(person, &zone, &check);
    person.deploy("responder", &[]);
    zone
}

/// A release of the programs that `sam build` made; its folder.
fn release() -> PathBuf {
    let place = Path::new(env!("CARGO_TARGET_TMPDIR")).join("release");
    let programs = place.join("programs").join(architecture());
    std::fs::create_dir_all(&programs).expect("it can be made");
    for (function, program) in PROGRAMS {
        let built = repository().join(".aws-sam/build").join(function).join("bootstrap");
        std::fs::copy(built, programs.join(program)).expect("sam build made it");
    }
    let package = repository().join(".ci/package");
    let said =
        run(Command::new(package).arg("--rehearsal").arg(place.join("programs")).arg(&place).arg(architecture()));
    print!("{said}");
    place.join(concat!("holdfast-", env!("CARGO_PKG_VERSION")))
}

/// What the deployed function is: its processor, and the size of its zip.
fn deployed(person: &Person, function: &str) -> (Value, Value) {
    let named = json!({"FunctionName": format!("holdfast-{function}")});
    let is = person.call("lambda", DR, "get_function_configuration", &named);
    (is["Architectures"][0].clone(), is["CodeSize"].clone())
}

/// By the page's way from a release: its folder, the settings of before, and no Rust in sight.
fn upgrade(person: &Person, release: &Path) {
    person.edit(&[("\"AuroraClusters=app-dr\"", "\"LogLevel=debug\", \"AuroraClusters=app-dr\"")]);
    std::fs::copy(&person.settings, release.join("samconfig.toml")).expect("the folder can be written to");
    let template = if architecture() == "arm64" { "template.yaml" } else { "template-x86_64.yaml" };
    let began = Instant::now();
    let mut sam = person.command(&Person::tool("sam"));
    let arguments = ["deploy", "--config-env", "responder", "--no-confirm-changeset", "--template-file", template];
    run(sam.current_dir(release).env("PATH", "/usr/bin:/bin").args(arguments));
    println!("an upgrade from a release: {} s", began.elapsed().as_secs());
}

/// As Terraform and the console do: the zips in a bucket, and the template that reads them from there.
fn upgrade_from_a_bucket(person: &Person, release: &Path) {
    let prefix = format!("holdfast-{}/functions/{}", env!("CARGO_PKG_VERSION"), architecture());
    let mut upload = person.command(&Person::tool("python"));
    upload.current_dir(release).args(["-c", UPLOAD, "a-bucket", DR, "packaged.yaml", "packaged.yaml"]);
    for (_, program) in PROGRAMS {
        upload.arg(format!("{prefix}/{program}.zip")).arg(format!("functions/{}/{program}.zip", architecture()));
    }
    run(&mut upload);
    let stack = json!({"StackName": "holdfast-responder"});
    let before = person.call("cloudformation", DR, "describe_stacks", &stack);
    let kept = before["Stacks"][0]["Parameters"].as_array().expect("it has parameters").iter();
    let kept = kept.map(|parameter| json!({"ParameterKey": parameter["ParameterKey"], "UsePreviousValue": true}));
    let parameters: Vec<_> =
        kept.chain([json!({"ParameterKey": "CodeBucket", "ParameterValue": "a-bucket"})]).collect();
    let url = format!("https://s3.{DR}.amazonaws.com/a-bucket/packaged.yaml");
    let update = json!({"StackName": "holdfast-responder", "TemplateURL": url, "Parameters": parameters,
        "Capabilities": ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"]});
    person.call("cloudformation", DR, "update_stack", &update);
    wait_until("the stack is updated from a bucket", || {
        let now = person.call("cloudformation", DR, "describe_stacks", &stack);
        let status = now["Stacks"][0]["StackStatus"].as_str().expect("it has one").to_owned();
        assert!(!status.contains("ROLLBACK") && !status.contains("FAILED"), "{now}");
        status == "UPDATE_COMPLETE"
    });
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "builds the functions for release, which takes minutes; .ci/deploy runs it"]
async fn a_stranger_deploys_both_stacks_from_the_page_and_an_outage_is_pinned_and_promoted() {
    let lab = lab().await;
    let its = lab.clone();
    tokio::task::spawn_blocking(move || deploy_and_fail_over(&its)).await.expect("it ends");
}

fn deploy_and_fail_over(lab: &Lab) {
    let log = File::create(Path::new(env!("CARGO_TARGET_TMPDIR")).join("deploy-emulator.log")).expect("it can be made");
    let emulator = Emulator::start(&[("AWS_ENDPOINT_URL_RDS", &lab.endpoint_url())], log.into());
    let page = std::fs::read_to_string(repository().join(PAGE)).expect("the page is there");
    let settings = Path::new(env!("CARGO_TARGET_TMPDIR")).join("samconfig.toml");
    std::fs::copy(repository().join("samconfig.toml"), &settings).expect("it is there");
    let person = Person { page, settings, emulator, holdfast: build().expect("all builds").join("holdfast") };
    let zone = install(&person);
    let all = |wanted: [&str; 3]| {
        NAMES.iter().all(|name| person.records(&zone, name).iter().zip(wanted).all(|(is, wanted)| is.contains(wanted)))
    };

    assert!(all([PRIMARY_TARGET, DR_TARGET, ""]));
    set_alarm(&person, "OK");
    wait_until("it arms itself", || all([PRIMARY_TARGET, DR_TARGET, "armed"]));

    set_alarm(&person, "ALARM");
    let rung = ring(&person);
    assert_eq!([&rung["outcome"], &rung["rule"]], ["ApprovalNeeded", "P12"], "{rung}");
    let lag = json!({"MetricName": "AuroraBinlogReplicaLag", "Value": 1, "Timestamp": Timestamp::now().to_string(),
        "Dimensions": [{"Name": "DBClusterIdentifier", "Value": "app-dr"}, {"Name": "Role", "Value": "WRITER"}]});
    person.call("cloudwatch", DR, "put_metric_data", &json!({"Namespace": "AWS/RDS", "MetricData": [lag]}));
    assert!(all([PRIMARY_TARGET, DR_TARGET, "armed"]), "nobody has approved yet");
    let incident = person.holdfast(&["status"])["incident"].as_str().expect("there is an incident").to_owned();
    person.holdfast(&["approve", &incident]);
    wait_until("the approval is on the bus, and the names are pinned", || all([DR_TARGET, DR_TARGET, "pinned"]));
    let register = person.records(&zone, NAMES[0])[2].clone();
    assert!(register.contains(&incident) && register.contains(&format!("A,values,60,{PRIMARY_TARGET}")), "{register}");
    wait_until("the replica is promoted", || promotions(lab) == 1);

    // An upgrade in the middle of it moves nothing; nor does the end of Holdfast.
    let release = release();
    let zip = release.join("functions").join(architecture()).join("notifier.zip");
    let shipped = (json!(architecture()), json!(std::fs::metadata(zip).expect("the release has it").len()));
    upgrade(&person, &release);
    assert_eq!(deployed(&person, "notifier"), shipped);
    upgrade_from_a_bucket(&person, &release);
    assert_eq!(deployed(&person, "notifier"), shipped);
    assert!(all([DR_TARGET, DR_TARGET, "pinned"]));
    person.sam(&release, "sam delete --config-env responder", &["--no-prompts"]);
    assert!(all([DR_TARGET, DR_TARGET, "pinned"]));
    assert_eq!(promotions(lab), 1);
}
