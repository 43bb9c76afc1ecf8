//! Observe, decide, act, return.

use aws::PASSES_MAX;
use aws::cloudwatch::LagReader;
use aws::dns::NameServers;
use aws::rds::{ReplicaReader, ReplicaWriter};
use aws::route53::{RecordReader, RecordWriter, Refused, submit_by_name};
use aws::store::{StoreReader, StoreWriter};
use aws::telemetry;
use failover::change::{self, Write};
use failover::incident::Approval;
use failover::observation::NameView;
use failover::outcome::{ApprovalNotCarriedOut, Finding, Kind, Outcome, Trigger};
use failover::plan::Plan;
use failover::promotion::{self, Gate, GateDecision};
use failover::refusal::Fate;
use failover::register::{Register, RegisterError};
use failover::users::Users;
use jiff::SignedDuration;

pub use crate::calls::Calls;
use crate::event::Signal;
use crate::ground::Ground;
use crate::stay::Stay;
use crate::unwritten::{Unwritten, cannot_be_written};

/// How long registers that Route 53 refuses together are tried in parts.
const PATIENCE: SignedDuration = SignedDuration::from_secs(20);

impl<Records, Registers, Databases, Promoter, Lag, Beside> Calls<Records, Registers, Databases, Promoter, Lag, Beside>
where
    Records: RecordReader,
    Registers: RecordWriter,
    Databases: ReplicaReader,
    Promoter: ReplicaWriter,
    Lag: LagReader,
    Beside: StoreReader + StoreWriter + NameServers,
{
    /// Handles one event.
    ///
    /// # Errors
    /// If returning would lose an approval.
    pub async fn handle(&self, plan: &Plan, signal: Signal) -> Result<Outcome, ApprovalNotCarriedOut> {
        let mut stay = Stay::of(&signal);
        let lists = match signal {
            // On the switch DR's own listing is renewed by alarm-handler, which lists in an outage.
            Signal::Tick { lists } => lists && plan.latch.is_none(),
            Signal::Pinned | Signal::Hint | Signal::Approval(_) => true,
        };
        let (trigger, approval) = match signal {
            Signal::Tick { .. } => (Trigger::Tick, None),
            Signal::Pinned | Signal::Hint => (Trigger::Event, None),
            Signal::Approval(approval) => {
                // alarm-handler answers whatever is not of the rules here that an approval may lift.
                let is_answered_here = approval.despite.iter().any(|rule| rule.is_about_data());
                (if is_answered_here { Trigger::Approval } else { Trigger::Event }, Some(approval))
            }
        };
        let (findings, outcome) = loop {
            let Pass { findings, users, ground } = self.go_on_from_a_fresh_look(plan, lists, approval.as_ref()).await;
            let outcome = Outcome::of(self.records.now(), trigger, &findings).with_users(users, &findings);
            match ground {
                Some(ground) if self.stays(plan, &ground, &findings, &mut stay).await => {
                    // What was put on record is in the log, whatever comes of the next look.
                    if outcome.outcome == Kind::InSync {
                        telemetry::report(&outcome);
                    }
                }
                _ => break (findings, outcome),
            }
        };
        telemetry::report(&outcome);
        if outcome.outcome == Kind::FailedOver {
            telemetry::time_since_alarm("AlarmToFailedOver", &outcome);
        }
        // Whatever leads the outcome: what was approved for one database is not done by what became of another.
        match (approval, findings.into_iter().find(|finding| finding.kind == Kind::Interrupted)) {
            (Some(_), Some(finding)) => Err(ApprovalNotCarriedOut(finding.because)),
            _ => Ok(outcome),
        }
    }

    /// Looks and goes on; again, where another invocation was first, since nothing was promoted in such a pass.
    async fn go_on_from_a_fresh_look(&self, plan: &Plan, lists: bool, approval: Option<&Approval>) -> Pass {
        let (mut pass, mut closing) = (1, None);
        loop {
            let mut ground = match self.ground(plan, lists).await {
                Ok(ground) => ground,
                Err(finding) => return Pass { findings: vec![finding], users: None, ground: None },
            };
            let users = ground.users(plan);
            // Of two invocations each may have closed a part, and neither seen the other's.
            if let Some(closed) = closing.take_if(|_| promotion::is_over(&ground.names)) {
                return Pass { findings: vec![closed], users, ground: None };
            }
            match self.go_on(plan, &mut ground, approval).await {
                Ok(findings) => return Pass { findings, users, ground: Some(ground) },
                Err(unwritten) if pass < PASSES_MAX && unwritten.may_look_again() => {
                    tracing::warn!(error = %unwritten.error, "looking again");
                    pass += 1;
                    closing = closing.or(unwritten.closing);
                }
                Err(unwritten) => return Pass { findings: unwritten.into_findings(), users, ground: None },
            }
        }
    }

    /// Carries the incident, if there is one, as far as it may go now.
    async fn go_on(
        &self,
        plan: &Plan,
        ground: &mut Ground,
        approval: Option<&Approval>,
    ) -> Result<Vec<Finding>, Unwritten> {
        let now = self.records.now();
        let mut gate = promotion::decide_gate(&ground.plan(plan), now, &ground.names, &ground.changes);
        gate.facts.extend(ground.facts());
        tracing::info!(
            rule = %gate.row.id, because = gate.row.condition,
            incident = gate.incident.as_ref().map(ToString::to_string), "decided"
        );
        match (gate.row.verdict, gate.incident.clone()) {
            (Gate::RecordInSync, _) => {
                let seen = promotion::seen_as_replicas(&self.states(plan).await);
                // AWS tells whole seconds: it may be nearly one later.
                let known_at = now + SignedDuration::from_secs(1);
                let in_sync = promotion::record_in_sync(&ground.names, &ground.changes, known_at, &seen);
                let refused = self.write(plan, ground, in_sync, &gate).await?;
                Ok(if refused.is_empty() { vec![gate.into()] } else { refused })
            }
            (Gate::Open, Some(incident)) => {
                if let Err(error) = self.begin(plan, ground).await {
                    return Err(Unwritten::of(error, gate));
                }
                self.open(plan, ground, gate, &incident, approval).await
            }
            (Gate::Closed, _) if promotion::is_guarded(&ground.names) => Ok(self.keep_watch(plan, gate).await),
            (Gate::Closed, Some(_)) => {
                let findings = promotion::left_behind(&gate, &self.states(plan).await);
                Ok(if findings.is_empty() { vec![gate.into()] } else { findings })
            }
            (Gate::Open | Gate::Closed | Gate::Wait, _) => Ok(vec![gate.into()]),
        }
    }

    /// Rewrites registers, as `next` says, by compare-and-swap; says of which names Route 53 refuses it.
    pub(crate) async fn rewrite(
        &self,
        plan: &Plan,
        ground: &Ground,
        gate: &GateDecision,
        next: impl Fn(&NameView) -> Option<Register>,
    ) -> Result<Vec<Finding>, Unwritten> {
        let writes = ground.names.iter().filter_map(|view| Some(change::rewrite_register(view, next(view)?)));
        self.write(plan, ground, writes.collect(), gate).await
    }

    /// Submits rewritten registers, or keeps what they say in the latch that stands in for them; says of which names Route 53
    /// refuses it.
    pub(crate) async fn write(
        &self,
        plan: &Plan,
        ground: &Ground,
        writes: Result<Vec<Write>, RegisterError>,
        gate: &GateDecision,
    ) -> Result<Vec<Finding>, Unwritten> {
        let writes = match writes {
            Ok(writes) => writes,
            // None is written: what is wrong with one must not be seen when half of them say otherwise.
            Err(error) => return Ok(vec![cannot_be_written(&error, gate.clone())]),
        };
        let writes = match ground.latch.as_ref().filter(|_| ground.is_by_latch) {
            None => writes,
            Some(latch) => {
                self.keep(plan, latch, &writes).await.map_err(|error| Unwritten::of(error, gate.clone()))?;
                // The latch keeps what has no register yet; what is pinned in Route 53 is told there too, or a failback would wait for it.
                writes.into_iter().filter(|write| ground.written.contains(&write.name)).collect()
            }
        };
        let done = submit_by_name(&self.records, &self.registers, writes, PATIENCE).await;
        let refused = done.refused.into_iter().map(|Refused { write, error, alone }| {
            let finding = Finding { subject: write.name.to_string(), ..gate.clone().into() };
            finding.not_taken(&write, &error.words(), alone)
        });
        let refused = refused.collect();
        match done.unsettled.into_iter().next() {
            Some((_, error)) => {
                let may_have_written = !done.accepted.is_empty() || error.fate() == Fate::Unknown;
                Err(Unwritten { error, gate: gate.clone(), refused, may_have_written, closing: None })
            }
            None => Ok(refused),
        }
    }
}

