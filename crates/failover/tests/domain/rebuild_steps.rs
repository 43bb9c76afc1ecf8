//! Rebuilding a replica: what stands there, and the next step.

use crate::common::at;
use failover::plan::ReplicaId;
use failover::rebuild::{Standing, Step, catches_up_in_seconds, next_step};

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
        (standing("creating", Some(SOURCE), 100, &[], false), add.clone()),
        (standing("available", Some("app-dr"), 100, &[], false), add),
        (standing("available", Some(SOURCE), 100, &["app-2"], true), Step::Done),
    ];
    for (standing, step) in cases {
        assert_eq!(next(&standing), step, "{standing:?}");
    }
    for waits in [
        standing("renaming", None, -9_000, &["app-1"], true),
        standing("creating", Some(SOURCE), 100, &["app-2"], false),
        standing("available", Some(SOURCE), 100, &["app-2"], false),
    ] {
        assert!(matches!(next(&waits), Step::Wait { .. }), "{waits:?}");
    }
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
