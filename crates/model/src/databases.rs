//! The databases in DR: as RDS describes them, and what becomes of them.

use failover::plan::ReplicaId;
use failover::promotion::{self, GlobalOperation, Instances, LagSample, Membership, ReplicaState, ReplicaView, Source};
use failover::register::{Evidence, Register};
use jiff::SignedDuration;

use crate::setting::at;
use crate::watch::Violation;
use crate::world::{Trouble, World};

/// A database in DR.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Database {
    /// Follows the primary.
    Replica,
    /// On its way to a writer.
    Promoting,
    /// Takes writes, promoted by Holdfast.
    Writer,
    /// Takes writes, promoted by a person; whether while some name was pinned.
    ByHand(bool),
    /// Takes writes, restored by a person at this step under the replica's name.
    Restored(u8),
}

impl Database {
    /// Whoever made it do so.
    pub fn takes_writes(self) -> bool {
        matches!(self, Self::Writer | Self::ByHand(_) | Self::Restored(_))
    }

    /// Whoever promoted it: its data is the primary's of this incident.
    pub fn was_promoted_in_this_incident(self) -> bool {
        matches!(self, Self::Writer | Self::ByHand(true))
    }
}

/// A promotion whose caller has given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LatePromotion {
    /// Which database.
    pub database: usize,
    /// How often somebody had undone a pin when it was decided.
    pub undone: u8,
    /// Whether a person has approved the loss.
    pub is_approved: bool,
}

impl World {
    /// What RDS says of a database, now or as it was before its newest change.
    pub fn replica_state(&self, database: usize, is_stale: bool) -> ReplicaState {
        let has = |trouble| database == 0 && self.troubles.contains(&trouble);
        let now = match self.database_before {
            Some((of, before)) if is_stale && of == database => before,
            _ => self.databases[database],
        };
        if has(Trouble::RdsSilent) {
            return ReplicaState::Unanswered("timed out".to_owned());
        }
        if has(Trouble::DatabaseGone) {
            return ReplicaState::Missing;
        }
        let source = match now {
            _ if has(Trouble::DatabaseIsMember) => Source::MemberOf("c".to_owned()),
            _ if has(Trouble::DatabaseIsGlobal) => Source::Global("g".to_owned()),
            _ if has(Trouble::GlobalDetached) => Source::NotInGlobal("g".to_owned()),
            _ if self.is_global => Source::InGlobal(place(now, has(Trouble::GlobalOperated))),
            Database::Replica | Database::Promoting => Source::ReplicaOf("p".to_owned()),
            Database::Writer | Database::ByHand(_) | Database::Restored(_) => Source::NoneNamed,
        };
        let created = match now {
            Database::Restored(step) => at(step) + SignedDuration::from_mins(5),
            _ => at(0) - SignedDuration::from_hours(48),
        };
        let status = match now {
            _ if has(Trouble::DatabaseStopped) => "stopped",
            _ if has(Trouble::DatabaseUnknown) => "pondering",
            Database::Promoting => "promoting",
            _ => "available",
        };
        ReplicaState::Present(promotion::Database {
            status: status.to_owned(),
            source,
            instances: match status {
                // Not promoted yet, whatever becomes of it outside.
                "available" if has(Trouble::GlobalDetached) && !now.takes_writes() => Instances::Reader,
                "available" => Instances::Writer,
                _ => Instances::None,
            },
            created: Some(created),
            engine: "mysql".to_owned(),
            members: Vec::new(),
        })
    }

    /// The databases that RDS says are replicas.
    pub fn replicas(&self, ids: &[ReplicaId]) -> Evidence {
        let view = |(nth, id): (usize, &ReplicaId)| {
            let (id, state) = (id.clone(), self.replica_state(nth, false));
            ReplicaView { id, state, lags: Vec::new() }
        };
        promotion::seen_as_replicas(&ids.iter().enumerate().map(view).collect::<Vec<_>>())
    }

    /// The newest sample of lag that is not −1: a second, of the second before the outage, unless something is wrong.
    pub fn lag(&self, database: usize) -> Option<LagSample> {
        let has = |trouble| database == 0 && self.troubles.contains(&trouble);
        let outage = at(self.rang.last().copied().unwrap_or(self.time));
        let (seconds, before) = match () {
            () if has(Trouble::LagUnknown) => return None,
            () if has(Trouble::LagTooGreat) => (4_000, SignedDuration::from_secs(1)),
            () if has(Trouble::ReplicationStopped) => (1, SignedDuration::from_hours(3)),
            () => (1, SignedDuration::from_secs(1)),
        };
        Some(LagSample { seconds, at: outage - before })
    }

    /// RDS is asked to promote, and does so where there is a replica. Route 53 and RDS have no transaction in common:
    /// whoever undoes a pin after the promoter has looked is not seen by it.
    pub fn promote(&mut self, order: LatePromotion) {
        let LatePromotion { database, undone, is_approved } = order;
        let state = self.replica_state(database, false);
        // Of a global database too: RDS refuses what is promoted, or being switched over.
        let is_promotable = |it: &promotion::Database| it.is_available_replica() && it.operation().is_none();
        if !state.database().is_some_and(is_promotable) {
            return;
        }
        self.becomes(database, Database::Promoting);
        let loses_too_much = database == 0 && self.troubles.iter().any(|trouble| trouble.is_of_lag());
        let was_undone = self.watch.undone() != undone;
        let zones = &self.zones;
        self.watch.promoted(self.time, zones, database, was_undone);
        if loses_too_much && !is_approved {
            self.watch.accuse(Violation::LostTooMuch);
        }
    }

    /// A promotion comes to its end: a writer, or, of a global database whose failovers fail, the replica that it was.
    pub fn end_promotion(&mut self, database: usize) {
        let fails = database == 0 && self.troubles.contains(&Trouble::GlobalFails);
        self.becomes(database, if fails { Database::Replica } else { Database::Writer });
        if fails {
            self.watch.promotion_failed(database);
        }
    }

    /// A database changes.
    pub fn becomes(&mut self, database: usize, next: Database) {
        if self.database_before.is_some() || self.left.faults > 0 {
            self.database_before = Some((database, self.databases[database]));
        }
        self.databases[database] = next;
    }

    /// Somebody promotes the first of them; true if that changes anything.
    pub fn promote_by_hand(&mut self) -> bool {
        let is_replica = self.databases.first() == Some(&Database::Replica);
        let is_pinned = self.registers().flatten().any(|register| Register::pin(register).is_some());
        if is_replica {
            self.becomes(0, Database::ByHand(is_pinned));
        }
        is_replica
    }

    /// Somebody restores a snapshot under the name of the first.
    pub fn restore_under_name(&mut self) -> bool {
        let is_there = self.databases.first().is_some_and(|database| *database != Database::Promoting);
        if is_there {
            self.becomes(0, Database::Restored(self.time));
        }
        is_there
    }
}

/// What `DescribeGlobalClusters` tells of it.
fn place(database: Database, is_switched_over: bool) -> Membership {
    let operation = match database {
        _ if is_switched_over => Some(GlobalOperation::Other("switching-over".to_owned())),
        Database::Promoting => Some(GlobalOperation::FailoverHere),
        Database::Replica | Database::Writer | Database::ByHand(_) | Database::Restored(_) => None,
    };
    let (global, arn) = ("g".to_owned(), "arn".to_owned());
    Membership { global, arn, is_writer: database.takes_writes(), other_regions: Vec::new(), operation }
}
