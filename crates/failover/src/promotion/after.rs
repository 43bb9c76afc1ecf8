//! After a failover: what it did not promote.

use super::replica::state_in_words;
use super::{Database, GateDecision, Page, ReplicaView, Source};
use crate::finding::{Finding, Kind};
use crate::observation::{Attention, Fact};

/// The plan's databases that still replicate, as where the plan came to name them later, or another workload's.
/// Nobody promotes them any more. A secondary of a global database may be one again: where a failback is under way, or somebody
/// switched it over.
#[must_use]
pub fn left_behind(gate: &GateDecision, replicas: &[ReplicaView]) -> Vec<Finding> {
    let is_replica = |replica: &&ReplicaView| replica.state.database().is_some_and(Database::is_replica);
    let finding = |replica: &ReplicaView| Finding {
        subject: replica.id.to_string(),
        kind: Kind::DatabaseTrouble,
        because: because(replica).to_owned(),
        attention: attention(replica),
        facts: vec![Fact::new(replica.id.to_string(), state_in_words(&replica.state))],
        next: next(replica).to_owned(),
        ..gate.clone().into()
    };
    replicas.iter().filter(is_replica).map(finding).collect()
}

fn is_in_global(replica: &ReplicaView) -> bool {
    replica.state.database().is_some_and(|database| matches!(database.source, Source::InGlobal(_)))
}

fn because(replica: &ReplicaView) -> &'static str {
    match is_in_global(replica) {
        true => {
            "the workload has failed over, and the primary of this global database is in another region: it takes no writes here"
        }
        false => "the workload has failed over already, and this database still replicates",
    }
}

/// What people began is told and left to them while it lasts.
fn attention(replica: &ReplicaView) -> Attention {
    match replica.state.database().is_some_and(|database| database.operation().is_some()) {
        true => Attention::Notice,
        false => Page,
    }
}

fn next(replica: &ReplicaView) -> &'static str {
    match is_in_global(replica) {
        true => {
            "Holdfast promotes nothing any more: go on with the failback (holdfast failback switch), or switch the global database over to this region"
        }
        false => "Holdfast promotes nothing any more: do it by hand if users need it, or take it out of the plan",
    }
}
