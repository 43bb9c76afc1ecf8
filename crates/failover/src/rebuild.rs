//! Rebuilding a replica under an identifier that an old database may still hold. Each look says the next step, so that
//! whoever was interrupted goes on from what there is. Nothing is ever deleted.

use jiff::Timestamp;

use crate::plan::ReplicaId;

/// "DBClusterIdentifier … must contain from 1 to 63 letters, numbers, or hyphens" (CreateDBCluster).
const IDENTIFIER_CHARACTERS_MAX: usize = 63;

/// What stands under the identifier that the new replica is to have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Nothing.
    Nothing,
    /// Some database.
    Database {
        /// RDS's word for its state.
        status: String,
        /// What it replicates: ARN or identifier.
        source: Option<String>,
        /// When it was created.
        created: Option<Timestamp>,
        /// Identifiers of a cluster's instances, or of the instance itself.
        instances: Vec<String>,
        /// Whether an instance of it answers.
        is_up: bool,
    },
}

/// What a database is set to, as far as a new one would not have it by itself. `None` where RDS did not say.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Settings {
    /// Port that clients connect to.
    pub port: Option<i32>,
    /// Whether people and applications log in by IAM.
    pub iam_authentication: Option<bool>,
    /// Whether it is kept from being deleted.
    pub deletion_protection: Option<bool>,
    /// Whether an instance has a standby; clusters have more instances in its place.
    pub multi_az: Option<bool>,
    /// Days for which backups are kept.
    pub backup_days: Option<i32>,
    /// DB subnet group.
    pub subnet_group: Option<String>,
    /// Parameter group of the cluster, or of the instance.
    pub parameter_group: Option<String>,
    /// Parameter group of a cluster's writer.
    pub writer_parameter_group: Option<String>,
    /// Option group.
    pub option_group: Option<String>,
    /// Ids of the security groups that let its clients in: those from before a fence.
    pub security_groups: Vec<String>,
    /// KMS key of the storage.
    pub kms_key: Option<String>,
    /// Least and most capacity of Aurora Serverless v2.
    pub serverless: Option<(f64, f64)>,
    /// Logs that go to CloudWatch.
    pub log_exports: Vec<String>,
    /// Whether Performance Insights is on.
    pub performance_insights: Option<bool>,
    /// Seconds between samples of enhanced monitoring; 0 is off.
    pub monitoring_seconds: Option<i32>,
    /// How many instances a cluster has.
    pub instances: usize,
}

impl Settings {
    /// What of it means the same in another region: groups, networks and keys have other names there.
    #[must_use]
    pub fn elsewhere(self) -> Self {
        Self {
            subnet_group: None,
            parameter_group: None,
            writer_parameter_group: None,
            option_group: None,
            security_groups: Vec::new(),
            kms_key: None,
            ..self
        }
    }
}

/// What the old database had and the new one has not, a line each, for people to mend before users come to it.
#[must_use]
pub fn lost(old: &Settings, new: &Settings) -> Vec<String> {
    fn differ<T: PartialEq + std::fmt::Display>(what: &str, old: Option<&T>, new: Option<&T>) -> Option<String> {
        let old = old.filter(|old| Some(*old) != new)?;
        Some(match new {
            Some(new) => format!("{what}: {old} before, {new} now"),
            None => format!("{what}: {old} before, not known now"),
        })
    }
    fn off(what: &str, old: Option<bool>, new: Option<bool>) -> Option<String> {
        (old == Some(true) && new != Some(true)).then(|| format!("{what}: on before, off now"))
    }
    let missing = |old: &[String], new: &[String]| {
        let missing: Vec<_> = old.iter().filter(|one| !new.contains(one)).cloned().collect();
        Some(missing.join(", ")).filter(|missing| !missing.is_empty())
    };
    let logs = missing(&old.log_exports, &new.log_exports);
    let groups = missing(&old.security_groups, &new.security_groups);
    let capacity = |(least, most): (f64, f64)| format!("{least} to {most} ACU");
    let monitored = |settings: &Settings| settings.monitoring_seconds.filter(|seconds| *seconds > 0);
    let found = [
        differ("port", old.port.as_ref(), new.port.as_ref()),
        off("IAM authentication", old.iam_authentication, new.iam_authentication),
        off("deletion protection", old.deletion_protection, new.deletion_protection),
        off("Multi-AZ", old.multi_az, new.multi_az),
        differ("days of backups", old.backup_days.as_ref(), new.backup_days.as_ref()),
        differ("parameter group", old.parameter_group.as_ref(), new.parameter_group.as_ref()),
        differ(
            "the writer's parameter group",
            old.writer_parameter_group.as_ref(),
            new.writer_parameter_group.as_ref(),
        ),
        differ("option group", old.option_group.as_ref(), new.option_group.as_ref()),
        differ("Serverless v2 capacity", old.serverless.map(capacity).as_ref(), new.serverless.map(capacity).as_ref()),
        groups.map(|groups| format!("security groups: {groups} before, not now: clients may not reach it")),
        logs.map(|logs| format!("logs sent to CloudWatch: {logs} before, not now")),
        off("Performance Insights", old.performance_insights, new.performance_insights),
        monitored(old)
            .filter(|_| monitored(new).is_none())
            .map(|seconds| format!("enhanced monitoring: every {seconds} s before, off now")),
        (old.instances > new.instances).then(|| format!("instances: {} before, {} now", old.instances, new.instances)),
    ];
    found.into_iter().flatten().collect()
}

