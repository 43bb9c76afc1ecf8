//! People take part: maintenance, shadow and approval modes, a pin that somebody undoes.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use lab::fault::{CallEffect, CallFault, Site};
use lab::journal::What;
use lab::rds;

use super::Stuck;
use super::faulty::nth_of_each_call;
use super::play::Play;
use crate::evidence::{Evidence, is_outcome};
use crate::stage::{CLUSTER, DR, PRIMARY, PRIMARY_ADDRESS, Stage};

impl Play {
    /// Two hours of maintenance that take the primary down for one; then, later, an outage that nobody planned.
    pub(super) async fn maintenance(self) -> Result<Evidence, Stuck> {
        self.begin().await?;
        self.operator(&["maintenance", "begin", "--for", "2h", "--reason", "new network"]).await?;
        self.say("the primary is taken down for work");
        self.stage.lab.faults.fail_region(PRIMARY);
        self.stage.minutes(60).await;
        self.heal_primary();
        self.stage.minutes(45).await;
        // Whether it ended the checks say.
        let _ = self.armed().await;
        self.stage.minutes(20).await;
        let outage_at = self.fail_primary();
        Ok(self.to_the_end(outage_at).await)
    }

    pub(super) async fn shadow(self) -> Result<Evidence, Stuck> {
        self.begin().await?;
        self.held_outage().await
    }

    /// Holdfast asks; an approval of another incident lifts nothing, one of this incident lets it go on.
    pub(super) async fn approval(self) -> Result<Evidence, Stuck> {
        self.begin().await?;
        let outage_at = self.fail_primary();
        let Some(incident) = self.asked(60).await else { return Ok(self.to_the_end(outage_at).await) };
        self.approver(&approval(&incident.replace("20", "19"), "P12")).await?;
        self.stage.minutes(5 + self.settings.seed % 10).await;
        self.approver(&approval(&incident, "P12")).await?;
        Ok(self.to_the_end(outage_at).await)
    }

    /// A replica a quarter of an hour behind: users go to DR, the data waits for a person.
    pub(super) async fn lagging_replica(self) -> Result<Evidence, Stuck> {
        self.begin().await?;
        self.say("the replica falls a quarter of an hour behind");
        rds::set_lag(&self.stage.lab, DR, CLUSTER, Duration::from_secs(15 * 60));
        self.stage.minutes(20).await;
        let outage_at = self.fail_primary();
        let Some(incident) = self.asked(90).await else { return Ok(self.to_the_end(outage_at).await) };
        self.stage.minutes(10 + self.settings.seed % 20).await;
        self.operator(&approval(&incident, "R07")).await?;
        Ok(self.to_the_end(outage_at).await)
    }

    /// After the failover somebody writes a record back, three times.
    pub(super) async fn pin_undone(self) -> Result<Evidence, Stuck> {
        const UNDOINGS: usize = 3;
        self.begin().await?;
        let outage_at = self.fail_primary();
        if !self.failed_over().await {
            return Ok(self.evidence(outage_at, None));
        }
        for nth in 1..=UNDOINGS {
            self.seconds(60 + self.settings.seed.wrapping_mul(13) % 60).await;
            self.say("somebody writes the PRIMARY record of app.example.com back as it was");
            self.stage.point_app_at(PRIMARY_ADDRESS).await.map_err(|_| Stuck::new("to undo the pin"))?;
            let answers = move |stage: &Stage| count(stage, if nth == UNDOINGS { "Yielded" } else { "PinnedAgain" });
            let wanted = if nth == UNDOINGS { 1 } else { nth };
            // Whether it noticed the checks say.
            self.stage.until(Duration::from_secs(600), |stage| answers(stage) >= wanted).await;
        }
        self.stage.minutes(30).await;
        Ok(self.evidence(outage_at, None))
    }

    /// Between alarm-handler's look and its write, somebody moves the primary to another address.
    pub(super) async fn edited_meanwhile(mut self) -> Result<Evidence, Stuck> {
        const ELSEWHERE: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 10, 2));
        self.begin().await?;
        let slow = CallEffect::Slow(Duration::from_secs(3));
        let pins = nth_of_each_call(0);
        let pin = move |site: &Site<'_>| site.action == "ChangeResourceRecordSets" && pins(site);
        self.stage.lab.faults.set_call_fault(CallFault::when(pin, slow));
        let mut journal = self.stage.lab.journal.follow();
        let outage_at = self.fail_primary();
        let is_pin = |what: &What| matches!(what, What::Fault { what } if what.contains("slow by"));
        while !is_pin(&journal.recv().await.map_err(|_| Stuck::new("for the pin to be on its way"))?.what) {}
        self.say("somebody moves the primary of app.example.com to another address");
        self.stage.point_app_at(ELSEWHERE).await.map_err(|_| Stuck::new("to edit the record"))?;
        self.stage.note_original();
        Ok(self.to_the_end(outage_at).await)
    }

    /// The incident that Holdfast asks about; nothing if it does not within so many minutes, and then the checks say so.
    pub(super) async fn asked(&self, minutes: u64) -> Option<String> {
        let limit = Duration::from_secs(minutes * 60);
        self.stage.until(limit, |stage| incident_of(stage, "ApprovalNeeded").is_some()).await;
        incident_of(&self.stage, "ApprovalNeeded")
    }

    /// Waits until Holdfast holds a failover, if it does, and says of which incident.
    pub(super) async fn held_back(&self, minutes: u64) -> Option<String> {
        let limit = Duration::from_secs(minutes * 60);
        self.stage.until(limit, |stage| incident_of(stage, "Held").is_some()).await;
        incident_of(&self.stage, "Held")
    }
}

/// The command that approves an incident despite a rule.
fn approval<'a>(incident: &'a str, rule: &'a str) -> [&'a str; 6] {
    ["approve", incident, "--despite", rule, "--reason", "a drill"]
}

/// The incident that Holdfast last returned this of.
fn incident_of(stage: &Stage, outcome: &str) -> Option<String> {
    let entries = stage.lab.journal.entries();
    let incident = entries.iter().rev().find_map(|entry| match &entry.what {
        what @ What::Invocation { response, .. } if is_outcome(what, outcome) => response["incident"].as_str(),
        _ => None,
    });
    incident.map(str::to_owned)
}

fn count(stage: &Stage, outcome: &str) -> usize {
    stage.lab.journal.entries().iter().filter(|entry| is_outcome(&entry.what, outcome)).count()
}
