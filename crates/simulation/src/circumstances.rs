//! What an outage finds when it begins.

use failover::incident::{AlarmSighting, AlarmState, Incident};
use failover::plan::Mode;
use failover::register::{ArmedBy, Register};
use jiff::{SignedDuration, Timestamp};
use rand::Rng as _;

use crate::beside::Beside;
use crate::chance::{About, Chance};
use crate::database::Replica;
use crate::event;
use crate::fault::Fault;
use crate::holdfast::{Function, Holdfast};
use crate::setup::{Setup, start};

/// What is switched off stays so for longer than any outage here.
const OFF: SignedDuration = SignedDuration::from_hours(24);

/// A workload as it was found.
#[must_use]
pub(crate) fn setup(chance: &Chance) -> Setup {
    let clusters = match chance.choose(About::Clusters, |rng| rng.random_range(0..3)) {
        0 => 1,
        1 => 0,
        _ => 2,
    };
    let mode = match chance.choose(About::Mode, |rng| match rng.random_range(0..100) {
        0..10 => 1,
        10..13 => 2,
        _ => 0,
    }) {
        0 => Mode::Automatic,
        1 => Mode::Approval,
        _ => Mode::Shadow,
    };
    let register = match chance.choose(About::Register, |rng| match rng.random_range(0..100) {
        0..3 => 1,
        3..7 => 2,
        7..11 => 3,
        11..15 => 4,
        15..18 => 5,
        18..22 => 6,
        _ => 0,
    }) {
        0 => Setup::default().register,
        1 => None,
        2 => Some(Register::armed(start() - SignedDuration::from_mins(5), ArmedBy::Operator)),
        3 => Some(Register::armed(start() - SignedDuration::from_mins(10), ArmedBy::Failback)),
        4 => Some(Register::disarmed(start(), "kim".to_owned())),
        5 => Some(Register::paused(start(), start() + OFF, "kim".to_owned())),
        _ => Some(Register::paused(start(), start() + SignedDuration::from_mins(6), "kim".to_owned())),
    };
    Setup {
        names: 1 + chance.choose(About::Names, |rng| rng.random_range(0..4)) as usize,
        clusters,
        instances: chance.choose(About::Instances, |rng| rng.random_range(0..3u32).saturating_sub(1)) as usize,
        globals: usize::from(chance.happens_to_globals(About::Globals, 0.5)),
        mode,
        probes: !chance.happens(About::Probes, 0.3),
        fence: chance.happens(About::Fence, 0.15),
        switch: chance.is_on_switch(),
        targets: chance.one_of_targets(About::TargetsAsked, 1.0, 1) != 0,
        register,
    }
}

/// What an outage finds beside the workload, and how it goes on.
pub(crate) struct Circumstances {
    /// The minute in which the alarm rings.
    pub begins: i64,
    /// The minute in which the primary comes back.
    pub returns: Option<i64>,
    /// Whether invocations run side by side, from call to call.
    pub overlaps: bool,
    /// How long operators do not answer.
    pub asleep_minutes: i64,
    /// What a failover costs that AWS gives up half-way.
    pub retry_minutes: i64,
    /// A part of AWS that is out of order for minutes.
    pub trouble: Option<Trouble>,
    /// What goes otherwise beside Route 53's API, if the workload is on the switch.
    pub beside: Option<Beside>,
    /// Whether names are disarmed or paused for good.
    pub is_off: bool,
    /// The event of an alarm that is long over.
    pub old_alarm: Option<serde_json::Value>,
    /// All this in words.
    pub told: Vec<String>,
}

