//! What decisions write, and that what is written can be read again, whatever it holds.

use std::collections::{BTreeMap, BTreeSet};

use crate::common::*;
use failover::change::{self as changes, Batch, Change, Write, WriteError, batches, record_spread, rewrite_register};
use failover::name::Name;
use failover::observation::NameView;
use failover::pin::Verdict;
use failover::record::{RecordSet, Role, Routing, Target};
use failover::register::{ArmedBy, Memory, Pin, Register, RegisterError, Spread, Ttl};
use proptest::prelude::*;

/// An armed name with a pair of values and a pair of aliases.
fn two_families() -> Vec<RecordSet> {
    let mut sets = pair(&app(), "A", values(20, &["192.0.2.2", PRIMARY]), values(300, &[DR]));
    sets.extend(pair(&app(), "AAAA", alias("p.elb"), alias("d.elb")));
    sets.push(armed(-7_200, ArmedBy::Operator).record_set(&app()).unwrap());
    sets
}

fn of(sets: &[RecordSet]) -> NameView {
    NameView::of_name("Z1", &app(), sets)
}

fn write(view: &NameView, verdict: Verdict) -> Option<Write> {
    changes::write(view, verdict, Some(&incident(0)), at(60)).unwrap()
}

/// Route 53's part: a batch is applied whole, or refused whole.
fn apply(sets: &[RecordSet], changes: &[Change]) -> Option<Vec<RecordSet>> {
    let identity = |set: &RecordSet| (set.name.clone(), set.kind.clone(), set.routing.clone());
    let mut sets = sets.to_vec();
    for change in changes {
        match change {
            Change::Delete(set) => {
                let position = sets.iter().position(|stored| stored == set)?;
                sets.remove(position);
            }
            Change::Create(set) if sets.iter().any(|stored| identity(stored) == identity(set)) => return None,
            Change::Create(set) => sets.push(set.clone()),
        }
    }
    Some(sets)
}

fn pin_of(view: &NameView) -> &Pin {
    view.register().and_then(Register::pin).unwrap()
}

/// The name after `verdict` was carried out.
fn carried_out(sets: &[RecordSet], verdict: Verdict) -> Vec<RecordSet> {
    apply(sets, &write(&of(sets), verdict).unwrap().changes).unwrap()
}

/// Changes a PRIMARY record as somebody else would.
fn undo(sets: &[RecordSet], kind: &str, target: &Target) -> Vec<RecordSet> {
    let of_kind = of(sets).pairs.unwrap().into_iter().find(|pair| pair.primary().kind == kind).unwrap();
    let undone = |set: &RecordSet| match set {
        set if set == of_kind.primary() => RecordSet { target: target.clone(), ..set.clone() },
        set => set.clone(),
    };
    sets.iter().map(undone).collect()
}

#[test]
fn a_pin_deletes_exactly_what_was_seen_and_creates_what_shall_be() {
    let sets = two_families();
    let [a, _, aaaa, _, armed] = sets.as_slice() else { panic!("five record sets") };
    let write = write(&of(&sets), Verdict::Pin).unwrap();
    let original = [("A".to_owned(), a.target.clone()), ("AAAA".to_owned(), aaaa.target.clone())].into();
    let dr = [("A", values(20, &[DR])), ("AAAA", alias("d.elb"))];
    let dr = dr.map(|(kind, target)| (kind.to_owned(), target.digest(kind))).into();
    let pinned = Register::Pinned {
        pin: Pin { dr, ttl_seconds: Some(60), ..Pin::new(at(60), incident(0), original) },
        spread: unrecorded(60),
    };
    assert_eq!(write.register, pinned);
    let created = |set: &RecordSet, target| Change::Create(RecordSet { target, ..set.clone() });
    let changes = [
        Change::Delete(armed.clone()),
        Change::Create(pinned.record_set(&app()).unwrap()),
        Change::Delete(a.clone()),
        created(a, values(20, &[DR])),
        Change::Delete(aaaa.clone()),
        created(aaaa, alias("d.elb")),
    ];
    assert_eq!(write.changes, changes);
}

