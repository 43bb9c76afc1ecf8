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
    let (ReplicaId::AuroraCluster(id) | ReplicaId::RdsInstance(id)) = target;
    let Standing::Database { status, source, created, instances, is_up } = standing else { return Step::Create };
    let what = format!("{target} is {status}");
    match source {
        Some(source) if !is_same(source, source_arn) => {
            Step::Refuse { why: format!("{target} is a replica of {source}, not of {source_arn}; name another") }
        }
        Some(_) if matches!(target, ReplicaId::AuroraCluster(_)) && instances.is_empty() => {
            let id = format!("{id}-{}", since.strftime("%Y%m%d%H%M"));
            Step::AddInstance { id: shortened(&id) }
        }
        Some(_) if status == "available" && *is_up => Step::Done,
        Some(_) => Step::Wait { what },
        None if created.is_none_or(|created| created > since) => {
            let why = format!(
                "{target} is no replica, and younger than {since}: if it was promoted already, all is done here"
            );
            Step::Refuse { why }
        }
        None if status != "available" => Step::Wait { what },
        None => Step::Rename { to: shortened(&format!("{id}-before-{}", since.strftime("%Y%m%d%H%M"))) },
    }
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
