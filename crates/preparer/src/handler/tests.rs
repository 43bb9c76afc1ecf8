//! The whole handler over a small world: every call of it failing, killed, and interleaved with another invocation's.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::net::SocketAddr;

use aws::dns::{NotHeard, ServersUnknown};
use aws::store::Item;
use failover::incident::{AlarmSighting, AlarmState, Incident};
use failover::name::Name;
use failover::observation::{Attention, ChangeStatus};
use failover::outcome::Kind;
use failover::plan::{Names, alarm_name};
use failover::record::{RecordSet, Role, Routing, Target as Leads};
use failover::register::{ArmedBy, Memory, Pin, Register};
use failover::step::{Setting, Target};
use jiff::Timestamp;
use serde_json::Value;
use tokio::sync::Notify;

use super::*;

const PLAN: &str = r#"{"mode":"automatic","zones":[{"id":"Z1","names":["app.example.com"]}],"steps":true,
    "alarms":["arn:aws:cloudwatch:eu-central-1:1:alarm:started"],
    "limits":{"lag_seconds_max":60,"settle_seconds":900,"cooldown_seconds":3600,"drain_seconds":60,"detection_seconds_max":2400}}"#;

const STEPS: &str = r#"{"prepare":"arn:aws:autoscaling:eu-central-1:1:autoScalingGroup:u:autoScalingGroupName/shop=6,arn:aws:events:eu-central-1:1:rule/refresh=off",
    "after":"arn:aws:lambda:eu-central-1:1:function:jobs=call",
    "resources":["arn:aws:autoscaling:eu-central-1:1:autoScalingGroup:u:autoScalingGroupName/shop","arn:aws:events:eu-central-1:1:rule/refresh","arn:aws:lambda:eu-central-1:1:function:jobs"],
    "region":"eu-central-1","site_down_alarm":"arn:aws:cloudwatch:eu-central-1:1:alarm:site-down","prepare_after_minutes":2}"#;

/// What becomes of one call.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Fault {
    Refused,
    LostBefore,
    LostAfter,
    KilledBefore,
    KilledAfter,
}

const FAULTS: [Fault; 5] =
    [Fault::Refused, Fault::LostBefore, Fault::LostAfter, Fault::KilledBefore, Fault::KilledAfter];

/// How the outage stands.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Outage {
    Down,
    Over,
    Well,
}

/// One pinned or armed name, and a resource of each kind.
struct World {
    outage: Cell<Outage>,
    settings: RefCell<BTreeMap<String, Setting>>,
    notes: RefCell<BTreeMap<String, Note>>,
    keys: RefCell<Vec<String>>,
    made: Cell<usize>,
    fault: Cell<Option<(usize, Fault)>>,
    killed: Notify,
    /// Turns whose invocation comes next.
    chance: Cell<u64>,
}

fn settings(sizes: &str, on: bool) -> BTreeMap<String, Setting> {
    let of = |entry: &Entry| match entry.target {
        Target::Group { .. } => sizes.parse().unwrap(),
        Target::Rule { .. } => Setting::On(on),
        Target::Function { .. } => Setting::Nothing,
    };
    steps().entries.iter().map(|entry| (entry.arn.clone(), of(entry))).collect()
}

fn steps() -> Steps {
    Steps::parse(STEPS).unwrap()
}

impl World {
    fn new(fault: Option<(usize, Fault)>, chance: u64) -> Self {
        Self {
            outage: Cell::new(Outage::Down),
            settings: RefCell::new(settings("1/2/8", true)),
            notes: RefCell::default(),
            keys: RefCell::default(),
            made: Cell::default(),
            fault: Cell::new(fault),
            killed: Notify::new(),
            chance: Cell::new(chance),
        }
    }

    async fn answered<T>(&self, effect: impl FnOnce() -> T) -> Result<T, CallError> {
        // Other invocations have their turn; a linear congruential generator says how often.
        self.chance
            .set(self.chance.get().wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407));
        for _ in 0..self.chance.get() >> 61 {
            tokio::task::yield_now().await;
        }
        let nth = self.made.get();
        self.made.set(nth + 1);
        let lost = || CallError::Unknown { call: "it", why: "timed out".to_owned() };
        match self.fault.get().filter(|(at, _)| *at == nth).map(|(_, fault)| fault) {
            None => Ok(effect()),
            Some(Fault::Refused) => {
                Err(CallError::Refused { call: "it", code: "AccessDenied".to_owned(), message: String::new() })
            }
            Some(Fault::LostBefore) => Err(lost()),
            Some(Fault::LostAfter) => {
                effect();
                Err(lost())
            }
            Some(fault @ (Fault::KilledBefore | Fault::KilledAfter)) => {
                if fault == Fault::KilledAfter {
                    effect();
                }
                self.killed.notify_one();
                std::future::pending().await
            }
        }
    }

    /// All of it as it is to be in this outage, or as it was.
    fn is_settled(&self) -> bool {
        let notes = self.notes.borrow();
        let all_set = |count| notes.len() == count && notes.values().all(|note| note.stage == Stage::Set);
        match self.outage.get() {
            Outage::Down => *self.settings.borrow() == settings("6/6/8", false) && all_set(2),
            Outage::Over => *self.settings.borrow() == settings("6/6/8", false) && all_set(3),
            Outage::Well => *self.settings.borrow() == settings("1/2/8", true) && notes.is_empty(),
        }
    }
}