#[test]
fn a_pin_made_from_what_is_no_longer_so_is_refused_whole() {
    let sets = two_families();
    let pin = write(&of(&sets), Verdict::Pin).unwrap();
    for moved in [undo(&sets, "A", &values(20, &["192.0.2.3"])), undo(&sets, "AAAA", &alias("q.elb"))] {
        assert_eq!(apply(&moved, &pin.changes), None);
    }
    let pinned = apply(&sets, &pin.changes).unwrap();
    assert_eq!(apply(&pinned, &pin.changes), None, "of two that race one wins");
    let failed_back: Vec<_> =
        sets[..4].iter().cloned().chain(armed(900, ArmedBy::Failback).record_set(&app())).collect();
    assert_eq!(apply(&failed_back, &pin.changes), None, "a pin that arrives after the failback never matches");
}

#[test]
fn what_a_register_keeps_restores_the_primary_byte_for_byte() {
    let sets = two_families();
    let view = of(&carried_out(&sets, Verdict::Pin));
    assert!(view.agrees());
    for pair in view.pairs.as_ref().unwrap() {
        let target = pin_of(&view).original[&pair.primary().kind].clone();
        let restored = RecordSet { target, ..pair.primary().clone() };
        assert!(sets.contains(&restored), "{restored:?}");
    }
}

#[test]
fn a_name_pinned_again_keeps_its_first_original() {
    let pinned = carried_out(&two_families(), Verdict::Pin);
    let first = pin_of(&of(&pinned)).clone();
    let drifted = undo(&pinned, "A", &values(5, &["203.0.113.9"]));
    assert!(!of(&drifted).agrees());
    let view = of(&carried_out(&drifted, Verdict::Repin));
    assert!(view.agrees());
    assert_eq!(*pin_of(&view), Pin { repins: 1, ..first });
    assert!(
        matches!(view.register(), Some(Register::Pinned { spread: Spread::Unrecorded { at: since }, .. }) if *since == at(60))
    );
}

#[test]
fn a_type_that_came_during_the_incident_can_be_failed_back_too() {
    let sets = [&two_families()[..2], &two_families()[4..]].concat();
    let mut pinned = carried_out(&sets, Verdict::Pin);
    assert!(!pin_of(&of(&pinned)).original.contains_key("AAAA"));
    pinned.extend(pair(&app(), "AAAA", alias("p.elb"), alias("d.elb")));
    let view = of(&carried_out(&pinned, Verdict::Repin));
    let original: BTreeMap<_, _> =
        [("A".to_owned(), values(20, &["192.0.2.2", PRIMARY])), ("AAAA".to_owned(), alias("p.elb"))].into();
    assert_eq!(pin_of(&view).original, original);
}

#[test]
fn a_failed_over_name_pinned_again_stays_failed_over() {
    let mut sets = a_pair(&app(), PRIMARY);
    sets.push(failed_over(1).record_set(&app()).unwrap());
    let view = of(&carried_out(&sets, Verdict::Repin));
    let dr = [("A".to_owned(), values(60, &[DR]).digest("A"))].into();
    let pin = Pin { dr, ttl_seconds: Some(60), ..pin(0, 2) };
    assert_eq!(view.register(), Some(&Register::FailedOver { at: at(600), pin }));
    assert!(view.agrees());
}

#[test]
fn a_pin_follows_dr_to_a_new_address_and_is_otherwise_the_same() {
    let moved: Vec<_> = carried_out(&two_families(), Verdict::Pin)
        .into_iter()
        .map(|set| match &set.routing {
            Routing::Failover { role: Role::Secondary, .. } if set.kind == "A" => {
                RecordSet { target: values(300, &["198.51.100.9"]), ..set }
            }
            _ => set,
        })
        .collect();
    assert!(!of(&moved).agrees());
    let after = of(&carried_out(&moved, Verdict::Follow));
    assert!(after.agrees());
    let (before, pin) = (of(&moved), pin_of(&after).clone());
    assert_eq!(pin.dr["A"], values(0, &["198.51.100.9"]).digest("A"));
    assert_eq!(Pin { dr: pin_of(&before).dr.clone(), ..pin }, *pin_of(&before));
}

