//! Rebuilding a replica: what stands there, and the next step.

use crate::common::at;
use failover::plan::ReplicaId;
use failover::rebuild::{Settings, Standing, Step, catches_up_in_seconds, lost, next_step, old_identifier};

const SOURCE: &str = "arn:aws:rds:us-west-2:123456789012:cluster:app-dr";

fn standing(status: &str, source: Option<&str>, created: i64, instances: &[&str], is_up: bool) -> Standing {
    Standing::Database {
        status: status.to_owned(),
        source: source.map(str::to_owned),
        created: Some(at(created)),
        instances: instances.iter().map(|&id| id.to_owned()).collect(),
        is_up,
    }
}

fn steps(id: &str) -> impl Fn(&Standing) -> Step {
    let target = ReplicaId::AuroraCluster(id.to_owned());
    move |standing| next_step(&target, standing, SOURCE, at(0))
}

#[test]
fn an_old_database_is_renamed_a_replica_created_and_given_an_instance() {
    let next = steps("app");
    let rename = Step::Rename { to: "app-before-202601011200".to_owned() };
    let add = Step::AddInstance { id: "app-202601011200".to_owned() };
    let cases = [
        (standing("available", None, -9_000, &["app-1"], true), rename.clone()),
        (standing("available", None, 0, &["app-1"], true), rename),
        (Standing::Nothing, Step::Create),
        (standing("available", Some("app-dr"), 100, &[], false), add),
        (standing("available", Some(SOURCE), 100, &["app-2"], true), Step::Done),
    ];
    for (standing, step) in cases {
        assert_eq!(next(&standing), step, "{standing:?}");
    }
    for waits in [
        standing("renaming", None, -9_000, &["app-1"], true),
        // While its snapshot is copied it takes no instance.
        standing("creating", Some(SOURCE), 100, &[], false),
        standing("creating", Some(SOURCE), 100, &["app-2"], false),
        standing("available", Some(SOURCE), 100, &["app-2"], false),
    ] {
        assert!(matches!(next(&waits), Step::Wait { .. }), "{waits:?}");
    }
}

fn settings() -> Settings {
    Settings {
        port: Some(3_307),
        iam_authentication: Some(true),
        deletion_protection: Some(true),
        multi_az: Some(true),
        backup_days: Some(14),
        subnet_group: Some("private".to_owned()),
        parameter_group: Some("with-binlog".to_owned()),
        writer_parameter_group: Some("writer".to_owned()),
        option_group: Some("audit".to_owned()),
        security_groups: vec!["sg-app".to_owned(), "sg-jobs".to_owned()],
        kms_key: Some("key".to_owned()),
        serverless: Some((0.5, 16.0)),
        log_exports: vec!["audit".to_owned(), "error".to_owned()],
        performance_insights: Some(true),
        monitoring_seconds: Some(60),
        instances: 3,
    }
}

#[test]
fn what_a_rebuilt_database_has_lost_is_named_each_with_what_it_was() {
    assert_eq!(lost(&settings(), &settings()), [""; 0]);
    let new = Settings {
        port: Some(3_306),
        backup_days: Some(1),
        instances: 1,
        security_groups: vec!["sg-jobs".to_owned()],
        log_exports: vec!["error".to_owned()],
        ..Settings::default()
    };
    assert_eq!(
        lost(&settings(), &new),
        [
            "port: 3307 before, 3306 now",
            "IAM authentication: on before, off now",
            "deletion protection: on before, off now",
            "Multi-AZ: on before, off now",
            "days of backups: 14 before, 1 now",
            "parameter group: with-binlog before, not known now",
            "the writer's parameter group: writer before, not known now",
            "option group: audit before, not known now",
            "Serverless v2 capacity: 0.5 to 16 ACU before, not known now",
            "security groups: sg-app before, not now: clients may not reach it",
            "logs sent to CloudWatch: audit before, not now",
            "Performance Insights: on before, off now",
            "enhanced monitoring: every 60 s before, off now",
            "instances: 3 before, 1 now",
        ]
    );
    assert_eq!(lost(&Settings::default(), &settings()), [""; 0], "what it never had is no loss");
}

#[test]
fn what_only_one_region_knows_by_its_name_is_not_taken_to_another() {
    let there = settings().elsewhere();
    assert_eq!((there.port, there.serverless), (Some(3_307), Some((0.5, 16.0))));
    let named =
        [there.subnet_group, there.parameter_group, there.writer_parameter_group, there.option_group, there.kms_key];
    assert_eq!((named, there.security_groups), ([const { None }; 5], Vec::new()));
    assert_eq!(old_identifier("app", at(0)), "app-before-202601011200");
}

#[test]
fn what_is_somebody_elses_or_was_promoted_already_is_left_alone() {
    let next = steps("app");
    for refused in [
        standing("available", Some("arn:aws:rds:us-west-2:123456789012:cluster:other"), 100, &["app-2"], true),
        standing("available", None, 100, &["app-2"], true),
    ] {
        assert!(matches!(next(&refused), Step::Refuse { .. }), "{refused:?}");
    }
}

#[test]
fn new_identifiers_are_as_rds_takes_them() {
    let long = "a".repeat(63);
    let Step::Rename { to } = steps(&long)(&standing("available", None, -9_000, &["x"], true)) else {
        panic!("an old database is renamed")
    };
    assert!(to.len() <= 63 && to.starts_with('a') && to.ends_with("-before-202601011200"), "{to}");
}

#[test]
fn a_lag_that_falls_tells_when_it_is_gone() {
    assert_eq!(catches_up_in_seconds(&[(at(0), 600), (at(60), 300)]), Some(60));
    assert_eq!(catches_up_in_seconds(&[(at(0), 600), (at(60), 590)]), Some(3_540));
    for no_word in [
        &[(at(0), 600), (at(60), 600)][..],
        &[(at(0), 600), (at(60), 700)],
        &[(at(0), 600)],
        &[(at(0), 600), (at(0), 300)],
        &[],
    ] {
        assert_eq!(catches_up_in_seconds(no_word), None, "{no_word:?}");
    }
}
