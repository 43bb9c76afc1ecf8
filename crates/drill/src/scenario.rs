//! The scenarios: what happens, and what must be true afterwards.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use failover::register::Register;
use jiff::Timestamp;
use lab::fault::{EventEffect, EventFault};
use lab::journal::What;
use lab::rds;

use crate::check::{self, Check};
use crate::evidence::Evidence;
use crate::stage::{CLUSTER, DR, INSTANCE, PRIMARY, Settings, Stage};

const ARMED_WITHIN: Duration = Duration::from_secs(45 * 60);
const FAILED_OVER_WITHIN: Duration = Duration::from_secs(90 * 60);

/// A story with a moral.
#[derive(Clone, Copy)]
pub struct Scenario {
    /// What it is called on the command line.
    pub name: &'static str,
    /// What happens.
    pub about: &'static str,
    play: fn(Play) -> Playing,
    /// What must be true afterwards.
    pub checks: &'static [&'static [Check]],
}

type Playing = Pin<Box<dyn Future<Output = Result<Evidence, Stuck>> + Send>>;

/// What a scenario plays on.
struct Play {
    stage: Stage,
    settings: Settings,
}

/// The drill could not go on.
#[derive(Debug, thiserror::Error)]
#[error("the drill waited in vain: {0}")]
pub struct Stuck(&'static str);

impl Scenario {
    /// Plays it on the stage and gathers the evidence.
    ///
    /// # Errors
    /// If something it must wait for does not happen.
    pub async fn play(&self, stage: Stage, settings: Settings) -> Result<Evidence, Stuck> {
        (self.play)(Play { stage, settings }).await
    }
}

/// What every completed failover must show.
const FAILED_OVER: &[Check] = &[
    check::PINNED_ONCE,
    check::PROMOTED_ONCE,
    check::PIN_BEFORE_PROMOTION,
    check::NO_ANSWER_BACK,
    check::NO_WRITE_BACK,
    check::RECORDS_PINNED,
    check::RECORDS_RESTORABLE,
    check::USERS_SERVED,
    check::LOSS_WITHIN_LAG,
    check::OPERATORS_TOLD,
    check::RETURN_CHANGES_NOTHING,
];

/// Every scenario; the first is the default.
pub const SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "region-outage",
        about: "the primary region goes down for good and comes back an hour later: a failover, once, and it stays",
        play: |play| Box::pin(play.outage(|_| {})),
        checks: &[FAILED_OVER],
    },
    Scenario {
        name: "blip",
        about: "the primary region is down for ten minutes: a mail, and no failover",
        play: |play| Box::pin(play.blip()),
        checks: &[&[
            check::SITE_DOWN_MAILED,
            check::NO_FAILOVER_MAIL,
            check::NOTHING_TOUCHED,
            check::STILL_ARMED,
            check::USERS_ON_PRIMARY,
        ]],
    },
    Scenario {
        name: "primary-still-up",
        about: "the health check is wrong, the primary is alive and answers Holdfast's own probe: hold, and page",
        play: |play| Box::pin(play.primary_still_up()),
        checks: &[&[check::HELD_BY_PRIMARY, check::NOTHING_TOUCHED, check::STILL_ARMED, check::USERS_ON_PRIMARY]],
    },
    Scenario {
        name: "dr-down",
        about: "the primary region goes down while the DR site does not answer either: hold, and page",
        play: |play| Box::pin(play.dr_down()),
        checks: &[&[check::HELD_BY_DR, check::NOTHING_TOUCHED, check::STILL_ARMED, check::USERS_ON_PRIMARY]],
    },
    Scenario {
        name: "duplicate-events",
        about: "a region outage, with every event delivered three times, and some ticks twice: one failover all the same",
        play: |play| {
            Box::pin(play.outage(|stage| {
                let is_tick = |event: &serde_json::Value| event["detail-type"] == "Scheduled Event";
                stage.lab.faults.set_event_fault(EventFault::when(is_tick, EventEffect::Deliver(2)));
                stage
                    .lab
                    .faults
                    .set_event_fault(EventFault::when(move |event| !is_tick(event), EventEffect::Deliver(3)));
            }))
        },
        checks: &[FAILED_OVER, &[check::DUPLICATES_HAPPENED]],
    },
    Scenario {
        name: "lost-event",
        about: "a region outage, with the alarm's event and alarm-handler's own Pinned event lost: the tick saves it",
        play: |play| {
            Box::pin(play.outage(|stage| {
                stage.lab.faults.set_event_fault(EventFault::from_source("aws.cloudwatch", EventEffect::Lose));
                let pinned = |event: &serde_json::Value| event["detail"]["responsePayload"]["outcome"] == "Pinned";
                let to_promoter = EventFault::when(pinned, EventEffect::Lose);
                stage.lab.faults.set_event_fault(to_promoter);
            }))
        },
        checks: &[FAILED_OVER, &[check::LOSSES_HAPPENED]],
    },
];

