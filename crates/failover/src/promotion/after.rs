//! After a failover: what it did not promote.

use super::replica::state_in_words;
use super::{Database, GateDecision, Page, ReplicaView};
use crate::observation::Fact;
use crate::outcome::{Finding, Kind};

/// The plan's databases that still replicate, as where the plan came to name them later, or another workload's.
/// Nobody promotes them any more.
#[must_use]
pub fn left_behind(gate: &GateDecision, replicas: &[ReplicaView]) -> Vec<Finding> {
    let is_replica = |replica: &&ReplicaView| replica.state.database().is_some_and(Database::is_replica);
    let finding = |replica: &ReplicaView| Finding {
        subject: replica.id.to_string(),
        kind: Kind::DatabaseTrouble,
        because: "the workload has failed over already, and this database still replicates".to_owned(),
        attention: Page,
        facts: vec![Fact::new(replica.id.to_string(), state_in_words(&replica.state))],
        next: "Holdfast promotes nothing any more: do it by hand if users need it, or take it out of the plan"
            .to_owned(),
        ..gate.clone().into()
    };
    replicas.iter().filter(is_replica).map(finding).collect()
}
