//! The promotion rules, R01–R09: whether the databases in DR may be promoted, and which.
//!
//! `R01` and `R02` decide for the workload as a whole, since promotion is irreversible and must not begin while any client
//! may still reach the primary; `R03`–`R09` then decide about each database by itself. In peace the same rules say what
//! would keep a database from being promoted.

mod after;
mod awaited;
mod database;
mod evidence;
mod gate;
mod global;
mod loss;
mod peace;
mod replica;
mod status;

use jiff::{SignedDuration, Timestamp};

pub use after::left_behind;
pub use awaited::{Awaited, awaited};
pub use database::{
    Database, Instances, LagSample, MULTI_AZ_CLUSTER, ReplicaState, ReplicaView, Source, is_multi_az_cluster,
};
pub use evidence::{Failover, put_on_record, record_in_sync, seen_as_replicas};
pub use gate::{
    ARRIVAL_SECONDS_MAX, CLIENTS_DRAINED, GATE_TABLE, Gate, GateDecision, GateFacts, GateRow, decide_gate, failed_over,
    in_sync, is_over,
};
pub use global::{GlobalOperation, Membership, PromotionCall};
pub(crate) use loss::{IDLE_SECONDS, grows_in_silence, is_postgres};
pub use loss::{LAG_LOOKBACK, Loss, Outage};
pub use peace::{PEACE_TABLE, PeaceFacts, PeaceRow, Shortcoming, is_guarded, shortcomings};
pub use replica::{
    PROMOTION_SECONDS_MAX, REPLICA_TABLE, ReplicaDecision, ReplicaFacts, ReplicaRow, Verdict, decide_replica,
};
pub use status::Allows;

use crate::observation::Attention::{None as Quiet, Page};
use crate::rule::{self, first, row};

/// A row of a table over facts `F` that decides `V`.
pub type Row<F, V> = rule::Row<fn(&F) -> bool, V>;

fn decide<F, V>(table: &'static [Row<F, V>], facts: &F) -> &'static Row<F, V> {
    first(table, |holds| holds(facts))
}

/// So many seconds after `at`; where no such time can be told, never.
fn after(at: Timestamp, seconds: i64) -> Timestamp {
    at.checked_add(SignedDuration::from_secs(seconds)).unwrap_or(Timestamp::MAX)
}