#[test]
fn nothing_that_holdfast_writes_leads_where_users_were_before_the_pin() {
    let home = [PRIMARY, "198.51.100.1"];
    for (story, secondary) in [("the old primary", &home[..1]), ("the old primary among others", &home)] {
        let mut sets = pair(&app(), "A", values(60, &[DR]), values(60, secondary));
        for register in [pinned(0, in_sync(40)), failed_over(0)] {
            sets.truncate(2);
            sets.push(register.record_set(&app()).unwrap());
            for verdict in [Verdict::Repin, Verdict::Follow, Verdict::Confirm] {
                let written = changes::write(&of(&sets), verdict, Some(&incident(0)), at(60));
                let refused = Err(WriteError::LeadsHome { name: app(), kind: "A".to_owned() });
                let is_nothing = verdict == Verdict::Confirm && matches!(register, Register::FailedOver { .. });
                assert_eq!(written, if is_nothing { Ok(None) } else { refused }, "{story}: {verdict:?}");
            }
        }
    }
    let same = pair(&app(), "A", values(60, &[PRIMARY]), values(60, &[DR, PRIMARY]));
    assert!(changes::write(&of(&same), Verdict::Pin, Some(&incident(0)), at(60)).is_err(), "nor does a first pin");
}

#[test]
fn a_register_keeps_the_longest_ttl_that_resolvers_may_have_been_given() {
    let lowered = Ttl { seconds: 60, longer: Some((3_600, at(61))) };
    let before = armed(-7_200, ArmedBy::Operator).remembering(Memory { ttl: Some(lowered), ..Memory::default() });
    let view = view("app.example.com", PRIMARY, Some(&before));
    let pin_at =
        |second| changes::write(&view, Verdict::Pin, Some(&incident(0)), at(second)).unwrap().unwrap().register;
    let ttl = |register: Register| register.pin().and_then(|pin| pin.ttl_seconds);
    assert_eq!([ttl(pin_at(60)), ttl(pin_at(61))], [Some(3_600), Some(60)], "of before the pin, while some have it");

    let undone = undo(&carried_out(&two_families(), Verdict::Pin), "A", &values(86_400, &[PRIMARY]));
    for verdict in [Verdict::Repin, Verdict::Yield, Verdict::Refuse] {
        let after = write(&of(&undone), verdict).unwrap().register;
        assert_eq!(ttl(after), Some(86_400), "of what {verdict:?} found");
    }
    let left = apply(&undone, &write(&of(&undone), Verdict::Yield).unwrap().changes).unwrap();
    let longer = undo(&left, "A", &values(172_800, &[PRIMARY]));
    let again = changes::write(&of(&longer), Verdict::Yield, None, at(120)).unwrap().unwrap().register;
    let Register::Pinned { pin, spread } = again else { panic!("{again:?}") };
    assert_eq!((pin.ttl_seconds, spread), (Some(172_800), unrecorded(60)), "the drift is as old as it was");
}

#[test]
fn what_a_ttl_was_is_put_on_record_once() {
    let view = |register: &Register| view("app.example.com", PRIMARY, Some(register));
    let before = Register::armed(at(-7_200), ArmedBy::Operator);
    let after = write(&view(&before), Verdict::Remember).unwrap().register;
    assert_eq!(after, armed(-7_200, ArmedBy::Operator), "it is armed since when it was");
    assert_eq!(after.memory(), view(&after).memory(at(120)));
}

#[test]
fn a_pin_confirmed_is_the_same_pin_written_anew() {
    let sets = carried_out(&two_families(), Verdict::Pin);
    let view = of(&sets);
    let write = changes::write(&view, Verdict::Confirm, None, at(120)).unwrap().unwrap();
    let confirmed = of(&apply(&sets, &write.changes).unwrap());
    assert_eq!(pin_of(&confirmed), pin_of(&view));
    assert_eq!(confirmed.pairs, view.pairs);
    assert_ne!(confirmed.register, view.register, "else a batch that arrives late could match");
    assert!(record_spread(&write, change("C2")).unwrap().is_some());
}

