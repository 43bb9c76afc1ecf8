//! Rules broken on purpose, to show that the simulation notices: each is a function that sees, writes or says what it should
//! not, while the decisions are those that ship.

use aws::CallError;
use aws::store::Item;
use aws::telemetry::Metric;
use failover::change::{Batch, Change};
use failover::incident::{AlarmSighting, AlarmState};
use failover::name::Name;
use failover::outcome::{Outcome, Trigger};
use failover::plan::{self, Limits, Mode, Plan};
use failover::record::{RecordSet, Role, Routing, Target};
use failover::register::{ArmedBy, Evidence, Pin, Reading, Register, Spread};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use crate::holdfast::Function;
use crate::property::Property;
use crate::watch::Author;
use crate::world::{World, is_of_targets};

/// A rule to break.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Sabotage {
    /// The compare-and-swap is dropped: what is there is overwritten, whatever it is.
    DropsCompareAndSwap,
    /// A batch creates what it should delete, and deletes what it should create.
    SwapsDeleteAndCreate,
    /// A change that is PENDING counts as INSYNC.
    PromotesOnPending,
    /// Clients are given no time to drain.
    ForgetsToDrain,
    /// Only the TTL that records have now counts, and not the longer one that they had before.
    ForgetsLongerTtl,
    /// Whatever is a writer is taken for a replica that was promoted.
    VouchesForWriters,
    /// The names that are not pinned are taken for pinned by whoever promotes.
    PromotesUnpinned,
    /// The settle time and the cool-down are forgotten.
    ForgetsCoolDown,
    /// Approval mode counts as automatic.
    AsksNobody,
    /// Shadow mode counts as automatic.
    ActsInShadow,
    /// Who is disarmed or paused counts as armed.
    ActsWhileOff,
    /// The probes say what suits a failover.
    IgnoresProbes,
    /// The alarm on DR's targets says OK, whatever it says.
    IgnoresTargets,
    /// The alarm rings though it does not.
    HearsAlarms,
    /// A lag of −1 counts as none.
    BelievesMinusOne,
    /// Any loss of data is accepted.
    AcceptsAnyLoss,
    /// One field of what the PRIMARY record said is not kept.
    LosesAField,
    /// A pinned record loses its health check.
    LosesHealthCheck,
    /// A register is written beside the one that is meant.
    WritesBeside,
    /// Once the alarm is OK the records go back by themselves.
    GoesBack,
    /// A pin that somebody undid is taken for intact.
    LeavesDrift,
    /// A pin whose change is not on record is never confirmed.
    NeverConfirms,
    /// The databases are never really promoted.
    NeverPromotes,
    /// The health check stays disabled though a maintenance has ended.
    LeavesCheckDisabled,
    /// That the switch shows DR counts as the latch.
    ProvesByDrAlone,
    /// One name server's word counts as all's.
    BelievesOneServer,
    /// What name servers' answers need beside TTL and drain time is not waited for.
    ForgetsTheMargin,
    /// Once the alarm is OK the latch is lifted.
    LiftsTheLatch,
    /// Who is disarmed or paused counts as armed where name servers tell the registers.
    CommitsWhileOff,
    /// Nobody hears a heartbeat.
    NeverHolds,
    /// Only events wake the functions.
    IgnoresTicks,
    /// Nobody is told anything.
    KeepsSilent,
    /// What lasts is told once and never again.
    NeverRepeats,
    /// What lasts is told every minute.
    RepeatsEveryMinute,
}

