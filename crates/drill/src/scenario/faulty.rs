//! AWS itself is in trouble during an outage.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use failover::register::Register;
use lab::fault::{CallEffect, CallFault, Chaos, Effect, Faults, Loss, Site};
use lab::journal::What;
use lab::wire::Refusal;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::Stuck;
use super::play::Play;
use crate::evidence::Evidence;
use crate::moment::CONTROL_PLANE_BACK;
use crate::stage::{DETECTOR, DR, Stage};

impl Play {
    /// Every function is killed the first time before, the second time after each of its calls took effect; and whoever tells
    /// people for as long as it takes until a message is given up.
    pub(super) async fn lambda_crashes(self) -> Result<Evidence, Stuck> {
        self.begin().await?;
        let is_given_up = Arc::new(AtomicBool::new(false));
        let knows = is_given_up.clone();
        let telling = move |site: &Site<'_>| {
            site.caller_region.is_some() && site.action == "Publish" && !knows.load(Ordering::Relaxed)
        };
        let unsaid = CallEffect::Lose(Loss::Kill, Effect::Without);
        self.stage.lab.faults.set_call_fault(CallFault::when(telling, unsaid));
        for (turn, effect) in [(0, Effect::Without), (1, Effect::With)] {
            let kill = CallEffect::Lose(Loss::Kill, effect);
            self.stage.lab.faults.set_call_fault(CallFault::when(nth_of_each_call(turn), kill));
        }
        let outage_at = self.fail_primary();
        self.must(90, "a message to be given up", |stage| kept(stage, "NotifierDeadLetters")).await?;
        is_given_up.store(true, Ordering::Relaxed);
        Ok(self.to_the_end(outage_at).await)
    }

    /// Other users of the account leave a third of Route 53's requests to Holdfast, from before the pin to after it.
    pub(super) async fn throttled_route53(self) -> Result<Evidence, Stuck> {
        self.begin().await?;
        let outage_at = self.fail_primary();
        self.stage.minutes(30).await;
        self.say("Route 53 throttles");
        self.stage.lab.faults.throttle_service("route53");
        self.must(60, "Holdfast to pin though throttled", pinned).await?;
        self.stage.minutes(5).await;
        self.say("Route 53 throttles no more");
        self.stage.lab.faults.heal_service("route53");
        Ok(self.to_the_end(outage_at).await)
    }

    /// The API of Route 53 is down when it is needed; its DNS and its health checks are not.
    pub(super) async fn control_plane_down(self) -> Result<Evidence, Stuck> {
        self.begin().await?;
        let outage_at = self.fail_primary();
        self.stage.minutes(29).await;
        self.say("the control plane of Route 53 goes down");
        self.stage.lab.faults.fail_service("route53");
        self.stage.minutes(8 + self.settings.seed % 8).await;
        self.say(CONTROL_PLANE_BACK);
        self.stage.lab.faults.heal_service("route53");
        Ok(self.to_the_end(outage_at).await)
    }

    /// RDS refuses to promote for a quarter of an hour.
    pub(super) async fn promotion_fails(self) -> Result<Evidence, Stuck> {
        self.begin().await?;
        let refusals = match self.settings.seed % 2 {
            0 => [("PromoteReadReplicaDBCluster", "InternalFailure"), ("PromoteReadReplica", "InternalFailure")],
            _ => [
                ("PromoteReadReplicaDBCluster", "InvalidDBClusterStateFault"),
                ("PromoteReadReplica", "InvalidDBInstanceState"),
            ],
        };
        for (action, code) in refusals {
            let refusal = Refusal::bad_request(code, "not now, says the lab");
            let of_action = move |site: &Site<'_>| site.action == action;
            self.stage.lab.faults.set_call_fault(CallFault::when(of_action, CallEffect::Refuse(refusal)));
        }
        let outage_at = self.fail_primary();
        self.must(90, "Holdfast to pin", pinned).await?;
        self.stage.minutes(18).await;
        self.say("RDS promotes again");
        self.stage.lab.faults.clear_call_faults();
        Ok(self.to_the_end(outage_at).await)
    }

    /// All of it at once: the seed decides what and when.
    pub(super) async fn everything(self) -> Result<Evidence, Stuck> {
        self.begin().await?;
        let mut chance = StdRng::seed_from_u64(self.settings.seed);
        let (calls, events) = (chance.random_range(0.02..0.08), chance.random_range(0.05..0.2));
        let faults = &self.stage.lab.faults;
        faults.set_chaos(Some(Chaos { seed: self.settings.seed, calls, events }));
        for _ in 0..chance.random_range(0..=3) {
            self.fail_primary();
            self.seconds(chance.random_range(60..=600)).await;
            self.heal_primary();
            self.seconds(chance.random_range(180..=480)).await;
        }
        let outage_at = self.fail_primary();
        for trouble in troubles(&mut chance) {
            let left =
                (outage_at + Duration::from_secs(trouble.from_seconds)).duration_since(self.stage.lab.clock.now());
            self.stage.lab.clock.sleep(left.try_into().unwrap_or_default()).await;
            self.say(&trouble.what);
            (trouble.strike)(faults);
        }
        Ok(self.to_the_end(outage_at).await)
    }
}

