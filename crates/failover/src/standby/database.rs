//! A replica against its source: whether it could take the source's place.

use std::collections::{BTreeMap, BTreeSet};

use super::{Judgement, Look, Row, Subject, not_ready, ready, told};
use crate::plan::ReplicaId;
use crate::promotion::{Allows, MULTI_AZ_CLUSTER, is_multi_az_cluster};

/// The class of an instance of Aurora Serverless v2, whose size is the cluster's capacity.
const SERVERLESS: &str = "db.serverless";

/// A database of the plan, and what it replicates.
#[derive(Clone, Debug, PartialEq)]
pub struct Replica {
    /// The database in DR.
    pub id: ReplicaId,
    /// What stands there; nothing if RDS knows no such database.
    pub dr: Look<Option<Server>>,
    /// Its source in the primary region.
    pub source: Look<Server>,
}

/// A cluster or an instance, as RDS describes it. What RDS leaves out is `None`.
#[derive(Clone, Debug, PartialEq)]
pub struct Server {
    /// RDS's word for its state.
    pub status: Option<String>,
    /// Its engine.
    pub engine: Option<String>,
    /// The engine's version.
    pub version: Option<String>,
    /// Its instances.
    pub instances: Vec<Instance>,
    /// The most capacity of Aurora Serverless v2, in ACU.
    pub acu_max: Option<f64>,
    /// Its parameter group.
    pub parameter_group: Option<String>,
    /// What people set in that group.
    pub parameters: Look<BTreeMap<String, String>>,
    /// Days for which backups are kept.
    pub backup_days: Option<i32>,
    /// Whether its storage is encrypted.
    pub is_encrypted: Option<bool>,
    /// The state of the key of its storage, as KMS says it.
    pub key: Look<Key>,
}

/// The key of a database's storage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// Its ARN.
    pub arn: String,
    /// KMS's word for its state.
    pub state: Option<String>,
}

/// An instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Instance {
    /// Its identifier.
    pub id: String,
    /// Its class.
    pub class: Option<String>,
    /// Whether it is the one that takes writes, as far as RDS says.
    pub is_writer: bool,
}

impl Replica {
    fn dr(&self) -> Look<&Server> {
        self.dr.as_ref().map_err(Clone::clone)?.as_ref().ok_or_else(|| "RDS knows no such database".to_owned())
    }

    fn source(&self) -> Look<&Server> {
        self.source.as_ref().map_err(|why| format!("the source is not known: {why}"))
    }

    /// The command that changes it, without what it is to change.
    fn modify(&self) -> String {
        match &self.id {
            ReplicaId::AuroraCluster(id) | ReplicaId::GlobalMember { cluster: id, .. } => {
                format!("aws rds modify-db-cluster --db-cluster-identifier {id} --apply-immediately")
            }
            ReplicaId::RdsInstance(id) => {
                format!("aws rds modify-db-instance --db-instance-identifier {id} --apply-immediately")
            }
        }
    }
}

const LOOK_AT_BOTH: &str = "let Holdfast read RDS in both regions (docs/policies/readiness.json); while the primary region is silent this stays \
                            unknown";

