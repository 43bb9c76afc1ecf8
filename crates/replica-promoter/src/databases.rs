//! The databases: looked at in peace, put on record, promoted.

use std::collections::BTreeSet;

use aws::CallError;
use aws::cloudwatch::{LagOf, LagReader};
use aws::dns::NameServers;
use aws::rds::{ReplicaReader, ReplicaWriter};
use aws::route53::{RecordReader, RecordWriter};
use aws::store::{StoreReader, StoreWriter};
use aws::telemetry::{self, Metric};
use failover::incident::{Approval, Incident};
use failover::observation::{Attention, Fact};
use failover::outcome::{Finding, Kind};
use failover::plan::{Plan, ReplicaId};
use failover::promotion::{
    self, Database, Failover, GateDecision, LAG_LOOKBACK, LagSample, ReplicaDecision, ReplicaState, ReplicaView,
    Verdict,
};
use failover::register::Evidence;
use failover::rule::Rule;
use futures_util::future::join_all;
use jiff::{SignedDuration, Timestamp};

use crate::calls::Calls;
use crate::ground::Ground;
use crate::unwritten::Unwritten;

impl<Records, Registers, Databases, Promoter, Lag, Beside> Calls<Records, Registers, Databases, Promoter, Lag, Beside>
where
    Records: RecordReader,
    Registers: RecordWriter,
    Databases: ReplicaReader,
    Promoter: ReplicaWriter,
    Lag: LagReader,
    Beside: StoreReader + StoreWriter + NameServers,
{
    /// What RDS says of each database, without its lag.
    pub(crate) async fn states(&self, plan: &Plan) -> Vec<ReplicaView> {
        let each = plan.replicas.iter().map(async |id| ReplicaView {
            id: id.clone(),
            state: state_of(id, &self.replicas).await,
            lags: Vec::new(),
        });
        join_all(each).await
    }

    /// In peace: what would keep a database from being promoted.
    pub(crate) async fn keep_watch(&self, plan: &Plan, gate: GateDecision) -> Vec<Finding> {
        let now = self.records.now();
        let views = watch_replicas(plan, now, &self.replicas, &self.lag).await;
        let shortcomings = promotion::shortcomings(plan, now, &views);
        for shortcoming in &shortcomings {
            let (replica, because) = (&shortcoming.id, shortcoming.row.condition);
            tracing::warn!(%replica, rule = %shortcoming.row.id, because, "would not be promoted");
        }
        #[expect(clippy::cast_precision_loss, reason = "a plan has some databases")]
        let value = shortcomings.len() as f64;
        telemetry::emit(now, &[Metric { name: "UnreadyDatabases", unit: "Count", value }]);
        let findings: Vec<_> = shortcomings.into_iter().map(Finding::from).collect();
        if findings.is_empty() { vec![gate.into()] } else { findings }
    }

    /// The gate is open: each replica by itself, all at once, then the end of the incident.
    pub(crate) async fn open(
        &self,
        plan: &Plan,
        ground: &Ground,
        gate: GateDecision,
        incident: &Incident,
        approval: Option<&Approval>,
    ) -> Result<Vec<Finding>, Unwritten> {
        let failover = &Failover::of(incident, gate.since, &ground.names);
        let look = async |id: &ReplicaId| {
            let now = self.records.now();
            let replica = observe_replica(plan, id, incident, now, &self.replicas, &self.lag).await;
            let decision = promotion::decide_replica(plan, self.records.now(), failover, &replica, approval);
            let (rule, because) = (decision.row.id, decision.row.condition);
            tracing::info!(replica = %id, %rule, because, %incident, "decided");
            (decision, replica.state)
        };
        // All at once: a slow answer about one database must not hold up another.
        let each = plan.replicas.iter().map(async |id| {
            let (decision, state) = look(id).await;
            if !decision.to_record.is_empty() {
                return Step::Unrecorded(decision);
            }
            if decision.row.verdict == Verdict::Promote {
                return Step::Found(promote(&self.promoter, decision, async || look(id).await.0).await);
            }
            let finding = Finding::from(decision);
            Step::Found(match state {
                // The call failed; nothing is known to be wrong with the database.
                ReplicaState::Unanswered(_) => Finding { kind: Kind::Interrupted, ..finding },
                ReplicaState::Missing | ReplicaState::Present(_) => finding,
            })
        });
        let (mut findings, mut unrecorded) = (Vec::new(), Vec::new());
        for step in join_all(each).await {
            match step {
                Step::Found(finding) => findings.push(finding),
                Step::Unrecorded(decision) => unrecorded.push(decision),
            }
        }
        if !unrecorded.is_empty() {
            return self.put_on_record(plan, ground, gate, findings, unrecorded, async |id| look(id).await.0).await;
        }
        if findings.iter().any(|finding| finding.kind != Kind::Nothing) {
            return Ok(findings);
        }
        let now = self.records.now();
        let over = closed(plan, &gate, incident, now);
        let over = if ground.was_told() { Finding { attention: Attention::None, ..over } } else { over };
        match self.rewrite(plan, ground, &gate, |view| promotion::failed_over(view, now)).await {
            // The incident is closed once every register says so.
            Ok(refused) if refused.is_empty() => Ok(vec![over]),
            Ok(refused) => Ok(refused),
            Err(unwritten) => Err(unwritten.closing(over)),
        }
    }

    /// First what was seen of the databases goes on record, then they are promoted. The incident is closed by a later look,
    /// which sees the record.
    async fn put_on_record(
        &self,
        plan: &Plan,
        ground: &Ground,
        gate: GateDecision,
        mut findings: Vec<Finding>,
        unrecorded: Vec<ReplicaDecision>,
        look: impl AsyncFn(&ReplicaId) -> ReplicaDecision,
    ) -> Result<Vec<Finding>, Unwritten> {
        let seen: Evidence = unrecorded.iter().map(|decision| decision.to_record.clone()).collect();
        // Where no register has room, or Route 53 will not take it, the promotion goes on all the same: in the end a person
        // is asked about it (R09).
        let write = promotion::put_on_record(&ground.names, &seen);
        match self.write(plan, ground, Ok(write.into_iter().collect()), &gate).await {
            Ok(refused) => findings.extend(refused),
            Err(unwritten) if findings.iter().all(|finding| finding.kind != Kind::PromotionRequested) => {
                return Err(unwritten);
            }
            Err(unwritten) => {
                findings.extend(unwritten.into_findings());
                return Ok(findings);
            }
        }
        let each = unrecorded.into_iter().map(async |decision| match decision.row.verdict {
            Verdict::Promote => {
                let id = decision.id.clone();
                promote(&self.promoter, decision, async || look(&id).await).await
            }
            _ => decision.into(),
        });
        findings.extend(join_all(each).await);
        Ok(findings)
    }
}

