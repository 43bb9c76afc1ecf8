//! The decisions that ship.

use failover::change::{self, Write, WriteError};
use failover::failback::{self, RestoreError};
use failover::incident::{AlarmSighting, Approval, Incident};
use failover::observation::{Alarms, ChangeStatus, Changes, NameView};
use failover::order::{self, Order, OrderError};
use failover::pin::{self, Observation, Verdict};
use failover::plan::Plan;
use failover::promotion::{self, Failover, GateDecision, ReplicaDecision, ReplicaView};
use failover::record::RecordSet;
use failover::refusal::not_overtaken;
use failover::register::Register;
use failover::signal::Signal;
use jiff::Timestamp;

/// Every decision the model makes.
#[expect(clippy::type_complexity, reason = "these are the signatures of the functions named")]
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    /// `failover::pin::decide`.
    pub decide_pin: fn(&Plan, &Observation, &NameView) -> pin::Decision,
    /// `failover::change::write`.
    pub write: fn(&NameView, Verdict, Option<&Incident>, Timestamp) -> Result<Option<Write>, WriteError>,
    /// `failover::promotion::decide_gate`.
    pub decide_gate: fn(&Plan, Timestamp, &[NameView], &Changes) -> GateDecision,
    /// `failover::promotion::decide_replica`.
    pub decide_replica: fn(&Plan, Timestamp, &Failover, &ReplicaView, Option<&Approval>) -> ReplicaDecision,
    /// `failover::failback::restore`.
    pub restore: fn(&Plan, &NameView, Timestamp, &str) -> Result<Option<Write>, RestoreError>,
    /// `failover::order::register_for`.
    pub register_for: fn(&Order, &NameView, Timestamp) -> Result<Option<Register>, OrderError>,
    /// What is made of Route 53's answer about a change.
    pub believe: fn(ChangeStatus) -> ChangeStatus,
    /// `failover::signal::Signal::known_alarms`.
    pub known_alarms: fn(&Plan, &Signal, Option<Vec<AlarmSighting>>, Timestamp) -> Alarms,
    /// What of a refused batch is tried by itself, by `failover::refusal::not_overtaken`, as the functions do.
    pub parts: fn(Vec<Write>, &[RecordSet]) -> Vec<Vec<Write>>,
    /// Whether a batch is refused if what it deletes is not there.
    pub compares: bool,
    /// Whether the failover health check is enabled before a maintenance is over.
    pub enables_check: bool,
}

impl Rules {
    /// What ships.
    #[must_use]
    pub fn shipped() -> Self {
        Self {
            decide_pin: pin::decide,
            write: change::write,
            decide_gate: promotion::decide_gate,
            decide_replica: promotion::decide_replica,
            restore: failback::restore,
            register_for: order::register_for,
            believe: |status| status,
            known_alarms: |plan, signal, described, now| signal.known_alarms(plan, described, now),
            parts,
            compares: true,
            enables_check: true,
        }
    }
}

/// Of what was overtaken there is a new decision; what stands is tried without it, or by halves.
fn parts(writes: Vec<Write>, sets: &[RecordSet]) -> Vec<Vec<Write>> {
    let (mut standing, overtaken) = not_overtaken(writes, sets);
    let half = if overtaken.is_empty() { standing.split_off(standing.len().div_ceil(2)) } else { Vec::new() };
    // One that stands by itself is refused for what it is.
    let parts = if overtaken.is_empty() && half.is_empty() { Vec::new() } else { vec![standing, half] };
    parts.into_iter().filter(|part| !part.is_empty()).collect()
}
