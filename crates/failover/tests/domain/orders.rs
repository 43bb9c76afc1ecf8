//! What a person's order makes of a register: state in, register out.

use crate::common::*;
use failover::observation::NameView;
use failover::order::{Order, OrderError, register_for};
use failover::register::{ArmedBy, Memory, Register};

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
    let knowing = || armed(0, ArmedBy::Operator).memory();
    let paused_now = Register::paused(now, at(7_200), "kim".to_owned()).remembering(knowing());
    let disarmed_now = Register::disarmed(now, "kim".to_owned()).remembering(knowing());
    let armed_now = |by| Some(armed(60, by));
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

#[test]
fn whoever_changes_a_register_keeps_when_the_name_was_failed_back() {
    let memory = Memory { failed_back: Some(at(-600)), ttl: None };
    for (order, before) in [
        (Order::Arm, disarmed()),
        (Order::Arm, paused(7_200)),
        (disarm(), armed(-7_200, ArmedBy::Failback)),
        (pause(), armed(-7_200, ArmedBy::Failback)),
        (Order::Resume, paused(7_200)),
        (reject(0), armed(-7_200, ArmedBy::Failback)),
    ] {
        let after = register_for(&order, &of(Some(&before.remembering(memory.clone()))), at(60)).unwrap().unwrap();
        assert_eq!(after.memory().failed_back, Some(at(-600)), "{order:?}");
    }
}

fn release() -> Order {
    Order::Release { by: "kim".to_owned() }
}

/// A pinned name whose records lead there.
fn led(register: &Register, primary: &str, secondary: &str) -> NameView {
    let mut scene = Scene::outage();
    scene.moved(register, primary, secondary);
    scene.view
}

#[test]
fn what_was_left_to_people_they_have_pinned_again_or_release() {
    let (now, elsewhere) = (at(60), "203.0.113.7");
    let released = Ok(Some(Register::disarmed(now, "released by kim".to_owned())));
    let committed_anew = Register::Pinned { pin: pin(0, 0), spread: unrecorded(60) };
    for (register, again) in [
        (pinned(2, in_sync(40)), committed_anew),
        (failed_over(2), Register::FailedOver { at: at(600), pin: pin(0, 0) }),
    ] {
        for primary in [PRIMARY, elsewhere] {
            let view = led(&register, primary, DR);
            assert_eq!(register_for(&release(), &view, now), released);
            assert_eq!(
                register_for(&Order::PinAgain, &view, now),
                Ok(Some(again.clone())),
                "its two pins are given back"
            );
        }
        let put_back = led(&register, DR, DR);
        assert_eq!(register_for(&Order::PinAgain, &put_back, now), Ok(Some(again)));
        assert_eq!(register_for(&release(), &put_back, now), Err(OrderError::Held(app())), "Holdfast holds it again");
    }
}

#[test]
fn what_holdfast_still_holds_is_not_released() {
    for register in [pinned(0, in_sync(40)), pinned(1, in_sync(40)), failed_over(1)] {
        for view in [led(&register, DR, DR), led(&register, PRIMARY, DR)] {
            assert_eq!(register_for(&release(), &view, at(60)), Err(OrderError::Held(app())));
            assert_eq!(register_for(&Order::PinAgain, &view, at(60)), Ok(None), "it does so by itself");
        }
    }
    for register in [armed(-7_200, ArmedBy::Operator), disarmed(), paused(7_200)] {
        for order in [release(), Order::PinAgain] {
            let refused = register_for(&order, &of(Some(&register)), at(60));
            assert_eq!(refused, Err(OrderError::NotCommitted(app())), "{order:?}");
        }
    }
}

#[test]
fn where_roles_are_swapped_a_name_is_released_and_never_pinned_again() {
    for register in [pinned(0, in_sync(40)), failed_over(2)] {
        for primary in [DR, PRIMARY] {
            let view = led(&register, primary, PRIMARY);
            assert!(matches!(register_for(&release(), &view, at(60)), Ok(Some(Register::Disarmed { .. }))));
            let swapped = Err(OrderError::Swapped { name: app(), kind: "A".to_owned() });
            assert_eq!(register_for(&Order::PinAgain, &view, at(60)), swapped);
        }
    }
}
