//! The failback rules, F01–F10: whether a workload may return to the primary. Nothing but a person's command asks.
//!
//! The whole table is read, not its first row alone: a person is told everything that stands in the way at once.

mod successor;

use jiff::Timestamp;

use crate::change::{Change, Write, rewrite_register};
use crate::name::Name;
use crate::observation::{Alarms, NameView, Probe, Probes, not_ok};
use crate::plan::{Plan, ReplicaId};
use crate::position::OldOnly;
use crate::record::{Pair, RecordSet, Target};
use crate::register::{ArmedBy, Memory, Reading, Register, RegisterError};
use crate::rule::Rule;
pub use successor::{Readiness, Successor};

/// What stands in the way, by rule, and what to do about it: for people who look a rule up.
#[rustfmt::skip]
pub const RULES: [(Rule, &str, &str); 10] = [
    (Rule::F01, "users are at home: no name is pinned to DR", "there is nothing to fail back, and nothing to do"),
    (Rule::F02, "a register cannot be read, or records are not as Holdfast pinned them", "put it right by hand; Holdfast pins again what was edited, twice in an incident"),
    (Rule::F03, "the failover is still under way: its databases are not all promoted", "wait until Holdfast says that it has failed over"),
    (Rule::F04, "an alarm of the plan does not say OK", "wait until the primary is healthy and its alarms say OK"),
    (Rule::F05, "the primary does not answer our own probe", "bring the primary site up"),
    (Rule::F06, "a database in DR has no successor that holds what was written in DR", "make a replica of it in the primary region (holdfast failback rebuild); keep the old database"),
    (Rule::F07, "a successor is not available, or behind", "wait until it is available and three lag samples in a row say that it is level"),
    (Rule::F08, "users may still be writing to DR, and what they write from now on would be lost", "stop writes in DR, then say --writes-stopped"),
    (Rule::F09, "what only the old primary holds, since it had not been replicated, will not be there any more", "see `holdfast failback compare`, save what must be saved, then say --loss-acknowledged"),
    (Rule::F10, "nobody has held the successors' positions against DR's, and a lag of 0 does not show what the link between them still holds", "give Holdfast database credentials (--database-secret, or HOLDFAST_DATABASE_USER), so that it asks the databases itself; or once writes have stopped in DR run the commands that `holdfast failback check` prints, then say --position-verified"),
];

fn meaning(rule: Rule) -> &'static str {
    RULES.iter().find(|(of, ..)| *of == rule).map_or("", |(_, meaning, _)| meaning)
}

fn remedy(rule: Rule) -> &'static str {
    RULES.iter().find(|(of, ..)| *of == rule).map_or("", |(.., remedy)| remedy)
}

/// All that is known when a failback is decided.
#[derive(Clone, Debug)]
pub struct Observation {
    /// AWS's own time.
    pub now: Timestamp,
    /// What the alarms say.
    pub alarms: Alarms,
    /// What our own health requests found.
    pub probes: Probes,
    /// Every protected name.
    pub names: Vec<NameView>,
    /// The databases that take over, one for each of the plan's.
    pub successors: Vec<Successor>,
    /// Since when, by a person's word, nothing writes to DR any more.
    pub writes_stopped: Option<Timestamp>,
    /// Whether, by a person's word, what only the old primary holds has been dealt with.
    pub loss_acknowledged: bool,
    /// Whether, by a person's word, the successors' positions were held against DR's after writes to it had stopped.
    pub position_verified: bool,
}

/// A rule that stands in the way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Obstacle {
    /// Which rule.
    pub rule: Rule,
    /// What stands in the way.
    pub because: String,
    /// What to do about it.
    pub remedy: &'static str,
}

impl Obstacle {
    fn new(rule: Rule, because: String) -> Self {
        Self { rule, because, remedy: remedy(rule) }
    }
}

