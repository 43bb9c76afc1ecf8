//! The whole handler over a small world: every call of it failing, killed, and interleaved with another invocation's.

mod world;

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

use aws::dns::{NotHeard, Server, ServersUnknown};
use aws::store::Item;
use failover::incident::{AlarmSighting, AlarmState, Incident};
use failover::message::is_due;
use failover::name::Name;
use failover::observation::{Attention, ChangeStatus};
use failover::outcome::Kind;
use failover::plan::{Names, alarm_name};
use failover::record::{RecordSet, Role, Routing, Target as Leads};
use failover::register::{ArmedBy, Memory, Pin, Register};
use failover::step::{Setting, Target};
use failover::users::Place;
use jiff::Timestamp;
use serde_json::Value;
use tokio::sync::Notify;

use super::*;
use world::{FAULTS, Fault, Outage, World, steps};

const PLAN: &str = r#"{"mode":"automatic","zones":[{"id":"Z1","names":["app.example.com"]}],"steps":true,
    "alarms":["arn:aws:cloudwatch:eu-central-1:1:alarm:started"],
    "limits":{"lag_seconds_max":60,"settle_seconds":900,"cooldown_seconds":3600,"drain_seconds":60,"detection_seconds_max":2400}}"#;

const STEPS: &str = r#"{"prepare":"arn:aws:autoscaling:eu-central-1:1:autoScalingGroup:u:autoScalingGroupName/shop=6,arn:aws:ecs:eu-central-1:1:service/main/shop=6,arn:aws:events:eu-central-1:1:rule/refresh=off",
    "after":"arn:aws:lambda:eu-central-1:1:function:jobs=call,arn:aws:lambda:eu-central-1:1:event-source-mapping:0a-1=on",
    "resources":["arn:aws:autoscaling:eu-central-1:1:autoScalingGroup:u:autoScalingGroupName/shop","arn:aws:ecs:eu-central-1:1:service/main/shop","arn:aws:lambda:eu-central-1:1:event-source-mapping:0a-1","arn:aws:events:eu-central-1:1:rule/refresh","arn:aws:lambda:eu-central-1:1:function:jobs"],
    "region":"eu-central-1","bus":"holdfast","site_down_alarm":"arn:aws:cloudwatch:eu-central-1:1:alarm:site-down","blind_alarm":"","prepare_after_minutes":2}"#;

/// One invocation; nothing if it was killed.
async fn tick(world: &World) -> Option<Outcome> {
    let (plan, steps) = (Plan::parse(PLAN).unwrap(), steps());
    let calls = Calls { records: world, alarms: world, beside: world, looks: world, acts: world };
    tokio::select! {
        biased;
        () = world.killed.notified() => None,
        outcome = calls.handle(&plan, &steps) => Some(outcome),
    }
}

const STORY: [Outage; 3] = [Outage::Down, Outage::Over, Outage::Well];

#[tokio::test]
async fn dr_is_prepared_then_finished_then_undone_and_each_is_told_once() {
    let world = World::new(None, 0);
    for (outage, kind) in STORY.into_iter().zip([Kind::Prepared, Kind::AfterDone, Kind::StepUndone]) {
        world.outage.set(outage);
        let first = tick(&world).await.unwrap();
        assert_eq!((first.outcome, first.attention), (kind, Attention::Notice), "{outage:?}");
        assert!(world.is_settled(), "{outage:?}");
        let place = if outage == Outage::Over { Place::KeptOnDr } else { Place::Primary };
        assert_eq!(first.users.unwrap().place, place, "{outage:?}");
        let second = tick(&world).await.unwrap();
        assert_eq!((second.outcome, second.attention), (Kind::Nothing, Attention::None), "{outage:?}");
    }
    let key = "started@2026-01-01T12:00:00Z After arn:aws:lambda:eu-central-1:1:function:jobs";
    assert_eq!(*world.keys.borrow(), [key]);
}

