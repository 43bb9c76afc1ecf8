//! `holdfast readiness` over the wire, under its own policy: DR's half is well, then each row is broken on purpose, then nothing answers.

use std::collections::BTreeMap;
use std::path::PathBuf;

use drill::stage::standby::{
    BUCKET, CERTIFICATE, DR_BALANCER, DR_GROUP, IMAGE, KEY, PARAMETER, PIPELINE, QUOTA, SECRET, bucket_dimensions,
};
use drill::stage::{CLUSTER, DR, INSTANCE, READER};
use failover::standby::every_row;
use jiff::SignedDuration;
use lab::acm::Certificate;
use lab::elb::TargetGroup;

use super::*;

/// The file of `--workload` for what `Stage::furnish` makes; it is gone with its owner.
struct File(PathBuf);

impl File {
    fn write(of_test: &str) -> Self {
        Self::of_rule(of_test, BUCKET[2])
    }

    fn of_rule(of_test: &str, rule: &str) -> Self {
        let [source, destination, _] = BUCKET;
        let text = format!(
            "secrets = ['{SECRET}']\nparameters = ['{PARAMETER}', '{IMAGE}']\npipelines = ['{PIPELINE}']\n[[buckets]]\nsource = '{source}'\ndestination = '{destination}'\nrule = '{rule}'\n"
        );
        let path = std::env::temp_dir().join(format!("holdfast-readiness-{of_test}-{}.toml", std::process::id()));
        std::fs::write(&path, text).expect("the file can be written");
        Self(path)
    }

    fn path(&self) -> &str {
        self.0.to_str().expect("the path is a text")
    }
}

impl Drop for File {
    fn drop(&mut self) {
        drop(std::fs::remove_file(&self.0));
    }
}

async fn furnished() -> Stage {
    let mut stage = stage(&Layout::default()).await;
    stage.let_read().expect("the policy is one");
    stage.furnish().await.expect("DR can be furnished");
    stage
}

async fn looked(stage: &Stage, file: &File) -> (Option<i32>, Value) {
    let arguments = ["readiness", "--workload", file.path(), "--json"];
    let output = stage.holdfast_as(READER, &arguments, false).await.expect("holdfast starts");
    let told = serde_json::from_str(&stdout(&output)).unwrap_or_else(|_| panic!("{}", stderr(&output)));
    (output.status.code(), told)
}

/// The verdicts about all things that a row is about, the worst first: `not-known` and `not-ready` sort before `ready`.
fn verdicts(told: &Value) -> BTreeMap<String, String> {
    let mut verdicts = BTreeMap::new();
    for row in told["rows"].as_array().expect("rows are a list") {
        let text = |field: &str| row[field].as_str().unwrap_or_default().to_owned();
        let worst: &mut String = verdicts.entry(text("row")).or_insert_with(|| text("verdict"));
        if text("verdict") < *worst {
            *worst = text("verdict");
        }
    }
    verdicts
}

/// A way to break one row, and to mend it again.
struct Break {
    row: &'static str,
    breaks: fn(&Stage),
    mends: fn(&Stage),
}

fn target_is(stage: &Stage, state: &str) {
    let change = |group: &mut TargetGroup| state.clone_into(&mut group.targets[0].1);
    stage.lab.elb.change(DR_BALANCER, |behind| behind.groups.iter_mut().for_each(change));
}

fn certificate(stage: &Stage, name: &str, days: i64) {
    let not_after = Some(stage.lab.clock.now() + SignedDuration::from_hours(24 * days));
    let names = ["*.shop.example.com", "example.org", name].map(str::to_owned).into();
    stage.lab.acm.put(DR, CERTIFICATE, Certificate { names, status: "ISSUED", not_after });
}

fn group(stage: &Stage, change: impl FnOnce(&mut lab::autoscaling::Group)) {
    stage.lab.autoscaling.change(DR, DR_GROUP, change);
}

fn published(stage: &Stage, metric: &str, value: f64) {
    let now = stage.lab.clock.now();
    stage.lab.cloudwatch.put_metric(
        DR,
        "AWS/S3",
        metric,
        &bucket_dimensions(),
        value,
        now - SignedDuration::from_mins(5),
    );
}

const NEWER: &str = "0a1b2c3d4e5f60718293a4b5c6d7e8f901234567";
const VERSION: &str = "8.0.mysql_aurora.3.08.2";
const GROUP: &str = "default.aurora-mysql8.0";

