//! What a person's order makes of a name's register.

use jiff::{SignedDuration, Timestamp};

use crate::incident::Incident;
use crate::name::Name;
use crate::observation::NameView;
use crate::record::PairFault;
use crate::register::{ArmedBy, Pin, REPINS_MAX, Reading, Register, RegisterError, Spread};

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
    /// Pin again what was changed so often that it was left to people.
    PinAgain,
    /// Users belong where the records send them now: the failover of this name is over.
    Release {
        /// Who says so.
        by: String,
    },
}

/// Why an order is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OrderError {
    /// Its register is evidence of a failover.
    #[error("{0} is pinned to DR; `holdfast failback` brings it home")]
    Committed(Name),
    /// It is not pinned.
    #[error("{0} is not pinned to DR")]
    NotCommitted(Name),
    /// Holdfast itself still holds it on DR.
    #[error("{0} was not left to you: Holdfast holds it on DR; `holdfast failback` brings it home")]
    Held(Name),
    /// To pin again would send users back.
    #[error(
        "the SECONDARY record of {name} {kind} leads where users were before the pin, or to a new place in that AWS region: point it at DR first, and Holdfast pins again \
         by itself; or release the name, if users belong there"
    )]
    Swapped {
        /// Which name.
        name: Name,
        /// Which type.
        kind: String,
    },
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
    if let Some(register) = register.filter(|register| register.pin().is_some()) {
        return of_a_pin(order, register, view, now);
    }
    // Whoever arms it, a failback before is not forgotten.
    let armed = |by| Register::armed(now, by).remembering(view.memory(now));
    Ok(match (order, register) {
        (Order::Arm, Some(Register::Armed { .. })) => None,
        (Order::Arm, _) => {
            view.pairs.as_ref().map_err(Clone::clone)?;
            if view.shared().is_some() {
                return Err(OrderError::AlreadyOnDr(view.name.clone()));
            }
            Some(armed(ArmedBy::Operator))
        }
        (Order::Disarm { .. }, Some(Register::Disarmed { .. })) => None,
        (Order::Disarm { by }, _) => Some(Register::disarmed(now, by.clone()).remembering(view.memory(now))),
        // Else the end of the pause would arm what a person has disarmed.
        (Order::Pause { .. }, Some(Register::Disarmed { .. })) => None,
        (Order::Pause { .. }, Some(Register::Paused { until, .. })) if until.duration_since(now) < PAUSE_LEFT_MIN => {
            return Err(OrderError::PauseEnds { name: view.name.clone(), until: *until });
        }
        (Order::Pause { until, by }, _) => {
            Some(Register::paused(now, *until, by.clone()).remembering(view.memory(now)))
        }
        (Order::Resume, Some(Register::Paused { .. })) => Some(armed(ArmedBy::MaintenanceEnd)),
        (Order::Resume, _) => None,
        (Order::Reject { incident }, Some(Register::Armed { since, .. })) if *since < incident.began => {
            Some(armed(ArmedBy::Rejection))
        }
        (Order::Reject { incident }, _) => {
            return Err(OrderError::NotInIncident { name: view.name.clone(), incident: incident.clone() });
        }
        (Order::PinAgain | Order::Release { .. }, _) => return Err(OrderError::NotCommitted(view.name.clone())),
    })
}

/// Of what is pinned, people may say only what Holdfast has left to them (P03).
fn of_a_pin(
    order: &Order,
    register: &Register,
    view: &NameView,
    now: Timestamp,
) -> Result<Option<Register>, OrderError> {
    let swapped = view.swapped();
    let is_spent = register.pin().is_some_and(|pin| pin.repins >= REPINS_MAX);
    let is_left_to_people = swapped.is_some() || (is_spent && !view.agrees());
    if !matches!(order, Order::PinAgain | Order::Release { .. }) {
        return Err(OrderError::Committed(view.name.clone()));
    }
    view.pairs.as_ref().map_err(Clone::clone)?;
    if let (Order::PinAgain, Some(pair)) = (order, swapped) {
        return Err(OrderError::Swapped { name: view.name.clone(), kind: pair.kind().to_owned() });
    }
    match (order, register) {
        (Order::PinAgain, _) if !is_spent => Ok(None),
        // The tick makes the pin, with all its rules.
        (Order::PinAgain, Register::Pinned { pin, .. }) => {
            let pin = Pin { repins: 0, ..pin.clone() };
            Ok(Some(Register::Pinned { pin, spread: Spread::Unrecorded { at: now } }))
        }
        (Order::PinAgain, Register::FailedOver { at, pin }) => {
            Ok(Some(Register::FailedOver { at: *at, pin: Pin { repins: 0, ..pin.clone() } }))
        }
        (Order::Release { by }, _) if is_left_to_people => {
            Ok(Some(Register::disarmed(now, format!("released by {by}"))))
        }
        (Order::Release { .. }, _) => Err(OrderError::Held(view.name.clone())),
        _ => Err(OrderError::Committed(view.name.clone())),
    }
}