impl Subject for Replica {
    const ROWS: &'static [Row<Self>] = &[
        Row {
            id: "database",
            must_be: "the database in DR is there, and in a status in which it can be promoted",
            how: "rds DescribeDBClusters or DescribeDBInstances in DR",
            otherwise: "let Holdfast read RDS in DR (docs/policies/readiness.json)",
            judge: |it, _| is_there(it),
        },
        Row {
            id: "database-class",
            must_be: "every instance in DR has the class of the source's writer; on Aurora Serverless v2 at least its most ACU",
            how: "rds DescribeDBInstances and DescribeDBClusters in both regions",
            otherwise: LOOK_AT_BOTH,
            judge: |it, _| class(it),
        },
        Row {
            id: "database-engine",
            must_be: "DR has the source's engine, in the same version",
            how: "rds DescribeDBClusters or DescribeDBInstances in both regions",
            otherwise: LOOK_AT_BOTH,
            judge: |it, _| engine(it),
        },
        Row {
            id: "database-parameters",
            must_be: "what people set in the source's parameter group is set alike in DR's, and nothing else is",
            how: "rds DescribeDBClusterParameters or DescribeDBParameters in both regions, --source user",
            otherwise: LOOK_AT_BOTH,
            judge: |it, _| parameters(it),
        },
        Row {
            id: "database-backups",
            must_be: "DR keeps backups for at least as many days as the source, and for one at least",
            how: "rds DescribeDBClusters or DescribeDBInstances in both regions, BackupRetentionPeriod",
            otherwise: LOOK_AT_BOTH,
            judge: |it, _| backups(it),
        },
        Row {
            id: "database-encryption",
            must_be: "DR's storage is encrypted if the source's is, with a key that can be used",
            how: "rds DescribeDBClusters or DescribeDBInstances; kms DescribeKey in DR",
            otherwise: "let Holdfast read RDS and describe the key (docs/policies/readiness.json; the key's own policy must let the account)",
            judge: |it, _| encryption(it),
        },
    ];

    fn about(&self) -> String {
        self.id.to_string()
    }
}

fn is_there(it: &Replica) -> Judgement {
    let Some(server) = it.dr.as_ref().map_err(Clone::clone)? else {
        return not_ready("RDS knows no such database", "correct the plan's database name, or make the replica again");
    };
    let status = told(server.status.as_ref(), "its status")?;
    if server.engine.as_ref().is_some_and(|engine| is_multi_az_cluster(&it.id, engine)) {
        return Err(format!("its status is {status}, and it is a Multi-AZ DB cluster: {MULTI_AZ_CLUSTER}"));
    }
    match (server.instances.is_empty(), Allows::of(status).takes_writes()) {
        (true, _) => not_ready("it has no instance", "give the cluster an instance: aws rds create-db-instance"),
        (false, false) => not_ready(
            format!("its status is {status}"),
            "see why: aws rds describe-events --duration 1440; it must be available to be promoted",
        ),
        (false, true) => ready(format!("its status is {status}")),
    }
}

fn class(it: &Replica) -> Judgement {
    let (dr, source) = (it.dr()?, it.source()?);
    let writer = source.instances.iter().find(|instance| instance.is_writer);
    let wanted = writer.ok_or("RDS does not say which instance of the source takes writes")?;
    let wanted = told(wanted.class.as_ref(), "the class of the source's writer")?;
    if dr.instances.is_empty() {
        return not_ready("DR has no instance", format!("aws rds create-db-instance --db-instance-class {wanted}"));
    }
    for Instance { id, class, .. } in &dr.instances {
        let class = told(class.as_ref(), &format!("the class of {id}"))?;
        if class != wanted {
            return not_ready(
                format!("{id} is {class}, the source's writer {wanted}"),
                format!(
                    "aws rds modify-db-instance --apply-immediately --db-instance-identifier {id} --db-instance-class {wanted}"
                ),
            );
        }
    }
    if wanted != SERVERLESS {
        return ready(format!("{wanted} in both regions"));
    }
    let most = told(dr.acu_max.as_ref(), "DR's most capacity")?;
    let wanted = told(source.acu_max.as_ref(), "the source's most capacity")?;
    match most < wanted {
        true => not_ready(
            format!("DR grows to {most} ACU, the source to {wanted}"),
            format!("{} --serverless-v2-scaling-configuration MinCapacity=…,MaxCapacity={wanted}", it.modify()),
        ),
        false => ready(format!("DR grows to {most} ACU, the source to {wanted}")),
    }
}

fn engine(it: &Replica) -> Judgement {
    let (dr, source) = (it.dr()?, it.source()?);
    let of = |server: &Server, whose: &str| -> Look<String> {
        let engine = told(server.engine.as_ref(), &format!("{whose} engine"))?;
        let version = told(server.version.as_ref(), &format!("{whose} version"))?;
        Ok(format!("{engine} {version}"))
    };
    let (dr, source) = (of(dr, "DR's")?, of(source, "the source's")?);
    match dr == source {
        true => ready(format!("{dr} in both regions")),
        false => not_ready(
            format!("DR has {dr}, the source {source}"),
            format!(
                "{} --engine-version … in the region that is behind; a replica is upgraded before its source",
                it.modify()
            ),
        ),
    }
}