impl RecordReader for &World {
    async fn record_sets(&self, _: &str, _: &Names) -> Result<Vec<RecordSet>, CallError> {
        let name: Name = "app.example.com".parse().unwrap();
        let values = |address: &str| Leads::Values { ttl_seconds: 60, values: vec![address.to_owned()] };
        let half = |role, address| RecordSet {
            name: name.clone(),
            kind: "A".to_owned(),
            routing: Routing::Failover { role, set_identifier: format!("{role:?}") },
            target: values(address),
            health_check: (role == Role::Primary).then(|| "hc".to_owned()),
        };
        let register = match self.outage.get() {
            Outage::Over => {
                let incident: Incident = "started@2026-01-01T12:00:00Z".parse().unwrap();
                let pin = Pin::new(self.now(), incident, [("A".to_owned(), values("192.0.2.1"))].into());
                Register::FailedOver { at: self.now(), pin }
            }
            Outage::Down | Outage::Well => {
                Register::armed(Timestamp::UNIX_EPOCH, ArmedBy::Operator).remembering(Memory::default())
            }
        };
        let address = if self.outage.get() == Outage::Over { "198.51.100.1" } else { "192.0.2.1" };
        let register = register.record_set(&name).unwrap();
        Ok(vec![half(Role::Primary, address), half(Role::Secondary, "198.51.100.1"), register])
    }

    async fn change_status(&self, _: &str) -> Result<ChangeStatus, CallError> {
        Ok(ChangeStatus::Pending)
    }

    fn now(&self) -> Timestamp {
        "2026-01-01T13:00:00Z".parse().unwrap()
    }

    async fn wait(&self, seconds: u32) {
        panic!("it waits for {seconds} s")
    }
}

impl AlarmReader for &World {
    async fn alarms(&self, arns: &[String]) -> Result<Vec<AlarmSighting>, CallError> {
        let is_down = self.outage.get() != Outage::Well;
        let sighting = |arn: &String| {
            let name = alarm_name(arn).unwrap().to_owned();
            let state = if is_down && name == "site-down" { AlarmState::Alarm } else { AlarmState::Ok };
            AlarmSighting {
                arn: arn.clone(),
                name,
                state,
                since: "2026-01-01T12:00:00Z".parse().unwrap(),
                trouble: None,
            }
        };
        Ok(arns.iter().map(sighting).collect())
    }
}

impl StoreReader for &World {
    async fn read(&self, _: &str, _: Item) -> Result<Option<String>, CallError> {
        panic!("the plan names no store")
    }
}

impl NameServers for &World {
    async fn servers(&self, name: &Name) -> Result<Vec<SocketAddr>, ServersUnknown> {
        Err(ServersUnknown::NoZone(name.clone()))
    }

    async fn ask(&self, _: SocketAddr, _: &Name, _: &str) -> Result<Vec<String>, NotHeard> {
        Err(NotHeard::Silent)
    }
}

impl StepReader for &World {
    async fn look(&self, entry: &Entry) -> Result<Seen, CallError> {
        // Tags first, as of a rule; between the two others may have their turn.
        let tags =
            self.answered(|| self.notes.borrow().get(&entry.arn).cloned().map_or(Tags::None, Tags::Note)).await?;
        let setting = self.answered(|| self.settings.borrow()[&entry.arn]).await?;
        Ok(Seen::There { setting, detail: String::new(), tags })
    }
}

impl StepWriter for &World {
    async fn note(&self, entry: &Entry, note: &Note) -> Result<(), CallError> {
        self.answered(|| drop(self.notes.borrow_mut().insert(entry.arn.clone(), note.clone()))).await
    }

    async fn forget(&self, entry: &Entry) -> Result<(), CallError> {
        self.answered(|| drop(self.notes.borrow_mut().remove(&entry.arn))).await
    }

    async fn set(&self, entry: &Entry, setting: Setting) -> Result<(), CallError> {
        assert!(self.notes.borrow().contains_key(&entry.arn), "nothing is changed before it is on record");
        self.answered(|| {
            self.settings.borrow_mut().insert(entry.arn.clone(), setting);
        })
        .await
    }

    async fn call(&self, entry: &Entry, payload: &Value) -> Result<(), CallError> {
        assert!(self.notes.borrow().contains_key(&entry.arn), "nothing is called before it is on record");
        self.answered(|| self.keys.borrow_mut().push(payload["key"].as_str().unwrap().to_owned())).await
    }
}

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
        for nth in 0..60 {
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
        for nth in 0..20 {
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