/// True if something is in a queue whose name ends so.
fn kept(stage: &Stage, queue_end: &str) -> bool {
    let is_it = |what: &What| matches!(what, What::Queued { queue, .. } if queue.ends_with(queue_end));
    stage.lab.journal.entries().iter().any(|entry| is_it(&entry.what))
}

pub(super) fn pinned(stage: &Stage) -> bool {
    stage.all_registers(|register| matches!(register, Register::Pinned { .. } | Register::FailedOver { .. }))
}

/// True for the call that is the `turn`th, from 0, of its caller and its kind since now.
pub(super) fn nth_of_each_call(turn: u32) -> impl Fn(&Site<'_>) -> bool + Send + Sync {
    let counts: Mutex<BTreeMap<(String, String), u32>> = Mutex::default();
    move |site| {
        let mut counts = counts.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry((site.caller.to_owned(), site.action.to_owned())).or_default();
        *count += 1;
        site.caller_region.is_some() && *count == turn + 1
    }
}

/// Something that is done to the lab so long after the outage.
struct Trouble {
    from_seconds: u64,
    what: String,
    strike: fn(&Faults),
}

/// A kind of trouble: how it begins and ends, the minutes it may begin in, and how long it lasts at most.
struct Kind {
    what: &'static str,
    strike: fn(&Faults),
    heal: fn(&Faults),
    begins: std::ops::RangeInclusive<u64>,
    minutes_max: u64,
}

const KINDS: [Kind; 5] = [
    Kind {
        what: "Route 53's control plane is down",
        strike: |faults| faults.fail_service("route53"),
        heal: |faults| faults.heal_service("route53"),
        begins: 25..=34,
        minutes_max: 4,
    },
    Kind {
        what: "Route 53 throttles",
        strike: |faults| faults.throttle_service("route53"),
        heal: |faults| faults.heal_service("route53"),
        begins: 39..=45,
        minutes_max: 3,
    },
    Kind {
        what: "CloudWatch is silent",
        strike: |faults| faults.fail_service("monitoring"),
        heal: |faults| faults.heal_service("monitoring"),
        begins: 5..=40,
        minutes_max: 5,
    },
    Kind {
        what: "RDS is slow",
        strike: |faults| faults.slow_service("rds", Duration::from_millis(1_500)),
        heal: |faults| faults.heal_service("rds"),
        begins: 30..=45,
        minutes_max: 8,
    },
    Kind {
        what: "DR and us-east-1 are cut apart",
        strike: |faults| faults.partition(DR, DETECTOR),
        heal: |faults| faults.heal_partition(DR, DETECTOR),
        begins: 20..=45,
        minutes_max: 4,
    },
];

/// Each kind of trouble once, for some minutes, around the moments that matter.
fn troubles(chance: &mut StdRng) -> Vec<Trouble> {
    let mut troubles = Vec::new();
    for kind in KINDS {
        let begins = chance.random_range(kind.begins.start() * 60..=kind.begins.end() * 60);
        let ends = begins + chance.random_range(60..=kind.minutes_max * 60);
        troubles.push(Trouble { from_seconds: begins, what: kind.what.to_owned(), strike: kind.strike });
        troubles.push(Trouble { from_seconds: ends, what: format!("no more: {}", kind.what), strike: kind.heal });
    }
    troubles.sort_by_key(|trouble| trouble.from_seconds);
    troubles
}