/// How far a database came in one look.
enum Step {
    /// As far as it goes now.
    Found(Finding),
    /// Decided, and to be put on record before anything is done.
    Unrecorded(ReplicaDecision),
}

/// Looks at every database and its lag in peace. Nothing in it can write.
pub async fn watch_replicas(
    plan: &Plan,
    now: Timestamp,
    replicas: &impl ReplicaReader,
    lag: &impl LagReader,
) -> Vec<ReplicaView> {
    let each = plan.replicas.iter().map(async |id| {
        let state = state_of(id, replicas).await;
        let lags = lags_of(plan, id, &state, (now - LAG_LOOKBACK, now), lag).await;
        ReplicaView { id: id.clone(), state, lags }
    });
    join_all(each).await
}

/// Looks at one replica, and at its lag unless RDS is at work on it. Nothing in it can write.
pub async fn observe_replica(
    plan: &Plan,
    id: &ReplicaId,
    incident: &Incident,
    now: Timestamp,
    replicas: &impl ReplicaReader,
    lag: &impl LagReader,
) -> ReplicaView {
    let detection = SignedDuration::from_secs(i64::from(plan.limits.detection_seconds_max));
    let state = state_of(id, replicas).await;
    let lags = match state.database().is_some_and(Database::is_being_worked_on) {
        true => Vec::new(),
        false => lags_of(plan, id, &state, (incident.began - detection - LAG_LOOKBACK, now), lag).await,
    };
    ReplicaView { id: id.clone(), state, lags }
}

async fn state_of(id: &ReplicaId, replicas: &impl ReplicaReader) -> ReplicaState {
    replicas.state(id).await.unwrap_or_else(|error| ReplicaState::Unanswered(error.to_string()))
}

async fn lags_of(
    plan: &Plan,
    id: &ReplicaId,
    state: &ReplicaState,
    (from, to): (Timestamp, Timestamp),
    lag: &impl LagReader,
) -> Vec<LagSample> {
    // Of what is no replica any more, or gone, the last sample tells since when.
    lag.good_lags(LagOf::planned(plan, id, state.database()), from, to).await.unwrap_or_else(|error| {
        tracing::warn!(%error, replica = %id, "CloudWatch cannot be asked for the lag");
        Vec::new()
    })
}

/// Promotes, as was decided. An unknown outcome is observed by the next tick: RDS promotes a replica once and refuses
/// whatever is none.
async fn promote(
    promoter: &impl ReplicaWriter,
    decision: ReplicaDecision,
    look_again: impl AsyncFnOnce() -> ReplicaDecision,
) -> Finding {
    let Some(call) = &decision.call else { return decision.into() };
    let error = match promoter.promote(call).await {
        Ok(()) => return decision.into(),
        Err(error) => error,
    };
    if matches!(error, CallError::Refused { .. }) {
        let current = look_again().await;
        // Another invocation asked first, or a backup has begun: nobody need get up for it, though an approval is to come again.
        if matches!(current.row.verdict, Verdict::Wait | Verdict::Done) {
            return current.into();
        }
    }
    Finding::interrupted(decision.id.to_string(), error.fate(), &error, decision.incident, decision.since)
}

/// Every database takes writes: the incident is over.
fn closed(plan: &Plan, gate: &GateDecision, incident: &Incident, now: Timestamp) -> Finding {
    let databases: Vec<_> = plan.replicas.iter().map(ToString::to_string).collect();
    let subject = if databases.is_empty() { "no database in the plan".to_owned() } else { databases.join(", ") };
    let seconds = now.duration_since(incident.began).as_secs();
    let mut facts = gate.facts.clone();
    facts.push(Fact::new("from alarm to failed over", format!("{seconds} s")));
    Finding {
        subject,
        kind: Kind::FailedOver,
        id: Some(Rule::R04.alone()),
        because: "every name is pinned and every database is an available writer".to_owned(),
        attention: Attention::Page,
        incident: Some(incident.clone()),
        since: Some(now),
        despite: BTreeSet::new(),
        facts,
        next: "users stay on DR until an operator fails back; give DR what a primary has: capacity, backups, a replica"
            .to_owned(),
    }
}