/// Everything that stands in the way of a failback, in the order of the rules; empty if nothing does.
#[must_use]
pub fn obstacles(plan: &Plan, seen: &Observation) -> Vec<Obstacle> {
    let Some(pinned_at) = pinned_at(&seen.names) else {
        return vec![Obstacle::new(Rule::F01, meaning(Rule::F01).to_owned())];
    };
    let mut found: Vec<_> = seen.names.iter().filter_map(fault).map(|fault| Obstacle::new(Rule::F02, fault)).collect();
    if let Some(view) = seen.names.iter().find(|view| matches!(view.register(), Some(Register::Pinned { .. }))) {
        let because = format!("the failover of {} is still under way: its databases are not all promoted", view.name);
        found.push(Obstacle::new(Rule::F03, because));
    }
    found.extend(not_ok(plan, &seen.alarms).into_iter().map(|alarm| Obstacle::new(Rule::F04, alarm)));
    if !matches!(seen.probes.primary, Probe::Answers | Probe::NotAsked) {
        let because = format!("the primary does not answer our own probe well: {}", seen.probes.primary);
        found.push(Obstacle::new(Rule::F05, because));
    }
    let not_ready = seen.successors.iter().filter_map(|successor| successor.not_ready(pinned_at, seen.writes_stopped));
    found.extend(not_ready.map(|(rule, because)| Obstacle::new(rule, because)));
    // Where there is no database, none was written to. The switchover of a global database loses nothing, and what its old primary alone
    // had is in the snapshot that AWS took.
    let rebuilt = || seen.successors.iter().filter(|successor| !successor.is_in_global());
    if rebuilt().next().is_none() {
        return found;
    }
    // Of a successor that takes writes already too: whether an interrupted run of ours promoted it, or it is a snapshot that somebody
    // restored, RDS does not say.
    if seen.writes_stopped.is_none() {
        found.push(Obstacle::new(Rule::F08, meaning(Rule::F08).to_owned()));
    }
    let has_lost = rebuilt().any(|successor| successor.old_only != OldOnly::Nothing);
    if has_lost && !seen.loss_acknowledged {
        found.push(Obstacle::new(Rule::F09, lost(&seen.successors)));
    }
    let unproved = rebuilt().filter_map(|successor| successor.unproved(pinned_at, seen.writes_stopped));
    let mut unproved: Vec<_> = unproved.filter(|_| !seen.position_verified).collect();
    unproved.dedup();
    if !unproved.is_empty() {
        found.push(Obstacle::new(Rule::F10, unproved.join("; ")));
    }
    found
}

/// What only the old primaries hold, as far as they said.
fn lost(successors: &[Successor]) -> String {
    let of = |successor: &Successor| match &successor.old_only {
        OldOnly::Transactions { count: Some(count), .. } => {
            Some(format!("{count} transactions that {} never got", successor.of))
        }
        OldOnly::Transactions { count: None, start } => {
            Some(format!("what {} never got, nobody knows how much: mysqlbinlog {}", successor.of, start.option()))
        }
        OldOnly::NotKnown { why } => Some(format!("how much that is for {} is not known: {why}", successor.of)),
        OldOnly::Nothing | OldOnly::NotAsked => None,
    };
    let told: Vec<_> = successors.iter().filter_map(of).collect();
    let gone = meaning(Rule::F09);
    if told.is_empty() { gone.to_owned() } else { format!("{gone}: {}", told.join("; ")) }
}

/// What is wrong with a name's records or register.
fn fault(view: &NameView) -> Option<String> {
    match (&view.register, &view.pairs) {
        (Reading::Unreadable(error), _) => Some(error.to_string()),
        (_, Err(fault)) => Some(fault.to_string()),
        (Reading::Known { register, .. }, Ok(pairs)) => {
            let pin = register.pin()?;
            let nowhere = |pair: &&Pair| {
                pin.original.get(&pair.primary().kind).is_some_and(|home| is_one_place(home, &pair.primary().target))
            };
            match pairs.iter().find(nowhere) {
                None if view.agrees() => None,
                // Moved by hand before an older Holdfast pinned it, or since: nobody is to be sent where the register says.
                Some(pair) if pair.agrees() => Some(format!(
                    "the PRIMARY {} record of {} led to DR already when it was pinned, so nobody knows where the primary is: point \
                     the record home yourself, and delete the TXT record {}",
                    pair.primary().kind,
                    view.name,
                    view.name.register()
                )),
                _ => Some(format!("the records of {} are not as Holdfast pinned them", view.name)),
            }
        }
        _ => None,
    }
}

/// True if both send users to the same place, in whatever order.
fn is_one_place(one: &Target, other: &Target) -> bool {
    match (one, other) {
        (Target::Values { values: one, .. }, Target::Values { values: other, .. }) => {
            let sorted = |values: &[String]| values.iter().cloned().collect::<std::collections::BTreeSet<_>>();
            sorted(one) == sorted(other)
        }
        (Target::Alias { name: one, .. }, Target::Alias { name: other, .. }) => bare(one) == bare(other),
        _ => false,
    }
}

/// When the workload was pinned: the last of its names.
#[must_use]
pub fn pinned_at(names: &[NameView]) -> Option<Timestamp> {
    names.iter().filter_map(|view| view.register()?.pin()).map(|pin| pin.at).max()
}

