//! The drill itself: the functions' own handlers settle, arm, pin and close; a failback's own write brings the name home.

use std::time::Duration;

use alarm_handler::handler::Calls as Pinning;
use aws::beside::Nothing;
use aws::dns::{NameServers as _, Server};
use aws::probe::HttpProber;
use aws::route53::{self, RecordReader as _, RecordWriter as _, Writer, protected_names};
use failover::failback;
use failover::observation::{ChangeStatus, NameView};
use failover::outcome::{Kind, Outcome};
use failover::plan::Plan;
use failover::register::{Register, Spread};
use failover::rule::Rule;
use failover::signal::Signal;
use futures_util::future::join_all;
use jiff::{SignedDuration, Timestamp};
use replica_promoter::event::Signal as PromoterSignal;
use replica_promoter::handler::Calls as Promoting;
use report::{Cause, Lane};

use super::canary::{Canary, Confined, DR, PRIMARY};
use super::log::Log;
use super::stand_ins::{Alarm, NoDatabase};
use crate::failure::Failure;
use crate::terminal::Terminal;
use crate::workload::Workload;

/// How soon again after the first look, and how often at most: the five requests that Route 53 takes in a second are a whole account's.
const LOOK_AGAIN: Duration = Duration::from_secs(1);
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// "Changes generally propagate … within 60 seconds" (Route 53, GetChange); ten times that. No wait of a drill is longer.
const PATIENCE: Duration = Duration::from_secs(600);

/// The stages of a drill.
pub const PINNED: &str = "pinned";
pub const IN_SYNC: &str = "pin in sync";
pub const ON_DR: &str = "every name server answers DR";
pub const RANG: &str = "the drill's alarm rings";

/// What a drill is played with.
pub struct Play<'a> {
    pub workload: &'a Workload,
    pub terminal: &'a Terminal,
    pub canary: &'a Canary,
    /// The plan of the throw-away name.
    pub plan: &'a Plan,
    pub alarm: Alarm,
    /// Name servers of the zone that can be asked from here.
    pub servers: Vec<Server>,
    pub log: Log,
}

