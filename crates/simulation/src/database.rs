//! A database in DR, from replica to writer.

use failover::plan::ReplicaId;
use failover::promotion::{Database, GlobalOperation, Instances, Membership, ReplicaState, Source};
use jiff::{SignedDuration, Timestamp};

use crate::route53::STALE_SECONDS_MAX;

/// How long after its promotion a cluster says "available" while its writer still reboots.
const REBOOT: SignedDuration = SignedDuration::from_secs(20);
/// How long a global database that could not be failed over says "cancelling".
const CANCELLING: SignedDuration = SignedDuration::from_secs(40);

/// How far it has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Replicating,
    Promoting {
        until: Timestamp,
    },
    Rebooting {
        until: Timestamp,
    },
    /// Of a global database: its failover has failed.
    Cancelling {
        until: Timestamp,
    },
    Writer,
}

/// A database.
#[derive(Clone, Debug)]
pub struct Replica {
    /// Its global database, if it is in one.
    global: Option<String>,
    /// Its next failover fails half-way.
    is_to_fail: bool,
    stage: Stage,
    /// What it was before, until when.
    was: Option<(Timestamp, Stage)>,
}

/// What became of a promotion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    /// RDS tells that it was promoted.
    Promoted,
    /// RDS tells that it was not.
    Failed,
}

impl Replica {
    /// One that replicates.
    #[must_use]
    pub fn of(id: &ReplicaId) -> Self {
        let global = match id {
            ReplicaId::GlobalMember { global, .. } => Some(global.clone()),
            ReplicaId::AuroraCluster(_) | ReplicaId::RdsInstance(_) => None,
        };
        Self { global, is_to_fail: false, stage: Stage::Replicating, was: None }
    }

    /// The next failover fails half-way, if it is in a global database.
    pub fn fail_next(&mut self) {
        self.is_to_fail = self.global.is_some();
    }

    /// RDS promotes what is a replica and available, and nothing else.
    #[must_use]
    pub fn is_promotable(&self) -> bool {
        self.stage == Stage::Replicating
    }

    /// Promoted, and up.
    #[must_use]
    pub fn takes_writes(&self) -> bool {
        self.stage == Stage::Writer
    }

    /// A replica again, as RDS knows no way back to be.
    pub fn replicate_again(&mut self) {
        *self = Self { global: self.global.take(), is_to_fail: false, stage: Stage::Replicating, was: None };
    }

    pub(crate) fn promote(&mut self, now: Timestamp, takes: SignedDuration) {
        self.become_at(now, Stage::Promoting { until: now + takes });
    }

    /// Time has passed; what RDS tells of it.
    pub(crate) fn go_on(&mut self, now: Timestamp) -> Option<Turn> {
        match self.stage {
            Stage::Promoting { until } if until <= now && std::mem::take(&mut self.is_to_fail) => {
                self.become_at(now, Stage::Cancelling { until: until + CANCELLING });
                self.go_on(now);
                Some(Turn::Failed)
            }
            Stage::Cancelling { until } if until <= now => {
                self.become_at(now, Stage::Replicating);
                None
            }
            Stage::Promoting { until } if until <= now => {
                self.become_at(now, Stage::Rebooting { until: until + REBOOT });
                self.go_on(now);
                Some(Turn::Promoted)
            }
            Stage::Rebooting { until } if until <= now => {
                self.become_at(now, Stage::Writer);
                None
            }
            _ => None,
        }
    }

    fn become_at(&mut self, now: Timestamp, stage: Stage) {
        self.was = Some((now, std::mem::replace(&mut self.stage, stage)));
    }

    /// What RDS says.
    #[must_use]
    pub fn state(&self) -> ReplicaState {
        self.said(self.stage)
    }

    /// What RDS says from a copy that the newest change has not reached.
    #[must_use]
    pub fn stale_state(&self, now: Timestamp) -> ReplicaState {
        match self.was {
            Some((at, stage)) if now.duration_since(at).as_secs() < STALE_SECONDS_MAX => self.said(stage),
            _ => self.state(),
        }
    }

    fn said(&self, stage: Stage) -> ReplicaState {
        let (status, is_replica, writer_available) = match stage {
            Stage::Replicating => ("available", true, true),
            Stage::Promoting { .. } if self.global.is_some() => ("failing-over", true, false),
            Stage::Promoting { .. } => ("promoting", true, false),
            Stage::Cancelling { .. } => ("available", true, true),
            Stage::Rebooting { .. } => ("available", false, false),
            Stage::Writer => ("available", false, true),
        };
        let source = match &self.global {
            Some(global) => Source::InGlobal(Membership {
                global: global.clone(),
                arn: "arn:aws:rds:eu-central-1:123456789012:cluster:secondary".to_owned(),
                is_writer: !is_replica,
                other_regions: vec!["us-east-1".to_owned()],
                operation: match stage {
                    Stage::Promoting { .. } => Some(GlobalOperation::FailoverHere),
                    Stage::Cancelling { .. } => Some(GlobalOperation::Other("cancelling".to_owned())),
                    Stage::Replicating | Stage::Rebooting { .. } | Stage::Writer => None,
                },
            }),
            None if is_replica => Source::ReplicaOf("primary".to_owned()),
            None => Source::NoneNamed,
        };
        ReplicaState::Present(Database {
            status: status.to_owned(),
            source,
            instances: if writer_available { Instances::Writer } else { Instances::None },
            created: Some(Timestamp::UNIX_EPOCH),
            engine: "mysql".to_owned(),
            members: Vec::new(),
        })
    }
}