#[rustfmt::skip]
const BREAKS: [Break; 24] = [
    Break { row: "database", breaks: |it| rds::set_status(&it.lab, DR, INSTANCE, "storage-full"), mends: |it| rds::set_status(&it.lab, DR, INSTANCE, "available") },
    Break { row: "database-class", breaks: |it| rds::set_class(&it.lab, DR, INSTANCE, "db.t4g.medium"), mends: |it| rds::set_class(&it.lab, DR, INSTANCE, "db.r6g.large") },
    Break { row: "database-engine", breaks: |it| rds::set_engine_version(&it.lab, DR, CLUSTER, "8.0.mysql_aurora.3.05.2"), mends: |it| rds::set_engine_version(&it.lab, DR, CLUSTER, VERSION) },
    Break { row: "database-parameters", breaks: |it| rds::set_parameter(&it.lab, PRIMARY, GROUP, "binlog_format", Some("ROW")), mends: |it| rds::set_parameter(&it.lab, PRIMARY, GROUP, "binlog_format", None) },
    Break { row: "database-backups", breaks: |it| rds::set_backup_days(&it.lab, DR, INSTANCE, 0), mends: |it| rds::set_backup_days(&it.lab, DR, INSTANCE, 7) },
    Break { row: "database-encryption", breaks: |it| drop(it.lab.kms.set(DR, KEY, "PendingDeletion")), mends: |it| drop(it.lab.kms.set(DR, KEY, "Enabled")) },
    Break { row: "load-balancer", breaks: |it| it.lab.elb.change(DR_BALANCER, |behind| behind.state = "failed".to_owned()), mends: |it| it.lab.elb.change(DR_BALANCER, |behind| behind.state = "active".to_owned()) },
    Break { row: "listeners", breaks: |it| it.lab.elb.change(DR_BALANCER, |behind| behind.listeners[1].port = 8080), mends: |it| it.lab.elb.change(DR_BALANCER, |behind| behind.listeners[1].port = 80) },
    Break { row: "targets", breaks: |it| target_is(it, "unhealthy"), mends: |it| target_is(it, "healthy") },
    Break { row: "certificate-names", breaks: |it| certificate(it, "app.example.com", 200), mends: |it| certificate(it, "*.example.com", 200) },
    Break { row: "certificate-expiry", breaks: |it| certificate(it, "*.example.com", 7), mends: |it| certificate(it, "*.example.com", 200) },
    Break { row: "keep-alive", breaks: |it| it.lab.elb.change(DR_BALANCER, |behind| behind.keep_alive_seconds = 3_600), mends: |it| it.lab.elb.change(DR_BALANCER, |behind| behind.keep_alive_seconds = 60) },
    Break { row: "capacity-most", breaks: |it| group(it, |it| it.sizes[1] = 3), mends: |it| group(it, |it| it.sizes[1] = 8) },
    Break { row: "capacity-now", breaks: |it| group(it, |it| it.instances.iter_mut().for_each(|instance| instance.1 = "Standby")), mends: |it| group(it, |it| it.instances.iter_mut().for_each(|instance| instance.1 = "InService")) },
    Break { row: "capacity-grows", breaks: |it| group(it, |it| it.suspended.push("Launch".to_owned())), mends: |it| group(it, |it| it.suspended.clear()) },
    Break { row: "launches", breaks: |it| { let now = it.lab.clock.now(); group(it, |it| it.activities.push((now, "Failed", "The image id '[ami-0]' does not exist".to_owned()))) }, mends: |it| group(it, |it| drop(it.activities.pop())) },
    // Nobody asked AWS for more than it gives every account.
    Break { row: "quota", breaks: |it| it.lab.servicequotas.apply(DR, None), mends: |it| it.lab.servicequotas.apply(DR, Some(QUOTA)) },
    Break { row: "secret", breaks: |it| it.lab.secretsmanager.delete(DR, SECRET), mends: Stage::mend_secret },
    Break { row: "secret-copy", breaks: |it| it.lab.secretsmanager.change(PRIMARY, SECRET, |secret| drop(secret.replicas.insert(DR.to_owned(), ("Failed", "no key".to_owned())))), mends: Stage::mend_secret },
    Break { row: "parameter", breaks: |it| it.put(DR, "SecureString"), mends: |it| it.put(DR, "String") },
    Break { row: "image", breaks: |it| it.image_set(DR, it.lab.clock.now() - SignedDuration::from_hours(7 * 24)), mends: |it| it.image_set(DR, it.lab.clock.now()) },
    Break { row: "pipeline", breaks: |it| it.deployed(PRIMARY, NEWER), mends: |it| it.deployed(DR, NEWER) },
    // What was published stays published.
    Break { row: "bucket-behind", breaks: |it| published(it, "ReplicationLatency", 901.0), mends: |_| {} },
    Break { row: "bucket-failures", breaks: |it| published(it, "OperationsFailedReplication", 3.0), mends: |_| {} },
];

