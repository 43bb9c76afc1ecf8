//! What a register remembers of the databases, so that no database is taken for promoted because a field is empty.

use std::collections::BTreeSet;

use crate::plan::ReplicaId;

/// What is known of the plan's databases in one failover. Nothing is known of a database that is in neither set.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Evidence {
    /// Seen as a replica since the pin: what takes writes now was promoted since.
    pub replicas: BTreeSet<ReplicaId>,
    /// A person vouches for what takes writes under this name.
    pub accepted: BTreeSet<ReplicaId>,
}

impl Evidence {
    /// True if nothing is known of any database.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.replicas.is_empty() && self.accepted.is_empty()
    }

    /// That a database was seen as a replica.
    #[must_use]
    pub fn replica(id: ReplicaId) -> Self {
        Self { replicas: [id.recorded()].into(), ..Self::default() }
    }

    /// That a person vouches for a database.
    #[must_use]
    pub fn accepted(id: ReplicaId) -> Self {
        Self { accepted: [id.recorded()].into(), ..Self::default() }
    }

    /// True of a database that was seen as a replica.
    #[must_use]
    pub fn saw(&self, id: &ReplicaId) -> bool {
        self.replicas.contains(&id.recorded())
    }

    /// True of a database that a person vouches for.
    #[must_use]
    pub fn vouches_for(&self, id: &ReplicaId) -> bool {
        self.accepted.contains(&id.recorded())
    }

    /// Both together.
    #[must_use]
    pub fn and(&self, other: &Self) -> Self {
        Self { replicas: &self.replicas | &other.replicas, accepted: &self.accepted | &other.accepted }
    }
}

impl FromIterator<Self> for Evidence {
    fn from_iter<I: IntoIterator<Item = Self>>(all: I) -> Self {
        all.into_iter().fold(Self::default(), |known, more| known.and(&more))
    }
}
