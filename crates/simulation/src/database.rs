//! A database in DR, from replica to writer.

use failover::promotion::{Database, Instances, ReplicaState, Source};
use jiff::{SignedDuration, Timestamp};

use crate::route53::STALE_SECONDS_MAX;

/// How long after its promotion a cluster says "available" while its writer still reboots.
const REBOOT: SignedDuration = SignedDuration::from_secs(20);

/// How far it has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Replicating,
    Promoting { until: Timestamp },
    Rebooting { until: Timestamp },
    Writer,
}

/// A database.
#[derive(Clone, Debug)]
pub struct Replica {
    stage: Stage,
    /// What it was before, until when.
    was: Option<(Timestamp, Stage)>,
}

impl Default for Replica {
    fn default() -> Self {
        Self { stage: Stage::Replicating, was: None }
    }
}

impl Replica {
    /// RDS promotes what is a replica and available, and nothing else.
    #[must_use]
    pub fn is_promotable(&self) -> bool {
        self.stage == Stage::Replicating
    }

    /// A replica again, as RDS knows no way back to be.
    pub fn replicate_again(&mut self) {
        *self = Self::default();
    }

    pub(crate) fn promote(&mut self, now: Timestamp, takes: SignedDuration) {
        self.become_at(now, Stage::Promoting { until: now + takes });
    }

    /// Time has passed; true if it was promoted meanwhile, which RDS tells.
    pub(crate) fn go_on(&mut self, now: Timestamp) -> bool {
        match self.stage {
            Stage::Promoting { until } if until <= now => {
                self.become_at(now, Stage::Rebooting { until: until + REBOOT });
                self.go_on(now);
                true
            }
            Stage::Rebooting { until } if until <= now => {
                self.become_at(now, Stage::Writer);
                false
            }
            _ => false,
        }
    }

    fn become_at(&mut self, now: Timestamp, stage: Stage) {
        self.was = Some((now, std::mem::replace(&mut self.stage, stage)));
    }

    /// What RDS says.
    #[must_use]
    pub fn state(&self) -> ReplicaState {
        said(self.stage)
    }

    /// What RDS says from a copy that the newest change has not reached.
    #[must_use]
    pub fn stale_state(&self, now: Timestamp) -> ReplicaState {
        match self.was {
            Some((at, stage)) if now.duration_since(at).as_secs() < STALE_SECONDS_MAX => said(stage),
            _ => self.state(),
        }
    }
}

fn said(stage: Stage) -> ReplicaState {
    let (status, is_replica, writer_available) = match stage {
        Stage::Replicating => ("available", true, true),
        Stage::Promoting { .. } => ("promoting", true, false),
        Stage::Rebooting { .. } => ("available", false, false),
        Stage::Writer => ("available", false, true),
    };
    ReplicaState::Present(Database {
        status: status.to_owned(),
        source: if is_replica { Source::ReplicaOf("primary".to_owned()) } else { Source::NoneNamed },
        instances: if writer_available { Instances::Writer } else { Instances::None },
        created: Some(Timestamp::UNIX_EPOCH),
        engine: "mysql".to_owned(),
        members: Vec::new(),
    })
}
