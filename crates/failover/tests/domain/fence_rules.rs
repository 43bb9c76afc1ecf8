//! The fencing rules: what is seen of an old writer, and what follows.

use std::collections::BTreeSet;

use crate::common::{DR, PRIMARY, armed, at, change, disarmed, failed_over, in_sync, incident, pin, pinned, view};
use failover::fence::{Committed, Membership, Note, OldWriter, Stage, Verdict, committed, decide, kept};
use failover::observation::Fact;
use failover::plan::{Fence, ReplicaId};
use failover::register::{ArmedBy, Pin, Register};
use failover::rule::Rule;
use proptest::prelude::*;

const CLOSED: &str = "sg-closed";

fn fence() -> Fence {
    let databases = vec![id()];
    Fence { region: "us-east-1".to_owned(), security_group: CLOSED.to_owned(), databases }
}

fn id() -> ReplicaId {
    ReplicaId::AuroraCluster("app".to_owned())
}

fn set(groups: &[&str]) -> BTreeSet<String> {
    groups.iter().map(|&group| group.to_owned()).collect()
}

fn note(began: i64, stage: Stage) -> Option<Note> {
    Some(Note { incident: incident(began), original: set(&["sg-a"]), stage })
}

fn writer(status: &str, groups: &[&str], note: Option<Note>) -> OldWriter {
    let groups: Vec<_> = groups.iter().map(|group| (*group, "active")).collect();
    in_groups(status, &groups, note)
}

fn in_groups(status: &str, groups: &[(&str, &str)], note: Option<Note>) -> OldWriter {
    let (arn, created, writers) = ("arn".to_owned(), Some(at(-90_000)), vec!["app-1".to_owned()]);
    let groups = groups.iter().map(|(id, status)| ((*id).to_owned(), Membership::of(status))).collect();
    OldWriter::Present { arn, created, status: status.to_owned(), groups, writers, note }
}

#[test]
fn an_old_writer_is_fenced_step_by_step_and_never_twice_in_an_incident() {
    let committed = Committed { incident: incident(0), pinned_at: at(10) };
    let rebuilt = |created| match writer("available", &["sg-a"], None) {
        OldWriter::Present { arn, status, groups, writers, note, .. } => {
            OldWriter::Present { arn, created: Some(at(created)), status, groups, writers, note }
        }
        other => other,
    };
    let available = |groups: &[&str], note| writer("available", groups, note);
    let changing = |groups: &[(&str, &str)]| in_groups("available", groups, note(0, Stage::Begun));
    let cases = [
        (OldWriter::Unanswered("timed out".to_owned()), Rule::X02, Verdict::Wait),
        (OldWriter::Missing, Rule::X03, Verdict::Leave),
        (rebuilt(11), Rule::X03, Verdict::Leave),
        (rebuilt(10), Rule::X06, Verdict::Remember),
        (available(&["sg-a"], note(0, Stage::Lifted)), Rule::X04, Verdict::Leave),
        (available(&[CLOSED], note(0, Stage::Lifted)), Rule::X04, Verdict::Leave),
        (available(&["sg-a"], note(0, Stage::Rebooted)), Rule::X04, Verdict::Leave),
        (available(&[CLOSED], note(0, Stage::Rebooted)), Rule::X05, Verdict::Leave),
        // Fenced by people, or in an earlier incident: what it had before must not be overwritten.
        (available(&[CLOSED], None), Rule::X05, Verdict::Leave),
        (available(&[CLOSED], note(-9_000, Stage::Begun)), Rule::X05, Verdict::Leave),
        (available(&["sg-a"], None), Rule::X06, Verdict::Remember),
        (available(&["sg-a"], note(-9_000, Stage::Lifted)), Rule::X06, Verdict::Remember),
        (writer("rebooting", &["sg-a"], None), Rule::X06, Verdict::Remember),
        (writer("modifying", &["sg-a"], note(0, Stage::Begun)), Rule::X07, Verdict::Wait),
        (available(&["sg-a"], note(0, Stage::Begun)), Rule::X08, Verdict::Swap),
        (available(&["sg-a", CLOSED], note(0, Stage::Begun)), Rule::X08, Verdict::Swap),
        // Whoever is cut off while the old groups still let him in is back at once.
        (changing(&[("sg-a", "active"), (CLOSED, "adding")]), Rule::X08, Verdict::Swap),
        (changing(&[("sg-a", "removing"), (CLOSED, "adding")]), Rule::X07, Verdict::Wait),
        (changing(&[("sg-a", "removing"), (CLOSED, "active")]), Rule::X07, Verdict::Wait),
        (changing(&[(CLOSED, "adding")]), Rule::X07, Verdict::Wait),
        (changing(&[(CLOSED, "")]), Rule::X07, Verdict::Wait),
        (in_groups("available", &[(CLOSED, "adding")], None), Rule::X06, Verdict::Remember),
        (in_groups("available", &[(CLOSED, "adding")], note(0, Stage::Rebooted)), Rule::X07, Verdict::Wait),
        (available(&[CLOSED], note(0, Stage::Begun)), Rule::X09, Verdict::Reboot),
    ];
    for (seen, rule, verdict) in cases {
        let decision = decide(&fence(), Some(&committed), &id(), &seen);
        assert_eq!((decision.row.id.rule, decision.row.verdict), (rule, verdict), "{seen:?}");
        let early = decide(&fence(), None, &id(), &seen);
        assert_eq!((early.row.id.rule, early.row.verdict), (Rule::X01, Verdict::Leave), "before the pin: {seen:?}");
    }
}

