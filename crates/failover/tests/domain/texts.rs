//! Whatever a record, an alarm or a person says: it is read back as it was written, or refused with a reason.

use crate::common::{PLAN, PRIMARY, a_pair, app, name};
use failover::incident::{AlarmSighting, AlarmState, Approval, Incident};
use failover::name::Name;
use failover::observation::NameView;
use failover::plan::{Plan, ReplicaId};
use failover::record::{Digest, Target};
use failover::register::{ArmedBy, Evidence, Memory, Pin, Reading, Register, RegisterError, Spread, Ttl};
use jiff::Timestamp;
use proptest::prelude::*;

/// Any text, and often one that resembles what the parsers look for.
fn texts() -> impl Strategy<Value = String> {
    let fragments = prop::sample::select(vec![
        "v=1 ",
        "pinned ",
        "failed-over ",
        "armed ",
        "at=",
        "since=",
        "original=",
        "A,values,60,",
        "A,alias,",
        "repins=",
        "change=",
        "incident=",
        "2026-01-01T12:00:00Z",
        "%",
        "%zz",
        "\\05",
        "\\377",
        "\"",
        "{",
        "[",
        "@",
        ",",
        ";",
        "=",
        " ",
        ".",
    ]);
    let resembling = prop::collection::vec(prop_oneof![fragments.prop_map(str::to_owned), any::<String>()], 0..12);
    prop_oneof![any::<String>(), resembling.prop_map(|parts| parts.concat())]
}

fn times() -> impl Strategy<Value = Timestamp> {
    let whole = -377_705_000_000_i64..253_402_000_000;
    (whole, 0..1_000_000_000_i32).prop_map(|(second, nanosecond)| Timestamp::new(second, nanosecond).unwrap())
}

fn targets() -> impl Strategy<Value = Target> {
    let values = (any::<u32>(), prop::collection::vec(any::<String>(), 1..5))
        .prop_map(|(ttl_seconds, values)| Target::Values { ttl_seconds, values });
    let aliases = (any::<String>(), any::<String>(), any::<bool>())
        .prop_map(|(zone, name, evaluate_health)| Target::Alias { zone, name, evaluate_health });
    prop_oneof![values, aliases]
}

fn pins() -> impl Strategy<Value = Pin> {
    let original = prop::collection::btree_map(any::<String>(), targets(), 1..4);
    (times(), times(), any::<String>(), any::<u8>(), original)
        .prop_map(|(at, began, alarm, repins, original)| Pin {
            repins,
            ..Pin::new(at, Incident { alarm, began }, original)
        })
        .prop_flat_map(|pin| {
            let digests = || any::<String>().prop_map(|text| Digest::of(&text));
            let dr = prop::collection::btree_map(any::<String>(), digests(), 0..3);
            let home = prop::collection::btree_set(digests(), 0..3);
            (dr, home, any::<Option<u32>>(), evidence()).prop_map(move |(dr, home, ttl_seconds, evidence)| Pin {
                dr,
                home,
                ttl_seconds,
                evidence,
                ..pin.clone()
            })
        })
}

fn evidence() -> impl Strategy<Value = Evidence> {
    let id = prop_oneof![
        any::<String>().prop_map(ReplicaId::AuroraCluster),
        any::<String>().prop_map(ReplicaId::RdsInstance),
    ];
    let seen = prop_oneof![id.clone().prop_map(Evidence::replica), id.prop_map(Evidence::accepted)];
    prop::collection::vec(seen, 0..4).prop_map(|seen| seen.into_iter().collect())
}

fn memories() -> impl Strategy<Value = Memory> {
    let longer = prop::option::of((any::<u32>(), times()));
    let ttl = prop::option::of((any::<u32>(), longer).prop_map(|(seconds, longer)| Ttl { seconds, longer }));
    (prop::option::of(times()), ttl).prop_map(|(failed_back, ttl)| Memory { failed_back, ttl })
}

fn registers() -> impl Strategy<Value = Register> {
    let spread = prop_oneof![
        times().prop_map(|at| Spread::Unrecorded { at }),
        any::<String>().prop_map(|id| Spread::Change { id }),
        times().prop_map(|at| Spread::InSync { at }),
    ];
    let by =
        prop::sample::select(vec![ArmedBy::Settling, ArmedBy::Operator, ArmedBy::MaintenanceEnd, ArmedBy::Failback]);
    let states = prop_oneof![
        (times(), any::<String>()).prop_map(|(at, by)| Register::disarmed(at, by)),
        (times(), by, prop::option::of(times())).prop_map(|(since, by, rehearsed)| Register::Armed {
            since,
            by,
            rehearsed,
            memory: Memory::default()
        }),
        (times(), times(), any::<String>()).prop_map(|(at, until, by)| Register::paused(at, until, by)),
        (pins(), spread).prop_map(|(pin, spread)| Register::Pinned { pin, spread }),
        (times(), pins()).prop_map(|(at, pin)| Register::FailedOver { at, pin }),
    ];
    (states, memories()).prop_map(|(state, memory)| state.remembering(memory))
}