/// Since when users are at home: when the last name was failed back, or switched off by a person who brought it home. None while no
/// register says.
#[must_use]
pub fn home_since(names: &[NameView]) -> Option<Timestamp> {
    let of_name = |view: &NameView| match view.register()? {
        Register::Disarmed { at, .. } => Some(*at),
        register => register.memory().failed_back,
    };
    names.iter().filter_map(of_name).max()
}

/// Why a name's records cannot be restored.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RestoreError {
    /// A type came after the pin, so nobody knows where it should point.
    #[error("the register of {name} does not say what its PRIMARY {kind} record said; point it at the primary by hand")]
    NoOriginal {
        /// Which name.
        name: Name,
        /// Which type.
        kind: String,
    },
    /// The new register cannot be written.
    #[error(transparent)]
    Register(#[from] RegisterError),
}

/// True if after a failback every database in DR replicates, or there is none: a global database's switchover turns replication round.
#[must_use]
pub fn leaves_replicas(plan: &Plan) -> bool {
    plan.replicas.iter().all(is_in_global)
}

fn is_in_global(id: &ReplicaId) -> bool {
    matches!(id, ReplicaId::GlobalMember { .. })
}

/// The exact inverse of the pin, for one name; `None` if nothing is to be written.
///
/// Where the plan has databases, those in DR are writers of their own by now: an outage must not send users to data that
/// nobody replicates, so the name is left disarmed until there are replicas again. Those of global databases are. That is so for
/// names which the failover left out too: one that is armed, or is to be by itself, would be pinned by the next outage.
///
/// # Errors
/// If an original is missing.
pub fn restore(plan: &Plan, view: &NameView, now: Timestamp, by: &str) -> Result<Option<Write>, RestoreError> {
    let disarmed = || Register::disarmed(now, format!("failback by {by}"));
    let (set, pin, pairs) = match (&view.register, &view.pairs) {
        (Reading::Known { set, register: Register::FailedOver { pin, .. } }, Ok(pairs)) => (set, pin, pairs),
        (Reading::Absent, _)
        | (Reading::Known { register: Register::Armed { .. } | Register::Paused { .. }, .. }, _)
            if !leaves_replicas(plan) =>
        {
            return Ok(Some(rewrite_register(view, disarmed().remembering(view.memory(now)))?));
        }
        _ => return Ok(None),
    };
    let register = if leaves_replicas(plan) { Register::armed(now, ArmedBy::Failback) } else { disarmed() };
    let register = register.remembering(Memory { failed_back: Some(now), ..Memory::default() });
    let mut changes = vec![Change::Delete(set.clone()), Change::Create(register.record_set(&view.name)?)];
    for pair in pairs {
        let primary = pair.primary();
        let original = pin
            .original
            .get(&primary.kind)
            .ok_or_else(|| RestoreError::NoOriginal { name: view.name.clone(), kind: primary.kind.clone() })?;
        changes.push(Change::Delete(primary.clone()));
        changes.push(Change::Create(RecordSet { target: original.clone(), ..primary.clone() }));
    }
    Ok(Some(Write { zone: view.zone.clone(), name: view.name.clone(), register, changes }))
}

/// The primary site was rebuilt, and is no longer where it was when it was pinned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Move {
    /// An address, or an alias's name, that the register says the PRIMARY record had.
    pub from: String,
    /// What it is to have in its place. An alias's zone stays: it is one for all load balancers of a kind in a region.
    pub to: String,
}

/// A restoring write with moved targets, and how many records each move changed.
#[must_use]
pub fn moved(mut write: Write, moves: &[Move]) -> (Write, Vec<usize>) {
    let mut counts = vec![0; moves.len()];
    let name = write.name.clone();
    let created = write.changes.iter_mut().filter_map(|change| match change {
        Change::Create(set) if set.name == name => Some(set),
        Change::Create(_) | Change::Delete(_) => None,
    });
    for set in created {
        let places: Vec<&mut String> = match &mut set.target {
            Target::Values { values, .. } => values.iter_mut().collect(),
            Target::Alias { name, .. } => vec![name],
        };
        for place in places {
            if let Some(nth) = moves.iter().position(|one| bare(&one.from) == bare(place)) {
                place.clone_from(&moves[nth].to);
                counts[nth] += 1;
            }
        }
    }
    (write, counts)
}

/// Names are the same in any case, with or without the last dot, and with or without what Route 53's console puts before them.
fn bare(target: &str) -> String {
    let target = target.trim_end_matches('.').to_lowercase();
    target.strip_prefix("dualstack.").map_or(target.clone(), str::to_owned)
}