#[test]
fn promotion_starts_over_when_records_that_were_left_to_people_are_put_back() {
    for (verdict, spread) in [(Verdict::Yield, in_sync(40)), (Verdict::Refuse, change("C1"))] {
        let mut sets = a_pair(&app(), PRIMARY);
        sets.push(pinned(2, spread).record_set(&app()).unwrap());
        let left = write(&of(&sets), verdict).unwrap();
        assert!(
            left.changes
                .iter()
                .all(|change| matches!(change, Change::Delete(set) | Change::Create(set) if set.kind == "TXT"))
        );
        assert_eq!(record_spread(&left, change("C9")).unwrap(), None, "it carries no pin");
        let after = of(&apply(&sets, &left.changes).unwrap());
        assert_eq!(after.register(), Some(&pinned(2, unrecorded(60))));
        assert_eq!(write(&after, verdict), None, "written once, not every minute");
    }
}

#[test]
fn records_of_a_failed_over_name_and_of_an_armed_one_are_left_to_people_without_a_word() {
    for register in [failed_over(2), armed(-7_200, ArmedBy::Operator), disarmed()] {
        let view = view("app.example.com", PRIMARY, Some(&register));
        assert_eq!((write(&view, Verdict::Yield), write(&view, Verdict::Refuse)), (None, None));
    }
}

#[test]
fn what_decides_nothing_writes_nothing() {
    for register in [armed(-7_200, ArmedBy::Operator), pinned(0, in_sync(40)), failed_over(0)] {
        let view = view("app.example.com", PRIMARY, Some(&register));
        for verdict in [Verdict::Nothing, Verdict::Wait, Verdict::Stay, Verdict::WouldPin, Verdict::Hold, Verdict::Ask]
        {
            assert_eq!(write(&view, verdict), None, "{verdict:?}");
        }
    }
    let view = view("app.example.com", PRIMARY, Some(&armed(-7_200, ArmedBy::Operator)));
    assert_eq!((write(&view, Verdict::Repin), write(&view, Verdict::Confirm)), (None, None), "nothing to repeat");
}

#[test]
fn arming_writes_the_register_alone() {
    for (register, changes) in [(None, 1), (Some(paused(0)), 2)] {
        let view = view("app.example.com", PRIMARY, register.as_ref());
        let write = write(&view, Verdict::Arm(ArmedBy::Settling)).unwrap();
        assert_eq!(write.register, armed(60, ArmedBy::Settling));
        assert_eq!(write.changes.len(), changes);
        assert_eq!(write.changes.last(), Some(&Change::Create(write.register.record_set(&app()).unwrap())));
    }
}

#[test]
fn the_change_that_carries_a_pin_is_put_on_record_by_swapping_the_register() {
    let sets = two_families();
    let pin = write(&of(&sets), Verdict::Pin).unwrap();
    let record = record_spread(&pin, change("C1")).unwrap().unwrap();
    let after = of(&apply(&apply(&sets, &pin.changes).unwrap(), &record.changes).unwrap());
    assert!(matches!(after.register(), Some(Register::Pinned { spread: Spread::Change { id }, .. }) if id == "C1"));
    assert_eq!(apply(&sets, &record.changes), None, "there is nothing to record where the pin was not made");
    let armed = write(&of(&sets), Verdict::Arm(ArmedBy::Settling)).unwrap();
    assert_eq!(record_spread(&armed, change("C1")).unwrap(), None);
}

#[test]
fn of_all_that_a_batch_wrote_the_pins_alone_are_spreading() {
    let sets = two_families();
    let [pin, armed] =
        [Verdict::Pin, Verdict::Arm(ArmedBy::Settling)].map(|verdict| write(&of(&sets), verdict).unwrap());
    let confirmed = record_spread(&pin, in_sync(90)).unwrap().unwrap();
    let writes = vec![armed, pin.clone(), confirmed];
    let expected = record_spread(&pin, change("C1")).unwrap().unwrap();
    assert_eq!(changes::spreads(&Batch { zone: "Z1".to_owned(), writes }, &change("C1")), [expected]);
}

