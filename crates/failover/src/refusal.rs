//! Calls that did not succeed: what each kind means, and what is said of a write that Route 53 will not take.

use std::collections::{BTreeSet, HashMap};

use jiff::Timestamp;

use crate::change::{Change, Write};
use crate::finding::{Finding, Kind};
use crate::incident::Incident;
use crate::observation::{Attention, Fact};
use crate::record::{RecordSet, Routing};

/// Route 53's words may quote every record of a batch; the beginning of them tells what they are about.
const QUOTED_CHARACTERS_MAX: usize = 600;

/// What is known of what a failed call was to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fate {
    /// It never left.
    NeverSent,
    /// AWS refused it: nothing was done.
    Refused,
    /// It only looks, and nothing came back.
    Unanswered,
    /// It may have been done or not.
    Unknown,
}

impl Fate {
    fn because(self) -> &'static str {
        match self {
            Self::NeverSent => "an AWS call never left, so nothing was done",
            Self::Refused => "AWS refused a call, so nothing was done",
            Self::Unanswered => "AWS did not answer a call that only looks",
            Self::Unknown => "an AWS call was not answered, so what it was to do may be done or not",
        }
    }
}

/// Which of the writes that Route 53 refused were not overtaken: what each deletes is there exactly as it says, and nothing
/// like what it creates. Such a write is refused for what it is, and will be again.
///
/// "DELETE: … you must specify … all the values"; "CREATE: … that doesn't already exist" (ChangeResourceRecordSets): a batch
/// that holds only such writes meets neither.
#[must_use]
pub fn not_overtaken(writes: Vec<Write>, sets: &[RecordSet]) -> (Vec<Write>, Vec<Write>) {
    let mut there: HashMap<_, Vec<&RecordSet>> = HashMap::new();
    for set in sets {
        there.entry((&set.name, &set.kind)).or_default().push(set);
    }
    let alike = |like: &RecordSet| there.get(&(&like.name, &like.kind)).cloned().unwrap_or_default();
    let stands = |write: &Write| {
        write.changes.iter().all(|change| match change {
            Change::Delete(set) => alike(set).contains(&set),
            Change::Create(set) => {
                alike(set).into_iter().filter(|old| is_like(old, set)).all(|old| deletes(write, old))
            }
        })
    };
    writes.into_iter().partition(stands)
}

/// "Name, Type and SetIdentifier" tell record sets apart.
fn is_like(a: &RecordSet, b: &RecordSet) -> bool {
    let identifier = |set: &RecordSet| match &set.routing {
        Routing::Failover { set_identifier, .. } => Some(set_identifier.clone()),
        Routing::Simple | Routing::Other => None,
    };
    a.name == b.name && a.kind == b.kind && identifier(a) == identifier(b)
}

fn deletes(write: &Write, set: &RecordSet) -> bool {
    write.changes.iter().any(|change| matches!(change, Change::Delete(deleted) if deleted == set))
}

/// What lifts a refusal. Route 53's words only choose what is offered; whether it was a refusal never hangs on them.
#[must_use]
pub fn remedy(write: &Write, words: &str) -> String {
    if !words.to_ascii_lowercase().contains("protect") {
        return "`holdfast status` says what it sees of them; put right what Route 53 names, or allow it".to_owned();
    }
    let mut sets = BTreeSet::new();
    for change in &write.changes {
        let (Change::Delete(set) | Change::Create(set)) = change;
        sets.insert(format!("RecordName={},RecordType={}", set.name, set.kind));
    }
    let (zone, sets) = (&write.zone, sets.into_iter().map(|set| format!("'{set}'")).collect::<Vec<_>>().join(" "));
    format!(
        "lift the protection: `aws route53 list-resource-record-set-protections --hosted-zone-id {zone}` lists them, and \
         `aws route53 delete-resource-record-set-protections --hosted-zone-id {zone} --protections {sets}` lifts those of this name"
    )
}

