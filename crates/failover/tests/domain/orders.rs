//! What a person's order makes of a register: state in, register out.

use crate::common::*;
use failover::observation::NameView;
use failover::order::{Order, OrderError, register_for};
use failover::register::{ArmedBy, Register};

fn of(register: Option<&Register>) -> NameView {
    view("app.example.com", PRIMARY, register)
}

fn disarm() -> Order {
    Order::Disarm { by: "kim".to_owned() }
}

fn pause() -> Order {
    Order::Pause { until: at(7_200), by: "kim".to_owned() }
}

fn reject(began: i64) -> Order {
    Order::Reject { incident: incident(began) }
}

#[test]
fn an_order_changes_only_registers_that_it_is_for() {
    let (old, now) = (armed(-7_200, ArmedBy::Settling), at(60));
    let paused_now = Register::Paused { at: now, until: at(7_200), by: "kim".to_owned() };
    let disarmed_now = Register::Disarmed { at: now, by: "kim".to_owned() };
    let armed_now = |by| Some(Register::armed(now, by));
    for (story, order, before, after) in [
        ("a new name is armed", Order::Arm, None, armed_now(ArmedBy::Operator)),
        ("a disarmed name is armed", Order::Arm, Some(disarmed()), armed_now(ArmedBy::Operator)),
        ("an armed name does not begin to settle anew", Order::Arm, Some(old.clone()), None),
        ("arming ends a pause", Order::Arm, Some(paused(7_200)), armed_now(ArmedBy::Operator)),
        ("an armed name is disarmed", disarm(), Some(old.clone()), Some(disarmed_now.clone())),
        ("a new name is kept from arming itself", disarm(), None, Some(disarmed_now.clone())),
        ("a paused name is disarmed for good", disarm(), Some(paused(7_200)), Some(disarmed_now)),
        ("who disarmed it first stays on record", disarm(), Some(disarmed()), None),
        ("an armed name is paused", pause(), Some(old.clone()), Some(paused_now.clone())),
        ("a pause is made longer or shorter", pause(), Some(paused(600)), Some(paused_now.clone())),
        ("a new name is paused", pause(), None, Some(paused_now)),
        ("the end of a pause would arm a disarmed name", pause(), Some(disarmed()), None),
        ("a pause is ended", Order::Resume, Some(paused(7_200)), armed_now(ArmedBy::MaintenanceEnd)),
        ("what is not paused is not armed by its end", Order::Resume, Some(disarmed()), None),
        ("nor begins an armed name to settle anew", Order::Resume, Some(old.clone()), None),
        ("an incident is rejected", reject(0), Some(old), armed_now(ArmedBy::Rejection)),
    ] {
        assert_eq!(register_for(&order, &of(before.as_ref()), now), Ok(after), "{story}");
    }
}

#[test]
fn a_pause_that_the_tick_may_be_ending_is_not_made_longer() {
    let made_longer = |ends| register_for(&pause(), &of(Some(&paused(ends))), at(60));
    let until = |ends| Err(OrderError::PauseEnds { name: app(), until: at(ends) });
    assert_eq!([made_longer(0), made_longer(60), made_longer(119)], [until(0), until(60), until(119)]);
    assert!(made_longer(120).is_ok());
    for order in [Order::Arm, disarm(), Order::Resume] {
        assert!(register_for(&order, &of(Some(&paused(60))), at(60)).is_ok(), "{order:?}");
    }
}

#[test]
fn no_order_touches_what_is_pinned() {
    for register in [pinned(0, in_sync(40)), pinned(2, unrecorded(40)), failed_over(1)] {
        let view = view("app.example.com", DR, Some(&register));
        for order in [Order::Arm, disarm(), pause(), Order::Resume, reject(0)] {
            assert_eq!(register_for(&order, &view, at(60)), Err(OrderError::Committed(app())), "{order:?}");
        }
    }
}

#[test]
fn no_order_overwrites_a_register_that_nobody_understands() {
    let view = unreadable("app.example.com", PRIMARY);
    for order in [Order::Arm, disarm(), pause(), Order::Resume, reject(0)] {
        let error = register_for(&order, &view, at(60)).unwrap_err();
        assert!(matches!(error, OrderError::Unreadable { .. }), "{order:?}: {error}");
    }
}

#[test]
fn a_name_that_could_not_be_pinned_is_not_armed() {
    let on_dr = view("app.example.com", DR, Some(&disarmed()));
    assert_eq!(register_for(&Order::Arm, &on_dr, at(60)), Err(OrderError::AlreadyOnDr(app())));
    let without_pair = NameView::of_name("Z1", &app(), &[disarmed().record_set(&app()).unwrap()]);
    assert!(matches!(register_for(&Order::Arm, &without_pair, at(60)), Err(OrderError::Pair(_))));
}

#[test]
fn only_the_incident_that_a_name_is_in_is_rejected() {
    let armed_since = armed(-7_200, ArmedBy::Operator);
    for (story, began, register) in [
        ("an incident from before it was armed", -7_200, Some(armed_since)),
        ("a name that is not armed", 0, Some(disarmed())),
        ("a name never armed", 0, None),
    ] {
        let refused = register_for(&reject(began), &of(register.as_ref()), at(60));
        assert_eq!(refused, Err(OrderError::NotInIncident { name: app(), incident: incident(began) }), "{story}");
    }
}
