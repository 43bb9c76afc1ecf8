//! Observe, decide, act, return.

use aws::CallError;
use aws::rds::{FenceWriter, OldWriterReader};
use aws::route53::{RecordReader, protected_names};
use aws::telemetry;
use failover::fence::{self, Committed, Decision, Note, OldWriter, Stage, Verdict};
use failover::observation::Attention;
use failover::outcome::{Finding, Kind, Outcome, Trigger};
use failover::plan::{Fence, Plan, ReplicaId};
use failover::users::Users;
use futures_util::future::join_all;

/// Record, swap, reboot, and a look that AWS answers from before; then the tick goes on.
const PASSES_MAX: usize = 4;

/// Everything fencer calls. Only `fence` can change anything.
#[derive(Clone, Debug)]
pub struct Calls<R, O, F> {
    /// Looks at Route 53.
    pub records: R,
    /// Looks at the old writers.
    pub writers: O,
    /// Cuts them off.
    pub fence: F,
}

impl<R, O, F> Calls<R, O, F>
where
    R: RecordReader,
    O: OldWriterReader,
    F: FenceWriter,
{
    /// Fences what is to be fenced now.
    pub async fn handle(&self, plan: &Plan) -> Outcome {
        let mut users = None;
        let findings = match (&plan.fence, protected_names(plan, &self.records).await) {
            (None, _) => Vec::new(),
            (Some(fence), Ok(names)) => {
                let committed = fence::committed(&names);
                users = Users::kept(plan, &names);
                join_all(fence.databases.iter().map(|id| self.keep(fence, committed.as_ref(), id))).await
            }
            // The other functions page for the same reason.
            (Some(_), Err(error)) => {
                let finding = Finding::interrupted("the records".to_owned(), error.fate(), &error, None, None);
                vec![Finding { attention: Attention::None, ..finding }]
            }
        };
        let outcome = Outcome::of(self.records.now(), Trigger::Tick, &findings).with_users(users, &findings);
        telemetry::report(&outcome);
        outcome
    }

    /// Goes on with one old writer until there is nothing more to do for now.
    async fn keep(&self, fence: &Fence, committed: Option<&Committed>, id: &ReplicaId) -> Finding {
        if committed.is_none() {
            return fence::decide(fence, None, id, &OldWriter::Missing).into();
        }
        let mut passes = 0;
        loop {
            let looked = self.writers.old_writer(id).await;
            let unseen = looked.as_ref().err().cloned();
            let writer = looked.unwrap_or_else(|error| OldWriter::Unanswered(error.to_string()));
            let decision = fence::decide(fence, committed, id, &writer);
            if let Some(error) = unseen {
                return interrupted(decision, &error);
            }
            tracing::info!(database = %id, rule = %decision.row.id, because = decision.row.condition, "decided");
            let goes_on = matches!(decision.row.verdict, Verdict::Remember | Verdict::Swap);
            passes += 1;
            match self.carry_out(fence, &decision, &writer).await {
                Ok(()) if goes_on && passes < PASSES_MAX => {}
                Ok(()) => return decision.into(),
                Err(error) => return interrupted(decision, &error),
            }
        }
    }

    async fn carry_out(&self, fence: &Fence, decision: &Decision, writer: &OldWriter) -> Result<(), CallError> {
        let (Some(incident), OldWriter::Present { arn, groups, writers, note, .. }) = (&decision.incident, writer)
        else {
            return Ok(());
        };
        match decision.row.verdict {
            Verdict::Leave | Verdict::Wait => Ok(()),
            Verdict::Remember => {
                let (incident, original) = (incident.clone(), fence::kept(groups));
                self.fence.note(arn, &Note { incident, original, stage: Stage::Begun }).await
            }
            Verdict::Swap => self.fence.set_groups(&decision.id, &[fence.security_group.clone()].into()).await,
            Verdict::Reboot => {
                for instance in writers {
                    self.fence.reboot(instance).await?;
                }
                // Whoever dies here reboots it again: nobody is connected by then.
                match note {
                    Some(note) => self.fence.note(arn, &Note { stage: Stage::Rebooted, ..note.clone() }).await,
                    None => Ok(()),
                }
            }
        }
    }
}

