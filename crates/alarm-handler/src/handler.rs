//! Observe, decide, commit, act, return.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use aws::PASSES_MAX;
use aws::cloudwatch::AlarmReader;
use aws::dns::NameServers;
use aws::probe::Prober;
use aws::route53::{HealthCheckWriter, RecordReader, RecordWriter, Refused, submit_by_name};
use aws::store::{StoreReader, StoreWriter};
use aws::telemetry::{self, Metric};
use failover::change::{self, Batch};
use failover::hold;
use failover::listing::Source;
use failover::outcome::{ApprovalNotCarriedOut, Finding, Kind, Outcome, Trigger};
use failover::pin::Observation;
use failover::plan::Plan;
use failover::register::{Register, Spread};
use failover::rule::Rule;
use failover::signal::Signal;
use failover::unready::unready;
use jiff::{SignedDuration, Timestamp};

pub use crate::calls::Calls;
use crate::calls::{Key, Pending, key};
use crate::latch::unwritten;
use crate::look::{Memory, observe};
use crate::pass::{Decided, Pass, end_maintenance, given_up};

/// How long refused batches are tried in parts. The changes that carry the other names' pins are to be on record within
/// [`failover::pin::RECORDING_SECONDS`]; and Route 53 takes five requests a second from the whole account, which a quiet minute must not
/// use up.
const PATIENCE_IN_AN_INCIDENT: SignedDuration = SignedDuration::from_secs(20);
const PATIENCE: SignedDuration = SignedDuration::from_secs(5);

/// No change arrives at the name servers sooner after it was written, so nobody asks for it sooner. Until then its id need not be on record,
/// while other names and workloads may need the account's five requests a second for their pins. It is well within
/// [`failover::pin::RECORDING_SECONDS`].
const NOTED_AFTER_SECONDS: u32 = 10;

impl<Records, Writes, Alarms, Sites, Beside> Calls<Records, Writes, Alarms, Sites, Beside>
where
    Records: RecordReader,
    Writes: RecordWriter + HealthCheckWriter,
    Alarms: AlarmReader,
    Sites: Prober,
    Beside: StoreReader + StoreWriter + NameServers,
{
    /// Handles one event.
    ///
    /// # Errors
    /// If returning would lose an approval.
    pub async fn handle(&self, plan: &Plan, signal: Signal) -> Result<Outcome, ApprovalNotCarriedOut> {
        let trigger = match signal {
            Signal::Tick | Signal::Hint => Trigger::Tick,
            Signal::Alarm(_) => Trigger::Event,
            Signal::Approval { .. } => Trigger::Approval,
        };
        let Pass { mut findings, settled, taken, users, saw, latch, .. } = self.pass_until_certain(plan, &signal).await;
        findings.extend(settled.into_values());
        if let Some(seen) = &saw {
            self.conclude(plan, seen, latch.as_ref(), &mut findings).await;
        }
        if let Some(seen) = saw.filter(|_| plan.switch.is_some()) {
            report_hold(self.reader.now(), hold::heartbeat(trigger, &seen, &findings));
        }
        if trigger == Trigger::Approval && latch.is_none() {
            // Nobody but the latch remembers an approval.
            let refused = findings.iter_mut().filter(|finding| finding.kind == Kind::WriteRefused);
            refused.for_each(|finding| finding.next.push_str("; unless another name is pinned by then, approve again"));
        }
        let now = self.reader.now();
        let outcome = Outcome::of(now, trigger, &findings).with_users(users, &findings);
        let outcome = Outcome { unheeded: signal.unheeded(&findings, now), ..outcome };
        telemetry::report(&outcome);
        if outcome.outcome == Kind::Pinned {
            telemetry::time_since_alarm("AlarmToPin", &outcome);
        }
        self.note_changes(&taken).await;
        match (signal, findings.iter().find(|finding| keeps_an_approval_waiting(finding))) {
            // Once the latch is closed or one name is pinned, the tick pins the others without an approval.
            (Signal::Approval { .. }, Some(finding)) if !matches!(outcome.outcome, Kind::Pinned | Kind::Latched) => {
                Err(ApprovalNotCarriedOut(finding.because.clone()))
            }
            _ => Ok(outcome),
        }
    }

    async fn pass_until_certain(&self, plan: &Plan, signal: &Signal) -> Pass {
        let (mut nth, mut pass) = (1, Pass::default());
        loop {
            match self.pass(plan, signal, nth, pass).await {
                ControlFlow::Continue(next) if nth < PASSES_MAX => (nth, pass) = (nth + 1, next),
                ControlFlow::Continue(last) | ControlFlow::Break(last) => return last,
            }
        }
    }

    /// Looks, decides and acts, on top of what earlier passes came to; and `Continue` if another look is
    /// needed.
    async fn pass(&self, plan: &Plan, signal: &Signal, nth: usize, before: Pass) -> ControlFlow<Pass, Pass> {
        let memory = if nth == 1 && *signal == Signal::Tick { Memory::Suffices } else { Memory::InNeed };
        let Self { reader, alarms, prober, beside, .. } = self;
        let seen = match observe(plan, reader, alarms, prober, beside, (signal, memory)).await {
            Ok(seen) => seen,
            Err(blind) => {
                // Nobody knows whether any name is ready, and that must not look as if all were.
                telemetry::emit(self.reader.now(), &[Metric { name: UNREADY_NAMES, unit: "Count", value: 1.0 }]);
                return ControlFlow::Break(before.ended_by(blind));
            }
        };
        let Decided { pending, mut pass } = before.decide(plan, &seen);
        if seen.source == Source::Remembered && !pending.is_empty() {
            // Nothing is written that was not looked at just now.
            return ControlFlow::Continue(pass);
        }
        report_states(plan, &seen);
        pass.latch = self.commit(plan, &seen, &pending).await.or(pass.latch);
        if let Source::Unanswered(unanswered) = &seen.source {
            pass.findings.extend(unwritten(pending, unanswered, pass.latch.as_ref()));
        } else {
            let (pending, held) = end_maintenance(&self.writer, plan, pending).await;
            pass.findings.extend(held);
            pass = self.act(pending, nth, pass).await;
        }
        let pass = Pass { saw: Some(seen), ..pass };
        if pass.uncertain.is_empty() { ControlFlow::Break(pass) } else { ControlFlow::Continue(pass) }
    }

    /// Submits all writes of a pass.
    async fn act(&self, pending: Pending, nth: usize, mut pass: Pass) -> Pass {
        let is_urgent = pending.iter().any(|(_, finding)| finding.incident.is_some());
        let mut found: BTreeMap<Key, Finding> = BTreeMap::new();
        let writes = pending.into_iter().map(|(write, finding)| {
            found.insert(key(&write), finding);
            write
        });
        let patience = if is_urgent { PATIENCE_IN_AN_INCIDENT } else { PATIENCE };
        let done = submit_by_name(&self.reader, &self.writer, writes.collect(), patience).await;
        let written = done.accepted.iter().flat_map(|(batch, _)| &batch.writes).map(key);
        pass.settled.extend(written.filter_map(|key| found.remove_entry(&key)));
        for Refused { write, error, alone } in done.refused {
            let finding = found.remove(&key(&write)).map(|finding| finding.not_taken(&write, &error.words(), alone));
            tracing::warn!(%error, name = %write.name, alone, "refused");
            pass.settled.extend(finding.map(|finding| (key(&write), finding)));
        }
        for (write, error) in done.unsettled {
            let Some(finding) = found.remove(&key(&write)) else { continue };
            if nth < PASSES_MAX && error.may_look_again() {
                tracing::warn!(%error, "looking again");
                pass.uncertain.insert(key(&write), (write, finding));
            } else {
                pass.findings.push(given_up(&write, &error, finding));
            }
        }
        pass.taken.extend(done.accepted);
        pass
    }

    /// The pins are committed; this only spares the next tick from confirming them, so a failure here is no failure.
    async fn note_changes(&self, taken: &[(Batch, String)]) {
        let spread = |id: &String| Spread::Change { id: id.clone() };
        let records: Vec<_> = taken.iter().flat_map(|(batch, id)| change::spreads(batch, &spread(id))).collect();
        if records.is_empty() {
            return;
        }
        self.reader.wait(NOTED_AFTER_SECONDS).await;
        let done = submit_by_name(&self.reader, &self.writer, records, PATIENCE_IN_AN_INCIDENT).await;
        let refused = done.refused.into_iter().map(|refused| (refused.write, refused.error));
        if let Some((_, error)) = refused.chain(done.unsettled).next() {
            tracing::warn!(%error, "a change that carries a pin is not on record; the tick confirms the pin");
        }
    }
}

