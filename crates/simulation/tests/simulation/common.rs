//! What several stories need.

use std::collections::BTreeMap;

use failover::incident::Approval;
use failover::name::Name;
use failover::plan::ReplicaId;
use failover::promotion::ReplicaState;
use failover::record::RecordSet;
use failover::register::Register;
use simulation::event;
use simulation::holdfast::Holdfast;
use simulation::primary::OldDatabase;
use simulation::setup::Setup;

/// Longer than any failover here takes, with reminders of it at minutes 1 and 16.
pub const MINUTES: usize = 32;

pub fn deployed(setup: &Setup) -> Holdfast {
    setup.deploy()
}

/// An outage, and its alarm's event delivered at once.
pub fn outage(holdfast: &mut Holdfast) {
    holdfast.world.get().outage();
    holdfast.settle();
}

/// An outage that has come so many minutes far, of which nothing has run in the last; in the first not even its own event.
pub fn outage_before(holdfast: &mut Holdfast, minute: usize) {
    if minute == 0 {
        holdfast.world.get().outage();
        holdfast.world.get().outbox.clear();
    } else {
        outage(holdfast);
        minutes(holdfast, minute - 1);
        holdfast.world.get().advance(60);
    }
}

pub fn minutes(holdfast: &mut Holdfast, minutes: usize) {
    for _ in 0..minutes {
        holdfast.minute();
        assert_unbroken(holdfast);
    }
}

pub fn assert_unbroken(holdfast: &Holdfast) {
    let world = holdfast.world.get();
    assert!(world.watch.broken.is_empty(), "{:#?}", world.watch.broken);
}

pub fn states(holdfast: &Holdfast) -> Vec<&'static str> {
    let state = |register: Option<&Register>| match register {
        None => "absent",
        Some(Register::Disarmed { .. }) => "disarmed",
        Some(Register::Armed { .. }) => "armed",
        Some(Register::Paused { .. }) => "paused",
        Some(Register::Pinned { .. }) => "pinned",
        Some(Register::FailedOver { .. }) => "failed over",
    };
    holdfast.names().iter().map(|view| state(view.register())).collect()
}

/// How a failover ended, but for the times at which it got there.
#[derive(Debug, PartialEq)]
pub struct End {
    /// Every record but the registers, field by field.
    records: Vec<RecordSet>,
    /// State, incident, repins, originals.
    registers: Vec<String>,
    replicas: Vec<ReplicaState>,
    /// Groups, what is on record of them, and who is still connected.
    old_writers: BTreeMap<ReplicaId, OldDatabase>,
    promotions: BTreeMap<ReplicaId, u32>,
    pins: BTreeMap<(String, Name), u32>,
}

pub fn end(holdfast: &Holdfast) -> End {
    let registers = holdfast.names().into_iter().zip(states(holdfast)).map(|(view, state)| {
        let pin = view.register().and_then(Register::pin);
        let pin = pin.map(|pin| (pin.incident.clone(), pin.repins, pin.original.clone()));
        format!("{} {state} {pin:?}", view.name)
    });
    let registers = registers.collect();
    let world = holdfast.world.get();
    let sets =
        ["Z1", "Z2"].into_iter().flat_map(|zone| world.route53.records(zone).iter().cloned().collect::<Vec<_>>());
    let mut pins = BTreeMap::new();
    for ((zone, name, _), times) in world.watch.pins() {
        *pins.entry((zone.clone(), name.clone())).or_default() += times;
    }
    End {
        records: sets.filter(|set| set.name.protected_by_register().is_none()).collect(),
        registers,
        replicas: world.replicas.keys().map(|id| world.replica_state(id)).collect(),
        old_writers: world.old_writers.clone(),
        promotions: world.watch.promotions().clone(),
        pins,
    }
}

/// How the failover ends when nothing goes wrong.
pub fn good_end(setup: &Setup) -> End {
    let mut holdfast = deployed(setup);
    outage(&mut holdfast);
    minutes(&mut holdfast, MINUTES);
    let end = end(&holdfast);
    assert!(states(&holdfast).iter().all(|state| *state == "failed over"));
    let open = simulation::primary::old_writers(&holdfast.plan);
    assert!(end.old_writers.iter().all(|(id, old)| old.is_fenced(&open[id])), "{:?}", end.old_writers);
    assert!(end.promotions.values().chain(end.pins.values()).all(|times| *times == 1));
    end
}

pub fn subjects(holdfast: &Holdfast) -> Vec<String> {
    holdfast.world.get().mailbox.iter().map(|letter| letter.message.subject.clone()).collect()
}

pub fn was_told(holdfast: &Holdfast, words: &[&str]) -> bool {
    subjects(holdfast).iter().any(|subject| words.iter().any(|word| subject.contains(word)))
}

/// The event of an approval that a person gives now.
pub fn approved(holdfast: &Holdfast, approval: &Approval) -> serde_json::Value {
    let mut world = holdfast.world.get();
    world.watch.approvals.push(approval.clone());
    event::approval(approval, world.now)
}
