//! What is put on record of the databases, and where.

use crate::common::{DR, app, armed, at, change, in_sync, pin, pinned, unrecorded, values, view};
use failover::change::Write;
use failover::observation::{ChangeStatus, Changes, NameView};
use failover::plan::ReplicaId;
use failover::promotion::{Failover, put_on_record, record_in_sync};
use failover::register::{ArmedBy, Evidence, Pin, Reading, Register, Spread};

fn app_dr() -> Evidence {
    Evidence::replica(ReplicaId::AuroraCluster("app-dr".to_owned()))
}

fn orders_dr() -> Evidence {
    Evidence::replica(ReplicaId::RdsInstance("orders-dr".to_owned()))
}

fn knowing(evidence: Evidence, spread: Spread) -> Register {
    Register::Pinned { pin: Pin { evidence, ..pin(0, 0) }, spread }
}

fn written(writes: &[Write]) -> Vec<(String, Register)> {
    writes.iter().map(|write| (write.name.to_string(), write.register.clone())).collect()
}

/// A pinned name whose register has no room for another word.
fn full(spread: &Spread) -> NameView {
    let text = |count: usize| vec!["x".repeat(count)];
    let register = |count: usize| {
        let texts = text(count);
        let original = [("TXT".to_owned(), values(60, &texts.iter().map(String::as_str).collect::<Vec<_>>()))].into();
        Register::Pinned { pin: Pin { original, ..pin(0, 0) }, spread: spread.clone() }
    };
    let most = (0..4_000).rev().find(|count| register(*count).record_set(&app()).is_ok());
    view("app.example.com", DR, most.map(register).as_ref())
}

fn arrived() -> Changes {
    [("C1".to_owned(), ChangeStatus::InSync)].into()
}

#[test]
fn with_the_arrival_of_the_pins_one_register_tells_which_databases_are_replicas() {
    let names = ["app.example.com", "api.example.com"].map(|name| view(name, DR, Some(&pinned(0, change("C1")))));
    let writes = record_in_sync(&names, &arrived(), at(100), &app_dr()).unwrap();
    let expected = [
        ("app.example.com".to_owned(), knowing(app_dr(), in_sync(100))),
        ("api.example.com".to_owned(), pinned(0, in_sync(100))),
    ];
    assert_eq!(written(&writes), expected);
}

#[test]
fn a_register_without_room_leaves_it_to_another_and_holds_up_nothing() {
    let names = [full(&in_sync(100)), view("api.example.com", DR, Some(&pinned(0, in_sync(100))))];
    let write = put_on_record(&names, &app_dr()).unwrap();
    assert_eq!(write.register, knowing(app_dr(), in_sync(100)));
    assert_eq!(write.name.to_string(), "api.example.com");
    assert_eq!(put_on_record(&names[..1], &app_dr()), None);

    let names = [full(&change("C1"))];
    let Reading::Known { register: Register::Pinned { pin, .. }, .. } = &names[0].register else {
        panic!("it is pinned")
    };
    let writes = record_in_sync(&names, &arrived(), at(100), &app_dr());
    let arrived = Register::Pinned { pin: pin.clone(), spread: in_sync(100) };
    let told = writes.map(|writes| written(&writes));
    assert!(told.is_err() || told == Ok(vec![("app.example.com".to_owned(), arrived)]));
}

#[test]
fn nothing_is_put_on_record_of_a_name_that_is_not_pinned_or_twice() {
    let armed = view("app.example.com", DR, Some(&armed(0, ArmedBy::Operator)));
    let known = view("api.example.com", DR, Some(&knowing(app_dr(), in_sync(100))));
    assert_eq!(put_on_record(&[armed.clone(), known.clone()], &app_dr()), None);
    let write = put_on_record(&[armed, known], &orders_dr()).unwrap();
    assert_eq!(write.register, knowing(app_dr().and(&orders_dr()), in_sync(100)));
    assert_eq!(put_on_record(&[view("app.example.com", DR, None)], &app_dr()), None);
}

#[test]
fn all_registers_together_know_what_each_of_them_knows() {
    let names = [
        view("app.example.com", DR, Some(&knowing(app_dr(), in_sync(100)))),
        view(
            "api.example.com",
            DR,
            Some(&Register::FailedOver { at: at(9), pin: Pin { at: at(-5), evidence: orders_dr(), ..pin(0, 0) } }),
        ),
        view("www.example.com", DR, Some(&pinned(0, unrecorded(30)))),
    ];
    let failover = Failover::of(&pin(0, 0).incident, None, &names);
    assert_eq!(failover.evidence, app_dr().and(&orders_dr()));
    assert_eq!(failover.pinned_at, at(-5), "the first of the pins");
    assert_eq!(Failover::of(&pin(0, 0).incident, None, []).pinned_at, at(0));
}
