//! What people tell Holdfast: to fail over, to leave a name alone, to pin again or let go of what was left to them.

use failover::change;
use failover::incident::{AlarmState, Approval, Incident};
use failover::observation::NameView;
use failover::order::{Order, register_for};
use failover::register::{REPINS_MAX, Register};
use failover::rule::Rule;

use super::{FAULTY_MINUTES, Outage};
use crate::chance::About;
use crate::event;
use crate::holdfast::Function;
use crate::watch::Author;

impl Outage {
    pub(super) fn give_orders(&mut self, minute: i64, is_faulty: bool) {
        if is_faulty && self.chance.happens(About::Declare, 0.01) {
            self.declare();
        }
        if self.holdfast.world.get().watch.pins().is_empty() {
            return;
        }
        let is_quiet = self.running.is_empty() && !self.holdfast.world.get().is_anything_late(&["Promote", "Modify"]);
        // Whoever undid a pin once has a reason that does not go away.
        if is_faulty
            && is_quiet
            && let Some(view) =
                self.names_that(|view| view.pin().is_some_and(|pin| pin.repins > 0) && view.agrees()).next()
            && self.chance.happens(About::UndoAgain, 0.5)
        {
            self.undo(&view);
        }
        // Not before a whole minute has seen it.
        if minute > FAULTY_MINUTES {
            self.settle_what_was_left_to_people(minute);
        }
    }

    fn names_that(&self, wanted: impl Fn(&NameView) -> bool) -> impl Iterator<Item = NameView> {
        self.holdfast.names().into_iter().filter(move |view| wanted(view))
    }

    /// A person fails over, as `holdfast failover` does: in the incident whose alarm rings, or in one that begins now.
    fn declare(&mut self) {
        let (approval, event) = {
            let mut world = self.holdfast.world.get();
            let rings = world.alarm.state == AlarmState::Alarm && !world.alarm_is_gone;
            let incident = if rings {
                Incident { alarm: world.alarm.name.clone(), began: world.alarm.since }
            } else {
                Incident::declared(world.now)
            };
            let despite = [Rule::P08, Rule::P09, Rule::P10, Rule::P12, Rule::P15].into();
            let approval = Approval { incident, by: "kim".to_owned(), reason: "we go now".to_owned(), despite };
            world.tell(|| format!("kim fails over by hand, {}", approval.incident));
            let event = event::approval(&approval, world.now);
            (approval, event)
        };
        self.holdfast.world.get().watch.approvals.push(approval);
        self.holdfast.send(Function::AlarmHandler, event.clone());
        self.holdfast.send(Function::ReplicaPromoter, event);
    }

    /// A person disarms every name that is armed, at whatever point of somebody else's work.
    pub(super) fn disarm(&self) {
        for view in self.holdfast.names() {
            if matches!(view.register(), Some(Register::Armed { .. })) {
                self.order(&view, &Order::Disarm { by: "kim".to_owned() });
            }
        }
    }

    fn settle_what_was_left_to_people(&mut self, minute: i64) {
        for view in self.holdfast.names() {
            let is_spent = view.pin().is_some_and(|pin| pin.repins >= REPINS_MAX);
            if !is_spent || view.agrees() || view.swapped().is_some() {
                continue;
            }
            let is_released = self.chance.happens(About::Release, 0.25);
            let order = if is_released { Order::Release { by: "kim".to_owned() } } else { Order::PinAgain };
            if self.order(&view, &order) && !is_released {
                self.holdfast.world.get().watch.pinned_again(&view.zone, &view.name);
                self.mended.get_or_insert(minute);
            }
        }
    }

    /// True if it was carried out.
    fn order(&self, view: &NameView, order: &Order) -> bool {
        let mut world = self.holdfast.world.get();
        let Ok(Some(register)) = register_for(order, view, world.now) else { return false };
        let Ok(write) = change::rewrite_register(view, register) else { return false };
        let written = world.submit(Author::Operator, &view.zone, write.changes.iter());
        world.tell(|| {
            format!("kim says {order:?} of {}: {}", view.name, if written.is_ok() { "done" } else { "refused" })
        });
        written.is_ok()
    }
}