impl Circumstances {
    pub fn draw(chance: &Chance, setup: &Setup, holdfast: &Holdfast) -> Self {
        let mut world = holdfast.world.get();
        let lag = match chance.choose(About::Lag, |rng| {
            if rng.random_bool(0.8) { rng.random_range(0..50) } else { rng.random_range(50..500) }
        }) {
            0 => 2,
            seconds => seconds.into(),
        };
        let age: i64 = chance.choose(About::LagAge, |rng| rng.random_range(0..3_000)).into();
        let ago = |seconds| start() - SignedDuration::from_secs(seconds);
        // Replication has stopped since: CloudWatch says −1.
        world.lag =
            std::iter::once((ago(age), lag)).chain((0..age / 60).map(|minute| (ago(minute * 60), -1))).collect();
        world.promotion_time = match chance.choose(About::PromotionTime, |rng| rng.random_range(30..300)) {
            0 => world.promotion_time,
            seconds => SignedDuration::from_secs(seconds.into()),
        };
        let fails = chance.happens_to_globals(About::GlobalFails, 0.3) && setup.globals > 0;
        if fails {
            world.replicas.values_mut().for_each(Replica::fail_next);
        }
        // A failover that AWS gives up at its end, two ticks until that is seen and asked again.
        let retry_minutes =
            if fails { world.promotion_time.as_secs().unsigned_abs().div_ceil(60).cast_signed() + 2 } else { 0 };
        world.dr_answers = !chance.happens(About::DrSite, 0.05);
        world.targets = match chance.one_of_targets(About::Targets, 0.7, 2) {
            1 => AlarmState::Alarm,
            2 => AlarmState::InsufficientData,
            _ => AlarmState::Ok,
        };
        world.watch.is_check_disabled = matches!(setup.register, Some(Register::Paused { .. }));
        let begins = 1 + i64::from(chance.choose(About::Begins, |rng| rng.random_range(0..3)));
        let returns = chance.one_of(About::Returns, 0.4, 9);
        let rang = start() - SignedDuration::from_hours(3);
        let old = AlarmSighting { state: AlarmState::Alarm, since: rang, ..world.alarm.clone() };
        world.watch.rang.push(Incident { alarm: old.name.clone(), began: rang });
        world.alarm.since = start() - SignedDuration::from_hours(2);
        let mut circumstances = Self {
            begins,
            returns: (returns > 0).then(|| begins + i64::from(returns)),
            overlaps: chance.happens(About::Overlaps, 0.4),
            retry_minutes,
            asleep_minutes: 60 * i64::from(chance.one_of(About::Sleep, 0.02, 5)),
            trouble: Trouble::of(chance.one_of(About::Trouble, 0.15, Trouble::CHOICES)),
            beside: setup.switch.then(|| Beside::draw(chance)),
            is_off: match setup.register {
                Some(Register::Disarmed { .. }) => true,
                Some(Register::Paused { at, until, .. }) => until == at + OFF,
                _ => false,
            },
            old_alarm: Some(event::alarm(&old, rang)),
            told: Vec::new(),
        };
        circumstances.told = circumstances.in_words(setup, lag, age, world.dr_answers);
        circumstances
    }

    fn in_words(&self, setup: &Setup, lag: i64, age: i64, dr_answers: bool) -> Vec<String> {
        let Setup { names, clusters, instances, mode, .. } = setup;
        let state = setup.register.as_ref().map_or("never armed".to_owned(), |register| format!("{register}"));
        let probes = if setup.probes { "" } else { ", no probes" };
        let fence = if setup.fence { ", a fence" } else { "" };
        let mut told = vec![
            format!("{names} names, {clusters} Aurora clusters, {instances} RDS instances, {mode:?}{probes}{fence}"),
            format!("registers: {state}"),
            format!("lag {lag} s, {age} s before the alarm could ring, and unknown since"),
        ];
        let mut also = |is_so: bool, what: String| told.extend(is_so.then_some(what));
        also(!dr_answers, "the DR site does not answer yet".to_owned());
        also(setup.targets, "an alarm says whether DR's targets are healthy".to_owned());
        also(self.overlaps, "invocations overlap".to_owned());
        also(self.asleep_minutes > 0, format!("operators answer after {} minutes", self.asleep_minutes));
        if let Some(beside) = &self.beside {
            also(true, format!("on the switch; {}", beside.in_words()));
        }
        if let Some(trouble) = self.trouble {
            also(true, format!("{trouble:?}"));
        }
        told
    }
}

/// A part of AWS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    /// Throttled, as its five requests a second for a whole account are soon used up.
    Route53,
    /// Silent, as with us-east-1 down.
    CloudWatch,
    /// Refusing.
    Rds,
    /// Throttled.
    Sns,
    /// Unreachable.
    PrimaryRegion,
}

/// A part of AWS that is out of order for minutes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Trouble {
    part: Part,
    from: Timestamp,
    until: Timestamp,
}

impl Trouble {
    const PARTS: [Part; 5] = [Part::Route53, Part::CloudWatch, Part::Rds, Part::Sns, Part::PrimaryRegion];
    const MINUTES: u32 = 10;
    const CHOICES: u32 = Self::PARTS.len() as u32 * Self::MINUTES * Self::MINUTES;

    fn of(choice: u32) -> Option<Self> {
        let nth = choice.checked_sub(1)?;
        let (nth, from) = (nth / Self::MINUTES, nth % Self::MINUTES);
        let (nth, lasts) = (nth / Self::MINUTES, 1 + nth % Self::MINUTES);
        let minutes = |minutes: u32| start() + SignedDuration::from_mins(minutes.into());
        let part = *Self::PARTS.get(nth as usize)?;
        Some(Self { part, from: minutes(from), until: minutes(from + lasts) })
    }

    /// What it does to a call.
    pub fn befalls(self, now: Timestamp, function: Function, api: &str) -> Option<Fault> {
        let is_fencer = function == Function::Fencer;
        let fault = match self.part {
            Part::Route53 if api.contains("Record") || api == "GetChange" => Fault::Refused("Throttling"),
            Part::CloudWatch if ["DescribeAlarms", "GetMetricData"].contains(&api) => Fault::TimedOutBefore,
            Part::Rds if !is_fencer && (api.contains("DB") || api.contains("Replica")) => {
                Fault::Refused("InternalFailure")
            }
            Part::Sns if api == "Publish" => Fault::Refused("Throttling"),
            Part::PrimaryRegion if is_fencer && !api.contains("Record") => Fault::TimedOutBefore,
            _ => return None,
        };
        (self.from <= now && now < self.until).then_some(fault)
    }
}