/// A region that does not answer is to be expected; a refusal is not, and a person must put it right.
fn interrupted(decision: Decision, error: &CallError) -> Finding {
    let since = decision.incident.as_ref().map(|incident| incident.began);
    let finding = Finding::interrupted(decision.id.to_string(), error.fate(), error, decision.incident, since);
    match error {
        CallError::Refused { code, .. } if !code.contains("State") && !code.contains("Throttling") => finding,
        _ => Finding { attention: Attention::None, kind: Kind::Waiting, ..finding },
    }
}

#[cfg(test)]
mod tests {
    use std::cell::{Cell, RefCell};
    use std::collections::BTreeSet;

    use failover::fence::{Groups, Membership};
    use failover::name::Name;
    use failover::observation::ChangeStatus;
    use failover::plan::Names;
    use failover::record::{RecordSet, Role, Routing, Target};
    use failover::register::{Pin, Register, Spread};
    use jiff::Timestamp;

    use super::*;

    const PLAN: &str = r#"{"mode":"automatic","zones":[{"id":"Z1","names":["app.example.com"]}],
        "fence":{"region":"us-east-1","security_group":"sg-closed","rds_instances":["app"]},
        "alarms":["arn:aws:cloudwatch:us-east-1:1:alarm:started"],
        "limits":{"lag_seconds_max":60,"settle_seconds":900,"cooldown_seconds":3600,"drain_seconds":60,"detection_seconds_max":2400}}"#;

    /// What becomes of one call.
    #[derive(Clone, Copy, Debug)]
    enum Fault {
        Refused,
        LostBefore,
        LostAfter,
    }

    /// One old writer behind one pinned name; one of the calls fails.
    struct World {
        pinned: bool,
        groups: RefCell<BTreeSet<String>>,
        /// RDS has not yet done to the groups what it was asked to.
        is_slow: Cell<bool>,
        note: RefCell<Option<Note>>,
        reboots: RefCell<usize>,
        made: RefCell<usize>,
        fault: Option<(usize, Fault)>,
    }

    impl World {
        fn new(pinned: bool, fault: Option<(usize, Fault)>) -> Self {
            let groups = RefCell::new(["sg-a".to_owned()].into());
            Self {
                pinned,
                groups,
                is_slow: Cell::default(),
                note: RefCell::default(),
                reboots: RefCell::default(),
                made: RefCell::default(),
                fault,
            }
        }

        /// What RDS says of its groups.
        fn memberships(&self) -> Groups {
            let how = if self.is_slow.get() { Membership::NotYet } else { Membership::Active };
            self.groups.borrow().iter().map(|id| (id.clone(), how)).collect()
        }

        fn call<T>(&self, effect: impl FnOnce() -> T) -> Result<T, CallError> {
            let nth = *self.made.borrow();
            *self.made.borrow_mut() += 1;
            let lost = || CallError::Unknown { call: "it", why: "timed out".to_owned() };
            match self.fault.filter(|(at, _)| *at == nth) {
                None => Ok(effect()),
                Some((_, Fault::Refused)) => {
                    Err(CallError::Refused { call: "it", code: "AccessDenied".to_owned(), message: String::new() })
                }
                Some((_, Fault::LostBefore)) => Err(lost()),
                Some((_, Fault::LostAfter)) => {
                    effect();
                    Err(lost())
                }
            }
        }
    }

    impl RecordReader for &World {
        async fn record_sets(&self, _: &str, _: &Names) -> Result<Vec<RecordSet>, CallError> {
            let name: Name = "app.example.com".parse().unwrap();
            let target = Target::Values { ttl_seconds: 60, values: vec!["192.0.2.1".to_owned()] };
            let half = |role| RecordSet {
                name: name.clone(),
                kind: "A".to_owned(),
                routing: Routing::Failover { role, set_identifier: format!("{role:?}") },
                target: target.clone(),
                health_check: (role == Role::Primary).then(|| "hc".to_owned()),
            };
            let incident = "started@2026-01-01T12:00:00Z".parse().unwrap();
            let at = Timestamp::UNIX_EPOCH;
            let original = Target::Values { ttl_seconds: 60, values: vec!["198.51.100.1".to_owned()] };
            let pin = Pin::new(at, incident, [("A".to_owned(), original)].into());
            let spread = if self.pinned { Spread::InSync { at } } else { Spread::Unrecorded { at } };
            let register = Register::Pinned { pin, spread }.record_set(&name).unwrap();
            Ok(vec![half(Role::Primary), half(Role::Secondary), register])
        }

        async fn change_status(&self, _: &str) -> Result<ChangeStatus, CallError> {
            Ok(ChangeStatus::Pending)
        }

        fn now(&self) -> Timestamp {
            Timestamp::UNIX_EPOCH
        }

        async fn wait(&self, seconds: u32) {
            panic!("it waits for {seconds} s")
        }
    }

    impl OldWriterReader for &World {
        async fn old_writer(&self, _: &ReplicaId) -> Result<OldWriter, CallError> {
            self.call(|| OldWriter::Present {
                arn: "arn".to_owned(),
                created: None,
                status: "available".to_owned(),
                groups: self.memberships(),
                writers: vec!["app".to_owned()],
                note: self.note.borrow().clone(),
            })
        }
    }

    impl FenceWriter for &World {
        async fn note(&self, _: &str, note: &Note) -> Result<(), CallError> {
            self.call(|| *self.note.borrow_mut() = Some(note.clone()))
        }

        async fn set_groups(&self, _: &ReplicaId, groups: &BTreeSet<String>) -> Result<(), CallError> {
            assert!(self.note.borrow().is_some(), "nothing is swapped before it is on record");
            self.call(|| *self.groups.borrow_mut() = groups.clone())
        }

        async fn reboot(&self, _: &str) -> Result<(), CallError> {
            self.call(|| *self.reboots.borrow_mut() += 1)
        }
    }

    async fn tick(world: &World) -> Outcome {
        let plan = Plan::parse(PLAN).unwrap();
        Calls { records: world, writers: world, fence: world }.handle(&plan).await
    }

    #[tokio::test]
    async fn whichever_call_fails_in_whatever_way_the_next_tick_completes_the_fence() {
        for fault in [Fault::Refused, Fault::LostBefore, Fault::LostAfter] {
            for nth in 0..8 {
                let world = World::new(true, Some((nth, fault)));
                let first = tick(&world).await;
                let pages = first.attention == Attention::Page;
                let expected = matches!(fault, Fault::Refused) && nth < 7;
                assert_eq!(pages, expected, "only a refusal is worth a person's attention: {nth} {fault:?} {first:?}");
                tick(&world).await;
                let closed: BTreeSet<String> = ["sg-closed".to_owned()].into();
                assert_eq!(*world.groups.borrow(), closed, "{nth} {fault:?}");
                let note = world.note.borrow().clone().unwrap();
                assert_eq!((note.stage, note.original), (Stage::Rebooted, ["sg-a".to_owned()].into()));
                assert!((1..=2).contains(&*world.reboots.borrow()), "{nth} {fault:?}");
                let made = *world.made.borrow();
                tick(&world).await;
                assert_eq!(*world.made.borrow(), made + 1, "a fence that stands is only looked at");
            }
        }
    }

    #[tokio::test]
    async fn nobody_is_cut_off_before_the_fence_is_active() {
        let world = World::new(true, None);
        world.is_slow.set(true);
        for _ in 0..2 {
            assert_eq!(tick(&world).await.outcome, Kind::Waiting);
            assert_eq!(*world.groups.borrow(), ["sg-closed".to_owned()].into());
            assert_eq!(*world.reboots.borrow(), 0, "a pool would be back at once");
        }
        world.is_slow.set(false);
        assert_eq!(tick(&world).await.outcome, Kind::Fenced);
        assert_eq!(*world.reboots.borrow(), 1);
    }

    #[tokio::test]
    async fn nothing_in_the_primary_region_is_even_looked_at_before_the_pin_is_in_sync() {
        let world = World::new(false, None);
        assert_eq!(tick(&world).await.outcome, Kind::Nothing);
        assert_eq!(*world.made.borrow(), 0);
    }
}
