//! What a decision does to Route 53: compare-and-swap batches.
//!
//! A DELETE must match every stored value and a batch is applied whole or not at all, so DELETE (what was observed) and
//! CREATE (what shall be) in one batch is a compare-and-swap; a batch made from an old observation is refused whole.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::incident::Incident;
use crate::name::Name;
use crate::observation::NameView;
use crate::plan::ReplicaId;
use crate::record::{Digest, Pair, RecordSet, Target};
use crate::register::{ArmedBy, Evidence, Pin, Reading, Register, RegisterError, Spread};
use crate::verdict::Verdict;

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

    /// True if it changes what users are answered, and not registers alone.
    #[must_use]
    pub fn changes_records(&self) -> bool {
        self.writes.iter().any(Write::changes_records)
    }
}

impl Write {
    fn changes_records(&self) -> bool {
        self.changes.iter().any(|change| change.set().name == self.name)
    }
}

/// A change id is shorter than this, and so are the other forms of [`Spread`] and what `failed-over` adds.
const CHANGE_ID_CHARACTERS_MAX: usize = 64;

/// Why a decision is not carried out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WriteError {
    /// The register to be written cannot be.
    #[error(transparent)]
    Register(#[from] RegisterError),
    /// It would send users where they were before the pin.
    #[error(
        "the SECONDARY record of {name} {kind} leads where its users were before the pin, or to a new place in that AWS region; nothing was written: point it at DR"
    )]
    LeadsHome {
        /// Which name.
        name: Name,
        /// Which type.
        kind: String,
    },
}

/// The longest that the register of a pin may become in an incident of `alarm`. Any name's may be the one that keeps what
/// is known of the databases.
pub(crate) fn longest_register(view: &NameView, alarm: &str, databases: &[ReplicaId]) -> Register {
    // A person's incident may have begun at a fraction of a second; no time takes more characters than the last.
    let incident = Incident { alarm: alarm.to_owned(), began: Timestamp::MAX };
    let spread = Spread::Change { id: "C".repeat(CHANGE_ID_CHARACTERS_MAX) };
    let evidence = databases.iter().cloned().map(Evidence::replica).collect();
    let pin = Pin { ttl_seconds: Some(u32::MAX), evidence, ..first_pin(view, incident, Timestamp::MAX) };
    Register::Pinned { pin, spread }
}

fn first_pin(view: &NameView, incident: Incident, now: Timestamp) -> Pin {
    let original: BTreeMap<_, _> =
        pairs(view).iter().map(|pair| (pair.kind().to_owned(), pair.primary().target.clone())).collect();
    let pin = Pin::new(now, incident, original);
    Pin { ttl_seconds: Some(view.kept_seconds(now)), home: homes(view, &pin, pairs(view)), ..pin }.led_to_dr(view)
}

fn pairs(view: &NameView) -> &[Pair] {
    view.pairs.as_deref().unwrap_or_default()
}

/// Where `pairs` lead that the pin's originals do not say themselves.
fn homes<'a>(view: &NameView, pin: &Pin, pairs: impl IntoIterator<Item = &'a Pair>) -> BTreeSet<Digest> {
    let leads = |pair: &Pair| pin.unsaid(&view.leads(pair.kind(), &pair.primary().target));
    pairs.into_iter().flat_map(leads).collect()
}

impl Pin {
    /// The same pin, once the PRIMARY records of `view` say what its SECONDARY records do now.
    fn led_to_dr(self, view: &NameView) -> Self {
        let digest = |pair: &Pair| (pair.kind().to_owned(), pair.secondary().target.digest(pair.kind()));
        Self { dr: pairs(view).iter().map(digest).collect(), ..self }
    }

    /// Keeps what the first pin replaced; a type that came since has its own original.
    fn made_once_more(&self, view: &NameView) -> Self {
        let is_new = |pair: &&Pair| !self.original.contains_key(pair.kind());
        let new: Vec<_> = pairs(view).iter().filter(is_new).collect();
        let mut pin = Self { repins: self.repins.saturating_add(1), ..self.drained_for(view) };
        pin.original.extend(new.iter().map(|pair| (pair.kind().to_owned(), pair.primary().target.clone())));
        pin.home.extend(homes(view, &pin, new));
        pin.led_to_dr(view)
    }

    /// The pin with its drain TTL raised to the TTL of what somebody has written since: resolvers may hold that.
    fn drained_for(&self, view: &NameView) -> Self {
        Self { ttl_seconds: Some(self.drain_ttl_seconds().max(view.ttl_seconds())), ..self.clone() }
    }
}