/// The scenario of that name.
#[must_use]
pub fn named(name: &str) -> Option<&'static Scenario> {
    SCENARIOS.iter().find(|scenario| scenario.name == name)
}

impl Play {
    /// Waits until Holdfast has armed itself, and lets some time pass, by the seed.
    async fn begin(&self) -> Result<(), Stuck> {
        let lag = Duration::from_secs(1 + self.settings.seed % 9);
        rds::set_lag(&self.stage.lab, DR, CLUSTER, lag);
        rds::set_lag(&self.stage.lab, DR, INSTANCE, lag);
        let slowest = Duration::from_secs(30 + self.settings.seed.wrapping_mul(17) % 31);
        self.stage.lab.route53.set_propagation(Duration::from_secs(5)..=slowest);
        let armed = |stage: &Stage| stage.all_registers(|register| matches!(register, Register::Armed { .. }));
        if !self.stage.until(ARMED_WITHIN, armed).await {
            return Err(Stuck("Holdfast did not arm itself"));
        }
        // Beyond the settle time, at a second that the seed chooses.
        let pause = 16 * 60 + self.settings.seed.wrapping_mul(31) % 60;
        self.stage.lab.clock.sleep(Duration::from_secs(pause)).await;
        Ok(())
    }

    fn fail_primary(&self) -> Timestamp {
        self.say("the primary region goes down");
        self.stage.lab.faults.fail_region(PRIMARY);
        self.stage.lab.clock.now()
    }

    fn heal_primary(&self) -> Timestamp {
        self.say("the primary region is back");
        self.stage.lab.faults.heal_region(PRIMARY);
        self.stage.lab.clock.now()
    }

    fn say(&self, what: &str) {
        self.stage.lab.record(What::Fault { what: what.to_owned() });
    }

    async fn outage(self, prepare: impl Fn(&Stage) + Send) -> Result<Evidence, Stuck> {
        self.begin().await?;
        prepare(&self.stage);
        let outage_at = self.fail_primary();
        let done = |stage: &Stage| stage.all_registers(|register| matches!(register, Register::FailedOver { .. }));
        if !self.stage.until(FAILED_OVER_WITHIN, done).await {
            // The checks say what is missing.
            self.say("the failover did not come to its end in time");
            return Ok(Evidence::gather(&self.stage, Some(outage_at), None));
        }
        self.stage.minutes(20).await;
        let healed_at = self.heal_primary();
        self.stage.minutes(45).await;
        Ok(Evidence::gather(&self.stage, Some(outage_at), Some(healed_at)))
    }

    async fn blip(self) -> Result<Evidence, Stuck> {
        self.begin().await?;
        let outage_at = self.fail_primary();
        self.stage.minutes(10).await;
        let healed_at = self.heal_primary();
        self.stage.minutes(45).await;
        Ok(Evidence::gather(&self.stage, Some(outage_at), Some(healed_at)))
    }

    async fn primary_still_up(self) -> Result<Evidence, Stuck> {
        self.begin().await?;
        self.say("the page that the health check asks for breaks; the primary itself is well");
        let outage_at = self.stage.lab.clock.now();
        self.stage.lab.sites.fail_page(PRIMARY, "/health/deep");
        self.stage.minutes(50).await;
        self.say("the page is mended");
        let healed_at = self.stage.lab.clock.now();
        self.stage.lab.sites.mend_page(PRIMARY, "/health/deep");
        self.stage.minutes(20).await;
        Ok(Evidence::gather(&self.stage, Some(outage_at), Some(healed_at)))
    }

    async fn dr_down(self) -> Result<Evidence, Stuck> {
        self.begin().await?;
        self.say("the DR site is unwell");
        self.stage.lab.sites.fail_page(DR, "/health");
        let outage_at = self.fail_primary();
        self.stage.minutes(50).await;
        let healed_at = self.heal_primary();
        self.stage.minutes(20).await;
        Ok(Evidence::gather(&self.stage, Some(outage_at), Some(healed_at)))
    }
}