/// What a look came to.
struct Pass {
    findings: Vec<Finding>,
    /// Where users were, while names are pinned.
    users: Option<Users>,
    /// What it stood on, unless something came between.
    ground: Option<Ground>,
}

#[cfg(test)]
mod tests {
    use std::cell::{Cell, RefCell};
    use std::future::pending;

    use super::*;
    use aws::CallError;
    use aws::beside::Nothing;
    use aws::cloudwatch::LagOf;
    use failover::change::Batch;
    use failover::observation::{Attention, ChangeStatus, Changes};
    use failover::plan::Names;
    use failover::plan::ReplicaId;
    use failover::promotion::{Database, Instances, LagSample, PromotionCall, ReplicaState, Source};
    use failover::record::{RecordSet, Role, Routing, Target};
    use failover::register::{Evidence, Pin, Reading, Spread};
    use failover::rule::Rule;
    use futures_util::FutureExt as _;
    use jiff::Timestamp;

    /// Whoever writes here writes too much.
    struct NothingToWrite;

    impl RecordWriter for NothingToWrite {
        async fn submit(&self, batch: &Batch) -> Result<String, CallError> {
            panic!("{batch:?} was submitted")
        }
    }

    /// A pinned name whose PRIMARY record had so many values.
    fn pinned(name: &str, count: usize) -> NameView {
        let values = (0..count).map(|n| format!("192.0.2.{n}")).collect();
        let original = [("A".to_owned(), Target::Values { ttl_seconds: 60, values })].into();
        let incident = "started@2026-01-01T12:00:00Z".parse().unwrap();
        let evidence = (0..40).map(|nth| Evidence::replica(ReplicaId::AuroraCluster(format!("app-{nth}")))).collect();
        let pin = Pin { evidence, ..Pin::new(Timestamp::UNIX_EPOCH, incident, original) };
        let register = Register::Pinned { pin, spread: Spread::InSync { at: Timestamp::UNIX_EPOCH } };
        let set = Register::disarmed(Timestamp::UNIX_EPOCH, String::new());
        let name: failover::name::Name = name.parse().unwrap();
        let set = set.record_set(&name).unwrap();
        let register = Reading::Known { set, register };
        NameView { pairs: Ok(Vec::new()), register, ..NameView::of_name("Z1", &name, &[]) }
    }