#[test]
fn a_failover_is_committed_once_every_name_is_on_dr_for_good() {
    let (app, api) = ("app.example.com", "api.example.com");
    let of = |register: &Register| [view(app, DR, Some(&failed_over(0))), view(api, DR, Some(register))];
    let first = Committed { incident: incident(0), pinned_at: at(30) };
    for register in [failed_over(0), pinned(0, in_sync(40))] {
        assert_eq!(committed(&of(&register)), Some(first.clone()), "{register}");
    }
    for register in [pinned(0, change("C1")), armed(-7_200, ArmedBy::Operator), disarmed()] {
        assert_eq!(committed(&of(&register)), None, "{register}");
    }
    assert_eq!(committed(&[view(app, DR, Some(&failed_over(0))), view(api, DR, None)]), None, "never armed");
    assert_eq!(committed(&[view(app, PRIMARY, Some(&failed_over(0)))]), None, "users may be back on the primary");
    assert_eq!(committed(&[]), None, "nothing is protected");
    let later = Register::FailedOver { at: at(9_000), pin: Pin { at: at(8_000), ..pin(7_000, 0) } };
    let newest = Committed { incident: incident(7_000), pinned_at: at(30) };
    assert_eq!(committed(&of(&later)), Some(newest), "the newest incident, and the oldest of its pins");
}

#[test]
fn what_was_seen_of_an_old_writer_is_told() {
    let committed = Committed { incident: incident(0), pinned_at: at(10) };
    for (seen, words) in [
        (OldWriter::Missing, "not found"),
        (OldWriter::Unanswered("timed out".to_owned()), "timed out"),
        (writer("available", &["sg-a", "sg-b"], None), "available, security groups sg-a, sg-b"),
        (
            in_groups("available", &[("sg-a", "removing"), (CLOSED, "adding")], None),
            "available, security groups sg-a (still there), sg-closed (not active yet)",
        ),
        (
            writer("modifying", &[CLOSED], note(0, Stage::Begun)),
            "modifying, security groups sg-closed; on record Begun for started@2026-01-01T12:00:00Z",
        ),
    ] {
        let facts = decide(&fence(), Some(&committed), &id(), &seen).facts;
        assert_eq!(facts, [Fact::new("Aurora cluster app in us-east-1", words)]);
    }
}

#[test]
fn what_a_fence_gives_back_is_what_was_to_stay() {
    let OldWriter::Present { groups, .. } =
        in_groups("available", &[("sg-a", "active"), ("sg-b", "removing"), ("sg-c", "adding")], None)
    else {
        panic!("it is there")
    };
    assert_eq!(kept(&groups), set(&["sg-a", "sg-c"]));
}

#[test]
fn tags_that_are_no_note_are_none() {
    let good = note(0, Stage::Begun).unwrap().tags();
    assert_eq!(Note::of_tags(&good), note(0, Stage::Begun));
    for key in good.keys() {
        for bad in [None, Some("nonsense")] {
            let mut tags = good.clone();
            tags.remove(key);
            tags.extend(bad.map(|bad| (key.clone(), bad.to_owned())));
            let is_groups = key.ends_with("from") && bad.is_some();
            assert_eq!(Note::of_tags(&tags).is_none(), !is_groups, "{tags:?}");
        }
    }
}

proptest! {
    #[test]
    fn a_note_survives_its_tags(seconds in 0_i64..1_000_000, groups in proptest::collection::btree_set("sg-[0-9a-f]{8,17}", 0..5), stage in 0..3) {
        let stage = [Stage::Begun, Stage::Rebooted, Stage::Lifted][usize::try_from(stage).unwrap()];
        let note = Note { incident: incident(seconds), original: groups, stage };
        let tags = note.tags();
        prop_assert!(tags.values().all(|value| value.len() <= 256), "RDS takes no more");
        prop_assert_eq!(Note::of_tags(&tags), Some(note));
    }
}