#[tokio::test(flavor = "multi_thread")]
async fn each_row_of_readiness_is_noticed_when_it_is_broken_and_is_ready_again_when_it_is_mended() {
    let (stage, file) = (furnished().await, File::write("rows"));
    let (code, told) = looked(&stage, &file).await;
    let rows: Vec<_> = verdicts(&told).into_keys().collect();
    let mut known: Vec<_> = every_row().into_iter().map(|row| row[0].to_owned()).collect();
    known.sort();
    assert_eq!(rows, known, "every row is about something here");
    assert_eq!((code, &told["ready"]), (Some(0), &true.into()), "{told:#}");
    assert_eq!(fields(&told), documented("readiness", &[]));
    let mut broken: Vec<_> = BREAKS.iter().map(|it| it.row.to_owned()).collect();
    broken.sort();
    assert_eq!(broken, known, "every row is broken on purpose");
    let mut stays = Vec::new();
    for Break { row, breaks, mends } in BREAKS {
        breaks(&stage);
        let (code, told) = looked(&stage, &file).await;
        assert_eq!((code, &told["ready"]), (Some(1), &false.into()), "{row}");
        let mut seen = verdicts(&told);
        seen.retain(|row, verdict| verdict != "ready" && !stays.contains(row));
        assert_eq!(seen, [(row.to_owned(), "not-ready".to_owned())].into(), "{row}: {told:#}");
        mends(&stage);
        if row.starts_with("bucket") {
            stays.push(row.to_owned());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_readiness_cannot_see_is_not_known_and_never_ready() {
    let (stage, file) = (furnished().await, File::write("unknown"));
    let known = |verdict: &str, told: &Value| -> Vec<String> {
        verdicts(told).into_iter().filter(|(_, of)| of == verdict).map(|(row, _)| row).collect()
    };
    // Without its own rights: the operators' policy says nothing of certificates, instances or secrets.
    let arguments = ["readiness", "--workload", file.path(), "--json"];
    let output = stage.holdfast_as(OPERATOR, &arguments, false).await.expect("holdfast starts");
    let told: Value = serde_json::from_str(&stdout(&output)).expect("standard output is one JSON document");
    let blind = known("not-known", &told);
    for row in ["targets", "certificate-names", "capacity-most", "launches", "secret", "database-encryption"] {
        assert!(blind.iter().any(|it| it == row), "{row}: {told:#}");
    }
    // While the primary region is down DR's own facts are told, and comparisons are not known.
    stage.lab.faults.fail_region(PRIMARY);
    let (code, told) = looked(&stage, &file).await;
    assert_eq!(code, Some(1));
    let compared = [
        "capacity-most",
        "capacity-now",
        "database-backups",
        "database-class",
        "database-engine",
        "database-parameters",
        "image",
        "listeners",
        "parameter",
        "pipeline",
        "quota",
        "secret-copy",
    ];
    let blind: Vec<_> = known("not-known", &told).into_iter().filter(|row| row != "bucket-failures").collect();
    assert_eq!(blind, compared, "{told:#}");
    assert_eq!(known("not-ready", &told), [""; 0]);
    stage.lab.faults.heal_everything();
    // A metric without data is no zero: S3 publishes nothing of a rule that it does not know.
    let (_, told) = looked(&stage, &File::of_rule("another", "to-nowhere")).await;
    assert_eq!(known("not-known", &told), ["bucket-behind", "bucket-failures"], "{told:#}");
    // A parameter that is gone is no refusal of AWS's, and a name that only DR knows is held against nothing.
    stage.lab.ssm.delete(DR, PARAMETER);
    assert_eq!(known("not-ready", &looked(&stage, &file).await.1), ["parameter"]);
    stage.put(DR, "String");
    stage.lab.ssm.delete(PRIMARY, PARAMETER);
    assert_eq!(known("not-known", &looked(&stage, &file).await.1), ["parameter"]);
    stage.put(PRIMARY, "String");
    // What the account runs in DR may be the standby or not; what no metric says is no zero.
    stage.lab.servicequotas.apply(DR, Some(8.0));
    assert_eq!(known("not-known", &looked(&stage, &file).await.1), ["quota"]);
    stage.lab.servicequotas.apply(DR, Some(QUOTA));
    // One service after the other says nothing.
    for (service, row) in [
        ("rds", "database"),
        ("kms", "database-encryption"),
        ("elasticloadbalancing", "load-balancer"),
        ("acm", "certificate-names"),
        ("autoscaling", "capacity-grows"),
        ("secretsmanager", "secret"),
        ("ssm", "parameter"),
        ("codepipeline", "pipeline"),
        ("servicequotas", "quota"),
        ("monitoring", "bucket-failures"),
    ] {
        let is_it = move |site: &Site<'_>| site.caller == READER && site.service == service;
        let denied = lab::wire::Refusal::bad_request("AccessDeniedException", "not authorized");
        stage.lab.faults.set_call_fault(CallFault::when(is_it, CallEffect::Refuse(denied)));
        let (code, told) = looked(&stage, &file).await;
        assert_eq!((code, verdicts(&told)[row].as_str()), (Some(1), "not-known"), "{service}: {told:#}");
        stage.lab.faults.clear_call_faults();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn readiness_says_the_verdict_first_then_what_is_red_with_its_remedy_then_what_nobody_knows() {
    let (stage, file) = (furnished().await, File::write("words"));
    let ready = stage.holdfast_as(READER, &["readiness", "--workload", file.path()], false).await.expect("it starts");
    assert!(ready.status.success(), "{}", stdout(&ready));
    contains_all(&stdout(&ready), &["READY  0 not ready, 0 not known, 31 ready"]);
    rds::set_class(&stage.lab, DR, INSTANCE, "db.t4g.medium");
    stage.lab.autoscaling.delete(DR, DR_GROUP);
    let told = stage.holdfast_as(READER, &["readiness", "--workload", file.path()], false).await.expect("it starts");
    assert_eq!(told.status.code(), Some(1));
    let text = stdout(&told);
    assert!(text.starts_with("NOT READY  1 not ready, 4 not known, "), "{text}");
    contains_all(
        &text,
        &["orders-dr is db.t4g.medium", "--db-instance-class db.r6g.large", "no Auto Scaling group in DR"],
    );
    contains_all(&text, &["capacity-most, capacity-now, capacity-grows, launches"]);
    assert!(text.find("not ready\n") < text.find("not known\n"), "{text}");
    contains_all(&stderr(&told), &["DR is not known to be ready: 1 not ready, 4 not known"]);
    // By the plan alone, nothing is said of what nobody named, and nothing of quotas where no instances are.
    let bare = stage.holdfast_as(READER, &["readiness", "--verbose"], false).await.expect("it starts");
    assert!(stdout(&bare).contains("looked   "), "{}", stdout(&bare));
    for unnamed in ["secret", "quota", "image in"] {
        assert!(!stdout(&bare).contains(unnamed), "{unnamed}: {}", stdout(&bare));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn status_says_when_dr_was_last_looked_at_by_itself_and_what_was_found() {
    let stage = stage(&Layout::default()).await;
    let told = text(&stage, &["status"]).await;
    contains_all(&told, &["DR looked at  not known: no look by itself in 14 days"]);
    let found = |minutes_ago: i64, metrics: &[(&str, f64)]| {
        let at = stage.lab.clock.now() - SignedDuration::from_mins(minutes_ago);
        for (metric, value) in metrics {
            let of = [("Function", "holdfast-readiness")];
            stage.lab.cloudwatch.put_metric(DR, "Holdfast", metric, &of, *value, at);
        }
    };
    found(90, &[("NotReadyRows", 0.0), ("NotKnownRows", 1.0), ("OnDr", 1.0)]);
    contains_all(&text(&stage, &["status"]).await, &["min ago: users were on DR, so nothing stood by"]);
    found(30, &[("NotReadyRows", 2.0), ("NotKnownRows", 1.0)]);
    contains_all(&text(&stage, &["status"]).await, &["min ago: rows not ready: 2, not known: 1"]);
    let looked = json(&stage, &["status"]).await["looked"].clone();
    assert_eq!((&looked["on_dr"], &looked["not_ready"], &looked["not_known"]), (&false.into(), &2.into(), &1.into()));
}
