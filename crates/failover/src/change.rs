//! What a decision does to Route 53: compare-and-swap batches.
//!
//! A DELETE must match every stored value and a batch is applied whole or not at all, so DELETE (what was observed) and
//! CREATE (what shall be) in one batch is a compare-and-swap; a batch made from an old observation is refused whole.

use jiff::Timestamp;

use crate::incident::Incident;
use crate::name::Name;
use crate::observation::NameView;
use crate::pin::Verdict;
use crate::plan::ReplicaId;
use crate::record::{Pair, RecordSet, Target};
use crate::register::{ArmedBy, Evidence, Pin, Reading, Register, RegisterError, Spread};

/// Quotas of one ChangeResourceRecordSets request (Route 53 developer guide, "Quotas").
const ELEMENTS_MAX: usize = 1_000;
const VALUE_CHARACTERS_MAX: usize = 32_000;

/// One element of a batch.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Change {
    /// Fails the whole batch unless the record set is exactly this.
    Delete(RecordSet),
    /// Fails the whole batch if the record set exists.
    Create(RecordSet),
}

impl Change {
    fn set(&self) -> &RecordSet {
        match self {
            Self::Delete(set) | Self::Create(set) => set,
        }
    }
}

/// What is written for one name, all of it in one batch.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Write {
    /// Hosted zone id.
    pub zone: String,
    /// The protected name.
    pub name: Name,
    /// What its register says afterwards.
    pub register: Register,
    /// The changes.
    pub changes: Vec<Change>,
}

/// One atomic request.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Batch {
    /// Hosted zone id.
    pub zone: String,
    /// Whole names, in the plan's order.
    pub writes: Vec<Write>,
}

impl Batch {
    /// All changes, in order.
    pub fn changes(&self) -> impl Iterator<Item = &Change> {
        self.writes.iter().flat_map(|write| &write.changes)
    }
}

/// A change id is shorter than this, and so are the other forms of [`Spread`] and what `failed-over` adds.
const CHANGE_ID_CHARACTERS_MAX: usize = 64;

/// The longest that the register of a pin may become in an incident of `alarm`. Any name's may be the one that keeps what
/// is known of the databases.
pub(crate) fn longest_register(pairs: &[Pair], alarm: &str, databases: &[ReplicaId]) -> Register {
    // A person's incident may have begun at a fraction of a second; no time takes more characters than the last.
    let incident = Incident { alarm: alarm.to_owned(), began: Timestamp::MAX };
    let spread = Spread::Change { id: "C".repeat(CHANGE_ID_CHARACTERS_MAX) };
    let evidence = databases.iter().cloned().map(Evidence::replica).collect();
    Register::Pinned { pin: Pin { evidence, ..first_pin(pairs, incident, Timestamp::MAX) }, spread }
}

fn first_pin(pairs: &[Pair], incident: Incident, now: Timestamp) -> Pin {
    Pin { at: now, incident, repins: 0, original: targets(pairs).collect(), evidence: Evidence::default() }
}

/// What the PRIMARY records say, by type.
fn targets(pairs: &[Pair]) -> impl Iterator<Item = (String, Target)> {
    pairs.iter().map(|pair| (pair.primary().kind.clone(), pair.primary().target.clone()))
}

/// What `verdict` writes for a name, or `None` if it writes nothing.
///
/// # Errors
/// If the register to be written does not fit into a TXT record; nothing is written then.
pub fn write(
    view: &NameView,
    verdict: Verdict,
    incident: Option<&Incident>,
    now: Timestamp,
) -> Result<Option<Write>, RegisterError> {
    let pairs = view.pairs.as_deref().unwrap_or_default();
    let unrecorded = Spread::Unrecorded { at: now };
    let register = match (verdict, view.register(), incident) {
        (Verdict::Arm(by), ..) => return swap(view, Register::armed(now, by), &[]).map(Some),
        (Verdict::ArmRehearsing(by), ..) => return rehearsal(view, now, by, now).map(Some),
        (Verdict::Rehearse, Some(Register::Armed { since, by, .. }), _) => {
            return rehearsal(view, *since, *by, now).map(Some);
        }
        (Verdict::Pin, _, Some(incident)) => {
            Register::Pinned { pin: first_pin(pairs, incident.clone(), now), spread: unrecorded }
        }
        (Verdict::Confirm, Some(Register::Pinned { pin, .. }), _) => {
            Register::Pinned { pin: pin.clone(), spread: unrecorded }
        }
        (Verdict::Repin, Some(Register::Pinned { pin, .. }), _) => {
            Register::Pinned { pin: pinned_once_more(pin, pairs), spread: unrecorded }
        }
        (Verdict::Repin, Some(Register::FailedOver { at, pin }), _) => {
            Register::FailedOver { at: *at, pin: pinned_once_more(pin, pairs) }
        }
        // The records are left as they are, but what is on record of the pin's spread is no longer true. Else promotion
        // could begin the moment a person puts them back, before that has spread and clients have drained.
        (Verdict::Yield | Verdict::Refuse, Some(Register::Pinned { pin, spread }), _) if spread.is_on_record() => {
            return swap(view, Register::Pinned { pin: pin.clone(), spread: unrecorded }, &[]).map(Some);
        }
        _ => return Ok(None),
    };
    swap(view, register, pairs).map(Some)
}

