//! A database in DR, as RDS and CloudWatch describe it.

use jiff::{SignedDuration, Timestamp};

use super::global::{GlobalOperation, Membership};
use super::status::Allows;
use crate::plan::ReplicaId;

/// A database as RDS and CloudWatch describe it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ReplicaView {
    /// Which.
    pub id: ReplicaId,
    /// What RDS says.
    pub state: ReplicaState,
    /// The lag samples that are not −1, oldest first.
    pub lags: Vec<LagSample>,
}

/// What RDS says of a database.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ReplicaState {
    /// There is no such cluster or instance.
    Missing,
    /// RDS did not answer; why, in words.
    Unanswered(String),
    /// It is there.
    Present(Database),
}

impl ReplicaState {
    /// What RDS describes, if it describes one.
    #[must_use]
    pub fn database(&self) -> Option<&Database> {
        match self {
            Self::Present(database) => Some(database),
            Self::Missing | Self::Unanswered(_) => None,
        }
    }
}

/// A database that is there.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Database {
    /// RDS's word for its status.
    pub status: String,
    /// What it takes its data from.
    pub source: Source,
    /// Which of its instances could take requests.
    pub instances: Instances,
    /// When it was created, if RDS says so: what is younger than a pin is not what was there when it was made.
    pub created: Option<Timestamp>,
    /// RDS's word for its engine: what its lag means depends on it.
    pub engine: String,
    /// A cluster's instances that may report its lag; none where the database is an instance itself.
    pub members: Vec<String>,
}

/// What a database takes its data from, by all of the fields in which RDS says it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Source {
    /// It is a replica of this: `ReplicationSourceIdentifier` of a cluster, `ReadReplicaSourceDBInstanceIdentifier` or
    /// `ReadReplicaSourceDBClusterIdentifier` of an instance.
    ReplicaOf(String),
    /// No field names anything: it takes writes. That does not say that it ever was a replica.
    NoneNamed,
    /// An instance of this cluster (`DBClusterIdentifier`), which is promoted as a whole or not at all.
    MemberOf(String),
    /// A cluster of this global database (`GlobalClusterIdentifier`), which the plan does not say.
    Global(String),
    /// A cluster of the global database that the plan names: its storage is replicated, not its binlog.
    InGlobal(Membership),
    /// No cluster of this global database, which the plan names; or there is no such global database.
    NotInGlobal(String),
}

/// How many of a database's instances work. A cluster's own status says nothing of its instances', which a promotion
/// reboots.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Instances {
    /// None of them.
    None,
    /// One, of which RDS does not say that it is the writer.
    Reader,
    /// The writer.
    Writer,
}

impl Database {
    /// A replica that RDS promotes.
    #[must_use]
    pub fn is_available_replica(&self) -> bool {
        // It is not documented whether the one instance of a replica cluster is called its writer, so any will do.
        let is_up = self.allows() == Allows::Promotion && self.instances >= Instances::Reader;
        is_up && self.is_replica()
    }

    /// RDS is at work on it: nothing is asked of it, or about what it lacks, before that is over.
    #[must_use]
    pub fn is_being_worked_on(&self) -> bool {
        self.allows() == Allows::Waiting
    }

    /// It takes writes, whatever it was before.
    #[must_use]
    pub fn is_available_writer(&self) -> bool {
        let takes_nothing = self.is_no_replica() || matches!(self.source, Source::NotInGlobal(_));
        takes_nothing && self.allows().takes_writes() && self.instances == Instances::Writer
    }

    /// RDS says of what.
    #[must_use]
    pub fn is_replica(&self) -> bool {
        match &self.source {
            Source::ReplicaOf(_) => true,
            Source::InGlobal(place) => !place.is_writer,
            Source::NoneNamed | Source::MemberOf(_) | Source::Global(_) | Source::NotInGlobal(_) => false,
        }
    }

    /// RDS names nothing that it takes its data from; of a cluster of a global database it says that it is the primary.
    #[must_use]
    pub fn is_no_replica(&self) -> bool {
        match &self.source {
            Source::NoneNamed => true,
            Source::InGlobal(place) => place.is_writer && !matches!(place.operation, Some(GlobalOperation::Other(_))),
            Source::ReplicaOf(_) | Source::MemberOf(_) | Source::Global(_) | Source::NotInGlobal(_) => false,
        }
    }

    /// What is done to its global database.
    #[must_use]
    pub fn operation(&self) -> Option<&GlobalOperation> {
        match &self.source {
            Source::InGlobal(place) => place.operation.as_ref(),
            _ => None,
        }
    }

    /// What its status allows.
    #[must_use]
    pub fn allows(&self) -> Allows {
        Allows::of(&self.status)
    }
}

/// A replica lag sample; −1, "not replicating or unknown", is never one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LagSample {
    /// Lag in whole seconds, rounded up.
    pub seconds: u64,
    /// When.
    pub at: Timestamp,
}

/// True of a cluster with an engine of RDS's own: a Multi-AZ DB cluster, which is a writer and two readers in one region, and no Aurora cluster.
#[must_use]
pub fn is_multi_az_cluster(id: &ReplicaId, engine: &str) -> bool {
    matches!(id, ReplicaId::AuroraCluster(_)) && matches!(engine, "mysql" | "postgres")
}

/// What AWS says of such a cluster, and what follows. As the source of a replica: "Cross-Region replication isn't supported" (RDS API,
/// `CreateDBInstanceReadReplica`, `SourceDBClusterIdentifier`). That an instance has one for a replica is documented; in another region it is
/// not.
pub const MULTI_AZ_CLUSTER: &str = "AWS documents no Multi-AZ DB cluster that replicates an instance of another region, and none that is \
     replicated to one: no lag of it is known here, so Holdfast asks before it promotes it (R07)";

impl LagSample {
    /// Up to when the replica had applied the source's writes, by this sample.
    #[must_use]
    pub fn applied_until(&self) -> Timestamp {
        let lag = SignedDuration::from_secs(i64::try_from(self.seconds).unwrap_or(i64::MAX));
        self.at.checked_sub(lag).unwrap_or(Timestamp::MIN)
    }

    /// Up to when it probably had them, where the lag is counted from what was received.
    #[must_use]
    pub fn probably_complete_until(&self) -> Timestamp {
        self.applied_until().checked_sub(SILENT_LINK).unwrap_or(Timestamp::MIN)
    }
}

/// A replica says 0 for up to a minute after the last write has arrived, while the link is silent (`slave_net_timeout`, 60 s), and a
/// sample is of any moment of its minute.
const SILENT_LINK: SignedDuration = SignedDuration::from_secs(120);

impl std::fmt::Display for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::ReplicaOf(source) => write!(f, "replica of {source}"),
            Self::NoneNamed => f.write_str("no replica"),
            Self::MemberOf(cluster) => write!(f, "an instance of cluster {cluster}"),
            Self::Global(global) => write!(f, "in global database {global}"),
            Self::InGlobal(Membership { global, is_writer, operation, .. }) => {
                let role = if *is_writer { "primary" } else { "secondary" };
                write!(f, "{role} of global database {global}")?;
                match operation {
                    None => Ok(()),
                    Some(GlobalOperation::FailoverHere) => f.write_str(", being failed over to it"),
                    Some(GlobalOperation::Other(what)) => write!(f, ", {what}"),
                }
            }
            Self::NotInGlobal(global) => write!(f, "not in global database {global}"),
        }
    }
}
