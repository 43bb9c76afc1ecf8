//! What was seen of the databases is put on record, so that "promoted" is never concluded from an empty field.

use jiff::Timestamp;

use super::gate::in_sync;
use super::{ReplicaState, ReplicaView};
use crate::change::{Write, rewrite_register};
use crate::incident::Incident;
use crate::observation::{Changes, NameView};
use crate::register::{Evidence, Register, RegisterError};

/// The failover that databases are promoted in, as the registers have it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failover {
    /// Its incident.
    pub incident: Incident,
    /// Since when databases may be promoted.
    pub since: Option<Timestamp>,
    /// When the first name was pinned.
    pub pinned_at: Timestamp,
    /// What is known of the databases, by all of the registers together.
    pub evidence: Evidence,
}

impl Failover {
    /// The failover that these names are in.
    #[must_use]
    pub fn of<'a>(
        incident: &Incident,
        since: Option<Timestamp>,
        names: impl IntoIterator<Item = &'a NameView>,
    ) -> Self {
        let pins: Vec<_> = names.into_iter().filter_map(|view| view.register()?.pin()).collect();
        Self {
            incident: incident.clone(),
            since,
            pinned_at: pins.iter().map(|pin| pin.at).min().unwrap_or(incident.began),
            evidence: pins.iter().map(|pin| pin.evidence.clone()).collect(),
        }
    }
}

/// Which of these are replicas.
#[must_use]
pub fn seen_as_replicas<'a>(views: impl IntoIterator<Item = &'a ReplicaView>) -> Evidence {
    let is_replica =
        |view: &&ReplicaView| matches!(&view.state, ReplicaState::Present(database) if database.is_replica());
    views.into_iter().filter(is_replica).map(|view| Evidence::replica(view.id.clone())).collect()
}

/// Puts on record, in one name's register, what is known of the databases. `None` if no pinned name's register has room
/// for it, or it is on record.
#[must_use]
pub fn put_on_record(names: &[NameView], seen: &Evidence) -> Option<Write> {
    let with = |view: &NameView| rewrite_register(view, with_evidence(view.register()?.clone(), seen)?).ok();
    names.iter().find_map(with)
}

/// Puts on record which pins have arrived, and in the first of their registers that has room what is known of the
/// databases.
///
/// # Errors
/// If a register does not fit into a TXT record.
pub fn record_in_sync(
    names: &[NameView],
    changes: &Changes,
    now: Timestamp,
    seen: &Evidence,
) -> Result<Vec<Write>, RegisterError> {
    let mut is_told = false;
    let arrived = names.iter().filter_map(|view| Some((view, in_sync(view, changes, now)?)));
    let writes = arrived.map(|(view, register)| {
        let telling = (!is_told).then(|| with_evidence(register.clone(), seen)).flatten();
        if let Some(Ok(write)) = telling.map(|register| rewrite_register(view, register)) {
            is_told = true;
            return Ok(write);
        }
        rewrite_register(view, register)
    });
    writes.collect()
}

/// The register of a pinned name with what was seen in it; `None` of any other register, and where that changes nothing.
fn with_evidence(register: Register, seen: &Evidence) -> Option<Register> {
    match register {
        Register::Pinned { mut pin, spread } => {
            let evidence = pin.evidence.and(seen);
            if evidence == pin.evidence {
                return None;
            }
            pin.evidence = evidence;
            Some(Register::Pinned { pin, spread })
        }
        _ => None,
    }
}
