//! Registers from the zone, and whatever else is read from one line of text.

use std::collections::{BTreeMap, BTreeSet};

use arbitrary::{Result, Unstructured};
use failover::incident::{Approval, Incident};
use failover::name::Name;
use failover::plan::ReplicaId;
use failover::record::{Digest, RecordSet, Routing, Target};
use failover::register::{ArmedBy, Evidence, Memory, Pin, Reading, Register, RegisterError, Spread, Ttl};
use jiff::Timestamp;

use crate::records;
use crate::workload::app;

/// A TXT value has at most this many characters, and so has a register.
const VALUE_CHARACTERS_MAX: usize = 4_000;

/// A text that is read as a register is written as one that is read the same, and a register is found as it was written,
/// or too long and refused.
pub fn register(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    read(&text);
    found(&text);
    if let Ok(register) = any_register(&mut Unstructured::new(bytes)) {
        written(&register);
    }
}

fn read(text: &str) {
    if let Ok(register) = Register::parse(text) {
        assert_eq!(Register::parse(&register.to_string()), Ok(register));
    }
    if let Ok(name) = text.parse::<Name>() {
        assert_eq!(name.as_str().parse(), Ok(name));
    }
    if let Ok(incident) = text.parse::<Incident>() {
        assert_eq!(incident.to_string().parse(), Ok(incident));
    }
    if let Ok(approval) = Approval::parse(text) {
        assert!(approval.despite.iter().all(|rule| rule.is_liftable()), "{approval:?}");
    }
}

/// What somebody wrote into the register's TXT record by hand.
fn found(value: &str) {
    let target = Target::Values { ttl_seconds: 60, values: vec![value.to_owned()] };
    let name = app().register();
    let set = RecordSet { name, kind: "TXT".to_owned(), routing: Routing::Simple, target, health_check: None };
    match Reading::of_name(&app(), std::slice::from_ref(&set)) {
        Reading::Known { set: kept, .. } => assert_eq!(kept, set, "a compare-and-swap must delete what was found"),
        Reading::Unreadable(_) => {}
        Reading::Absent => panic!("there is a register"),
    }
}

fn written(register: &Register) {
    match register.record_set(&app()) {
        Ok(set) => {
            let Target::Values { values, .. } = &set.target else { panic!("a TXT record has values") };
            let strings: Vec<_> = values[0].split("\" \"").map(|string| string.trim_matches('"')).collect();
            assert!(strings.iter().all(|string| string.is_ascii() && string.len() <= 255));
            assert!(values[0].len() <= VALUE_CHARACTERS_MAX);
            let reading = Reading::of_name(&app(), std::slice::from_ref(&set));
            assert_eq!(reading, Reading::Known { set, register: register.clone() });
        }
        Err(error) => {
            assert_eq!(error, RegisterError::TooLong(app()));
            let quoted = register.to_string().len() + 3 * register.to_string().len().div_ceil(255);
            assert!(quoted + 2 > VALUE_CHARACTERS_MAX, "{register} fits");
        }
    }
}

fn any_time(bytes: &mut Unstructured<'_>) -> Result<Timestamp> {
    let (second, nanosecond) = (bytes.int_in_range(-377_705_023_201..=253_402_207_200)?, bytes.arbitrary::<u32>()?);
    Ok(Timestamp::new(second, (nanosecond % 1_000_000_000).cast_signed()).unwrap_or(Timestamp::MAX))
}

fn any_pin(bytes: &mut Unstructured<'_>) -> Result<Pin> {
    let mut original = BTreeMap::new();
    for _ in 0..bytes.int_in_range(1..=4)? {
        original.insert(bytes.arbitrary()?, records::any_target(bytes)?);
    }
    let incident = Incident { alarm: bytes.arbitrary()?, began: any_time(bytes)? };
    let (mut dr, mut home) = (BTreeMap::new(), BTreeSet::new());
    for _ in 0..bytes.int_in_range(0..=3)? {
        dr.insert(bytes.arbitrary()?, Digest::of(bytes.arbitrary()?));
        home.insert(Digest::of(bytes.arbitrary()?));
    }
    let evidence = any_evidence(bytes)?;
    let pin = Pin::new(any_time(bytes)?, incident, original);
    Ok(Pin { repins: bytes.arbitrary()?, dr, home, ttl_seconds: bytes.arbitrary()?, evidence, ..pin })
}

fn any_evidence(bytes: &mut Unstructured<'_>) -> Result<Evidence> {
    let mut evidence = Evidence::default();
    for _ in 0..bytes.int_in_range(0..=3)? {
        let id = match bytes.arbitrary()? {
            true => ReplicaId::AuroraCluster(bytes.arbitrary()?),
            false => ReplicaId::RdsInstance(bytes.arbitrary()?),
        };
        let seen = if bytes.arbitrary()? { Evidence::replica(id) } else { Evidence::accepted(id) };
        evidence = evidence.and(&seen);
    }
    Ok(evidence)
}

fn any_register(bytes: &mut Unstructured<'_>) -> Result<Register> {
    const BY: [ArmedBy; 5] =
        [ArmedBy::Settling, ArmedBy::Operator, ArmedBy::MaintenanceEnd, ArmedBy::Failback, ArmedBy::Rejection];
    let longer = if bytes.arbitrary()? { Some((bytes.arbitrary()?, any_time(bytes)?)) } else { None };
    let ttl = if bytes.arbitrary()? { Some(Ttl { seconds: bytes.arbitrary()?, longer }) } else { None };
    let failed_back = if bytes.arbitrary()? { Some(any_time(bytes)?) } else { None };
    let state = match bytes.int_in_range(0..=6)? {
        0 => Register::disarmed(any_time(bytes)?, bytes.arbitrary()?),
        1 => Register::Armed {
            since: any_time(bytes)?,
            by: *bytes.choose(&BY)?,
            rehearsed: bytes.arbitrary::<bool>()?.then(|| any_time(bytes)).transpose()?,
            memory: Memory::default(),
        },
        2 => Register::paused(any_time(bytes)?, any_time(bytes)?, bytes.arbitrary()?),
        3 => Register::FailedOver { at: any_time(bytes)?, pin: any_pin(bytes)? },
        form => {
            let spread = match form {
                4 => Spread::Unrecorded { at: any_time(bytes)? },
                5 => Spread::Change { id: bytes.arbitrary()? },
                _ => Spread::InSync { at: any_time(bytes)? },
            };
            Register::Pinned { pin: any_pin(bytes)?, spread }
        }
    };
    Ok(state.remembering(Memory { failed_back, ttl }))
}
