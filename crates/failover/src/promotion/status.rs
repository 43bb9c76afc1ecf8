//! RDS's statuses, by what they allow.

/// What a status allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Allows {
    /// Reads, writes where it is no replica, and a promotion where it is one.
    Promotion,
    /// Reads and writes. RDS promotes no replica in this status, and it passes by itself.
    WorkOnly,
    /// Nothing to rely on; it passes by itself.
    Waiting,
    /// Nothing; a person must see to it.
    NothingUntilMended,
    /// Unknown to this version of Holdfast.
    Unknown,
}

use Allows::{NothingUntilMended, Promotion, Waiting, WorkOnly};

/// Every status of "Viewing Amazon RDS DB instance status" (RDS user guide) and "DB cluster status" (Aurora user guide), and
/// three that other pages of the guides name (`configuring-…`). "available" there is of instances and clusters alike.
#[rustfmt::skip]
const STATUSES: &[(&str, Allows)] = &[
    ("available", Promotion),
    // "… the DB instance remains available. Storage optimization is a background process", for "beyond 24 hours".
    ("storage-optimization", Promotion),
    // "It remains available for operations".
    ("storage-initialization", Promotion),
    // "a read replica cannot be promoted … when it is in the backing-up status" (RDS API, PromoteReadReplica).
    ("backing-up", WorkOnly),
    ("backtracking", Waiting),
    ("configuring-associated-roles", Waiting),
    ("configuring-enhanced-monitoring", Waiting),
    ("configuring-iam-database-auth", Waiting),
    ("configuring-log-exports", Waiting),
    ("configuring-performance-insights", Waiting),
    ("converting-to-vpc", Waiting),
    ("creating", Waiting),
    ("failing-over", Waiting),
    ("maintenance", Waiting),
    ("migrating", Waiting),
    ("modifying", Waiting),
    ("moving-to-vpc", Waiting),
    ("preparing-data-migration", Waiting),
    ("promoting", Waiting),
    ("rebooting", Waiting),
    ("renaming", Waiting),
    ("resetting-master-credentials", Waiting),
    ("starting", Waiting),
    ("storage-config-upgrade", Waiting),
    ("update-iam-db-auth", Waiting),
    ("upgrading", Waiting),
    ("cloning-failed", NothingUntilMended),
    ("delete-precheck", NothingUntilMended),
    ("deleting", NothingUntilMended),
    ("failed", NothingUntilMended),
    ("inaccessible-encryption-credentials", NothingUntilMended),
    ("inaccessible-encryption-credentials-recoverable", NothingUntilMended),
    ("incompatible-create", NothingUntilMended),
    ("incompatible-network", NothingUntilMended),
    ("incompatible-option-group", NothingUntilMended),
    ("incompatible-parameters", NothingUntilMended),
    ("incompatible-restore", NothingUntilMended),
    ("insufficient-capacity", NothingUntilMended),
    ("migration-failed", NothingUntilMended),
    ("restore-error", NothingUntilMended),
    ("stopped", NothingUntilMended),
    ("stopping", NothingUntilMended),
    // "a critical status": it takes no writes until somebody scales its storage.
    ("storage-full", NothingUntilMended),
    ("upgrade_failed", NothingUntilMended),
];

impl Allows {
    /// What RDS's word for a status allows.
    #[must_use]
    pub fn of(status: &str) -> Self {
        STATUSES.iter().find(|(word, _)| *word == status).map_or(Self::Unknown, |(_, allows)| *allows)
    }

    /// A database, or an instance of it, takes writes if it is no replica.
    #[must_use]
    pub fn takes_writes(self) -> bool {
        matches!(self, Promotion | WorkOnly)
    }
}