/// Each sabotage, and the property that notices it.
pub const NOTICED_BY: [(Sabotage, Property); 34] = [
    (Sabotage::DropsCompareAndSwap, Property::PrimaryAnswered),
    (Sabotage::SwapsDeleteAndCreate, Property::NotFailedOver),
    (Sabotage::PromotesOnPending, Property::PromotedTooEarly),
    (Sabotage::ForgetsToDrain, Property::PromotedTooEarly),
    (Sabotage::ForgetsLongerTtl, Property::PromotedTooEarly),
    (Sabotage::VouchesForWriters, Property::FalseEnd),
    (Sabotage::PromotesUnpinned, Property::PromotedTooEarly),
    (Sabotage::ForgetsCoolDown, Property::PinnedUnapproved),
    (Sabotage::AsksNobody, Property::PinnedUnapproved),
    (Sabotage::ActsInShadow, Property::WroteWhileOff),
    (Sabotage::ActsWhileOff, Property::WroteWhileOff),
    (Sabotage::IgnoresProbes, Property::PinnedUnapproved),
    (Sabotage::IgnoresTargets, Property::PinnedUnapproved),
    (Sabotage::HearsAlarms, Property::PinnedForNothing),
    (Sabotage::BelievesMinusOne, Property::PromotedAtALoss),
    (Sabotage::AcceptsAnyLoss, Property::PromotedAtALoss),
    (Sabotage::LosesAField, Property::OriginalLost),
    (Sabotage::LosesHealthCheck, Property::OriginalLost),
    (Sabotage::WritesBeside, Property::ForeignRecordTouched),
    (Sabotage::GoesBack, Property::PrimaryAnswered),
    (Sabotage::LeavesDrift, Property::NotFailedOver),
    (Sabotage::NeverConfirms, Property::NotFailedOver),
    (Sabotage::NeverPromotes, Property::NotFailedOver),
    (Sabotage::LeavesCheckDisabled, Property::ArmedUnchecked),
    (Sabotage::ProvesByDrAlone, Property::PromotedTooEarly),
    (Sabotage::BelievesOneServer, Property::PromotedTooEarly),
    (Sabotage::ForgetsTheMargin, Property::PromotedTooEarly),
    (Sabotage::LiftsTheLatch, Property::LatchedWentBack),
    (Sabotage::CommitsWhileOff, Property::LatchedUndecided),
    (Sabotage::NeverHolds, Property::MovedUncommitted),
    (Sabotage::IgnoresTicks, Property::DidNotLook),
    (Sabotage::KeepsSilent, Property::NotTold),
    (Sabotage::NeverRepeats, Property::NotTold),
    (Sabotage::RepeatsEveryMinute, Property::ToldOutOfTurn),
];

impl Sabotage {
    /// As the command line takes it.
    #[must_use]
    pub fn name(self) -> String {
        clap::ValueEnum::to_possible_value(&self).map(|value| value.get_name().to_owned()).unwrap_or_default()
    }

    /// The plan as the functions read it.
    #[must_use]
    pub fn plan(self, plan: Plan) -> Plan {
        let limits = plan.limits;
        match self {
            Self::ForgetsCoolDown => {
                Plan { limits: Limits { settle_seconds: 0, cooldown_seconds: 0, ..limits }, ..plan }
            }
            Self::AcceptsAnyLoss => Plan { limits: Limits { lag_seconds_max: u32::MAX, ..limits }, ..plan },
            Self::ForgetsTheMargin => {
                let latch = plan.latch.clone().map(|latch| plan::Latch {
                    shown: latch.shown.map(|shown| plan::Shown { margin_seconds: 0, ..shown }),
                    ..latch
                });
                Plan { latch, ..plan }
            }
            Self::AsksNobody if plan.mode == Mode::Approval => Plan { mode: Mode::Automatic, ..plan },
            Self::ActsInShadow if plan.mode == Mode::Shadow => Plan { mode: Mode::Automatic, ..plan },
            _ => plan,
        }
    }

    /// True if a batch overwrites what it finds.
    #[must_use]
    pub fn overwrites(self) -> bool {
        use Sabotage::{ActsWhileOff, DropsCompareAndSwap, ForgetsLongerTtl, VouchesForWriters};
        // Who misreads a register could not write it otherwise.
        matches!(self, DropsCompareAndSwap | ActsWhileOff | ForgetsLongerTtl | VouchesForWriters)
    }

