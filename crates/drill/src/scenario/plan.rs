//! A user's own plan, in a region outage.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use lab::journal::What;

use super::list::{PLANNED, PLANNED_ON_SWITCH};
use super::play::Play;
use super::{Scenario, Stuck};
use crate::evidence::{Evidence, is_outcome};
use crate::plan::Plan;
use crate::stage::Layout;

/// How often it is looked whether Holdfast asks something.
const LOOK_EVERY_SECONDS: u64 = 30;

/// For as long as it waits, Holdfast says so once a minute.
const ASKS_EVERY: SignedDuration = SignedDuration::from_secs(90);

impl Scenario {
    /// The region outage that a plan is played through. A program has one plan for as long as it runs.
    #[must_use]
    pub fn of_plan(plan: Plan) -> &'static Self {
        let plan: &'static Plan = Box::leak(Box::new(plan));
        let layout = Layout { one_stack: plan.detector.is_none(), plan: Some(plan), ..Layout::default() };
        Box::leak(Box::new(Self {
            name: "plan",
            about: "the primary region of your plan goes down for good and comes back after the failover",
            layout,
            play: |play| Box::pin(play.planned()),
            checks: if plan.is_on_switch() { PLANNED_ON_SWITCH } else { PLANNED },
        }))
    }
}

impl Play {
    async fn planned(mut self) -> Result<Evidence, Stuck> {
        let plan = self.stage.workload.plan.ok_or_else(|| Stuck::new("for a plan"))?;
        match plan.is_on_switch() {
            true => self.begin_on_switch().await?,
            false => self.begin().await?,
        }
        let outage_at = self.fail_primary();
        let Some(minutes) = plan.facts.approval_minutes else {
            return Ok(tokio::select! {
                evidence = self.to_the_end(outage_at) => evidence,
                () = self.given_up(outage_at + plan.budget.rto_max()) => self.evidence(outage_at, None),
            });
        };
        tokio::select! {
            evidence = self.to_the_end(outage_at) => Ok(evidence),
            stuck = self.approve_all(minutes) => Err(stuck),
        }
    }

    /// Until the budget is spent while Holdfast waits for a person, and nobody is there.
    async fn given_up(&self, spent_at: Timestamp) {
        let clock = &self.stage.lab.clock;
        clock.sleep_until(spent_at).await;
        while self.asked_since(clock.now() - ASKS_EVERY).is_empty() {
            self.seconds(LOOK_EVERY_SECONDS).await;
        }
        self.say("the budget is spent, and Holdfast still waits for an approval that nobody gives");
    }

    /// Approves whatever Holdfast asks about, so many minutes after it asked, for as long as it is waited for.
    async fn approve_all(&self, minutes: u32) -> Stuck {
        let (mut approved, since) = (BTreeSet::new(), self.stage.lab.clock.now());
        loop {
            let Some((incident, rule)) = self.asked_since(since).into_iter().find(|asked| !approved.contains(asked))
            else {
                self.seconds(LOOK_EVERY_SECONDS).await;
                continue;
            };
            self.stage.lab.clock.sleep(Duration::from_secs(u64::from(minutes) * 60)).await;
            let order = ["approve", &incident, "--despite", &rule, "--reason", "a drill"];
            if let Err(stuck) = self.approver(&order).await {
                return stuck;
            }
            approved.insert((incident, rule));
        }
    }

    /// The incidents that Holdfast has asked about since a moment, each with the rule that asked.
    fn asked_since(&self, since: Timestamp) -> BTreeSet<(String, String)> {
        let entries = self.stage.lab.journal.entries();
        let asked = entries.iter().rev().take_while(|entry| entry.at >= since).filter_map(|entry| match &entry.what {
            what @ What::Invocation { response, .. } if is_outcome(what, "ApprovalNeeded") => {
                Some((response["incident"].as_str()?.to_owned(), response["rule"].as_str()?.to_owned()))
            }
            _ => None,
        });
        asked.collect()
    }
}
