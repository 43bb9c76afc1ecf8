//! Records as Route 53 may hold them.

use arbitrary::{Result, Unstructured};
use failover::change::{self, Change};
use failover::failback::restore;
use failover::observation::{Changes, NameView, Probes};
use failover::pin::{self, Observation, Verdict};
use failover::plan::Plan;
use failover::record::{RecordSet, Role, Routing, Target};
use failover::register::{ArmedBy, Register, Spread};

use crate::workload::{PLAN, app, noon, ringing};

/// A name's records are left alone, or pinned and brought back, each as it was to the last field.
pub fn records(bytes: &[u8]) {
    if let Ok(sets) = any_sets(&mut Unstructured::new(bytes)) {
        out_and_back(&sets);
    }
}

fn out_and_back(sets: &[RecordSet]) {
    let plan = Plan::parse(PLAN).expect("it is a plan");
    let armed = Register::armed(noon(-7_200), ArmedBy::Operator);
    let before = with_register(sets, &armed);
    let view = NameView::of_name("Z1", &app(), &before);
    let seen = Observation {
        now: noon(60),
        alarms: Some(vec![ringing()]),
        probes: Probes::default(),
        names: vec![view.clone()],
        changes: Changes::new(),
        approval: None,
        hold: None,
        latch: failover::latch::Reading::NoStore,
        source: failover::listing::Source::Listed,
        foreign_alarm: false,
    };
    let decision = pin::decide(&plan, &seen, &view);
    if decision.row.verdict != Verdict::Pin {
        assert!(change::write(&view, decision.row.verdict, decision.incident.as_ref(), seen.now).unwrap().is_none());
        return;
    }
    let write = change::write(&view, Verdict::Pin, decision.incident.as_ref(), seen.now);
    let write = write.expect("what does not fit was refused before").expect("a pin writes");
    let pinned = applied(&before, &write.changes);
    assert!(NameView::of_name("Z1", &app(), &pinned).agrees());
    assert_eq!(untouched(&before), untouched(&pinned), "a pin changes PRIMARY records and the register alone");

    let spread = Spread::Change { id: "C".repeat(32) };
    let recorded = change::record_spread(&write, spread).expect("it fits").expect("a pin has a change to record");
    let Register::Pinned { pin, .. } = &recorded.register else { panic!("{:?}", recorded.register) };
    let failed_over = Register::FailedOver { at: noon(900), pin: pin.clone() };
    let pinned = with_register(&applied(&pinned, &recorded.changes), &failed_over);
    let view = NameView::of_name("Z1", &app(), &pinned);
    let back = restore(&plan, &view, noon(9_000), "kim").expect("every type has an original").expect("it failed over");
    assert_eq!(with_register(&applied(&pinned, &back.changes), &armed), before, "a failback is the pin's inverse");
}

/// The records with this register, in an order of their own.
fn with_register(sets: &[RecordSet], register: &Register) -> Vec<RecordSet> {
    let name = app().register();
    let mut sets: Vec<_> = sets.iter().filter(|set| set.name != name).cloned().collect();
    sets.extend(register.record_set(&app()));
    sets.sort_by_key(key);
    sets
}

/// What tells record sets apart in a zone.
fn key(set: &RecordSet) -> (String, String, String) {
    let identifier = match &set.routing {
        Routing::Failover { set_identifier, .. } => set_identifier.clone(),
        Routing::Simple | Routing::Other => String::new(),
    };
    (set.name.to_string(), set.kind.clone(), identifier)
}

/// Route 53's part: a DELETE must match exactly, a CREATE must find nothing.
fn applied(sets: &[RecordSet], changes: &[Change]) -> Vec<RecordSet> {
    let mut sets = sets.to_vec();
    for change in changes {
        match change {
            Change::Delete(set) => {
                let at = sets.iter().position(|known| known == set).expect("a DELETE names what was observed");
                sets.remove(at);
            }
            Change::Create(set) => {
                assert!(sets.iter().all(|known| key(known) != key(set)), "there is a {set:?} already");
                sets.push(set.clone());
            }
        }
    }
    sets
}

fn untouched(sets: &[RecordSet]) -> Vec<RecordSet> {
    let is_touched = |set: &RecordSet| {
        set.name == app().register() || matches!(set.routing, Routing::Failover { role: Role::Primary, .. })
    };
    let mut rest: Vec<_> = sets.iter().filter(|set| !is_touched(set)).cloned().collect();
    rest.sort_by_key(key);
    rest
}

/// Pairs, halves of pairs and others, in a zone that Route 53 would keep: no two sets with one key.
fn any_sets(bytes: &mut Unstructured<'_>) -> Result<Vec<RecordSet>> {
    const KINDS: [&str; 8] = ["A", "AAAA", "CNAME", "TXT", "MX", "SRV", "CAA", "HTTPS"];
    let mut sets: Vec<RecordSet> = Vec::new();
    for _ in 0..bytes.int_in_range(1..=3)? {
        let kind = (*bytes.choose(&KINDS)?).to_owned();
        let of = |routing, target, health_check| RecordSet {
            name: app(),
            kind: kind.clone(),
            routing,
            target,
            health_check,
        };
        let half = |role, bytes: &mut Unstructured<'_>| -> Result<RecordSet> {
            let set_identifier = format!("{role:?}{}", bytes.arbitrary::<String>()?);
            let health_check = if bytes.ratio(7, 8)? { Some(bytes.arbitrary()?) } else { None };
            Ok(of(Routing::Failover { role, set_identifier }, any_target(bytes)?, health_check))
        };
        match bytes.int_in_range(0..=15)? {
            0 => sets.push(of(Routing::Simple, any_target(bytes)?, None)),
            1 => sets.push(of(Routing::Other, any_target(bytes)?, None)),
            2 => sets.push(half(Role::Primary, bytes)?),
            3 => sets.push(half(Role::Secondary, bytes)?),
            _ => sets.extend([half(Role::Primary, bytes)?, half(Role::Secondary, bytes)?]),
        }
    }
    sets.sort_by_key(key);
    sets.dedup_by_key(|set| key(set));
    Ok(sets)
}

/// Any target: many values or long ones, an alias, any TTL ("0 to 2147483647", ResourceRecordSet).
pub(crate) fn any_target(bytes: &mut Unstructured<'_>) -> Result<Target> {
    if bytes.ratio(1, 4)? {
        return Ok(Target::Alias {
            zone: bytes.arbitrary()?,
            name: bytes.arbitrary()?,
            evaluate_health: bytes.arbitrary()?,
        });
    }
    let ttl_seconds = bytes.int_in_range(0..=2_147_483_647)?;
    let (count, repeats) = (bytes.int_in_range(1..=20)?, bytes.int_in_range(1..=60)?);
    let value = |bytes: &mut Unstructured<'_>| Ok(bytes.arbitrary::<String>()?.repeat(repeats));
    Ok(Target::Values { ttl_seconds, values: (0..count).map(|_| value(bytes)).collect::<Result<_>>()? })
}