    /// What the function takes the zone's records for.
    pub(crate) fn listing(
        self,
        world: &mut World,
        function: Function,
        zone: &str,
        mut sets: Vec<RecordSet>,
    ) -> Vec<RecordSet> {
        match (self, function) {
            (Self::ActsWhileOff, _) => rewrite(&mut sets, |register| match register {
                Register::Disarmed { at, .. } | Register::Paused { at, .. } => {
                    Some(Register::armed(*at - SignedDuration::from_hours(24), ArmedBy::Operator))
                }
                _ => None,
            }),
            (Self::NeverConfirms, _) => rewrite(&mut sets, |register| match register {
                Register::Pinned { pin, spread: Spread::Unrecorded { .. } } => {
                    Some(Register::Pinned { pin: pin.clone(), spread: Spread::Unrecorded { at: world.now } })
                }
                _ => None,
            }),
            (Self::ForgetsToDrain, Function::ReplicaPromoter) => rewrite(&mut sets, |register| match register {
                Register::Pinned { pin, spread: Spread::InSync { at } } => {
                    let at = *at - SignedDuration::from_mins(5);
                    Some(Register::Pinned { pin: pin.clone(), spread: Spread::InSync { at } })
                }
                _ => None,
            }),
            (Self::ForgetsLongerTtl, Function::ReplicaPromoter) => {
                bend_pins(&mut sets, |pin| Pin { ttl_seconds: None, ..pin.clone() });
            }
            (Self::VouchesForWriters, Function::ReplicaPromoter) => {
                let seen: Evidence = world.replicas.keys().cloned().map(Evidence::replica).collect();
                bend_pins(&mut sets, |pin| Pin { evidence: seen.clone(), ..pin.clone() });
            }
            (Self::LeavesDrift, Function::AlarmHandler) if is_any_pinned(&sets) => lead_to_dr(&mut sets),
            (Self::PromotesUnpinned, Function::ReplicaPromoter) if is_any_pinned(&sets) => {
                claim_pins(&mut sets, world.now);
                lead_to_dr(&mut sets);
            }
            (Self::GoesBack, Function::AlarmHandler) if world.alarm.state == AlarmState::Ok => {
                let pinned = sets.iter().filter(|set| register(set).is_some_and(|register| register.pin().is_some()));
                for name in pinned.filter_map(|set| set.name.protected_by_register()) {
                    // Refused where somebody else was there first.
                    let _ = world.undo(Author::LAMBDA, zone, &name);
                }
            }
            _ => {}
        }
        sets
    }

    /// The batch as it is sent.
    pub(crate) fn batch(self, mut batch: Batch) -> Batch {
        let bend = |change: Change| match (self, change) {
            (Self::SwapsDeleteAndCreate, Change::Delete(set)) => vec![Change::Create(set)],
            (Self::SwapsDeleteAndCreate, Change::Create(set)) => vec![Change::Delete(set)],
            (Self::LosesHealthCheck, Change::Create(set)) => {
                vec![Change::Create(RecordSet { health_check: None, ..set })]
            }
            (Self::LosesAField, Change::Create(set)) => vec![Change::Create(without_ttl(set))],
            (Self::WritesBeside, Change::Create(set)) if set.kind == "TXT" => {
                let beside = set.name.protected_by_register().unwrap_or_else(|| set.name.clone());
                vec![Change::Create(RecordSet { name: beside, ..set.clone() }), Change::Create(set)]
            }
            (_, change) => vec![change],
        };
        for write in &mut batch.writes {
            write.changes = std::mem::take(&mut write.changes).into_iter().flat_map(bend).collect();
        }
        batch
    }

    /// True if it takes a workload on the switch.
    #[must_use]
    pub fn is_beside(self) -> bool {
        use Sabotage::ProvesByDrAlone;
        use Sabotage::{BelievesOneServer, CommitsWhileOff, ForgetsTheMargin, LiftsTheLatch, NeverHolds};
        let proofs = matches!(self, ProvesByDrAlone | BelievesOneServer | ForgetsTheMargin | CommitsWhileOff);
        proofs || matches!(self, LiftsTheLatch | NeverHolds)
    }

    /// Which name server it asks for another.
    pub(crate) fn server(self, nth: usize) -> usize {
        if self == Self::BelievesOneServer { 0 } else { nth }
    }

    /// What it takes a name server's answer for.
    pub(crate) fn heard(self, world: &World, server: usize, name: &Name, heard: Vec<String>) -> Vec<String> {
        let Some(switch) = &world.switch else { return heard };
        let is_latch = *name == switch.pairs.latch || *name == switch.pairs.again;
        match self {
            Self::ProvesByDrAlone if is_latch && !switch.servers[server].shows.is_primary() => {
                vec!["committed".to_owned()]
            }
            Self::CommitsWhileOff if name.protected_by_register().is_some() => {
                let armed = Register::armed(world.now - SignedDuration::from_hours(24), ArmedBy::Operator);
                vec![armed.to_string()]
            }
            _ => heard,
        }
    }

    /// What it does to the latch before it looks.
    pub(crate) fn before_the_latch_is_read(self, world: &mut World, function: Function) {
        let is_back = world.alarm.state == AlarmState::Ok && function == Function::AlarmHandler;
        if self == Self::LiftsTheLatch && is_back && world.store.remove(&Item::Latch).is_some() {
            world.tell(|| "alarm-handler lifts the latch".to_owned());
        }
    }

