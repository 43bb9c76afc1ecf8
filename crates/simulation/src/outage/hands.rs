//! What people do to records, alarms and databases while Holdfast works.

use failover::observation::NameView;
use jiff::SignedDuration;

use super::{FAULTY_MINUTES, Outage, REPINS_MAX};
use crate::beside::Beside;
use crate::chance::About;
use crate::setup::TTL_SECONDS;
use crate::watch::Author;

/// What a person makes of a TTL.
const LONG_TTL_SECONDS: u32 = 300;

impl Outage {
    /// What people do to what is not Holdfast's, for reasons of their own, and take back once the faults have ended, where they can.
    pub(super) fn lay_hands(&mut self, minute: i64, is_faulty: bool) {
        let names = self.holdfast.names();
        let mut world = self.holdfast.world.get();
        let odds = if world.alarm_is_gone { 0.7 } else { 0.01 };
        let is_gone = is_faulty && self.chance.happens(About::AlarmGone, odds);
        if is_gone != world.alarm_is_gone {
            world.tell(|| if is_gone { "somebody deletes the alarm" } else { "the alarm is there again" }.to_owned());
            world.alarm_is_gone = is_gone;
        }
        let hand = |about, odds| match is_faulty && self.running.is_empty() {
            true => (self.chance.one_of(about, odds, 1_000) as usize).checked_sub(1),
            false => None,
        };
        if let Some(choice) = hand(About::Swap, 0.01) {
            let view = &names[choice % names.len()];
            world.tell(|| format!("somebody points the SECONDARY record of {} at the primary", view.name));
            self.swapped.extend(
                world.swap(&view.zone, &view.name, true).is_ok().then(|| (view.zone.clone(), view.name.clone())),
            );
        }
        // Put back as it was, but not before Holdfast has seen it: what is put back between two looks nobody can see.
        let known = |view: &NameView| view.register().and_then(|register| register.memory().ttl).map(|ttl| ttl.seconds);
        let long = names.iter().position(|view| known(view) == Some(LONG_TTL_SECONDS));
        if let Some(choice) = hand(About::Ttl, if long.is_some() { 0.5 } else { 0.03 }) {
            let view = &names[long.unwrap_or(choice % names.len())];
            let ttl_seconds = if long.is_some() { TTL_SECONDS } else { LONG_TTL_SECONDS };
            // Route 53 says that a change takes a minute at most. Of people's, Holdfast does not know that one takes ten.
            let arrives = world.route53.delay.is_some_and(|delay| delay <= SignedDuration::from_mins(1));
            if arrives && view.pin().is_none() {
                world.tell(|| format!("somebody gives the PRIMARY records of {} a TTL of {ttl_seconds} s", view.name));
                drop(world.set_ttl(&view.zone, &view.name, ttl_seconds));
                self.drain_minutes = i64::from(LONG_TTL_SECONDS / 60);
            }
        }
        let ids: Vec<_> = world.replicas.keys().cloned().collect();
        if let Some(choice) = hand(About::PromotedByHand, 0.005)
            && !ids.is_empty()
            && !world.is_anything_late(&["Promote", "Modify"])
        {
            world.promote_by_hand(&ids[choice % ids.len()]);
        }
        // Not before a whole minute has seen it: what is put back between two looks nobody can see (docs/proof.md).
        let dark_until = self.circumstances.beside.as_ref().map_or(0, Beside::dark_until);
        if minute > FAULTY_MINUTES.max(dark_until) && !self.swapped.is_empty() {
            self.mended = Some(minute);
            for (zone, name) in std::mem::take(&mut self.swapped) {
                world.tell(|| format!("the SECONDARY record of {name} is put back"));
                drop(world.swap(&zone, &name, false));
            }
        }
    }

    pub(super) fn undo_one(&mut self, choice: usize) {
        // Nor can a promotion be called back that is still on its way.
        if self.holdfast.world.get().is_anything_late(&["Promote", "Modify"]) {
            return;
        }
        let names = self.holdfast.names();
        let view = &names[choice % names.len()];
        if view.pin().is_some_and(|pin| pin.repins < REPINS_MAX) && view.agrees() {
            self.undo(view);
        }
    }

    pub(super) fn undo(&self, view: &NameView) {
        let mut world = self.holdfast.world.get();
        world.tell(|| format!("{} is undone by hand", view.name));
        drop(world.undo(Author::Operator, &view.zone, &view.name));
    }
}