/// What to do next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Give the old database another identifier.
    Rename {
        /// Which.
        to: String,
    },
    /// Create the replica.
    Create,
    /// Create the cluster's instance, without which it does not replicate.
    AddInstance {
        /// Its identifier.
        id: String,
    },
    /// RDS is at work.
    Wait {
        /// At what.
        what: String,
    },
    /// The replica is there.
    Done,
    /// A person must look.
    Refuse {
        /// Why.
        why: String,
    },
}

/// The next step towards `target`, a replica of `source_arn`. Whatever was created before `since` and is no replica is an
/// old database; what is younger was promoted already.
#[must_use]
pub fn next_step(target: &ReplicaId, standing: &Standing, source_arn: &str, since: Timestamp) -> Step {
    let id = target.name();
    let Standing::Database { status, source, created, instances, is_up } = standing else { return Step::Create };
    let what = format!("{target} is {status}");
    match source {
        Some(source) if !is_same(source, source_arn) => {
            Step::Refuse { why: format!("{target} is a replica of {source}, not of {source_arn}; name another") }
        }
        // "Wait for it to become active. Once it is active, you then create a DB instance" (Aurora user guide, replicating across
        // regions): a replica in another region is `creating` while a snapshot is copied, which may take hours.
        Some(_) if matches!(target, ReplicaId::AuroraCluster(_)) && instances.is_empty() && status == "available" => {
            let id = format!("{id}-{}", since.strftime("%Y%m%d%H%M"));
            Step::AddInstance { id: shortened(&id) }
        }
        Some(_) if status == "available" && *is_up => Step::Done,
        Some(_) => Step::Wait { what },
        None if created.is_none_or(|created| created > since) => {
            let why = format!(
                "{target} is no replica, and younger than {since}: if it was promoted already, all is done here; else rename it to {}, and run \
                 the command again",
                old_identifier(id, since)
            );
            Step::Refuse { why }
        }
        None if status != "available" => Step::Wait { what },
        None => Step::Rename { to: old_identifier(id, since) },
    }
}

/// What an old database is called once its name has gone to a new one.
#[must_use]
pub fn old_identifier(id: &str, since: Timestamp) -> String {
    shortened(&format!("{id}-before-{}", since.strftime("%Y%m%d%H%M")))
}

/// A source is given by its ARN, or by its bare identifier.
fn is_same(source: &str, arn: &str) -> bool {
    source == arn || arn.rsplit(':').next() == Some(source)
}

/// The end tells one from the next.
fn shortened(id: &str) -> String {
    let from = id.len().saturating_sub(IDENTIFIER_CHARACTERS_MAX);
    // Identifiers are ASCII letters, digits and hyphens, and begin with a letter.
    id.get(from..).unwrap_or(id).trim_start_matches(|c: char| !c.is_ascii_alphabetic()).to_owned()
}

/// How long a replica will take to catch up, from how its lag fell between the first and the last of some samples;
/// nothing while it does not fall.
#[must_use]
pub fn catches_up_in_seconds(samples: &[(Timestamp, u64)]) -> Option<u64> {
    let ((from, before), (to, now)) = (samples.first()?, samples.last()?);
    let fell = before.checked_sub(*now).filter(|fell| *fell > 0)?;
    let took = u64::try_from(to.duration_since(*from).as_secs()).ok().filter(|took| *took > 0)?;
    Some(now.saturating_mul(took).div_ceil(fell))
}
