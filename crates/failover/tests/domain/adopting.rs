//! The switch takes the place of the alarm's own health check, and gives it back.

use crate::common::*;
use failover::adopt::{AdoptError, adopt};
use failover::change::{Batch, Change, Write};
use failover::hold::{is_on_switch, maintained_check};
use failover::observation::NameView;
use failover::plan::Plan;
use failover::record::RecordSet;
use failover::register::{ArmedBy, Register};

fn of(register: Option<&Register>) -> NameView {
    view("app.example.com", PRIMARY, register)
}

fn with_switch() -> Plan {
    Plan { failover_health_check: Some("hc-1".to_owned()), switch: Some("switch".to_owned()), ..plan() }
}

fn created(write: &Write) -> Vec<&RecordSet> {
    let mut created = Vec::new();
    for change in &write.changes {
        if let Change::Create(set) = change {
            created.push(set);
        }
    }
    created
}

#[test]
fn adoption_swaps_the_health_check_of_each_primary_and_nothing_else_and_counts_as_a_rehearsal() {
    let rehearsed = |seconds| match armed(-7_200, ArmedBy::Settling) {
        Register::Armed { since, by, memory, .. } => {
            Register::Armed { since, by, rehearsed: Some(at(seconds)), memory }
        }
        other => other,
    };
    let armed = armed(-7_200, ArmedBy::Settling);
    for (register, next) in [(armed, rehearsed(60)), (rehearsed(-60), rehearsed(60)), (disarmed(), disarmed())] {
        let before = of(Some(&register));
        let write = adopt(&before, "switch", at(60)).unwrap().unwrap();
        assert_eq!(write.register, next, "whoever goes by an earlier listing learns of it");
        let primary = before.pairs.as_ref().unwrap()[0].primary();
        let wanted = RecordSet { health_check: Some("switch".to_owned()), ..primary.clone() };
        let (was, own) = (register.record_set(&app()).unwrap(), next.record_set(&app()).unwrap());
        assert_eq!(created(&write), [&own, &wanted]);
        let batch = Batch { zone: "Z1".to_owned(), writes: vec![write.clone()] };
        let deleted: Vec<_> = batch.changes().filter(|change| matches!(change, Change::Delete(_))).collect();
        assert_eq!(deleted, [&Change::Delete(was), &Change::Delete(primary.clone())], "each as it was seen");
        let sets = [wanted, before.pairs.as_ref().unwrap()[0].secondary().clone(), own];
        let after = NameView::of_name("Z1", &app(), &sets);
        assert_eq!(adopt(&after, "switch", at(60)), Ok(None), "what is on it stays as it is");
        assert!(adopt(&after, "hc-1", at(60)).unwrap().is_some(), "and goes back the same way");
        assert!(is_on_switch(&with_switch(), &after) && !is_on_switch(&with_switch(), &before));
        assert!(!is_on_switch(&plan(), &after), "without a switch nothing is on it");
        assert_eq!(maintained_check(&with_switch(), std::slice::from_ref(&after)), None);
        assert_eq!(maintained_check(&with_switch(), &[after, before]), Some("hc-1"), "one name is not on it");
    }
}

#[test]
fn only_a_name_at_rest_is_adopted() {
    for (register, refused) in [
        (None, AdoptError::NeverArmed(app())),
        (Some(paused(7_200)), AdoptError::Paused(app())),
        (Some(pinned(0, in_sync(40))), AdoptError::Pinned(app())),
        (Some(failed_over(0)), AdoptError::Pinned(app())),
    ] {
        assert_eq!(adopt(&of(register.as_ref()), "switch", at(60)), Err(refused));
    }
    assert!(matches!(
        adopt(&unreadable("app.example.com", PRIMARY), "switch", at(60)),
        Err(AdoptError::Register { .. })
    ));
    let without_pair = NameView::of_name("Z1", &app(), &[disarmed().record_set(&app()).unwrap()]);
    assert!(matches!(adopt(&without_pair, "switch", at(60)), Err(AdoptError::Pair(_))));
}