fn parameters(it: &Replica) -> Judgement {
    let (dr, source) = (it.dr()?, it.source()?);
    let group = told(dr.parameter_group.as_ref(), "DR's parameter group")?;
    let of_source = told(source.parameter_group.as_ref(), "the source's parameter group")?;
    let set = |server: &Server| server.parameters.clone();
    let (dr, source) = (set(dr)?, set(source)?);
    if dr.is_empty() && source.is_empty() {
        // Empty lists prove nothing, but of a default group, in which nobody can set anything.
        return match group == of_source && group.starts_with("default.") {
            true => ready(format!("{group} in both regions, in which nobody can set anything")),
            false => Err(format!("RDS lists nothing that people set in DR's {group}, nor in the source's {of_source}")),
        };
    }
    let names: BTreeSet<_> = dr.keys().chain(source.keys()).collect();
    let value = |of: &BTreeMap<String, String>, name: &str| of.get(name).map_or("not set", String::as_str).to_owned();
    let differing: Vec<_> = names
        .into_iter()
        .filter(|name| dr.get(*name) != source.get(*name))
        .map(|name| format!("{name} is {} in DR and {} in the source", value(&dr, name), value(&source, name)))
        .collect();
    if differing.is_empty() {
        return ready(format!("{} parameters are set, alike in both regions", source.len()));
    }
    let kind = match it.id {
        ReplicaId::RdsInstance(_) => "modify-db-parameter-group --db-parameter-group-name",
        ReplicaId::AuroraCluster(_) | ReplicaId::GlobalMember { .. } => {
            "modify-db-cluster-parameter-group --db-cluster-parameter-group-name"
        }
    };
    not_ready(
        differing.join("; "),
        format!("aws rds {kind} {group} --parameters …, then reboot DR's instances if one is static"),
    )
}

fn backups(it: &Replica) -> Judgement {
    let days = *told(it.dr()?.backup_days.as_ref(), "for how long DR keeps backups")?;
    let wanted =
        it.source().and_then(|source| told(source.backup_days.as_ref(), "for how long the source keeps backups"));
    let remedy = |days: i32| format!("{} --backup-retention-period {days}", it.modify());
    if days < 1 {
        let seen = "DR keeps no backups: once promoted it could not be restored, and an instance of MySQL would have no binary log";
        return not_ready(seen, remedy(wanted.map_or(1, |days| *days).max(1)));
    }
    let wanted = *wanted?;
    match days < wanted {
        true => not_ready(format!("DR keeps backups for {days} days, the source for {wanted}"), remedy(wanted)),
        false => ready(format!("DR keeps backups for {days} days, the source for {wanted}")),
    }
}

fn encryption(it: &Replica) -> Judgement {
    let dr = it.dr()?;
    if !*told(dr.is_encrypted.as_ref(), "whether DR's storage is encrypted")? {
        return match *told(it.source()?.is_encrypted.as_ref(), "whether the source's storage is encrypted")? {
            true => not_ready(
                "the source's storage is encrypted, and DR's is not",
                "make a new replica with a key of DR's region: storage that exists cannot be encrypted",
            ),
            false => ready("neither region's storage is encrypted"),
        };
    }
    let key = dr.key.as_ref().map_err(Clone::clone)?;
    let state = told(key.state.as_ref(), "the state of DR's key")?;
    // In no other state does a key encrypt or decrypt (KMS developer guide, "Key states of AWS KMS keys").
    match state.as_str() {
        "Enabled" => ready("encrypted, with a key that is enabled"),
        "PendingDeletion" => not_ready(
            format!("DR's key {} is to be deleted, and DR's data with it", key.arn),
            format!("aws kms cancel-key-deletion --key-id {0}, then aws kms enable-key --key-id {0}", key.arn),
        ),
        state => {
            not_ready(format!("DR's key {} is {state}", key.arn), format!("aws kms enable-key --key-id {}", key.arn))
        }
    }
}

#[cfg(test)]
mod tests;