#[test]
fn a_register_that_does_not_fit_is_refused_and_nothing_is_written() {
    let many = Target::Values { ttl_seconds: 60, values: (0..400).map(|n| format!("192.0.2.{n}")).collect() };
    let mut sets = pair(&app(), "A", many.clone(), values(60, &[DR]));
    sets.push(armed(-7_200, ArmedBy::Operator).record_set(&app()).unwrap());
    let too_long = RegisterError::TooLong(app());
    assert_eq!(changes::write(&of(&sets), Verdict::Pin, Some(&incident(0)), at(60)), Err(too_long.clone().into()));
    let huge = Pin { original: [("A".to_owned(), many)].into(), ..pin(0, 0) };
    assert_eq!(rewrite_register(&of(&sets), Register::FailedOver { at: at(600), pin: huge }), Err(too_long));
}

/// A pin of `n.example.com` in `zone`, whose PRIMARY and SECONDARY have so many values of so many characters.
fn write_of(zone: &str, n: usize, count: usize, characters: usize) -> Write {
    let name: Name = format!("n{n}.example.com").parse().unwrap();
    let target = |letter: &str| Target::Values { ttl_seconds: 60, values: vec![letter.repeat(characters); count] };
    let view = NameView::of_name(zone, &name, &pair(&name, "A", target("p"), target("d")));
    let pair = view.pairs.unwrap().remove(0);
    let changes = vec![Change::Delete(pair.primary().clone()), Change::Create(pair.pinned())];
    Write { zone: zone.to_owned(), name, register: disarmed(), changes }
}

fn size(batch: &Batch) -> (usize, usize) {
    let values = batch.changes().map(|change| match change {
        Change::Delete(set) | Change::Create(set) => match &set.target {
            Target::Values { values, .. } => values.clone(),
            Target::Alias { .. } => vec![String::new()],
        },
    });
    let values: Vec<_> = values.flatten().collect();
    (values.len(), values.iter().map(|value| value.chars().count()).sum())
}

#[test]
fn equal_names_go_into_as_few_batches_as_the_quotas_allow() {
    for (names, count, characters, batch_count) in [
        (1, 1, 10, 1),
        (500, 1, 10, 1),
        (501, 1, 10, 2),
        (1_001, 1, 10, 3),
        (100, 5, 10, 1),
        (101, 5, 10, 2),
        (40, 1, 400, 1),
        (41, 1, 400, 2),
    ] {
        let made = batches((0..names).map(|n| write_of("Z1", n, count, characters)).collect());
        assert_eq!(made.len(), batch_count, "{names} names of {count} values of {characters} characters");
    }
}

#[test]
fn a_batch_has_every_change_of_its_names_in_their_order() {
    let writes: Vec<_> = (0..3).map(|n| write_of("Z1", n, 1, 10)).collect();
    let all: Vec<_> = writes.iter().flat_map(|write| &write.changes).cloned().collect();
    let made = batches(writes);
    assert_eq!(made.iter().flat_map(Batch::changes).cloned().collect::<Vec<_>>(), all);
}

#[test]
fn no_writes_are_no_batches() {
    assert_eq!(batches(Vec::new()), []);
}

proptest! {
    #[test]
    fn batches_keep_names_whole_zones_apart_and_quotas(
        writes in prop::collection::vec((0..3_usize, 1..60_usize, 1..200_usize), 0..120)
    ) {
        let zone = |nth: usize| format!("Z{nth}");
        let writes: Vec<_> =
            writes.into_iter().enumerate().map(|(n, (nth, count, length))| write_of(&zone(nth), n, count, length)).collect();
        let made = batches(writes.clone());
        for batch in &made {
            prop_assert!(batch.writes.iter().all(|write| write.zone == batch.zone) && !batch.writes.is_empty());
            let (elements, characters) = size(batch);
            prop_assert!(elements <= 1_000 && characters <= 32_000);
        }
        let names = |writes: &[Write]| writes.iter().map(|write| write.name.to_string()).collect::<Vec<_>>();
        let batched: Vec<_> = made.iter().flat_map(|batch| names(&batch.writes)).collect();
        prop_assert_eq!(batched.len(), writes.len());
        prop_assert_eq!(batched.into_iter().collect::<BTreeSet<_>>(), names(&writes).into_iter().collect::<BTreeSet<_>>());
    }
}