#[tokio::test]
async fn whichever_call_fails_or_kills_it_in_whatever_way_the_next_tick_leaves_nothing_else() {
    let mut struck = 0;
    for fault in FAULTS {
        for nth in 0..90 {
            let world = World::new(Some((nth, fault)), 0);
            for outage in STORY {
                world.outage.set(outage);
                for _ in 0..2 {
                    tick(&world).await;
                }
                assert!(world.is_settled(), "{fault:?} at call {nth}, {outage:?}: {:?}", world.settings.borrow());
            }
            struck += usize::from(world.made.get() > nth);
            let keys = world.keys.borrow();
            assert!((1..=2).contains(&keys.len()) && keys.iter().all(|key| *key == keys[0]), "{fault:?} {nth}");
        }
    }
    assert!(struck > 200, "faults at {struck} calls");
}

#[tokio::test]
async fn two_at_once_leave_what_one_leaves() {
    for chance in 0..300 {
        let world = World::new(None, chance);
        for outage in STORY {
            world.outage.set(outage);
            tokio::join!(tick(&world), tick(&world));
            // Whoever was overtaken looks again a minute later.
            tick(&world).await;
            assert!(
                world.is_settled(),
                "{chance}, {outage:?}: {:?} {:?}",
                world.settings.borrow(),
                world.notes.borrow()
            );
        }
    }
}

#[tokio::test]
async fn wherever_it_is_killed_in_the_outage_all_is_as_before_once_the_primary_is_well() {
    for fault in [Fault::KilledBefore, Fault::KilledAfter] {
        for nth in 0..30 {
            let world = World::new(Some((nth, fault)), 0);
            tick(&world).await;
            world.outage.set(Outage::Well);
            for _ in 0..2 {
                tick(&world).await;
            }
            let left = (world.settings.borrow(), world.notes.borrow());
            assert!(world.is_settled(), "{fault:?} at call {nth}: {left:?}");
        }
    }
}

#[tokio::test]
async fn whichever_call_of_an_undo_fails_or_kills_it_an_outage_that_follows_finds_dr_raised_again() {
    let mut struck = 0;
    for fault in FAULTS {
        for nth in 0..90 {
            let world = World::new(None, 0);
            tick(&world).await;
            world.outage.set(Outage::Well);
            let (before, at) = (world.made.get(), world.made.get() + nth);
            world.fault.set(Some((at, fault)));
            tick(&world).await;
            struck += usize::from(world.made.get() > at);
            assert!(world.made.get() > before);
            world.outage.set(Outage::Down);
            for _ in 0..2 {
                tick(&world).await;
            }
            assert!(world.is_settled(), "{fault:?} at call {nth}: {:?}", world.settings.borrow());
        }
    }
    assert!(struck > 60, "faults at {struck} calls");
}

#[tokio::test]
async fn who_found_all_well_undoes_nothing_beside_one_that_found_an_outage_since() {
    for nth in 0..50 {
        let world = World::new(None, 0);
        tick(&world).await;
        world.outage.set(Outage::Well);
        world.overtaken.set(Some(world.made.get() + nth));
        tick(&world).await;
        world.outage.set(Outage::Down);
        tick(&world).await;
        assert!(world.is_settled(), "overtaken at call {nth}: {:?}", world.settings.borrow());
    }
}

#[tokio::test]
async fn what_is_told_once_is_told_beside_a_step_that_fails_all_the_while() {
    let world = World::new(None, 0);
    world.unfit.set(Some("ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"));
    let prepared = tick(&world).await.unwrap();
    assert_eq!((prepared.outcome, prepared.attention), (Kind::StepFailed, Attention::Notice));
    assert!(is_due(&prepared), "DR is prepared but for that step: {:?}", prepared.also);
    let next = tick(&world).await.unwrap();
    assert_eq!((next.outcome, is_due(&next)), (Kind::StepFailed, false), "that lasts");
}

#[tokio::test]
async fn somebody_elses_later_change_stays_and_is_told_once() {
    let world = World::new(None, 0);
    tick(&world).await;
    let group = steps().entries[0].arn.clone();
    world.settings.borrow_mut().insert(group.clone(), "3/3/8".parse().unwrap());
    let told = tick(&world).await.unwrap();
    assert_eq!((told.outcome, told.attention), (Kind::StepLeft, Attention::Notice));
    assert_eq!(tick(&world).await.unwrap().attention, Attention::None);
    world.outage.set(Outage::Well);
    tick(&world).await;
    assert_eq!(world.settings.borrow()[&group], "3/3/8".parse().unwrap());
    assert!(world.notes.borrow().is_empty());
}
