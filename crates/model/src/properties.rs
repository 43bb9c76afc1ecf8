//! What must never be, what must be possible, and what must happen.

use failover::plan::Mode;
use failover::record::RecordSet;
use failover::register::{ArmedBy, Register};
use stateright::Property;

use crate::bounds::{HELD_BACK, LASTS};
use crate::hands::batches;
use crate::people::Deed;
use crate::setting::{Zone, after, at, beside, is_same, original, secondary};
use crate::steps::Holdfast;
use crate::watch::Violation;
use crate::world::{Trouble, World};

impl Holdfast {
    /// Whether a failback from here, once the pair is whole, nothing stands beside it (rule F02) and the failover is through,
    /// restores every PRIMARY record.
    fn restores(&self, zone: usize, records: &Zone) -> bool {
        self.restored.get((zone, records.clone()), |(zone, records)| {
            records.views.iter().all(|view| {
                let Some(pin) = view.register().and_then(Register::pin) else { return true };
                let register = Register::FailedOver { at: at(0), pin: pin.clone() };
                let Ok(register) = register.record_set(&view.name) else { return false };
                let (second, stray) = (secondary(&view.name), beside(&view.name));
                let is_replaced =
                    |set: &RecordSet| set.name == register.name || is_same(set, &second) || is_same(set, &stray);
                let rest = records.sets.iter().filter(|set| !is_replaced(set)).cloned();
                let sets = rest.chain([register.clone(), second.clone()]).collect();
                let ready = self.setting.zone(*zone, sets);
                let of_name = ready.views.iter().find(|ready| ready.name == view.name);
                let write = of_name.map(|view| (self.rules.restore)(&self.setting.plan, view, at(0), "p"));
                let Some(Ok(Some(write))) = write else { return false };
                let batch = batches(vec![write]);
                let home = batch.first().and_then(|batch| after(&self.setting, *zone, &ready, batch, true));
                home.is_some_and(|home| home.primary(&view.name) == Some(&original(&view.name)))
            })
        })
    }

    /// Every name is failed over.
    pub fn has_failed_over(world: &World) -> bool {
        world.registers().all(|register| matches!(register, Some(Register::FailedOver { .. })))
    }

    /// All of them, for these bounds.
    pub fn all_properties(&self) -> Vec<Property<Self>> {
        macro_rules! never {
            ($violation:ident) => {
                Property::<Self>::always(Violation::$violation.property(), |_, world| {
                    !world.watch.violations.contains(&Violation::$violation)
                })
            };
        }
        let mut properties = vec![
            never!(PromotedTooEarly),
            never!(PromotedTwice),
            never!(LostTooMuch),
            never!(ClosedTooEarly),
            never!(PinnedTwice),
            never!(PinnedForOldAlarm),
            never!(PrimaryAnswered),
            never!(WroteOldPrimary),
            never!(RehearsalMoved),
            never!(FalseEnd),
            never!(WroteWhileOff),
            never!(NotRestored),
            never!(ArmedWithoutReplica),
            never!(SkippedRule),
            Property::<Self>::always(Violation::OriginalLost.property(), |model, world| {
                world.zones.iter().enumerate().all(|(zone, hosted)| model.restores(zone, &hosted.records))
            }),
        ];
        if self.bounds.troubles.contains(&Trouble::AlarmGone) {
            properties.push(Property::<Self>::always(Violation::Unguarded.property(), |model, world| {
                model.is_told_of_unguarded_names(world)
            }));
        }
        if self.bounds.workload.disables_check {
            properties.push(Property::<Self>::always(Violation::CheckLeftDisabled.property(), |_, world| {
                !world.check_is_disabled || world.paused_until().is_some()
            }));
            properties.push(Property::<Self>::always(Violation::MaintenanceUndone.property(), |_, world| {
                let goes_on = world.paused_until().is_some_and(|until| at(world.time) < until);
                world.check_is_disabled || !world.is_maintained || !goes_on || world.command.is_some()
            }));
        }
        if self.bounds.workload.mode != Mode::Shadow && self.bounds.may_end_failed_over() {
            properties.push(Property::<Self>::sometimes("an outage ends failed over", |_, world| {
                Self::has_failed_over(world)
            }));
        }
        if self.bounds.is_fair && self.bounds.troubles.contains(&Trouble::RecordProtected) {
            properties.push(Property::<Self>::always(HELD_BACK, |model, world| {
                let mut others = world.registers().skip(1);
                world.time < model.bounds.time
                    || world.completed != (true, true)
                    || world.rang.is_empty()
                    || others.all(|register| register.is_some_and(|register| register.pin().is_some()))
            }));
        } else if self.bounds.is_fair {
            properties.push(Property::<Self>::always(LASTS, |model, world| {
                world.time < model.bounds.time
                    || world.completed != (true, true)
                    || world.rang.is_empty()
                    || Self::has_failed_over(world)
            }));
        }
        if self.bounds.deeds.contains(&Deed::FailBack) {
            properties.push(Property::<Self>::sometimes("a failback completes", |_, world| {
                let is_home = |register: Option<&Register>| match register {
                    Some(Register::Disarmed { by, .. }) => by.starts_with("failback"),
                    Some(Register::Armed { by, .. }) => *by == ArmedBy::Failback,
                    _ => false,
                };
                world.registers().all(is_home) && world.zones.iter().all(|hosted| hosted.published == hosted.records)
            }));
        }
        properties
    }
}
