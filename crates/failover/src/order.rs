//! What a person's order makes of a name's register.

use jiff::{SignedDuration, Timestamp};

use crate::incident::Incident;
use crate::name::Name;
use crate::observation::NameView;
use crate::record::PairFault;
use crate::register::{ArmedBy, Reading, Register, RegisterError};

/// How long before its end a pause is no longer made longer. What looks before the end and writes after it may be overtaken by
/// the tick, which would enable the health check that the longer one disables.
const PAUSE_LEFT_MIN: SignedDuration = SignedDuration::from_mins(1);

/// An order about one name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Order {
    /// Act from now on.
    Arm,
    /// Do not act until armed again.
    Disarm {
        /// Who says so.
        by: String,
    },
    /// Do not act for a while.
    Pause {
        /// When it ends by itself.
        until: Timestamp,
        /// Who says so.
        by: String,
    },
    /// Act again before a pause has ended.
    Resume,
    /// This incident is no reason to fail over.
    Reject {
        /// Which.
        incident: Incident,
    },
}

/// Why an order is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OrderError {
    /// Its register is evidence of a failover.
    #[error("{0} is pinned to DR; `holdfast failback` brings it home")]
    Committed(Name),
    /// Its register cannot be read.
    #[error("{name}: {error}")]
    Unreadable {
        /// Which name.
        name: Name,
        /// Why.
        error: RegisterError,
    },
    /// Its records could not be pinned.
    #[error(transparent)]
    Pair(#[from] PairFault),
    /// PRIMARY and SECONDARY say the same.
    #[error("{0}: PRIMARY and SECONDARY record send users to the same place; point the PRIMARY record at the primary")]
    AlreadyOnDr(Name),
    /// A pause is about to end.
    #[error(
        "{name}: its pause ends at {until}, and Holdfast may be ending it now; give the same order again in a minute, or end it \
         first (`holdfast maintenance end`)"
    )]
    PauseEnds {
        /// Which name.
        name: Name,
        /// When.
        until: Timestamp,
    },
    /// The wrong incident, or none.
    #[error(
        "{name} is not in the incident {incident}: it was armed after that began; `holdfast status` shows what rings now"
    )]
    NotInIncident {
        /// Which name.
        name: Name,
        /// The incident named.
        incident: Incident,
    },
}

/// The register that an order asks for; `None` if nothing is to be written.
///
/// # Errors
/// If the name is in no state for it.
pub fn register_for(order: &Order, view: &NameView, now: Timestamp) -> Result<Option<Register>, OrderError> {
    let register = match &view.register {
        Reading::Absent => None,
        Reading::Known { register, .. } => Some(register),
        Reading::Unreadable(error) => {
            return Err(OrderError::Unreadable { name: view.name.clone(), error: error.clone() });
        }
    };
    if register.is_some_and(|register| register.pin().is_some()) {
        return Err(OrderError::Committed(view.name.clone()));
    }
    let armed = |by| Register::armed(now, by);
    Ok(match (order, register) {
        (Order::Arm, Some(Register::Armed { .. })) => None,
        (Order::Arm, _) => {
            view.pairs.as_ref().map_err(Clone::clone)?;
            if view.agrees() {
                return Err(OrderError::AlreadyOnDr(view.name.clone()));
            }
            Some(armed(ArmedBy::Operator))
        }
        (Order::Disarm { .. }, Some(Register::Disarmed { .. })) => None,
        (Order::Disarm { by }, _) => Some(Register::Disarmed { at: now, by: by.clone() }),
        // Else the end of the pause would arm what a person has disarmed.
        (Order::Pause { .. }, Some(Register::Disarmed { .. })) => None,
        (Order::Pause { .. }, Some(Register::Paused { until, .. })) if until.duration_since(now) < PAUSE_LEFT_MIN => {
            return Err(OrderError::PauseEnds { name: view.name.clone(), until: *until });
        }
        (Order::Pause { until, by }, _) => Some(Register::Paused { at: now, until: *until, by: by.clone() }),
        (Order::Resume, Some(Register::Paused { .. })) => Some(armed(ArmedBy::MaintenanceEnd)),
        (Order::Resume, _) => None,
        (Order::Reject { incident }, Some(Register::Armed { since, .. })) if *since < incident.began => {
            Some(armed(ArmedBy::Rejection))
        }
        (Order::Reject { incident }, _) => {
            return Err(OrderError::NotInIncident { name: view.name.clone(), incident: incident.clone() });
        }
    })
}