    #[tokio::test]
    async fn a_register_that_cannot_be_written_is_told_and_none_is_written() {
        let names = [pinned("a.example.com", 1), pinned("b.example.com", 400)];
        let now = Timestamp::UNIX_EPOCH;
        let plan = r#"{"mode":"automatic","zones":[{"id":"Z1","names":["ALL"]}],"alarms":["arn:aws:cloudwatch:us-east-1:1:alarm:started"],
            "limits":{"lag_seconds_max":60,"settle_seconds":900,"cooldown_seconds":3600,"drain_seconds":60,"detection_seconds_max":2400}}"#;
        let plan = Plan::parse(plan).unwrap();
        let ground = Ground::of_pins(names.into(), None);
        let gate = promotion::decide_gate(&plan, now, &ground.names, &Changes::new());
        let rds = SilentRds::of("available");
        let told = rds.calls().rewrite(&plan, &ground, &gate, |view| promotion::failed_over(view, now)).await;
        let outcome = Outcome::of(now, Trigger::Tick, &told.unwrap_or_else(Unwritten::into_findings));
        assert_eq!((outcome.outcome, outcome.attention), (Kind::Refused, Attention::Page));
        assert_eq!(outcome.because, RegisterError::TooLong("b.example.com".parse().unwrap()).to_string());
        assert!(outcome.incident.is_some());
    }

    /// One pinned name that everybody has left, and databases in this status that take requests and never answer.
    struct SilentRds {
        status: Cell<&'static str>,
        /// A backup begins after the first look, and RDS refuses.
        is_backed_up: bool,
        asked: RefCell<Vec<ReplicaId>>,
    }

    impl SilentRds {
        fn of(status: &'static str) -> Self {
            Self { status: Cell::new(status), is_backed_up: false, asked: RefCell::default() }
        }

        fn calls(&self) -> Calls<&Self, NothingToWrite, &Self, &Self, &Self, Nothing> {
            Calls {
                records: self,
                registers: NothingToWrite,
                replicas: self,
                promoter: self,
                lag: self,
                beside: Nothing,
            }
        }
    }

    impl RecordReader for &SilentRds {
        async fn record_sets(&self, _: &str, _: &Names) -> Result<Vec<RecordSet>, CallError> {
            let NameView { name, register: Reading::Known { register, .. }, .. } = pinned("a.example.com", 1) else {
                panic!("its register is known")
            };
            let half = |role: Role| RecordSet {
                name: name.clone(),
                kind: "A".to_owned(),
                routing: Routing::Failover { role, set_identifier: format!("{role:?}") },
                target: Target::Values { ttl_seconds: 60, values: vec!["198.51.100.1".to_owned()] },
                health_check: Some("hc".to_owned()),
            };
            Ok(vec![half(Role::Primary), half(Role::Secondary), register.record_set(&name).unwrap()])
        }

        async fn change_status(&self, id: &str) -> Result<ChangeStatus, CallError> {
            panic!("{id} was asked for")
        }

        fn now(&self) -> Timestamp {
            "2026-01-01T12:30:00Z".parse().unwrap()
        }

        async fn wait(&self, seconds: u32) {
            panic!("it waits for {seconds} s")
        }
    }

    impl ReplicaReader for &SilentRds {
        async fn state(&self, _: &ReplicaId) -> Result<ReplicaState, CallError> {
            Ok(ReplicaState::Present(Database {
                status: self.status.get().to_owned(),
                source: Source::ReplicaOf("app".to_owned()),
                instances: Instances::Writer,
                created: Some(Timestamp::UNIX_EPOCH),
                engine: "aurora-mysql".to_owned(),
                members: Vec::new(),
            }))
        }
    }

    impl LagReader for &SilentRds {
        async fn good_lags(&self, _: LagOf<'_>, _: Timestamp, to: Timestamp) -> Result<Vec<LagSample>, CallError> {
            Ok(vec![LagSample { seconds: 1, at: to }])
        }
    }

    impl ReplicaWriter for &SilentRds {
        async fn promote(&self, call: &PromotionCall) -> Result<(), CallError> {
            self.asked.borrow_mut().push(call.replica());
            if self.is_backed_up {
                self.status.set("backing-up");
                let (code, message) = ("InvalidDBClusterStateFault".to_owned(), "it is backing-up".to_owned());
                return Err(CallError::Refused { call: "PromoteReadReplicaDBCluster", code, message });
            }
            pending().await
        }
    }

    /// A plan with forty clusters.
    fn plan() -> Plan {
        let clusters: Vec<_> = (0..40).map(|nth| format!("\"app-{nth}\"")).collect();
        let plan = format!(
            r#"{{"mode":"automatic","zones":[{{"id":"Z1","names":["a.example.com"]}}],"aurora_clusters":[{}],
            "alarms":["arn:aws:cloudwatch:us-east-1:1:alarm:started"],"limits":{{"lag_seconds_max":60,"settle_seconds":900,
            "cooldown_seconds":3600,"drain_seconds":60,"detection_seconds_max":2400}}}}"#,
            clusters.join(",")
        );
        Plan::parse(&plan).unwrap()
    }

    #[test]
    fn every_replica_is_asked_at_once_though_rds_answers_about_none() {
        let (plan, rds) = (plan(), SilentRds::of("available"));
        assert!(rds.calls().handle(&plan, Signal::Tick { lists: true }).now_or_never().is_none(), "it waits for RDS");
        assert_eq!(*rds.asked.borrow(), plan.replicas);
    }

    #[tokio::test]
    async fn an_approval_that_meets_a_backup_is_delivered_again_and_no_hint_is() {
        let plan = plan();
        let is_delivered_again = async |rds: &SilentRds| {
            let incident = "started@2026-01-01T12:00:00Z".parse().unwrap();
            let (by, reason) = ("kim".to_owned(), String::new());
            let approval = Approval { incident, by, reason, despite: [Rule::R07].into() };
            let told = rds.calls().handle(&plan, Signal::Approval(approval)).await;
            told.is_err_and(|ApprovalNotCarriedOut(why)| why.contains("on its way"))
        };
        assert!(is_delivered_again(&SilentRds { is_backed_up: true, ..SilentRds::of("available") }).await);
        let rds = SilentRds::of("backing-up");
        assert!(is_delivered_again(&rds).await);
        let told = rds.calls().handle(&plan, Signal::Hint).await;
        assert_eq!(told.map(|outcome| outcome.outcome), Ok(Kind::Waiting));
        assert!(rds.asked.borrow().is_empty(), "RDS promotes no replica in this status");
    }
}
