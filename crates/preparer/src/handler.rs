//! Observe, decide, act, return.

use aws::CallError;
use aws::beside;
use aws::cloudwatch::AlarmReader;
use aws::dns::NameServers;
use aws::route53::{RecordReader, protected_names};
use aws::steps::{StepReader, StepWriter};
use aws::store::StoreReader;
use aws::telemetry;
use failover::incident::AlarmSighting;
use failover::latch::Reading;
use failover::observation::{Alarms, NameView};
use failover::outcome::{Finding, Outcome, Trigger};
use failover::plan::Plan;
use failover::step::{Decision, Entry, Moment, Note, Seen, Stage, Steps, Tags, Verdict, World, decide};
use failover::users::Users;
use futures_util::future::join_all;
use serde_json::json;

/// Record, change, confirm, and a look that AWS answers from before; then the tick goes on.
const PASSES_MAX: usize = 4;

/// Everything preparer calls. Only `acts` can change anything.
#[derive(Clone, Debug)]
pub struct Calls<Records, Alarms, Beside, Looks, Acts> {
    /// Looks at Route 53.
    pub records: Records,
    /// Looks at CloudWatch.
    pub alarms: Alarms,
    /// Asks DR's own store and the zones' name servers.
    pub beside: Beside,
    /// Looks at the steps' resources.
    pub looks: Looks,
    /// Changes them.
    pub acts: Acts,
}

/// What was seen of the outage and of the failover.
#[derive(Debug)]
struct View {
    /// What CloudWatch says of the alarms that start a failover, and of the site-down alarm.
    alarms: Alarms,
    /// The protected names, or why they are not known.
    names: Result<Vec<NameView>, String>,
    latch: Reading,
}

/// Looks at the outage and the failover. Nothing in it can write.
async fn observe(
    plan: &Plan,
    steps: &Steps,
    records: &impl RecordReader,
    alarms: &impl AlarmReader,
    beside: &(impl StoreReader + NameServers),
) -> View {
    let arns: Vec<_> = plan.alarms.iter().chain(steps.alarms()).cloned().collect();
    let (described, names, latch) =
        tokio::join!(alarms.alarms(&arns), names(plan, records, beside), beside::latch(plan, beside, records.now()),);
    let described = described.inspect_err(|error| tracing::warn!(%error, "CloudWatch cannot be asked for the alarms"));
    View { alarms: described.ok(), names, latch }
}

/// From DR's listing while all is quiet, else from Route 53, else from what stands beside it: us-east-1 may be dark in just the outage
/// that DR is to be prepared for.
async fn names(
    plan: &Plan,
    records: &impl RecordReader,
    beside: &(impl StoreReader + NameServers),
) -> Result<Vec<NameView>, String> {
    if let Ok(names) = beside::quiet(plan, beside, records.now()).await {
        return Ok(names);
    }
    let error = match protected_names(plan, records).await {
        Ok(names) => return Ok(names),
        Err(error) => error,
    };
    if let Ok(names) = beside::remembered(plan, beside, || records.now()).await {
        return Ok(names);
    }
    match beside::unpinned(plan, beside).await {
        Ok(names) => Ok(names),
        Err(why) => Err(format!("{error}; {why}")),
    }
}

impl View {
    /// What holds for all steps now.
    fn moment(&self, plan: &Plan, steps: &Steps, now: jiff::Timestamp) -> Moment {
        let names = self.names.as_deref().map_err(String::as_str);
        Moment::of(plan, steps, &World { now, alarms: &self.alarms, names, latch: &self.latch })
    }
}