/// What `verdict` writes for a name, or `None` if it writes nothing.
///
/// # Errors
/// If the register to be written does not fit into a TXT record, or a PRIMARY record would lead where users were before the
/// pin; nothing is written then.
pub fn write(
    view: &NameView,
    verdict: Verdict,
    incident: Option<&Incident>,
    now: Timestamp,
) -> Result<Option<Write>, WriteError> {
    let unrecorded = Spread::Unrecorded { at: now };
    let register = match (verdict, view.register(), incident) {
        (Verdict::Arm(by), ..) => {
            let register = Register::armed(now, by).remembering(view.memory(now));
            return Ok(Some(rewrite_register(view, register)?));
        }
        (Verdict::ArmRehearsing(by), ..) => return Ok(Some(rehearsal(view, now, by, now)?)),
        (Verdict::Rehearse, Some(Register::Armed { since, by, .. }), _) => {
            return Ok(Some(rehearsal(view, *since, *by, now)?));
        }
        (Verdict::Remember, Some(register @ Register::Armed { .. }), _) => {
            return Ok(Some(rewrite_register(view, register.clone().remembering(view.memory(now)))?));
        }
        (Verdict::Pin, _, Some(incident)) => {
            Register::Pinned { pin: first_pin(view, incident.clone(), now), spread: unrecorded }
        }
        (Verdict::Confirm, Some(Register::Pinned { pin, .. }), _) => {
            Register::Pinned { pin: pin.clone(), spread: unrecorded }
        }
        (Verdict::Repin, Some(Register::Pinned { pin, .. }), _) => {
            Register::Pinned { pin: pin.made_once_more(view), spread: unrecorded }
        }
        (Verdict::Repin, Some(Register::FailedOver { at, pin }), _) => {
            Register::FailedOver { at: *at, pin: pin.made_once_more(view) }
        }
        (Verdict::Follow, Some(Register::Pinned { pin, .. }), _) => {
            Register::Pinned { pin: pin.clone().led_to_dr(view), spread: unrecorded }
        }
        (Verdict::Follow, Some(Register::FailedOver { at, pin }), _) => {
            Register::FailedOver { at: *at, pin: pin.clone().led_to_dr(view) }
        }
        (Verdict::Yield | Verdict::LeaveSwapped | Verdict::Refuse, Some(Register::Pinned { pin, spread }), _) => {
            return Ok(leave(view, pin, spread, now).map(|register| rewrite_register(view, register)).transpose()?);
        }
        _ => return Ok(None),
    };
    point_at_dr(view, register).map(Some)
}

/// The records are left as they are, but what is on record of the pin's spread is no longer true. Else promotion could begin
/// the moment a person puts them back, before that has spread and clients have drained.
fn leave(view: &NameView, pin: &Pin, spread: &Spread, now: Timestamp) -> Option<Register> {
    let is_longer = view.ttl_seconds() > pin.drain_ttl_seconds();
    let spread = match spread {
        Spread::Unrecorded { .. } if !is_longer => return None,
        Spread::Unrecorded { at } => Spread::Unrecorded { at: *at },
        Spread::Change { .. } | Spread::InSync { .. } => Spread::Unrecorded { at: now },
    };
    let pin = if is_longer { pin.drained_for(view) } else { pin.clone() };
    Some(Register::Pinned { pin, spread })
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
    if !written.changes_records() {
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
    let mut changes = Vec::new();
    if let Reading::Known { set, .. } = &view.register {
        changes.push(Change::Delete(set.clone()));
    }
    changes.push(Change::Create(register.record_set(&view.name)?));
    Ok(Write { zone: view.zone.clone(), name: view.name.clone(), register, changes })
}

/// A batch of the pin's shape that leaves every PRIMARY record as it is.
fn rehearsal(view: &NameView, since: Timestamp, by: ArmedBy, now: Timestamp) -> Result<Write, RegisterError> {
    let register = Register::Armed { since, by, rehearsed: Some(now), memory: view.memory(now) };
    let mut write = rewrite_register(view, register)?;
    for pair in pairs(view) {
        let primary = pair.primary();
        write.changes.extend([Change::Delete(primary.clone()), Change::Create(primary.clone())]);
    }
    Ok(write)
}

/// The register of a pin and every PRIMARY record it speaks of, in one batch. Nothing else writes a PRIMARY record, but a
/// rehearsal as it is and a failback; and none is written that leads where users were before the pin.
fn point_at_dr(view: &NameView, register: Register) -> Result<Write, WriteError> {
    let is_home = |pair: &Pair, pin| view.is_home(pin, pair.kind(), &pair.secondary().target);
    let leads_home = |pair: &&Pair| {
        register.pin().is_some_and(|pin| is_home(pair, pin))
            || view.pin().is_some_and(|pin| view.leads_back(pin, pair, pair.secondary()))
    };
    if let Some(pair) = pairs(view).iter().find(leads_home) {
        return Err(WriteError::LeadsHome { name: view.name.clone(), kind: pair.kind().to_owned() });
    }
    let mut write = rewrite_register(view, register)?;
    for pair in pairs(view) {
        write.changes.push(Change::Delete(pair.primary().clone()));
        write.changes.push(Change::Create(pair.pinned()));
    }
    Ok(write)
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
