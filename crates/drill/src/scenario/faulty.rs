//! AWS itself is in trouble during an outage.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use failover::register::Register;
use lab::fault::{CallEffect, CallFault, Chaos, Effect, Faults, Loss, Site};
use lab::wire::Refusal;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::Stuck;
use super::play::Play;
use crate::evidence::Evidence;
use crate::stage::{DETECTOR, DR, Stage};

impl Play {
    /// Every function is killed the first time before, the second time after each of its calls took effect.
    pub(super) async fn lambda_crashes(self) -> Result<Evidence, Stuck> {
        self.begin().await?;
        for (turn, effect) in [(0, Effect::Without), (1, Effect::With)] {
            let kill = CallEffect::Lose(Loss::Kill, effect);
            self.stage.lab.faults.set_call_fault(CallFault::when(nth_of_each_call(turn), kill));
        }
        let outage_at = self.fail_primary();
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
            self.say(trouble.what);
            (trouble.strike)(faults);
        }
        Ok(self.to_the_end(outage_at).await)
    }
}

/// What is said when the control plane is back, for the check that nothing was done before.
pub(crate) const CONTROL_PLANE_BACK: &str = "the control plane of Route 53 is back";

fn pinned(stage: &Stage) -> bool {
    stage.all_registers(|register| matches!(register, Register::Pinned { .. } | Register::FailedOver { .. }))
}

/// True for the call that is the `turn`th, from 0, of its caller and its kind since now.
fn nth_of_each_call(turn: u32) -> impl Fn(&Site<'_>) -> bool + Send + Sync {
    let counts: Mutex<BTreeMap<(String, String), u32>> = Mutex::default();
    move |site| {
        let mut counts = counts.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry((site.caller.to_owned(), site.action.to_owned())).or_default();
        *count += 1;
        site.caller_region.is_some() && *count == turn + 1
    }
}

/// Something that begins, or ends, so long after the outage.
struct Trouble {
    from_seconds: u64,
    what: &'static str,
    strike: fn(&Faults),
}

/// Each kind of trouble once, for some minutes, around the moments that matter.
fn troubles(chance: &mut StdRng) -> Vec<Trouble> {
    type Strike = fn(&Faults);
    let kinds: [(&str, Strike, &str, Strike, (u64, u64), u64); 5] = [
        (
            "Route 53's control plane is down",
            |f| f.fail_service("route53"),
            "Route 53's control plane is back",
            |f| f.heal_service("route53"),
            (25, 34),
            4,
        ),
        (
            "Route 53 throttles",
            |f| f.throttle_service("route53"),
            "Route 53 throttles no more",
            |f| f.heal_service("route53"),
            (39, 45),
            3,
        ),
        (
            "CloudWatch is silent",
            |f| f.fail_service("monitoring"),
            "CloudWatch is back",
            |f| f.heal_service("monitoring"),
            (5, 40),
            5,
        ),
        (
            "RDS is slow",
            |f| f.slow_service("rds", Duration::from_millis(1_500)),
            "RDS is quick again",
            |f| f.heal_service("rds"),
            (30, 45),
            8,
        ),
        (
            "DR and us-east-1 are cut apart",
            |f| f.partition(DR, DETECTOR),
            "DR and us-east-1 see each other again",
            |f| f.heal_partition(DR, DETECTOR),
            (20, 45),
            4,
        ),
    ];
    let mut troubles = Vec::new();
    for (begins, strike, ends, heal, (earliest, latest), minutes_max) in kinds {
        let from_seconds = chance.random_range(earliest * 60..=latest * 60);
        let to_seconds = from_seconds + chance.random_range(60..=minutes_max * 60);
        troubles.push(Trouble { from_seconds, what: begins, strike });
        troubles.push(Trouble { from_seconds: to_seconds, what: ends, strike: heal });
    }
    troubles.sort_by_key(|trouble| trouble.from_seconds);
    troubles
}