impl Play<'_> {
    /// From the first record to the name back at its primary.
    pub async fn play(&mut self) -> Result<(), Failure> {
        self.make().await?;
        self.arm().await?;
        self.pin().await?;
        self.close().await?;
        self.bring_home().await
    }

    async fn make(&mut self) -> Result<(), Failure> {
        let began = self.now();
        self.reached("drill begun", began, None, "");
        let change = self.writer().submit(&self.canary.creation(began)).await?;
        self.log.moment(self.now(), Lane::People, format!("made the failover pair of {}", self.canary.name), vec![]);
        self.in_sync(&change).await?;
        let (at, held) = self.answered(|values| values == [PRIMARY]).await?;
        self.reached("the name answers", at, Some(Cause::Dns), "");
        self.check_heard(held, "before the pin every name server answered with the PRIMARY record");
        Ok(())
    }

    /// The alarm has been quiet since the drill began: P04 waits for the settle time, then arms.
    async fn arm(&mut self) -> Result<(), Failure> {
        let armed = self.pinning_until("the name to be armed", &[Kind::Armed]).await?;
        let waited = self.now().duration_since(self.log.began()).as_secs();
        let settle = i64::from(self.plan.limits.settle_seconds);
        let is_settled = armed.rule() == Some(Rule::P04) && waited >= settle;
        self.log.check(
            is_settled,
            "armed by P04 once all had been quiet for the settle time",
            format!("after {waited} s of {settle} s"),
        );
        self.reached("armed", armed.at, Some(Cause::Choice), "the settle time of the drill");
        // An alarm sooner after arming would ask for an approval (P08).
        let rings_at = armed.at + SignedDuration::from_secs(settle + 1);
        self.until("the settle time after arming to pass", async |play: &Self| {
            // The time is AWS's own, which an answer tells.
            play.view().await?;
            Ok((play.now() >= rings_at).then_some(()))
        })
        .await?;
        self.alarm.ring(self.now());
        self.reached(
            RANG,
            self.now(),
            Some(Cause::Choice),
            "the settle time after arming, before which P08 asks for an approval",
        );
        Ok(())
    }

    async fn pin(&mut self) -> Result<(), Failure> {
        let pinned = self.pinning_until("the name to be pinned", &[Kind::Pinned]).await?;
        self.reached(PINNED, pinned.at, Some(Cause::Holdfast), "");
        let view = self.view().await?;
        let change = match view.register() {
            Some(Register::Pinned { spread: Spread::Change { id }, .. }) => Some(id.clone()),
            _ => None,
        };
        let how = change.as_ref().map_or("the register names no change".to_owned(), |id| format!("change {id}"));
        let is_well = pinned.rule() == Some(Rule::P13) && view.agrees() && change.is_some();
        self.log.check(is_well, "pinned by P13, records and register in one batch, its change on record", how);
        if let Some(change) = change {
            self.in_sync(&change).await?;
        }
        self.reached(IN_SYNC, self.now(), Some(Cause::Dns), "Route 53's GetChange says INSYNC");
        let (at, held) = self.answered(|values| values == [DR]).await?;
        if !self.servers.is_empty() {
            self.reached(ON_DR, at, Some(Cause::Dns), "");
        }
        self.check_heard(held, "once the pin was in sync every name server answered with DR");
        Ok(())
    }

    /// The promoter records the pin as in sync, waits for clients to drain, and has no database to promote.
    async fn close(&mut self) -> Result<(), Failure> {
        let closed = self.until("the failover to be closed", async |play: &Self| {
            let outcome = play.promoting().await?;
            Ok((outcome.outcome == Kind::FailedOver).then_some(outcome))
        });
        let closed = closed.await?;
        let view = self.view().await?;
        let drained = i64::from(self.plan.limits.drain_seconds) + i64::from(view.ttl_seconds());
        let waited = self.log.stage(IN_SYNC).map_or(0, |at| closed.at.duration_since(at).as_secs());
        // A look may find the pin in sync some seconds before or after the drill's own did.
        let slack = 2 * LOOK_EVERY.as_secs().cast_signed();
        let detail = format!("{waited} s after the pin was in sync; TTL and DrainSeconds are {drained} s");
        self.log.check(waited + slack >= drained, "failed over only when clients had drained (R04)", detail);
        self.reached(
            "failed over",
            closed.at,
            Some(Cause::Choice),
            "TTL and DrainSeconds; no database was there to promote",
        );
        Ok(())
    }

    async fn bring_home(&mut self) -> Result<(), Failure> {
        let view = self.view().await?;
        let write = failback::restore(self.plan, &view, self.now(), "holdfast drill");
        let write = write.map_err(|error| Failure::Refused(error.to_string()))?;
        let write = write.ok_or_else(|| Failure::Refused(format!("{} is not failed over", self.canary.name)))?;
        let batch = failover::change::Batch { zone: self.canary.zone.clone(), writes: vec![write] };
        let change = self.writer().submit(&batch).await?;
        self.log.moment(self.now(), Lane::People, "failed back".to_owned(), vec![]);
        self.in_sync(&change).await?;
        let (at, held) = self.answered(|values| values == [PRIMARY]).await?;
        self.reached("failed back", at, Some(Cause::Dns), "the exact inverse of the pin");
        self.check_heard(held, "after the failback every name server answered with the PRIMARY record");
        let view = self.view().await?;
        let [primary, secondary] = self.canary.records();
        let is_as_made =
            view.pairs.iter().flatten().any(|pair| (pair.primary(), pair.secondary()) == (&primary, &secondary));
        self.log.check(
            is_as_made,
            "the failback wrote back exactly what the pin had replaced",
            primary.target.to_string(),
        );
        let after = self.pinning().await?;
        let stays = after.outcome != Kind::Pinned && self.view().await?.is_unpinned();
        self.log.check(stays, "the same alarm, still ringing, does not pin again", told(&after));
        Ok(())
    }

    /// Whether no name server knows what the drill made any more, once what was removed is in sync. A wildcard of the zone may answer.
    pub async fn gone(&mut self, changes: &[String]) -> Result<(), Failure> {
        for change in changes {
            self.in_sync(change).await?;
        }
        let (at, held) = self.answered(|values| !values.iter().any(|value| [PRIMARY, DR].contains(&&**value))).await?;
        self.reached("removed", at, Some(Cause::Dns), "");
        self.check_heard(held, "nothing is left: no name server answers with what the drill made");
        Ok(())
    }

    /// What nobody was asked about did not hold.
    fn check_heard(&self, held: bool, name: &str) {
        match self.servers.len() {
            0 => self.log.note(format!(
                "not looked at, since no name server of the zone can be asked from here, so Route 53's word must do: {name}"
            )),
            1 => self.log.check(held, name, "one name server asked".to_owned()),
            count => self.log.check(held, name, format!("{count} name servers asked, each by itself")),
        }
    }

    pub fn now(&self) -> Timestamp {
        self.workload.records.now()
    }

    fn writer(&self) -> Confined<'_> {
        Confined::new(self.canary, Writer::new(&self.workload.session))
    }

    /// The throw-away name, as Route 53 describes it now.
    async fn view(&self) -> Result<NameView, Failure> {
        let mut views = protected_names(self.plan, &self.workload.records).await?;
        views.pop().ok_or_else(|| Failure::Refused("the drill's plan has no name".to_owned()))
    }

    /// One run of alarm-handler, as at a tick.
    async fn pinning(&self) -> Result<Outcome, Failure> {
        let reader = route53::Reader::new(&self.workload.session);
        let calls = Pinning { reader, writer: self.writer(), alarms: &self.alarm, prober: HttpProber, beside: Nothing };
        let outcome = Box::pin(calls.handle(self.plan, Signal::Tick)).await;
        self.said("alarm-handler", outcome.map_err(|error| Failure::Refused(error.to_string()))?)
    }

    /// One run of replica-promoter, which looks and does not stay: the drill does that itself.
    async fn promoting(&self) -> Result<Outcome, Failure> {
        let records = route53::Reader::new(&self.workload.session);
        let registers = self.writer();
        let (replicas, promoter, lag) = (NoDatabase, NoDatabase, NoDatabase);
        let calls = Promoting { records, registers, replicas, promoter, lag, beside: Nothing };
        let outcome = Box::pin(calls.handle(self.plan, PromoterSignal::Hint)).await;
        self.said("replica-promoter", outcome.map_err(|error| Failure::Refused(error.to_string()))?)
    }

    /// Puts on record what a function decided. What keeps it from going on is told at once.
    fn said(&self, function: &str, outcome: Outcome) -> Result<Outcome, Failure> {
        let facts = outcome.facts.iter().map(|fact| format!("{}: {}", fact.about, fact.seen));
        let details = std::iter::once(outcome.because.clone()).chain(facts).collect();
        self.log.moment(outcome.at, Lane::Holdfast, format!("{function}: {}", short(&outcome)), details);
        match outcome.outcome {
            Kind::Refused | Kind::WriteRefused | Kind::ApprovalNeeded | Kind::Held => {
                Err(Failure::Refused(format!("{function} went no further: {}; {}", told(&outcome), outcome.next)))
            }
            _ => Ok(outcome),
        }
    }

    async fn pinning_until(&self, what: &str, kinds: &[Kind]) -> Result<Outcome, Failure> {
        self.until(what, async |play: &Self| {
            let outcome = play.pinning().await?;
            Ok(kinds.contains(&outcome.outcome).then_some(outcome))
        })
        .await
    }

    async fn in_sync(&self, change: &str) -> Result<(), Failure> {
        self.until("the change to be at every name server", async |play: &Self| {
            let status = play.workload.records.change_status(change).await?;
            Ok((status == ChangeStatus::InSync).then_some(()))
        })
        .await
    }

    /// Asks every name server until each answers so: when the last did. Where none can be asked, Route 53's own word must do.
    async fn answered(&self, wanted: impl Fn(&[String]) -> bool) -> Result<(Timestamp, bool), Failure> {
        let answers = async |play: &Self| {
            let asked = play.servers.iter().map(|server| play.workload.beside.ask(server, &play.canary.name, "A"));
            let each = join_all(asked).await;
            // For the time alone: name servers do not tell AWS's.
            play.view().await?;
            Ok(each.iter().all(|heard| heard.as_ref().is_ok_and(|values| wanted(values))).then_some(()))
        };
        match self.until("every name server to answer so", answers).await {
            Ok(()) => Ok((self.now(), true)),
            Err(Failure::Refused(_)) => Ok((self.now(), false)),
            Err(failure) => Err(failure),
        }
    }

    async fn until<T>(
        &self,
        what: &str,
        look: impl AsyncFn(&Self) -> Result<Option<T>, Failure>,
    ) -> Result<T, Failure> {
        let progress = self.terminal.wait(format!("waiting for {what}"));
        let wait = async {
            let mut pause = LOOK_AGAIN;
            loop {
                if let Some(found) = look(self).await? {
                    return Ok(found);
                }
                tokio::time::sleep(pause).await;
                pause = (2 * pause).min(LOOK_EVERY);
            }
        };
        let waited = tokio::time::timeout(PATIENCE, wait).await;
        progress.finish_and_clear();
        waited.unwrap_or_else(|_| {
            Err(Failure::Refused(format!("gave up waiting for {what} after {} s", PATIENCE.as_secs())))
        })
    }

    fn reached(&self, stage: &str, at: Timestamp, cause: Option<Cause>, how: &str) {
        self.log.stage_reached(stage, at, cause, how);
        let after = at.duration_since(self.log.began()).as_secs();
        self.terminal.say(format!("{after:>5} s  {stage}"));
    }
}

fn short(outcome: &Outcome) -> String {
    match outcome.id {
        Some(id) => format!("{:?} ({id})", outcome.outcome),
        None => format!("{:?}", outcome.outcome),
    }
}

fn told(outcome: &Outcome) -> String {
    format!("{}: {}", short(outcome), outcome.because)
}