impl<Records, Alarms, Beside, Looks, Acts> Calls<Records, Alarms, Beside, Looks, Acts>
where
    Records: RecordReader,
    Alarms: AlarmReader,
    Beside: StoreReader + NameServers,
    Looks: StepReader,
    Acts: StepWriter,
{
    /// Takes, or undoes, what is due now.
    pub async fn handle(&self, plan: &Plan, steps: &Steps) -> Outcome {
        let view = self.view(plan, steps).await;
        let moment = view.moment(plan, steps, self.records.now());
        // Of the others none moves users, and site-down rings before the failover check does.
        let is_of_plan = |alarm: &AlarmSighting| plan.alarms.contains(&alarm.arn);
        let alarms = view.alarms.clone().map(|known| known.into_iter().filter(is_of_plan).collect());
        let users = view.names.as_ref().ok().map(|names| Users::seen(plan, &alarms, (None, &view.latch), names));
        let findings = join_all(steps.entries.iter().map(|entry| self.keep(plan, steps, &moment, entry))).await;
        let outcome = Outcome::of(self.records.now(), Trigger::Tick, &findings).with_users(users, &findings);
        telemetry::report(&outcome);
        outcome
    }

    async fn view(&self, plan: &Plan, steps: &Steps) -> View {
        observe(plan, steps, &self.records, &self.alarms, &self.beside).await
    }

    /// Goes on with one step until there is nothing more to do for now.
    async fn keep(&self, plan: &Plan, steps: &Steps, moment: &Moment, entry: &Entry) -> Finding {
        let mut passes = 0;
        loop {
            let looked = self.looks.look(entry).await;
            let unseen = looked.as_ref().err().cloned();
            let seen = looked.unwrap_or_else(|error| Seen::NotSeen(error.to_string()));
            let mut decision = decide(moment, entry, &seen);
            if decision.row.verdict.takes_back() {
                // All was well when this began; a failover may have begun since, and another invocation may have raised DR for it.
                let moment = self.view(plan, steps).await.moment(plan, steps, self.records.now());
                decision = decide(&moment, entry, &seen);
            }
            if let Some(error) = unseen {
                return failed(decision, &error);
            }
            tracing::info!(step = %entry.target, rule = %decision.row.id, because = decision.row.condition, "decided");
            let goes_on = decision.row.verdict.goes_on();
            passes += 1;
            match self.carry_out(&decision, &seen).await {
                Ok(()) if goes_on && passes < PASSES_MAX => {}
                Ok(()) => return decision.into(),
                Err(error) => return failed(decision, &error),
            }
        }
    }

    async fn carry_out(&self, decision: &Decision, seen: &Seen) -> Result<(), CallError> {
        let (entry, acts) = (&decision.entry, &self.acts);
        let Seen::There { setting, tags, .. } = seen else { return Ok(()) };
        let noted = match tags {
            Tags::Note(note) => Some(note),
            Tags::None | Tags::Unreadable(_) => None,
        };
        let stage = async |stage: Stage| match noted {
            Some(note) => acts.note(entry, &note.at(stage)).await,
            None => Ok(()),
        };
        match decision.row.verdict {
            Verdict::Leave | Verdict::Wait | Verdict::Trouble | Verdict::Would => Ok(()),
            Verdict::Remember => match decision.begun(*setting, tags) {
                Some(note) => acts.note(entry, &note).await,
                None => Ok(()),
            },
            Verdict::Change => acts.set(entry, *setting, setting.reaching(&entry.target)).await,
            Verdict::Call => {
                acts.call(entry, &told(decision)).await?;
                // Whoever dies here calls it again, with the same key.
                stage(Stage::Set).await
            }
            Verdict::Confirm => stage(Stage::Set).await,
            Verdict::Reopen => stage(Stage::Begun).await,
            Verdict::LeaveToThem => stage(Stage::Left).await,
            Verdict::Undo => match noted {
                Some(Note { from, to, .. }) => acts.set(entry, *setting, setting.undone(*from, *to)).await,
                None => Ok(()),
            },
            Verdict::Forget | Verdict::ForgetTheirs | Verdict::ForgetCall => acts.forget(entry).await,
        }
    }
}

/// What a function is told that is called.
fn told(decision: &Decision) -> serde_json::Value {
    let step = decision.entry.list.to_string().to_lowercase();
    json!({"source": "holdfast", "step": step, "incident": decision.incident, "key": decision.key()})
}

fn failed(decision: Decision, error: &CallError) -> Finding {
    decision.failed(error.is_refused_for_good(), error)
}

#[cfg(test)]
mod tests;
