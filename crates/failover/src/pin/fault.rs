//! What keeps a name from being armed and from being pinned.

use crate::change::longest_register;
use crate::incident::OPERATOR;
use crate::name::Name;
use crate::observation::NameView;
use crate::plan::{Plan, alarm_name};
use crate::record::PairFault;
use crate::register::text::length;
use crate::register::{Reading, RegisterError};

/// What keeps a name from being armed and from being pinned.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// Its register cannot be read, or could not be written.
    #[error(transparent)]
    Register(#[from] RegisterError),
    /// Its records are no failover pairs.
    #[error(transparent)]
    Pair(#[from] PairFault),
    /// There is nowhere to go.
    #[error(
        "the PRIMARY and the SECONDARY record of {name} {kind} both lead to {place}: point the PRIMARY record at the primary and the \
         SECONDARY record at DR (Holdfast pins a name itself; whoever has moved one by hand puts it back)"
    )]
    SamePlace {
        /// Which name.
        name: Name,
        /// Which type.
        kind: String,
        /// Where.
        place: String,
    },
}

/// What keeps a name from being armed and from being pinned, if anything does. Of a pinned name P02 and P03 say what its records
/// should be.
#[must_use]
pub fn fault(plan: &Plan, view: &NameView) -> Option<Fault> {
    match (&view.register, &view.pairs) {
        (Reading::Unreadable(error), _) => return Some(error.clone().into()),
        (_, Err(fault)) => return Some(fault.clone().into()),
        (_, Ok(_)) => {}
    }
    match view.shared() {
        Some((pair, place)) if view.pin().is_none() => {
            Some(Fault::SamePlace { name: view.name.clone(), kind: pair.kind().to_owned(), place })
        }
        _ => does_not_fit(plan, view).map(Fault::Register),
    }
}

/// Tried with the longest that the register may become in any incident, so that a name which does not fit is reported
/// before an outage, and no pin can be made that cannot be put on record as in sync.
fn does_not_fit(plan: &Plan, view: &NameView) -> Option<RegisterError> {
    let alarms = plan.alarms.iter().filter_map(|arn| alarm_name(arn)).chain([OPERATOR]);
    let longest = alarms.max_by_key(|alarm| length(alarm))?;
    longest_register(view, longest, &plan.replicas).record_set(&view.name).err()
}
