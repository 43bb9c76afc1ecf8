//! What every scenario does: begin, break, mend, wait, gather.

use std::time::Duration;

use failover::register::Register;
use jiff::Timestamp;
use lab::journal::What;
use lab::rds;

use super::Stuck;
use crate::evidence::{Evidence, OUTAGE};
use crate::stage::{APPROVER, DR, OPERATOR, PRIMARY, Settings, Stage};

const ARMED_WITHIN: Duration = Duration::from_secs(45 * 60);

/// What a scenario plays on.
pub(super) struct Play {
    pub stage: Stage,
    pub settings: Settings,
}

impl Play {
    /// Waits until Holdfast has armed itself, and lets some time pass, by the seed.
    pub async fn begin(&self) -> Result<(), Stuck> {
        let planned = self.stage.workload.plan.map(|plan| u64::from(plan.facts.replica_lag_seconds));
        let lag = Duration::from_secs(planned.unwrap_or(1 + self.settings.seed % 9));
        for database in &self.stage.workload.databases {
            rds::set_lag(&self.stage.lab, DR, &database.id, lag);
        }
        let slowest = Duration::from_secs(30 + self.settings.seed.wrapping_mul(17) % 31);
        self.stage.lab.route53.set_propagation(Duration::from_secs(5)..=slowest);
        self.armed().await?;
        // Beyond the settle time, at a second that the seed chooses.
        let pause = self.stage.settle_seconds() + 60 + self.settings.seed.wrapping_mul(31) % 60;
        self.stage.lab.clock.sleep(Duration::from_secs(pause)).await;
        Ok(())
    }

    /// Waits until every name is armed.
    pub async fn armed(&self) -> Result<(), Stuck> {
        let armed = |stage: &Stage| stage.all_registers(|register| matches!(register, Register::Armed { .. }));
        match self.stage.until(ARMED_WITHIN + Duration::from_secs(self.stage.settle_seconds()), armed).await {
            true => Ok(()),
            false => Err(Stuck::new("Holdfast did not arm itself")),
        }
    }

    /// Takes the primary region down.
    pub fn fail_primary(&self) -> Timestamp {
        self.say(OUTAGE);
        self.stage.lab.faults.fail_region(PRIMARY);
        self.stage.lab.clock.now()
    }

    /// Brings the primary region back.
    pub fn heal_primary(&self) -> Timestamp {
        self.say("the primary region is back");
        self.stage.lab.faults.heal_region(PRIMARY);
        self.stage.lab.clock.now()
    }

    /// Runs the operators' command line, which must do as told.
    pub async fn operator(&self, arguments: &[&str]) -> Result<(), Stuck> {
        self.command_line(OPERATOR, arguments, false).await
    }

    /// The same for what waits for AWS, so that time must go on.
    pub async fn patient_operator(&self, arguments: &[&str]) -> Result<(), Stuck> {
        self.command_line(OPERATOR, arguments, true).await
    }

    /// Runs it as somebody who may approve, and do nothing else.
    pub async fn approver(&self, arguments: &[&str]) -> Result<(), Stuck> {
        self.command_line(APPROVER, arguments, false).await
    }

    async fn command_line(&self, who: &str, arguments: &[&str], waits_for_aws: bool) -> Result<(), Stuck> {
        let command = format!("holdfast {}", arguments.join(" "));
        self.say(&format!("somebody runs {command}"));
        match self.stage.holdfast_as(who, arguments, waits_for_aws).await {
            Ok(output) if output.status.success() => Ok(()),
            Ok(output) => Err(Stuck::new(format!("{command}: {}", String::from_utf8_lossy(&output.stderr)))),
            Err(error) => Err(Stuck::new(format!("{command}: {error}"))),
        }
    }

    /// Somebody looks at `status`, which must say this.
    pub async fn told_by_status(&self, wanted: &str) -> Result<(), Stuck> {
        let status = self.stage.holdfast(&["status"], false).await.map_err(|error| Stuck::new(error.to_string()))?;
        let said = String::from_utf8_lossy(&status.stdout);
        match said.contains(wanted) {
            true => Ok(()),
            false => Err(Stuck::new(format!("to be told \"{wanted}\" by holdfast status: {said}"))),
        }
    }

    /// Notes what is done to the lab.
    pub fn say(&self, what: &str) {
        self.stage.lab.record(What::Fault { what: what.to_owned() });
    }

    /// Waits until the incident is closed; false if it is not in time, and then the checks say what is missing.
    pub async fn failed_over(&self) -> bool {
        let done = |stage: &Stage| stage.all_registers(|register| matches!(register, Register::FailedOver { .. }));
        let closed = self.stage.until(self.stage.workload.failed_over_within, done).await;
        if !closed {
            self.say("the failover did not come to its end in time");
        }
        closed
    }

    /// Waits until a condition holds that must.
    pub async fn must(&self, minutes: u64, wait: &'static str, holds: impl Fn(&Stage) -> bool) -> Result<(), Stuck> {
        match self.stage.until(Duration::from_secs(minutes * 60), holds).await {
            true => Ok(()),
            false => Err(Stuck::new(wait)),
        }
    }

    /// From an outage that began to its end, and beyond the primary's return.
    pub async fn to_the_end(&self, outage_at: Timestamp) -> Evidence {
        if !self.failed_over().await {
            return self.evidence(outage_at, None);
        }
        self.stage.minutes(20).await;
        let healed_at = self.heal_primary();
        self.stage.minutes(31).await;
        self.evidence(outage_at, Some(healed_at))
    }

    /// What there is to judge by.
    pub fn evidence(&self, outage_at: Timestamp, healed_at: Option<Timestamp>) -> Evidence {
        Evidence::gather(&self.stage, Some(outage_at), healed_at)
    }
}
