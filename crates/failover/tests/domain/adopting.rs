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
fn adoption_swaps_the_health_check_of_each_primary_and_nothing_else_while_the_register_stands_still() {
    for register in [armed(-7_200, ArmedBy::Settling), disarmed()] {
        let before = of(Some(&register));
        let write = adopt(&before, "switch").unwrap().unwrap();
        assert_eq!(write.register, register, "it is not changed");
        let primary = before.pairs.as_ref().unwrap()[0].primary();
        let wanted = RecordSet { health_check: Some("switch".to_owned()), ..primary.clone() };
        let own = register.record_set(&app()).unwrap();
        assert_eq!(created(&write), [&own, &wanted]);
        let batch = Batch { zone: "Z1".to_owned(), writes: vec![write.clone()] };
        let deleted: Vec<_> = batch.changes().filter(|change| matches!(change, Change::Delete(_))).collect();
        assert_eq!(deleted, [&Change::Delete(own.clone()), &Change::Delete(primary.clone())], "each as it was seen");
        let sets = [wanted, before.pairs.as_ref().unwrap()[0].secondary().clone(), own];
        let after = NameView::of_name("Z1", &app(), &sets);
        assert_eq!(adopt(&after, "switch"), Ok(None), "what is on it stays as it is");
        assert!(adopt(&after, "hc-1").unwrap().is_some(), "and goes back the same way");
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
        assert_eq!(adopt(&of(register.as_ref()), "switch"), Err(refused));
    }
    assert!(matches!(adopt(&unreadable("app.example.com", PRIMARY), "switch"), Err(AdoptError::Register { .. })));
    let without_pair = NameView::of_name("Z1", &app(), &[disarmed().record_set(&app()).unwrap()]);
    assert!(matches!(adopt(&without_pair, "switch"), Err(AdoptError::Pair(_))));
}
