//! Adoption: the switch takes the place of the alarm's own health check on PRIMARY records, name by name, or gives it back.

use jiff::Timestamp;

use crate::change::{Change, Write, rewrite_register};
use crate::name::Name;
use crate::observation::NameView;
use crate::record::{PairFault, RecordSet};
use crate::register::{Reading, Register, RegisterError};

/// Why a name is not adopted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AdoptError {
    /// No register holds the name as it is while its records change.
    #[error(
        "{0} is not armed yet; Holdfast arms it by itself once all is well, or you do (holdfast arm): adopt it then"
    )]
    NeverArmed(Name),
    /// Its PRIMARY records lead to DR, by a pin.
    #[error("{0} is pinned to DR; bring it home first (holdfast failback)")]
    Pinned(Name),
    /// A maintenance may have disabled the check that is to come or go.
    #[error("{0} is in maintenance; end that first (holdfast maintenance end)")]
    Paused(Name),
    /// Its register cannot be read, or not be written.
    #[error("{name}: {error}")]
    Register {
        /// Which name.
        name: Name,
        /// Why.
        error: RegisterError,
    },
    /// Its records are no pairs.
    #[error(transparent)]
    Pair(#[from] PairFault),
}

/// What puts `check` on every PRIMARY record of a name; none if it is there. The name's register goes into the same batch: if a
/// pin or a person was faster, Route 53 takes nothing of it. Of an armed name it says that the pin was rehearsed now, as by such a batch
/// it was; so looks that go by an earlier listing learn from the name servers that there is something new.
///
/// # Errors
/// If the name is in no state for it.
pub fn adopt(view: &NameView, check: &str, now: Timestamp) -> Result<Option<Write>, AdoptError> {
    let name = || view.name.clone();
    let of_register = |error: RegisterError| AdoptError::Register { name: name(), error };
    let pairs = view.pairs.as_ref().map_err(Clone::clone)?;
    let register = match &view.register {
        Reading::Absent => return Err(AdoptError::NeverArmed(name())),
        Reading::Unreadable(error) => return Err(of_register(error.clone())),
        Reading::Known { register, .. } => match register {
            Register::Pinned { .. } | Register::FailedOver { .. } => return Err(AdoptError::Pinned(name())),
            Register::Paused { .. } => return Err(AdoptError::Paused(name())),
            Register::Armed { since, by, memory, .. } => {
                Register::Armed { since: *since, by: *by, rehearsed: Some(now), memory: memory.clone() }
            }
            Register::Disarmed { .. } => register.clone(),
        },
    };
    let others = pairs.iter().map(|pair| pair.primary()).filter(|set| set.health_check.as_deref() != Some(check));
    let changes: Vec<_> = others
        .flat_map(|set| {
            let adopted = RecordSet { health_check: Some(check.to_owned()), ..set.clone() };
            [Change::Delete(set.clone()), Change::Create(adopted)]
        })
        .collect();
    if changes.is_empty() {
        return Ok(None);
    }
    let mut write = rewrite_register(view, register).map_err(of_register)?;
    write.changes.extend(changes);
    Ok(Some(write))
}