/// Puts on record how far the pins have spread that `batch` made. A register that does not fit is left: no pin was made
/// that had one (see P07).
#[must_use]
pub fn spreads(batch: &Batch, spread: &Spread) -> Vec<Write> {
    batch.writes.iter().filter_map(|write| record_spread(write, spread.clone()).ok().flatten()).collect()
}

/// Puts on record which change carries the pin that `written` made; `None` if it made none.
///
/// # Errors
/// If the register does not fit into a TXT record.
pub fn record_spread(written: &Write, spread: Spread) -> Result<Option<Write>, RegisterError> {
    let Register::Pinned { pin, .. } = &written.register else { return Ok(None) };
    if !written.changes.iter().any(|change| change.set().name == written.name) {
        return Ok(None);
    }
    let register = Register::Pinned { pin: pin.clone(), spread };
    let changes = vec![
        Change::Delete(written.register.record_set(&written.name)?),
        Change::Create(register.record_set(&written.name)?),
    ];
    Ok(Some(Write { zone: written.zone.clone(), name: written.name.clone(), register, changes }))
}

/// Replaces a name's register and nothing else.
///
/// # Errors
/// If the register does not fit into a TXT record.
pub fn rewrite_register(view: &NameView, register: Register) -> Result<Write, RegisterError> {
    swap(view, register, &[])
}

/// A batch of the pin's shape that leaves every PRIMARY record as it is.
fn rehearsal(view: &NameView, since: Timestamp, by: ArmedBy, now: Timestamp) -> Result<Write, RegisterError> {
    let mut write = swap(view, Register::Armed { since, by, rehearsed: Some(now) }, &[])?;
    for pair in view.pairs.as_deref().unwrap_or_default() {
        let primary = pair.primary();
        write.changes.extend([Change::Delete(primary.clone()), Change::Create(primary.clone())]);
    }
    Ok(write)
}

/// Keeps what the first pin replaced; a type that came since has its own original.
fn pinned_once_more(pin: &Pin, pairs: &[Pair]) -> Pin {
    let original = targets(pairs).chain(pin.original.clone()).collect();
    Pin { repins: pin.repins + 1, original, ..pin.clone() }
}

fn swap(view: &NameView, register: Register, pairs: &[Pair]) -> Result<Write, RegisterError> {
    let mut changes = Vec::new();
    if let Reading::Known { set, .. } = &view.register {
        changes.push(Change::Delete(set.clone()));
    }
    changes.push(Change::Create(register.record_set(&view.name)?));
    for pair in pairs {
        changes.push(Change::Delete(pair.primary().clone()));
        changes.push(Change::Create(pair.pinned()));
    }
    Ok(Write { zone: view.zone.clone(), name: view.name.clone(), register, changes })
}

/// As few batches as Route 53's quotas allow, none of them splitting a name.
#[must_use]
pub fn batches(writes: Vec<Write>) -> Vec<Batch> {
    let mut batches: Vec<(Batch, Size)> = Vec::new();
    for write in writes {
        let size = Size::of(&write.changes);
        let open = batches.iter_mut().rfind(|(batch, _)| batch.zone == write.zone);
        match open {
            Some((batch, filled)) if filled.plus(size).fits() => {
                *filled = filled.plus(size);
                batch.writes.push(write);
            }
            _ => batches.push((Batch { zone: write.zone.clone(), writes: vec![write] }, size)),
        }
    }
    batches.into_iter().map(|(batch, _)| batch).collect()
}

#[derive(Clone, Copy)]
struct Size {
    elements: usize,
    characters: usize,
}

impl Size {
    fn of(changes: &[Change]) -> Self {
        let values = |change: &Change| match &change.set().target {
            Target::Values { values, .. } => (values.len(), values.iter().map(String::len).sum()),
            Target::Alias { .. } => (1, 0),
        };
        changes.iter().map(values).fold(Self { elements: 0, characters: 0 }, |sum, (elements, characters)| {
            sum.plus(Self { elements, characters })
        })
    }

    fn plus(self, other: Self) -> Self {
        Self { elements: self.elements + other.elements, characters: self.characters + other.characters }
    }

    fn fits(self) -> bool {
        self.elements <= ELEMENTS_MAX && self.characters <= VALUE_CHARACTERS_MAX
    }
}