proptest! {
    #[test]
    fn every_register_survives_being_written_to_route_53_and_read_back(register in registers()) {
        match register.record_set(&app()) {
            Ok(set) => {
                let Target::Values { values, .. } = &set.target else { panic!("a TXT record has values") };
                prop_assert!(values[0].is_ascii() && values[0].split("\" \"").all(|part| part.trim_matches('"').len() <= 255));
                prop_assert_eq!(Reading::of_name(&app(), std::slice::from_ref(&set)), Reading::Known { set, register });
            }
            Err(error) => prop_assert!(register.to_string().len() > 3_900, "{} of {}", error, register),
        }
    }

    #[test]
    fn no_text_is_too_odd_to_be_refused(text in texts()) {
        if let Ok(register) = Register::parse(&text) {
            prop_assert_eq!(Register::parse(&register.to_string()), Ok(register));
        }
        if let Ok(name) = text.parse::<Name>() {
            prop_assert_eq!(name.as_str().parse::<Name>(), Ok(name.clone()));
            let json = serde_json::to_string(&name).unwrap();
            prop_assert_eq!(serde_json::from_str::<Name>(&json).unwrap(), name);
        }
        let _ = (Plan::parse(&text), Approval::parse(&text), text.parse::<Incident>());
        let _ = Plan::parse(&PLAN.replace("app.example.com", &text.escape_default().to_string()));
    }
}

#[test]
fn a_name_that_leaves_no_room_for_its_register_is_refused() {
    let of_length = |characters: usize| -> Name { format!("a{}", ".b".repeat(characters / 2)).parse().unwrap() };
    let register = Register::armed(Timestamp::UNIX_EPOCH, ArmedBy::Operator);
    assert!(register.record_set(&of_length(243)).is_ok());
    let longer = of_length(245);
    assert_eq!(register.record_set(&longer), Err(RegisterError::NameTooLong(longer)));
}

#[test]
fn a_name_may_be_as_long_as_dns_allows_and_no_longer() {
    let of_length = |characters: usize| format!("{}b", "a.".repeat(characters / 2));
    for (text, is_name) in [
        (of_length(253), true),
        (of_length(255), false),
        (format!("aa.{}", of_length(251)), false),
        (format!("{}.com", "a".repeat(63)), true),
        (format!("{}.com", "a".repeat(64)), false),
        // An octet that is written as four characters is one.
        (format!("{}.com", r"\052".repeat(63)), true),
        (format!("{}.com", r"\052".repeat(64)), false),
    ] {
        assert_eq!(text.parse::<Name>().is_ok(), is_name, "{} characters: {text}", text.len());
    }
}

#[test]
fn only_a_person_declares_an_incident() {
    let began = Timestamp::UNIX_EPOCH;
    let (arn, name) = ("operator".to_owned(), "operator".to_owned());
    let alarm = AlarmSighting { arn, name, state: AlarmState::Alarm, since: began, trouble: None };
    assert_eq!(Incident::declared(began).as_declared_alarm(), Some(alarm));
    assert_eq!(Incident { alarm: "started".to_owned(), began }.as_declared_alarm(), None);
}

#[test]
fn of_two_words_about_one_second_the_first_heard_counts() {
    let heard =
        |state| AlarmSighting { state, ..Incident::declared(Timestamp::UNIX_EPOCH).as_declared_alarm().unwrap() };
    let both = [heard(AlarmState::Ok), heard(AlarmState::Alarm)];
    assert_eq!(AlarmSighting::newest(both), [heard(AlarmState::Ok)]);
}

#[test]
fn a_register_fills_a_txt_value_to_the_last_character() {
    let length = |by: usize| {
        let register = Register::disarmed(Timestamp::UNIX_EPOCH, "k".repeat(by));
        match register.record_set(&app())?.target {
            Target::Values { values, .. } => Ok(values[0].len()),
            Target::Alias { .. } => panic!("a TXT record has values"),
        }
    };
    let lengths: Vec<Result<usize, RegisterError>> = (3_800..4_000).map(length).collect();
    assert_eq!(lengths.iter().flatten().max(), Some(&4_000));
    assert_eq!(lengths.last(), Some(&Err(RegisterError::TooLong(app()))));
}

#[test]
fn a_register_of_two_record_sets_is_unreadable_and_other_txt_records_are_none() {
    let register = Register::armed(Timestamp::UNIX_EPOCH, ArmedBy::Operator);
    let set = register.record_set(&app()).unwrap();
    let other = register.record_set(&"api.example.com".parse().unwrap()).unwrap();
    assert_eq!(Reading::of_name(&app(), &[other.clone(), set.clone()]).register(), Some(&register));
    assert_eq!(Reading::of_name(&app(), &[other]), Reading::Absent);
    let shape = Reading::Unreadable(RegisterError::Shape(app()));
    assert_eq!(Reading::of_name(&app(), &[set.clone(), set]), shape);
}

#[test]
fn many_names_are_picked_out_of_a_zone_as_each_would_be_alone() {
    let register = Register::armed(Timestamp::UNIX_EPOCH, ArmedBy::Operator);
    let names = [app(), name("*.shop.example.com"), name("absent.example.com")];
    let mut sets: Vec<_> = [a_pair(&names[1], PRIMARY), a_pair(&names[0], PRIMARY)].concat();
    sets.push(register.record_set(&names[1]).unwrap());
    let alone: Vec<_> = names.iter().map(|name| NameView::of_name("Z1", name, &sets)).collect();
    assert_eq!(alone[1].register(), Some(&register));
    assert_eq!(NameView::of_names("Z1", &names, &sets), alone);
}