/// A call failed that may yet succeed; `P06` waits only while nobody can tell what the alarm says.
fn keeps_an_approval_waiting(finding: &Finding) -> bool {
    finding.kind == Kind::Interrupted || (finding.rule() == Some(Rule::P06) && finding.kind == Kind::Waiting)
}

/// The heartbeat by which the switch keeps DNS at the primary; the template's HoldAlarm watches it.
fn report_hold(at: Timestamp, heartbeat: Option<bool>) {
    if let Some(holds) = heartbeat {
        telemetry::emit(at, &[Metric { name: "Hold", unit: "Count", value: f64::from(u8::from(holds)) }]);
    }
}

/// The metric of the template's UnreadyAlarm.
const UNREADY_NAMES: &str = "UnreadyNames";

/// How many names are in each state, every minute: for the alarms that say that nothing is armed or that something would not
/// fail over, and for the dashboard.
fn report_states(plan: &Plan, seen: &Observation) {
    let count =
        |is_it: fn(&Register) -> bool| seen.names.iter().filter(|view| view.register().is_some_and(is_it)).count();
    let states = [
        ("ArmedNames", count(|register| matches!(register, Register::Armed { .. }))),
        ("PausedNames", count(|register| matches!(register, Register::Paused { .. }))),
        ("PinnedNames", count(|register| matches!(register, Register::Pinned { .. }))),
        ("FailedOverNames", count(|register| matches!(register, Register::FailedOver { .. }))),
        ("ProtectedNames", seen.names.len()),
        (UNREADY_NAMES, unready(plan, seen).len()),
    ];
    #[expect(clippy::cast_precision_loss, reason = "a zone holds at most some ten thousand names")]
    let metrics = states.map(|(name, count)| Metric { name, unit: "Count", value: count as f64 });
    telemetry::emit(seen.now, &metrics);
}
