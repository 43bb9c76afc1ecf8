use super::super::Verdict::{NotKnown, NotReady, Ready};
use super::super::tests::{expect, expect_nothing_known, of_row};
use super::*;

fn server() -> Server {
    let key = Key { arn: "arn:aws:kms:eu-central-1:1:key/k".to_owned(), state: Some("Enabled".to_owned()) };
    Server {
        status: Some("available".to_owned()),
        engine: Some("aurora-mysql".to_owned()),
        version: Some("8.0.mysql_aurora.3.10.0".to_owned()),
        instances: vec![Instance { id: "app-1".to_owned(), class: Some("db.r6g.large".to_owned()), is_writer: true }],
        acu_max: None,
        parameter_group: Some("shop".to_owned()),
        parameters: Ok([("binlog_format".to_owned(), "ROW".to_owned())].into()),
        backup_days: Some(7),
        is_encrypted: Some(true),
        key: Ok(key),
    }
}

fn replica(change: impl FnOnce(&mut Server, &mut Server)) -> Replica {
    let (mut dr, mut source) = (server(), server());
    change(&mut dr, &mut source);
    Replica { id: ReplicaId::AuroraCluster("app-dr".to_owned()), dr: Ok(Some(dr)), source: Ok(source) }
}

#[test]
fn a_replica_that_is_as_its_source_is_ready() {
    let rows = ["database", "database-class", "database-engine", "database-parameters", "database-backups"];
    for row in rows.into_iter().chain(["database-encryption"]) {
        expect(&replica(|_, _| {}), row, Ready, "");
    }
}

#[test]
#[rustfmt::skip]
fn whatever_of_a_replica_is_less_than_its_source_is_not_ready() {
    let text = |text: &str| Some(text.to_owned());
    let key = |state: &str| Ok(Key { arn: "k".to_owned(), state: Some(state.to_owned()) });
    let serverless = |it: &mut Server, most| {
        it.instances[0].class = Some(SERVERLESS.to_owned());
        it.acu_max = Some(most);
    };
    for (row, replica, words) in [
        ("database", replica(|dr, _| dr.status = text("storage-full")), "storage-full"),
        ("database", replica(|dr, _| dr.status = text("a-word-of-next-year")), "a-word-of-next-year"),
        ("database", replica(|dr, _| dr.instances.clear()), "no instance"),
        ("database-class", replica(|dr, _| dr.instances[0].class = text("db.t4g.medium")), "db.t4g.medium"),
        ("database-class", replica(|dr, _| dr.instances.clear()), "no instance"),
        ("database-class", replica(|dr, source| { serverless(dr, 4.0); serverless(source, 16.0) }), "4 ACU"),
        ("database-engine", replica(|dr, _| dr.version = text("8.0.mysql_aurora.3.08.0")), "3.08.0"),
        ("database-engine", replica(|dr, _| dr.engine = text("aurora-postgresql")), "aurora-postgresql"),
        ("database-parameters", replica(|dr, _| dr.parameters = Ok(BTreeMap::new())), "binlog_format is not set in DR"),
        ("database-parameters", replica(|_, source| source.parameters = Ok(BTreeMap::new())), "not set in the source"),
        ("database-backups", replica(|dr, _| dr.backup_days = Some(0)), "no backups"),
        ("database-backups", replica(|dr, source| { dr.backup_days = Some(0); source.backup_days = None }), "no backups"),
        ("database-backups", replica(|dr, _| dr.backup_days = Some(6)), "6 days, the source for 7"),
        ("database-encryption", replica(|dr, _| dr.is_encrypted = Some(false)), "DR's is not"),
        ("database-encryption", replica(|dr, _| dr.key = key("PendingDeletion")), "to be deleted"),
        ("database-encryption", replica(|dr, _| dr.key = key("Disabled")), "Disabled"),
    ] {
        expect(&replica, row, NotReady, words);
    }
    let without_backups = of_row(&replica(|dr, _| dr.backup_days = Some(0)), "database-backups");
    assert!(without_backups.remedy.ends_with("--backup-retention-period 7"), "{without_backups:?}");
    let gone = Replica { dr: Ok(None), ..replica(|_, _| {}) };
    expect(&gone, "database", NotReady, "no such database");
    let bigger = replica(|dr, source| { serverless(dr, 16.0); serverless(source, 16.0) });
    expect(&bigger, "database-class", Ready, "16 ACU");
}

#[test]
fn what_rds_does_not_say_is_not_known() {
    let without = |dr_group: &str, source_group: &str| {
        replica(|dr, source| {
            (dr.parameters, source.parameters) = (Ok(BTreeMap::new()), Ok(BTreeMap::new()));
            (dr.parameter_group, source.parameter_group) = (Some(dr_group.to_owned()), Some(source_group.to_owned()));
        })
    };
    expect(&without("default.mysql8.0", "default.mysql8.0"), "database-parameters", Ready, "default.mysql8.0");
    let silent = Err("DescribeDBInstances was not answered".to_owned());
    for (row, replica) in [
        ("database", replica(|dr, _| dr.status = None)),
        ("database-class", replica(|dr, _| dr.instances[0].class = None)),
        ("database-class", replica(|_, source| source.instances[0].is_writer = false)),
        ("database-class", replica(|_, source| source.instances[0].class = None)),
        ("database-engine", replica(|dr, _| dr.version = None)),
        ("database-engine", replica(|_, source| source.engine = None)),
        ("database-parameters", replica(|dr, _| dr.parameters = Err("denied".to_owned()))),
        ("database-parameters", replica(|_, source| source.parameters = Err("denied".to_owned()))),
        ("database-parameters", without("shop", "shop")),
        ("database-parameters", without("default.mysql8.0", "default.mysql8.4")),
        ("database-backups", replica(|dr, _| dr.backup_days = None)),
        ("database-backups", replica(|_, source| source.backup_days = None)),
        ("database-encryption", replica(|dr, _| dr.is_encrypted = None)),
        ("database-encryption", replica(|dr, _| dr.key = Err("denied".to_owned()))),
        ("database-encryption", replica(|dr, source| (dr.is_encrypted, source.is_encrypted) = (Some(false), None))),
    ] {
        expect(&replica, row, NotKnown, "");
    }
    expect_nothing_known(&Replica {
        id: ReplicaId::RdsInstance("orders".to_owned()),
        dr: silent,
        source: Ok(server()),
    });
    let alone = Replica { source: Err("the region is silent".to_owned()), ..replica(|_, _| {}) };
    for row in ["database-class", "database-engine", "database-parameters", "database-backups"] {
        expect(&alone, row, NotKnown, "the region is silent");
    }
    expect(&alone, "database-encryption", Ready, "a key that is enabled");
}

#[test]
fn a_multi_az_cluster_is_told_from_aurora_and_nothing_documented_makes_it_ready() {
    for engine in ["mysql", "postgres"] {
        let replica = replica(|dr, _| dr.engine = Some(engine.to_owned()));
        expect(&replica, "database", NotKnown, "it is a Multi-AZ DB cluster");
        let instance = Replica { id: ReplicaId::RdsInstance("orders-dr".to_owned()), ..replica };
        expect(&instance, "database", Ready, "");
    }
}