impl Finding {
    /// An AWS call failed, and what follows must wait.
    #[must_use]
    pub fn interrupted(
        subject: String,
        fate: Fate,
        error: &dyn std::fmt::Display,
        incident: Option<Incident>,
        since: Option<Timestamp>,
    ) -> Self {
        Self {
            subject,
            kind: Kind::Interrupted,
            id: None,
            because: fate.because().to_owned(),
            attention: Attention::Page,
            incident,
            since,
            despite: BTreeSet::new(),
            facts: vec![Fact::new("call", error)],
            next: "Holdfast looks again within a minute, and goes on from what it finds then".to_owned(),
        }
    }

    /// Route 53 will not take what was decided, and said so in `words`; `alone` unless it only refused it together with others.
    #[must_use]
    pub fn not_taken(self, write: &Write, words: &str, alone: bool) -> Self {
        let quoted = match words.char_indices().nth(QUOTED_CHARACTERS_MAX) {
            None => words.to_owned(),
            Some((end, _)) => format!("{}\u{2026}", &words[..end]),
        };
        let (because, next) = match alone {
            true => (
                format!("Route 53 refuses the change: {quoted}"),
                format!(
                    "{}; Holdfast tries again by itself, and changes nothing of this name until then",
                    remedy(write, words)
                ),
            ),
            false => (
                format!(
                    "Route 53 refuses the change together with other names', and there was no time to try it alone: {quoted}"
                ),
                "Holdfast goes on trying names by themselves, some each minute".to_owned(),
            ),
        };
        Self { kind: Kind::WriteRefused, because, next, attention: Attention::Page, despite: BTreeSet::new(), ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{app, at, failover_set, simple_set};
    use crate::record::{Role, Target};
    use crate::register::{ArmedBy, Register};

    fn write(changes: Vec<Change>) -> Write {
        let register = Register::armed(at(0), ArmedBy::Operator);
        Write { zone: "Z1".to_owned(), name: app(), register, changes }
    }

    #[test]
    fn a_write_was_overtaken_if_what_it_deletes_moved_or_what_it_creates_came() {
        let was = failover_set("A", Role::Primary, 60, &["192.0.2.1"]);
        let now = failover_set("A", Role::Primary, 60, &["198.51.100.1"]);
        let swap = write(vec![Change::Delete(was.clone()), Change::Create(now.clone())]);
        let first = write(vec![Change::Create(was.clone())]);
        let secondary = failover_set("A", Role::Secondary, 60, &["198.51.100.1"]);
        for (sets, stands) in [
            (vec![was.clone(), secondary.clone()], [true, false]),
            (vec![now, secondary.clone()], [false, false]),
            (vec![secondary, simple_set("AAAA", &["2001:db8::1"])], [false, true]),
        ] {
            let (standing, _) = not_overtaken(vec![swap.clone(), first.clone()], &sets);
            assert_eq!([standing.contains(&swap), standing.contains(&first)], stands, "{sets:?}");
        }
    }

    #[test]
    fn a_protection_is_lifted_by_a_command_that_names_each_set_of_the_write() {
        let set = |kind| failover_set(kind, Role::Primary, 60, &["192.0.2.1"]);
        let write = write(vec![Change::Delete(set("A")), Change::Create(set("A")), Change::Create(set("AAAA"))]);
        let lifted = remedy(&write, "the record is Protected by kim");
        let named = "'RecordName=app.example.com,RecordType=A' 'RecordName=app.example.com,RecordType=AAAA'";
        assert!(lifted.contains(&format!("--hosted-zone-id Z1 --protections {named}")), "{lifted}");
        assert!(remedy(&write, "AccessDenied: no").contains("holdfast status"));
    }

    #[test]
    fn what_is_quoted_of_route_53_ends() {
        let change = Change::Create(RecordSet {
            target: Target::Values { ttl_seconds: 60, values: Vec::new() },
            ..simple_set("A", &[])
        });
        let finding = Finding::interrupted("a".to_owned(), Fate::Refused, &"no", None, None);
        let finding = finding.not_taken(&write(vec![change]), &"ü".repeat(5_000), true);
        assert!(finding.because.chars().count() < 700);
    }
}