    /// For which time it says a metric; nothing if it says nothing.
    pub(crate) fn says(self, at: Timestamp, metric: &Metric) -> Option<Timestamp> {
        match (self, metric.name) {
            (Self::NeverHolds, "Hold") => None,
            _ => Some(at),
        }
    }

    /// What the function takes CloudWatch's word for.
    pub(crate) fn alarms(
        self,
        described: Result<Vec<AlarmSighting>, CallError>,
        now: Timestamp,
    ) -> Result<Vec<AlarmSighting>, CallError> {
        match (self, described) {
            (Self::HearsAlarms, Ok(alarms)) => {
                let rings = |alarm: AlarmSighting| AlarmSighting { state: AlarmState::Alarm, since: now, ..alarm };
                Ok(alarms.into_iter().map(rings).collect())
            }
            (Self::IgnoresTargets, Ok(alarms)) => {
                let well = |alarm: AlarmSighting| match is_of_targets(&alarm.arn) {
                    true => AlarmSighting { state: AlarmState::Ok, ..alarm },
                    false => alarm,
                };
                Ok(alarms.into_iter().map(well).collect())
            }
            (_, described) => described,
        }
    }

    /// The outcome as the notifier takes it; `None` if it says nothing of it.
    #[must_use]
    pub fn telling(self, outcome: Outcome) -> Option<Outcome> {
        match self {
            Self::NeverRepeats if outcome.trigger == Trigger::Tick && !outcome.outcome.is_transition() => None,
            Self::RepeatsEveryMinute => Some(Outcome { trigger: Trigger::Approval, ..outcome }),
            _ => Some(outcome),
        }
    }
}

fn register(set: &RecordSet) -> Option<Register> {
    let name = set.name.protected_by_register()?;
    Reading::of_name(&name, std::slice::from_ref(set)).register().cloned()
}

fn is_any_pinned(sets: &[RecordSet]) -> bool {
    sets.iter().filter_map(register).any(|register| register.pin().is_some())
}

/// Registers say what `says` makes of them, where it makes something.
fn rewrite(sets: &mut [RecordSet], says: impl Fn(&Register) -> Option<Register>) {
    for set in sets {
        let name = set.name.protected_by_register();
        let Some((name, is)) = name.zip(register(set)) else { continue };
        if let Some(bent) = says(&is).and_then(|register| register.record_set(&name).ok()) {
            *set = bent;
        }
    }
}

fn bend_pins(sets: &mut [RecordSet], bend: impl Fn(&Pin) -> Pin) {
    rewrite(sets, |register| match register {
        Register::Pinned { pin, spread } => Some(Register::Pinned { pin: bend(pin), spread: spread.clone() }),
        _ => None,
    });
}

/// Every register says what the first pinned one says, in sync for an hour.
fn claim_pins(sets: &mut [RecordSet], now: Timestamp) {
    let pin = sets.iter().filter_map(register).find_map(|register| register.pin().cloned());
    let at = now - SignedDuration::from_hours(1);
    rewrite(sets, |_| Some(Register::Pinned { pin: pin.clone()?, spread: Spread::InSync { at } }));
}

/// Every PRIMARY record leads where its SECONDARY does.
fn lead_to_dr(sets: &mut [RecordSet]) {
    let plays = |set: &RecordSet, wanted| matches!(set.routing, Routing::Failover { role, .. } if role == wanted);
    let secondaries: Vec<_> = sets.iter().filter(|set| plays(set, Role::Secondary)).cloned().collect();
    for primary in sets.iter_mut().filter(|set| plays(set, Role::Primary)) {
        let secondary = secondaries.iter().find(|set| set.name == primary.name && set.kind == primary.kind);
        if let Some(secondary) = secondary {
            primary.target = secondary.target.clone();
        }
    }
}

/// A register that keeps another TTL than the PRIMARY record had.
fn without_ttl(set: RecordSet) -> RecordSet {
    match set {
        RecordSet { name, kind, routing, health_check, target: Target::Values { ttl_seconds, values } }
            if kind == "TXT" =>
        {
            let values = values.iter().map(|value| value.replace(",values,20,", ",values,21,")).collect();
            RecordSet { name, kind, routing, health_check, target: Target::Values { ttl_seconds, values } }
        }
        other => other,
    }
}
